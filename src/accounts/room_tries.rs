//! Counts wrong passwords of rooms, so that nobody guesses one as fast as the server answers. Knows
//! no rule of a room.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use parlor_core::link::Refusal;
use parlor_core::model::{Line, RoomName, network};

use super::counts::{Counts, Period};
use super::password_tries::wait_for;

/// The number of wrong passwords for one room that one network may send in a short time. A class
/// behind one address mistypes fewer; a guesser has some thousand a day.
const ROOM_TRIES_MAX: u16 = 30;

/// A room, and a network that tries its passwords.
type RoomAndNetwork = (RoomName, IpAddr);

/// The counts of a server.
#[derive(Default)]
pub(crate) struct RoomTries {
    failed: Mutex<Counts>,
}

impl RoomTries {
    /// Counts a try with this password from this address. Returns the password with which the room
    /// is to be asked: none after too many wrong ones, so people who need no password still come in.
    pub(crate) fn take(
        self: &Arc<Self>,
        room: &RoomName,
        password: Option<Line>,
        address: IpAddr,
    ) -> (Option<Line>, RoomTry) {
        let tries = Arc::clone(self);
        if password.is_none() {
            return (None, RoomTry { tries, counted: None, is_beyond: false });
        }
        let key = (room.clone(), network(address.to_canonical()));
        let (mut failed, now) = (self.failed(), Instant::now());
        if failed.count(&key, now) >= ROOM_TRIES_MAX {
            return (None, RoomTry { tries, counted: None, is_beyond: true });
        }
        let period = failed.add(&key, now);
        (password, RoomTry { tries, counted: Some((key, period)), is_beyond: false })
    }

    fn failed(&self) -> MutexGuard<'_, Counts> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A try. It counts while it is under way, so that many simultaneous tries are limited like
/// successive ones. When it is dropped, it stops counting, unless the password was wrong.
pub(crate) struct RoomTry {
    tries: Arc<RoomTries>,
    counted: Option<(RoomAndNetwork, Period)>,
    /// Whether there were too many already, so that the password was not tried.
    is_beyond: bool,
}

impl RoomTry {
    /// Takes note of the refusal of the room. Returns what the person is told.
    pub(crate) fn refused(mut self, refusal: Refusal) -> Refusal {
        // A reader with a wrong password reads that there is no such room.
        let (Refusal::WrongRoomPassword(_) | Refusal::NoRoom(_)) = refusal else {
            return refusal;
        };
        self.counted = None; // it stays counted
        match self.is_beyond {
            true => wait_for(&self.tries.failed(), Instant::now()),
            false => refusal,
        }
    }
}

impl Drop for RoomTry {
    fn drop(&mut self) {
        if let Some((key, period)) = self.counted.take() {
            self.tries.failed().undo(&key, period);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_are_counted_for_a_room_and_a_network_and_right_ones_are_not() {
        let tries = Arc::new(RoomTries::default());
        let take = |room: &str, from: &str| {
            let room = RoomName::parse(room).unwrap();
            let password = Some(Line::sanitise(b"beer"));
            let (password, guess) = tries.take(&room, password, from.parse().unwrap());
            (password.is_some(), guess, Refusal::WrongRoomPassword(room))
        };
        for _ in 0..2 * ROOM_TRIES_MAX {
            assert!(take("tea", "2001:db8::1").0, "none is wrong");
        }
        for _ in 0..ROOM_TRIES_MAX {
            let (is_tried, guess, wrong) = take("tea", "2001:db8::1");
            assert!(is_tried);
            assert!(matches!(guess.refused(wrong), Refusal::WrongRoomPassword(_)));
        }
        let (is_tried, guess, wrong) = take("TEA", "2001:db8::2");
        assert!(!is_tried, "one network");
        assert!(matches!(guess.refused(wrong), Refusal::TooManyTries(_)));
        assert!(take("tea", "2001:db8:0:1::1").0);
        assert!(take("beer", "2001:db8::1").0, "another room");
    }

    #[test]
    fn simultaneous_tries_are_limited_like_successive_ones() {
        let tries = Arc::new(RoomTries::default());
        let room = RoomName::parse("tea").unwrap();
        let from = "192.0.2.1".parse().unwrap();
        let take = || tries.take(&room, Some(Line::sanitise(b"beer")), from);
        let under_way: Vec<_> = (0..ROOM_TRIES_MAX).map(|_| take()).collect();
        assert_eq!(take().0, None);
        drop(under_way);
        assert!(take().0.is_some());
    }
}
