//! People as their clients are shown: the source of their messages, and their real name. Knows no
//! message.

use std::borrow::Cow;

use parlor_core::model::{By, Line, Name, Profile, Who};

use super::name::{STORED_HOST, nick, source, user};

/// The source of a person's messages.
pub(crate) fn source_of(who: &Who) -> String {
    source_under(&who.name, who.profile.as_deref())
}

/// The source of a person with this name. Without a profile, only the name is known.
pub(crate) fn source_under(name: &Name, profile: Option<&Profile>) -> String {
    let nick = nick(name);
    let given = profile.map(|profile| profile.user().as_str()).filter(|user| !user.is_empty());
    let host = profile.map_or(STORED_HOST, |profile| profile.host().as_str());
    let given = given.unwrap_or(if name.is_address() { "" } else { &nick });
    source(&nick, &user(given), host)
}

/// The source of an act: a keeper, or the server for all others.
pub(crate) fn author<'a>(by: &By, server: &'a str) -> Cow<'a, str> {
    match by.name() {
        Some(name) => source_under(name, None).into(),
        None => server.into(),
    }
}

/// The real name of a person; the nick if it is not known.
pub(crate) fn realname(who: &Who) -> Cow<'_, str> {
    let given = who.profile.as_deref().map(Profile::realname);
    match given.filter(|realname| !realname.is_empty()) {
        Some(realname) => realname.as_str().into(),
        None => nick(&who.name),
    }
}

/// A text that the server repeats, at most this long in bytes. A longer one ends in `…`.
pub(crate) fn shortened(text: &Line, bytes_max: usize) -> Cow<'_, str> {
    const MORE: &str = "…";
    let text = text.as_str();
    if text.len() <= bytes_max {
        return text.into();
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(MORE.len()));
    format!("{}{MORE}", text.get(..end).unwrap_or_default()).into()
}
