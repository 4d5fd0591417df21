//! What owners ask the eraser for. Knows no file.

use parlor_core::link::Refusal;
use parlor_core::model::{Name, PersonId, WallTime};
use tokio::sync::{mpsc, oneshot};

/// The owner of a name, who uses it now.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) id: PersonId,
    pub(crate) name: Name,
    /// When they registered the name.
    pub(crate) since: WallTime,
}

/// Whose lines are to be deleted, and where the answer goes.
pub(super) struct ForgetRequest {
    pub(super) owner: Owner,
    pub(super) done: oneshot::Sender<Result<usize, Refusal>>,
}

/// Asks the eraser to delete the lines of an owner. Clones ask the same one.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    requests: mpsc::Sender<ForgetRequest>,
}

impl Forgetting {
    /// A way to ask, and where the requests come out.
    pub(super) fn new() -> (Forgetting, mpsc::Receiver<ForgetRequest>) {
        let (requests, queue) = mpsc::channel(1);
        (Forgetting { requests }, queue)
    }

    /// Deletes everything that an owner has said. A deletion that has begun goes on, even if the
    /// owner does not wait for it. How many lines were deleted.
    ///
    /// # Errors
    /// Why not, or not yet.
    pub(crate) async fn forget(&self, owner: Owner) -> Result<usize, Refusal> {
        let (done, answer) = oneshot::channel();
        let sent = self.requests.send(ForgetRequest { owner, done }).await;
        sent.map_err(|_| Refusal::NotAllTakenBack)?;
        answer.await.unwrap_or(Err(Refusal::NotAllTakenBack))
    }
}
