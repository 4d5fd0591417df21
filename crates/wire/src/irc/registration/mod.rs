//! The way to the welcome, and the commands that belong to it and come later, too.

mod authenticate;
mod cap_command;
mod machine;
mod outcome;
mod sasl;

pub(crate) use authenticate::{Authentication, NO_PASSWORDS};
pub(crate) use cap_command::answer_cap;
pub(crate) use machine::put_error;
pub use machine::{Registration, RegistrationStep};
pub use sasl::{SaslPiece, SaslPlain, SaslResponse};
