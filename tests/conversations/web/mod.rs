//! The web door: sockets, and rooms over plain HTTP.

mod curl;
mod frames;
mod proxies;
mod requests;
mod resume;
mod rooms;
mod silence;
