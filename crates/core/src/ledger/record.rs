//! The contents of a journal beside lines, as values. Knows no file.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::ReturnCode;
use super::kept::Kept;
use super::markers::Markers;
use super::rules::Rights;
use crate::model::{Act, Hashed, Line, Name, PersonId, Rank, RoomName, Spoken, WallTime};

/// A change of something that a journal stores beside lines. It is stored whole: a record does not
/// rest on an earlier one.
#[derive(Clone, Debug)]
pub enum Record {
    /// An act: the rule that holds from then on, and a row for the operator to read.
    Act(Arc<Act>),
    /// The account of a name, new or changed.
    Account(Arc<Account>),
    /// The account of a name whose password has changed: what depends on the old one ends.
    NewPassword(Arc<Account>),
    /// A name has no owner from now on; everything that belongs to the owner is deleted.
    Released(Name),
    /// A return code, new or changed.
    Code(Hashed, Arc<ReturnCode>),
    /// People with return codes have read up to these lines.
    Readings(Arc<[(Hashed, u64)]>),
    /// These return codes are deleted.
    CodesGone(Arc<[Hashed]>),
    /// Return codes that were valid until this time are deleted.
    CodesExpired(WallTime),
    /// A message for an absent owner.
    Kept(Arc<KeptMessage>),
    /// A message came from this network. Only the process of the author knows that.
    KeptFrom {
        /// The number of the message.
        number: u64,
        /// The hash of the network.
        network: Hashed,
    },
    /// The owner of a name has read the messages up to this number: they are deleted.
    Delivered {
        /// The name.
        owner: Name,
        /// The number of the last message.
        last: u64,
    },
    /// The owner of a name has read a conversation up to a time.
    Marker {
        /// The name.
        owner: Name,
        /// The key of the conversation.
        key: Box<str>,
        /// The time; none if the marker is given up.
        at: Option<WallTime>,
    },
    /// The markers of the owner of a name are deleted.
    MarkersGone(Name),
    /// All lines of the owner of a name since a time are deleted, up to the last number of each
    /// room. The node where the owner asked for it does it at once, and has no record.
    LinesDeleted {
        /// The name.
        owner: Name,
        /// The time.
        since: WallTime,
        /// The rooms, and the last number in each.
        ends: Arc<[(RoomName, u64)]>,
    },
    /// The owner of a name has come from some network.
    OwnerVisit(Box<OwnerVisit>),
}

/// The state before a change, to which the ledger returns if the change cannot be stored.
#[derive(Clone, Debug)]
pub enum Before {
    /// A topic: the act changed it.
    Topic {
        /// The act.
        act: Arc<Act>,
        /// The topic before.
        text: Option<Line>,
    },
    /// The maker of a room was not its keeper.
    Maker(Arc<Act>),
    /// The owner of a name.
    Account {
        /// The name.
        name: Name,
        /// The account, and those of its keys that were given up with it; none if the name had no
        /// owner.
        account: Option<(Arc<Account>, Vec<Box<str>>)>,
        /// The people whose proof was valid.
        lost: Vec<PersonId>,
    },
    /// The rights of an owner.
    Rights(Rights),
    /// There was no return code with this hash.
    NoCode(Hashed),
    /// Return codes of an owner.
    Codes(Vec<(Hashed, Arc<ReturnCode>)>),
    /// There was no message with this number for an owner.
    NotKept {
        /// The name.
        owner: Name,
        /// The number.
        number: u64,
    },
    /// An owner had markers.
    Markers {
        /// The name.
        owner: Name,
        /// The markers.
        markers: Markers,
    },
    /// Messages waited for an owner.
    Kept {
        /// The name.
        owner: Name,
        /// The messages.
        kept: Vec<Kept>,
    },
}

impl Record {
    /// The size of its text, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Record::Kept(message) => message.spoken.text.len(),
            _ => 0,
        }
    }
}

/// A message for an absent owner.
#[derive(Clone, Debug)]
pub struct KeptMessage {
    /// The number of the message, in the order of writing.
    pub number: u64,
    /// The time of writing.
    pub at: WallTime,
    /// The name whose owner it is for.
    pub owner: Name,
    /// The name of the author.
    pub from: Name,
    /// The words, and how they are meant.
    pub spoken: Spoken,
    /// The hash of the author.
    pub writer: Hashed,
    /// The rank of the author.
    pub rank: Rank,
}

/// A visit of the owner of a name. Only the process of the connection knows of it.
#[derive(Clone, Debug)]
pub struct OwnerVisit {
    /// The name.
    pub owner: Name,
    /// The time.
    pub at: WallTime,
    /// The hash of the name with the network.
    pub network: Hashed,
    /// The hash of the network from which the name was registered, if this is the first visit and
    /// the network has a share.
    pub origin: Option<Hashed>,
}
