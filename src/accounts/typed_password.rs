//! Hashes of passwords. Knows no name.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use unicode_normalization::UnicodeNormalization;

/// More memory than an allocator keeps for reuse, so that the system gets it back after each
/// password. Unused pages of it are never allocated. (glibc maps every allocation above 32 MiB
/// separately.)
const ALLOCATED_BYTES: usize = 33 << 20;

/// A password, as a person typed it.
pub(super) struct TypedPassword {
    /// The form that is hashed, following RFC 8265 for passwords: composed, with plain blanks.
    form: String,
    /// Other forms that may have been hashed before this form was introduced.
    others: Vec<String>,
}

/// The form in which a password matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The present form.
    Well,
    /// Another form: the password should be hashed again.
    Otherwise,
}

impl TypedPassword {
    /// A password from a line.
    pub(super) fn new(typed: &str) -> TypedPassword {
        let plain = |c: char| match c.is_whitespace() {
            true => ' ',
            false => c,
        };
        let form: String = typed.chars().map(plain).nfc().collect();
        let mut others = vec![typed.to_owned(), typed.nfd().collect(), typed.nfc().collect()];
        others.sort_unstable();
        others.dedup();
        others.retain(|other| *other != form);
        TypedPassword { form, others }
    }

    /// Whether all of it is text. A line has the same replacement for all bytes that are not UTF-8,
    /// so all such passwords would be equal.
    pub(super) fn is_text(&self) -> bool {
        !self.form.contains(char::REPLACEMENT_CHARACTER)
    }

    /// Whether the other line is the same password.
    pub(super) fn is_same(&self, other: &TypedPassword) -> bool {
        self.form == other.form
    }

    /// The number of its characters.
    pub(super) fn chars(&self) -> usize {
        self.form.chars().count()
    }

    /// The hash to store.
    pub(super) fn hash(&self) -> anyhow::Result<String> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        getrandom::fill(&mut salt)?;
        let params = Params::default();
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        work(&self.form, &salt, &params, &mut out)?;
        let hash = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(&salt)?),
            hash: Some(Output::new(&out)?),
        };
        Ok(hash.to_string())
    }

    /// Whether this is its hash. A password that is not text fits no hash, not even its own.
    pub(super) fn fits(&self, stored: &str) -> Option<Fit> {
        if !self.is_text() {
            return None;
        }
        if is_it(&self.form, stored)? {
            return Some(Fit::Well);
        }
        let mut others = self.others.iter();
        others.any(|other| is_it(other, stored) == Some(true)).then_some(Fit::Otherwise)
    }
}

/// Whether this is the hash of a password. None if the hash cannot be read.
fn is_it(password: &str, stored: &str) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let (salt, hash) = (stored.salt?, stored.hash?);
    let params = Params::try_from(&stored).ok()?;
    let mut out = vec![0; hash.len()];
    work(password, &salt, &params, &mut out).ok()?;
    Some(Output::new(&out).ok()? == hash) // in constant time
}

/// The work that makes guessing slow.
fn work(password: &str, salt: &[u8], params: &Params, out: &mut [u8]) -> argon2::Result<()> {
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(ALLOCATED_BYTES / Block::SIZE));
    memory.resize(blocks, Block::new());
    Argon2::new(Algorithm::default(), Version::default(), params.clone())
        .hash_password_into_with_memory(password.as_bytes(), salt, out, memory.as_mut_slice())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use argon2::password_hash::PasswordHasher;

    use super::*;

    #[test]
    fn a_password_is_the_same_however_a_system_composes_it() {
        let composed = TypedPassword::new("gr\u{fc}ne W\u{e4}lder");
        let stored = composed.hash().unwrap();
        for same in ["gru\u{308}ne Wa\u{308}lder", "gr\u{fc}ne\u{a0}Wa\u{308}lder"] {
            assert_eq!(TypedPassword::new(same).fits(&stored), Some(Fit::Well), "{same}");
        }
        for other in ["grune Walder", "Gr\u{fc}ne W\u{e4}lder", "gr\u{fc}neW\u{e4}lder", ""] {
            assert_eq!(TypedPassword::new(other).fits(&stored), None, "{other}");
        }
    }

    #[test]
    fn a_password_that_was_hashed_in_another_form_still_fits() {
        for old in ["gru\u{308}ne Wa\u{308}lder", "gr\u{fc}ne W\u{e4}lder"] {
            let stored = Argon2::default().hash_password(old.as_bytes()).unwrap();
            let stored = stored.to_string();
            for typed in ["gru\u{308}ne Wa\u{308}lder", "gr\u{fc}ne W\u{e4}lder"] {
                assert!(TypedPassword::new(typed).fits(&stored).is_some(), "{typed}");
            }
        }
        let stored = Argon2::default().hash_password(b"two\xe3\x80\x80words").unwrap();
        let typed = TypedPassword::new("two\u{3000}words");
        assert_eq!(typed.fits(&stored.to_string()), Some(Fit::Otherwise));
    }

    #[test]
    fn a_password_that_is_not_text_fits_nothing() {
        let typed = "gr\u{fffd}ne W\u{fffd}lder";
        let stored = Argon2::default().hash_password(typed.as_bytes()).unwrap();
        assert_eq!(TypedPassword::new(typed).fits(&stored.to_string()), None);
    }

    #[test]
    fn other_programs_read_the_hash() {
        use argon2::password_hash::PasswordVerifier;
        let stored = TypedPassword::new("correct horse").hash().unwrap();
        let hash = PasswordHash::new(&stored).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &hash).is_ok());
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }
}
