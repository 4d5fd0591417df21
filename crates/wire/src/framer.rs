//! Bytes to lines. Knows no socket and no meaning of a line; [`telnet`](crate::telnet) reads the
//! commands.
//!
//! The caller pulls one frame at a time, so it can stop at any line and keep the other bytes:
//!
//! ```
//! use parlor_wire::framer::{Frame, Framer};
//!
//! let mut framer = Framer::new(4096);
//! let mut input: &[u8] = b"alice\r\nhel";
//! assert_eq!(framer.next(&mut input), Some(Frame::Line(b"alice".into())));
//! assert_eq!(framer.next(&mut input), None);
//! input = b"lo\n";
//! assert_eq!(framer.next(&mut input), Some(Frame::Line(b"hello".into())));
//! ```

use std::borrow::Cow;
use std::mem;

use crate::telnet::{IAC, Telnet, TelnetEvent};

/// A line, or a part of telnet, from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its ending; borrowed from the input if it is there in one piece.
    ///
    /// Its bytes may be anything: controls, or no UTF-8.
    Line(Cow<'a, [u8]>),
    /// The unfinished line has passed the limit. This is reported once, as soon as it happens; the
    /// rest of the line is discarded.
    TooLong,
    /// An answer that a telnet client expects, ready to send. A framer returns at most
    /// [`ANSWERS_MAX`](crate::telnet::ANSWERS_MAX) of them.
    Reply([u8; 3]),
}

/// Cuts the bytes of one connection into [`Frame`]s, independent of the pieces in which they
/// arrive.
///
/// LF, CR LF and telnet's CR NUL (RFC 854, "The NVT printer") end a line; any other CR or NUL is a
/// part of it. Between two lines a framer takes 48 bytes, and the memory of [`Telnet`] after the
/// first IAC.
#[derive(Debug)]
pub struct Framer {
    /// The longest line that passes, in bytes without its ending.
    line_bytes_max: usize,
    /// The unfinished line: at most `line_bytes_max` bytes and a CR. Its memory is freed when the
    /// line ends.
    tail: Vec<u8>,
    /// The last byte of text was a CR, which belongs to the line's ending if LF, NUL or the end of
    /// file follows.
    cr: bool,
    /// The unfinished line is over the limit, and the caller knows it. The tail stays empty until
    /// the line ends.
    too_long: bool,
    /// The last line ended as telnet ends lines, which shows a telnet client that has sent no
    /// command.
    crlf: bool,
    /// Made at the first IAC; most clients never send one.
    telnet: Option<Box<Telnet>>,
}

impl Framer {
    /// A framer for one connection, whose lines may have `line_bytes_max` bytes without their
    /// ending.
    pub fn new(line_bytes_max: usize) -> Framer {
        Framer {
            line_bytes_max,
            tail: Vec::new(),
            cr: false,
            too_long: false,
            crlf: false,
            telnet: None,
        }
    }

