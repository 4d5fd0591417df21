//! Turns for the hashing of passwords, so that strangers who guess cannot delay an owner. Knows no
//! password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use parlor_core::link::Refusal;
use parlor_core::model::{Name, network};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

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

impl Party {
    /// People at an address from which the owner of a name has come before.
    pub(super) fn known(name: &Name, address: IpAddr) -> Party {
        Party::Known(name.keys()[0].into(), network(address.to_canonical()))
    }

    pub(super) fn stranger(address: IpAddr) -> Party {
        Party::Stranger(network(address.to_canonical()))
    }
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

/// A member of a party who waits or has a turn.
struct Queued {
    turns: Arc<PasswordTurns>,
    party: Party,
}

/// The right to hash a password; given up when dropped.
struct PasswordTurn {
    _all: OwnedSemaphorePermit,
    _stranger: Option<OwnedSemaphorePermit>,
    /// The first place in the queue of the party. Dropped before `_queued`, so that the next member
    /// finds it.
    _first: OwnedSemaphorePermit,
    _queued: Queued,
}

impl PasswordTurns {
    pub(super) fn new() -> Arc<PasswordTurns> {
        Arc::new(PasswordTurns {
            all: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            waiting: Mutex::default(),
        })
    }

    /// Works on a password when it is the party's turn and `pause` has passed, without delaying
    /// others.
    ///
    /// # Errors
    /// Too many people wait.
    pub(super) async fn work<T: Send + 'static>(
        self: &Arc<PasswordTurns>,
        party: Party,
        pause: Duration,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turn(party, pause).await?;
        let work = move || {
            let done = what();
            drop(turn); // only now, even if the caller has stopped waiting
            done
        };
        Ok(spawn_blocking(work).await.map_err(|_| DatabaseFailed)?)
    }

    /// Waits until the person is first in the party, then for `pause`, then for a turn.
    async fn turn(
        self: &Arc<PasswordTurns>,
        party: Party,
        pause: Duration,
    ) -> Result<PasswordTurn, Refusal> {
        let (first, queued) = self.enqueue(party)?;
        let first = permit(&first).await?;
        sleep(pause).await;
        let stranger = match queued.party {
            Party::Known(..) => None,
            Party::Stranger(_) => Some(permit(&self.strangers).await?),
        };
        let all = permit(&self.all).await?;
        Ok(PasswordTurn { _all: all, _stranger: stranger, _first: first, _queued: queued })
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

async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, DatabaseFailed> {
    Arc::clone(of).acquire_owned().await.map_err(|_| DatabaseFailed)
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
    use tokio::runtime::Builder;
    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        Builder::new_current_thread().enable_time().build().unwrap().block_on(test);
    }

    fn stranger(last: u8) -> Party {
        Party::Stranger([192, 0, 2, last].into())
    }

    fn owner() -> Party {
        Party::Known("alice".into(), [198, 51, 100, 1].into())
    }

    type Turn = Result<PasswordTurn, Refusal>;

    /// Begins to wait for a turn.
    async fn begin(turns: &Arc<PasswordTurns>, party: Party, pause: Duration) -> JoinHandle<Turn> {
        let turns = Arc::clone(turns);
        let waiting = tokio::spawn(async move { turns.turn(party, pause).await });
        yield_now().await;
        waiting
    }

    #[test]
    fn an_owner_is_next_however_many_strangers_wait() {
        run(async {
            let turns = PasswordTurns::new();
            let mut works = Vec::new();
            for last in 0..=255 {
                works.push(begin(&turns, stranger(last), Duration::ZERO).await);
            }
            assert_eq!(works.iter().filter(|work| work.is_finished()).count(), 1);
            drop(turns.turn(owner(), Duration::ZERO).await.unwrap());
            works.into_iter().for_each(|work| work.abort());
        });
    }

    #[test]
    fn one_address_has_one_turn_and_a_bounded_queue() {
        run(async {
            let turns = PasswordTurns::new();
            let first = begin(&turns, stranger(1), Duration::from_secs(3_600)).await;
            let mut others = Vec::new();
            for _ in 0..WAITING_EACH_MAX {
                others.push(begin(&turns, stranger(1), Duration::ZERO).await);
            }
            let refused = turns.turn(stranger(1), Duration::ZERO).await;
            assert!(matches!(refused, Err(Refusal::Busy)));
            drop(turns.turn(stranger(2), Duration::ZERO).await.unwrap());
            assert!(others.iter().all(|other| !other.is_finished()));
            first.abort();
            for other in others {
                drop(other.await.unwrap().unwrap());
            }
            assert!(turns.waiting.lock().unwrap().is_empty());
        });
    }
}
