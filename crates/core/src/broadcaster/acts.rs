//! The acts that wait to be stored, and the steps that follow. Knows no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ledger::Announcement;
use crate::link::{Client, Inbox, InboxItem, Unstored};
use crate::model::{Act, Line, Name, RoomName, Who};

/// The step that follows when an act is stored, or when storing it fails.
#[derive(Debug)]
pub(super) enum Sequel {
    /// Tell people about the act: the people concerned, the others, and the person who asked for
    /// it.
    Publish(Arc<Client>, Announcement),
    /// Grant a request that makes a room, with this person as its keeper.
    Make(Box<InboxItem>, RoomName, Name),
    /// Show the new topic of the room, or restore the one before.
    Topic {
        client: Arc<Client>,
        room: RoomName,
        who: Who,
        text: Option<Line>,
        before: Option<Line>,
    },
}

/// The acts that wait to be stored. Each connection waits for one at most.
#[derive(Debug, Default)]
pub(super) struct PendingActs {
    /// Acts that nobody has started to store.
    new: Vec<Unstored>,
    sequels: BTreeMap<u64, Sequel>,
    count: u64,
}

impl PendingActs {
    pub(super) fn put(&mut self, inbox: &Arc<Inbox>, act: Arc<Act>, sequel: Sequel) {
        self.count += 1;
        self.sequels.insert(self.count, sequel);
        self.new.push(Unstored { act, number: self.count, inbox: Arc::clone(inbox) });
    }

    pub(super) fn take_new(&mut self) -> Vec<Unstored> {
        std::mem::take(&mut self.new)
    }

    /// The step that follows an act that was stored, or could not be.
    pub(super) fn finish(&mut self, number: u64) -> Option<Sequel> {
        self.sequels.remove(&number)
    }
}