    /// Takes the next frame from the front of `input`, or takes all of it and returns `None`.
    ///
    /// It reads each byte at most twice, however many frames there are.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Frame<'a>> {
        while !input.is_empty() {
            let frame = self.step(input);
            if frame.is_some() {
                return frame;
            }
        }
        None
    }

    /// The last line, at the end of file, if it has no newline.
    ///
    /// A CR at its end counts as the beginning of CR LF. A telnet command that was cut short is
    /// dropped.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        if self.tail.is_empty() {
            return None;
        }
        self.end()
    }

    /// The unfinished line without a CR that may be its ending; empty while a line is discarded. It
    /// reveals protocols that send no newline.
    pub fn tail(&self) -> &[u8] {
        self.tail.strip_suffix(b"\r").unwrap_or(&self.tail)
    }

    /// Whether the last line ended with CR LF or CR NUL.
    pub(crate) fn ended_with_cr(&self) -> bool {
        self.crlf
    }

    /// Whether the client has sent an IAC, and so counts as telnet.
    fn is_telnet(&self) -> bool {
        self.telnet.is_some()
    }

    /// The command by which this side takes over the echo from a telnet client and then shows
    /// nothing, or gives the echo back (RFC 857). `None` if the client does not look like telnet.
    pub(crate) fn take_over_echo(&mut self, is_over_here: bool) -> Option<[u8; 3]> {
        (self.crlf || self.is_telnet())
            .then(|| self.telnet.get_or_insert_default().take_over_echo(is_over_here))
    }

    /// Takes at least one byte: a whole line, a run of plain text, or a byte with a meaning.
    fn step<'a>(&mut self, input: &mut &'a [u8]) -> Option<Frame<'a>> {
        let in_command = self.telnet.as_ref().is_some_and(|t| t.in_command());
        if !in_command {
            if let Some(line) = self.whole_line(input) {
                return Some(Frame::Line(Cow::Borrowed(line)));
            }
            let run = plain_bytes(input);
            if run > 0 {
                return self.keep(input.split_off(..run)?);
            }
        }
        let byte = *input.split_off_first()?;
        if in_command || byte == IAC { self.telnet(byte) } else { self.text(byte) }
    }

    /// The usual case, without a copy: a line that begins and ends in `input` and has no IAC.
    fn whole_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<&'a [u8]> {
        if self.too_long || !self.tail.is_empty() {
            return None;
        }
        let (text, rest) = input.split_at_checked(plain_bytes(input))?;
        let (ending, rest) = rest.split_first()?;
        let line = text.strip_suffix(b"\r");
        let line = match ending {
            b'\n' => line.unwrap_or(text),
            0 => line?,
            _ => return None,
        };
        if line.len() > self.line_bytes_max {
            return None;
        }
        *input = rest;
        self.crlf = line.len() < text.len();
        Some(line)
    }

    /// A byte of a telnet command: the IAC itself, and all bytes up to the end of the command.
    fn telnet(&mut self, byte: u8) -> Option<Frame<'static>> {
        match self.telnet.get_or_insert_default().hear(byte) {
            TelnetEvent::Text(byte) => self.text(byte),
            TelnetEvent::Nothing => None,
            TelnetEvent::Answer(bytes) => Some(Frame::Reply(bytes)),
            TelnetEvent::Endless => self.discard(),
        }
    }

    /// A single byte of text.
    fn text(&mut self, byte: u8) -> Option<Frame<'static>> {
        match byte {
            b'\n' => self.end().map(|line| Frame::Line(Cow::Owned(line))),
            0 if self.cr => self.end().map(|line| Frame::Line(Cow::Owned(line))),
            _ => self.keep(&[byte]),
        }
    }

    /// Text that does not end the line.
    fn keep(&mut self, text: &[u8]) -> Option<Frame<'static>> {
        self.cr = text.ends_with(b"\r");
        let bytes = self.tail.len().saturating_add(text.len());
        // A CR at the end does not count yet: LF may follow, and a line of exactly the limit
        // passes.
        if self.too_long || bytes - usize::from(self.cr) > self.line_bytes_max {
            return self.discard();
        }
        if bytes > self.tail.capacity() {
            // It grows as a Vec does, but never beyond the longest line and its CR.
            let longest = self.line_bytes_max.saturating_add(1);
            let room = self.tail.capacity().saturating_mul(2).min(longest);
            self.tail.reserve_exact(room.max(bytes) - self.tail.len());
        }
        self.tail.extend_from_slice(text);
        None
    }

    /// Reports once that the line is over the limit. From here on only the newline counts.
    fn discard(&mut self) -> Option<Frame<'static>> {
        self.tail = Vec::new();
        let told = mem::replace(&mut self.too_long, true);
        (!told).then_some(Frame::TooLong)
    }

    /// Ends the line. Returns `None` if it was discarded.
    fn end(&mut self) -> Option<Vec<u8>> {
        let mut line = mem::take(&mut self.tail);
        self.crlf = mem::take(&mut self.cr);
        if self.crlf {
            line.pop();
        }
        let too_long = mem::take(&mut self.too_long);
        (!too_long).then_some(line)
    }
}

