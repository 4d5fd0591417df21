//! One line of text, safe to show on any terminal. Knows neither its author nor its readers.

use std::fmt;

use unicode_normalization::char::is_combining_mark;

/// More marks on one letter than any language writes; beyond that terminals have crashed
/// (CVE-2021-26937).
pub(crate) const MARKS_IN_A_ROW_MAX: usize = 8;

/// Large enough for vector instructions, small enough to stop early.
const PLAIN_CHUNK_BYTES: usize = 64;

/// One line of text that cannot control a terminal.
///
/// It has no control character but tab, no line separator, no character that changes or hides the
/// reading order, and at most eight combining marks in a row. [`Line::sanitise`] makes one from the
/// bytes of a person; [`Line::checked`] one from the text of another server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Line(Box<str>);

impl Line {
    /// Makes a line from any bytes: harmless text passes, controls become visible, the rest is
    /// removed.
    ///
    /// Bytes that are not UTF-8 become U+FFFD. The line is at most three times as long as the
    /// bytes. Sanitising a line again changes nothing.
    #[must_use]
    pub fn sanitise(bytes: &[u8]) -> Self {
        if is_plain(bytes)
            && let Ok(text) = str::from_utf8(bytes)
        {
            return Self(text.into());
        }
        let mut safe = Safe::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| safe.push(c));
            if !chunk.invalid().is_empty() {
                safe.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Self(safe.text.into_boxed_str())
    }

    /// A line that another server has sanitised; none if it has a character that no line has.
    ///
    /// Marks are not counted again. Which characters are marks depends on the version of Unicode,
    /// and servers with different versions must accept the same lines.
    #[must_use]
    pub fn checked(text: &str) -> Option<Self> {
        is_safe(text).then(|| Self(text.into()))
    }

    /// A line without characters.
    #[must_use]
    pub fn empty() -> Self {
        Self("".into())
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first characters, in at most this many bytes.
    #[must_use]
    pub(crate) fn cut(self, bytes_max: usize) -> Self {
        match self.0.len() <= bytes_max {
            true => self,
            false => Self(self.0.get(..self.0.floor_char_boundary(bytes_max)).unwrap_or("").into()),
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has nothing visible: only blanks, format characters and marks without a letter.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        // Most lines begin with a letter, so letters are checked first. A mark alone has no width.
        let is_unseen = |c: char| !c.is_ascii_graphic() && (is_unseen(c) || is_combining_mark(c));
        self.0.chars().all(is_unseen)
    }

    /// Whether it has no characters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Whether all bytes are printable ASCII or tab, as in most lines. Such a line is copied unchanged.
fn is_plain(bytes: &[u8]) -> bool {
    // Within a chunk there is no early exit, so the compiler can check many bytes in one step.
    bytes.chunks(PLAIN_CHUNK_BYTES).all(|chunk| {
        chunk.iter().fold(true, |plain, &b| plain & ((b' '..=b'~').contains(&b) | (b == b'\t')))
    })
}

/// Whether a line can have all these characters.
pub(crate) fn is_safe(text: &str) -> bool {
    is_plain(text.as_bytes()) || text.chars().all(|c| replaced(c) == Some(c))
}

/// A line under construction.
struct Safe {
    text: String,
    /// The number of marks since the last character that has a width, dropped marks included.
    marks: usize,
}

impl Safe {
    fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), marks: 0 }
    }

    fn push(&mut self, c: char) {
        let Some(c) = replaced(c) else { return };
        if is_combining_mark(c) {
            self.marks += 1;
            if self.marks > MARKS_IN_A_ROW_MAX {
                return;
            }
        } else if !is_invisible(c) {
            self.marks = 0;
        }
        self.text.push(c);
    }
}

/// The character to show in place of `c`; none to leave it out.
fn replaced(c: char) -> Option<char> {
    match c {
        '\t' => Some(c),
        // Unicode has a picture of each of these, in the same order.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
        '\u{2028}' | '\u{2029}' => Some('\u{2424}'),
        // Bidi embeddings, overrides and isolates, then tag characters.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => None,
        // The byte order mark, which stands at the beginning of some files.
        '\u{feff}' => None,
        _ => Some(c),
    }
}

/// Whether this is the picture of a control character.
pub(crate) fn is_picture(c: char) -> bool {
    matches!(c, '\u{2400}'..='\u{2424}')
}

/// Whether this character is invisible, at least on its own.
pub(crate) fn is_unseen(c: char) -> bool {
    let is_filler = matches!(
        c,
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
    );
    c.is_whitespace() || is_invisible(c) || is_filler
}

