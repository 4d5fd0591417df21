//! The numbers of people and rooms, the names that people claim, and the lines they say. Does not
//! know which people are connected.

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
}

/// The kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `alice: Hi!`
    Plain,
    /// `* alice waves`
    Action,
    /// The words are deleted, and only the line's number remains.
    Gone,
}

/// A line that is sent to the broadcaster.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
}

/// A name that a person wants to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub name: Name,
    /// The proof that the person owns the name.
    pub proof: Option<Proof>,
}

/// The number of the password with which a person has proved to own a name; a code or token has the
/// number of its password. Passwords of all names are numbered together, so no number comes twice:
/// a proof ends with its password, even while its request is on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof(pub u64);

impl Claim {
    /// Whether the person has proved that they own the name.
    pub fn is_proven(&self) -> bool {
        self.proof.is_some()
    }
}

impl From<Name> for Claim {
    /// A claim without a proof, which anybody can make.
    fn from(name: Name) -> Claim {
        Claim { name, proof: None }
    }
}
