//! The commands that people type after a slash.

mod act;
mod spec;
mod table;

pub use act::{is_meant_as_time, parse_time};
pub use spec::{Command, CommandGroup, Misread, Spec};
pub use table::{COMMANDS, command_names, slipped};
