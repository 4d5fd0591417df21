//! Acts that are being stored, and what follows when they are. Knows no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::link::{Client, Inbox, InboxItem, Unstored};
use crate::model::{Act, Line, Name, PersonId, RoomId, RoomName, Who};

/// What follows when an act is stored, or could not be.
#[derive(Debug)]
pub(super) enum Sequel {
    /// People read of it: those concerned, the others, and the one who asked for it.
    Publish(Arc<Client>, Decided),
    /// A request is granted that makes a room, and this person is its keeper.
    Make(Box<InboxItem>, RoomName, Name),
    /// The room has another topic.
    Topic(Arc<Client>, RoomName, Who, Option<Line>),
}

/// An act that holds, and the people who are to read of it.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) act: Arc<Act>,
    /// Those whom it concerns.
    pub(super) people: Vec<PersonId>,
    /// All in this room read of it.
    pub(super) room: Option<RoomId>,
    /// Where the one sits who asked for it, and reads of it there; none for the operator.
    pub(super) here: Option<RoomId>,
}

/// The acts that are being stored: one for each connection, which waits for it.
#[derive(Debug, Default)]
pub(super) struct PendingActs {
    /// Those that nobody has begun to store.
    new: Vec<Unstored>,
    sequels: BTreeMap<u64, Sequel>,
    count: u64,
}

impl PendingActs {
    pub(super) fn put(&mut self, inbox: &Arc<Inbox>, act: Arc<Act>, sequel: Sequel) {
        self.count += 1;
        self.sequels.insert(self.count, sequel);
        self.new.push(Unstored {
            act,
            number: self.count,
            inbox: Arc::clone(inbox),
        });
    }

    pub(super) fn take_new(&mut self) -> Vec<Unstored> {
        std::mem::take(&mut self.new)
    }

    /// What follows an act that was stored, or could not be.
    pub(super) fn finish(&mut self, number: u64) -> Option<Sequel> {
        self.sequels.remove(&number)
    }
}
