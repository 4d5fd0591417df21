//! Codes that nobody can guess and people can type: return codes and tokens. Knows no owner.

use parlor_core::model::{Hashed, Line};

use super::hashed::hash_of;
use crate::journal::DatabaseFailed;

/// The characters of a code: no two look alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// This many letters have 100 bits, which nobody can guess.
const CODE_LETTERS: usize = 20;

/// A code is shown in groups of letters, so that people can type it.
const GROUP_LETTERS: usize = 5;

/// A code. A person who knows it counts as its owner.
#[derive(Clone)]
pub(crate) struct Code(String);

impl Code {
    pub(crate) fn new() -> Result<Code, DatabaseFailed> {
        let mut random = [0; CODE_LETTERS];
        getrandom::fill(&mut random).map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            DatabaseFailed
        })?;
        let letter = |byte: &u8| LETTERS[usize::from(byte % 32)] as char;
        Ok(Code(random.iter().map(letter).collect()))
    }

    /// A code as a person typed it, with or without separators.
    pub(crate) fn typed(words: &str) -> Code {
        let letters = words.chars().filter(char::is_ascii_alphanumeric);
        Code(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    /// The stored form of the code, so that a reader of the file cannot return as another person.
    pub(crate) fn hashed(&self) -> Hashed {
        hash_of(&self.0)
    }

    /// The code as people read it.
    pub(crate) fn shown(&self) -> Line {
        let groups: Vec<_> = self.0.as_bytes().chunks(GROUP_LETTERS).collect();
        Line::sanitise(&groups.join(&b'-'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognised_however_it_is_typed() {
        let code = Code::new().map(|code| (code.hashed(), code.shown()));
        let Ok((hash, shown)) = code else {
            panic!("the system has random numbers");
        };
        assert_eq!(shown.as_str().len(), 23, "{shown}");
        for typed in [
            shown.as_str().to_owned(),
            shown.as_str().to_uppercase(),
            format!(" {} ", shown.as_str().replace('-', "")),
        ] {
            assert_eq!(Code::typed(&typed).hashed(), hash, "{typed}");
        }
        assert_ne!(Code::typed("").hashed(), hash);
    }
}
