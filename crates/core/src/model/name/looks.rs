//! The spellings of a name, computed once. Rules compare them, and need no table of Unicode.

use super::keys::fold;
use super::person::Name;

/// How a name looks when it is shown, and in other letter cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    shown: Box<str>,
    /// Each look, and its [`fold`].
    others: Box<[(Box<str>, Box<str>)]>,
}

impl Looks {
    /// The looks of a name.
    pub fn of(name: &Name) -> Looks {
        let with_key = |look: Box<str>| {
            let key = fold(&look).into();
            (look, key)
        };
        Looks {
            shown: name.look().into(),
            others: name.looks_else().into_iter().map(with_key).collect(),
        }
    }

    /// The looks of a name, as another server computed them: how it looks when it is shown, and in
    /// other letter cases, each look with its first key. Servers compare them and never show them.
    pub fn computed(shown: Box<str>, others: Vec<(Box<str>, Box<str>)>) -> Looks {
        Looks { shown, others: others.into() }
    }

    /// How the name looks when it is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// How it looks in other letter cases, unless its keys already say so: few names have any.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(|(look, _)| &**look)
    }

    /// The same, each with its first key.
    pub fn others_with_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.others.iter().map(|(look, key)| (&**look, &**key))
    }
}

/// A name with an owner, and every key that nobody else may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedName {
    /// The name.
    pub name: Name,
    /// The keys.
    pub keys: Vec<Box<str>>,
}

impl From<Name> for OwnedName {
    /// Names that look like it in capitals or in small letters are not free for others: `lan` is
    /// the same name as `Ian`, and `ALlCE` the same as `Alice`.
    fn from(name: Name) -> OwnedName {
        let shown = name.as_str();
        let ways = [shown.to_owned(), shown.to_lowercase(), shown.to_uppercase()];
        let names = ways.map(|way| Name::stored(&way));
        let keys = names.iter().flat_map(Name::keys).map(Box::from).collect();
        OwnedName { name, keys }
    }
}
