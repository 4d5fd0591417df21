//! From events to a batch for each room: here lines get their numbers.

use std::sync::Arc;

use super::crowd::CROWD_TIME;
use super::pending::{
    Departure, Fenced, Gathered, Gathering, Happening, Joined, Promise, Promised, RoomShare,
};
use super::rooms::Room;
use super::state::Broadcaster;
use crate::link::Outcome;
use crate::log::Batch;
use crate::model::{Entry, Name, Now, PersonId, RoomId, Said, Spoken, Telling, WallTime, Who};

impl Broadcaster {
    /// Closes the current batch, if there is any. [Append](Broadcaster::append) it before the next
    /// one is gathered, because numbers follow the last visible one.
    pub fn gather(&mut self, now: Now) -> Option<Gathered> {
        let Gathering { happenings, mut promises, records, sequels, .. } =
            std::mem::take(&mut self.gathering);
        let is_empty = happenings.is_empty() && promises.is_empty();
        if is_empty && sequels.is_empty() && records.is_empty() {
            return None;
        }
        self.is_committing = true;
        let drafts = self.draft(happenings, &mut promises, now);
        let position = self.position();
        let mut gathered = Gathered {
            batches: Vec::new(),
            shares: Vec::new(),
            promises,
            records,
            sequels,
            position,
        };
        for draft in drafts {
            if let Some(room) = self.rooms.get_mut(&draft.room) {
                let (batch, share) = draft.close(room);
                gathered.batches.push(batch);
                gathered.shares.push(share);
            }
        }
        // With other nodes, everything with a place in the order stays.
        self.may_be_undone = self.node.is_none() && gathered.undone().next().is_some();
        Some(gathered)
    }

    /// Puts events in order, room by room, and promises authors the numbers of their lines.
    fn draft(
        &mut self,
        happenings: Vec<(RoomId, Happening)>,
        promises: &mut [Promise],
        now: Now,
    ) -> Vec<Draft> {
        let mut drafts: Vec<Draft> = Vec::new();
        let at = self.time(now);
        for (id, happening) in happenings {
            let Some(room) = self.rooms.get_mut(&id) else {
                continue;
            };
            if room.draft.is_none() {
                room.draft = Some(drafts.len());
                drafts.push(Draft::new(room, at));
            }
            let Some(draft) = room.draft.and_then(|place| drafts.get_mut(place)) else {
                continue; // there is one
            };
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

    /// How many lines are in the current batch.
    pub fn gathered_lines(&self) -> usize {
        self.gathering.lines
    }
}

/// The entries of one room while the batch is being closed.
struct Draft {
    room: RoomId,
    entries: Vec<Entry>,
    /// The number of the last line.
    seq: u64,
    at: WallTime,
    /// The time of the last line: times never decrease in a room.
    said_at: WallTime,
    promised: Vec<Option<Promised>>,
    fenced: Option<Box<Fenced>>,
    /// The people who leave or arrive here, and read on.
    reads_on: Vec<PersonId>,
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
            room: room.id,
            entries: Vec::with_capacity(room.pending),
            seq,
            at: room.at.max(wall),
            said_at: room.at,
            promised: Vec::new(),
            fenced: None,
            reads_on: Vec::new(),
            happenings: 0,
        }
    }

    /// Makes entries of an event. Returns whether that opened the window of a crowd.
    fn add(&mut self, room: &mut Room, happening: Happening) -> bool {
        self.happenings += 1;
        let was_closed = room.crowd.is_closed();
        match happening {
            Happening::Said { who, spoken, at } => self.say(room, who, spoken, at),
            Happening::Signal { who, extras, number } => {
                self.tell_first(room, &who.name);
                self.entries.push(Entry::Signal { who, extras, number });
            }
            Happening::Arrival(arrival) => self.arrive(room, *arrival),
            Happening::Departure(departure) => {
                if departure.stays {
                    self.reads_on.push(departure.who.id);
                    self.fenced.get_or_insert_default().staying.push(self.entries.len());
                }
                self.leave(room, *departure)
            }
            Happening::Renamed { who, from, seen, event } => {
                self.tell_first(room, &from);
                self.tell_first(room, &who.name);
                self.entries.push(Entry::Renamed { who, from, seen, event });
            }
            Happening::Changed { who, change, event } => {
                self.entries.push(Entry::Changed { who, change, event });
            }
            Happening::Ranked { who, change } => {
                self.entries.push(Entry::Ranked { who, change });
            }
            Happening::LinesDeleted { who } => {
                self.tell_first(room, &who.name);
                self.entries.push(Entry::LinesDeleted { who });
            }
            Happening::Topic { who, text } => {
                self.tell_first(room, &who.name);
                self.entries.push(Entry::Topic { who: *who, text });
            }
            Happening::Act(act) => self.entries.push(Entry::Act(act)),
            Happening::Invited { who, to } => self.entries.push(Entry::Invited { who, to }),
            Happening::Crowd => room.crowd.fold_from_now(),
            Happening::SeatLost(seated) => self.fenced.get_or_insert_default().lost.push(seated),
            Happening::CrowdIsOver => self.entries.extend(room.crowd.close()),
            Happening::Receipt { .. } => {}
        }
        was_closed && !room.crowd.is_closed()
    }

    fn say(&mut self, room: &mut Room, who: Arc<Who>, spoken: Spoken, at: WallTime) {
        self.tell_first(room, &who.name);
        self.seq += 1;
        self.said_at = at.max(self.said_at).min(self.at);
        self.entries.push(Entry::Said(Said {
            seq: self.seq,
            at: self.said_at,
            who,
            manner: spoken.manner,
            text: spoken.text,
            extras: spoken.extras,
        }));
    }

    fn arrive(&mut self, room: &mut Room, arrival: Joined) {
        let Joined { who, is_keeper, is_untold, event, promised } = arrival;
        if promised.as_ref().is_some_and(|promised| promised.seat.is_none()) {
            self.reads_on.push(who.id);
        }
        let telling = match is_untold {
            true => Telling::Untold,
            false => room.crowd.arrive(&who),
        };
        self.entries.push(Entry::Arrived { who, is_keeper, event, telling });
        self.promised.push(promised);
    }

    fn leave(&mut self, room: &mut Room, departure: Departure) {
        let Departure { who, words, removal, is_from_server, event, is_untold, .. } = departure;
        let telling = if is_untold {
            Telling::Untold
        } else if removal.is_some() {
            // A removal has its own announcement, never one for a crowd.
            self.tell_first(room, &who.name);
            Telling::Told
        } else {
            room.crowd.leave(&who)
        };
        let event = Some(event);
        self.entries.push(Entry::Left { who, words, removal, is_from_server, event, telling });
    }

    /// If the arrival or departure of a name is folded, adds its announcement before others read
    /// the name.
    fn tell_first(&mut self, room: &mut Room, name: &Name) {
        if room.crowd.has_folded() {
            self.entries.extend(room.crowd.tell_first(name));
        }
    }

    /// Makes the batch.
    fn close(self, room: &mut Room) -> (Arc<Batch>, RoomShare) {
        room.at = self.at;
        room.draft = None;
        let batch = Batch::new(room.name.clone(), room.log.end(), self.at, self.entries);
        let mut batch = batch.with_people_who_read_on(&self.reads_on);
        if room.was_ahead {
            batch = batch.going_back();
        }
        let share = RoomShare {
            room: room.id,
            promised: self.promised,
            fenced: self.fenced,
            happenings: self.happenings,
        };
        (Arc::new(batch), share)
    }
}
