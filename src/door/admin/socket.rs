//! The operator's socket: a file that no other user may open, from the server's start to its end.
//! Knows no command.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Type};
use tokio::net::{UnixListener, UnixStream};
use tokio::select;
use tokio::time::{Interval, interval};

use crate::config::SOCKET_FILE;

/// The number of connections that may wait to be accepted.
const BACKLOG: i32 = 16;

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

/// The socket. Dropping this deletes the file.
pub(super) struct OperatorSocket {
    listener: UnixListener,
    looks: Interval,
    path: PathBuf,
    /// Device and inode of the file, to notice another file in its place.
    file: (u64, u64),
    /// Device and inode of its directory: another directory in that place is not this server's.
    directory: (u64, u64),
}

impl OperatorSocket {
    /// Opens the socket in a directory that belongs to this server alone. A file in its place is
    /// left over from a killed server.
    pub(super) fn open(directory: &Path) -> Result<OperatorSocket, NoSocket> {
        let path = directory.join(SOCKET_FILE);
        let address = SockAddr::unix(&path).map_err(|_| NoSocket::TooLong(path.clone()))?;
        let bound = bind(&path, &address).and_then(|listener| {
            let (file, directory) = (identity(&path)?, identity_of(&fs::metadata(directory)?));
            Ok((listener, file, directory))
        });
        match bound {
            Ok((listener, file, directory)) => {
                let looks = interval(LOOK_EVERY);
                Ok(OperatorSocket { listener, looks, path, file, directory })
            }
            Err(error) => Err(NoSocket::Io { path, error }),
        }
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
        let Some(directory) = self.path.parent() else {
            return Ok(false);
        };
        let is_in_place =
            fs::metadata(directory).is_ok_and(|there| identity_of(&there) == self.directory);
        if !is_in_place || self.is_there() {
            return Ok(false);
        }
        *self = OperatorSocket::open(directory)?;
        Ok(true)
    }

    fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| identity_of(&file))
}

fn identity_of(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn bind(path: &Path, address: &SockAddr) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // Sets the rights before the socket has a path, so another user can never open it.
    let nobody_else = || Permissions::from_mode(0o600);
    let socket = File::from(OwnedFd::from(socket));
    socket.set_permissions(nobody_else())?;
    let socket = socket2::Socket::from(OwnedFd::from(socket));
    socket.bind(address)?;
    fs::set_permissions(path, nobody_else())?; // for systems that ignore the rights set above
    socket.listen(BACKLOG)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

impl Drop for OperatorSocket {
    fn drop(&mut self) {
        // Another server may have its socket there by now; that one must stay.
        if self.is_there() {
            fs::remove_file(&self.path).ok(); // the next server replaces the file otherwise
        }
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
        assert!(socket.is_there());
    }
}
