//! A snapshot in chunks: cut for a stream, and put together again if all of it is there. Knows no
//! stream.

use std::collections::BTreeMap;

use crc32fast::hash;
use parlor_core::ledger::Snapshot;
use parlor_wire::pack::chunk::{self, CHUNK_BYTES, Whole};
use parlor_wire::pack::{NEWEST, TooLarge, UnpackError, snapshot};

/// The reason why a stored snapshot is never used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableSnapshot {
    /// The node that wrote it has not finished.
    #[error("some of it is missing")]
    Incomplete,
    /// The bytes are not those that were written.
    #[error("it is damaged")]
    Damaged,
    /// A newer program has written it.
    #[error("it has format {0}, which only a newer version of Parlor can read")]
    Newer(u64),
    /// The stream has another message at its position.
    #[error("it belongs to another stream")]
    OfAnotherStream,
}

impl From<UnpackError> for UnusableSnapshot {
    fn from(error: UnpackError) -> UnusableSnapshot {
        match error {
            UnpackError::NewerFormat(format) => UnusableSnapshot::Newer(format),
            UnpackError::NoVariant(..) | UnpackError::Malformed(_) => UnusableSnapshot::Damaged,
        }
    }
}

/// The messages of a snapshot, each with at most `bytes_max` bytes of it. `message` is the checksum
/// of the message of the order at its position.
///
/// # Errors
/// There would be too many.
pub(super) fn cut(bytes: &[u8], message: u32, bytes_max: usize) -> Result<Vec<Vec<u8>>, TooLarge> {
    let chunks = bytes.chunks(bytes_max.clamp(1, CHUNK_BYTES));
    let whole = Whole { count: chunks.len(), checksum: hash(bytes), message };
    chunks.enumerate().map(|(number, chunk)| chunk::pack(number, whole, chunk)).collect()
}

/// A snapshot that is being put together.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    whole: Option<Whole>,
    chunks: BTreeMap<usize, Vec<u8>>,
}

impl Assembly {
    /// Adds a message. The same one may come twice.
    ///
    /// # Errors
    /// It does not belong to the others, or cannot be read.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), UnusableSnapshot> {
        let chunk = chunk::unpack(bytes)?;
        if *self.whole.get_or_insert(chunk.whole) != chunk.whole {
            return Err(UnusableSnapshot::Damaged);
        }
        self.chunks.insert(chunk.number, chunk.bytes);
        Ok(())
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(&self) -> bool {
        self.whole.is_some_and(|whole| whole.count == self.chunks.len())
    }

    /// The snapshot, and the checksum of the message of the order at its position.
    ///
    /// # Errors
    /// It is not complete, damaged, or in a newer format.
    pub(super) fn finish(self) -> Result<(Snapshot, u32), UnusableSnapshot> {
        let is_complete = self.is_complete();
        let whole = self.whole.filter(|_| is_complete).ok_or(UnusableSnapshot::Incomplete)?;
        let bytes = self.chunks.into_values().collect::<Vec<_>>().concat();
        if hash(&bytes) != whole.checksum {
            return Err(UnusableSnapshot::Damaged);
        }
        Ok((snapshot::unpack(&bytes, NEWEST)?, whole.message))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use parlor_core::ledger::Snapshot;
    use parlor_wire::pack::snapshot::{NEWEST, pack};

    use super::{Assembly, UnusableSnapshot, cut};

    fn messages() -> (Snapshot, Vec<Vec<u8>>) {
        let snapshot = Snapshot { last_boot: 7, events: 300, ..Snapshot::default() };
        let messages = cut(&pack(&snapshot, NEWEST).unwrap(), 9, 4).unwrap();
        assert!(messages.len() > 4);
        (snapshot, messages)
    }

    fn assembled(messages: &[Vec<u8>]) -> Result<(Snapshot, u32), UnusableSnapshot> {
        let mut assembly = Assembly::default();
        messages.iter().try_for_each(|message| assembly.add(message))?;
        assembly.finish()
    }

    #[test]
    fn chunks_in_any_order_and_twice_make_the_snapshot() {
        let (snapshot, messages) = messages();
        let reversed: Vec<_> = messages.iter().rev().chain(&messages[..2]).cloned().collect();
        assert_eq!(assembled(&reversed), Ok((snapshot, 9)));
    }

    #[test]
    fn a_snapshot_without_a_chunk_or_with_a_changed_byte_is_never_used() {
        let (_, messages) = messages();
        for missing in 0..messages.len() {
            let rest = [&messages[..missing], &messages[missing + 1..]].concat();
            assert_eq!(assembled(&rest), Err(UnusableSnapshot::Incomplete));
        }
        assert_eq!(assembled(&[]), Err(UnusableSnapshot::Incomplete));
        for (number, message) in messages.iter().enumerate() {
            for byte in 0..message.len() {
                let mut changed = messages.clone();
                changed[number][byte] ^= 1;
                assert!(assembled(&changed).is_err(), "byte {byte} of message {number}");
            }
        }
    }

    #[test]
    fn chunks_of_two_snapshots_do_not_mix_and_a_newer_format_is_named() {
        let (snapshot, messages) = messages();
        let other = pack(&Snapshot { events: 301, ..snapshot }, NEWEST).unwrap();
        let other = cut(&other, 9, 4).unwrap();
        let mixed = [&messages[..1], &other[1..]].concat();
        assert_eq!(assembled(&mixed), Err(UnusableSnapshot::Damaged));
        let newer = cut(&[9, 1, 2], 0, 2).unwrap();
        assert_eq!(assembled(&newer), Err(UnusableSnapshot::Newer(9)));
    }
}
