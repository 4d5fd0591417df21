//! The operator's socket: a file that no other user may open, from the server's start to its end.
//! Knows no command.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::SockAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::select;
use tokio::time::{Interval, interval};

use crate::config::SOCKET_FILE;
use crate::door::socket_file::{SocketFile, identity_of};

/// The number of connections that may wait to be accepted.
const BACKLOG: i32 = 16;

/// Nobody but the server's own user may open the socket.
const MODE: u32 = 0o600;

/// How often the server checks that the socket still exists: programs that clean up old files may
/// delete it.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The reason why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSocket {
    /// The path is too long: addresses of such sockets are short.
    #[error("{} is too long for a socket's path, so parlor admin cannot reach this server; choose a shorter --data", .0.display())]
    TooLong(PathBuf),
    /// The system refuses.
    #[error("cannot open {}, so parlor admin cannot reach this server: {error}", path.display())]
    Io {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
}

/// The socket. Dropping this deletes its file.
pub(super) struct OperatorSocket {
    listener: UnixListener,
    looks: Interval,
    file: SocketFile,
    /// Device and inode of its directory: another directory in that place is not this server's.
    directory: (u64, u64),
}

impl OperatorSocket {
    /// Opens the socket in a directory that belongs to this server alone. A file in its place is
    /// left over from a killed server.
    pub(super) fn open(directory: &Path) -> Result<OperatorSocket, NoSocket> {
        let path = directory.join(SOCKET_FILE);
        SockAddr::unix(&path).map_err(|_| NoSocket::TooLong(path.clone()))?;
        let bound = bind(&path).and_then(|(listener, file)| {
            let directory = identity_of(&fs::metadata(directory)?);
            Ok(OperatorSocket { listener, looks: interval(LOOK_EVERY), file, directory })
        });
        bound.map_err(|error| NoSocket::Io { path, error })
    }

    /// Accepts a connection, and looks after the file meanwhile. Cancelling the call loses nothing.
    pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
        loop {
            select! {
                accepted = self.listener.accept() => return accepted.map(|(stream, _)| stream),
                _ = self.looks.tick() => self.look_after(),
            }
        }
    }

    fn look_after(&mut self) {
        match self.reopen_if_gone() {
            Ok(false) => {}
            Ok(true) => tracing::warn!(
                "the socket of parlor admin was missing; the server has created a new one"
            ),
            Err(error) => tracing::debug!(%error, "the socket of parlor admin is gone"),
        }
    }

    /// Opens the socket again if its file is gone or replaced. Returns whether it did. If the
    /// directory was moved, the socket moved with it, and stays.
    fn reopen_if_gone(&mut self) -> Result<bool, NoSocket> {
        let Some(directory) = self.file.path().parent() else {
            return Ok(false);
        };
        let is_in_place =
            fs::metadata(directory).is_ok_and(|there| identity_of(&there) == self.directory);
        if !is_in_place || self.file.is_there() {
            return Ok(false);
        }
        *self = OperatorSocket::open(directory)?;
        Ok(true)
    }
}

fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => SocketFile::bind(path, MODE, BACKLOG),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use super::*;

    #[tokio::test]
    async fn a_socket_that_is_gone_comes_back_and_only_in_its_own_directory() {
        let place = tempfile::tempdir().unwrap();
        let (here, away) = (place.path().join("here"), place.path().join("away"));
        fs::create_dir(&here).unwrap();
        let mut socket = OperatorSocket::open(&here).unwrap();
        assert!(!socket.reopen_if_gone().unwrap());
        fs::remove_file(here.join(SOCKET_FILE)).unwrap();
        assert!(socket.reopen_if_gone().unwrap());
        fs::write(here.join("other"), "").unwrap();
        fs::rename(here.join("other"), here.join(SOCKET_FILE)).unwrap();
        assert!(socket.reopen_if_gone().unwrap());
        fs::rename(&here, &away).unwrap();
        assert!(!socket.reopen_if_gone().unwrap());
        fs::create_dir(&here).unwrap();
        assert!(!socket.reopen_if_gone().unwrap());
        fs::remove_dir(&here).unwrap(); // the directory is empty
        fs::rename(&away, &here).unwrap();
        assert!(!socket.reopen_if_gone().unwrap());
        assert!(socket.file.is_there());
    }
}
