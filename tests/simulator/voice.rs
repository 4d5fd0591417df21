//! The lines that a simulated client says: no two are the same.

use std::collections::HashSet;

use fastrand::Rng;
use parlor_core::model::{Line, Manner, Spoken};

use crate::checker::{PrivateId, private_token, token};

/// The text after a token: nothing, much, or bytes that no terminal should get.
const TAILS: [&str; 6] =
    ["", "", " and more: words", " \x1b[2J\r\u{202e}-- you", " has arrived", " grüße"];

pub(crate) struct Voice {
    person: usize,
    /// The number of the last token.
    tokens: u64,
    /// The number of lines it said.
    pub(crate) lines: u64,
    /// The number of those whose connection ended before their outcome, and may have moved before
    /// it said them.
    pub(crate) doubtful: u64,
    /// The outcomes of its lines.
    pub(crate) answers: Vec<Answered>,
    /// The private messages that were refused.
    pub(crate) unread: Vec<Unread>,
}

/// The outcome of a line, as its speaker was told.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) token: String,
    /// Whether it was sent.
    pub(crate) is_sent: bool,
}

/// A private message that was refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread {
    pub(crate) message: PrivateId,
    /// Whether it is known that nobody reads it.
    pub(crate) is_known: bool,
}

impl Voice {
    pub(crate) fn new(person: usize) -> Voice {
        let (answers, unread) = (Vec::new(), Vec::new());
        Voice { person, tokens: 0, lines: 0, doubtful: 0, answers, unread }
    }

    /// The next lines to say, and the token of the last.
    pub(crate) fn speak(&mut self, count: usize, rng: &mut Rng) -> (Vec<Spoken>, String) {
        let mut last = String::new();
        let tail = pick(rng, &TAILS);
        let lines = (0..count).map(|_| {
            self.tokens += 1;
            last = token(self.person, self.tokens);
            let long = if rng.u8(0..50) == 0 {
                format!(" {}", "x".repeat(rng.usize(0..4_000)))
            } else {
                String::new()
            };
            let manner = if rng.u8(0..5) == 0 { Manner::Action } else { Manner::Plain };
            Spoken::new(manner, line(&format!("{last}{tail}{long}")))
        });
        let lines = lines.collect();
        self.lines += count as u64;
        (lines, last)
    }

    /// The next line, of at most this length in bytes, and its token. It is not said yet.
    pub(crate) fn one_line(&mut self, bytes_max: usize, rng: &mut Rng) -> (String, String) {
        self.tokens += 1;
        let token = token(self.person, self.tokens);
        let long = if rng.u8(0..20) == 0 { "x".repeat(rng.usize(0..bytes_max)) } else { "".into() };
        let mut text = line(&format!("{token}{} {long}", pick(rng, &TAILS))).to_string();
        text.truncate(text.floor_char_boundary(bytes_max));
        (token, text.trim_end().to_owned())
    }

    /// The last lines have an outcome.
    pub(crate) fn answered(&mut self, lines: u64, is_sent: bool) {
        let numbers = self.tokens + 1 - lines..=self.tokens;
        let answered = |number| Answered { token: token(self.person, number), is_sent };
        self.answers.extend(numbers.map(answered));
    }

    /// A private message.
    pub(crate) fn whisper(&mut self, bytes: usize) -> Line {
        self.tokens += 1;
        let token = private_token((self.person, self.tokens));
        line(&format!("{token}{}", "y".repeat(bytes)))
    }

    /// The number of its last token.
    pub(crate) fn last_token(&self) -> u64 {
        self.tokens
    }
}

pub(crate) fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

pub(crate) fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())].clone()
}

/// Checks the outcomes that people were told; `stored` are the texts of all stored lines.
pub(crate) fn check_answers<'a>(answers: &[Answered], stored: impl Iterator<Item = &'a str>) {
    let token = |text: &'a str| text.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let stored: HashSet<_> = stored.filter_map(token).collect();
    for Answered { token, is_sent } in answers {
        assert_eq!(*is_sent, stored.contains(token.as_str()), "whether {token} was sent");
    }
}
