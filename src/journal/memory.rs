//! The journal that stores nothing: only the rooms' logs have lines. Knows no file.

use std::future::ready;
use std::sync::Arc;

use parlor_core::journal::{Commit, Journal, Record};
use parlor_core::log::Batch;

/// Stores no lines: every commit succeeds at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Journal for Memory {
    fn commit(&mut self, _: &[Arc<Batch>], _: &[Record]) -> Commit {
        Box::pin(ready(Ok(())))
    }
}
