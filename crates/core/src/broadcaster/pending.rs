//! The way into a batch: events, and the people who wait for them. Knows no room.

use std::sync::Arc;
use std::time::Duration;

use super::rooms::Seated;
use crate::ledger::{Announcement, Before, Happened, Ledger, Record};
use crate::link::{Client, Outcome, Place};
use crate::log::Batch;
use crate::model::{
    Act, ActOf, Extras, Limits, Line, Name, PersonChange, PersonEvent, PersonId, RankChange,
    Renaming, RoomId, Spoken, WallTime, Who,
};

/// An event in a room, before it is an entry of the log.
#[derive(Debug)]
pub(super) enum Happening {
    Said {
        who: Arc<Who>,
        spoken: Spoken,
        at: WallTime,
    },
    Signal {
        who: Arc<Who>,
        extras: Arc<Extras>,
        number: u64,
    },
    Arrival(Box<Joined>),
    Departure(Box<Departure>),
    Renamed {
        who: Arc<Who>,
        from: Name,
        seen: Renaming,
        event: Arc<PersonEvent>,
    },
    Changed {
        who: Arc<Who>,
        change: PersonChange,
        event: Arc<PersonEvent>,
    },
    Ranked {
        who: Arc<Who>,
        change: RankChange,
    },
    LinesDeleted {
        who: Who,
    },
    Topic {
        who: Box<Who>, // lines are many, so this enum is small
        text: Option<Line>,
    },
    Act(Arc<ActOf>),
    /// A person in the room invites somebody.
    Invited {
        who: Arc<Who>,
        to: Name,
    },
    /// Several people leave together.
    Crowd,
    CrowdIsOver,
    /// A person whose connection stayed did not get the seat again.
    SeatLost(Seated),
    /// The author of the lines before it learns their numbers.
    Receipt {
        /// The index of the author's promise.
        promise: usize,
        lines: u64,
    },
}

/// A person sits down in the room.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) who: Who,
    pub(super) is_keeper: bool,
    pub(super) is_untold: bool,
    /// The event, if the name was given up in other rooms before.
    pub(super) event: Option<Arc<PersonEvent>>,
    /// None if the connection is on another node.
    pub(super) promised: Option<Promised>,
}

/// A person leaves the room.
#[derive(Debug)]
pub(super) struct Departure {
    pub(super) who: Arc<Who>,
    pub(super) words: Option<Line>,
    pub(super) removal: Option<Arc<ActOf>>,
    pub(super) is_from_server: bool,
    pub(super) event: Arc<PersonEvent>,
    pub(super) is_untold: bool,
    /// Whether the connection stays, and reads on: the boot of this node has ended.
    pub(super) stays: bool,
}

impl Happening {
    /// The size of its text, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Happening::Said { spoken, .. } => {
                spoken.text.len() + spoken.extras.as_deref().map_or(0, Extras::weight)
            }
            Happening::Signal { extras, .. } => extras.weight(),
            Happening::Departure(departure) => departure.words.as_ref().map_or(0, Line::len),
            Happening::Topic { text, .. } => text.as_ref().map_or(0, Line::len),
            Happening::Arrival(_)
            | Happening::Renamed { .. }
            | Happening::Changed { .. }
            | Happening::Ranked { .. }
            | Happening::LinesDeleted { .. }
            | Happening::Act(_)
            | Happening::Invited { .. }
            | Happening::Crowd
            | Happening::CrowdIsOver
            | Happening::SeatLost(_)
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
    /// How it depends on the journal.
    pub(super) stake: Stake,
}

/// How an outcome depends on the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stake {
    /// It does not.
    Nothing,
    /// Lines are refused, with the journal's reason.
    Lines,
    /// A change of something that is stored beside lines is refused.
    Record,
}

/// A step that follows when the batch is stored, or when it could not be.
#[derive(Debug)]
pub(super) enum Sequel {
    /// People are told of an act, and the client that asked for it, if it is on this node.
    Announce(Option<Arc<Client>>, Announcement),
    /// If it could not be stored, the ledger returns to the state before.
    Undo(Before),
    /// These people lose the name, if that is stored, and so do listeners who read as its owner.
    LoseName { name: Name, people: Vec<PersonId>, act: Arc<Act> },
    /// An act has removed the person from this place; from the server if there is none.
    Removal { client: Arc<Client>, place: Option<Arc<Place>>, act: Arc<ActOf> },
}

/// The next batch, while the one before it is being committed.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) happenings: Vec<(RoomId, Happening)>,
    pub(super) promises: Vec<Promise>,
    /// The records that are stored with its lines.
    pub(super) records: Vec<Record>,
    pub(super) sequels: Vec<Sequel>,
    pub(super) bytes: usize,
    /// The number of events that are lines.
    pub(super) lines: usize,
}

