//! The modes of a client's own person. Knows no other person.

use crate::irc::protocol::{Numeric, UserMode, letters, user_modes};
use crate::irc::reply::Replies;

/// The modes that are set.
#[derive(Debug, Default)]
pub(crate) struct OwnModes(Vec<UserMode>);

impl OwnModes {
    /// Answers a MODE of this nick by the client with that one: shows the modes, or changes them.
    pub(crate) fn answer(
        &mut self,
        (target, own): (&str, &str),
        changes: &str,
        replies: &mut Replies,
    ) {
        if !target.eq_ignore_ascii_case(own) {
            let text = "You can change only your own modes";
            return replies.numeric(Numeric::ERR_USERSDONTMATCH, &[], text);
        }
        if changes.is_empty() {
            let set = self.0.iter().map(|mode| (true, mode.letter()));
            return replies.numeric_words(Numeric::RPL_UMODEIS, &[&letters(set)]);
        }
        let mut made = Vec::new();
        for (is_set, mode) in user_modes(changes) {
            match mode {
                Ok(mode) if self.change(mode, is_set) => made.push((is_set, mode.letter())),
                Ok(_) => {}
                Err(_) => {
                    replies.numeric(Numeric::ERR_UMODEUNKNOWNFLAG, &[], "Unknown mode of a person");
                }
            }
        }
        if !made.is_empty() {
            replies.words_from(own, "MODE", &[own, &letters(made)]);
        }
    }

    /// Sets a mode or removes it. Returns whether that changes anything.
    fn change(&mut self, mode: UserMode, is_set: bool) -> bool {
        let before = self.0.len();
        let was_set = self.0.contains(&mode);
        match is_set {
            true if !was_set && mode != UserMode::Operator => self.0.push(mode),
            true => {}
            false => self.0.retain(|set| *set != mode),
        }
        self.0.len() != before
    }
}
