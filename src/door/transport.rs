//! TCP sockets with the settings for every door. Knows no dialect.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::io::{Errno, writev};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

use super::platform::set_options;
use super::waiting::WaitingList;
use crate::clock::timeout;
use crate::session::{Output, Peer};

/// The number of connections that may wait to be accepted: enough for a large room that reconnects
/// at once.
const BACKLOG: i32 = 4_096;

/// The limit of time in which a client that has not entered receives a message.
pub(super) const WORD_TIME: Duration = Duration::from_secs(10);

/// Opens a listening socket.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // IPv4 has another socket
    }
    socket.set_reuse_address(true)?; // a restart need not wait for old connections to be forgotten
    set_options(SockRef::from(&socket))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The other end of a connection, as far as passwords need it.
pub(super) fn peer_at(stream: &TcpStream, from: SocketAddr, allow_plain_passwords: bool) -> Peer {
    let address = from.ip();
    let here = stream.local_addr().map(|here| here.ip().to_canonical());
    let is_here = here.is_ok_and(|here| here == address);
    Peer { address, is_private: allow_plain_passwords || address.is_loopback() || is_here }
}

/// Sends the final message to a client that has not entered, and closes.
pub(super) async fn say_last(mut stream: TcpStream, words: &[u8], leaving: &WaitingList) {
    let said = async {
        stream.write_all(words).await?;
        stream.shutdown().await
    };
    if let Ok(Ok(())) = timeout(WORD_TIME, said).await {
        leaving.linger(&mut stream).await;
    }
}

/// Sends the final message to a client whose place others need, without any wait. Reads the waiting
/// input first, so that closing does not reset the connection.
pub(super) fn say_at_once(stream: &TcpStream, words: &[u8]) {
    let mut ignored = [0; 4 * 1024];
    recv(stream, &mut ignored, RecvFlags::DONTWAIT).ok();
    send(stream, words, SendFlags::DONTWAIT).ok();
}

/// The writing half of a TCP connection. It tries the socket before it asks the runtime whether the
/// socket is ready: nearly always it is, and the runtime's answer is in memory that is not in the
/// cache. A write to a closed connection is an error and no signal: Rust ignores SIGPIPE.
pub(crate) struct Eager(pub(crate) OwnedWriteHalf);

impl AsyncWrite for Eager {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match send(self.0.as_ref(), bytes, SendFlags::empty()) {
            // The runtime finds the socket full too, and wakes the task when there is space.
            Err(Errno::AGAIN) => Pin::new(&mut self.0).poll_write(cx, bytes),
            sent => Poll::Ready(sent.map_err(io::Error::from)),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        runs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match writev(self.0.as_ref(), runs) {
            Err(Errno::AGAIN) => Pin::new(&mut self.0).poll_write_vectored(cx, runs),
            sent => Poll::Ready(sent.map_err(io::Error::from)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Output for Eager {
    fn prefetch(&self) -> usize {
        self.0.as_ref().as_raw_fd() as usize
    }
}
