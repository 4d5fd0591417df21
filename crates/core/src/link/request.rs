//! The requests of a connection to the broadcaster, as values. Knows no connection.

use crate::model::{
    Claim, Deed, Limits, Line, Name, PersonId, Proof, RoomId, RoomName, Spoken, WallTime,
};

/// A request of a connection to the broadcaster.
#[derive(Debug)]
pub enum Request {
    /// Changes people, lines or rules.
    Change(Change),
    /// Asks a question, or writes to one person; nothing else changes.
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

/// A request that changes people, lines or rules.
#[derive(Debug)]
pub enum Change {
    /// Enters a first room under this name. The person gets the seat when the arrival is in the
    /// room's log.
    Enter {
        /// The name to take.
        name: Claim,
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The number of earlier lines to show.
        replay: u64,
    },
    /// Enters the room of a lost connection again, under its name. If that connection is still
    /// here, it leaves. The others are told neither of the arrival nor of the departure.
    ComeBack {
        /// The name.
        name: Claim,
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The person on the lost connection, if it is still here.
        lost: Option<PersonId>,
    },
    /// Takes another seat, in another room.
    Join {
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The number of earlier lines to show.
        replay: u64,
    },
    /// Reads a room without a seat in it.
    Listen {
        /// The name that the reader owns, if that is proved.
        owner: Option<Claim>,
        /// The room.
        room: RoomName,
        /// Whether to wait for a room that does not exist; otherwise the request is refused.
        waits: bool,
        /// The number of earlier lines to show.
        replay: u64,
    },
    /// Says these lines together, under a name that is taken only for them. Only connections
    /// without a seat send this.
    SpeakOnce {
        /// The name.
        name: Claim,
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// Says these lines in a room, together. It is done when they are stored and visible.
    Say {
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
    /// The stored registration of a name: it has an owner now, or its owner has a new password.
    Own {
        /// The name.
        name: Name,
        /// The valid proof from now on. A person who has the name by an earlier proof leaves.
        proof: Proof,
        /// The connection that requested it, which stays.
        by: Option<PersonId>,
    },
    /// The stored release of a name: it has no owner now.
    Release {
        /// The name.
        name: Name,
        /// The number of the next proof: earlier proofs are no longer valid.
        proof: Proof,
    },
    /// Deletes from memory the lines that were said under the name that a person owns. The journal
    /// deletes its lines by itself.
    DeleteLines {
        /// The owner of the name, who has it now.
        whose: PersonId,
        /// When the owner registered the name.
        since: WallTime,
    },
    /// Sets the limits, as the operator configured them.
    Limit(Limits),
    /// Does something with authority.
    Act {
        /// The room of the person's seat; none for the operator, who may do anything.
        here: Option<RoomId>,
        /// The requested act.
        deed: Deed,
    },
}

impl Change {
    /// Whether it takes a place in the next batch. If so, it waits for the journal while that batch
    /// is full.
    pub(crate) fn needs_place(&self) -> bool {
        match self {
            Change::Enter { .. }
            | Change::ComeBack { .. }
            | Change::Join { .. }
            | Change::SpeakOnce { .. }
            | Change::Say { .. }
            | Change::Rename(_)
            | Change::SetTopic { .. } => true,
            Change::Listen { .. }
            | Change::Own { .. }
            | Change::Release { .. }
            | Change::DeleteLines { .. }
            | Change::Limit(_)
            | Change::Act { .. } => false,
        }
    }
}

/// A question, or a message to one person. The answer comes at once, even if the journal is slow.
#[derive(Debug)]
pub enum Query {
    /// The name of this person.
    WhoAmI,
    /// The topic of a room.
    Topic(RoomId),
    /// The people in a room.
    Who {
        /// The room of the person's seat.
        here: RoomId,
        /// Another room, by name, if the question is about another.
        room: Option<RoomName>,
    },
    /// The names of everybody in a room, one page at a time.
    People {
        /// The room.
        room: RoomId,
        /// Where the previous page ended; 0 for the first page.
        from: u64,
    },
    /// The rooms.
    Rooms,
    /// The rooms that this person may not read, for a search in all rooms.
    Barred,
    /// The person to ignore, whose name is as typed.
    Ignore(Line),
    /// A message to one person alone.
    Private {
        /// The name of the other person, as typed.
        to: Line,
        /// The words.
        text: Line,
    },
    /// Everybody on the server, for the operator.
    Everybody,
    /// The present bans.
    Bans {
        /// The room of the person's seat; none for the operator.
        here: Option<RoomId>,
    },
    /// The keepers.
    Keepers {
        /// The room of the person's seat; none for the operator.
        here: Option<RoomId>,
    },
    /// Counts of people, rooms and lines, for the operator's statistics.
    Census,
}
