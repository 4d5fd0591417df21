//! The guard: the cost of a line in instructions, compared with a baseline in the repository.
//!
//! Callgrind counts the instructions, so the same code gives the same count on a busy machine and
//! on a quiet one. It counts the code of a stage with its calls of the allocator, and nothing of
//! the kernel. Instructions are not time: waiting for memory or for the kernel shows only in the
//! other commands.

mod baseline;
mod callgrind;
mod compare;
mod irc;
mod room;
mod scenario;

pub(crate) use compare::run;
pub(crate) use irc::server as irc_server;
pub(crate) use room::encoder as line_encoder;
pub(crate) use scenario::run_body;
