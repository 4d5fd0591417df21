//! Asks the server to read its configuration again. Reads nothing itself.

use tokio::sync::{mpsc, oneshot};

/// A sentence for each option that has changed or cannot; or the one sentence that says why nothing
/// has changed.
pub(crate) type ReloadAnswer = Result<Vec<String>, String>;

/// Where the requests for a reload arrive, each with the place for its answer.
pub(crate) type ReloadRequests = mpsc::Receiver<oneshot::Sender<ReloadAnswer>>;

/// The handle for a reload. Its clones ask the same server.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    requests: mpsc::Sender<oneshot::Sender<ReloadAnswer>>,
}

impl Reload {
    /// A handle, and where its requests arrive.
    pub(crate) fn new() -> (Reload, ReloadRequests) {
        let (requests, queue) = mpsc::channel(1);
        (Reload { requests }, queue)
    }

    /// Has the configuration read again.
    pub(crate) async fn reload(&self) -> ReloadAnswer {
        let (answer, answered) = oneshot::channel();
        self.requests.send(answer).await.ok();
        answered
            .await
            .unwrap_or_else(|_| Err("this server cannot read its configuration again".to_owned()))
    }
}
