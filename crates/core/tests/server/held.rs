//! A seat in a test.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::ops::Deref;

use parlor_core::link::{Entered, Outcome, Presence, Seat};
use parlor_core::model::Line;

/// A seat. The first one of a person has the presence: the person leaves the server with it.
#[derive(Debug)]
pub(crate) struct Held {
    presence: Option<Presence>,
    seat: Seat,
}

impl Held {
    /// The seat in this outcome, and what the person reads first.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn take(outcome: Outcome) -> Result<(Held, Box<Entered>), Outcome> {
        match outcome {
            Outcome::Came(presence, Some((seat, entered))) => {
                Ok((Held { presence: Some(presence), seat }, entered))
            }
            Outcome::Entered((seat, entered)) => Ok((Held { presence: None, seat }, entered)),
            other => Err(other),
        }
    }

    /// Leaves the room, or the server, with these last words.
    pub(crate) fn leave(self, words: Option<Line>) {
        match self.presence {
            Some(presence) => presence.leave(words),
            None => self.seat.leave(words),
        }
    }

    /// Leaves the first room, and stays on the server.
    pub(crate) fn get_up(self) -> Presence {
        self.presence.unwrap_or_else(|| panic!("not the first seat"))
    }
}

impl Deref for Held {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.seat
    }
}
