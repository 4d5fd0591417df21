//! The modes of a client's own person. Knows no other person.

use parlor_core::model::Modes;

use crate::irc::protocol::{Numeric, UserMode, letters};
use crate::irc::reply::Replies;

/// Adds the modes that are set.
pub(crate) fn put_own_modes(modes: Modes, replies: &mut Replies) {
    replies.numeric_words(Numeric::RPL_UMODEIS, &[&letters(letters_of(modes, true))]);
}

/// Adds the modes that have changed for the client with this nick. A client that asked for authority
/// reads that it has it.
pub(crate) fn put_modes_changed(
    (set, removed): (Modes, Modes),
    nick: &str,
    is_oper: bool,
    replies: &mut Replies,
) {
    if is_oper {
        replies.numeric(Numeric::RPL_YOUREOPER, &[], "You are an operator of this server");
    }
    let changes: Vec<_> = letters_of(set, true).chain(letters_of(removed, false)).collect();
    if !changes.is_empty() {
        replies.words_from(nick, "MODE", &[nick, &letters(changes)]);
    }
}

fn letters_of(modes: Modes, is_set: bool) -> impl Iterator<Item = (bool, char)> {
    let modes = UserMode::ALL.into_iter().filter(move |mode| modes.has(mode.set()));
    modes.map(move |mode| (is_set, mode.letter()))
}
