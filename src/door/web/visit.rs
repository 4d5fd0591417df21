//! One connection to the web door, for those who answer its requests. Knows no address.

use std::net::SocketAddr;
use std::sync::Arc;

use parlor_core::link::Link;
use parlor_wire::style::LocalClock;
use tokio_util::sync::CancellationToken;

use super::paces::Paces;
use crate::door::http::Exchange;
use crate::door::reception::Reception;
use crate::session::{Peer, SessionSettings};

/// What the connections of one web door share.
pub(super) struct WebDesk {
    /// What it wants of its sessions.
    pub(super) settings: SessionSettings,
    /// Whether it asks for passwords on connections that others can read.
    pub(super) allow_plain_passwords: bool,
    /// For times in sentences.
    pub(super) clock: LocalClock,
    /// How fast each address may speak without a session.
    pub(super) paces: Paces,
}

/// One connection, for those who answer its requests.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) reception: Arc<Reception>,
    pub(super) desk: Arc<WebDesk>,
    pub(super) from: SocketAddr,
    pub(super) peer: Peer,
    /// Cancelled when the connection becomes a socket.
    pub(super) becomes_socket: CancellationToken,
    /// Whether the client is waited for.
    pub(super) exchange: Exchange,
}

impl Visit {
    /// A link to the broadcaster, for a request.
    pub(super) fn connect(&self) -> Link {
        let Reception { writers, inbox, .. } = &*self.reception;
        writers.connect(inbox, Some(self.from))
    }

    /// For people who come with netcat.
    pub(super) fn purpose(&self) -> String {
        match self.reception.line_port.get() {
            Some(port) => format!(
                "This port is for browsers and curl; with netcat, telnet or parlor join, use port {port}"
            ),
            None => "This port is for browsers and curl".to_owned(),
        }
    }
}
