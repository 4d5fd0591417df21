//! Bytes to lines of IRC, which have their own limits. Knows no socket and no meaning of a line.

use std::borrow::Cow;
use std::mem;

use super::tags::CLIENT_TAGS_BYTES_MAX;
use super::writer::MESSAGE_BYTES_MAX;

/// A line from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IrcFrame<'a> {
    /// A line without its ending, not empty; borrowed from the input if it is there in one piece.
    Line(Cow<'a, str>),
    /// A line that is not UTF-8. Its bytes may show that the client speaks another protocol.
    InvalidUtf8(Cow<'a, [u8]>),
    /// A line is too long. This is reported once for each such line, which is discarded.
    TooLong,
}

/// Cuts the bytes of one connection into [`IrcFrame`]s, independent of the pieces in which they
/// arrive.
///
/// LF and CR LF end a line. Between two lines a framer has no memory of its own.
#[derive(Debug, Default)]
pub struct IrcFramer {
    /// The unfinished line: not longer than the longest that passes and a CR. Its memory is freed
    /// when the line ends.
    tail: Vec<u8>,
    /// The unfinished line is too long, and the caller knows it. The tail stays empty until the
    /// line ends.
    too_long: bool,
}

impl IrcFramer {
    /// Takes the next frame from the front of `input`, or takes all of it and returns `None`. An
    /// unfinished line at the end of a connection is nothing: its rest is missing.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<IrcFrame<'a>> {
        while let Some(at) = memchr::memchr(b'\n', input) {
            let line = input.split_off(..at)?;
            input.split_off_first();
            let frame = self.end(line);
            if frame.is_some() {
                return frame;
            }
        }
        self.keep(mem::take(input))
    }

    /// The unfinished line. It reveals protocols that send no newline.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Ends the line with these last bytes.
    fn end<'a>(&mut self, bytes: &'a [u8]) -> Option<IrcFrame<'a>> {
        if mem::take(&mut self.too_long) {
            return None;
        }
        if self.tail.is_empty() {
            let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            return whole(Cow::Borrowed(line));
        }
        if self.tail.len() + bytes.len() > longest(&self.tail) {
            self.tail = Vec::new();
            return Some(IrcFrame::TooLong);
        }
        let mut line = mem::take(&mut self.tail);
        line.extend_from_slice(bytes);
        line.pop_if(|last| *last == b'\r');
        whole(Cow::Owned(line))
    }

    /// Keeps bytes that do not end the line.
    fn keep(&mut self, bytes: &[u8]) -> Option<IrcFrame<'static>> {
        if self.too_long || bytes.is_empty() {
            return None;
        }
        let longest = longest(if self.tail.is_empty() { bytes } else { &self.tail });
        let len = self.tail.len() + bytes.len();
        if len > longest {
            self.tail = Vec::new();
            self.too_long = true;
            return Some(IrcFrame::TooLong);
        }
        if len > self.tail.capacity() {
            // It grows as a Vec does, but never beyond the longest line.
            let space = self.tail.capacity().saturating_mul(2).clamp(len, longest);
            self.tail.reserve_exact(space - self.tail.len());
        }
        self.tail.extend_from_slice(bytes);
        None
    }
}

/// The length of the longest line that begins with these bytes, with its CR.
fn longest(line: &[u8]) -> usize {
    let tags = if line.starts_with(b"@") { "@ ".len() + CLIENT_TAGS_BYTES_MAX } else { 0 };
    tags + MESSAGE_BYTES_MAX + 1
}

