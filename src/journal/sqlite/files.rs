//! The files of a journal: private, locked for this server, and still in their places. Knows
//! nothing of their contents.

use std::fs::{self, DirBuilder, DirEntry, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::geteuid;

use super::fault::UnusableFile;

/// The file of lines in its directory.
pub(crate) const FILE: &str = "parlor.db";

/// The index for searching, beside it.
pub(crate) const SEARCH_FILE: &str = "parlor-search.db";

/// Lines that were refused and may be stored nevertheless. It exists only while the disk does not
/// answer.
pub(super) const REFUSED_FILE: &str = "parlor-refused.txt";

/// SQLite keeps these beside a file: the write-ahead log, the index of that, and, until the file is
/// created, its own journal.
const AHEAD: &str = "db-wal";
const SHARED: &str = "db-shm";
const JOURNAL: &str = "db-journal";

/// The write-ahead log begins with this number, whose last bit says how its checksums are computed
/// (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).
const AHEAD_MAGIC: u32 = 0x377f_0682;

/// Servers of earlier versions locked this file; now the file of lines itself is locked.
const FORMER_LOCK: &str = "parlor.lock";

/// A new file system contains this directory.
const LOST_AND_FOUND: &str = "lost+found";

/// The mode bits that give access to others.
const OTHERS: u32 = 0o077;

/// All bits that `chmod` changes.
const MODE: u32 = 0o7777;

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The directory cannot be created or written to.
    #[error("cannot store lines in {}: {error}; give --data a directory that this user can write to, or store nothing with --memory", path.display())]
    Directory {
        /// The path of the directory.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The path is not a directory.
    #[error("cannot store lines in {}: {} is not a directory; give --data the path of a directory", path.display(), other.display())]
    NoDirectory {
        /// The path of the directory.
        path: PathBuf,
        /// The part of the path that is no directory.
        other: PathBuf,
    },
    /// Other programs use the directory.
    #[error("{} has other files, such as {}, and the server would close it to other users; give --data a directory of its own", path.display(), other.display())]
    Shared {
        /// The path of the directory.
        path: PathBuf,
        /// An entry of the directory that another program made.
        other: PathBuf,
    },
    /// The directory or a file in it belongs to another user.
    #[error("{} belongs to another user, whose id is {owner}; run the server as that user, or give --data another directory", path.display())]
    OfAnother {
        /// Which file.
        path: PathBuf,
        /// The owner of that file.
        owner: u32,
    },
    /// There is a link in the place of a file.
    #[error("{} is a symbolic link, and the server follows none; put the file itself there", .0.display())]
    Link(PathBuf),
    /// There is something else in the place of a file.
    #[error("{} is not a regular file; move it away", .0.display())]
    NoFile(PathBuf),
    /// The file has a second name (a hard link), perhaps in another server's directory.
    #[error("{} has a second name (a hard link), under which another server could write to it; copy the file, and put the copy in its place", .0.display())]
    SecondName(PathBuf),
    /// Another server uses the directory.
    #[error("another server uses {}; stop it, or give this one its own directory with --data DIR", .0.display())]
    Taken(PathBuf),
    /// A file in the directory cannot be used.
    #[error("{} {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why it cannot be used.
        error: UnusableFile,
    },
}

/// The error of a file or directory for an error of the system.
pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> OpenError + Copy {
    move |error| OpenError::Directory { path: path.to_owned(), error }
}

/// An open file is no longer the one at its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Displaced {
    /// The file of lines was deleted or renamed.
    #[error(
        "{} is not the file any more that the server has open: lines are refused until that file is back. If it was \
         deleted, copy {} there, which has every line, then stop the server and start it again", path.display(), open.display()
    )]
    Lines {
        /// Where the file was.
        path: PathBuf,
        /// Where it can be read while the server runs.
        open: PathBuf,
    },
    /// A file beside it is gone.
    #[error(
        "{} is not the file any more that the server has open: lines are refused until that file is back. If it was \
         deleted, stop the server and start it again: no line is lost", .0.display()
    )]
    Beside(PathBuf),
    /// The write-ahead log was truncated in place. SQLite continues to write after the hole, and
    /// would move the zeros in it into the file of lines.
    #[error(
        "{} was emptied by another program, and the lines in it are lost: lines are refused until you stop the server \
         and start it again", .0.display()
    )]
    Emptied(PathBuf),
}

