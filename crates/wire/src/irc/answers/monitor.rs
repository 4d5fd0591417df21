//! The answers to MONITOR, and what a client reads of the people whom it watches. Knows no command.

use parlor_core::link::{Sighting, WATCHED_MAX, Watched};
use parlor_core::model::{Line, Name, Who};

use super::names::lines_of;
use crate::irc::protocol::{Numeric, TEXT_BYTES_MAX, nick, source_of};
use crate::irc::reply::Replies;

/// Adds the answer to a MONITOR.
pub(crate) fn put_watched(watched: &Watched, replies: &mut Replies) {
    match watched {
        Watched::Done => {}
        Watched::Names(names) => {
            put_list(Numeric::RPL_MONLIST, names.iter().map(as_nick), replies);
            replies.numeric(Numeric::RPL_ENDOFMONLIST, &[], "End of MONITOR list");
        }
        Watched::Status { people, excess } => {
            let here = people.iter().filter_map(|sighting| sighting.who.as_ref());
            put_list(Numeric::RPL_MONONLINE, here.map(source_of), replies);
            let gone = people.iter().filter(|Sighting { who, .. }| who.is_none());
            let gone = gone.map(|sighting| as_nick(&sighting.typed));
            put_list(Numeric::RPL_MONOFFLINE, gone, replies);
            for line in lists(excess.iter().map(as_nick)) {
                let words = [&*WATCHED_MAX.to_string(), &line];
                replies.numeric(Numeric::ERR_MONLISTFULL, &words, "Monitor list is full");
            }
        }
    }
}

/// Adds that a watched person has come.
pub(crate) fn put_came(who: &Who, replies: &mut Replies) {
    replies.numeric(Numeric::RPL_MONONLINE, &[], &source_of(who));
}

/// Adds that a watched person has gone.
pub(crate) fn put_went(name: &Name, replies: &mut Replies) {
    replies.numeric(Numeric::RPL_MONOFFLINE, &[], &nick(name));
}

/// A name, as the client wrote it.
fn as_nick(typed: &Line) -> String {
    nick(&Name::stored(typed.as_str())).into_owned()
}

fn put_list(numeric: Numeric, items: impl Iterator<Item = String>, replies: &mut Replies) {
    for line in lists(items) {
        replies.numeric(numeric, &[], &line);
    }
}

/// Items with commas between them, as many in a line as fit.
fn lists(items: impl Iterator<Item = String>) -> Vec<String> {
    let items: Vec<_> = items.collect();
    lines_of(&items, TEXT_BYTES_MAX).into_iter().map(|line| line.replace(' ', ",")).collect()
}
