//! The lines on their way: their text, their time, and the number of listeners that have yet to
//! receive them. Knows no socket.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::ensure;

/// The number of a line follows this byte. Servers send it elsewhere only in the length of a
/// WebSocket's frame, and there no number follows.
pub(crate) const MARKER: u8 = b'~';

/// Marker and number.
pub(crate) const MARK_BYTES: usize = 9;

/// If this many lines are on their way, the server is too slow for the load.
const ON_THEIR_WAY_MAX: usize = 100_000;

#[derive(Debug)]
struct Message {
    due: Instant,
    /// The client who says it.
    speaker: usize,
    /// The number of listeners that have not received it.
    missing: usize,
}

/// Lines that were said.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    on_their_way: VecDeque<Message>,
    /// The number of the first of them.
    first: u32,
    undone: usize,
}

impl Messages {
    /// Adds a line of a client for this many listeners. Returns its number.
    pub(crate) fn add(
        &mut self,
        due: Instant,
        speaker: usize,
        listeners: usize,
    ) -> anyhow::Result<u32> {
        ensure!(
            self.on_their_way.len() < ON_THEIR_WAY_MAX,
            "the server is {ON_THEIR_WAY_MAX} lines behind: it does not keep up"
        );
        self.on_their_way.push_back(Message { due, speaker, missing: listeners });
        self.undone += 1;
        Ok(self.next() - 1)
    }

    /// Notes that a listener has received the line. Returns the time when the line was due, unless
    /// all listeners had it already.
    pub(crate) fn received(&mut self, number: u32) -> Option<Instant> {
        let index = number.checked_sub(self.first)? as usize;
        let message = self.on_their_way.get_mut(index)?;
        let due = message.due;
        message.missing = message.missing.saturating_sub(1);
        if message.missing == 0 {
            self.undone -= 1;
        }
        let is_done = |message: &Message| message.missing == 0;
        while self.on_their_way.front().is_some_and(is_done) {
            self.on_their_way.pop_front();
            self.first += 1;
        }
        Some(due)
    }

    /// Whether a line on its way is said by this client.
    pub(crate) fn is_of(&self, number: u32, speaker: usize) -> bool {
        let index = number.checked_sub(self.first);
        let message = index.and_then(|index| self.on_their_way.get(index as usize));
        message.is_some_and(|message| message.speaker == speaker)
    }

    /// The number of the next line, which is the number of lines said.
    pub(crate) fn next(&self) -> u32 {
        self.first + self.on_their_way.len() as u32
    }

    /// The number of lines that some listeners have not received.
    pub(crate) fn undone(&self) -> usize {
        self.undone
    }

    /// The number of listeners that have yet to receive the first line that is not done.
    pub(crate) fn missing(&self) -> usize {
        self.on_their_way.front().map_or(0, |message| message.missing)
    }

    /// Stops waiting for the lines on their way.
    pub(crate) fn forget(&mut self) {
        self.first += self.on_their_way.len() as u32;
        self.on_their_way.clear();
        self.undone = 0;
    }
}

/// The text of the line with this number: 64 bytes.
pub(crate) fn text(number: u32) -> String {
    format!("~{number:08x} and as many letters as an ordinary line has in a room.")
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

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_back_from_its_text() {
        for number in [0, 1, 0xdead_beef, u32::MAX] {
            let text = text(number);
            assert_eq!(text.len(), 64);
            assert_eq!(read_mark(&text.as_bytes()[..MARK_BYTES]), Some(number));
        }
        assert_eq!(read_mark(b"~no digit"), None);
        assert_eq!(read_mark(b"~\0\xa6{\"kind"), None, "the length of a frame");
    }

    #[test]
    fn line_is_done_when_all_have_received_it() {
        let mut messages = Messages::default();
        let first = messages.add(Instant::now(), 7, 2).expect("one is not many");
        let second = messages.add(Instant::now(), 8, 2).expect("two are not many");
        assert!(messages.is_of(second, 8) && !messages.is_of(first, 8));
        assert!(messages.received(second).is_some());
        assert!(messages.received(second).is_some());
        assert_eq!(messages.undone(), 1);
        assert!(messages.received(first).is_some());
        assert!(messages.received(first).is_some());
        assert_eq!(messages.undone(), 0);
        assert_eq!(messages.received(first), None);
        assert!(!messages.is_of(second, 8), "it is done");
    }
}
