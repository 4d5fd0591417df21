//! A registered client, as far as the meaning of its commands depends on it. Knows no command.

use std::sync::Arc;

use parlor_core::model::{Name, Profile, RoomName};

use super::multiline::ClientBatch;
use crate::irc::protocol::{Caps, IrcServer, Negotiation, nick, source_under};
use crate::irc::registration::{Authentication, Registration};

/// A registered client.
pub(crate) struct ClientState {
    pub(crate) server: Arc<IrcServer>,
    /// Whether passwords are accepted on this connection.
    pub(crate) takes_passwords: bool,
    pub(crate) negotiation: Negotiation,
    pub(crate) authentication: Authentication,
    /// The length of the source in front of its messages, with the shortest of its nicks.
    pub(crate) source_bytes: usize,
    /// The length of that nick.
    nick_bytes: usize,
    /// The nick, as far as it is known: a new one may be refused.
    pub(crate) nick: String,
    /// The lines that the client sends together, until all of them have come.
    pub(crate) batch: Option<Box<ClientBatch>>,
    /// The last room that a command named.
    pub(crate) last_room: Option<RoomName>,
}

impl ClientState {
    /// A client that has not registered.
    pub(crate) fn new(server: Arc<IrcServer>, takes_passwords: bool) -> ClientState {
        ClientState {
            server,
            takes_passwords,
            negotiation: Negotiation::default(),
            authentication: Authentication::default(),
            source_bytes: 0,
            nick_bytes: 0,
            nick: String::new(),
            batch: None,
            last_room: None,
        }
    }

    /// Notes the name and the profile with which the client has come in.
    pub(crate) fn come_in(&mut self, name: &Name, profile: &Profile) {
        self.nick = nick(name).into_owned();
        self.nick_bytes = self.nick.len();
        self.source_bytes = source_under(name, Some(profile)).len();
    }

    /// Notes that the client asks for this nick.
    pub(crate) fn note_nick(&mut self, nick: &str) {
        let rest = self.source_bytes.saturating_sub(self.nick_bytes);
        self.nick_bytes = self.nick_bytes.min(nick.len());
        self.source_bytes = rest + self.nick_bytes;
        nick.clone_into(&mut self.nick);
    }

    /// The capabilities in force.
    pub(crate) fn caps(&self) -> Caps {
        self.negotiation.caps()
    }

    /// The capabilities that are offered.
    pub(crate) fn offered(&self) -> Caps {
        Registration::offered(self.takes_passwords)
    }
}
