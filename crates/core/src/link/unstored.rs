//! An act that is sent to the file for storage, and then back to the broadcaster. Knows no file.

use std::sync::Arc;

use super::inbox::{Inbox, InboxItem};
use crate::model::Act;

/// An act that must be stored before anybody reads of it.
#[derive(Debug)]
pub struct Unstored {
    /// The act to store.
    pub act: Arc<Act>,
    /// The broadcaster's number for the effects of this act.
    pub(crate) number: u64,
    pub(crate) inbox: Arc<Inbox>,
}

impl Unstored {
    /// Tells the broadcaster that the act is stored, or cannot be stored.
    pub fn settle(self, is_stored: bool) {
        self.inbox.put(InboxItem::ActStored { number: self.number, is_stored });
    }
}
