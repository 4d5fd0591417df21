//! Counts of what happened lately, by key, in memory that never grows. Knows no meaning of a key.
//!
//! A key has a cell in each of a few rows, and shares each with other keys; its count is the smallest of its cells. So a
//! count may be too high, by what else fell into all of its cells, but it is never too low: nobody can have an old count
//! forgotten by counting many other things.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

/// Keys that meet in one row nearly always part in another.
const ROWS: usize = 4;

/// Cells in a row: at 60 passwords a second, which is what two cores work on, a period fills a tenth of them. The rows
/// of both periods take 2 MiB at most, and no memory until they are needed.
const CELLS: usize = 1 << 16;

/// A count is forgotten when the period after its own is over.
pub(crate) const PERIOD: Duration = Duration::from_secs(300);

/// Counts of this period and of the one before.
pub(crate) struct Counts {
    /// Nobody outside can find keys that share cells.
    hasher: RandomState,
    now: Vec<u16>,
    before: Vec<u16>,
    /// The number of this period.
    number: u64,
    /// When it began.
    since: Option<Instant>,
}

/// In which period something was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(u64);

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            hasher: RandomState::new(),
            now: Vec::new(),
            before: Vec::new(),
            number: 0,
            since: None,
        }
    }
}

impl Counts {
    /// How often it has happened lately, or more.
    pub(crate) fn count(&mut self, key: &impl Hash, now: Instant) -> u16 {
        self.turn(now);
        let cells = self.cells(key);
        let count = |rows: &[u16]| cells.map(|cell| rows.get(cell).copied().unwrap_or(0));
        let both = count(&self.now).into_iter().zip(count(&self.before));
        both.map(|(now, before)| now.saturating_add(before))
            .min()
            .unwrap_or(0)
    }

    /// It happens once more.
    pub(crate) fn add(&mut self, key: &impl Hash, now: Instant) -> Period {
        self.turn(now);
        self.since.get_or_insert(now);
        self.now.resize(ROWS * CELLS, 0);
        for cell in self.cells(key) {
            if let Some(count) = self.now.get_mut(cell) {
                *count = count.saturating_add(1);
            }
        }
        Period(self.number)
    }

    /// What was counted then has not happened.
    pub(crate) fn take_back(&mut self, key: &impl Hash, period: Period) {
        let cells = self.cells(key);
        let rows = match self.number.checked_sub(period.0) {
            Some(0) => &mut self.now,
            Some(1) => &mut self.before,
            _ => return, // forgotten already
        };
        for cell in cells {
            if let Some(count) = rows.get_mut(cell) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// How long it takes at most until nothing that is counted now is.
    pub(crate) fn left(&self, now: Instant) -> Duration {
        let end = self.since.map(|since| since + 2 * PERIOD);
        end.and_then(|end| end.checked_duration_since(now))
            .unwrap_or_default()
    }

    /// Begins another period, where this one is over.
    fn turn(&mut self, now: Instant) {
        while let Some(since) = self.since
            && now.saturating_duration_since(since) >= PERIOD
        {
            let is_empty = self.now.is_empty();
            self.before = std::mem::take(&mut self.now);
            self.number += 1;
            // After a period in which nothing happened the next one begins when something does.
            self.since = (!is_empty).then_some(since + PERIOD);
        }
    }

    fn cells(&self, key: &impl Hash) -> [usize; ROWS] {
        std::array::from_fn(|row| {
            let hash = self.hasher.hash_one((row, key));
            row * CELLS + (hash % CELLS as u64) as usize
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_lasts_a_period_and_no_more_than_two() {
        let mut counts = Counts::default();
        let start = Instant::now();
        counts.add(&"alice", start);
        let last = start + PERIOD - Duration::from_secs(1);
        counts.add(&"alice", last);
        assert_eq!(counts.count(&"alice", last), 2);
        assert_eq!(counts.left(last), PERIOD + Duration::from_secs(1));
        assert_eq!(counts.count(&"alice", start + PERIOD), 2);
        assert_eq!(counts.count(&"alice", start + 2 * PERIOD), 0);
        counts.add(&"alice", start + 9 * PERIOD);
        assert_eq!(counts.count(&"alice", start + 9 * PERIOD), 1);
        assert_eq!(counts.count(&"alice", start + 99 * PERIOD), 0);
    }

    #[test]
    fn nothing_that_is_counted_beside_it_lowers_a_count() {
        let mut counts = Counts::default();
        let now = Instant::now();
        for _ in 0..10 {
            counts.add(&"alice", now);
        }
        for other in 0..100_000 {
            let period = counts.add(&other, now);
            if other % 2 == 0 {
                counts.take_back(&other, period);
            }
        }
        assert!(counts.count(&"alice", now) >= 10);
        assert_eq!(counts.now.len(), ROWS * CELLS);
    }

    #[test]
    fn what_is_taken_back_was_not_counted() {
        let mut counts = Counts::default();
        let start = Instant::now();
        let first = counts.add(&"alice", start);
        let next = start + PERIOD;
        let second = counts.add(&"alice", next);
        counts.take_back(&"alice", first);
        assert_eq!(counts.count(&"alice", next), 1);
        counts.take_back(&"alice", second);
        assert_eq!(counts.count(&"alice", next), 0);
        let late = start + 3 * PERIOD;
        counts.add(&"alice", late);
        counts.take_back(&"alice", first);
        assert_eq!(counts.count(&"alice", late), 1);
    }
}