/// The number of bytes before the first that has a meaning: LF, NUL (after a CR) or IAC.
fn plain_bytes(input: &[u8]) -> usize {
    memchr::memchr3(b'\n', 0, IAC, input).unwrap_or(input.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of an input that arrives in these pieces, each as text.
    fn frames(line_bytes_max: usize, pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new(line_bytes_max);
        let mut shown = Vec::new();
        for mut input in pieces.iter().copied() {
            while let Some(frame) = framer.next(&mut input) {
                shown.push(match frame {
                    Frame::Line(line) => line.escape_ascii().to_string(),
                    Frame::TooLong => "(too long)".into(),
                    Frame::Reply(bytes) => format!("(reply {bytes:?})"),
                });
            }
            assert!(input.is_empty());
        }
        shown.extend(framer.finish().map(|line| format!("{} (end)", line.escape_ascii())));
        assert_eq!(framer.finish(), None);
        shown
    }

    #[test]
    fn lf_and_crlf_end_a_line() {
        assert_eq!(frames(9, &[b"a\nb\r\n\n\r\nc\r\r\n"]), ["a", "b", "", "", r"c\r"]);
    }

    #[test]
    fn cr_nul_ends_a_line_also_when_split() {
        assert_eq!(frames(9, &[b"a\r\0b\r", b"\0c"]), ["a", "b", "c (end)"]);
    }

    #[test]
    fn a_cr_or_nul_elsewhere_stays() {
        assert_eq!(frames(9, &[b"a\rb\0c\n\0\n"]), [r"a\rb\x00c", r"\x00"]);
    }

    #[test]
    fn the_end_of_file_ends_a_line_as_in_go() {
        assert_eq!(frames(9, &[b"a\nb"]), ["a", "b (end)"]);
        assert_eq!(frames(9, &[b"b\r"]), ["b (end)"]);
        assert_eq!(frames(9, &[b"\r"]), [" (end)"]);
        assert!(frames(9, &[b""]).is_empty());
    }

    #[test]
    fn the_longest_line_passes_with_any_ending() {
        for ending in ["\n", "\r\n", "\r\0"] {
            let bytes = [b"1234", ending.as_bytes(), b"x\n"].concat();
            assert_eq!(frames(4, &[&bytes]), ["1234", "x"]);
            for at in 0..bytes.len() {
                let (a, b) = bytes.split_at(at);
                assert_eq!(frames(4, &[a, b]), ["1234", "x"]);
            }
        }
        assert_eq!(frames(4, &[b"1234\r"]), ["1234 (end)"]);
        assert_eq!(frames(4, &[b"1234\rx"]), ["(too long)"]);
    }

    #[test]
    fn a_long_line_is_reported_once_and_discarded() {
        assert_eq!(frames(4, &[b"12345\nx\n"]), ["(too long)", "x"]);
        assert_eq!(frames(4, &[b"123", b"45", b"678", b"9\nx\n"]), ["(too long)", "x"]);
        assert_eq!(frames(4, &[b"12345678\r", b"\0x\n"]), ["(too long)", "x"]);
        assert_eq!(frames(4, &[b"12345678"]), ["(too long)"]);
        assert_eq!(frames(0, &[b"\n1\n\r\n"]), ["", "(too long)", ""]);
    }

    #[test]
    fn the_caller_may_stop_at_any_line() {
        let mut framer = Framer::new(9);
        let mut input: &[u8] = b"a\nb\nc";
        assert_eq!(framer.next(&mut input), Some(Frame::Line(b"a".into())));
        assert_eq!(input, b"b\nc");
        assert!(framer.tail().is_empty());
    }

    #[test]
    fn a_whole_line_is_not_copied() {
        let mut framer = Framer::new(3);
        for mut input in [&b"abc\r\n"[..], b"abc\n", b"abc\r\0", b"\n"] {
            assert!(matches!(framer.next(&mut input), Some(Frame::Line(Cow::Borrowed(_)))));
        }
    }

    #[test]
    fn the_tail_shows_the_line_so_far_and_leaves_no_memory() {
        let mut framer = Framer::new(9);
        assert_eq!(framer.next(&mut &b"\x16\x03\x01\r"[..]), None);
        assert_eq!(framer.tail(), b"\x16\x03\x01");
        assert!(framer.next(&mut &b"\n"[..]).is_some());
        assert_eq!((framer.tail(), framer.tail.capacity()), (&b""[..], 0));
        assert!(size_of::<Framer>() <= 48);
    }

    #[test]
    fn an_endless_line_takes_no_more_memory_than_the_longest() {
        for piece in [1, 7, 4096, 65_536] {
            let mut framer = Framer::new(4096);
            let mut told = 0;
            for _ in 0..(4 << 20) / piece {
                let bytes = vec![b'a'; piece];
                let mut input = bytes.as_slice();
                while let Some(frame) = framer.next(&mut input) {
                    assert_eq!(frame, Frame::TooLong);
                    told += 1;
                }
                assert!(framer.tail.capacity() <= 4097);
            }
            assert_eq!((told, framer.tail.capacity()), (1, 0));
        }
    }

    #[test]
    fn telnet_is_answered_and_leaves_no_trace_in_the_line() {
        let bytes = b"a\xff\xfb\x1fb\xff\xfa\x1f\x00\x50\x00\x0a\xff\xf0c\xff\xf1\r\xff\xf1\0";
        assert_eq!(frames(9, &[bytes]), ["(reply [255, 254, 31])", "abc"]);
        for at in 0..bytes.len() {
            let (a, b) = bytes.split_at(at);
            assert_eq!(frames(9, &[a, b]), ["(reply [255, 254, 31])", "abc"]);
        }
    }

    #[test]
    fn only_an_iac_makes_a_client_telnet() {
        let mut framer = Framer::new(9);
        assert!(framer.next(&mut &b"a\r\0"[..]).is_some());
        assert!(!framer.is_telnet());
        assert!(framer.next(&mut &b"\xff"[..]).is_none());
        assert!(framer.is_telnet());
    }

    #[test]
    fn an_endless_subnegotiation_is_a_line_too_long() {
        let mut bytes = b"a\xff\xfa\x18".to_vec();
        bytes.extend([b'x'; 5000]);
        bytes.extend(b" payload\nb\n");
        assert_eq!(frames(9, &[&bytes]), ["(too long)", "b"]);
    }
}
