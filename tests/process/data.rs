//! A directory that stores lines for several servers in turn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::DEADLINE;
use crate::guest::Guest;
use crate::server::{HERE, Server, parlor, without_settings};

/// The line that ends the greeting of a server that stores lines.
pub(crate) const STORED: &str = "-- Lines here are stored";

/// A directory for stored lines.
pub(crate) struct Data(TempDir);

/// A line as the file stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    /// Its time, in milliseconds.
    pub(crate) at: i64,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Data {
    pub(crate) fn new() -> Data {
        Data(tempfile::tempdir().unwrap())
    }

    /// The program, which stores its lines here.
    pub(crate) fn parlor(&self) -> Command {
        let mut command = parlor();
        self.store_here(&mut command);
        command
    }

    /// The program, which stores its lines here in files of at most this many KiB.
    pub(crate) fn parlor_with_small_files(&self, kibibytes: u64) -> Command {
        let script = format!("trap '' XFSZ; ulimit -Sf {kibibytes}; exec \"$0\" \"$@\"");
        self.parlor_by("bash", &["-c", &script])
    }

    /// The program, run by another one; it stores its lines here.
    pub(crate) fn parlor_by(&self, runner: &str, arguments: &[&str]) -> Command {
        let mut command = without_settings(Command::new(runner));
        command.args(arguments).arg(env!("CARGO_BIN_EXE_parlor"));
        self.store_here(&mut command);
        command
    }

    fn store_here(&self, command: &mut Command) {
        command.env_remove("PARLOR_MEMORY").env("PARLOR_DATA", self.0.path());
    }

    /// A server that stores its lines here.
    pub(crate) fn open(&self, options: &[&str]) -> Server {
        Server::run(self.parlor(), &[&HERE[..], &["--rate", "off"], options].concat())
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    /// The database.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("parlor.db")
    }

    /// The search index.
    pub(crate) fn index(&self) -> PathBuf {
        self.0.path().join("parlor-search.db")
    }

    /// The number of times that a text occurs in all files here.
    pub(crate) fn traces(&self, text: &str) -> usize {
        let files = fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        // A file may disappear meanwhile; it then counts as empty.
        let files = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
        let places = files.map(|file| {
            let bytes = fs::read(file.path()).unwrap_or_default();
            let parts = bytes.windows(text.len());
            parts.filter(|part| *part == text.as_bytes()).count()
        });
        places.sum()
    }

    /// Waits until no file here has this text, while the guest sends requests.
    pub(crate) fn until_gone(&self, text: &str, guest: &mut Guest) {
        let until = Instant::now() + DEADLINE;
        while self.traces(text) > 0 {
            assert!(Instant::now() < until, "{text} is still there");
            guest.say("/topic");
            guest.line();
        }
    }

    /// The numbers of the lobby's lines.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.lobby().iter().map(|row| row.seq).collect()
    }

    /// Checks that `parlor check` finds no damage.
    pub(crate) fn assert_undamaged(&self) {
        let output = self.parlor().arg("check").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// The stored lines of the lobby, whether or not a server runs.
    pub(crate) fn lobby(&self) -> Vec<Row> {
        rows(&self.file(), "lobby")
    }
}

/// The stored lines of a room.
pub(crate) fn rows(file: &Path, room: &str) -> Vec<Row> {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut query = file
        .prepare("SELECT key & 8589934591, at, lines.name, text FROM lines JOIN rooms ON key >> 33 = id WHERE rooms.name = ?1 ORDER BY key")
        .unwrap();
    let rows = query.query_map([room], |row| {
        Ok(Row { seq: row.get(0)?, at: row.get(1)?, name: row.get(2)?, text: row.get(3)? })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Enters a server that stores lines.
pub(crate) fn enter(server: &Server, name: &str) -> Guest {
    let mut guest = Guest::connect(server.address);
    guest.say(name);
    guest.until(STORED);
    guest
}

/// A replayed line, without its time.
pub(crate) fn untimed(line: &str) -> &str {
    let (time, words) = line.split_once("] ").unwrap_or_else(|| panic!("{line:?} has no time"));
    assert!(time.starts_with('['), "{line:?}");
    words
}
