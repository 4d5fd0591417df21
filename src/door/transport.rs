//! The one type for the connections of all doors, whatever carries their bytes. Knows no dialect.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::io::{Errno, writev};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split};
use tokio::net::{TcpStream, UnixStream, tcp, unix};
use tokio_rustls::server::TlsStream;

use super::waiting::WaitingList;
use crate::clock::timeout;
use crate::session::Output;

/// The limit of time in which a client that has not entered receives a message.
pub(super) const WORD_TIME: Duration = Duration::from_secs(10);

/// A connection. It is an enum, because with a type parameter in its place each transport would be
/// one more copy of the sessions and of HTTP in the program.
pub(crate) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<Eager<TcpStream>>>),
}

/// The reading half of a connection.
pub(crate) enum TransportInput {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    Tls(ReadHalf<Box<TlsStream<Eager<TcpStream>>>>),
}

/// The writing half of a connection.
pub(crate) enum TransportOutput {
    Tcp(Eager<tcp::OwnedWriteHalf>),
    Unix(Eager<unix::OwnedWriteHalf>),
    Tls(WriteHalf<Box<TlsStream<Eager<TcpStream>>>>),
}

/// Does the same with the transport of each variant.
macro_rules! each {
    ($transport:expr, $inner:ident => $does:expr) => {
        match $transport {
            Self::Tcp($inner) => $does,
            Self::Unix($inner) => $does,
            Self::Tls($inner) => $does,
        }
    };
}

impl Transport {
    /// The two halves of the connection. It closes when both are dropped.
    pub(super) fn into_split(self) -> (TransportInput, TransportOutput) {
        match self {
            Transport::Tcp(stream) => {
                let (input, output) = stream.into_split();
                (TransportInput::Tcp(input), TransportOutput::Tcp(Eager(output)))
            }
            Transport::Unix(stream) => {
                let (input, output) = stream.into_split();
                (TransportInput::Unix(input), TransportOutput::Unix(Eager(output)))
            }
            Transport::Tls(stream) => {
                let (input, output) = split(stream);
                (TransportInput::Tls(input), TransportOutput::Tls(output))
            }
        }
    }

    /// Whether no machine on the way from this address can read what is sent.
    pub(super) fn is_private(&self, from: Option<SocketAddr>) -> bool {
        let Transport::Tcp(stream) = self else {
            return true;
        };
        let from = from.map(|from| from.ip());
        let here = stream.local_addr().map(|here| here.ip().to_canonical());
        from.is_some_and(|from| from.is_loopback() || here.is_ok_and(|here| here == from))
    }

    /// The socket, if what is written there is what the client reads.
    fn plain_socket(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Transport::Tcp(stream) => Some(stream.as_fd()),
            Transport::Unix(stream) => Some(stream.as_fd()),
            Transport::Tls(_) => None,
        }
    }
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Transport {
        Transport::Tcp(stream)
    }
}

/// Sends the final message to a client that has not entered, and closes.
pub(super) async fn say_last(mut stream: Transport, words: &[u8], leaving: &WaitingList) {
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
pub(super) fn say_at_once(stream: &mut Transport, words: &[u8]) {
    let Some(socket) = stream.plain_socket() else {
        let mut cx = Context::from_waker(Waker::noop());
        if Pin::new(&mut *stream).poll_write(&mut cx, words).is_ready() {
            let _ = Pin::new(stream).poll_shutdown(&mut cx);
        }
        return;
    };
    let mut ignored = [0; 4 * 1024];
    recv(socket, &mut ignored, RecvFlags::DONTWAIT).ok();
    send(socket, words, SendFlags::DONTWAIT).ok();
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, read))
    }
}

impl AsyncRead for TransportInput {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self.get_mut(), half => Pin::new(half).poll_read(cx, read))
    }
}

/// Passes all calls on to the transport.
macro_rules! write_through {
    ($writer:ty) => {
        impl AsyncWrite for $writer {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                each!(self.get_mut(), inner => Pin::new(inner).poll_write(cx, bytes))
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                runs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                each!(self.get_mut(), inner => Pin::new(inner).poll_write_vectored(cx, runs))
            }

            fn is_write_vectored(&self) -> bool {
                each!(self, inner => inner.is_write_vectored())
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                each!(self.get_mut(), inner => Pin::new(inner).poll_flush(cx))
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                each!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(cx))
            }
        }
    };
}

write_through!(Transport);
write_through!(TransportOutput);

impl Output for TransportOutput {
    fn prefetch(&self) -> usize {
        match self {
            TransportOutput::Tcp(half) => half.0.socket().as_raw_fd() as usize,
            TransportOutput::Unix(half) => half.0.socket().as_raw_fd() as usize,
            TransportOutput::Tls(_) => 0, // behind a lock
        }
    }
}

/// The writing half of a socket, or the whole below TLS. It tries the socket before it asks the
/// runtime whether the socket is ready: nearly always it is, and the runtime's answer is in memory
/// that is not in the cache. A write to a closed connection is an error and no signal: Rust ignores
/// SIGPIPE.
pub(crate) struct Eager<W>(pub(super) W);

/// A half that has a socket.
trait Half: AsyncWrite + Unpin {
    fn socket(&self) -> BorrowedFd<'_>;
}

impl Half for TcpStream {
    fn socket(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

impl Half for tcp::OwnedWriteHalf {
    fn socket(&self) -> BorrowedFd<'_> {
        self.as_ref().as_fd()
    }
}

impl Half for unix::OwnedWriteHalf {
    fn socket(&self) -> BorrowedFd<'_> {
        self.as_ref().as_fd()
    }
}

impl AsyncRead for Eager<TcpStream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, read)
    }
}

impl<W: Half> AsyncWrite for Eager<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match send(self.0.socket(), bytes, SendFlags::empty()) {
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
        if let [one] = runs {
            return self.poll_write(cx, one); // as TLS writes nearly always; the kernel does less
        }
        match writev(self.0.socket(), runs) {
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
