//! Bytes to meaning and back, for each dialect and between servers. Does no IO and cannot panic on any input.

pub mod certificate;
pub mod first_line;
pub mod forwarded;
pub mod framer;
pub mod irc;
pub mod keys;
pub mod lines;
pub mod pack;
pub mod proxy;
pub mod style;
pub mod telnet;
pub mod web;
pub mod websocket;
pub mod words;
