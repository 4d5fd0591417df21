//! Corrections after a failed commit. Only a server without other nodes has them: with other nodes,
//! everything with a place in the order is stored.

use super::state::Ledger;
use crate::model::{Act, Line, RoomName};

impl Ledger {
    /// Uses the numbers of these lines again: nobody has seen the lines.
    pub(crate) fn lines_not_stored(&mut self, room: &RoomName, lines: u64) {
        self.rooms.remove_lines(room, lines);
    }

    /// Restores the topic before this act, which is the last one that changed it.
    pub(crate) fn topic_not_stored(&mut self, act: &Act, before: Option<&Line>) {
        if let Some(room) = act.reach.room() {
            self.rooms.set_topic(room, |topic| topic.text = before.cloned());
        }
    }

    /// Takes the rights from the maker of a room, who is in it all the same.
    pub(crate) fn maker_not_stored(&mut self, act: &Act) {
        if let Some(name) = act.by.name() {
            self.rules.remove_keeper(&act.reach, name);
        }
    }
}
