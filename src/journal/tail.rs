//! The latest messages of the order of several nodes, wherever they are: in memory, or in the file.
//! Knows no order.

use std::sync::Arc;

use super::recent::{RawMessage, RecentMessages};
use super::sqlite::{Database, DatabaseFailed, messages, messages_after};

/// The latest messages of the order, as they came to this node. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    recent: Arc<RecentMessages>,
    /// The file; none if everything is in memory.
    file: Option<Database>,
}

impl Tail {
    /// The messages in memory, and those in a file.
    pub(crate) fn new(recent: Arc<RecentMessages>, file: Option<Database>) -> Tail {
        Tail { recent, file }
    }

    /// The messages of a node without a file, which is at this position.
    pub(crate) fn in_memory(position: u64) -> Tail {
        Tail::new(Arc::new(RecentMessages::new(Some(position))), None)
    }

    /// Adds the next message.
    pub(crate) fn push(&self, message: RawMessage) {
        self.recent.push(message);
    }

    /// The position behind which all messages are here.
    ///
    /// # Errors
    /// The file cannot be read. The same holds for the function below.
    pub(crate) async fn after(&self) -> Result<u64, DatabaseFailed> {
        let in_file = match &self.file {
            Some(file) => file.read(|file| messages_after(file)).await?,
            None => 0,
        };
        Ok(self.recent.lost().map_or(in_file, |lost| lost.max(in_file)))
    }

    /// The messages with positions from `first` to `last`, at most `count` of them.
    pub(crate) async fn range(
        &self,
        (first, last): (u64, u64),
        count: usize,
    ) -> Result<Vec<RawMessage>, DatabaseFailed> {
        // First from memory: a message stays there until the file has it.
        let recent = self.recent.range((first, last), count);
        let end = recent.first().map_or(last, |message| message.position - 1);
        let mut all = match &self.file {
            Some(file) => file.read(move |file| messages(file, (first, end), count)).await?,
            None => Vec::new(),
        };
        all.extend(recent.into_iter().take(count - all.len()));
        Ok(all)
    }
}
