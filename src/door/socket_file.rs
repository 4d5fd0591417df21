//! The file of a Unix socket, from its creation to its removal. Knows no door.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

/// The file of a Unix socket. Dropping this deletes it if this server has bound the socket.
pub(crate) struct SocketFile {
    path: PathBuf,
    /// Device and inode of the file, to notice another file in its place; none for the file of
    /// another program, which stays.
    file: Option<(u64, u64)>,
}

impl SocketFile {
    /// Binds a socket at a path where there is no file. Only who has the rights in `mode` can open
    /// it.
    pub(super) fn bind(
        path: &Path,
        mode: u32,
        backlog: i32,
    ) -> io::Result<(UnixListener, SocketFile)> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        // Sets the rights before the socket has a path, so nobody else can ever open it.
        let socket = File::from(OwnedFd::from(socket));
        socket.set_permissions(Permissions::from_mode(mode))?;
        let socket = Socket::from(OwnedFd::from(socket));
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile { path: path.to_owned(), file: Some(identity(path)?) };
        // The process may have a mask for new files, and some systems ignore the rights set above.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(backlog)?;
        Ok((UnixListener::from_std(OwnedFd::from(socket).into())?, file))
    }

    /// The file of a socket that systemd has bound.
    pub(super) fn of_systemd(path: &Path) -> SocketFile {
        SocketFile { path: path.to_owned(), file: None }
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file of this server is in its place.
    pub(super) fn is_there(&self) -> bool {
        self.file.is_some() && self.file == identity(&self.path).ok()
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have its socket there by now; that one must stay.
        if self.is_there() {
            fs::remove_file(&self.path).ok(); // the next server replaces the file otherwise
        }
    }
}

/// Removes the socket that a killed server has left at a path. If there is no file, it is done.
///
/// # Errors
/// A server answers at this path, which is [`AddrInUse`](io::ErrorKind::AddrInUse), or the file is
/// not a socket, which is [`AlreadyExists`](io::ErrorKind::AlreadyExists).
pub(super) fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(_) => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?; // a server whose queue is full is a server
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // just removed
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
        Ok(()) | Err(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}

/// The device and inode of the file at a path.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| identity_of(&file))
}

/// The device and inode of a file.
pub(super) fn identity_of(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_replaced_if_nobody_answers_and_removed_at_the_end() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lines.sock");
        drop(UnixListener::bind(&path).unwrap()); // the file stays, as that of a killed server
        remove_stale(&path).unwrap();
        remove_stale(&path).unwrap();
        let (_first, file) = SocketFile::bind(&path, 0o660, 1).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
        let in_use = remove_stale(&path).unwrap_err();
        assert_eq!(in_use.kind(), io::ErrorKind::AddrInUse);
        fs::remove_file(&path).unwrap();
        let (_second, next) = SocketFile::bind(&path, 0o600, 1).unwrap();
        drop(file);
        assert!(next.is_there(), "the socket of another server stays");
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("letter");
        fs::write(&path, "dear").unwrap();
        assert_eq!(remove_stale(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"dear");
    }
}
