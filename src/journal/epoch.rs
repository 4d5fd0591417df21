//! The name of a log that is not stored.

use crate::clock;

/// A new name, for a log that is not stored or whose name cannot be stored.
pub(crate) fn passing_epoch() -> String {
    let mut random = [0; 8];
    // Without random numbers the time is enough: it differs from start to start.
    if getrandom::fill(&mut random).is_err() {
        random = clock::wall().0.to_be_bytes();
    }
    format!("{:016x}", u64::from_be_bytes(random))
}
