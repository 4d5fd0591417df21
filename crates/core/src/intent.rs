//! Intents: the wishes of people, as values without a connection and without a clock.
//!
//! A sequencer puts them in order, and the ledger applies them in that order. Everything that
//! depends on a clock, a table of Unicode, an address or the configuration is checked or computed
//! before, and travels in the intent.

use std::sync::Arc;

use crate::model::{
    Act, Claim, Deed, Extras, Hashed, Line, Looks, Name, NodeName, OwnedName, PersonId, Profile,
    Proof, RoomName, Spoken, WallTime,
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
    /// A person comes to the server, and sits in no room.
    Come {
        /// The person.
        person: PersonId,
        /// The name that the person wants.
        name: Claim,
        /// How that name looks.
        looks: Looks,
        /// The profile from the person's client.
        profile: Option<Arc<Profile>>,
    },
    /// A person comes to the server, into a first room.
    Enter {
        /// The person.
        person: PersonId,
        /// The name that the person wants.
        name: Claim,
        /// How that name looks.
        looks: Looks,
        /// The profile from the person's client.
        profile: Option<Arc<Profile>>,
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
    /// A person writes to the absent owner of a name; the message is kept.
    KeepMessage {
        /// The author.
        from: PersonId,
        /// The name.
        to: Name,
        /// The hash of the author, whatever name they have now.
        writer: Hashed,
        /// The message.
        text: Line,
    },
    /// The owner of a name has read the kept messages.
    Delivered {
        /// The owner.
        person: PersonId,
        /// The number of the last message.
        last: u64,
    },
    /// A person takes another seat, in another room.
    Join {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
    },
    /// A person leaves a room, and stays on the server.
    Leave {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
        /// The last words.
        words: Option<Line>,
    },
    /// A person leaves all rooms and the server.
    LeaveServer {
        /// The person.
        person: PersonId,
        /// The last words.
        words: Option<Line>,
        /// The act that removed the person.
        removal: Option<Arc<Act>>,
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
    Return(Box<Reentry>),
}

/// A person whose node had to begin another boot, and who enters again.
#[derive(Clone, Debug)]
pub struct Reentry {
    /// The person.
    pub person: PersonId,
    /// The name that the person had.
    pub name: Claim,
    /// How that name looks.
    pub looks: Looks,
    /// The name if that one is taken now, and how it looks: the person's address.
    pub otherwise: (Name, Looks),
    /// The profile from the person's client.
    pub profile: Option<Arc<Profile>>,
    /// The rooms in which the person had a seat.
    pub rooms: Vec<RoomName>,
    /// The return codes of the connection.
    pub codes: Vec<Hashed>,
}

/// The size of an intent without its texts, in bytes; an estimate that is never too small.
const EMPTY_BYTES: usize = 96;

impl Intent {
    /// Whether it tells of something that has happened on a node, so that it is not refused.
    pub fn is_fact(&self) -> bool {
        match self {
            Intent::Leave { .. }
            | Intent::LeaveServer { .. }
            | Intent::GiveUp { .. }
            | Intent::EndCode { .. }
            | Intent::Remove { .. }
            | Intent::EndRoom { .. }
            | Intent::Up { .. }
            | Intent::Leaving
            | Intent::Return(_) => true,
            Intent::Alive
            | Intent::Down { .. }
            | Intent::Say { .. }
            | Intent::Come { .. }
            | Intent::Enter { .. }
            | Intent::ComeBack { .. }
            | Intent::Join { .. }
            | Intent::SpeakOnce { .. }
            | Intent::Rename { .. }
            | Intent::SetTopic { .. }
            | Intent::DeleteLines { .. }
            | Intent::MakeCode { .. }
            | Intent::MoveCode { .. }
            | Intent::Readings(_)
            | Intent::ExpireCodes(_)
            | Intent::Register { .. }
            | Intent::ChangePassword { .. }
            | Intent::Rehash { .. }
            | Intent::SetToken { .. }
            | Intent::Release(_)
            | Intent::KeepMessage { .. }
            | Intent::Delivered { .. }
            | Intent::Act { .. } => false,
        }
    }

    /// The person in a room who says lines with it.
    pub(crate) fn speaker(&self) -> Option<PersonId> {
        match self {
            Intent::Say { person, .. } => Some(*person),
            _ => None,
        }
    }

    /// Whether it is lines of this person in a room.
    pub(crate) fn is_said_by(&self, person: Option<PersonId>) -> bool {
        person.is_some() && self.speaker() == person
    }

    /// Its size in a message, in bytes; an estimate that is never too small.
    pub fn bytes(&self) -> usize {
        let texts = match self {
            Intent::Say { room, lines, .. } => room.as_str().len() + lines_bytes(lines),
            Intent::Come { name, looks, profile, .. } => {
                name_bytes(&name.name) + looks_bytes(looks) + profile_bytes(profile)
            }
            Intent::Enter { name, looks, profile, room, .. } => {
                let named = name_bytes(&name.name) + looks_bytes(looks);
                named + profile_bytes(profile) + room.as_str().len()
            }
            Intent::ComeBack { room, .. } => room.as_ref().map_or(0, |room| room.as_str().len()),
            Intent::SpeakOnce { name, looks, room, lines, .. } => {
                let named = name_bytes(&name.name) + looks_bytes(looks);
                named + room.as_str().len() + lines_bytes(lines)
            }
            Intent::Join { room, .. }
            | Intent::MakeCode { room, .. }
            | Intent::MoveCode { room, .. }
            | Intent::GiveUp { room, .. }
            | Intent::EndRoom { room, .. } => room.as_str().len(),
            Intent::Leave { room, words, .. } => {
                room.as_str().len() + words.as_ref().map_or(0, Line::len)
            }
            Intent::LeaveServer { words, removal, .. } => {
                let removal = removal.as_ref().map_or(0, |act| act_bytes(act));
                words.as_ref().map_or(0, Line::len) + removal
            }
            Intent::Rename { name, looks, .. } => name_bytes(&name.name) + looks_bytes(looks),
            Intent::SetTopic { room, text, .. } => {
                room.as_str().len() + text.as_ref().map_or(0, Line::len)
            }
            Intent::Register { name, password, .. } => {
                let keys = name.keys.iter().map(|key| key.len() + NUMBER_BYTES);
                name_bytes(&name.name) + keys.sum::<usize>() + password.len()
            }
            Intent::ChangePassword { name, password, .. }
            | Intent::Rehash { name, password, .. } => name_bytes(name) + password.len(),
            Intent::SetToken { name, .. } | Intent::Release(name) => name_bytes(name),
            Intent::Readings(readings) => readings.len() * (HASH_BYTES + NUMBER_BYTES),
            Intent::Act { here, deed, .. } => {
                here.as_ref().map_or(0, |room| room.as_str().len()) + deed_bytes(deed)
            }
            Intent::Remove { people, act } => people.len() * PERSON_BYTES + act_bytes(act),
            Intent::Up { node, .. } => node.as_str().len(),
            Intent::Return(reentry) => {
                let Reentry { name, looks, otherwise, profile, rooms, codes, .. } = &**reentry;
                let (other, other_looks) = otherwise;
                let names = name_bytes(&name.name) + name_bytes(other);
                let looks = looks_bytes(looks) + looks_bytes(other_looks);
                let rooms = rooms.iter().map(|room| room.as_str().len() + NUMBER_BYTES);
                names
                    + looks
                    + profile_bytes(profile)
                    + rooms.sum::<usize>()
                    + codes.len() * HASH_BYTES
            }
            Intent::KeepMessage { to, text, .. } => name_bytes(to) + text.len(),
            Intent::EndCode { .. }
            | Intent::Delivered { .. }
            | Intent::ExpireCodes(_)
            | Intent::DeleteLines { .. }
            | Intent::Alive
            | Intent::Down { .. }
            | Intent::Leaving => 0,
        };
        EMPTY_BYTES + texts
    }
}

/// The largest number in a message, in bytes.
const NUMBER_BYTES: usize = 10;

/// A hash in a message, in bytes.
const HASH_BYTES: usize = 32;

/// A person in a message, in bytes: two numbers.
const PERSON_BYTES: usize = 2 * NUMBER_BYTES;

/// The size of lines that are said together, in bytes.
pub fn lines_bytes(lines: &[Spoken]) -> usize {
    let line = |spoken: &Spoken| {
        let extras = spoken.extras.as_deref();
        spoken.text.len() + NUMBER_BYTES + extras.map_or(0, extras_bytes)
    };
    lines.iter().map(line).sum()
}

fn extras_bytes(extras: &Extras) -> usize {
    let texts = [&extras.tags, &extras.label].into_iter().flatten();
    texts.map(Line::len).sum::<usize>() + 4 * NUMBER_BYTES
}

fn profile_bytes(profile: &Option<Arc<Profile>>) -> usize {
    profile.as_ref().map_or(0, |profile| {
        let texts = [profile.user(), profile.realname(), profile.host()];
        texts.map(|text| text.len() + NUMBER_BYTES).into_iter().sum()
    })
}

fn name_bytes(name: &Name) -> usize {
    let keys = name.keys().into_iter().map(|key| key.len() + NUMBER_BYTES);
    name.as_str().len() + keys.sum::<usize>()
}

fn looks_bytes(looks: &Looks) -> usize {
    let pair = |(look, key): (&str, &str)| look.len() + key.len() + PERSON_BYTES;
    looks.shown().len() + looks.others_with_keys().map(pair).sum::<usize>()
}

fn deed_bytes(deed: &Deed) -> usize {
    let name = deed.whom.name().map_or(2 * PERSON_BYTES, name_bytes);
    name + deed.text.as_ref().map_or(0, Line::len)
}

fn act_bytes(act: &Act) -> usize {
    let by = act.by.name().map_or(0, name_bytes);
    let room = act.reach.room().map_or(0, |room| room.as_str().len());
    deed_bytes(&act.deed) + by + room + EMPTY_BYTES
}

/// The largest proposal, in bytes: half of the smallest message that servers of NATS allow by
/// default.
pub const BYTES_MAX: usize = 512 << 10;

/// The largest number of intents in a proposal: one in each place of a batch.
pub const INTENTS_MAX: usize = 8_192;

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
