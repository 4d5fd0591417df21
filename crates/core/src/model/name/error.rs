//! The reasons to refuse a name, for the person who typed it. Does not know how names are checked.

use std::fmt;

use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// The longest name, in code points. It fits people's full names and leaves space on the line for
/// the text.
pub const NAME_CHARS_MAX: usize = 32;

/// The reason to refuse a name. Each is a sentence that says what to do, and is safe to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was typed, or only blanks.
    #[error("A name needs at least one character")]
    Empty,
    /// The name has too many code points.
    #[error("A name has at most {NAME_CHARS_MAX} characters; this one has {count}")]
    TooLong {
        /// The number of its code points.
        count: usize,
    },
    /// There is a blank between other characters.
    #[error("A name is one word; write - or _ instead of a blank")]
    Blank,
    /// A character is not a letter, a digit or one of the three signs that a name may have.
    #[error("A name can contain only letters, digits, -, _ and .; leave out {}", Visible(*.0))]
    Sign(char),
    /// According to Unicode, no living language uses this letter or digit in names.
    #[error("A name can contain only letters and digits in everyday use; leave out {}", Visible(*.0))]
    Rare(char),
    /// The name begins with `-`, `_`, `.` or a combining mark.
    #[error("A name starts with a letter or a digit, not with {}", Visible(*.0))]
    Start(char),
    /// The name has no letter.
    #[error("A name needs at least one letter")]
    NoLetter,
    /// A combining mark does not stand on a letter.
    #[error("An accent belongs on a letter; leave out {}", Visible(*.0))]
    LooseMark(char),
    /// A letter has more combining marks than names need, or one of them twice.
    #[error("Too many accents on one letter; leave some out")]
    TooManyMarks,
    /// The name mixes scripts whose letters look alike.
    #[error("A name uses one alphabet; this one mixes several and could pass for another name")]
    MixedScripts,
    /// The name reads or looks like a reserved name.
    #[error("{0} is reserved; choose another name")]
    Reserved(&'static str),
}

/// Shows a character as itself if it is visible on its own, otherwise as its number.
struct Visible(char);

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(c) = *self;
        // Controls, format characters and unassigned characters are longer when escaped; invisible
        // letters have no skeleton.
        let seen = c.is_ascii_graphic()
            || (c.escape_debug().len() == 1
                && !is_combining_mark(c)
                && !c.is_whitespace()
                && skeleton(c.encode_utf8(&mut [0; 4])).next().is_some());
        if seen { write!(f, "{c}") } else { write!(f, "U+{:04X}", u32::from(c)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_say_what_to_do() {
        for (error, sentence) in [
            (NameError::TooLong { count: 40 }, "A name has at most 32 characters; this one has 40"),
            (
                NameError::Sign('!'),
                "A name can contain only letters, digits, -, _ and .; leave out !",
            ),
            (NameError::Start('.'), "A name starts with a letter or a digit, not with ."),
            (NameError::Reserved("admin"), "admin is reserved; choose another name"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn invisible_characters_are_shown_by_number() {
        for c in ['!', '\'', '"', '\\', 'é', '字', '🎉', '€'] {
            assert_eq!(Visible(c).to_string(), c.to_string());
        }
        for (c, number) in [
            ('\x1b', "U+001B"),
            ('\u{9b}', "U+009B"),
            ('\u{ad}', "U+00AD"),
            ('\u{301}', "U+0301"),
            ('\u{903}', "U+0903"),
            ('\u{200d}', "U+200D"),
            ('\u{202e}', "U+202E"),
            ('\u{2028}', "U+2028"),
            ('\u{3164}', "U+3164"),
            ('\u{e0041}', "U+E0041"),
            ('\u{10ffff}', "U+10FFFF"),
        ] {
            assert_eq!(Visible(c).to_string(), number);
        }
    }
}
