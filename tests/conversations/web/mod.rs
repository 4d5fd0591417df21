//! The web door: sockets, and rooms over plain HTTP.

mod curl;
mod frames;
mod requests;
mod resume;
mod rooms;
