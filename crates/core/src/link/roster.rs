//! Everybody in a room at one place of its log. Knows no encoder.

use std::collections::HashMap;
use std::sync::Arc;

use crate::log::{Batch, Cursor};
use crate::model::{Entry, Name, Renaming, RoomName, RoomRank, Telling, WallTime, Who};

/// A person in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// The person, with the name at that moment.
    pub who: Arc<Who>,
    /// Whether the person has authority in the room.
    pub is_keeper: bool,
    /// Whether the person has authority on the whole server. A list for a newcomer does not tell of
    /// those who came in the same batch.
    pub is_server_keeper: bool,
    /// Whether the person has a voice in the room.
    pub has_voice: bool,
    /// Whether the person is away. A list for a newcomer does not tell.
    pub is_away: bool,
}

/// Everybody in a room before a newcomer: the people at the beginning of a batch, and the entries
/// of the batch before the newcomer's own. All newcomers in a batch share both, so a list costs
/// nothing for each of them. Several connections of an owner are one person.
#[derive(Clone, Debug)]
pub struct FullRoster {
    before: Arc<[Occupant]>,
    batch: Arc<Batch>,
    /// The number of entries before the newcomer's own.
    entries: usize,
    /// The number of people and entries that were taken.
    taken: usize,
}

impl FullRoster {
    pub(crate) fn new(before: &Arc<[Occupant]>, batch: &Arc<Batch>, entries: usize) -> FullRoster {
        FullRoster { before: Arc::clone(before), batch: Arc::clone(batch), entries, taken: 0 }
    }

    /// Everybody in a room at the end of its log.
    pub(crate) fn at_end(people: &Arc<[Occupant]>, room: &RoomName, end: Cursor) -> FullRoster {
        let nothing = Batch::new(room.clone(), end, WallTime::default(), Vec::new());
        FullRoster::new(people, &Arc::new(nothing), 0)
    }

    /// Takes the next people, at most this many. There are none after the last.
    pub fn take(&mut self, max: usize) -> Vec<Occupant> {
        let batch = Arc::clone(&self.batch);
        let entries = batch.entries().get(..self.entries).unwrap_or_default();
        let removals = removals(entries);
        let mut people = Vec::new();
        while people.len() < max && self.taken < self.before.len() + entries.len() {
            people.extend(self.person(entries, &removals));
            self.taken += 1;
        }
        people
    }

    /// The person whose turn it is; none for one who has left, and for an entry about nobody new.
    fn person(&self, entries: &[Entry], removals: &HashMap<&str, usize>) -> Option<Occupant> {
        let removed_at = |who: &Who| removals.get(key(&who.name)).copied();
        let Some(index) = self.taken.checked_sub(self.before.len()) else {
            let person = self.before.get(self.taken)?;
            return removed_at(&person.who).is_none().then(|| person.clone());
        };
        let (who, RoomRank { is_keeper, has_voice }) = match entries.get(index)? {
            Entry::Arrived { who, is_keeper, telling: Telling::Told | Telling::Folded, .. } => {
                (who.clone().into(), RoomRank { is_keeper: *is_keeper, has_voice: false })
            }
            Entry::Renamed { who, seen, .. } if !seen.is_accompanied => {
                (Arc::clone(who), seen.rank)
            }
            _ => return None,
        };
        let stays = removed_at(&who).is_none_or(|removed| removed <= index);
        let (is_server_keeper, is_away) = (false, false);
        stays.then_some(Occupant { who, is_keeper, is_server_keeper, has_voice, is_away })
    }
}

/// The names that nobody has any more after an entry, each with the index of the last such entry.
fn removals(entries: &[Entry]) -> HashMap<&str, usize> {
    let mut removals = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let name = match entry {
            Entry::Left { who, telling: Telling::Told | Telling::Folded, .. } => &who.name,
            Entry::Renamed { from, seen: Renaming { is_still_worn: false, .. }, .. } => from,
            _ => continue,
        };
        removals.insert(key(name), index);
    }
    removals
}

/// Two names with the same key are one person's.
fn key(name: &Name) -> &str {
    name.keys()[0]
}
