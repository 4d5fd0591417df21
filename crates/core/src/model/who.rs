//! The numbers of people and rooms, the names that people claim, and the lines they say. Does not
//! know which people are connected.

use std::sync::Arc;

use super::line::Line;
use super::name::Name;

/// A person from entering to leaving, through all renames. A server never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub(crate) u64);

impl PersonId {
    /// The person with this number, on this server or another one.
    pub const fn new(number: u64) -> PersonId {
        PersonId(number)
    }

    /// The first person whose connection was made in this boot of a node. Numbers have 40 bits for
    /// the count of connections, and above them 24 bits for the boot; a server without other nodes
    /// is boot 0.
    pub const fn first_of(boot: u32) -> PersonId {
        PersonId((boot as u64) << 40)
    }

    /// The number: connections are counted in the order in which they arrive.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The author of a stored line, which has only a name: no connected person.
    pub const BYGONE: PersonId = PersonId(u64::MAX);
}

/// A room, from its creation until it leaves memory. A server never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub(crate) u64);

/// A person, with the name at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person, under any name.
    pub id: PersonId,
    /// The name.
    pub name: Name,
    /// The registered name that the person has proved to own, under this name or another one.
    pub account: Option<Name>,
    /// The profile from the person's client, or from the door; none for the author of a stored
    /// line.
    pub profile: Option<Arc<Profile>>,
}

impl Who {
    /// A person of whom only the name is known.
    pub fn new(id: PersonId, name: Name) -> Who {
        Who { id, name, account: None, profile: None }
    }

    /// Whether the person owns the name that they have. Several connections of an owner are one
    /// person.
    pub fn is_owner(&self) -> bool {
        self.owned_name().is_some()
    }

    /// The name that the person has, if they own it.
    pub fn owned_name(&self) -> Option<&Name> {
        self.account.as_ref().filter(|account| account.is_same(&self.name))
    }
}

/// The description of a person by their client, as everybody may read it.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    user: Line,
    realname: Line,
    host: Line,
    is_bot: bool,
}

/// The longest text of a person who is away, in bytes: it fits into a message of IRC.
pub const AWAY_BYTES_MAX: usize = 390;

/// The longest text of a profile, in bytes.
pub const PROFILE_BYTES_MAX: usize = 512;

impl Profile {
    /// A profile: the name of the user, the real name, and the host as it is shown. Texts that are
    /// longer than [`PROFILE_BYTES_MAX`] are cut.
    pub fn new([user, realname, host]: [Line; 3], is_bot: bool) -> Profile {
        let cut = |line: Line| line.cut(PROFILE_BYTES_MAX);
        Profile { user: cut(user), realname: cut(realname), host: cut(host), is_bot }
    }

    /// The size of its texts in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        self.user.len() + self.realname.len() + self.host.len()
    }

    /// The same profile with another real name.
    pub fn with_realname(&self, realname: Line) -> Profile {
        let [user, host] = [&self.user, &self.host].map(Line::clone);
        Profile::new([user, realname, host], self.is_bot)
    }

    /// The same profile, of a program or not.
    pub fn as_bot(&self, is_bot: bool) -> Profile {
        let Profile { user, realname, host, .. } = self;
        Profile { user: user.clone(), realname: realname.clone(), host: host.clone(), is_bot }
    }

    /// The name of the user on their own machine.
    pub fn user(&self) -> &Line {
        &self.user
    }

    /// The real name.
    pub fn realname(&self) -> &Line {
        &self.realname
    }

    /// The host, as it is shown: never an address.
    pub fn host(&self) -> &Line {
        &self.host
    }

    /// Whether the client says that it is a program.
    pub fn is_bot(&self) -> bool {
        self.is_bot
    }
}

/// The kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `alice: Hi!`
    Plain,
    /// `* alice waves`
    Action,
    /// A line that no program may answer. It is shown like a plain one.
    Notice,
    /// The words are deleted, and only the line's number remains.
    Gone,
}

/// A line that is sent to the broadcaster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
    /// The additions of clients that know them.
    pub extras: Option<Arc<Extras>>,
}

impl Spoken {
    /// A line without extras.
    pub fn new(manner: Manner, text: Line) -> Spoken {
        Spoken { manner, text, extras: None }
    }

    /// A line whose words are deleted.
    pub fn gone() -> Spoken {
        Spoken::new(Manner::Gone, Line::empty())
    }

    /// Its words for a place that has plain lines only: an action is written out, with its author.
    pub fn written_out(&self, by: &Name) -> Line {
        match self.manner {
            Manner::Action => Line::sanitise(format!("* {by} {}", self.text).as_bytes()),
            Manner::Plain | Manner::Notice | Manner::Gone => self.text.clone(),
        }
    }

    /// Its size in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Spoken>() + self.text.len() + self.extras.as_deref().map_or(0, Extras::weight)
    }
}

/// The facts about a line that few lines have: the additions of a client, for other clients that
/// understand them, and the name of an earlier log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Tags of clients, as they were sent.
    pub tags: Option<Line>,
    /// The speaker's own word for the line.
    pub label: Option<Line>,
    /// The place of the line among those that were sent together.
    pub group: Option<InGroup>,
    /// Where the speaker's program ended one message and continued the line in the next one: byte
    /// offsets in the words, in rising order.
    pub breaks: Vec<u32>,
    /// The name of the log that has numbered the line, if that was an earlier run of the server.
    pub log: Option<Arc<str>>,
}

/// The place of a line in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InGroup {
    /// The number of lines before it.
    pub index: u32,
    /// The number of lines in the group.
    pub lines: u32,
    /// The number of blank lines before the first line with words. Clients that know no groups do
    /// not show these.
    pub blanks: u32,
}

impl Extras {
    /// Its size in memory, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.tags, &self.label].into_iter().flatten();
        let texts = texts.map(Line::len).sum::<usize>();
        size_of::<Extras>() + texts + size_of_val(&*self.breaks)
    }
}

/// A name that a person wants to have, or has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub name: Name,
    /// The account to which the person is logged in: the name itself, or another one.
    pub account: Option<ProvenAccount>,
}

/// A registered name, and the proof that a person owns it, under that name or another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenAccount {
    /// The registered name.
    pub name: Name,
    /// The proof.
    pub proof: Proof,
}

/// The number of the password with which a person has proved to own a name; a code or token has the
/// number of its password. Passwords of all names are numbered together, so no number comes twice:
/// a proof ends with its password, even while its request is on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof(pub u64);

impl Claim {
    /// The claim of an owner to the own name.
    pub fn of_owner(name: Name, proof: Proof) -> Claim {
        Claim { account: Some(ProvenAccount { name: name.clone(), proof }), name }
    }

    /// The proof that the person owns the name.
    pub fn proof(&self) -> Option<Proof> {
        let own = self.account.as_ref().filter(|account| account.name.is_same(&self.name));
        own.map(|account| account.proof)
    }

    /// Whether the person has proved that they own the name.
    pub fn is_proven(&self) -> bool {
        self.proof().is_some()
    }
}

impl From<Name> for Claim {
    /// A claim without an account, which anybody can make.
    fn from(name: Name) -> Claim {
        Claim { name, account: None }
    }
}
