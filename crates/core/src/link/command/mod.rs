//! The commands: what people type behind a slash.

mod act;
mod spec;
mod table;

pub use spec::{Command, CommandGroup, Misread, Spec};
pub use table::{COMMANDS, command_names, slipped};
