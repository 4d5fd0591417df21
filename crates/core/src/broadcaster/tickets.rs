//! What this process does when an intent of its own has its place in the order. Knows no rule.

use std::sync::Arc;
use std::time::Duration;

use super::rooms::Maker;
use crate::link::Client;
use crate::model::{Name, PersonId, RoomName};

/// A client that waits for its intent.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) client: Arc<Client>,
    pub(super) wanted: Wanted,
}

/// The outcome that the client wants, as far as the intent does not say it.
#[derive(Debug)]
pub(super) enum Wanted {
    /// A seat.
    Seat {
        /// The number of earlier lines to show.
        replay: u64,
        /// Whether it is this person's first seat.
        is_first: bool,
        /// The share in which the room counts, if the person makes it.
        maker: Option<Maker>,
    },
    /// To say lines from a seat.
    Post,
    /// To say lines without a seat.
    Once {
        /// As above.
        maker: Option<Maker>,
    },
    /// To have this name.
    Rename(Name),
    /// To change a topic.
    Topic,
    /// To delete lines.
    Deletion,
    /// An act.
    Act,
    /// That a name has an owner, or none.
    Ownership,
}

/// When a person who came back on another connection has to sit down again.
#[derive(Debug)]
pub(super) struct Return {
    /// The person, on the new connection.
    pub(super) heir: PersonId,
    pub(super) room: RoomName,
    /// When the others are told of a departure.
    pub(super) until: Duration,
}