impl Gathering {
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        let entries = self.happenings.len() + self.records.len();
        entries >= limits.batch_entries || self.bytes >= limits.batch_bytes
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

    pub(super) fn promise(&mut self, client: &Arc<Client>, outcome: Outcome, stake: Stake) {
        self.promises.push(Promise { client: Arc::clone(client), outcome, stake });
    }

    /// Stores something with the batch.
    pub(super) fn store(&mut self, record: Record, sequel: Option<Sequel>) {
        self.bytes += record.bytes();
        self.records.push(record);
        self.sequels.extend(sequel);
    }

    /// The clients that wait for the batch, once for each request.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        waiting(&self.promises, &self.sequels)
    }
}

fn waiting<'a>(
    promises: &'a [Promise],
    sequels: &'a [Sequel],
) -> impl Iterator<Item = &'a Arc<Client>> {
    let asked = |sequel: &'a Sequel| match sequel {
        Sequel::Announce(client, _) => client.as_ref(),
        Sequel::Undo(_) | Sequel::LoseName { .. } | Sequel::Removal { .. } => None,
    };
    promises.iter().map(|promise| &promise.client).chain(sequels.iter().filter_map(asked))
}

/// A seat, which is granted when the arrival is appended.
#[derive(Debug)]
pub(super) struct Promised {
    pub(super) client: Arc<Client>,
    /// The place of the seat. The person has it already, and may be removed from it.
    pub(super) place: Arc<Place>,
    /// For a new seat: the number of earlier lines to show, and whether it is this person's first
    /// seat. None if the person has the seat again.
    pub(super) seat: Option<(u64, bool)>,
}

/// A closed batch, on its way through the journal: the entries of each room it touches.
#[derive(Debug)]
pub struct Gathered {
    pub(super) batches: Vec<Arc<Batch>>,
    /// The share of each room in `batches`, beside its entries.
    pub(super) shares: Vec<RoomShare>,
    pub(super) promises: Vec<Promise>,
    pub(super) records: Vec<Record>,
    pub(super) sequels: Vec<Sequel>,
    pub(super) position: u64,
}

/// The data for appending one room's share of a batch.
#[derive(Debug)]
pub(super) struct RoomShare {
    pub(super) room: RoomId,
    /// One for each arrival in the entries, in order.
    pub(super) promised: Vec<Option<Promised>>,
    /// None unless the boot of this node has ended.
    pub(super) fenced: Option<Box<Fenced>>,
    /// The number of the room's pending events that are in it.
    pub(super) happenings: usize,
}

/// The connections in a room whose people have left with the boot of this node.
#[derive(Debug, Default)]
pub(super) struct Fenced {
    /// The indices of the departures after which the connection stays.
    pub(super) staying: Vec<usize>,
    /// The seats that are lost at the end of the batch.
    pub(super) lost: Vec<Seated>,
}

impl RoomShare {
    /// Whether a newcomer wants the list of everybody in the room.
    pub(super) fn wants_roster(&self) -> bool {
        let mut promised = self.promised.iter().flatten();
        promised.any(|promised| promised.client.wants_roster())
    }
}

impl Gathered {
    /// The batches that the journal stores.
    pub fn batches(&self) -> &[Arc<Batch>] {
        &self.batches
    }

    /// The records that the journal stores.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The position in the order up to which everything is in this batch or an earlier one; 0
    /// without other nodes.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether it has lines or records: only these are stored.
    pub fn needs_commit(&self) -> bool {
        !self.records.is_empty() || self.lines() > 0
    }

    /// The number of its lines.
    pub fn lines(&self) -> u64 {
        self.batches.iter().map(|batch| batch.lines()).sum()
    }

    /// Corrects a ledger after the commit failed at this time: the ledger has applied the intents of
    /// this batch, and later ones that do not build on them. Returns what people read about that.
    pub fn correct(&self, ledger: &mut Ledger, at: WallTime) -> Vec<Happened> {
        for batch in &self.batches {
            ledger.lines_not_stored(batch.room(), batch.lines());
        }
        let mut happened = Vec::new();
        self.undone().rev().for_each(|before| ledger.put_back(before, at, &mut happened));
        happened
    }

    /// The states before those changes that are undone if the commit fails.
    pub(super) fn undone(&self) -> impl DoubleEndedIterator<Item = &Before> {
        self.sequels.iter().filter_map(|sequel| match sequel {
            Sequel::Undo(before) => Some(before),
            Sequel::Announce(..) | Sequel::LoseName { .. } | Sequel::Removal { .. } => None,
        })
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<Client>> {
        waiting(&self.promises, &self.sequels)
    }
}

/// How long a person may be away before the others are told. A reloaded page is back within this
/// time, even on a slow network.
pub const RETURN_TIME: Duration = Duration::from_secs(5);
