//! The operator's socket: a file that nobody else may open, from the start of the server to its end. Knows no order.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Type};
use tokio::net::UnixListener;

use super::SOCKET;

/// Those who wait to be accepted.
const BACKLOG: i32 = 16;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSocket {
    /// Addresses of such sockets are short.
    #[error("{} is too long for the path of a socket, so parlor admin cannot reach this server; choose a shorter --data", .0.display())]
    TooLong(PathBuf),
    /// It cannot be made.
    #[error("cannot open {}, so parlor admin cannot reach this server: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// The socket, which is gone with this.
pub(crate) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens it in a directory that is this server's alone: what stands there is left over from one that was killed.
    pub(crate) fn open(directory: &Path) -> Result<Socket, NoSocket> {
        let path = directory.join(SOCKET);
        let address = SockAddr::unix(&path).map_err(|_| NoSocket::TooLong(path.clone()))?;
        match bind(&path, &address) {
            Ok(listener) => Ok(Socket { listener, path }),
            Err(error) => Err(NoSocket::Io { path, error }),
        }
    }
}

fn bind(path: &Path, address: &SockAddr) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // Before it has a name: so there is no moment in which somebody else may open it.
    let nobody_else = || Permissions::from_mode(0o600);
    let socket = File::from(OwnedFd::from(socket));
    socket.set_permissions(nobody_else())?;
    let socket = socket2::Socket::from(OwnedFd::from(socket));
    socket.bind(address)?;
    fs::set_permissions(path, nobody_else())?; // where the system does not go by the former
    socket.listen(BACKLOG)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

impl Drop for Socket {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok(); // the next server replaces it otherwise
    }
}
