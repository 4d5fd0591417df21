//! The lines that wait to be sent: the client's own answers, then the person's lines.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until};

use super::connect::ServerOutput;

/// The limit of bytes that wait for a server that reads slowly, for example because of its rate
/// limit: a long paste.
const TYPED_BYTES_MAX: usize = 1024 * 1024;

/// The lines for one connection.
pub(super) struct Outbox {
    answers: Vec<u8>,
    typed: Vec<u8>,
    /// Whether everything that was written is on its way.
    is_flushed: bool,
    /// The time from which typed lines may be sent.
    pub(super) quiet_until: Instant,
}

impl Outbox {
    pub(super) fn new(quiet_until: Instant) -> Self {
        Self { answers: Vec::new(), typed: Vec::new(), is_flushed: true, quiet_until }
    }

    /// Queues an answer of the client, which does not wait for `quiet_until`.
    pub(super) fn answer(&mut self, line: &str) {
        self.answers.extend_from_slice(format!("{line}\n").as_bytes());
    }

    /// Queues a line of the person.
    pub(super) fn say(&mut self, line: &str) {
        self.typed.extend_from_slice(format!("{line}\n").as_bytes());
    }

    /// Whether a line of the person still fits.
    pub(super) fn has_space(&self, line: &str) -> bool {
        self.typed.len() + line.len() <= TYPED_BYTES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.typed.is_empty() && self.is_flushed
    }

    /// Sends the next bytes when it is time; returns their number. Returns 0 when everything is on
    /// its way. Cancelling the call sends none.
    pub(super) async fn send(&self, writer: &mut ServerOutput) -> io::Result<usize> {
        if self.answers.is_empty() && self.typed.is_empty() {
            return writer.flush().await.map(|()| 0);
        }
        if !self.answers.is_empty() {
            return writer.write(&self.answers).await;
        }
        sleep_until(self.quiet_until).await;
        writer.write(&self.typed).await
    }

    /// Drops bytes that are sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.is_flushed = count == 0;
        match self.answers.is_empty() {
            true => drop(self.typed.drain(..count)),
            false => drop(self.answers.drain(..count)),
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.quiet_until);
    }

    /// Everything that still waits.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        [self.answers, self.typed].concat()
    }
}
