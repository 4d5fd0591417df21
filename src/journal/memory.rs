//! The journal that keeps nothing: lines live in the rooms' logs alone. Knows no file.

use std::future::ready;
use std::sync::Arc;

use parlor_core::journal::{Commit, Journal};
use parlor_core::log::Batch;

/// Keeps lines nowhere: every commit succeeds at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Journal for Memory {
    fn commit(&mut self, _batches: &[Arc<Batch>]) -> Commit {
        Box::pin(ready(Ok(())))
    }
}
