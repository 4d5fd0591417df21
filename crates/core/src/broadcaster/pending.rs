//! The way into a batch: events, and the people who wait for them. Knows no room.

use std::sync::Arc;
use std::time::Duration;

use crate::link::{Client, Outcome, Place};
use crate::log::Batch;
use crate::model::{Act, Limits, Line, Name, RoomId, Spoken, Who};

/// An event in a room, before it is an entry of the log.
#[derive(Debug)]
pub(super) enum Happening {
    Said {
        who: Who,
        spoken: Spoken,
    },
    Arrival {
        who: Who,
        promised: Promised,
        /// Whether another connection of the owner wears the name in the room.
        is_untold: bool,
    },
    Departure {
        who: Who,
        words: Option<Line>,
        removal: Option<Arc<Act>>,
        /// Whether another connection of the owner still wears the name in the room.
        is_untold: bool,
    },
    Renamed {
        who: Who,
        from: Name,
        /// Whether another connection of the owner still wears the old name in the room.
        is_still_worn: bool,
    },
    LinesDeleted {
        who: Who,
    },
    Topic {
        who: Who,
        text: Option<Line>,
    },
    Act(Arc<Act>),
    CrowdIsOver,
    /// The author of the lines before it learns their numbers.
    Receipt {
        /// The index of the author's promise.
        promise: usize,
        lines: u64,
    },
}

impl Happening {
    /// The size of its text, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Happening::Said { spoken, .. } => spoken.text.len(),
            Happening::Departure { words: text, .. } | Happening::Topic { text, .. } => {
                text.as_ref().map_or(0, Line::len)
            }
            Happening::Arrival { .. }
            | Happening::Renamed { .. }
            | Happening::LinesDeleted { .. }
            | Happening::Act(_)
            | Happening::CrowdIsOver
            | Happening::Receipt { .. } => 0,
        }
    }
}

/// A client that waits until the batch is appended.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) client: Arc<Client>,
    /// The outcome that the client gets then.
    pub(super) outcome: Outcome,
    /// Whether it depends on the journal.
    pub(super) is_post: bool,
}

/// The next batch, while the one before it is being committed.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) happenings: Vec<(RoomId, Happening)>,
    pub(super) promises: Vec<Promise>,
    pub(super) bytes: usize,
    /// The number of events that are lines.
    pub(super) lines: usize,
}

impl Gathering {
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.happenings.len() >= limits.batch_entries || self.bytes >= limits.batch_bytes
    }

    pub(super) fn push(&mut self, room: RoomId, happening: Happening) {
        self.bytes += happening.bytes();
        self.lines += usize::from(matches!(happening, Happening::Said { .. }));
        self.happenings.push((room, happening));
    }

    /// The index of the next promise.
    pub(super) fn next_promise(&self) -> usize {
        self.promises.len()
    }

    pub(super) fn promise(&mut self, client: &Arc<Client>, outcome: Outcome, is_post: bool) {
        self.promises.push(Promise { client: Arc::clone(client), outcome, is_post });
    }

    /// The clients that wait for the batch, once for each request.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.promises.iter().map(|promise| &promise.client)
    }
}

/// A seat, which is granted when the arrival is appended.
#[derive(Debug)]
pub(super) struct Promised {
    pub(super) client: Arc<Client>,
    /// The place of the seat. The person has it already, and may be removed from it.
    pub(super) place: Arc<Place>,
    /// The number of earlier lines to show.
    pub(super) replay: u64,
    /// Whether it is this person's first seat.
    pub(super) is_first: bool,
}

/// A closed batch, on its way through the journal: the entries of each room it touches.
#[derive(Debug)]
pub struct Gathered {
    pub(super) batches: Vec<Arc<Batch>>,
    /// The share of each room in `batches`, beside its entries.
    pub(super) shares: Vec<RoomShare>,
    pub(super) promises: Vec<Promise>,
}

/// The data for appending one room's share of a batch.
#[derive(Debug)]
pub(super) struct RoomShare {
    pub(super) room: RoomId,
    /// One for each arrival in the entries, in order.
    pub(super) promised: Vec<Promised>,
    /// The number of the room's pending events that are in it.
    pub(super) happenings: usize,
}

impl Gathered {
    /// The batches that the journal stores.
    pub fn batches(&self) -> &[Arc<Batch>] {
        &self.batches
    }

    /// Whether it has lines: only lines are stored.
    pub fn has_lines(&self) -> bool {
        self.lines() > 0
    }

    /// The number of its lines.
    pub fn lines(&self) -> u64 {
        self.batches.iter().map(|batch| batch.lines()).sum()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.promises.iter().map(|promise| &promise.client)
    }
}

/// How long a person may be away before the others are told. A reloaded page is back within this
/// time, even on a slow network.
pub const RETURN_TIME: Duration = Duration::from_secs(5);
