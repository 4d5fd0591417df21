//! File descriptors: as many as allowed, and one in reserve for when they run out.

use std::fs::File;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

/// Raises the limit of open files as far as this process may, and returns it.
pub(crate) fn raise_limit() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    let now = if setrlimit(Resource::Nofile, limit).is_ok() {
        limit.current
    } else {
        before
    };
    now.map_or(usize::MAX, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

/// An open file that does nothing, given up for a moment when there is no descriptor left: so that
/// the connection at the head of the queue can be closed and does not wait for ever.
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn new() -> Reserve {
        Reserve(File::open("/dev/null").ok())
    }

    /// Accepts one connection in place of the reserve, and closes it.
    pub(super) async fn turn_one_away(&mut self, listener: &TcpListener) {
        if self.0.take().is_some() {
            std::future::poll_fn(|cx| {
                let _closed_when_dropped = listener.poll_accept(cx);
                std::task::Poll::Ready(())
            })
            .await;
        }
        *self = Reserve::new();
    }
}
