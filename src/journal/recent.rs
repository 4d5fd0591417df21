//! The latest messages of the order of several nodes, in memory. Knows no file.
//!
//! The order may lose messages that nodes have shown. So each node keeps the latest ones as they
//! came, and can publish them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_core::model::WallTime;

/// The largest number of messages that are kept. A quiet node publishes one each second: so five
/// nodes can restore a stream that comes from yesterday's backup.
pub(crate) const MESSAGES_MAX: usize = 500_000;

/// The limit of their bytes.
pub(crate) const MESSAGES_BYTES_MAX: usize = 64 << 20;

/// A message of the order, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawMessage {
    /// Its position in the order.
    pub(crate) position: u64,
    /// The time of that position.
    pub(crate) at: WallTime,
    /// Its subject, without its beginning.
    pub(crate) subject: Arc<str>,
    /// Its content.
    pub(crate) bytes: Arc<[u8]>,
}

/// The latest messages that are not in a file.
#[derive(Debug)]
pub(crate) struct RecentMessages(Mutex<Recent>);

#[derive(Debug)]
struct Recent {
    /// The oldest first.
    messages: VecDeque<RawMessage>,
    bytes: usize,
    /// The position up to which messages are neither here nor stored; none if all are.
    lost: Option<u64>,
    /// The position up to which they were taken to be stored.
    taken: u64,
}

/// Messages to be stored.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The messages, the oldest first.
    pub(crate) messages: Vec<RawMessage>,
    /// The position up to which messages before them are lost; none if these continue.
    pub(crate) lost: Option<u64>,
}

impl RecentMessages {
    /// No messages yet. Those up to position `lost` are nowhere.
    pub(crate) fn new(lost: Option<u64>) -> RecentMessages {
        let recent = Recent { messages: VecDeque::new(), bytes: 0, lost, taken: 0 };
        RecentMessages(Mutex::new(recent))
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the next message. If there are too many, the oldest are dropped.
    pub(crate) fn push(&self, message: RawMessage) {
        let mut recent = self.recent();
        recent.bytes += message.bytes.len();
        recent.messages.push_back(message);
        while recent.messages.len() > MESSAGES_MAX || recent.bytes > MESSAGES_BYTES_MAX {
            recent.lost = recent.drop_first().or(recent.lost);
        }
    }

    /// The messages up to a position that were not taken before. They stay here until they are
    /// [stored](RecentMessages::stored).
    pub(crate) fn take(&self, position: u64) -> Taken {
        let recent = self.recent();
        let first = recent.messages.partition_point(|message| message.position <= recent.taken);
        let end = recent.messages.partition_point(|message| message.position <= position);
        let lost = recent.lost.filter(|lost| *lost > recent.taken);
        Taken { messages: recent.messages.range(first.min(end)..end).cloned().collect(), lost }
    }

    /// Forgets the messages up to a position: a file has them.
    pub(crate) fn stored(&self, position: u64) {
        let mut recent = self.recent();
        recent.taken = recent.taken.max(position);
        while recent.messages.front().is_some_and(|message| message.position <= position) {
            recent.drop_first();
        }
    }

    /// The position up to which messages are neither here nor stored; none if all are.
    pub(crate) fn lost(&self) -> Option<u64> {
        self.recent().lost
    }

    /// The messages here with positions from `first` to `last`, at most `count` of them.
    pub(crate) fn range(&self, (first, last): (u64, u64), count: usize) -> Vec<RawMessage> {
        let recent = self.recent();
        let start = recent.messages.partition_point(|message| message.position < first);
        let rest = recent.messages.range(start..);
        rest.take_while(|message| message.position <= last).take(count).cloned().collect()
    }
}

impl Recent {
    /// Drops the oldest message. Returns its position.
    fn drop_first(&mut self) -> Option<u64> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.bytes.len();
        Some(message.position)
    }
}

#[cfg(test)]
mod tests {
    use parlor_core::model::WallTime;

    use super::{MESSAGES_BYTES_MAX, RawMessage, RecentMessages};

    fn message(position: u64, bytes: usize) -> RawMessage {
        let bytes = vec![0; bytes].into();
        RawMessage { position, at: WallTime(0), subject: "0".into(), bytes }
    }

    fn positions(messages: &[RawMessage]) -> Vec<u64> {
        messages.iter().map(|message| message.position).collect()
    }

    #[test]
    fn messages_are_taken_once_and_stay_until_they_are_stored() {
        let recent = RecentMessages::new(None);
        [5, 6, 8].into_iter().for_each(|position| recent.push(message(position, 1)));
        assert_eq!(positions(&recent.take(6).messages), [5, 6]);
        assert_eq!(positions(&recent.take(7).messages), [5, 6]);
        assert_eq!(positions(&recent.range((5, 8), 9)), [5, 6, 8]);
        recent.stored(6);
        assert_eq!(positions(&recent.range((1, 9), 9)), [8]);
        assert_eq!((positions(&recent.take(9).messages), recent.lost()), (vec![8], None));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let recent = RecentMessages::new(None);
        (1..=5).for_each(|position| recent.push(message(position, MESSAGES_BYTES_MAX / 3)));
        assert_eq!(positions(&recent.range((1, 5), 9)), [3, 4, 5]);
        assert_eq!((positions(&recent.range((1, 4), 1)), recent.lost()), (vec![3], Some(2)));
        let taken = recent.take(5);
        assert_eq!((positions(&taken.messages), taken.lost), (vec![3, 4, 5], Some(2)));
        recent.stored(5);
        recent.push(message(6, 1));
        assert_eq!(recent.take(6).lost, None, "it is known");
    }
}
