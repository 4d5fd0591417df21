//! What is going on, for whoever waits: on stderr, so that results alone stand on stdout.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

/// Says it, with the seconds since the start.
pub(crate) fn progress(what: fmt::Arguments<'_>) {
    static START: OnceLock<Instant> = OnceLock::new();
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("{seconds:>4} s  {what}");
}
