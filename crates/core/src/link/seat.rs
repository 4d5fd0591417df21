//! A presence: a person's right to be on the server. A seat: the right to be in a room. Knows no
//! inbox and no socket.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::view::{Mark, Place};
use crate::log::Log;
use crate::model::{Act, Line, PersonId, RoomId, RoomName};

/// Accepts presences, seats and listeners that end, and readers who have fallen off a log. It has
/// space for all of them, so it never fails or waits.
pub(crate) trait Leave: Debug + Send + Sync {
    /// Ends a seat, with these last words.
    fn leave_room(&self, place: Arc<Place>, words: Option<Line>);

    /// Ends a presence and all its seats, with these last words.
    fn leave_server(&self, person: PersonId, words: Option<Line>);

    /// Ends a listener.
    fn stop_listening(&self, place: Arc<Place>);

    /// Tells a reader the end of a log, and who is in the room there.
    fn enter_again(&self, place: Arc<Place>);
}

/// Knows whether the connection is on the server. An act can remove the person before the connection
/// gives the presence up.
pub(crate) trait Stay: Debug + Send + Sync {
    /// The person.
    fn person(&self) -> PersonId;

    /// Notes that the connection is on the server.
    fn come(&self);

    /// Whether the connection was on the server and has left it.
    fn has_left(&self) -> bool;

    /// Notes that the connection leaves the server, and wakes the writing half, which waits for
    /// that. Returns whether the connection was still on the server.
    fn leave(&self) -> bool;
}

/// A connection's right to be on the server, under a name and in any number of rooms. Dropping it
/// leaves all rooms and the server, together.
#[derive(Debug)]
pub struct Presence {
    stay: Arc<dyn Stay>,
    house: Arc<dyn Leave>,
}

impl Presence {
    pub(crate) fn new(stay: Arc<dyn Stay>, house: Arc<dyn Leave>) -> Presence {
        stay.come();
        Presence { stay, house }
    }

    /// Leaves all rooms and the server, with these last words.
    pub fn leave(self, words: Option<Line>) {
        self.end(words);
    }

    fn end(&self, words: Option<Line>) {
        if self.stay.leave() {
            self.house.leave_server(self.stay.person(), words);
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// A place in a room, held by the connection. Dropping it leaves the room, unless the presence has
/// ended before.
#[derive(Debug)]
pub struct Seat {
    place: Arc<Place>,
    stay: Arc<dyn Stay>,
    house: Arc<dyn Leave>,
    words: Option<Line>,
}

impl Seat {
    pub(crate) fn new(place: Arc<Place>, stay: Arc<dyn Stay>, house: Arc<dyn Leave>) -> Seat {
        Seat { place, stay, house, words: None }
    }

    /// The room of the seat.
    pub fn room(&self) -> RoomId {
        self.place.room
    }

    /// The room's name.
    pub fn room_name(&self) -> &RoomName {
        &self.place.name
    }

    /// The room's log.
    pub fn log(&self) -> &Arc<Log> {
        &self.place.log
    }

    /// The present end of the room's log, where an answer given now belongs.
    pub fn mark(&self) -> Mark {
        Mark::at(self.place.room, self.place.log.watermark())
    }

    /// The place after this seat's departure, where the first mail from the next room belongs. The
    /// person may have another seat in the room already: its reader has passed the place.
    pub fn mark_of_departure(&self) -> Mark {
        match self.place.departed.get() {
            Some(departed) => Mark::at(self.place.room, departed.position.saturating_add(1)),
            None => Mark::behind(self.place.room),
        }
    }

    /// The act that removed this person from the room; none while the person may stay. When it is
    /// set, a task that awaits [`Client::removal`](super::client::Client::removal) wakes.
    pub fn removed(&self) -> Option<&Arc<Act>> {
        self.place.removed()
    }

    /// Leaves the room with these last words.
    pub fn leave(mut self, words: Option<Line>) {
        self.words = words;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if !self.stay.has_left() {
            self.place.is_left.store(true, Ordering::Relaxed);
            self.house.leave_room(Arc::clone(&self.place), self.words.take());
        }
    }
}

/// The seats of one connection: nearly always one.
pub type Seats = SmallVec<[Seat; 1]>;

/// The right to read a room without a seat in it: nobody is told, and the reader cannot speak.
/// Dropping it ends the view.
#[derive(Debug)]
pub struct Listener {
    place: Arc<Place>,
    house: Arc<dyn Leave>,
}

impl Listener {
    pub(crate) fn new(place: Arc<Place>, house: Arc<dyn Leave>) -> Listener {
        Listener { place, house }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.house.stop_listening(Arc::clone(&self.place));
    }
}
