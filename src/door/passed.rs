//! Sockets that systemd has bound for this process: socket activation (`sd_listen_fds(3)`). Knows no
//! door.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use listenfd::ListenFd;
use socket2::SockRef;

use super::listener::DoorListener;

/// The listening sockets that systemd has passed to this process, and that no door has yet.
#[derive(Debug, Default)]
pub struct PassedSockets(Vec<PassedSocket>);

/// A listening socket, and the place where systemd has bound it.
#[derive(Debug)]
enum PassedSocket {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, PathBuf),
}

impl PassedSockets {
    /// Takes over the sockets of this process, and removes the variables that name them: children
    /// get neither. Call this before anything else opens files, because the variables name numbers
    /// of descriptors.
    ///
    /// # Errors
    /// One of them cannot be listened at. The error says what to write into the socket unit.
    pub fn take_over() -> anyhow::Result<PassedSockets> {
        let mut passed = ListenFd::from_env();
        let sockets = (0..passed.len()).map(|number| {
            take(&mut passed, number)
                .with_context(|| format!("cannot use socket {} of those from systemd", number + 1))
        });
        sockets.collect::<anyhow::Result<_>>().map(PassedSockets)
    }

    /// Whether none is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the sockets at these addresses.
    pub(crate) fn at_addresses(&mut self, at: &[SocketAddr]) -> io::Result<Vec<DoorListener>> {
        self.take_those(|socket| matches!(socket, PassedSocket::Tcp(_, own) if at.contains(own)))
    }

    /// Takes the Unix socket at this path.
    pub(crate) fn at_path(&mut self, path: &Path) -> io::Result<Vec<DoorListener>> {
        self.take_those(|socket| matches!(socket, PassedSocket::Unix(_, own) if own == path))
    }

    fn take_those(
        &mut self,
        wanted: impl Fn(&PassedSocket) -> bool,
    ) -> io::Result<Vec<DoorListener>> {
        let taken = self.0.extract_if(.., |socket| wanted(socket));
        let listeners = taken.map(|socket| match socket {
            PassedSocket::Tcp(listener, _) => DoorListener::passed_tcp(listener),
            PassedSocket::Unix(listener, path) => DoorListener::passed_unix(listener, &path),
        });
        listeners.collect()
    }

    /// Checks that each socket has its door: a client at one without a door would wait for ever.
    ///
    /// # Errors
    /// One has none. The error says what to do.
    pub(crate) fn check_taken(&self) -> anyhow::Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(socket) => bail!(
                "systemd passed {socket}, which no --listen names; add it to --listen, or remove it from the socket unit"
            ),
        }
    }
}

/// Takes one of the sockets over.
fn take(passed: &mut ListenFd, number: usize) -> anyhow::Result<PassedSocket> {
    if let Ok(Some(listener)) = passed.take_tcp_listener(number) {
        check_listening(&listener)?;
        let address = listener.local_addr()?;
        return Ok(PassedSocket::Tcp(listener, address));
    }
    if let Ok(Some(listener)) = passed.take_unix_listener(number) {
        check_listening(&listener)?;
        let address = listener.local_addr()?;
        let path = address.as_pathname().context(
            "it is a Unix socket without a path; write ListenStream=/run/NAME in the socket unit",
        )?;
        return Ok(PassedSocket::Unix(listener, path.to_owned()));
    }
    bail!("it is no stream of TCP or Unix; write ListenStream= in the socket unit")
}

/// Checks that nobody is at the other end of a socket.
fn check_listening(socket: &impl AsFd) -> anyhow::Result<()> {
    let is_connected = SockRef::from(socket).peer_addr().is_ok();
    ensure!(!is_connected, "it is a connection; write Accept=no in the socket unit");
    Ok(())
}

impl fmt::Display for PassedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PassedSocket::Tcp(_, address) => address.fmt(f),
            PassedSocket::Unix(_, path) => path.display().fmt(f),
        }
    }
}
