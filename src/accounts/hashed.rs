//! The hashes of secrets and networks that must be recognised later and must not be readable in the
//! file.

use std::net::IpAddr;

use blake2::{Blake2s256, Digest};
use parlor_core::model::{Hashed, Name, network};

/// The hash of a text.
pub(super) fn hash_of(text: &str) -> Hashed {
    Hashed(Blake2s256::digest(text).into())
}

/// The hash of the network of an owner, together with the name.
pub(super) fn hash_of_owner_at(name: &Name, address: IpAddr) -> Hashed {
    let network = network(address.to_canonical());
    hash_of(&format!("{} {network}", name.keys()[0]))
}

/// The hash of a network that has a share of the storage. None for this machine: behind a web
/// server on it, everybody has its address.
pub(super) fn hash_of_network(address: IpAddr) -> Option<Hashed> {
    let network = network(address.to_canonical());
    (!network.is_loopback()).then(|| hash_of(&network.to_string()))
}
