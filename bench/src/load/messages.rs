//! The lines under way: what their text is, who has yet to hear them, and since when. Knows no socket.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::bail;

/// A line's number stands behind this byte, which no server sends by itself but in the length of a WebSocket's frame; there no
/// number follows.
pub(crate) const MARKER: u8 = b'~';

/// Marker and number.
pub(crate) const MARK_BYTES: usize = 9;

/// What one line says, in bytes.
const TEXT_BYTES: usize = 64;

/// A server that is so many lines behind does not keep up.
const UNDER_WAY_MAX: usize = 100_000;

#[derive(Debug)]
struct Message {
    due: Instant,
    /// So many listeners have not heard it.
    missing: usize,
}

/// Lines that have been said.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    under_way: VecDeque<Message>,
    /// The number of the first of them.
    first: u32,
    undone: usize,
}

impl Messages {
    /// A new line, for so many listeners. Its number.
    pub(crate) fn add(&mut self, due: Instant, listeners: usize) -> anyhow::Result<u32> {
        if self.under_way.len() >= UNDER_WAY_MAX {
            bail!("the server is {UNDER_WAY_MAX} lines behind: it does not keep up");
        }
        let number = self.next();
        let missing = listeners;
        self.under_way.push_back(Message { due, missing });
        self.undone += 1;
        Ok(number)
    }

    /// A listener has heard it. When it was due, unless it is done already.
    pub(crate) fn heard(&mut self, number: u32) -> Option<Instant> {
        let index = number.checked_sub(self.first)? as usize;
        let message = self.under_way.get_mut(index)?;
        let due = message.due;
        message.missing = message.missing.saturating_sub(1);
        if message.missing == 0 {
            self.undone -= 1;
        }
        while self
            .under_way
            .front()
            .is_some_and(|message| message.missing == 0)
        {
            self.under_way.pop_front();
            self.first += 1;
        }
        Some(due)
    }

    /// The number of the next line: so many have been said.
    pub(crate) fn next(&self) -> u32 {
        self.first + self.under_way.len() as u32
    }

    /// How many are not heard by all.
    pub(crate) fn undone(&self) -> usize {
        self.undone
    }

    /// How many listeners have yet to hear the first that is not done.
    pub(crate) fn missing(&self) -> usize {
        self.under_way.front().map_or(0, |message| message.missing)
    }

    /// Nobody waits any more for those under way.
    pub(crate) fn forget(&mut self) {
        self.first += self.under_way.len() as u32;
        self.under_way.clear();
        self.undone = 0;
    }
}

/// The words of the line with this number.
pub(crate) fn text(number: u32) -> [u8; TEXT_BYTES] {
    let mut text = *b"~........ and as many letters as an ordinary line has in a room.";
    for (index, place) in text.iter_mut().skip(1).take(8).enumerate() {
        let digit = (number >> (28 - 4 * index)) & 0xf;
        *place = b"0123456789abcdef"[digit as usize];
    }
    text
}

/// The number in a marker.
pub(crate) fn read_mark(mark: &[u8]) -> Option<u32> {
    mark.iter().skip(1).try_fold(0, |number, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u32::from(digit))
    })
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_from_its_text() {
        for number in [0, 1, 0xdead_beef, u32::MAX] {
            assert_eq!(read_mark(&text(number)[..MARK_BYTES]), Some(number));
        }
        assert_eq!(read_mark(b"~no digit"), None);
        assert_eq!(read_mark(b"~\0\xa6{\"kind"), None, "the length of a frame");
    }

    #[test]
    fn a_line_is_done_when_all_have_heard_it() {
        let mut messages = Messages::default();
        let first = messages.add(Instant::now(), 2).expect("one is not many");
        let second = messages.add(Instant::now(), 2).expect("two are not many");
        assert!(messages.heard(second).is_some());
        assert!(messages.heard(second).is_some());
        assert_eq!(messages.undone(), 1);
        assert!(messages.heard(first).is_some());
        assert!(messages.heard(first).is_some());
        assert_eq!(messages.undone(), 0);
        assert_eq!(messages.heard(first), None);
    }
}