/// Whether this is a format character without a width, such as ZWJ. Such characters pass, but marks
/// on either side of them pile up on the same letter, so they do not end a row of marks. (Variation
/// selectors are marks themselves, and count.)
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    fn shown(bytes: impl AsRef<[u8]>) -> String {
        Line::sanitise(bytes.as_ref()).to_string()
    }

    #[test]
    fn text_of_people_passes() {
        let family = "\u{1f469}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f468} 1\u{fe0f}\u{20e3}";
        for text in
            ["", "hi!", "a\tb ~", "grüße, мир, 世界", "नमस्ते ที่นี่ مرحبًا", "می\u{200c}خواهم", family]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn controls_become_pictures() {
        assert_eq!(shown("\0\x07\x08\r\n\x1b[31m\x7f"), "␀␇␈␍␊␛[31m␡");
        assert_eq!(shown("\u{80}\u{85}\u{9b}31m\u{9f}"), "\u{fffd}\u{fffd}\u{fffd}31m\u{fffd}");
        assert_eq!(shown("a\u{2028}b\u{2029}c"), "a␤b␤c");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_marked() {
        for bytes in [&b"a\xffb"[..], b"\xe2\x82", b"\xf0\x9f\x92z", b"\xc0\xaf", b"\xed\xa0\x80"] {
            assert_eq!(shown(bytes), String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn characters_that_turn_or_hide_text_are_removed() {
        assert_eq!(shown("ab\u{202e}cd\u{2066}ef\u{2069}\u{202a}gh"), "abcdefgh");
        assert_eq!(shown("x\u{e0001}\u{e0041}\u{e007f}y"), "xy");
        assert_eq!(shown("\u{feff}x\u{feff}y"), "xy", "no mark of the byte order is text");
    }

    #[test]
    fn invisible_text_is_blank() {
        for text in [
            "",
            " \t ",
            "\u{3000}\u{a0}",
            "\u{202e}",
            "\u{200b}\u{200d}",
            "\u{301}\u{301}",
            " \u{ad}\u{fe0f}",
            "\u{3164}",
            "\u{2800}",
            "\u{feff}",
            "\u{34f}",
        ] {
            assert!(Line::sanitise(text.as_bytes()).is_blank(), "{text:?}");
        }
        let seen = [".", " a ", "e\u{301}", "\u{202e}x", "\0", "\u{1b}", "\u{2764}\u{fe0f}", "世"];
        for text in seen {
            assert!(!Line::sanitise(text.as_bytes()).is_blank(), "{text:?}");
        }
    }

    #[test]
    fn a_row_of_marks_is_cut_after_eight() {
        let marks = |n| "\u{301}".repeat(n);
        assert_eq!(shown(format!("e{}", marks(8))), format!("e{}", marks(8)));
        assert_eq!(shown(format!("e{}!", marks(50))), format!("e{}!", marks(8)));
        assert_eq!(shown(format!("e{0}e{0}", marks(8))), format!("e{0}e{0}", marks(8)));
    }

    #[test]
    fn invisible_characters_do_not_end_a_row_of_marks() {
        let marks = "\u{301}".repeat(8);
        assert_eq!(shown(format!("e{marks}\u{202e}{marks}")), format!("e{marks}"));
        assert_eq!(shown(format!("e{marks}\u{e0020}{marks}")), format!("e{marks}"));
        assert_eq!(shown(format!("e{marks}\u{200d}{marks}")), format!("e{marks}\u{200d}"));
        assert_eq!(shown(format!("e{marks}\u{2060}\u{fe0f}!")), format!("e{marks}\u{2060}!"));
    }

    proptest! {
        #[test]
        fn every_line_is_accepted_as_it_is(text in "[a \\t\\r\u{9b}\u{301}\u{200d}\u{2028}\u{202e}\u{feff}\\PC]{0,40}") {
            let line = Line::sanitise(text.as_bytes());
            prop_assert_eq!(Line::checked(line.as_str()), Some(line.clone()));
            let marks = text.chars().filter(|c| is_combining_mark(*c)).count();
            if line.as_str() != text && marks <= MARKS_IN_A_ROW_MAX {
                prop_assert_eq!(Line::checked(&text), None);
            }
        }
    }

    #[test]
    fn plain_text_is_found_at_every_length() {
        for len in 0..200 {
            assert!(is_plain(&vec![b'~'; len]));
            for bad in [b'\n', 0x1f, 0x7f, 0x80, 0xff] {
                let mut bytes = vec![b'a'; len];
                bytes.push(bad);
                assert!(!is_plain(&bytes), "{bad:#x} after {len} bytes");
            }
        }
    }
}
