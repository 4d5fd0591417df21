//! One connection to the web door, as the answers to its requests see it. Knows no address.

use std::sync::{Arc, OnceLock};

use parlor_core::link::Link;
use parlor_core::model::Profile;
use parlor_wire::style::LocalClock;

use super::paces::Paces;
use crate::door::admission::AddressShare;
use crate::door::http::Exchange;
use crate::door::reception::Reception;
use crate::session::{Peer, SessionSettings};

/// The parts that the connections of one web door share.
pub(super) struct WebShared {
    /// The settings of its sessions.
    pub(super) settings: SessionSettings,
    /// The profile of scripts, which speak without a seat.
    pub(super) script: Arc<Profile>,
    /// The clock for times in sentences.
    pub(super) clock: LocalClock,
    /// The rate of each address that speaks without a session.
    pub(super) paces: Paces,
}

/// One connection, as the answers to its requests see it. If a web server forwards requests of many
/// clients on it, each request has its own visit.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) reception: Arc<Reception>,
    pub(super) shared: Arc<WebShared>,
    pub(super) peer: Peer,
    /// The scheme under which the client sent the request, if it is known.
    pub(super) scheme: Option<String>,
    /// The share of the client's address, if it is not that of the connection.
    pub(super) share: Option<Arc<AddressShare>>,
    /// The visit of the request that opens a socket.
    pub(super) opener: Arc<OnceLock<Opener>>,
    /// Whether the server waits for the client.
    pub(super) exchange: Exchange,
}

/// The client that opens a socket.
pub(super) struct Opener {
    pub(super) peer: Peer,
    _share: Option<Arc<AddressShare>>,
}

impl Visit {
    /// Keeps the connection open as a socket of this request's client.
    pub(super) fn keep_open(&self) {
        self.opener.set(Opener { peer: self.peer, _share: self.share.clone() }).ok(); // once
        self.exchange.keep_open();
    }

    /// A link to the broadcaster, for one request.
    pub(super) fn connect(&self) -> Link {
        let Reception { writers, inbox, .. } = &*self.reception;
        writers.connect(inbox, self.peer.address)
    }

    /// The purpose of this port, and the ports for netcat and IRC.
    pub(super) fn purpose(&self) -> String {
        let ports = [
            ("netcat, telnet or parlor join", &self.reception.line_port),
            ("an IRC client", &self.reception.irc_port),
        ];
        let others = ports.into_iter().filter_map(|(with, port)| Some((with, port.get()?)));
        let others = others.map(|(with, port)| format!("; with {with}, use port {port}"));
        format!("This port is for browsers and curl{}", others.collect::<String>())
    }
}
