//! The task that takes requests to take back what was said: written down first, then done in what everybody reads, then
//! handed on to whoever takes it out of the file. Knows no connection: those who ask may be gone before it is done.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parlor_core::link::{Answer, Link, Outcome, Refusal, Request};
use parlor_core::model::{Name, PersonId, RoomName, WallTime};
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::retention_task::Taking;
use super::takings::{Own, TakingId};
use crate::journal::sqlite::{Errands, History, Store};

/// The owner of a name, who wears it.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: PersonId,
    pub(crate) name: Name,
    /// Since when it is theirs.
    pub(crate) since: WallTime,
}

/// Whose words are to be taken back, and who waits for it.
pub(crate) struct Wanted {
    owner: Owner,
    done: oneshot::Sender<Result<usize, Refusal>>,
}

/// Has lines taken back. Cloned, it is the same.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    requests: mpsc::Sender<Wanted>,
}

impl Forgetting {
    /// What there is to ask, and where the requests come out.
    pub(crate) fn new() -> (Forgetting, mpsc::Receiver<Wanted>) {
        let (requests, queue) = mpsc::channel(1);
        (Forgetting { requests }, queue)
    }

    /// Has all taken back that somebody has said: once it has begun to the end, also where the one who asks does not wait
    /// for it. How many lines they were.
    ///
    /// # Errors
    /// Why not, or not yet.
    pub(crate) async fn forget(&self, owner: Owner) -> Result<usize, Refusal> {
        let (done, answer) = oneshot::channel();
        let sent = self.requests.send(Wanted { owner, done }).await;
        sent.map_err(|_| Refusal::NotAllTakenBack)?;
        answer.await.unwrap_or(Err(Refusal::NotAllTakenBack))
    }
}

/// Takes what people want taken back.
pub(crate) struct Desk {
    pub(crate) errands: Errands,
    pub(crate) history: History,
    /// Asks for those who want it.
    pub(crate) link: Link,
    /// Where it goes on.
    pub(crate) takings: mpsc::Sender<Taking>,
}

impl Desk {
    /// Works until the house ends; what it has begun goes on after that, in the next one if need be.
    pub(crate) async fn attend(
        mut self,
        mut requests: mpsc::Receiver<Wanted>,
        closing: CancellationToken,
    ) {
        let mut under_way: HashMap<String, Weak<Own>> = HashMap::new();
        loop {
            let wanted = select! {
                wanted = requests.recv() => wanted,
                () = closing.cancelled() => None,
            };
            let Some(Wanted { owner, done }) = wanted else {
                return;
            };
            under_way.retain(|_, own| own.strong_count() > 0);
            let key = owner.name.keys()[0].to_owned();
            if under_way.contains_key(&key) {
                done.send(Err(Refusal::TakingBack)).ok();
                continue;
            }
            match self.begin(owner).await {
                Ok((id, own)) => {
                    let own = Arc::new(own);
                    under_way.insert(key, Arc::downgrade(&own));
                    let done = Some(done);
                    self.takings.send(Taking { id, own, done }).await.ok(); // else the house ends
                }
                Err(refusal) => {
                    done.send(Err(refusal)).ok();
                }
            }
        }
    }

    /// Writes down what is wanted, and takes it out of what everybody reads.
    async fn begin(&mut self, owner: Owner) -> Result<(TakingId, Own), Refusal> {
        let Owner { id, name, since } = owner;
        let named = |(room, seq): (String, u64)| Some((RoomName::parse(&room).ok()?, seq));
        let kept = self.history.ends().await;
        let kept = kept.map_err(|_| Refusal::Unreadable)?.into_iter();
        let kept = kept.filter(|(_, end)| end.at >= since);
        let ends = kept
            .filter_map(|(room, end)| named((room, end.seq)))
            .collect();
        let own = Own { name, since, ends };
        let written = own.clone();
        let put = move |store: &mut Store| store.put_taking(&written);
        let taking = self.errands.run(put).await?;
        let refusal = match self.link.call(Request::TakeBack { whose: id, since }).await {
            Outcome::TookBack(ends) => {
                // What is in memory has gone on since it was written down.
                let ends = ends.into_iter().collect();
                return Ok((taking, Own { ends, ..own }));
            }
            Outcome::Answer(Answer::Refused(refusal)) => refusal,
            _ => Refusal::NotOwner,
        };
        let drop = move |store: &mut Store| store.drop_taking(taking);
        self.errands.run(drop).await?;
        Err(refusal)
    }
}
