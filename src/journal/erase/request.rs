//! Receives the requests of owners to delete their lines: at once, whatever the eraser is doing.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parlor_core::link::{Answer, Change, Link, Outcome, Refusal};
use parlor_core::model::{Name, PersonId, RoomName, WallTime};
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::rows::{self, DeletionId, OwnLines};
use crate::journal::sqlite::Database;
use crate::journal::traits::{History, Unreadable};

/// The owner of a name, who uses it now.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: PersonId,
    pub(crate) name: Name,
    /// When this person registered the name.
    pub(crate) since: WallTime,
}

/// An owner who asks for the deletion of their lines, and the receiver of the answer.
pub(super) struct ForgetRequest {
    owner: Owner,
    done: oneshot::Sender<Result<usize, Refusal>>,
}

/// A deletion that is noted in the file. Its lines are already deleted from the logs in memory.
pub(super) struct Deletion {
    pub(super) id: DeletionId,
    pub(super) own: Arc<OwnLines>,
    /// The receiver of the answer; none after the first try.
    pub(super) done: Option<oneshot::Sender<Result<usize, Refusal>>>,
}

/// Asks the eraser to delete the lines of an owner. Clones ask the same one.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    requests: mpsc::Sender<ForgetRequest>,
}

impl Forgetting {
    /// A way to ask, and the receiver of the requests.
    pub(super) fn new() -> (Forgetting, mpsc::Receiver<ForgetRequest>) {
        let (requests, queue) = mpsc::channel(1);
        (Forgetting { requests }, queue)
    }

    /// Deletes all lines of an owner. A deletion that has begun continues, even if the owner does
    /// not wait for it. Returns the number of deleted lines.
    ///
    /// # Errors
    ///
    /// The deletion is impossible, or not complete yet.
    pub(crate) async fn forget(&self, owner: Owner) -> Result<usize, Refusal> {
        let (done, answer) = oneshot::channel();
        let sent = self.requests.send(ForgetRequest { owner, done }).await;
        sent.map_err(|_| Refusal::NotAllDeleted)?;
        answer.await.unwrap_or(Err(Refusal::NotAllDeleted))
    }
}

/// Begins the deletions that owners ask for.
pub(super) struct Intake {
    pub(super) database: Database,
    pub(super) history: Arc<dyn History>,
    /// Deletes lines in memory.
    pub(super) link: Link,
    /// The receiver of deletions that have begun.
    pub(super) begun: mpsc::Sender<Deletion>,
}

impl Intake {
    /// Receives requests of owners until the server ends. It ends only between two requests, so
    /// that a deletion is either begun or not noted.
    pub(super) async fn run(
        mut self,
        mut requests: mpsc::Receiver<ForgetRequest>,
        closing: &CancellationToken,
    ) {
        let mut under_way: HashMap<String, Weak<OwnLines>> = HashMap::new();
        loop {
            let request = select! {
                request = requests.recv() => request,
                () = closing.cancelled() => None,
            };
            let Some(ForgetRequest { owner, done }) = request else {
                return;
            };
            under_way.retain(|_, own| own.strong_count() > 0);
            let key = owner.name.keys()[0].to_owned();
            let begun = match under_way.contains_key(&key) {
                true => Err(Refusal::Deleting),
                false => self.begin(owner).await,
            };
            match begun {
                Ok((id, own)) => {
                    let own = Arc::new(own);
                    under_way.insert(key, Arc::downgrade(&own));
                    let done = Some(done);
                    self.begun.send(Deletion { id, own, done }).await.ok(); // the server may end
                }
                Err(refusal) => {
                    done.send(Err(refusal)).ok(); // perhaps the owner has stopped waiting
                }
            }
        }
    }

    /// Notes which lines to delete, and deletes them from the logs that people read.
    async fn begin(
        &mut self,
        Owner { id, name, since }: Owner,
    ) -> Result<(DeletionId, OwnLines), Refusal> {
        let stored = self.history.ends().await;
        let stored = stored.map_err(|Unreadable| Refusal::Unreadable)?;
        let ends = stored.into_iter().filter(|(_, end)| end.at >= since);
        let ends = ends.filter_map(|(room, end)| Some((RoomName::parse(&room).ok()?, end.seq)));
        let ends = ends.collect();
        let own = OwnLines { name, since, ends };
        let noted = own.clone();
        let deletion = self.database.write(move |file| rows::note_deletion(file, &noted)).await?;
        let refusal = match self.link.call(Change::DeleteLines { whose: id, since }).await {
            Outcome::LinesDeleted(ends) => {
                // By now, memory has more lines than the file had when the deletion was noted.
                let ends = ends.into_iter().collect();
                return Ok((deletion, OwnLines { ends, ..own }));
            }
            Outcome::Answer(Answer::Refused(refusal)) => refusal,
            _ => Refusal::NotOwner,
        };
        self.database.write(move |file| rows::drop_deletion(file, deletion)).await?;
        Err(refusal)
    }
}
