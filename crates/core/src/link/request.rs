//! The requests of a connection to the broadcaster, as values. Knows no connection.

use std::sync::Arc;

use super::watch::WatchRequest;
use crate::ledger::OwnerVisit;
use crate::model::{
    Claim, ConversationId, Deed, Extras, Hashed, Here, Limits, Line, Modes, Name, NodeName,
    PersonId, Profile, Proof, ProvenAccount, RoomId, RoomName, Spoken, Verb, WallTime,
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

/// The first room of a person who comes to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FirstRoom {
    /// The lobby, or the room of the code with which the person comes back.
    #[default]
    Usual,
    /// This room; it is made if it does not exist.
    Named(RoomName),
    /// None: the person is on the server without a seat.
    Nowhere,
}

impl FirstRoom {
    /// The room, if there is one, where `usual` is the usual one.
    pub fn or_usual(self, usual: impl FnOnce() -> RoomName) -> Option<RoomName> {
        match self {
            FirstRoom::Usual => Some(usual()),
            FirstRoom::Named(room) => Some(room),
            FirstRoom::Nowhere => None,
        }
    }
}

/// A request that changes people, lines or rules.
#[derive(Debug)]
pub enum Change {
    /// Comes to the server under this name, without a seat.
    Come {
        /// The name to take.
        name: Claim,
        /// The profile of the person.
        profile: Option<Arc<Profile>>,
    },
    /// Comes to the server, into a first room. The person gets the seat when the arrival is in the
    /// room's log.
    Enter {
        /// The name to take.
        name: Claim,
        /// The profile of the person.
        profile: Option<Arc<Profile>>,
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The number of earlier lines to show.
        replay: u64,
    },
    /// Comes back with a return code, under its name. If the lost connection is still here, it
    /// leaves. The others are told neither of the arrival nor of the departure.
    ComeBack {
        /// The hash of the code.
        code: Hashed,
        /// The time by which the life of codes is measured.
        now: WallTime,
        /// The profile of a person who has none on the lost connection.
        profile: Option<Arc<Profile>>,
        /// The room; the usual one is that of the code.
        room: FirstRoom,
    },
    /// Takes another seat, in another room.
    Join {
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The password of the room, as typed.
        password: Option<Line>,
        /// The number of earlier lines to show.
        replay: u64,
    },
    /// Reads a room without a seat in it.
    Listen {
        /// The name that the reader owns, if that is proved.
        owner: Option<Claim>,
        /// The room.
        room: RoomName,
        /// The password of the room, if the reader gives one.
        password: Option<Line>,
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
        /// The profile of the person.
        profile: Option<Arc<Profile>>,
        /// The room; it is made if it does not exist.
        room: RoomName,
        /// The password of the room, if the person gives one.
        password: Option<Line>,
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
    /// Sends tags without words to the programs of the others in a room. It is done when they are
    /// visible.
    Signal {
        /// The room.
        room: RoomId,
        /// The tags.
        extras: Arc<Extras>,
    },
    /// Takes another name.
    Rename(Claim),
    /// Is away, with this text for those who write, or is back.
    SetAway(Option<Line>),
    /// Takes another real name.
    SetRealname(Line),
    /// Logs in to an account, under any name.
    LogIn(ProvenAccount),
    /// Has the authority of this account on the server, under any name.
    Oper(ProvenAccount),
    /// Sets modes of the person, and removes some.
    SetModes {
        /// The name as typed; it must be the name of the person who asks.
        of: Line,
        /// The modes that are set.
        set: Modes,
        /// The modes that are removed.
        removed: Modes,
    },
    /// Sets a room's topic, or clears it.
    SetTopic {
        /// The room.
        room: RoomId,
        /// The topic.
        text: Option<Line>,
    },
    /// Changes who owns a name, or how the owner is recognised.
    Account(Box<AccountChange>),
    /// Notes that the owner of a name has come. It is stored later.
    Visited(Box<OwnerVisit>),
    /// Changes return codes.
    Code(CodeChange),
    /// Changes kept messages.
    Message(Box<MessageChange>),
    /// Notes that the person has read a conversation up to this time. The answer is how far it is
    /// read now.
    MarkRead {
        /// The conversation.
        conversation: ConversationId,
        /// The time.
        read: WallTime,
    },
    /// Notes how far all people with return codes have read. It is stored later.
    NoteReadings,
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
        /// Where the person is.
        here: Here,
        /// The requested act.
        deed: Deed,
    },
}

