//! The keys of seals that this node has in memory, and the cipher: AES-256-GCM-SIV with a nonce by
//! chance, so that not even a stream that has lost messages makes two seals alike. Knows no stream.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use parlor_wire::pack::sealed::Cipher;

/// A key of seals.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; Key::BYTES]);

impl Key {
    /// Its size, in bytes.
    pub const BYTES: usize = 32;

    /// The key of these bytes; none if there are not as many as a key has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Key> {
        bytes.try_into().ok().map(Key)
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, &self.0).ok()
    }
}

impl fmt::Debug for Key {
    /// Nobody reads a key in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Keys by their numbers.
#[derive(Debug, Default)]
pub struct KeyRing(BTreeMap<u64, Key>);

impl KeyRing {
    /// Whether the key with this number is here.
    pub fn has(&self, number: u64) -> bool {
        self.0.contains_key(&number)
    }

    /// Adds a key.
    pub fn add(&mut self, number: u64, key: Key) {
        self.0.insert(number, key);
    }

    /// Forgets a key.
    pub fn remove(&mut self, number: u64) {
        self.0.remove(&number);
    }
}

impl Cipher for KeyRing {
    fn seal(&self, key: u64, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let cipher = self.0.get(&key)?.cipher()?;
        let nonce = cipher.seal_in_place_append_tag(Aad::empty(), &mut bytes).ok()?;
        bytes.splice(0..0, nonce.as_ref().iter().copied());
        Some(bytes)
    }

    fn open(&self, key: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let cipher = self.0.get(&key)?.cipher()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = cipher.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use parlor_wire::pack::sealed::Cipher;
    use proptest::prelude::*;

    use super::{Key, KeyRing};

    proptest! {
        #[test]
        fn only_the_key_opens_a_seal_and_only_if_nobody_has_changed_it(
            keys in any::<[[u8; 32]; 2]>(),
            text in prop::collection::vec(any::<u8>(), 0..300),
            (place, bit) in (any::<prop::sample::Index>(), 0_u32..8),
        ) {
            prop_assume!(keys[0] != keys[1]);
            let mut ring = KeyRing::default();
            for (number, key) in (1..).zip(&keys) {
                ring.add(number, Key::from_bytes(key).unwrap());
            }
            let sealed = ring.seal(1, text.clone()).unwrap();
            prop_assert!(sealed != ring.seal(1, text.clone()).unwrap(), "no two seals are alike");
            prop_assert_eq!(ring.open(1, &sealed), Some(text));
            prop_assert_eq!((ring.open(2, &sealed), ring.open(3, &sealed)), (None, None));
            let mut changed = sealed.clone();
            changed[place.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert_eq!(ring.open(1, &changed), None);
            prop_assert_eq!(ring.open(1, &sealed[..place.index(sealed.len())]), None);
            ring.remove(1);
            prop_assert_eq!(ring.open(1, &sealed), None);
        }
    }
}
