//! Order in the house: what is done with authority, and what comes of it. Knows no wording, and not who may.

use std::net::SocketAddr;
use std::time::Duration;

use crate::line::Line;
use crate::name::{Name, RoomName};

/// What somebody with authority wants done.
#[derive(Clone, Debug)]
pub enum Order {
    /// To know everybody in the house.
    List,
    /// To say something to everybody.
    Broadcast(Line),
    /// To remove somebody.
    Remove {
        /// The name, as typed.
        whom: Line,
        /// For the person concerned and for the others.
        reason: Option<Line>,
    },
}

/// Who acts with authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever runs the server.
    Operator,
    /// The same person, on another connection.
    Oneself,
    /// A keeper of the room or of the server.
    Keeper(Name),
}

/// What has come of an order.
#[derive(Clone, Debug)]
pub enum Done {
    /// These people are in the house.
    Everybody(Vec<Visitor>),
    /// Everybody has been told.
    Told {
        /// How many that were.
        people: usize,
        /// And how many are not reading, and have not been told.
        deaf: usize,
    },
    /// Somebody is removed.
    Removed(Name),
}

/// Somebody in the house, as whoever keeps it sees them.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The name worn.
    pub name: Name,
    /// Where the connection comes from.
    pub address: Option<SocketAddr>,
    /// The rooms in which they sit.
    pub rooms: Vec<RoomName>,
    /// How long they have said nothing.
    pub silent: Duration,
}

/// That somebody is removed, for the person concerned and for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Who did it.
    pub by: By,
    /// Why, if that was said.
    pub reason: Option<Line>,
}

/// A word with authority that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The operator says something to everybody.
    Says(Line),
    /// One is removed.
    Removed(Removal),
}
