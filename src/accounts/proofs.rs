//! What shows that a name is one's own, and until when: each change of its password, or of its owner, counts one more.
//!
//! Whoever reads a password, a token or a code in the file takes the count before that, and whoever changes the password
//! counts after that, in the errand that does it: so a proof is never newer than what it was made of.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use parlor_core::model::{Name, Proof};

/// How often each name was changed since the server started: as many as are registered at the most.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<HashMap<Box<str>, u64>>);

impl Proofs {
    /// What shows now that the name is one's own.
    pub(crate) fn of(&self, name: &Name) -> Proof {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Proof(changes.get(name.keys()[0]).copied().unwrap_or_default())
    }

    /// From now on earlier proofs count no longer.
    pub(crate) fn renew(&self, name: &Name) -> Proof {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let change = changes.entry(name.keys()[0].into()).or_default();
        *change += 1;
        Proof(*change)
    }
}
