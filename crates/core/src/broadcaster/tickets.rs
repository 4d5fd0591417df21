//! The work of this process when one of its intents has its place in the order. Knows no rule.

use std::sync::Arc;
use std::time::Duration;

use super::rooms::Maker;
use crate::ledger::Record;
use crate::link::{Client, Refusal};
use crate::model::{ConversationId, Hashed, Line, Modes, Name, PersonId, RoomName};

/// A client that waits for its intent.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) client: Arc<Client>,
    pub(super) wanted: Wanted,
    /// Whether the person was told that it is not known if the lines are sent.
    pub(super) is_in_doubt: bool,
}

impl Ticket {
    /// A client that waits for an intent that is proposed now.
    pub(super) fn new(client: &Arc<Client>, wanted: Wanted) -> Ticket {
        Ticket { client: Arc::clone(client), wanted, is_in_doubt: false }
    }

    /// The intent is not sent, for this reason.
    pub(super) fn refuse(self, why: Refusal) {
        self.client.finish(why.into());
    }

    /// The node begins anew. If the intent is under way, it may count.
    pub(super) fn refuse_at_end(self, is_under_way: bool) {
        let is_newcomer =
            matches!(self.wanted, Wanted::Presence | Wanted::Seat { is_first: true, .. });
        self.refuse(match is_under_way {
            _ if is_newcomer => Refusal::OutOfTouch,
            true => Refusal::MaybeSent,
            false => Refusal::NotSent,
        });
    }
}

/// The outcome that the client wants, as far as the intent does not determine it.
#[derive(Debug)]
pub(super) enum Wanted {
    /// To be on the server, without a seat.
    Presence,
    /// A seat.
    Seat {
        /// The number of earlier lines to show.
        replay: u64,
        /// Whether the person comes to the server with this seat.
        is_first: bool,
        /// The share in which the room counts, if the person makes it.
        maker: Option<Maker>,
    },
    /// Lines from a seat.
    Say,
    /// That the others read a signal.
    Signal,
    /// Lines without a seat.
    Once {
        /// The share in which the room counts, if the person makes it.
        maker: Option<Maker>,
    },
    /// This name.
    Rename(Name),
    /// To be away, or back.
    Away(Option<Line>),
    /// To have this real name.
    Realname(Line),
    /// To be logged in to this account.
    LogIn(Name),
    /// Other modes than these.
    Modes(Modes),
    /// A new topic.
    Topic,
    /// The deletion of lines.
    Deletion,
    /// An act.
    Act,
    /// A change of something that is stored, with records of this process that are stored with it.
    Stored {
        /// The records.
        beside: Vec<Record>,
    },
    /// To have read a conversation.
    Marker(ConversationId),
    /// A message for an absent owner, from this network, if it has a share.
    Message {
        /// The hash of the network.
        network: Option<Hashed>,
    },
}

/// The time by which a person who came back on another connection must take the seats again.
#[derive(Debug)]
pub(super) struct Return {
    /// The person, on the new connection.
    pub(super) heir: PersonId,
    pub(super) room: RoomName,
    /// The time at which the departure is announced.
    pub(super) until: Duration,
}
