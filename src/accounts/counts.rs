//! Counts recent events by key, in memory that does not grow. Knows no meaning of a key.
//!
//! A key has a cell in each of a few rows, and shares each cell with other keys. Its count is the
//! smallest of its cells. So a count may be too high, if other keys share all of its cells, but it
//! is never too low: no number of other events erases it.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

/// The number of rows. Keys that share a cell in one row nearly always have different cells in
/// another.
const ROWS: usize = 4;

/// Cells in a row. At 60 passwords a second, which two cores check, one period fills a tenth of
/// them. The rows of both periods take 2 MiB at most, and no memory until they are used.
const CELLS: usize = 1 << 16;

/// The length of a period. A count is forgotten when the next period after it has ended.
pub(super) const PERIOD: Duration = Duration::from_secs(300);

/// Counts of this period and of the one before.
#[derive(Default)]
pub(super) struct Counts {
    /// Random, so that nobody outside can find keys that share cells.
    hasher: RandomState,
    now: Vec<u16>,
    before: Vec<u16>,
    /// The number of this period.
    number: u64,
    /// The time at which it began.
    since: Option<Instant>,
}

/// The period in which an event was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(u64);

impl Counts {
    /// The count of a key, or a higher number.
    pub(super) fn count(&mut self, key: &impl Hash, now: Instant) -> u16 {
        self.turn(now);
        let cells = self.cells(key);
        let count = |rows: &[u16]| cells.map(|cell| rows.get(cell).copied().unwrap_or(0));
        let both = count(&self.now).into_iter().zip(count(&self.before));
        both.map(|(now, before)| now.saturating_add(before)).min().unwrap_or(0)
    }

    /// Counts an event.
    pub(super) fn add(&mut self, key: &impl Hash, now: Instant) -> Period {
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

    /// Undoes an event that was counted in that period.
    pub(super) fn undo(&mut self, key: &impl Hash, period: Period) {
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

    /// The time until all present counts are forgotten, at the latest.
    pub(super) fn left(&self, now: Instant) -> Duration {
        let end = self.since.map(|since| since + 2 * PERIOD);
        end.and_then(|end| end.checked_duration_since(now)).unwrap_or_default()
    }

    /// Begins another period if this one is over.
    fn turn(&mut self, now: Instant) {
        while let Some(since) = self.since
            && now.saturating_duration_since(since) >= PERIOD
        {
            let is_empty = self.now.is_empty();
            self.before = std::mem::take(&mut self.now);
            self.number += 1;
            // After a period without events, the next one begins with an event.
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
    fn other_events_never_lower_a_count() {
        let mut counts = Counts::default();
        let now = Instant::now();
        for _ in 0..10 {
            counts.add(&"alice", now);
        }
        for other in 0..100_000 {
            let period = counts.add(&other, now);
            if other % 2 == 0 {
                counts.undo(&other, period);
            }
        }
        assert!(counts.count(&"alice", now) >= 10);
        assert_eq!(counts.now.len(), ROWS * CELLS);
    }

    #[test]
    fn an_event_that_is_undone_does_not_count() {
        let mut counts = Counts::default();
        let start = Instant::now();
        let first = counts.add(&"alice", start);
        let next = start + PERIOD;
        let second = counts.add(&"alice", next);
        counts.undo(&"alice", first);
        assert_eq!(counts.count(&"alice", next), 1);
        counts.undo(&"alice", second);
        assert_eq!(counts.count(&"alice", next), 0);
        let late = start + 3 * PERIOD;
        counts.add(&"alice", late);
        counts.undo(&"alice", first);
        assert_eq!(counts.count(&"alice", late), 1);
    }
}
