//! When what was left of lines that were taken out is to be wiped. Knows no file.

use std::time::Instant;

/// Wiping reads the whole file: so it rests for so many times as long as it took.
const REST: u32 = 20;

/// When a file is to be wiped.
#[derive(Debug, Default)]
pub(crate) struct Wipes {
    is_needed: bool,
    not_before: Option<Instant>,
}

impl Wipes {
    /// Something has been taken out.
    pub(crate) fn need(&mut self) {
        self.is_needed = true;
    }

    /// Whether it is time to wipe.
    pub(crate) fn is_due(&self) -> bool {
        self.is_needed && self.not_before.is_none_or(|at| Instant::now() >= at)
    }

    /// It has been wiped, from then on until now.
    pub(crate) fn done(&mut self, began: Instant) {
        self.is_needed = false;
        self.not_before = Some(Instant::now() + began.elapsed() * REST);
    }
}
