//! Asks the server to read its configuration again. Reads nothing itself.

use tokio::sync::{mpsc, oneshot};

/// A sentence for each option that has changed or cannot change. The error is a sentence that says
/// why nothing has changed.
pub(crate) type ReloadAnswer = Result<Vec<String>, String>;

/// The channel of requests for a reload, each with the place for its answer.
pub(crate) type ReloadRequests = mpsc::Receiver<oneshot::Sender<ReloadAnswer>>;

/// The handle that asks for a reload. Its clones ask the same server.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    requests: mpsc::Sender<oneshot::Sender<ReloadAnswer>>,
}

impl Reload {
    /// A handle, and the channel of its requests.
    pub(crate) fn new() -> (Reload, ReloadRequests) {
        let (requests, queue) = mpsc::channel(1);
        (Reload { requests }, queue)
    }

    /// Asks for a reload, and waits for the answer.
    pub(crate) async fn reload(&self) -> ReloadAnswer {
        let (answer, answered) = oneshot::channel();
        self.requests.send(answer).await.ok();
        answered
            .await
            .unwrap_or_else(|_| Err("this server cannot read its configuration again".to_owned()))
    }
}
