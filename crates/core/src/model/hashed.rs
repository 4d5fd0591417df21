//! Hashes of secrets and people: equal values have equal hashes, and nobody reads a value in one.

/// The hash of a code, a token, a person or the network of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hashed(pub [u8; 32]);
