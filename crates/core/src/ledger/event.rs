//! The results of intents, in the order in which they happened. Knows no connection.

use std::sync::Arc;

use crate::model::{Act, Line, Name, PersonId, RoomName, Spoken, WallTime, Who};

/// Something that happened because an intent was applied.
#[derive(Debug)]
pub(crate) enum Happened {
    /// A person said these lines together.
    Said { room: RoomName, who: Who, lines: Vec<Spoken> },
    /// A person sat down in a room.
    Arrived {
        room: RoomName,
        who: Who,
        /// Whether another connection of the owner has the name in the room.
        is_untold: bool,
    },
    /// A person left a room.
    Left {
        room: RoomName,
        who: Who,
        words: Option<Line>,
        removal: Option<Arc<Act>>,
        /// Whether another connection of the owner still has the name in the room.
        is_untold: bool,
    },
    /// A person continues on another connection, which sits down in these rooms in a moment.
    Moved { who: Who, heir: PersonId, rooms: Vec<RoomName> },
    /// A person has another name.
    Renamed {
        room: RoomName,
        who: Who,
        from: Name,
        /// Whether another connection of the owner still has the old name in the room.
        is_still_worn: bool,
    },
    /// A person changed the topic of a room.
    Topic { room: RoomName, who: Who, text: Option<Line>, before: Option<Line> },
    /// The owner of a name deletes the lines under it that were said since this time.
    LinesDeleted { who: Who, since: WallTime },
    /// A person has proved to own the name.
    Proved(Who),
    /// The name changed hands: these people lose it, and nobody reads as its owner.
    NameLost { name: Name, people: Vec<PersonId>, act: Arc<Act> },
    /// An act holds.
    Act(Announcement),
}

/// An act that holds, and the people who read about it.
#[derive(Debug)]
pub(crate) struct Announcement {
    pub(crate) act: Arc<Act>,
    /// The people whom it concerns.
    pub(crate) people: Vec<PersonId>,
    /// Everybody in this room reads about it.
    pub(crate) room: Option<RoomName>,
    /// The room in which the person who asked reads about it; none for the operator.
    pub(crate) here: Option<RoomName>,
}
