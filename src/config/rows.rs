//! The form of the table of options: a struct whose every row says when a change of it counts.

/// Declares a struct of options. Each row begins with `#[reload]` where a running server takes over a new value, and
/// with `#[restart]` where only a new one does.
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
            /// What holds after a reload that wants `wanted`.
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
