//! What a connection asks of the broadcaster, as values. Knows no connection.

use crate::model::{
    Claim, Deed, Limits, Line, Name, PersonId, Proof, RoomId, RoomName, Spoken, WallTime,
};

/// What a connection asks of the broadcaster.
#[derive(Debug)]
pub enum Request {
    /// To change who is here, what is said, or what holds.
    Change(Change),
    /// To know something, or to write to one person: nothing in the house changes.
    Query(Query),
}

impl From<Change> for Request {
    fn from(change: Change) -> Request {
        Request::Change(change)
    }
}

impl From<Query> for Request {
    fn from(query: Query) -> Request {
        Request::Query(query)
    }
}

/// A change of the house.
#[derive(Debug)]
pub enum Change {
    /// Enters a first room under this name; the seat is granted when the arrival is in the room's
    /// log.
    Enter {
        /// The name to wear.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// How many earlier lines are wanted.
        replay: u64,
    },
    /// Enters the room again in which a lost connection was, under the name that it had. If that
    /// connection is still here it leaves, and the others are not told of either.
    ComeBack {
        /// The name.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// The person on the lost connection, if it is not gone.
        ghost: Option<PersonId>,
    },
    /// Takes another seat, in another room.
    Join {
        /// The room; it is made if there is none.
        room: RoomName,
        /// How many earlier lines are wanted.
        replay: u64,
    },
    /// Reads a room without a seat in it.
    Listen {
        /// The name that the reader owns, if that was shown.
        owner: Option<Claim>,
        /// The room.
        room: RoomName,
        /// Whether to wait for a room that does not exist; else it is refused.
        waits: bool,
        /// How many earlier lines are wanted.
        replay: u64,
    },
    /// Says these lines together, under a name that is worn only meanwhile. Only connections
    /// without a seat ask this.
    Speak {
        /// The name.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// Says these lines in a room, together; done when they are stored and visible.
    Post {
        /// The room.
        room: RoomId,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// Takes another name.
    Rename(Claim),
    /// Sets a room's topic, or clears it.
    SetTopic {
        /// The room.
        room: RoomId,
        /// The topic.
        text: Option<Line>,
    },
    /// A name has an owner, or its owner another password, as it is stored.
    Owned {
        /// The name.
        name: Name,
        /// The proof that counts from now on: a person who wears the name by an earlier one leaves.
        proof: Proof,
        /// The connection that asked for it, and stays.
        by: Option<PersonId>,
    },
    /// A name has no owner any more, as it is stored.
    Released {
        /// The name.
        name: Name,
        /// The proof that would count from now on: no earlier one does.
        proof: Proof,
    },
    /// Deletes from memory what was said under the name that a person owns. The journal deletes its
    /// lines by itself.
    DeleteLines {
        /// The owner of the name, who wears it.
        whose: PersonId,
        /// Since when the name is theirs.
        since: WallTime,
    },
    /// Sets the limits, as the operator configured them.
    Limit(Limits),
    /// Has something done with authority.
    Act {
        /// Where the person sits; none for the operator, who may do anything.
        here: Option<RoomId>,
        /// What is to be done.
        deed: Deed,
    },
}

impl Change {
    /// Whether it takes a place in the next batch, and so waits for the journal while that batch is
    /// full.
    pub(crate) fn needs_place(&self) -> bool {
        match self {
            Change::Enter { .. }
            | Change::ComeBack { .. }
            | Change::Join { .. }
            | Change::Speak { .. }
            | Change::Post { .. }
            | Change::Rename(_)
            | Change::SetTopic { .. } => true,
            Change::Listen { .. }
            | Change::Owned { .. }
            | Change::Released { .. }
            | Change::DeleteLines { .. }
            | Change::Limit(_)
            | Change::Act { .. } => false,
        }
    }
}

/// A question, or a message to one person: it is answered at once, whatever the journal does.
#[derive(Debug)]
pub enum Query {
    /// Under which name this person is known.
    WhoAmI,
    /// The topic of a room.
    Topic(RoomId),
    /// Who is in a room.
    Who {
        /// The room in which the person sits.
        here: RoomId,
        /// Another room, by name, if that is asked about.
        room: Option<RoomName>,
    },
    /// The names of everybody in a room, one page of them.
    People {
        /// The room.
        room: RoomId,
        /// Where the page before ended; 0 for the first.
        from: u64,
    },
    /// The rooms.
    Rooms,
    /// The rooms that this person may not read, for a search in all of them.
    Barred,
    /// Who wears a name.
    Find(Line),
    /// A message to one person alone.
    Private {
        /// The name of the other person, as typed.
        to: Line,
        /// The words.
        text: Line,
    },
    /// Everybody in the house, for the operator.
    Everybody,
    /// The bans that hold.
    Bans {
        /// Where the person sits; none for the operator.
        here: Option<RoomId>,
    },
    /// The keepers.
    Keepers {
        /// Where the person sits; none for the operator.
        here: Option<RoomId>,
    },
    /// Who and what is in the house, for the operator's numbers.
    Census,
}
