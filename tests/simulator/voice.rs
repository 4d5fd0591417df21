//! The lines that a simulated client says: no two are the same.

use fastrand::Rng;
use parlor_core::model::{Line, Manner, Spoken};

use crate::checker::token;

/// The text after a token: nothing, much, or bytes that no terminal should get.
const TAILS: [&str; 6] =
    ["", "", " and more: words", " \x1b[2J\r\u{202e}-- you", " has arrived", " grüße"];

pub(crate) struct Voice {
    person: usize,
    /// The number of the last token.
    tokens: u64,
    /// The number of lines it said.
    pub(crate) lines: u64,
}

impl Voice {
    pub(crate) fn new(person: usize) -> Voice {
        Voice { person, tokens: 0, lines: 0 }
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
            Spoken {
                manner: if rng.u8(0..5) == 0 { Manner::Action } else { Manner::Plain },
                text: line(&format!("{last}{tail}{long}")),
            }
        });
        let lines = lines.collect();
        self.lines += count as u64;
        (lines, last)
    }

    /// A private message.
    pub(crate) fn whisper(&mut self, bytes: usize) -> Line {
        self.tokens += 1;
        let (person, number) = (self.person, self.tokens);
        line(&format!("p{person}n{number}{}", "y".repeat(bytes)))
    }
}

pub(crate) fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

pub(crate) fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(0..from.len())].clone()
}
