//! Read markers: how far people have read their conversations. Knows no line.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Name, WallTime};

/// The limit of markers for one person: as many as a person has seats.
pub const MARKERS_MAX: usize = 100;

/// A marker may be this much later than the time of the server, because the times of lines may be,
/// too, while the clock goes back.
pub(super) const AHEAD_MAX: Duration = Duration::from_secs(15 * 60);

/// The markers of one person, by the key of the conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markers(pub BTreeMap<Box<str>, WallTime>);

/// A marker that has moved forward.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// The key of the marker that was given up for it, if there were too many.
    pub(super) given_up: Option<Box<str>>,
}

impl Markers {
    /// The marker of a conversation.
    pub(crate) fn of(&self, key: &str) -> Option<WallTime> {
        self.0.get(key).copied()
    }

    /// Moves a marker forward, unless it is there or further already. If there are too many then,
    /// the earliest of the others is given up.
    pub(super) fn advance(&mut self, key: &str, at: WallTime) -> Option<Moved> {
        if self.of(key).is_some_and(|before| before >= at) {
            return None;
        }
        self.0.insert(key.into(), at);
        let is_too_many = self.0.len() > MARKERS_MAX;
        let others = self.0.iter().filter(|(other, _)| is_too_many && ***other != *key);
        let earliest = others.min_by_key(|(_, at)| **at).map(|(earliest, _)| earliest.clone());
        if let Some(earliest) = &earliest {
            self.0.remove(earliest);
        }
        Some(Moved { given_up: earliest })
    }
}

/// The markers of owners, which are stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnersMarkers {
    /// By the first key of the owner's name.
    pub(super) markers: BTreeMap<Box<str>, Markers>,
}

impl OwnersMarkers {
    /// The marker of an owner in a conversation.
    pub(super) fn of(&self, owner: &Name, key: &str) -> Option<WallTime> {
        self.markers.get(owner.keys()[0])?.of(key)
    }

    /// The markers of an owner, to move them.
    pub(super) fn of_mut(&mut self, owner: &Name) -> &mut Markers {
        self.markers.entry(owner.keys()[0].into()).or_default()
    }

    /// Removes the markers of an owner.
    pub(super) fn remove(&mut self, owner: &Name) -> Option<Markers> {
        self.markers.remove(owner.keys()[0])
    }

    /// Puts back the markers of an owner.
    pub(super) fn put_back(&mut self, owner: &Name, markers: Markers) {
        self.markers.insert(owner.keys()[0].into(), markers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_only_moves_forward() {
        let mut markers = Markers::default();
        assert_eq!(markers.advance("#tea", WallTime(5)), Some(Moved { given_up: None }));
        assert_eq!(markers.advance("#tea", WallTime(5)), None);
        assert_eq!(markers.advance("#tea", WallTime(4)), None);
        assert_eq!(markers.of("#tea"), Some(WallTime(5)));
        assert_eq!(markers.of("tea"), None);
    }

    #[test]
    fn the_earliest_of_too_many_is_given_up_but_never_the_new_one() {
        let mut markers = Markers::default();
        for number in 0..MARKERS_MAX {
            let at = WallTime(1_000 - number as i64);
            assert_eq!(markers.advance(&format!("#{number}"), at), Some(Moved { given_up: None }));
        }
        let last = format!("#{}", MARKERS_MAX - 1);
        let moved = markers.advance("#new", WallTime(0));
        assert_eq!(moved, Some(Moved { given_up: Some(last.into()) }));
        assert_eq!((markers.0.len(), markers.of("#new")), (MARKERS_MAX, Some(WallTime(0))));
    }
}
