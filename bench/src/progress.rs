//! Progress for the waiting user: on stderr, so that stdout has only the results.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Instant;

/// Prints the present step, with the seconds since the start.
pub(crate) fn progress(what: impl Display) {
    static START: OnceLock<Instant> = OnceLock::new();
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("{seconds:>4} s  {what}");
}
