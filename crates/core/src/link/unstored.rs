//! An act on its way to the file, and back to the broadcaster. Knows no file.

use std::sync::Arc;

use super::inbox::{Inbox, InboxItem};
use crate::model::Act;

/// An act that is to be stored before anybody reads of it.
#[derive(Debug)]
pub struct Unstored {
    /// What is to be stored.
    pub act: Arc<Act>,
    /// The broadcaster knows by it what follows.
    pub(crate) number: u64,
    pub(crate) inbox: Arc<Inbox>,
}

impl Unstored {
    /// The act is stored, or cannot be: the broadcaster goes on with that.
    pub fn settle(self, is_stored: bool) {
        self.inbox.put(InboxItem::ActStored {
            number: self.number,
            is_stored,
        });
    }
}
