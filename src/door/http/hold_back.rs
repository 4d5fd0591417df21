//! A connection on which hyper sends nothing by itself. Knows no request.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Exchange;
use crate::door::transport::Transport;

/// The number of bytes of hyper's own answer that are kept: they include the status.
const STATUS_BYTES_MAX: usize = 128;

/// A connection that holds back hyper's own answer to bytes that are not a request: a bare status,
/// which tells people nothing.
pub(super) struct HoldBack {
    pub(super) stream: Transport,
    pub(super) exchange: Exchange,
    /// The beginning of the answer that was held back.
    pub(super) status: Vec<u8>,
}

impl HoldBack {
    fn hold(&mut self, bytes: &[u8]) -> usize {
        let room = STATUS_BYTES_MAX.saturating_sub(self.status.len());
        self.status.extend(bytes.iter().take(room));
        bytes.len()
    }
}

impl AsyncRead for HoldBack {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, read)
    }
}

impl AsyncWrite for HoldBack {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.exchange.has_request() {
            true => Pin::new(&mut self.stream).poll_write(cx, bytes),
            false => Poll::Ready(Ok(self.hold(bytes))),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        runs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.exchange.has_request() {
            true => Pin::new(&mut self.stream).poll_write_vectored(cx, runs),
            false => Poll::Ready(Ok(runs.iter().map(|run| self.hold(run)).sum())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
