//! The size of the bytes that readers make of a batch. Knows no encoding.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The size of all bytes of a batch. It grows when readers of other encodings come, and the log
/// counts it while it has the batch: otherwise clients with ever more encodings would fill the
/// memory.
#[derive(Debug, Default)]
pub(super) struct MadeBytes {
    /// The size in bytes, with [`GONE`] when the log has shed the batch.
    bytes: AtomicUsize,
    /// The sum of the log that has the batch, or had it.
    of_log: OnceLock<MadeSum>,
}

/// The size of the bytes of all batches in a log.
#[derive(Clone, Debug, Default)]
pub(super) struct MadeSum(Arc<AtomicUsize>);

impl MadeSum {
    /// The size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// A bit that no size has.
const GONE: usize = 1 << (usize::BITS - 1);

impl MadeBytes {
    /// A log counts the bytes in this sum from now on. There are none yet.
    pub(super) fn join(&self, sum: &MadeSum) {
        self.of_log.set(sum.clone()).ok(); // a batch is in one log
    }

    /// A reader has made bytes. They do not count if no log has the batch.
    pub(super) fn add(&self, bytes: usize) {
        if let Some(MadeSum(of_log)) = self.of_log.get() {
            of_log.fetch_add(bytes, Ordering::AcqRel); // first, so that the sum is never too small
            if self.bytes.fetch_add(bytes, Ordering::AcqRel) & GONE != 0 {
                of_log.fetch_sub(bytes, Ordering::AcqRel);
            }
        }
    }

    /// The log has the batch no longer.
    pub(super) fn leave(&self) {
        if let Some(MadeSum(of_log)) = self.of_log.get() {
            let bytes = self.bytes.fetch_add(GONE, Ordering::AcqRel);
            of_log.fetch_sub(bytes, Ordering::AcqRel);
        }
    }

    /// The size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire) & !GONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_counts_the_bytes_of_a_batch_while_it_has_it() {
        let sum = MadeSum::default();
        let made = [MadeBytes::default(), MadeBytes::default(), MadeBytes::default()];
        made[0].add(1_000); // in no log
        made[1..].iter().for_each(|made| made.join(&sum));
        made[1].add(10);
        made[2].add(5);
        made[1].add(20);
        assert_eq!((sum.bytes(), made[1].bytes()), (35, 30));
        made[1].leave();
        assert_eq!(sum.bytes(), 5);
        made[1].add(40); // a reader still has it
        made[0].leave();
        assert_eq!(sum.bytes(), 5);
        made[2].leave();
        assert_eq!(sum.bytes(), 0);
    }
}