/// The frame of a whole line without its ending; none if the line is empty.
fn whole(line: Cow<'_, [u8]>) -> Option<IrcFrame<'_>> {
    if line.is_empty() {
        return None;
    }
    if is_too_long(&line) {
        return Some(IrcFrame::TooLong);
    }
    Some(match line {
        Cow::Borrowed(bytes) => match str::from_utf8(bytes) {
            Ok(text) => IrcFrame::Line(text.into()),
            Err(_) => IrcFrame::InvalidUtf8(bytes.into()),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => IrcFrame::Line(text.into()),
            Err(error) => IrcFrame::InvalidUtf8(error.into_bytes().into()),
        },
    })
}

/// Whether the tags of a line, or what is behind them, are longer than they may be.
fn is_too_long(line: &[u8]) -> bool {
    let Some(tagged) = line.strip_prefix(b"@") else {
        return line.len() > MESSAGE_BYTES_MAX;
    };
    let tags = memchr::memchr(b' ', tagged).unwrap_or(tagged.len());
    tags > CLIENT_TAGS_BYTES_MAX || tagged.len() - tags > MESSAGE_BYTES_MAX + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of an input that arrives in these pieces, each as text.
    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut framer = IrcFramer::default();
        let mut shown = Vec::new();
        for mut input in pieces {
            while let Some(frame) = framer.next(&mut input) {
                shown.push(match frame {
                    IrcFrame::Line(line) => line.into_owned(),
                    IrcFrame::InvalidUtf8(bytes) => format!("({})", bytes.escape_ascii()),
                    IrcFrame::TooLong => "(too long)".to_owned(),
                });
            }
            assert!(input.is_empty());
        }
        shown
    }

    /// The frames of these bytes, which are the same in one piece and in small ones.
    fn all(bytes: &[u8]) -> Vec<String> {
        let shown = frames([bytes]);
        for size in [1, 2, 3, 100, 509, 513] {
            assert_eq!(frames(bytes.chunks(size)), shown, "in pieces of {size}");
        }
        shown
    }

    /// A line with this many bytes of tags and this many behind them.
    fn tagged(tags: usize, rest: usize, ending: &str) -> Vec<u8> {
        format!("@{} {}{ending}", "t".repeat(tags), "x".repeat(rest)).into_bytes()
    }

    #[test]
    fn lines_end_in_lf_or_crlf_and_empty_ones_are_nothing() {
        assert_eq!(all(b"a\r\nb\n\r\n\n\nc\rd\r\r\n\r\ne"), ["a", "b", "c\rd\r"]);
        assert_eq!(all("größe 世\r\n".as_bytes()), ["größe 世"]);
        assert!(all(b"").is_empty());
    }

    #[test]
    fn other_bytes_than_utf_8_are_reported() {
        assert_eq!(all(b"caf\xe9\r\nok\n\xff\n"), ["(caf\\xe9)", "ok", "(\\xff)"]);
    }

    #[test]
    fn the_limits_are_those_of_the_protocol() {
        for ending in ["\n", "\r\n"] {
            for (len, passes) in [(1, true), (509, true), (510, true), (511, false), (5_000, false)]
            {
                let bytes = format!("{}{ending}next\n", "x".repeat(len)).into_bytes();
                let shown = all(&bytes);
                assert_eq!((shown[0] != "(too long)", shown.len()), (passes, 2), "{len}");
            }
            for (tags, rest, passes) in [
                (0, 1, true),
                (4_094, 510, true),
                (4_095, 1, false),
                (1, 511, false),
                (4_095, 510, false),
                (4_094, 511, false),
            ] {
                let bytes = [tagged(tags, rest, ending), b"next\n".to_vec()].concat();
                let shown = all(&bytes);
                assert_eq!((shown[0] != "(too long)", shown.len()), (passes, 2), "{tags} {rest}");
            }
        }
        assert_eq!(all(&[b"@".repeat(5_000), b"\r\na\n".to_vec()].concat()), ["(too long)", "a"]);
    }

    #[test]
    fn an_endless_line_is_reported_once_and_takes_no_memory() {
        for (first, piece) in [(b'a', 1), (b'@', 7), (b'@', 4_096), (b'\r', 100_000)] {
            let mut framer = IrcFramer::default();
            let mut told = 0;
            let bytes = vec![first; piece];
            for _ in 0..(1 << 20) / piece {
                let mut input = bytes.as_slice();
                while let Some(frame) = framer.next(&mut input) {
                    assert_eq!(frame, IrcFrame::TooLong);
                    told += 1;
                }
                assert!(framer.tail.capacity() <= 4_096 + 511);
            }
            assert_eq!((told, framer.tail.capacity()), (1, 0));
        }
    }

    #[test]
    fn an_idle_framer_has_no_memory_and_shows_the_line_so_far() {
        let mut framer = IrcFramer::default();
        assert_eq!(framer.next(&mut &b"a\n\x16\x03"[..]), Some(IrcFrame::Line("a".into())));
        assert_eq!(framer.next(&mut &b"\x16\x03"[..]), None);
        assert_eq!(framer.tail(), b"\x16\x03");
        assert_eq!(framer.next(&mut &b"\n"[..]), Some(IrcFrame::Line("\x16\x03".into())));
        assert_eq!((framer.tail(), framer.tail.capacity()), (&b""[..], 0));
        assert!(size_of::<IrcFramer>() <= 32);
    }

    #[test]
    fn a_whole_line_is_not_copied() {
        let mut framer = IrcFramer::default();
        let frame = framer.next(&mut &b"abc\r\n"[..]);
        assert!(matches!(frame, Some(IrcFrame::Line(Cow::Borrowed("abc")))));
    }
}
