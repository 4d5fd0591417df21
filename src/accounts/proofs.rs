//! Proofs of ownership: a count of each name's changes of password and owner.
//!
//! A proof has the count that was read before its password, token or code was read. When a password
//! changes, the file changes first and the count after it. So a proof is never newer than its
//! evidence.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use parlor_core::model::{Name, Proof};

/// The number of changes of each name since the server started. There are at most as many names as
/// are registered.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<HashMap<Box<str>, u64>>);

impl Proofs {
    /// The present proof of a name.
    pub(super) fn of(&self, name: &Name) -> Proof {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Proof(changes.get(name.keys()[0]).copied().unwrap_or_default())
    }

    /// Ends earlier proofs of a name. Returns the new one.
    pub(super) fn renew(&self, name: &Name) -> Proof {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let change = changes.entry(name.keys()[0].into()).or_default();
        *change += 1;
        Proof(*change)
    }
}
