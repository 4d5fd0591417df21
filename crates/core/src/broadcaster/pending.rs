//! What is on its way into a batch: happenings, and the people who wait for them. Knows no room.

use std::sync::Arc;
use std::time::Duration;

use crate::link::{Client, Outcome, Place};
use crate::log::Batch;
use crate::model::{Act, Limits, Line, Name, PersonId, RoomId, Spoken, Who};

/// Something that happens in a room, before it is an entry of the log.
#[derive(Debug)]
pub(super) enum Happening {
    Said {
        who: Who,
        spoken: Spoken,
    },
    Arrival {
        who: Who,
        ticket: Ticket,
        /// Whether the name is worn in the room by another connection of its owner.
        is_untold: bool,
    },
    Departure {
        who: Who,
        words: Option<Line>,
        removal: Option<Arc<Act>>,
        /// Whether the name stays in the room with another connection of its owner.
        is_untold: bool,
    },
    Renamed {
        who: Who,
        from: Name,
        /// Whether the old name stays in the room with another connection of its owner.
        is_still_worn: bool,
    },
    TookBack {
        who: Who,
    },
    Topic {
        who: Who,
        text: Option<Line>,
    },
    Act(Arc<Act>),
    CrowdIsOver,
    /// Of the lines before it: whoever said them is told their numbers.
    Receipt {
        /// Which of the batch's promises that is.
        promise: usize,
        lines: u64,
    },
}

impl Happening {
    /// The text in it, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Happening::Said { spoken, .. } => spoken.text.len(),
            Happening::Departure { words: text, .. } | Happening::Topic { text, .. } => {
                text.as_ref().map_or(0, Line::len)
            }
            Happening::Arrival { .. }
            | Happening::Renamed { .. }
            | Happening::TookBack { .. }
            | Happening::Act(_)
            | Happening::CrowdIsOver
            | Happening::Receipt { .. } => 0,
        }
    }
}

/// Somebody who waits for the batch to be appended.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) client: Arc<Client>,
    /// What is handed over then.
    pub(super) outcome: Outcome,
    /// Whether it hangs on the journal.
    pub(super) is_post: bool,
}

/// The next batch, while the one before it is being committed.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) happenings: Vec<(RoomId, Happening)>,
    pub(super) promises: Vec<Promise>,
    pub(super) bytes: usize,
    /// How many of the happenings are lines.
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

    /// Which promise the next one is.
    pub(super) fn next_promise(&self) -> usize {
        self.promises.len()
    }

    pub(super) fn promise(&mut self, client: &Arc<Client>, outcome: Outcome, is_post: bool) {
        self.promises.push(Promise {
            client: Arc::clone(client),
            outcome,
            is_post,
        });
    }

    /// Those who wait for the batch, once for each request.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.promises.iter().map(|promise| &promise.client)
    }
}

/// What somebody asked for who is to be given a seat when the arrival is appended.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) client: Arc<Client>,
    /// What the seat is to be; its person has it already, and may be told to leave it.
    pub(super) place: Arc<Place>,
    /// How many lines said before are wanted.
    pub(super) replay: u64,
    /// Whether it is this person's first seat.
    pub(super) first: bool,
}

/// A closed batch, on its way through the journal: the entries of each room it touches.
#[derive(Debug)]
pub struct Gathered {
    pub(super) batches: Vec<Arc<Batch>>,
    /// What belongs to each of `batches` beside its entries.
    pub(super) parts: Vec<RoomShare>,
    pub(super) promises: Vec<Promise>,
}

/// What one room's share in a batch needs to be appended.
#[derive(Debug)]
pub(super) struct RoomShare {
    pub(super) room: RoomId,
    /// One for each arrival among the entries, in order.
    pub(super) tickets: Vec<Ticket>,
    /// How many of the room's pending happenings it settles.
    pub(super) happenings: usize,
}

impl Gathered {
    /// What the journal is to keep.
    pub fn batches(&self) -> &[Arc<Batch>] {
        &self.batches
    }

    /// Whether anything was said: only that is kept.
    pub fn has_lines(&self) -> bool {
        self.lines() > 0
    }

    /// How many lines were said.
    pub fn lines(&self) -> u64 {
        self.batches.iter().map(|batch| batch.lines()).sum()
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.promises.iter().map(|promise| &promise.client)
    }
}

/// A page that is loaded again is back within this time, also on a slow line; and nobody is shown longer than that who is gone.
pub const RETURN_TIME: Duration = Duration::from_secs(5);

/// A seat that its person, who has come back on another connection, has not taken again.
#[derive(Debug)]
pub(super) struct Absent {
    /// The person, on the connection that had the seat.
    pub(super) who: Who,
    /// The connection of the same person that may take it.
    pub(super) heir: PersonId,
    pub(super) room: RoomId,
    /// Then the others are told of a departure.
    pub(super) until: Duration,
}