impl Change {
    /// Whether it builds on what earlier changes have made of owners, topics, codes or kept messages.
    /// If so, it waits while such a change is being stored, which is undone if that fails.
    pub(crate) fn builds_on_others(&self) -> bool {
        match self {
            Change::Come { .. }
            | Change::Enter { .. }
            | Change::ComeBack { .. }
            | Change::Join { .. }
            | Change::SpeakOnce { .. }
            | Change::Rename(_)
            | Change::LogIn(_)
            | Change::Oper(_)
            | Change::SetTopic { .. }
            | Change::Account(_)
            | Change::Code(_)
            | Change::Message(_) => true,
            Change::Act { deed, .. } => deed.verb == Verb::AddKeeper, // others hold at once
            Change::Listen { .. }
            | Change::Say { .. }
            | Change::Signal { .. }
            | Change::SetModes { .. }
            | Change::MarkRead { .. }
            | Change::SetAway(_)
            | Change::SetRealname(_)
            | Change::Visited(_)
            | Change::NoteReadings
            | Change::DeleteLines { .. }
            | Change::Limit(_) => false,
        }
    }

    /// Whether it takes a place in the next batch. If so, it waits for the journal while that batch
    /// is full.
    pub(crate) fn needs_place(&self) -> bool {
        match self {
            Change::Come { .. }
            | Change::Enter { .. }
            | Change::ComeBack { .. }
            | Change::Join { .. }
            | Change::SpeakOnce { .. }
            | Change::Say { .. }
            | Change::Signal { .. }
            | Change::Rename(_)
            | Change::LogIn(_)
            | Change::SetAway(_)
            | Change::SetRealname(_)
            | Change::Oper(_)
            | Change::SetModes { .. }
            | Change::SetTopic { .. }
            | Change::MarkRead { .. }
            | Change::Code(_)
            | Change::Message(_) => true,
            Change::Listen { .. }
            | Change::Account(_) // a proof ends at once, like authority
            | Change::Visited(_)
            | Change::NoteReadings
            | Change::DeleteLines { .. }
            | Change::Limit(_)
            | Change::Act { .. } => false,
        }
    }
}

/// A change of the owner of a name, or of how the owner is recognised. Secrets are hashed already.
/// The outcome comes when the change is stored.
#[derive(Debug)]
pub enum AccountChange {
    /// Gives a name an owner.
    Register {
        /// The name.
        name: Name,
        /// Since when the owner has used it.
        since: WallTime,
        /// The hash of the password.
        password: Arc<str>,
        /// The connection of the owner, which stays. Everybody else who has the name leaves.
        by: PersonId,
        /// The first visit of the owner.
        visit: OwnerVisit,
    },
    /// Changes the password of a name. Everybody who has the name leaves.
    ChangePassword {
        /// The name.
        name: Name,
        /// The proof of the old password; none for the operator.
        proof: Option<Proof>,
        /// The hash of the new password.
        password: Arc<str>,
        /// Whether the token for scripts stays valid.
        keeps_token: bool,
        /// The connection of the owner, which stays; none for the operator.
        by: Option<PersonId>,
        /// The visit of the owner.
        visit: Option<OwnerVisit>,
    },
    /// Replaces the hash of a password by another hash of the same password.
    Rehash {
        /// The name.
        name: Name,
        /// The proof of the password.
        proof: Proof,
        /// The new hash.
        password: Arc<str>,
    },
    /// Makes or revokes the token for scripts.
    SetToken {
        /// The name.
        name: Name,
        /// The proof of its password.
        proof: Proof,
        /// The hash of the token; none without a token.
        token: Option<Hashed>,
    },
    /// Takes a name from its owner, for the operator.
    Release(Name),
}

