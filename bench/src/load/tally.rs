//! Counts the lines that a slow client has read, and those in the server's notices of skipped
//! lines. Knows the words of Parlor's protocols.

use memchr::memmem;

use super::messages::MARKER;
use crate::server::{Protocol, first_frame};

/// Splits off the first piece; None if it is not complete.
type Split = fn(&[u8]) -> Option<(&[u8], &[u8])>;

/// Lines read and lines skipped.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) read: u64,
    pub(crate) skipped: u64,
    /// Finds the end of a line, or of a WebSocket's frame.
    split: Split,
    /// The beginning of a line or frame that is not complete.
    held: Vec<u8>,
}

impl Tally {
    /// An empty tally for clients of this protocol.
    pub(crate) fn of(protocol: Protocol) -> Tally {
        let split = if protocol == Protocol::WebSocket { first_frame } else { first_line };
        Tally { read: 0, skipped: 0, split, held: Vec::new() }
    }

    /// Counts the lines in these bytes, which are the next ones received.
    pub(crate) fn count(&mut self, bytes: &[u8]) {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut rest = held.as_slice();
        while let Some((piece, behind)) = (self.split)(rest) {
            if memchr::memchr(MARKER, piece).is_some() {
                self.read += 1;
            } else {
                self.skipped += skipped(piece).unwrap_or(0);
            }
            rest = behind;
        }
        self.held = rest.to_vec();
    }
}

fn first_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)
}

/// The number in `-- 128 lines skipped: you were reading too slowly`, in the shorter notice of
/// classic mode, and in `{"kind":"skipped","lines":128,...,"text":"128 lines skipped"}`.
fn skipped(piece: &[u8]) -> Option<u64> {
    let before = str::from_utf8(&piece[..memmem::find(piece, b" skipped")?]).ok()?;
    let before = before.strip_suffix(" lines").or(before.strip_suffix(" line"))?;
    before.rsplit(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_pieces_they_come_in() {
        let bytes = b"guest1: ~00000001 words\n-- 128 lines skipped: you were reading too slowly\n\
            -- 1 line skipped\nguest1 has left\nguest1: ~00000083 words\n-- 5 lines of text\n";
        assert_counted(Protocol::NamedLines, bytes);
    }

    #[test]
    fn frames_are_counted_whatever_pieces_they_come_in() {
        let mut bytes = Vec::new();
        for text in [
            r#"{"kind":"line","room":"lobby","seq":1,"name":"guest1","text":"~00000001 words"}"#,
            r#"{"kind":"skipped","room":"lobby","lines":128,"first":2,"last":129,"text":"128 lines skipped"}"#,
            r#"{"kind":"skipped","text":"1 line skipped","room":"lobby","lines":1,"first":130,"last":130}"#,
            r#"{"kind":"left","room":"lobby","seq":130,"name":"guest1"}"#,
            r#"{"kind":"line","room":"lobby","seq":131,"name":"guest1","text":"~00000083 \"lines\":5"}"#,
        ] {
            bytes.extend([0x81, text.len() as u8]);
            bytes.extend_from_slice(text.as_bytes());
        }
        assert_counted(Protocol::WebSocket, &bytes);
    }

    /// Two lines, and 129 skipped.
    fn assert_counted(protocol: Protocol, bytes: &[u8]) {
        for size in [1, 7, bytes.len()] {
            let mut tally = Tally::of(protocol);
            bytes.chunks(size).for_each(|piece| tally.count(piece));
            assert_eq!((tally.read, tally.skipped), (2, 129), "in pieces of {size}");
        }
    }
}