/// The identity of a file: its device and its inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(file: &Metadata) -> Identity {
        Identity(file.dev(), file.ino())
    }

    /// The identity of the file at this path; a link is not followed.
    fn at(path: &Path) -> io::Result<Identity> {
        fs::symlink_metadata(path).map(|file| Identity::of(&file))
    }
}

/// The files, locked for this server until this is dropped.
///
/// One lock is on the file of lines itself, so it holds whatever happens to its name, to other
/// files and to the directory. Another one is on the directory: if a file replaced the file of
/// lines, both would share the files that SQLite keeps beside them. Both are locks of `flock`,
/// which SQLite does not use. SQLite's own locks end when the process closes any descriptor of the
/// file, so this is dropped after all connections to the file, and no other code opens it.
#[derive(Debug)]
pub(crate) struct Files {
    path: PathBuf,
    held: File,
    _held_directory: File,
    lines: Identity,
    /// The files that SQLite has open beside it.
    beside: OnceLock<[(PathBuf, Identity); 2]>,
    /// The write-ahead log, to read its first bytes.
    ahead: OnceLock<File>,
    /// Whether the write-ahead log was truncated; if so, this stays true until the server ends.
    is_emptied: AtomicBool,
}

impl Files {
    /// Locks the files in a directory, which is created if it is missing, and denies other users
    /// access: the files have people's lines and the hashes of their passwords.
    pub(crate) fn claim(directory: &Path) -> Result<Files, OpenError> {
        let failed = failed(directory);
        let mut private = DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| no_directory(directory).unwrap_or_else(|| failed(error)))?;
        // A link to the directory is resolved only once.
        let directory = fs::canonicalize(directory).map_err(failed)?;
        close_directory(&directory)?;
        for file in [FILE, SEARCH_FILE] {
            let file = directory.join(file);
            close_file(&file)?;
            for beside in [AHEAD, SHARED, JOURNAL] {
                close_file(&file.with_extension(beside))?;
            }
        }
        close_file(&directory.join(REFUSED_FILE))?;
        fs::remove_file(directory.join(FORMER_LOCK)).ok(); // if it stays, it does no harm
        let path = directory.join(FILE);
        let held = private_file().create(true).open(&path).map_err(failed)?;
        let held_directory = File::open(&directory).map_err(failed)?;
        for file in [&held, &held_directory] {
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(OpenError::Taken(directory)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let metadata = held.metadata().map_err(failed)?;
        if metadata.nlink() > 1 {
            return Err(OpenError::SecondName(path));
        }
        Ok(Files {
            path,
            held,
            _held_directory: held_directory,
            lines: Identity::of(&metadata),
            beside: OnceLock::new(),
            ahead: OnceLock::new(),
            is_emptied: AtomicBool::new(false),
        })
    }

    /// The file of lines.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Notes the files that SQLite has opened beside the file of lines. Call it after SQLite has
    /// opened them.
    pub(crate) fn note_beside(&self) -> io::Result<()> {
        let noted = |extension| {
            let path = self.path.with_extension(extension);
            Identity::at(&path).map(|identity| (path, identity))
        };
        let beside = [noted(AHEAD)?, noted(SHARED)?];
        let ahead = File::open(self.path.with_extension(AHEAD))?;
        self.ahead.set(ahead).ok();
        self.beside.set(beside).ok(); // they stay the same while the file is open
        Ok(())
    }

    /// Whether the open files are still those in the directory. Writes to other files are lost when
    /// the server ends.
    pub(crate) fn are_in_place(&self) -> Result<(), Displaced> {
        if self.is_emptied() {
            // First, because no repair helps.
            return Err(Displaced::Emptied(self.path.with_extension(AHEAD)));
        }
        if Identity::at(&self.path).ok() != Some(self.lines) {
            let (process, descriptor) = (process::id(), self.held.as_raw_fd());
            return Err(Displaced::Lines {
                path: self.path.clone(),
                open: format!("/proc/{process}/fd/{descriptor}").into(),
            });
        }
        for (path, identity) in self.beside.get().into_iter().flatten() {
            if Identity::at(path).ok() != Some(*identity) {
                return Err(Displaced::Beside(path.clone()));
            }
        }
        Ok(())
    }

    /// Whether the write-ahead log was truncated in place, and SQLite has written after the hole.
    pub(crate) fn is_emptied(&self) -> bool {
        if self.begins_with_a_hole() {
            self.is_emptied.store(true, Ordering::Relaxed);
        }
        self.is_emptied.load(Ordering::Relaxed)
    }

    fn begins_with_a_hole(&self) -> bool {
        let mut magic = [0; 4];
        let read = self.ahead.get().map(|ahead| ahead.read_at(&mut magic, 0));
        match read {
            Some(Ok(0)) => false, // SQLite itself empties it when all of it is in the file
            Some(Ok(_)) => u32::from_be_bytes(magic) & !1 != AHEAD_MAGIC,
            Some(Err(_)) | None => false, // SQLite reports errors of the disk
        }
    }
}

/// Creates a file that no other user may open. SQLite gives the files beside it the same mode.
///
/// # Errors
///
/// The file cannot be created, or exists. An existing file is not opened, because its locks would
/// end with the new descriptor.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    private_file().create_new(true).open(path).map(drop)
}

