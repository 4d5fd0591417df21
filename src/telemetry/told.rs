//! Troubles that are told to the log: each of them once a minute at most. Knows no log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The pause before the same trouble is told again.
const EVERY: Duration = Duration::from_mins(1);

/// When the log was told of each trouble.
#[derive(Debug)]
pub(crate) struct Told<T>(Mutex<BTreeMap<T, Instant>>);

impl<T> Default for Told<T> {
    fn default() -> Told<T> {
        Told(Mutex::default())
    }
}

impl<T: Ord> Told<T> {
    /// Whether the log is to be told of a trouble now.
    pub(crate) fn is_due(&self, trouble: T) -> bool {
        self.is_due_at(trouble, Instant::now())
    }

    fn is_due_at(&self, trouble: T, now: Instant) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.get(&trouble).is_none_or(|told| *told + EVERY <= now);
        if is_due {
            told.insert(trouble, now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Told;

    #[test]
    fn each_trouble_is_told_once_a_minute() {
        let (told, start) = (Told::default(), Instant::now());
        let is_due = |trouble, second| told.is_due_at(trouble, start + Duration::from_secs(second));
        assert!(is_due("full", 0) && is_due("silent", 1));
        assert!(!is_due("full", 59) && is_due("full", 60));
        assert!(!is_due("full", 119));
    }
}
