//! The stored lines of one node: they lag behind, and outlive the node's process. Knows no ledger.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parlor_core::log::Batch;

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The lines of one node, by room and number.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<(String, u64), Row>,
    /// The number of proposals whose lines are stored.
    pub(crate) position: usize,
    /// Batches that are not stored yet, each with the position after it.
    waiting: VecDeque<(usize, Vec<Arc<Batch>>)>,
}

impl Store {
    /// Takes batches that are visible now.
    pub(crate) fn put(&mut self, position: usize, batches: Vec<Arc<Batch>>) {
        self.waiting.push_back((position, batches));
    }

    /// Stores the next batches in one transaction.
    pub(crate) fn write(&mut self, transactions: usize) {
        for (position, batches) in self.waiting.drain(..transactions.min(self.waiting.len())) {
            for batch in batches {
                for said in batch.said() {
                    let key = (batch.room().to_string(), said.seq);
                    let row = Row {
                        at: said.at.0,
                        name: said.who.name.to_string(),
                        text: said.text.to_string(),
                    };
                    let before = self.rows.insert(key.clone(), row.clone());
                    assert!(before.is_none(), "{key:?} is stored twice: {before:?}, {row:?}");
                }
            }
            self.position = position;
        }
    }

    pub(crate) fn write_all(&mut self) {
        self.write(usize::MAX);
    }

    /// The process dies: what is not stored is lost.
    pub(crate) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }
}
