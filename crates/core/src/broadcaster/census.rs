//! Who and what is in the house: for tests and for the operator. Changes nothing.

use super::Broadcaster;
use crate::model::Census;

impl Broadcaster {
    /// Counts who and what is in the house; takes time by the number of rooms.
    pub fn census(&self) -> Census {
        let rooms = || self.rooms.values();
        Census {
            people: self.people.len(),
            name_keys: self.people.keys_len(),
            seats: rooms().map(|room| room.members.len()).sum(),
            listeners: rooms().map(|room| room.members.listening()).sum(),
            rooms: self.rooms.len(),
            under_way: self.waiting.len() + rooms().map(|room| room.pending).sum::<usize>(),
            logs_bytes_counted: self.logs_bytes,
            logs_bytes: rooms().map(|room| room.log.weight()).sum(),
        }
    }
}
