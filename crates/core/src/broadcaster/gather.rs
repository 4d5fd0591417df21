//! From what happens to a batch for each room: here things get their order and their numbers.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Broadcaster;
use super::crowd::CROWD_TIME;
use super::rooms::Room;
use crate::link::{Client, Outcome, Place};
use crate::log::Batch;
use crate::model::{
    Entry, Limits, Line, Name, Now, Removal, RoomId, Ruling, Said, Spoken, Telling, WallTime, Who,
};

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
        removal: Option<Box<Removal>>,
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
    Ruled(Box<Ruling>),
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
            | Happening::Ruled(_)
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
    happenings: Vec<(RoomId, Happening)>,
    promises: Vec<Promise>,
    bytes: usize,
    /// How many of the happenings are lines.
    lines: usize,
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
    pub(super) parts: Vec<Part>,
    pub(super) promises: Vec<Promise>,
}

/// What one room's share in a batch needs to be appended.
#[derive(Debug)]
pub(super) struct Part {
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

impl Broadcaster {
    /// How many lines are in the batch that gathers.
    pub fn gathered_lines(&self) -> usize {
        self.gathering.lines
    }

    /// Closes the batch that has gathered, if anything has. It must be [appended](Broadcaster::append)
    /// before the next is gathered, since its numbers follow those that are visible.
    pub fn gather(&mut self, now: Now) -> Option<Gathered> {
        let Gathering {
            happenings,
            mut promises,
            ..
        } = std::mem::take(&mut self.gathering);
        if happenings.is_empty() && promises.is_empty() {
            return None;
        }
        let drafts = self.draft(happenings, &mut promises, now);
        let mut gathered = Gathered {
            batches: Vec::new(),
            parts: Vec::new(),
            promises,
        };
        for (id, draft) in drafts {
            if let Some(room) = self.rooms.get_mut(&id) {
                let (batch, part) = draft.close(room);
                gathered.batches.push(batch);
                gathered.parts.push(part);
            }
        }
        Some(gathered)
    }

    /// Gives what happens its order, room by room; and whoever wants to know the numbers is promised them.
    fn draft(
        &mut self,
        happenings: Vec<(RoomId, Happening)>,
        promises: &mut [Promise],
        now: Now,
    ) -> IndexMap<RoomId, Draft> {
        let mut drafts: IndexMap<RoomId, Draft> = IndexMap::new();
        for (id, happening) in happenings {
            let Some(room) = self.rooms.get_mut(&id) else {
                continue;
            };
            let draft = drafts
                .entry(id)
                .or_insert_with(|| Draft::new(room, now.wall));
            if let Happening::Receipt { promise, lines } = happening {
                let (first, last) = (draft.seq + 1 - lines, draft.seq);
                if let Some(promise) = promises.get_mut(promise) {
                    promise.outcome = Outcome::Said { first, last };
                }
            }
            if draft.add(room, happening) {
                self.crowds.push_back((now.monotonic + CROWD_TIME, id));
            }
        }
        drafts
    }
}

/// The entries of one room, while the batch is being closed.
struct Draft {
    entries: Vec<Entry>,
    /// The number of the last line.
    seq: u64,
    at: WallTime,
    tickets: Vec<Ticket>,
    happenings: usize,
}

impl Draft {
    fn new(room: &mut Room, wall: WallTime) -> Draft {
        let seq = room.log.end().seq;
        if room.at.was_ahead(wall) {
            room.was_ahead = true;
            room.at = wall;
        }
        Draft {
            entries: Vec::new(),
            seq,
            at: room.at.max(wall),
            tickets: Vec::new(),
            happenings: 0,
        }
    }

    /// Makes entries of a happening. Whether that opened the window of a crowd.
    fn add(&mut self, room: &mut Room, happening: Happening) -> bool {
        self.happenings += 1;
        let was_closed = room.crowd.is_closed();
        match happening {
            Happening::Said { who, spoken } => self.say(room, who, spoken),
            Happening::Arrival {
                who,
                ticket,
                is_untold,
            } => self.arrive(room, who, ticket, is_untold),
            Happening::Departure {
                who,
                words,
                removal,
                is_untold,
            } => self.leave(room, who, words, removal, is_untold),
            Happening::Renamed {
                who,
                from,
                is_still_worn,
            } => {
                self.tell_first(room, &from);
                self.tell_first(room, &who.name);
                self.entries.push(Entry::Renamed {
                    who,
                    from,
                    is_still_worn,
                });
            }
            Happening::TookBack { who } => {
                self.tell_first(room, &who.name);
                self.entries.push(Entry::TookBack { who });
            }
            Happening::Topic { who, text } => {
                self.tell_first(room, &who.name);
                self.entries.push(Entry::Topic { who, text });
            }
            Happening::Ruled(ruling) => self.entries.push(Entry::Ruled(ruling)),
            Happening::CrowdIsOver => self.entries.extend(room.crowd.close()),
            Happening::Receipt { .. } => {}
        }
        was_closed && !room.crowd.is_closed()
    }

    fn say(&mut self, room: &mut Room, who: Who, spoken: Spoken) {
        self.tell_first(room, &who.name);
        self.seq += 1;
        self.entries.push(Entry::Said(Said {
            seq: self.seq,
            at: self.at,
            who,
            manner: spoken.manner,
            text: spoken.text,
        }));
    }

    fn arrive(&mut self, room: &mut Room, who: Who, ticket: Ticket, is_untold: bool) {
        let telling = match is_untold {
            true => Telling::Untold,
            false => room.crowd.arrive(&who),
        };
        self.entries.push(Entry::Arrived { who, telling });
        self.tickets.push(ticket);
    }

    fn leave(
        &mut self,
        room: &mut Room,
        who: Who,
        words: Option<Line>,
        removal: Option<Box<Removal>>,
        is_untold: bool,
    ) {
        let telling = if is_untold {
            Telling::Untold
        } else if removal.is_some() {
            // Whoever is removed is never one of a crowd.
            self.tell_first(room, &who.name);
            Telling::Told
        } else {
            room.crowd.leave(&who)
        };
        self.entries.push(Entry::Left {
            who,
            words,
            removal,
            telling,
        });
    }

    /// Who speaks while folded is told of first.
    fn tell_first(&mut self, room: &mut Room, name: &Name) {
        self.entries.extend(room.crowd.tell_first(name));
    }

    /// From now on nothing comes to it.
    fn close(self, room: &mut Room) -> (Arc<Batch>, Part) {
        room.at = self.at;
        let mut batch = Batch::new(room.name.clone(), room.log.end(), self.at, self.entries);
        if room.was_ahead {
            batch = batch.going_back();
        }
        let part = Part {
            room: room.id,
            tickets: self.tickets,
            happenings: self.happenings,
        };
        (Arc::new(batch), part)
    }
}
