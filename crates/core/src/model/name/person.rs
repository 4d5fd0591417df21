//! A person's name: which names are allowed, and which are too alike. Does not know who has a name.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock},
};

use super::error::NameError;
use super::keys::{blind_look, keys, look, looks_else};
use super::rules::well_formed;
use crate::model::line::{Line, is_safe};
use crate::model::piece::PIECE_BYTES;

/// Names that would speak for the server, for its operator, or for several people.
static RESERVED: LazyLock<Vec<Reserved>> = LazyLock::new(|| {
    // People of IRC send their passwords to services, and read `kept` as the host of stored lines.
    let services = [
        "nickserv", "chanserv", "ns", "cs", "hostserv", "operserv", "memoserv", "botserv",
        "global", "kept",
    ];
    let server = ["server", "parlor", "root", "admin", "operator"];
    let several = ["all", "here", "everyone", "you", "nobody"]; // sentences speak of them
    let services = services.into_iter().map(|word| Reserved::new(word, true));
    let others = [server, several].concat().into_iter().map(|word| Reserved::new(word, false));
    services.chain(others).collect()
});

/// A reserved name, which nobody may have.
struct Reserved {
    word: &'static str,
    name: Name,
    /// How it looks in other letter cases.
    looks: Vec<Box<str>>,
    /// How it looks in any letter cases, if nothing like that may pass: Ali would be like `all`.
    blind: Option<String>,
}

impl Reserved {
    fn new(word: &'static str, is_service: bool) -> Self {
        let name = Name::new(word.into());
        let (looks, blind) = (name.looks_else(), is_service.then(|| name.blind_look()));
        Self { word, name, looks, blind }
    }

    fn is_like(&self, name: &Name, look: &str) -> bool {
        self.name.looks_like(name)
            || self.looks.iter().any(|reserved| **reserved == *look)
            || self.blind.as_ref().is_some_and(|blind| *blind == name.blind_look())
    }
}

/// The name of a person: a checked name that somebody typed, or an address.
///
/// It is safe to show. Two names are equal if every shown letter is equal; [`Name::looks_like`]
/// tells whether they are too alike for two people.
#[derive(Clone)]
pub struct Name(Arc<Parts>);

struct Parts {
    shown: Box<str>,
    keys: [Box<str>; 2],
}

impl Name {
    /// Parses a name that a person typed, without the blanks around it.
    ///
    /// The name is composed (NFC), so it is shown, counted and found alike whatever system it was
    /// typed on.
    ///
    /// # Errors
    ///
    /// The name is empty or has more than [`NAME_CHARS_MAX`](super::NAME_CHARS_MAX) characters; has
    /// anything but letters and digits in everyday use, marks on letters, `-`, `_` and `.`; does
    /// not begin with a letter or digit; has no letter; mixes scripts (it must be "highly
    /// restrictive", UTS 39, section 5.2); or is like a reserved name.
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        let name = Self::parse_owned(typed)?;
        let look = name.look();
        match RESERVED.iter().find(|reserved| reserved.is_like(&name, &look)) {
            Some(reserved) => Err(NameError::Reserved(reserved.word)),
            None => Ok(name),
        }
    }

    /// Parses a name for its owner: also one that was reserved after it got an owner. A person
    /// who takes it has to prove that they own it.
    ///
    /// # Errors
    ///
    /// The name breaks another rule of [`Name::parse`].
    pub fn parse_owned(typed: &str) -> Result<Self, NameError> {
        Ok(Self::new(well_formed(typed)?))
    }

    /// The name of a person without a chosen name: the address, such as `127.0.0.1:64208`, as the
    /// server wrote it.
    ///
    /// No typed name equals it, because an address has a `:`.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        debug_assert!(address.contains(':'), "not an address: {address:?}");
        Self::new(address.into())
    }

    /// Whether this is an address and not a chosen name.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.as_str().contains(':')
    }

    /// A name from storage. It was checked before it was stored; even if the file has changed
    /// since, the name is safe to show.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self::new(Line::sanitise(name.as_bytes()).as_str().to_owned())
    }

    /// A name with its keys, as another server computed them; none if the name is empty or has a
    /// character that no [`Line`] has.
    ///
    /// The keys are not computed again: they depend on the version of Unicode, and servers with
    /// different versions must agree which names are alike.
    #[must_use]
    pub fn with_keys(shown: &str, keys: [&str; 2]) -> Option<Self> {
        let parts = || Parts { shown: shown.into(), keys: keys.map(Box::from) };
        (is_safe(shown) && !shown.is_empty()).then(|| Self(Arc::new(parts())))
    }

    /// A name that needs no check, or is checked already.
    pub(super) fn new(shown: String) -> Self {
        let keys = keys(&shown);
        Self(Arc::new(Parts { shown: shown.into(), keys }))
    }

    /// Its size in memory beside the value itself, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let [first, second] = self.keys();
        let texts = self.as_str().len() + first.len() + second.len();
        size_of::<Parts>() + texts + 4 * PIECE_BYTES
    }

    /// The name as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.shown
    }

    /// How the name reads and how it looks, in any case. The first key is [`fold`](super::fold) of
    /// the name.
    #[must_use]
    pub fn keys(&self) -> [&str; 2] {
        self.0.keys.each_ref().map(|key| &**key)
    }

    /// Whether both are the same name, ignoring case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.keys[0] == other.0.keys[0]
    }

    /// Whether two people cannot have these names at the same time: a key of one is a key of the
    /// other.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.0.keys.iter().any(|key| other.0.keys.contains(key))
    }

    /// Whether this name can be taken for the other one, with each letter in any case: `N1ckServ` for
    /// `NickServ`. Only a name that must never be imitated is compared so.
    #[must_use]
    pub fn imitates(&self, other: &Self) -> bool {
        self.looks_like(other) || self.blind_look() == other.blind_look()
    }

    fn blind_look(&self) -> String {
        blind_look(self.as_str())
    }

    /// How the name looks when it is shown.
    pub(super) fn look(&self) -> String {
        look(self.as_str())
    }

    /// How the name looks if others write it in lower case, in upper case or with one capital, if
    /// its keys do not include that look. No other name may [look](Self::look) like that: readers
    /// take `ALlCE` for alice.
    pub(super) fn looks_else(&self) -> Vec<Box<str>> {
        looks_else(self.as_str(), self.keys())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.shown == other.0.shown
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.shown.cmp(&other.0.shown)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.shown.hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.shown)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.shown, f)
    }
}
