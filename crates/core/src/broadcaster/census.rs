//! Who and what is in the house: for tests and for the operator. Changes nothing.

use super::Broadcaster;

/// What the broadcaster holds, counted now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// People who wear a name; whoever is about to be granted the first seat wears one already.
    pub people: usize,
    /// Keys of names that nobody else can take.
    pub name_keys: usize,
    /// Seats whose arrival is in a log and whose departure is not.
    pub seats: usize,
    /// Those who read a room without a seat in it.
    pub listeners: usize,
    /// Rooms, the lobby included.
    pub rooms: usize,
    /// What happens in rooms and is in no log yet, and letters that wait for a place in a batch.
    pub under_way: usize,
    /// What all logs weigh, in bytes, as it was counted while they grew and shrank.
    pub logs_bytes_counted: usize,
    /// The same, weighed now.
    pub logs_bytes: usize,
}

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
