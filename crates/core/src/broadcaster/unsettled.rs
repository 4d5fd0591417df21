//! Acts that are being stored: nobody reads of them before. Knows no file.

use std::sync::Arc;

use crate::link::{Client, Inbox, Incoming};
use crate::model::{
    Ban, Deed, Done, Line, Name, PersonId, Reach, Record, Removal, RoomId, RoomName, Ruling, Who,
    Word,
};

/// Something that is to be written down before anybody reads of it.
#[derive(Debug)]
pub struct Unsettled {
    /// What is to be written down.
    pub record: Record,
    pub(super) next: Continuation,
    pub(super) inbox: Arc<Inbox>,
}

impl Unsettled {
    /// It is written down, or cannot be: the broadcaster goes on with that.
    pub fn settle(self, is_written: bool) {
        let Unsettled { next, inbox, .. } = self;
        inbox.put(Incoming::Settled(Box::new(Settled { next, is_written })));
    }
}

/// Something that was written down, or could not be.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(super) next: Continuation,
    pub(super) is_written: bool,
}

/// What follows when something is written down.
#[derive(Debug)]
pub(super) enum Continuation {
    /// An order is reported: to those concerned, to the others, and to the one who gave it.
    Report(Arc<Client>, Box<Obeyed>),
    /// Somebody's request is granted, which makes a room that they keep.
    Make(Box<Incoming>, RoomName, Name),
    /// Somebody has set a topic.
    Topic(Arc<Client>, RoomName, Who, Option<Line>),
}

/// What has come of an order.
#[derive(Debug)]
pub(super) struct Obeyed {
    pub(super) done: Done,
    /// What of it is to be written down, and how far that reaches.
    pub(super) deed: Option<(Reach, Deed)>,
    /// What the others read of it, when it is written down.
    pub(super) reports: Vec<Report>,
    /// Where the one sits who gave the order, and reads of it there; none for the operator.
    pub(super) here: Option<RoomId>,
}

/// What somebody reads of something done with authority.
#[derive(Debug)]
pub(super) enum Report {
    /// All in a room read it.
    Ruled(RoomId, Box<Ruling>),
    /// One person reads it.
    Told(PersonId, Word),
    /// These connections leave, and the others read that.
    Leave(Vec<PersonId>, Removal),
    /// Those end who read without a seat.
    Hush(Ban, Removal),
}

impl Obeyed {
    /// Nothing has changed.
    pub(super) fn known(done: Done) -> Obeyed {
        Obeyed {
            done,
            deed: None,
            reports: Vec::new(),
            here: None,
        }
    }

    /// The same, which reaches so far.
    pub(super) fn in_reach(mut self, reach: Reach) -> Obeyed {
        self.deed = self.deed.map(|(_, deed)| (reach, deed));
        self
    }

    pub(super) fn report(mut self, reports: impl IntoIterator<Item = Report>) -> Obeyed {
        self.reports.extend(reports);
        self
    }
}
