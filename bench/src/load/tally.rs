//! What somebody read who reads slowly: lines, and those that the server says were skipped. Knows the
//! words of Parlor's line protocol.

use super::messages::MARKER;

/// Lines read and lines skipped.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) read: u64,
    pub(crate) skipped: u64,
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
}

impl Tally {
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end + 1);
            rest = behind;
            if self.held.is_empty() {
                self.count(line);
            } else {
                let mut whole = std::mem::take(&mut self.held);
                whole.extend_from_slice(line);
                self.count(&whole);
            }
        }
        self.held.extend_from_slice(rest);
    }

    fn count(&mut self, line: &[u8]) {
        if let Some(skipped) = skipped(line) {
            self.skipped += skipped;
        } else if memchr::memchr(MARKER, line).is_some() {
            self.read += 1;
        }
    }
}

/// The number in `-- 128 lines skipped: you were reading too slowly`, and in classic mode's shorter one.
fn skipped(line: &[u8]) -> Option<u64> {
    let notice = str::from_utf8(line.strip_prefix(b"-- ")?).ok()?;
    let (number, words) = notice.split_once(' ')?;
    let words = words.strip_prefix("lines").or(words.strip_prefix("line"))?;
    if !words.starts_with(" skipped") {
        return None;
    }
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_however_they_are_cut() {
        let bytes = b"guest1: ~00000001 words\n-- 128 lines skipped: you were reading too slowly\n\
            -- 1 line skipped\nguest1 has left\nguest1: ~00000083 words\n-- 5 lines of text\n";
        for size in [1, 7, bytes.len()] {
            let mut tally = Tally::default();
            bytes.chunks(size).for_each(|piece| tally.hear(piece));
            assert_eq!((tally.read, tally.skipped), (2, 129), "in pieces of {size}");
        }
    }
}