/// A change of return codes. The outcome comes when the change is stored.
#[derive(Debug)]
pub enum CodeChange {
    /// Makes a code for this person.
    Make {
        /// The hash of the code.
        code: Hashed,
        /// The room to which it leads; the lobby for a person without a seat.
        room: Option<RoomId>,
    },
    /// Moves the code of this person to another room, or gives it the present name.
    Move {
        /// The hash of the code.
        code: Hashed,
        /// The room; the lobby for a person without a seat.
        room: Option<RoomId>,
    },
    /// Notes that the connection with a code has ended.
    End {
        /// The hash of the code.
        code: Hashed,
        /// The person of that connection.
        whose: PersonId,
        /// The number of the last line that was written to it, if it is known.
        seq: Option<u64>,
        /// How long the code is valid.
        until: WallTime,
    },
    /// Deletes the codes that were valid until this time.
    Expire(WallTime),
}

/// A change of the messages for absent owners. The outcome comes when the change is stored.
#[derive(Debug)]
pub enum MessageChange {
    /// Keeps a message.
    Keep {
        /// The author.
        from: PersonId,
        /// The name of the owner.
        to: Name,
        /// The hash of the author, whatever name they have now.
        writer: Hashed,
        /// The words, and how they are meant.
        spoken: Spoken,
        /// The hash of the author's network, if it has a share.
        network: Option<Hashed>,
        /// How many messages for this owner came from that network.
        from_there: usize,
    },
    /// Deletes the messages for this person up to this number: they are read.
    Delivered {
        /// The number of the last message.
        last: u64,
    },
}

/// A question, or a message to one person. The answer comes at once, even if the journal is slow.
#[derive(Debug)]
pub enum Query {
    /// The name of this person.
    WhoAmI,
    /// The topic of a room.
    Topic(RoomName),
    /// The rules of a room.
    Rules(RoomName),
    /// The modes of the person who asks, under this name as typed.
    Modes(Line),
    /// The people in a room of the person.
    Who(RoomId),
    /// The people in any room.
    WhoIn(RoomName),
    /// Everybody in a room, one page at a time.
    People {
        /// The room.
        room: RoomName,
        /// Where the previous page ended; 0 for the first page.
        from: u64,
    },
    /// The person with this name, as typed.
    Whois(Line),
    /// The people who had this name, as typed, and have left or given it up.
    Whowas(Line),
    /// The people with these names, as typed.
    Present(Vec<Line>),
    /// The people on the server whom a mask may find, one page at a time.
    Findable {
        /// Where the previous page ended; 0 for the first page.
        from: u64,
    },
    /// The nodes of the server.
    Nodes,
    /// The rooms to which the person is invited.
    Invitations,
    /// The largest rooms.
    Rooms,
    /// All rooms, one page at a time.
    AllRooms {
        /// The last room of the page before; none for the first page.
        after: Option<RoomName>,
    },
    /// Counts of people and rooms, for everybody.
    Totals,
    /// The rooms that this person may not read, for a search in all rooms.
    Barred,
    /// The person to ignore, whose name is as typed.
    Ignore(Line),
    /// A message to one person alone.
    Private {
        /// The name of the other person, as typed.
        to: Line,
        /// The lines, which reach the other person together or not at all.
        lines: Vec<Spoken>,
        /// Whether one program sends it to another. A line without words has only tags then.
        is_for_programs: bool,
        /// Whether the name may be the author's own.
        may_be_own: bool,
    },
    /// The names that the client watches.
    Watch(WatchRequest),
    /// An invitation of somebody to a room in which the person sits.
    Invite {
        /// The name of the other person, as typed.
        to: Line,
        /// The room.
        room: RoomName,
    },
    /// How far the person has read a conversation.
    Marker(ConversationId),
    /// The account of a name.
    Account(Name),
    /// The place of a return code.
    Code {
        /// The hash of the code.
        code: Hashed,
        /// The time by which the life of codes is measured.
        now: WallTime,
    },
    /// Everybody on the server, or on one node, for the operator, one page at a time.
    Everybody {
        /// The node; none for everybody on a server without other nodes.
        node: Option<NodeName>,
        /// The first connection that may be on the page.
        from: PersonId,
        /// Whether the node did not answer before, so it is not asked.
        is_silent: bool,
    },
    /// The present bans.
    Bans {
        /// Where the person is.
        here: Here,
        /// The number of newest bans that were shown already.
        skip: usize,
    },
    /// The keepers.
    Keepers {
        /// Where the person is.
        here: Here,
    },
    /// Counts of people, rooms and lines, for the operator's statistics.
    Census,
}
