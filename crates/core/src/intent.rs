//! Intents: the wishes of people, as values without a connection and without a clock.
//!
//! A sequencer puts them in order, and the ledger applies them in that order. Everything that
//! depends on a clock, a table of Unicode, an address or the configuration is checked or computed
//! before, and travels in the intent.

use std::sync::Arc;

use crate::model::{
    Act, Claim, Deed, Hashed, Line, Looks, Name, NodeName, OwnedName, PersonId, Proof, RoomName,
    Spoken, WallTime,
};

/// A change that a person wants.
#[derive(Clone, Debug)]
pub enum Intent {
    /// A person in a room says these lines, together.
    Say {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// A person comes to the server, into a first room.
    Enter {
        /// The person.
        person: PersonId,
        /// The name that the person wants.
        name: Claim,
        /// How that name looks.
        looks: Looks,
        /// The room.
        room: RoomName,
    },
    /// A person comes back on another connection, with a return code.
    ComeBack {
        /// The person, on the new connection.
        person: PersonId,
        /// The hash of the code.
        code: Hashed,
        /// The time by which the life of codes is measured.
        now: WallTime,
        /// The room; none for that of the code.
        room: Option<RoomName>,
    },
    /// A person makes a return code.
    MakeCode {
        /// The person.
        person: PersonId,
        /// The hash of the code.
        code: Hashed,
        /// The room to which it leads.
        room: RoomName,
        /// The number of the last line that the person has read there.
        seq: u64,
    },
    /// A person with a return code has another room or another name.
    MoveCode {
        /// The person.
        person: PersonId,
        /// The hash of the code.
        code: Hashed,
        /// The room.
        room: RoomName,
        /// The number of the last line that the person has read there.
        seq: u64,
    },
    /// The connection of a person with a return code has ended.
    EndCode {
        /// The person.
        person: PersonId,
        /// The hash of the code.
        code: Hashed,
        /// The number of the last line that was written to the connection, if it is known.
        seq: Option<u64>,
        /// How long the code is valid from now on.
        until: WallTime,
    },
    /// People with return codes have read up to these lines.
    Readings(Vec<(Hashed, u64)>),
    /// Return codes that were valid until this time are deleted.
    ExpireCodes(WallTime),
    /// A person takes another seat, in another room.
    Join {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
    },
    /// A person leaves a room, and with the last room the server.
    Leave {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
        /// The last words.
        words: Option<Line>,
        /// The act that removed the person.
        removal: Option<Arc<Act>>,
        /// Whether the connection holds no other seat.
        is_last: bool,
    },
    /// A person who came back on another connection did not sit down again in time.
    GiveUp {
        /// The person, on the new connection.
        heir: PersonId,
        /// The room.
        room: RoomName,
    },
    /// A person without a seat says these lines, together, under a name that is taken only for
    /// them.
    SpeakOnce {
        /// The person.
        person: PersonId,
        /// The name.
        name: Claim,
        /// How that name looks.
        looks: Looks,
        /// The room.
        room: RoomName,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// A person takes another name.
    Rename {
        /// The person.
        person: PersonId,
        /// The name that the person wants.
        name: Claim,
        /// How that name looks.
        looks: Looks,
    },
    /// A person sets the topic of a room, or clears it.
    SetTopic {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
        /// The topic.
        text: Option<Line>,
    },
    /// The owner of a name deletes the lines under it.
    DeleteLines {
        /// The owner, who has the name now.
        person: PersonId,
        /// When the owner registered the name.
        since: WallTime,
    },
    /// A name gets an owner, who has used it since this time.
    Register {
        /// The name.
        name: OwnedName,
        /// Since when.
        since: WallTime,
        /// The hash of the password.
        password: Arc<str>,
        /// The person who asks, who stays.
        by: PersonId,
    },
    /// The owner of a name, or the operator, changes its password.
    ChangePassword {
        /// The name.
        name: Name,
        /// The proof of the old password; none for the operator.
        proof: Option<Proof>,
        /// The hash of the new password.
        password: Arc<str>,
        /// Whether the token for scripts stays valid.
        keeps_token: bool,
        /// The person who asks, who stays; none for the operator.
        by: Option<PersonId>,
    },
    /// The same password of a name has another hash.
    Rehash {
        /// The name.
        name: Name,
        /// The proof of the password.
        proof: Proof,
        /// The new hash of the password.
        password: Arc<str>,
    },
    /// The owner of a name makes a token for scripts, or revokes it.
    SetToken {
        /// The name.
        name: Name,
        /// The proof of its password.
        proof: Proof,
        /// The hash of the token; none without a token.
        token: Option<Hashed>,
    },
    /// The operator takes a name from its owner.
    Release(Name),
    /// A person or the operator does something with authority.
    Act {
        /// The person who asks.
        asker: PersonId,
        /// The room of that person's seat; none for the operator, who may do anything.
        here: Option<RoomName>,
        /// The requested act.
        deed: Deed,
    },
    /// Removes people because of an act that holds already: a ban of addresses, which only the
    /// server of their connections knows.
    Remove {
        /// The people.
        people: Vec<PersonId>,
        /// The act.
        act: Arc<Act>,
    },
    /// A room leaves memory. If lines are not stored, the room ends.
    EndRoom {
        /// The room.
        room: RoomName,
        /// The number of its last line. The intent counts only if that is still the last one.
        last: u64,
    },
    /// A node begins a boot. Only this intent comes from a proposal without a boot.
    Up {
        /// The node.
        node: NodeName,
        /// The random number of its process, which no other process has.
        nonce: u64,
        /// The newest format of proposals that it reads.
        version: u64,
        /// The boot of this node before. The intent counts only if that is still the last one.
        after: Option<u32>,
    },
    /// A node has nothing else to propose, and is alive.
    Alive,
    /// A node was not heard for a while: its boot ends.
    Down {
        /// The boot.
        boot: u32,
        /// The number of its last proposal. The intent counts only if that is still the last one.
        last: u64,
    },
    /// A node stops: its boot ends.
    Leaving,
    /// A person whose node had to begin another boot enters again.
    Return {
        /// The person.
        person: PersonId,
        /// The name that the person had.
        name: Claim,
        /// How that name looks.
        looks: Looks,
        /// The name if that one is taken now, and how it looks: the person's address.
        otherwise: (Name, Looks),
        /// The rooms in which the person had a seat.
        rooms: Vec<RoomName>,
    },
}

/// The identity of a proposal, which all nodes know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProposalId {
    /// The run of a node. A server without other nodes is boot 0.
    pub boot: u32,
    /// The number of the proposal in that run.
    pub number: u64,
}

/// Intents that are put in order together.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// Its identity.
    pub id: ProposalId,
    /// The position in the order up to which its node had applied all proposals.
    pub after: u64,
    /// The last digest of the ledger that its node has computed.
    pub check: Check,
    /// The intents, in order.
    pub intents: Vec<Intent>,
}

/// A digest of the ledger after the proposal at a position, by which nodes notice that their ledgers
/// differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The position.
    pub position: u64,
    /// The digest.
    pub digest: u64,
}

/// Where an intent that is applied comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The boot of the proposal.
    pub boot: u32,
    /// The time of its place in the order.
    pub at: WallTime,
}
