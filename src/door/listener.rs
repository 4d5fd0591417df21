//! Listening sockets with the settings for every door: TCP ports and Unix sockets. Knows no
//! dialect.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use super::platform::{set_accepted, set_accepted_unix, set_options};
use super::socket_file::{SocketFile, remove_stale};
use super::transport::Transport;

/// The number of connections that may wait to be accepted: enough for a large room that reconnects
/// at once.
const BACKLOG: i32 = 4_096;

/// A bound socket.
pub(crate) enum DoorListener {
    Tcp(TcpListener),
    /// A Unix socket, whose file is removed when this is dropped.
    Unix(UnixListener, SocketFile),
}

impl DoorListener {
    /// Opens a listening socket at a port.
    pub(crate) fn at_port(address: SocketAddr) -> io::Result<DoorListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?; // IPv4 has another socket
        }
        socket.set_reuse_address(true)?; // a restart need not wait for old connections to be forgotten
        set_options(SockRef::from(&socket))?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into()).map(DoorListener::Tcp)
    }

    /// Opens a Unix socket with these rights. A socket at which nobody answers is left over, and is
    /// replaced.
    pub(crate) fn at_path(path: &Path, mode: u32) -> io::Result<DoorListener> {
        remove_stale(path)?;
        let (listener, file) = SocketFile::bind(path, mode, BACKLOG)?;
        Ok(DoorListener::Unix(listener, file))
    }

    /// Accepts a connection, with the address from which it comes; Unix sockets have none.
    /// Cancelling the call loses none.
    pub(super) async fn accept(&self) -> io::Result<(Transport, Option<SocketAddr>)> {
        match self {
            DoorListener::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                set_accepted(&stream).ok(); // a client that is gone already: its task finds out
                Ok((stream.into(), Some(SocketAddr::new(from.ip().to_canonical(), from.port()))))
            }
            DoorListener::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                set_accepted_unix(&stream).ok();
                Ok((Transport::Unix(stream), None))
            }
        }
    }

    /// The real address; none for a Unix socket.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            DoorListener::Tcp(listener) => listener.local_addr().ok(),
            DoorListener::Unix(..) => None,
        }
    }
}

impl fmt::Display for DoorListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.address()) {
            (DoorListener::Unix(_, file), _) => file.path().display().fmt(f),
            (DoorListener::Tcp(_), Some(address)) => address.fmt(f),
            (DoorListener::Tcp(_), None) => Ok(()),
        }
    }
}
