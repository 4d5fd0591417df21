//! The rules of spelling for names. Knows no other names.

use unicode_normalization::{
    UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use super::error::{NAME_CHARS_MAX, NameError};
use crate::model::line::MARKS_IN_A_ROW_MAX;

/// The largest number of marks above or below one letter (UTS 39, section 5.4).
const STACKED_MARKS_MAX: usize = 4;

/// The text of a name, if it follows all rules of spelling.
pub(crate) fn well_formed(typed: &str) -> Result<String, NameError> {
    let shown: String = typed.trim().nfc().collect();
    match shown.chars().count() {
        0 => return Err(NameError::Empty),
        count if count > NAME_CHARS_MAX => return Err(NameError::TooLong { count }),
        _ => {}
    }
    check_characters(&shown)?;
    check_marks(&shown)?;
    if !shown.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(NameError::MixedScripts);
    }
    Ok(shown)
}

/// The kinds of characters in a name.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Letter,
    Digit,
    Mark,
    Sign,
}

fn kind(c: char) -> Result<Kind, NameError> {
    match c {
        '-' | '_' | '.' => Ok(Kind::Sign),
        _ if c.is_whitespace() => Err(NameError::Blank),
        _ if !c.identifier_allowed() && c.is_alphanumeric() => Err(NameError::Rare(c)),
        _ if !c.identifier_allowed() => Err(NameError::Sign(c)),
        _ if is_combining_mark(c) => Ok(Kind::Mark),
        _ if c.is_alphabetic() => Ok(Kind::Letter),
        _ if c.is_numeric() => Ok(Kind::Digit),
        _ => Err(NameError::Sign(c)),
    }
}

/// Checks each character and its neighbour. A name of dashes would look like the server, whose
/// lines begin with `-- `, so letters that look like a dash do not make a name on their own.
fn check_characters(shown: &str) -> Result<(), NameError> {
    let kinds = shown.chars().map(|c| Ok((c, kind(c)?))).collect::<Result<Vec<_>, _>>()?;
    if let Some(&(c, Kind::Mark | Kind::Sign)) = kinds.first() {
        return Err(NameError::Start(c));
    }
    for pair in kinds.windows(2) {
        if let [(_, Kind::Digit | Kind::Sign), (mark, Kind::Mark)] = *pair {
            return Err(NameError::LooseMark(mark));
        }
    }
    let looks_like_dashes = |c| "ー一ㅡ".contains(c) && kinds.len() > 1;
    let is_letter = |&(c, kind)| kind == Kind::Letter && !looks_like_dashes(c);
    match kinds.iter().any(is_letter) {
        true => Ok(()),
        false => Err(NameError::NoLetter),
    }
}

/// Counts marks on decomposed letters, so composed and decomposed input counts alike.
fn check_marks(shown: &str) -> Result<(), NameError> {
    let (mut in_a_row, mut stacked, mut before) = (0, 0, None);
    for c in shown.nfd() {
        if is_combining_mark(c) {
            in_a_row += 1;
            // Vowel signs beside a letter have no combining class; accents and tone marks do.
            stacked = if canonical_combining_class(c) == 0 { 0 } else { stacked + 1 };
            if in_a_row > MARKS_IN_A_ROW_MAX || stacked > STACKED_MARKS_MAX || before == Some(c) {
                return Err(NameError::TooManyMarks);
            }
        } else {
            (in_a_row, stacked) = (0, 0);
        }
        before = Some(c);
    }
    Ok(())
}
