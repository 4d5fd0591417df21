//! Bytes to meaning and back, for each of Parlor's dialects. Does no IO, keeps no time and cannot panic on any input.

pub mod first_line;
pub mod framer;
pub mod telnet;
