//! A seat: a person's right to be in a room, from entering to leaving. Knows no inbox and no
//! socket.

use std::fmt::Debug;
use std::sync::Arc;

use super::view::{Mark, Place};
use crate::log::Log;
use crate::model::{Act, Line, RoomId, RoomName};

/// Accepts seats and listeners that end. It has space for every departure, so it never fails or
/// waits.
pub(crate) trait Leave: Debug + Send + Sync {
    /// Ends a seat, with these last words.
    fn leave(&self, place: Arc<Place>, words: Option<Line>);

    /// Ends a listener.
    fn stop_listening(&self, place: Arc<Place>);
}

/// Counts the seats that a connection holds. An act can remove the person before the connection
/// gives the seat up.
pub(crate) trait HoldSeat: Debug + Send + Sync {
    /// Notes that the connection has one more seat.
    fn hold_seat(&self);

    /// Notes that the connection has given up a seat, and wakes the writing half, which waits for
    /// that if the person was removed.
    fn drop_seat(&self);
}

/// A place in a room, held by the connection. Dropping it leaves the room.
#[derive(Debug)]
pub struct Seat {
    place: Arc<Place>,
    holder: Arc<dyn HoldSeat>,
    house: Arc<dyn Leave>,
    words: Option<Line>,
}

impl Seat {
    pub(crate) fn new(place: Arc<Place>, holder: Arc<dyn HoldSeat>, house: Arc<dyn Leave>) -> Seat {
        holder.hold_seat();
        Seat { place, holder, house, words: None }
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
        Mark { room: self.place.room, position: self.place.log.watermark() }
    }

    /// The place after this seat's departure, where the first mail from the next room belongs.
    pub fn mark_of_departure(&self) -> Mark {
        Mark { room: self.place.room, position: u64::MAX }
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
        self.holder.drop_seat(); // before the broadcaster asks whether this was the last seat
        self.house.leave(Arc::clone(&self.place), self.words.take());
    }
}

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
