//! The past of a house: what a server without other nodes has stored. When it becomes the first of
//! several nodes, it puts that in order before anything else. Knows no file.

use std::sync::Arc;

use crate::model::{
    Act, Claim, Erasable, Hashed, Line, Looks, Name, OwnedName, Rank, Reach, RoomName, RoomRules,
    Spoken, Topic, WallTime,
};

/// A part of the past of a house.
#[derive(Clone, Debug)]
pub enum Import {
    /// A name that has an owner.
    Account {
        /// The name.
        name: OwnedName,
        /// Since when the owner has used it.
        since: WallTime,
        /// The hash of the password.
        password: Erasable<Arc<str>>,
    },
    /// The token of an owner.
    Token {
        /// The name.
        name: Name,
        /// The hash of the token.
        token: Erasable<Hashed>,
    },
    /// The owner of a name is a keeper.
    Keeper {
        /// Of what.
        reach: Reach,
        /// The name.
        name: Name,
    },
    /// The owner of a name has made a room, which has keepers.
    Maker {
        /// The room.
        room: RoomName,
        /// The name.
        name: Name,
    },
    /// A ban.
    Ban(Act),
    /// A mute.
    Mute(Act),
    /// The topic of a room.
    Topic {
        /// The room.
        room: RoomName,
        /// The topic.
        topic: Topic,
    },
    /// The rules of a room that outlast the people there.
    Rules {
        /// The room.
        room: RoomName,
        /// The rules.
        rules: RoomRules,
    },
    /// A return code, whose connection has ended.
    Code {
        /// Its hash.
        code: Hashed,
        /// The person's name, and the account to which the person was logged in.
        claim: Claim,
        /// How that name looks.
        looks: Looks,
        /// The room to which it leads.
        room: RoomName,
        /// The number of the last line there that the person has read.
        seq: u64,
        /// How long it is valid.
        until: WallTime,
    },
    /// The owner of a name has read a conversation up to a time.
    Marker {
        /// The name.
        owner: Name,
        /// The key of the conversation.
        key: Box<str>,
        /// The time.
        at: WallTime,
    },
    /// A message for an absent owner.
    Message(ImportedMessage),
    /// The highest number of such a message; there may be one that is not imported.
    LastMessage(u64),
    /// An act that the operator can read about. It says nothing of what holds now.
    Act(PastAct),
    /// An earlier run of the server, whose log has numbered lines.
    Log(PastLog),
    /// Lines.
    Lines(ImportedLines),
    /// That was all.
    Complete,
}

/// A message for an absent owner.
#[derive(Clone, Debug)]
pub struct ImportedMessage {
    /// Its number, in the order of writing.
    pub number: u64,
    /// The time of writing.
    pub at: WallTime,
    /// The name whose owner it is for.
    pub owner: Name,
    /// The name of the author.
    pub from: Name,
    /// The hash of the author, if it is known.
    pub writer: Option<Hashed>,
    /// The rank of the author.
    pub rank: Rank,
    /// The words, and how they are meant.
    pub spoken: Erasable<Spoken>,
}

/// An act that the operator can read about, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAct {
    /// Its number: acts are counted in their order.
    pub number: u64,
    /// When it was done.
    pub at: WallTime,
    /// The name of its author; empty for the operator.
    pub by: Line,
    /// The account of its author; empty for the operator, and for a person without one.
    pub account: Line,
    /// Its room; empty for the whole server.
    pub room: Line,
    /// The deed.
    pub deed: Line,
    /// To whom, and for how long.
    pub whom: Line,
    /// Why.
    pub reason: Line,
}

/// A log of an earlier run of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLog {
    /// Its number: logs are counted in their order.
    pub number: u64,
    /// Its name.
    pub name: Box<str>,
    /// The rooms in which it has numbered lines, and the number of its last line in each. There may be
    /// more of them in another part.
    pub ends: Vec<(RoomName, u64)>,
}

/// Lines of one room that follow each other and were said under the same name.
#[derive(Clone, Debug)]
pub struct ImportedLines {
    /// The room.
    pub room: RoomName,
    /// The number of the first one. Earlier numbers that have no line are those of deleted lines.
    pub first: u64,
    /// The name; empty if the lines are deleted.
    pub name: Line,
    /// The owner of the name, if that person can delete them.
    pub owner: Option<Name>,
    /// When each was said.
    pub times: Vec<WallTime>,
    /// The lines.
    pub lines: Erasable<Vec<Spoken>>,
}
