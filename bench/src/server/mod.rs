//! The measured servers, with their commands and protocols.

mod bare;
mod nats;
mod parlor;
mod peers;
mod protocol;
mod target;
mod websocket;

pub(crate) use bare::{BareLoop, bare_loop, bare_loop_with, serve as serve_bare};
pub(crate) use nats::{NatsCluster, NatsCounts, NatsSync, nats_server};
pub(crate) use parlor::{LoadDoor, NodePlace, Parlor, make_pair};
pub(crate) use peers::INSTALLABLE;
pub(crate) use protocol::Protocol;
pub(crate) use target::{RunningTarget, THIS_PROGRAM, Target};
pub(crate) use websocket::{ENTERED, HEAD_END, REFUSED, SWITCHED, enter, first_frame};
