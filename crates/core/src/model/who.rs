//! People and rooms by their numbers, the names that people claim, and what they say. Knows nobody
//! who is here.

use super::line::Line;
use super::name::Name;

/// A person, from entering to leaving, through all renames. A server never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub(crate) u64);

impl PersonId {
    /// The number: connections are counted in the order in which they come.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The author of a line of which a journal has only the name: nobody who is here.
    pub const BYGONE: PersonId = PersonId(u64::MAX);
}

/// A room, from being made to leaving memory. A server never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub(crate) u64);

/// A person under the name worn at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person, whatever the name.
    pub id: PersonId,
    /// The name worn.
    pub name: Name,
}

/// How a line is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `alice: Hi!`
    Plain,
    /// `* alice waves`
    Action,
    /// The words are deleted: only the number of the line is left.
    Gone,
}

/// A line on its way to the broadcaster.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
}

/// A name that a person wants to wear.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The name.
    pub name: Name,
    /// That the person owns the name.
    pub proof: Option<Proof>,
}

/// Which password, or which code or token made with it, has shown that a person owns a name: the
/// first password is number 0, and each change counts one more. So a proof ends with its password,
/// also while its request is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof(pub u64);

impl Claim {
    /// Whether the person has shown that they own the name.
    pub fn is_proven(&self) -> bool {
        self.proof.is_some()
    }
}

impl From<Name> for Claim {
    /// A claim without a proof, as everybody may make it.
    fn from(name: Name) -> Claim {
        Claim { name, proof: None }
    }
}
