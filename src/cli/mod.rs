//! The command line, and the commands that run without the server or beside it.

mod admin;
pub mod args;
pub mod backup;
pub mod check;
pub mod export;
pub mod manual;
mod new_password;
pub mod variables;

pub use admin::ask;
pub use args::{Action, CommandLine, ServeOptions, command};
pub use backup::backup;
pub use check::check;
pub use export::export;
