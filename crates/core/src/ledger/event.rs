//! The results of intents, in the order in which they happened. Knows no connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::people::Person;
use super::record::{Before, Record};
use crate::model::{
    Act, ConversationId, Extras, Hashed, Line, Name, NodeName, PersonChange, PersonId,
    ProvenAccount, RankChange, Renaming, RoomName, RoomRules, Spoken, WallTime, Who,
};
use crate::refusal::Refusal;

/// Something that happened because an intent was applied.
#[derive(Debug)]
pub enum Happened {
    /// A person said these lines together.
    Said {
        /// The room.
        room: RoomName,
        /// The person.
        who: Who,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// The program of a person sent tags without words.
    Signal {
        /// The room.
        room: RoomName,
        /// The person.
        who: Who,
        /// The tags.
        extras: Arc<Extras>,
    },
    /// A person has come to the server.
    Came(Who),
    /// The profile of a person has changed.
    ProfileChanged(Who),
    /// A person sat down in a room.
    Arrived {
        /// The number of this event.
        event: u64,
        /// The room.
        room: RoomName,
        /// The person.
        who: Who,
        /// Whether the person has authority in the room.
        is_keeper: bool,
        /// Whether nobody is told: another connection of the owner has the name in the room, or had
        /// it a moment ago.
        is_untold: bool,
    },
    /// A person left one room.
    Left {
        /// The number of this event.
        event: u64,
        /// The person.
        who: Who,
        /// The room.
        parting: Parting,
        /// The act that removed the person.
        removal: Option<Arc<Act>>,
    },
    /// A person left the server, and all rooms with it.
    LeftServer {
        /// The number of this event.
        event: u64,
        /// The person.
        who: Who,
        /// The rooms in which the person sat.
        rooms: Vec<Parting>,
        /// The act that removed the person.
        removal: Option<Arc<Act>>,
        /// Another connection of the owner, which stays on the server.
        companion: Option<PersonId>,
    },
    /// A person continues on another connection, which sits down in these rooms in a moment.
    Moved {
        /// The person, on the connection that ends.
        who: Who,
        /// The person, on the new connection.
        heir: PersonId,
        /// The rooms, also those of an earlier connection in which that one did not sit down.
        rooms: Vec<RoomName>,
    },
    /// A person has another name.
    Renamed {
        /// The number of this event.
        event: u64,
        /// The person, under the new name.
        who: Who,
        /// The old name.
        from: Name,
        /// The rooms in which the person sits, and how each of them sees it.
        rooms: Vec<(RoomName, Renaming)>,
    },
    /// Something else about a person has changed.
    PersonChanged {
        /// The number of this event.
        event: u64,
        /// The person, after the change.
        who: Who,
        /// The change.
        change: PersonChange,
        /// The rooms in which the person sits.
        rooms: Vec<RoomName>,
    },
    /// A person has another rank in a room from now on, without an act there.
    Ranked {
        /// The room.
        room: RoomName,
        /// The person.
        who: Who,
        /// The change.
        change: RankChange,
    },
    /// A person has authority on the server from now on, or has it no longer, and did not ask for
    /// that.
    ServerRanked {
        /// The person.
        id: PersonId,
        /// Whether the person has authority.
        is_keeper: bool,
    },
    /// A person changed the topic of a room: the act says how.
    Topic {
        /// The person.
        who: Who,
        /// The act, with the room and the new topic.
        act: Arc<Act>,
        /// The old topic.
        before: Option<Line>,
    },
    /// A person made a room, and is its keeper from now on.
    RoomMade(Arc<Act>),
    /// Something changed that is stored, and that nobody reads about in a room.
    Changed(Box<Changed>),
    /// The owner of a name deletes the lines under it that were said since this time.
    LinesDeleted {
        /// The owner.
        who: Who,
        /// The time.
        since: WallTime,
    },
    /// The owner of a name has read a conversation up to this time.
    Marked {
        /// The name.
        owner: Name,
        /// The connection on which the owner read it.
        by: PersonId,
        /// The conversation.
        conversation: ConversationId,
        /// The time.
        at: WallTime,
    },
    /// The name changed hands: these people lose it, and nobody reads as its owner.
    NameLost {
        /// The name.
        name: Name,
        /// The people.
        people: Vec<PersonId>,
        /// The act that removes them.
        act: Arc<Act>,
    },
    /// An act holds.
    Act(Announcement),
    /// A rule of a room that held for the time being has ended, because no keeper is there.
    RuleEnded(Arc<Act>),
    /// A node has begun a boot.
    BootBegan {
        /// The boot.
        boot: u32,
        /// The node.
        node: NodeName,
        /// The random number of its process.
        nonce: u64,
    },
    /// A node could not begin a boot: there are too many nodes, or its program is too old.
    BootRefused {
        /// The node.
        node: NodeName,
        /// The random number of its process.
        nonce: u64,
    },
    /// A boot has ended. Its people leave now.
    BootEnded {
        /// The boot.
        boot: u32,
        /// The people, as they were before.
        people: BTreeMap<PersonId, Exile>,
    },
    /// A person has entered again in another boot, and has arrived in rooms.
    Returned {
        /// The person.
        who: Who,
        /// The name before.
        from: Name,
        /// The rooms that the person may not enter now, and why.
        refused: Vec<(RoomName, Refusal)>,
    },
}

/// A departure from one room.
#[derive(Debug)]
pub struct Parting {
    /// The room.
    pub room: RoomName,
    /// The last words there.
    pub words: Option<Line>,
    /// Whether nobody is told: another connection of the owner still has the name in the room.
    pub is_untold: bool,
}

/// A person whose boot has ended.
#[derive(Clone, Debug)]
pub struct Exile {
    /// The person, before.
    pub person: Person,
    /// The return codes of the connection.
    pub codes: Vec<Hashed>,
    /// The account of the keeper of the server whose authority the connection had.
    pub lent: Option<ProvenAccount>,
}

/// A change of something that is stored beside lines. It is large and rare, so it is in a box.
#[derive(Debug)]
pub struct Changed {
    /// The record that is stored.
    pub(crate) record: Record,
    /// The state before, if the ledger has it.
    pub(crate) before: Option<Before>,
}

impl Happened {
    /// Something that is stored beside lines has changed.
    pub(super) fn changed(record: Record, before: Option<Before>) -> Happened {
        Happened::Changed(Box::new(Changed { record, before }))
    }
}

/// An act that holds, and the people who read about it.
#[derive(Debug)]
pub struct Announcement {
    /// The act.
    pub act: Arc<Act>,
    /// The people who read about it without seeing it in a room.
    pub people: Vec<PersonId>,
    /// Everybody in this room reads about it.
    pub room: Option<RoomName>,
    /// The room that it is about, if the person who asked sits there.
    pub here: Option<RoomName>,
    /// Whether the person who asked sees people leave because of it.
    pub is_seen: bool,
    /// The rules of the room before it, if it is about rules.
    pub rules_before: Option<RoomRules>,
}
