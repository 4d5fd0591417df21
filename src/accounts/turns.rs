//! Turns for the hashing of passwords, so that strangers who guess cannot delay an owner. Knows no
//! password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use parlor_core::link::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::journal::DatabaseFailed;

/// The number of passwords that are hashed at once: each takes 19 MiB and tens of milliseconds.
const AT_ONCE_MAX: usize = 2;

/// The number of these that may be for strangers.
const STRANGERS_MAX: usize = 1;

/// The number of members of one party that may wait: for half a minute if each takes a second.
const WAITING_EACH_MAX: usize = 32;

/// The number of people that may wait in all. At 20 ms each, none gives up before the turn comes.
const WAITING_MAX: usize = 512;

/// People who share their turns: their passwords are hashed one after the other, and each party is
/// served equally often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// People at an address from which the owner of that name has come before.
    Known(Box<str>, IpAddr),
    /// Other people at that address.
    Stranger(IpAddr),
}

/// The parties that wait or have a turn.
pub(super) struct PasswordTurns {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    waiting: Mutex<HashMap<Party, PartyQueue>>,
}

struct PartyQueue {
    turn: Arc<Semaphore>,
    people: usize,
}

/// The first place in the queue of a party. The next member continues when it is given up.
pub(super) struct PartyPlace {
    /// Dropped before `queued`, so that the next member finds it.
    _own: OwnedSemaphorePermit,
    queued: Queued,
}

/// A member of a party who waits or has a turn.
struct Queued {
    turns: Arc<PasswordTurns>,
    party: Party,
}

/// The right to hash a password; given up when dropped.
pub(super) struct PasswordTurn {
    _all: OwnedSemaphorePermit,
    _stranger: Option<OwnedSemaphorePermit>,
    _place: PartyPlace,
}

impl PasswordTurns {
    pub(super) fn new() -> Arc<PasswordTurns> {
        Arc::new(PasswordTurns {
            all: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            waiting: Mutex::default(),
        })
    }

    /// Waits until no other member of the party is first.
    ///
    /// # Errors
    /// Too many wait.
    pub(super) async fn queue(
        self: &Arc<PasswordTurns>,
        party: Party,
    ) -> Result<PartyPlace, Refusal> {
        let (turn, queued) = self.enqueue(party)?;
        let own = turn.acquire_owned().await.map_err(|_| DatabaseFailed)?;
        Ok(PartyPlace { _own: own, queued })
    }

    fn enqueue(
        self: &Arc<PasswordTurns>,
        party: Party,
    ) -> Result<(Arc<Semaphore>, Queued), Refusal> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = waiting.values().map(|waiting| waiting.people).sum();
        let is_stranger = matches!(party, Party::Stranger(_));
        let own = waiting
            .entry(party.clone())
            .or_insert_with(|| PartyQueue { turn: Arc::new(Semaphore::new(1)), people: 0 });
        // Known people need no common limit: only a right password makes an address known.
        if own.people > WAITING_EACH_MAX || is_stranger && all > WAITING_MAX {
            return Err(Refusal::Busy);
        }
        own.people += 1;
        let turn = Arc::clone(&own.turn);
        let turns = Arc::clone(self);
        Ok((turn, Queued { turns, party }))
    }
}

impl PartyPlace {
    /// Waits for a turn.
    pub(super) async fn turn(self) -> Result<PasswordTurn, DatabaseFailed> {
        let turns = Arc::clone(&self.queued.turns);
        let stranger = match self.queued.party {
            Party::Known(..) => None,
            Party::Stranger(_) => Some(Arc::clone(&turns.strangers).acquire_owned().await),
        };
        let stranger = stranger.transpose().map_err(|_| DatabaseFailed)?;
        let all = Arc::clone(&turns.all).acquire_owned().await;
        Ok(PasswordTurn {
            _all: all.map_err(|_| DatabaseFailed)?,
            _stranger: stranger,
            _place: self,
        })
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let waiting = self.turns.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = waiting.get_mut(&self.party) {
            own.people -= 1;
            if own.people == 0 {
                waiting.remove(&self.party);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::pin::pin;

    use tokio::runtime::Builder;
    use tokio::task::yield_now;

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        Builder::new_current_thread().build().unwrap().block_on(test);
    }

    fn stranger(last: u8) -> Party {
        Party::Stranger([192, 0, 2, last].into())
    }

    fn owner() -> Party {
        Party::Known("alice".into(), [198, 51, 100, 1].into())
    }

    #[test]
    fn an_owner_is_next_however_many_strangers_wait() {
        run(async {
            let turns = PasswordTurns::new();
            let mut works = Vec::new();
            for last in 0..=255 {
                let place = turns.queue(stranger(last)).await.unwrap();
                works.push(tokio::spawn(place.turn()));
                yield_now().await;
            }
            assert_eq!(works.iter().filter(|work| work.is_finished()).count(), 1);
            let owner = turns.queue(owner()).await.unwrap().turn().await.unwrap();
            drop(owner);
            works.into_iter().for_each(|work| work.abort());
        });
    }

    #[test]
    fn one_address_has_one_turn_and_a_bounded_queue() {
        run(async {
            let turns = PasswordTurns::new();
            let first = turns.queue(stranger(1)).await.unwrap();
            let mut others = Vec::new();
            for _ in 0..WAITING_EACH_MAX {
                let turns = Arc::clone(&turns);
                others.push(tokio::spawn(async move { turns.queue(stranger(1)).await }));
                yield_now().await;
            }
            let refused = turns.queue(stranger(1)).await;
            assert!(matches!(refused, Err(Refusal::Busy)));
            let mut next = pin!(turns.queue(stranger(2)));
            drop(next.as_mut().await.unwrap().turn().await.unwrap());
            drop(first);
            for other in others {
                drop(other.await.unwrap().unwrap());
            }
            assert!(turns.waiting.lock().unwrap().is_empty());
        });
    }
}
