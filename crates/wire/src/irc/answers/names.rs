//! Names in a room, as many as fit into a message. Knows no room.

use parlor_core::model::Who;

use crate::irc::protocol::{Cap, Caps, MESSAGE_BYTES_MAX, Numeric, nick, source_of};
use crate::irc::reply::Replies;

/// The sign of a keeper before the name.
const KEEPER: &str = "@";

/// The sign of a person with a voice.
const VOICE: &str = "+";

/// The signs of a person in a room: the highest, or all of them.
pub(super) fn signs(is_keeper: bool, has_voice: bool, all: bool) -> &'static str {
    match (is_keeper, has_voice) {
        (true, true) if all => "@+",
        (true, _) => KEEPER,
        (false, true) => VOICE,
        (false, false) => "",
    }
}

/// A person in a list of names, for a client with these capabilities.
pub(crate) fn listed_name(who: &Who, (is_keeper, has_voice): (bool, bool), caps: Caps) -> String {
    let sign = signs(is_keeper, has_voice, caps.has(Cap::MultiPrefix));
    match caps.has(Cap::UserhostInNames) {
        true => format!("{sign}{}", source_of(who)),
        false => format!("{sign}{}", nick(&who.name)),
    }
}

/// Adds the names of people in a channel, for a client with this nick.
pub(crate) fn put_names(
    (channel, is_secret): (&str, bool),
    names: &[String],
    (server, own): (&str, &str),
    replies: &mut Replies,
) {
    let sign = if is_secret { "@" } else { "=" };
    let before = [":", server, " 353 ", own, " ", sign, " ", channel, " :"];
    let space = MESSAGE_BYTES_MAX.saturating_sub(before.iter().map(|part| part.len()).sum());
    for line in lines_of(names, space) {
        replies.numeric(Numeric::RPL_NAMREPLY, &[sign, channel], &line);
    }
}

/// Words in lines of at most this length in bytes, unless one word is longer.
pub(super) fn lines_of(words: &[String], space: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut().filter(|line| line.len() + 1 + word.len() <= space) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.clone()),
        }
    }
    lines
}

/// Adds the end of a list of names.
pub(crate) fn put_end_of_names(target: &str, replies: &mut Replies) {
    replies.numeric(Numeric::RPL_ENDOFNAMES, &[target], "End of /NAMES list");
}
