//! The doors: where connections come in. One accept loop serves them all.
//!
//! A door is a transport and a dialect. A new door is a file or a folder here, and a row in
//! [`kinds`].

mod accept;
mod admin;
mod admission;
mod approach;
mod handshake;
mod http;
mod irc;
mod kinds;
mod lines;
mod listener;
mod listener_options;
mod metrics;
mod opening;
mod passed;
mod platform;
mod proof;
mod reception;
mod socket_file;
mod tls_handshake;
mod transport;
mod trusted;
mod waiting;
mod web;

pub(crate) use accept::{BoundDoor, accept_connections};
pub(crate) use admin::{AdminDoor, LOOK_EVERY};
pub(crate) use admission::raise_limit;
pub(crate) use approach::Approach;
pub(crate) use irc::{IRC, IRC_TLS};
pub(crate) use kinds::{
    LINE_PORT, LINE_PORT_TLS, find, open, open_admin, read_urls, schemes_for_people, url_help,
};
pub(crate) use lines::{CLASSIC, NETCAT};
pub(crate) use listener::DoorListener;
pub(crate) use listener_options::ListenerOptions;
pub(crate) use opening::{DoorInUse, DoorSetup, WayIn};
pub use passed::PassedSockets;
pub(crate) use proof::acme_challenge;
pub(crate) use reception::Reception;
pub(crate) use tls_handshake::TlsHandshake;
pub(crate) use web::HTTPS;
