//! Decides who searches next when more people search than can at once: the person who has searched
//! least. Knows no index.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parlor_core::model::PersonId;
use tokio::sync::oneshot;

use crate::journal::traits::Searcher;

/// How many searches run at once: each uses a whole core.
const SEARCHES_MAX: usize = 2;

/// The time after which a person's past searches count half.
const HALF_LIFE: Duration = Duration::from_secs(30);

/// Past searches count at most this many seconds, so that a crowd of newcomers is not preferred for
/// long.
const COUNTED_MAX: f64 = 0.5;

/// The number of remembered people. Beyond it, people whose searches no longer count are forgotten.
const REMEMBERED_MAX: usize = 1_000;

/// Fewer seconds of searching than this do not count.
const NOTHING: f64 = 0.01;

/// The turns. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct SearchTurns(Arc<Mutex<TurnState>>);

#[derive(Debug, Default)]
struct TurnState {
    running: usize,
    queue: Vec<(Searcher, oneshot::Sender<SearchTurn>)>,
    /// The seconds for which each person or network has searched, and the time of that count.
    used: HashMap<Whose, (f64, Instant)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    Person(PersonId),
    Network(IpAddr),
}

/// The right to search now. The time until it is dropped counts against its searcher.
#[derive(Debug)]
pub(super) struct SearchTurn {
    turns: SearchTurns,
    searcher: Searcher,
    began: Instant,
}

impl SearchTurns {
    /// Waits for a turn.
    pub(super) async fn take(&self, searcher: Searcher) -> SearchTurn {
        let granted = {
            let mut state = self.lock();
            if state.running < SEARCHES_MAX {
                state.running += 1;
                return self.turn(searcher);
            }
            let (grant, granted) = oneshot::channel();
            state.queue.push((searcher, grant));
            granted
        };
        // The sender is never dropped without an answer: each turn that ends grants the next.
        granted.await.unwrap_or_else(|_| self.turn(searcher))
    }

    /// Whether anybody waits for a turn.
    pub(super) fn are_wanted(&self) -> bool {
        !self.lock().queue.is_empty()
    }

    fn turn(&self, searcher: Searcher) -> SearchTurn {
        SearchTurn { turns: self.clone(), searcher, began: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, TurnState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a free turn to the waiting searcher who has searched least.
    fn pass_on(&self) {
        let next = {
            let mut state = self.lock();
            state.queue.retain(|(_, grant)| !grant.is_closed());
            let next = state.least();
            if next.is_none() {
                state.running -= 1;
            }
            next
        };
        if let Some((searcher, grant)) = next {
            // If the searcher has just stopped waiting, the turn is dropped here and passed on.
            grant.send(self.turn(searcher)).ok();
        }
    }
}

impl TurnState {
    /// Takes the searcher who has searched least from the queue; of two equal ones, the one who has
    /// waited longer.
    fn least(&mut self) -> Option<(Searcher, oneshot::Sender<SearchTurn>)> {
        let now = Instant::now();
        let scores = self.queue.iter().map(|(searcher, _)| self.score(searcher, now));
        let least = scores.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
        least.map(|(index, _)| self.queue.remove(index))
    }

    fn score(&self, searcher: &Searcher, now: Instant) -> f64 {
        let of = |whose| self.used.get(&whose).map_or(0.0, |used| decayed(*used, now));
        shares(searcher).map(of).fold(0.0, f64::max).min(COUNTED_MAX)
    }

    fn note(&mut self, searcher: &Searcher, time: Duration) {
        let now = Instant::now();
        if self.used.len() >= REMEMBERED_MAX {
            self.used.retain(|_, used| decayed(*used, now) > NOTHING);
        }
        for whose in shares(searcher) {
            let (used, at) = self.used.entry(whose).or_insert((0.0, now));
            *used = decayed((*used, *at), now) + time.as_secs_f64();
            *at = now;
        }
    }
}

/// The person and the network that the time of a search counts against.
fn shares(searcher: &Searcher) -> impl Iterator<Item = Whose> + use<> {
    let network = searcher.network.map(Whose::Network);
    [Whose::Person(searcher.person)].into_iter().chain(network)
}

fn decayed((used, at): (f64, Instant), now: Instant) -> f64 {
    let passed = now.saturating_duration_since(at).as_secs_f64();
    used * 0.5_f64.powf(passed / HALF_LIFE.as_secs_f64())
}

impl Drop for SearchTurn {
    fn drop(&mut self) {
        let time = self.began.elapsed();
        self.turns.lock().note(&self.searcher, time);
        self.turns.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt;
    use parlor_core::link::Inbox;

    use super::{SEARCHES_MAX, SearchTurns, Searcher};

    fn somebody(network: Option<IpAddr>) -> Searcher {
        Searcher { person: Arc::new(Inbox::default()).connect().client().id(), network }
    }

    #[test]
    fn the_searcher_who_has_searched_least_is_next() {
        let turns = SearchTurns::default();
        let inbox = Arc::new(Inbox::default());
        let at_home = |network| Searcher { person: inbox.connect().client().id(), network };
        let far = Some(IpAddr::from([192, 0, 2, 1]));
        let (greedy, modest, other) = (at_home(None), at_home(None), at_home(far));
        let spent = Duration::from_secs(9);
        turns.lock().note(&greedy, spent);
        turns.lock().note(&at_home(far), spent); // another connection from there
        let mut running: Vec<_> =
            (0..SEARCHES_MAX).map(|_| turns.take(somebody(None)).now_or_never()).collect();
        assert!(!turns.are_wanted());
        let mut waiting = [greedy, other, modest].map(|searcher| Box::pin(turns.take(searcher)));
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none());
        }
        assert!(turns.are_wanted());
        drop(running.pop());
        let [mut first, second, mut third] = waiting;
        let modest = (&mut third).now_or_never();
        assert!(modest.is_some() && (&mut first).now_or_never().is_none());
        drop(second); // it stops waiting
        drop(modest);
        assert!((&mut first).now_or_never().is_some());
        drop(running);
        assert!(!turns.are_wanted());
        assert_eq!(turns.lock().running, 0);
    }
}
