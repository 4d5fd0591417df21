//! A directory in which lines are kept, through several servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::guest::Guest;
use crate::house::{HERE, House, parlor, without_settings};

/// The line that ends what one is told on arrival, where lines are kept and none is there yet.
pub(crate) const KEPT: &str = "-- Lines here are stored";

/// A directory for what is said.
pub(crate) struct Data(TempDir);

/// A line as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    /// When it was said, in milliseconds.
    pub(crate) at: i64,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Data {
    pub(crate) fn new() -> Data {
        Data(tempfile::tempdir().unwrap())
    }

    /// The program, which is to keep its lines here.
    pub(crate) fn parlor(&self) -> Command {
        let mut command = parlor();
        self.keep_here(&mut command);
        command
    }

    /// The program, which is to keep its lines here in files of at most so many KiB.
    pub(crate) fn parlor_with_small_files(&self, kibibytes: u64) -> Command {
        let script = format!("trap '' XFSZ; ulimit -Sf {kibibytes}; exec \"$0\" \"$@\"");
        self.parlor_by("bash", &["-c", &script])
    }

    /// The program, run by another one, which is to keep its lines here.
    pub(crate) fn parlor_by(&self, runner: &str, arguments: &[&str]) -> Command {
        let mut command = without_settings(Command::new(runner));
        command.args(arguments).arg(env!("CARGO_BIN_EXE_parlor"));
        self.keep_here(&mut command);
        command
    }

    fn keep_here(&self, command: &mut Command) {
        command
            .env_remove("PARLOR_MEMORY")
            .env("PARLOR_DATA", self.0.path());
    }

    /// A server that keeps its lines here.
    pub(crate) fn open(&self, options: &[&str]) -> House {
        House::run(
            self.parlor(),
            &[&HERE[..], &["--rate", "off"], options].concat(),
        )
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    /// The file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("parlor.db")
    }

    /// The index for searching.
    pub(crate) fn index(&self) -> PathBuf {
        self.0.path().join("parlor-search.db")
    }

    /// In how many places of all files here something stands.
    pub(crate) fn traces(&self, text: &str) -> usize {
        let files = fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        // Meanwhile a file may be taken away: then nothing stands in it.
        let files = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
        let places = files.map(|file| {
            let bytes = fs::read(file.path()).unwrap_or_default();
            let parts = bytes.windows(text.len());
            parts.filter(|part| *part == text.as_bytes()).count()
        });
        places.sum()
    }

    /// The numbers of the lobby's lines.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.lobby().iter().map(|row| row.seq).collect()
    }

    /// `parlor check` has nothing to complain of.
    pub(crate) fn is_whole(&self) {
        let output = self.parlor().arg("check").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// What the file has of the lobby, while no server runs or while one does.
    pub(crate) fn lobby(&self) -> Vec<Row> {
        rows(&self.file(), "lobby")
    }
}

/// What a file has of a room.
pub(crate) fn rows(file: &Path, room: &str) -> Vec<Row> {
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let mut query = file
        .prepare("SELECT seq, at, lines.name, text FROM lines JOIN rooms ON room = id WHERE rooms.name = ?1 ORDER BY seq")
        .unwrap();
    let rows = query.query_map([room], |row| {
        Ok(Row {
            seq: row.get(0)?,
            at: row.get(1)?,
            name: row.get(2)?,
            text: row.get(3)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Enters a house that keeps lines.
pub(crate) fn enter(house: &House, name: &str) -> Guest {
    let mut guest = Guest::connect(house.address);
    guest.say(name);
    guest.until(KEPT);
    guest
}

/// A line said before, without its time.
pub(crate) fn of_old(line: &str) -> &str {
    let (time, words) = line
        .split_once("] ")
        .unwrap_or_else(|| panic!("{line:?} has no time"));
    assert!(time.starts_with('['), "{line:?}");
    words
}
