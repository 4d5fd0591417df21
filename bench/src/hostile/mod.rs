//! Hostile lines: a hundred million of them go through the parser of IRC, a server without tasks and
//! sockets, and its encoders. Nothing may panic, hang, grow or send a control character.

mod check;
mod client;
mod house;
mod lines;

pub(crate) use house::run;
