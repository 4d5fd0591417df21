//! The form of the table of options: a struct in which each row says when its change takes effect.

/// Declares a struct of options. A row begins with `#[reload]` if a running server takes over a new
/// value, and with `#[restart]` if only a restarted one does.
macro_rules! options {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $( #[$when:ident] $(#[$row:meta])* $vis:vis $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$about])*
        pub struct $name {
            $( $(#[$row])* $vis $field: $type, )*
        }

        impl $name {
            /// The options in force after a reload of `wanted`.
            fn reloaded(&self, wanted: &Self) -> Self {
                Self {
                    $( $field: options!(@$when self wanted).$field.clone(), )*
                }
            }
        }
    };
    (@reload $old:ident $new:ident) => { $new };
    (@restart $old:ident $new:ident) => { $old };
}

pub(super) use options;
