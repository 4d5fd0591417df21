//! An epoch is the name of a log from one start of the server to the next.

use crate::clock;

/// A new epoch, for a log that is not stored or whose epoch cannot be stored.
pub(crate) fn passing_epoch() -> String {
    // Without random numbers the time is enough: it tells this start from the others.
    let number = getrandom::u64().unwrap_or(clock::wall().0 as u64);
    format!("{number:016x}")
}
