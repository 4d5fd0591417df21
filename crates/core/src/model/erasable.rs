//! Values that can be erased from the order of several nodes for good. Knows no cipher.
//!
//! In the order such a value is sealed with a key, which is stored beside the order and can be
//! deleted. A node that cannot open the seal has a blank in the place of the value, and does the
//! same as all others: nothing that is decided depends on the value.

use std::sync::Arc;

use super::hashed::Hashed;
use super::who::Spoken;

/// A value that can be erased from the order of several nodes.
#[derive(Clone, Debug)]
pub struct Erasable<T> {
    /// The value; a blank on a node that cannot open the seal.
    pub value: T,
    /// How it is sealed; none if it is not. It is not on a server without other nodes.
    pub seal: Option<Box<Seal>>,
}

/// The seal of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Its key.
    pub key: SealKey,
    /// The sealed value, for those who have the key. Empty before it is sealed.
    pub bytes: Arc<[u8]>,
}

/// The key of a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealKey {
    /// One that is made before the proposal is published: the same for all seals in the proposal
    /// with this number.
    New(u32),
    /// The one with this number. Later keys have larger numbers.
    Number(u64),
}

/// A value that has a blank.
pub trait Blank {
    /// The value of a node that cannot open the seal of this one.
    #[must_use]
    fn blank(&self) -> Self;
}

impl<T> Erasable<T> {
    /// Wants it to be sealed with this key.
    pub fn seal_with(&mut self, key: SealKey) {
        self.seal = Some(Box::new(Seal { key, bytes: Arc::default() }));
    }

    /// The number of the key with which it is sealed; none if it is not sealed.
    pub fn key(&self) -> Option<u64> {
        match self.seal.as_deref()?.key {
            SealKey::Number(number) => Some(number),
            SealKey::New(_) => None, // nothing with it is in the order
        }
    }
}

impl<T> From<T> for Erasable<T> {
    /// A value that is not sealed.
    fn from(value: T) -> Erasable<T> {
        Erasable { value, seal: None }
    }
}

impl From<&str> for Erasable<Arc<str>> {
    fn from(text: &str) -> Erasable<Arc<str>> {
        Arc::<str>::from(text).into()
    }
}

impl<T: PartialEq> PartialEq for Erasable<T> {
    /// Sealed values are equal if their seals are: not every node can open them.
    fn eq(&self, other: &Erasable<T>) -> bool {
        match (&self.seal, &other.seal) {
            (None, None) => self.value == other.value,
            (own, others) => own == others,
        }
    }
}

impl<T: Eq> Eq for Erasable<T> {}

impl Blank for Spoken {
    fn blank(&self) -> Spoken {
        Spoken::gone()
    }
}

impl Blank for Vec<Spoken> {
    /// As many lines, so that each has its number.
    fn blank(&self) -> Vec<Spoken> {
        self.iter().map(Spoken::blank).collect()
    }
}

impl Blank for Arc<str> {
    fn blank(&self) -> Arc<str> {
        "".into()
    }
}

impl Blank for Hashed {
    fn blank(&self) -> Hashed {
        Hashed([0; 32])
    }
}
