//! The form of the table of options: a struct whose rows say which options a reload changes.

/// Declares `Config`, the struct of all options, and `Reloadable`, the struct of those that a
/// running server takes over.
///
/// A row of the second kind ends with an arrow and the name of the field again. The others keep
/// their value until a restart.
macro_rules! options {
    (
        $(#[$about:meta])*
        pub struct Config {
            $( $(#[$row:meta])* $vis:vis $field:ident: $type:ty $(=> $live:ident)?, )*
        }
    ) => {
        $(#[$about])*
        pub struct Config {
            $( $(#[$row])* $vis $field: $type, )*
        }

        /// The options that a running server takes over.
        struct Reloadable {
            $($( $live: $type, )?)*
        }

        impl Config {
            fn reloadable(&self) -> Reloadable {
                Reloadable { $($( $live: self.$live.clone(), )?)* }
            }

            /// The options in force after a reload of `wanted`.
            fn reloaded(&self, wanted: &Config) -> Config {
                Config { $($( $live: wanted.$live.clone(), )?)* ..self.clone() }
            }
        }
    };
}

pub(super) use options;