/// Opens files to append to them; no other user may open those that it creates.
pub(super) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    options
}

/// The part of a path, if any, that exists and is not a directory.
fn no_directory(path: &Path) -> Option<OpenError> {
    let is_other = |part: &&Path| match fs::metadata(part) {
        Ok(there) => !there.is_dir(),
        Err(_) => fs::symlink_metadata(part).is_ok(), // a link to nothing
    };
    let other = path.ancestors().find(is_other)?.to_owned();
    let path = path.to_owned();
    Some(OpenError::NoDirectory { path, other })
}

/// Denies other users access to the directory. A directory that other programs use stays unchanged.
fn close_directory(directory: &Path) -> Result<(), OpenError> {
    let failed = failed(directory);
    let there = fs::metadata(directory).map_err(failed)?;
    is_own(directory, &there)?;
    if there.mode() & OTHERS == 0 {
        return Ok(());
    }
    if !directory.join(FILE).exists() {
        let mut inside = fs::read_dir(directory).map_err(failed)?.flatten();
        let is_other = |entry: &DirEntry| {
            let of_another = entry.metadata().is_ok_and(|file| file.uid() != there.uid());
            of_another || entry.path().is_dir() && entry.file_name() != LOST_AND_FOUND
        };
        let other = inside.find(is_other);
        if let Some(other) = other {
            return Err(OpenError::Shared { path: directory.to_owned(), other: other.path() });
        }
    }
    fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(failed)
}

/// Makes sure that this path, if it exists, is a regular file, and denies other users access to it.
/// Other users can no longer enter the directory, so nothing changes meanwhile.
fn close_file(path: &Path) -> Result<(), OpenError> {
    let failed = failed(path);
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there.map_err(failed)?,
    };
    if there.is_symlink() {
        return Err(OpenError::Link(path.to_owned()));
    }
    if !there.is_file() {
        return Err(OpenError::NoFile(path.to_owned()));
    }
    is_own(path, &there)?;
    match there.mode() & MODE {
        0o600 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed),
    }
}

fn is_own(path: &Path, there: &Metadata) -> Result<(), OpenError> {
    let owner = there.uid();
    if owner == geteuid().as_raw() {
        return Ok(());
    }
    let path = path.to_owned();
    Err(OpenError::OfAnother { path, owner })
}
