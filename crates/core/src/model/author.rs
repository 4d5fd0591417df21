//! The authors of acts, and of messages for absent owners. Knows no act.

use super::name::Name;
use super::who::PersonId;

/// The author of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The person who runs the server.
    Operator,
    /// The same person, on another connection.
    Oneself,
    /// The person who changed the password of the name.
    NewPassword,
    /// Nobody: a rule that held for the time being has ended, because no keeper is in the room.
    NoKeeper,
    /// This node, which begins anew with another ledger.
    Node,
    /// A keeper, or a person who sets a topic or makes a room.
    Keeper(Author),
    /// A person who keeps the room for the time being. What this person forbids holds as long as
    /// somebody sits there.
    KeeperForNow(Author),
}

/// A person who does an act. The person may have any name, so the account says who that is; without
/// one, the connection does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name that the person wears then.
    pub name: Name,
    /// The account that gives the authority, or to which the person is logged in.
    pub account: Option<Name>,
    /// The connection; [`PersonId::BYGONE`] for a stored act.
    pub id: PersonId,
}

/// The rank of the author of a message for an absent owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A person without a registered name.
    Stranger,
    /// The owner of a name.
    Owner,
    /// A keeper of the server.
    Keeper,
}

impl Author {
    /// The owner of a name, under that name, on a connection that is not known.
    pub fn owner(name: Name) -> Author {
        Author { account: Some(name.clone()), name, id: PersonId::BYGONE }
    }

    /// The account, if the name does not tell it.
    pub fn other_account(&self) -> Option<&Name> {
        self.account.as_ref().filter(|account| !account.is_same(&self.name))
    }

    /// Whether both are the same person, under any names.
    pub(crate) fn is_same(&self, other: &Author) -> bool {
        let accounts = self.account.as_ref().zip(other.account.as_ref());
        accounts.is_some_and(|(own, other)| own.is_same(other))
            || self.id == other.id && self.id != PersonId::BYGONE
    }
}

impl By {
    /// The person; the operator is none.
    pub fn author(&self) -> Option<&Author> {
        match self {
            By::Operator | By::Oneself | By::NewPassword | By::NoKeeper | By::Node => None,
            By::Keeper(author) | By::KeeperForNow(author) => Some(author),
        }
    }

    /// The name that the person wore; the operator has none.
    pub fn name(&self) -> Option<&Name> {
        self.author().map(|author| &author.name)
    }

    /// Whether both are the same author, whatever names the person wore.
    pub(crate) fn is_same(&self, other: &By) -> bool {
        match (self.author(), other.author()) {
            (Some(author), Some(other)) => author.is_same(other),
            _ => self == other,
        }
    }

    /// Moves it to the new connection of a person.
    pub(crate) fn follow(&mut self, from: PersonId, to: PersonId) {
        if let By::Keeper(author) | By::KeeperForNow(author) = self
            && author.id == from
        {
            author.id = to;
        }
    }
}
