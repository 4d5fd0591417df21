//! Listening sockets with the settings for every door: TCP ports and Unix sockets. Knows no
//! dialect.

use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, SocketAddr};
use std::os::unix;
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
    /// A TCP socket that systemd has bound. Clients may have connected before this process set the
    /// options that others inherit.
    PassedTcp(TcpListener),
    /// A Unix socket, whose file is removed when this is dropped if it is this server's.
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

    /// Takes over a TCP socket that systemd has bound.
    pub(super) fn passed_tcp(listener: net::TcpListener) -> io::Result<DoorListener> {
        let socket = SockRef::from(&listener);
        set_options(SockRef::from(&listener))?;
        socket.set_nonblocking(true)?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(listener).map(DoorListener::PassedTcp)
    }

    /// Takes over a Unix socket that systemd has bound at a path. The file stays systemd's.
    pub(super) fn passed_unix(
        listener: unix::net::UnixListener,
        path: &Path,
    ) -> io::Result<DoorListener> {
        let socket = SockRef::from(&listener);
        socket.set_nonblocking(true)?;
        socket.listen(BACKLOG)?;
        Ok(DoorListener::Unix(UnixListener::from_std(listener)?, SocketFile::of_systemd(path)))
    }

    /// Accepts a connection, with the address from which it comes; Unix sockets have none.
    /// Cancelling the call loses none.
    pub(super) async fn accept(&self) -> io::Result<(Transport, Option<SocketAddr>)> {
        match self {
            DoorListener::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                set_accepted(&stream).ok(); // a client that is gone already: its task finds out
                Ok((stream.into(), Some(canonical(from))))
            }
            DoorListener::PassedTcp(listener) => {
                let (stream, from) = listener.accept().await?;
                set_options(SockRef::from(&stream)).ok();
                Ok((stream.into(), Some(canonical(from))))
            }
            DoorListener::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                set_accepted_unix(&stream).ok();
                Ok((Transport::Unix(stream), None))
            }
        }
    }

    /// The addresses at which it accepts connections, its own first; none for a Unix socket.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let (DoorListener::Tcp(listener) | DoorListener::PassedTcp(listener)) = self else {
            return Vec::new();
        };
        let Ok(own) = listener.local_addr() else {
            return Vec::new();
        };
        // A socket for all addresses of IPv6 also takes IPv4, unless it is set to IPv6 only.
        let takes_both = own.is_ipv6()
            && own.ip().is_unspecified()
            && SockRef::from(listener).only_v6().is_ok_and(|only| !only);
        let of_ipv4 = takes_both.then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, own.port())));
        [own].into_iter().chain(of_ipv4).collect()
    }
}

/// An address of IPv4 that came through a socket of IPv6, in its own form.
fn canonical(from: SocketAddr) -> SocketAddr {
    SocketAddr::new(from.ip().to_canonical(), from.port())
}

impl fmt::Display for DoorListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DoorListener::Unix(_, file) => file.path().display().fmt(f),
            DoorListener::Tcp(_) | DoorListener::PassedTcp(_) => {
                self.addresses().first().map_or(Ok(()), |address| address.fmt(f))
            }
        }
    }
}
