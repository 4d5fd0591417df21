//! A room's name. It follows the rules of people's names, in lower case. Knows no room.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use super::error::NameError;
use super::rules::well_formed;
use crate::model::line::{Line, is_safe};

static LOBBY: LazyLock<RoomName> = LazyLock::new(|| RoomName("lobby".into()));

/// A room's name. Upper case becomes lower case.
///
/// No name is reserved: a room never speaks, so `/join all` harms nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// The room that everybody enters first.
    #[must_use]
    pub fn lobby() -> Self {
        LOBBY.clone()
    }

    /// Parses a room's name that a person typed.
    ///
    /// # Errors
    ///
    /// The name breaks the rules of [`Name::parse`](super::Name::parse), except that reserved names are allowed.
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        well_formed(&typed.to_lowercase()).map(|shown| Self(shown.into()))
    }

    /// A room's name from storage. It was checked before it was stored; even if the file has
    /// changed since, the name is safe to show.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self(Line::sanitise(name.as_bytes()).as_str().into())
    }

    /// A room's name that another server has checked; none if it is empty or has a character that
    /// no [`Line`] has.
    #[must_use]
    pub fn checked(name: &str) -> Option<Self> {
        (is_safe(name) && !name.is_empty()).then(|| Self(name.into()))
    }

    /// The name as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_in_lower_case() {
        for (typed, shown) in [
            ("Tea", "tea"),
            (" TEA ", "tea"),
            ("Straße", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("İzmir", "i\u{307}zmir"),
        ] {
            assert_eq!(RoomName::parse(typed).map(|r| r.to_string()), Ok(shown.to_owned()));
        }
        assert_eq!(RoomName::parse("LOBBY"), Ok(RoomName::lobby()));
    }

    #[test]
    fn rooms_follow_the_rules_of_names_but_no_room_is_reserved() {
        for free in ["all", "here", "server", "you"] {
            assert_eq!(RoomName::parse(free).map(|r| r.to_string()), Ok(free.to_owned()));
        }
        assert_eq!(RoomName::parse(""), Err(NameError::Empty));
        assert_eq!(RoomName::parse("a/b"), Err(NameError::Sign('/')));
        assert_eq!(RoomName::parse("lоbby"), Err(NameError::MixedScripts));
    }
}
