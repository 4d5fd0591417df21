//! The kinds of intents. Knows no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::import::Import;
use crate::model::{
    Act, Claim, ConversationId, Deed, Erasable, Extras, Format, Hashed, Here, Line, Looks, Modes,
    Name, NodeName, NodeProgram, OwnedName, PersonId, Profile, Proof, ProvenAccount, RoomName,
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
        lines: Erasable<Vec<Spoken>>,
    },
    /// The program of a person in a room sends tags without words to those of the others.
    Signal {
        /// The person.
        person: PersonId,
        /// The room.
        room: RoomName,
        /// The tags.
        extras: Arc<Extras>,
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
        /// The profile of a person who has none on the lost connection.
        profile: Option<Arc<Profile>>,
        /// The first room, if there is one.
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
    /// A person has read a conversation up to this time.
    MarkRead {
        /// The person.
        person: PersonId,
        /// The conversation.
        conversation: ConversationId,
        /// The time.
        read: WallTime,
    },
    /// A person writes to the absent owner of a name; the message is kept.
    KeepMessage {
        /// The author.
        from: PersonId,
        /// The name.
        to: Name,
        /// The hash of the author, whatever name they have now.
        writer: Hashed,
        /// The words, and how they are meant.
        spoken: Erasable<Spoken>,
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
        /// The password of the room, as typed.
        password: Option<Line>,
    },
    /// A keeper of a room invites a person there.
    Invite {
        /// The keeper.
        by: PersonId,
        /// The name of the other person.
        to: Name,
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
        /// The profile from the person's client.
        profile: Option<Arc<Profile>>,
        /// The room.
        room: RoomName,
        /// The password of the room, if the person gives one.
        password: Option<Line>,
        /// The lines, in order.
        lines: Erasable<Vec<Spoken>>,
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
    /// A person is away, or is back.
    SetAway {
        /// The person.
        person: PersonId,
        /// The text for those who write; none for a person who is back.
        text: Option<Line>,
    },
    /// A person has another real name.
    SetRealname {
        /// The person.
        person: PersonId,
        /// The real name.
        realname: Line,
    },
    /// A person logs in to an account, under any name.
    LogIn {
        /// The person.
        person: PersonId,
        /// The account, and the proof that the person owns it.
        account: ProvenAccount,
    },
    /// A person proves to be a keeper of the server, and has that authority on this connection.
    Oper {
        /// The person.
        person: PersonId,
        /// The account of the keeper, and the proof that the person owns it.
        account: ProvenAccount,
    },
    /// A person sets modes, and removes some.
    SetModes {
        /// The person.
        person: PersonId,
        /// The modes that are set.
        set: Modes,
        /// The modes that are removed.
        removed: Modes,
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
        password: Erasable<Arc<str>>,
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
        password: Erasable<Arc<str>>,
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
        password: Erasable<Arc<str>>,
    },
    /// The owner of a name makes a token for scripts, or revokes it.
    SetToken {
        /// The name.
        name: Name,
        /// The proof of its password.
        proof: Proof,
        /// The hash of the token; none without a token.
        token: Option<Erasable<Hashed>>,
    },
    /// The operator takes a name from its owner.
    Release(Name),
    /// A person or the operator does something with authority.
    Act {
        /// The person who asks.
        asker: PersonId,
        /// Where that person is.
        here: Here,
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
        /// Its program.
        program: NodeProgram,
        /// The boot of this node before. The intent counts only if that is still the last one.
        after: Option<u32>,
    },
    /// From here on, nodes write in this format. The intent counts only if it is a newer one, and all
    /// live boots have announced it.
    UseFormat(Format),
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
    /// These keys of seals are deleted: nobody opens the seals any more.
    KeysErased(Vec<u64>),
    /// The first of several nodes has stored this as a server of its own. It counts only before
    /// anything else does.
    Import(Box<Import>),
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
    /// The text with which the person was away.
    pub away: Option<Line>,
    /// The modes that the person had set.
    pub modes: Modes,
    /// The account of the keeper of the server whose authority the connection had.
    pub lent: Option<ProvenAccount>,
    /// How far the person had read while they were logged in to no account.
    pub markers: BTreeMap<Box<str>, WallTime>,
    /// The rooms in which the person had a seat.
    pub rooms: Vec<RoomName>,
    /// The return codes of the connection.
    pub codes: Vec<Hashed>,
}

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
            | Intent::UseFormat(_)
            | Intent::KeysErased(_)
            | Intent::Import(_)
            | Intent::Down { .. }
            | Intent::Say { .. }
            | Intent::Signal { .. }
            | Intent::Come { .. }
            | Intent::Enter { .. }
            | Intent::ComeBack { .. }
            | Intent::Join { .. }
            | Intent::Invite { .. }
            | Intent::SpeakOnce { .. }
            | Intent::Rename { .. }
            | Intent::LogIn { .. }
            | Intent::SetAway { .. }
            | Intent::SetRealname { .. }
            | Intent::Oper { .. }
            | Intent::SetModes { .. }
            | Intent::SetTopic { .. }
            | Intent::DeleteLines { .. }
            | Intent::MakeCode { .. }
            | Intent::MoveCode { .. }
            | Intent::Readings(_)
            | Intent::ExpireCodes(_)
            | Intent::MarkRead { .. }
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
}
