//! Remembers ranges of deleted lines in rooms, so that readers skip them. Knows no file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use parlor_core::model::RoomName;

/// The largest known range of deleted lines in each room. It stays empty: numbers are never reused.
#[derive(Debug, Default)]
pub(super) struct Holes(Mutex<HashMap<RoomName, (u64, u64)>>);

impl Holes {
    /// Notes that the lines from number `first` to `last` are all deleted.
    pub(super) fn note(&self, room: &RoomName, first: u64, last: u64) {
        let mut holes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = holes.get(room).copied();
        let hole = match known {
            Some((from, to)) if first <= to.saturating_add(1) && from <= last.saturating_add(1) => {
                (from.min(first), to.max(last))
            }
            Some((from, to)) if to - from >= last - first => return,
            _ => (first, last),
        };
        holes.insert(room.clone(), hole);
    }

    /// The first number from this one on that is in no hole.
    pub(super) fn up(&self, room: &RoomName, seq: u64) -> u64 {
        match self.around(room, seq) {
            Some((_, last)) => last.saturating_add(1),
            None => seq,
        }
    }

    /// The last number up to this one that is in no hole.
    pub(super) fn down(&self, room: &RoomName, seq: u64) -> u64 {
        match self.around(room, seq) {
            Some((first, _)) => first.saturating_sub(1),
            None => seq,
        }
    }

    fn around(&self, room: &RoomName, seq: u64) -> Option<(u64, u64)> {
        let holes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hole = holes.get(room).copied();
        hole.filter(|(first, last)| (*first..=*last).contains(&seq))
    }
}

#[cfg(test)]
mod tests {
    use parlor_core::model::RoomName;

    use super::Holes;

    #[test]
    fn adjacent_holes_merge_and_otherwise_the_larger_one_is_known() {
        let (holes, lobby) = (Holes::default(), RoomName::lobby());
        let around = |seq| (holes.down(&lobby, seq), holes.up(&lobby, seq));
        assert_eq!(around(5), (5, 5));
        for (first, last) in [(10, 19), (20, 29), (1, 9), (40, 49), (30, 30)] {
            holes.note(&lobby, first, last);
        }
        assert_eq!(around(1), (0, 31));
        assert_eq!(around(30), (0, 31));
        assert_eq!(around(31), (31, 31));
        assert_eq!(around(45), (45, 45));
        holes.note(&lobby, 100, 200);
        assert_eq!((around(1), around(150)), ((1, 1), (99, 201)));
    }
}
