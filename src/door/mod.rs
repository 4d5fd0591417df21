//! The doors: where connections come in. One accept loop serves them all.
//!
//! A door is a transport and a dialect. A new one is a file or a folder here, and a row in [`kinds`].

mod accept;
mod admin;
mod admission;
mod handshake;
mod http;
pub mod kinds;
mod lines;
mod metrics;
mod reception;
mod transport;
mod waiting;
mod web;

pub use crate::session::Idle;
pub(crate) use accept::serve;
pub(crate) use admin::{AdminOptions, AdminOrder, NameOrder};
pub(crate) use admin::{Desk, LOOK_EVERY, SOCKET, Socket, read_password};
pub(crate) use admission::{Admission, raise_limit};
pub use kinds::{DOORS, LINE_PORT, Names, Scheme, WEB_PORT};
pub(crate) use kinds::{find_door, read_options};
pub(crate) use lines::LineDoor;
pub(crate) use metrics::MetricsDoor;
pub(crate) use reception::{OpenDoor, Reception, WayIn};
pub(crate) use transport::bind;
pub(crate) use waiting::WaitingList;
pub(crate) use web::WebDoor;
