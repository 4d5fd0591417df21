//! The invitations that a connection has sent of late, so that nobody floods others with them. Knows
//! no person.

use std::collections::VecDeque;
use std::time::Duration;

/// How many invitations one connection may send in [`SPAN`].
const SENT_MAX: usize = 10;

/// An invitation counts for this long, and nobody is invited twice within it.
const SPAN: Duration = Duration::from_secs(60);

/// The invitations that count now: when each was sent, and the first key of the name. The earliest
/// first.
#[derive(Debug, Default)]
pub(super) struct Invitations(VecDeque<(Duration, Box<str>)>);

/// An invitation that may not be sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooSoon {
    /// The person was invited this long ago at most.
    Again(Duration),
    /// There were too many; the next one has to wait this long.
    Many(Duration),
}

impl Invitations {
    /// Whether the person with this key may be invited now.
    pub(super) fn check(&mut self, key: &str, now: Duration) -> Result<(), TooSoon> {
        while self.0.front().is_some_and(|(sent, _)| *sent + SPAN <= now) {
            self.0.pop_front();
        }
        let left = |sent: &Duration| (*sent + SPAN).saturating_sub(now);
        if let Some((sent, _)) = self.0.iter().find(|(_, whom)| **whom == *key) {
            return Err(TooSoon::Again(left(sent)));
        }
        match self.0.front() {
            Some((sent, _)) if self.0.len() >= SENT_MAX => Err(TooSoon::Many(left(sent))),
            _ => Ok(()),
        }
    }

    /// Notes that the person with this key is invited.
    pub(super) fn note(&mut self, key: &str, now: Duration) {
        self.0.push_back((now, key.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_people_are_invited_in_a_minute_and_each_of_them_once() {
        let at = Duration::from_secs;
        let mut sent = Invitations::default();
        for number in 0..SENT_MAX {
            let key = format!("guest-{number}");
            assert_eq!(sent.check(&key, at(100)), Ok(()));
            sent.note(&key, at(100));
            assert_eq!(sent.check(&key, at(110)), Err(TooSoon::Again(at(50))));
        }
        assert_eq!(sent.check("bob", at(110)), Err(TooSoon::Many(at(50))));
        assert_eq!(sent.check("bob", at(159)), Err(TooSoon::Many(at(1))));
        assert_eq!(sent.check("bob", at(160)), Ok(()));
        assert_eq!(sent.check("guest-1", at(160)), Ok(()));
        assert!(sent.0.is_empty(), "an idle connection holds nothing");
    }
}
