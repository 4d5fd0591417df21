//! A directory in which lines are kept, through several servers.

use std::path::PathBuf;
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::guest::Guest;
use crate::house::{HERE, House, parlor};

/// The line that ends what one is told on arrival, where lines are kept and none is there yet.
pub(crate) const KEPT: &str = "-- Lines here are kept";

/// A directory for what is said.
pub(crate) struct Data(TempDir);

/// A line as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seq: i64,
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
        let mut shell = Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -Sf {kibibytes}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_parlor")]);
        self.keep_here(&mut shell);
        shell
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

    /// The file.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("parlor.db")
    }

    /// The index for searching.
    pub(crate) fn index(&self) -> PathBuf {
        self.0.path().join("parlor-search.db")
    }

    /// What the file has of the lobby, while no server runs or while one does.
    pub(crate) fn lobby(&self) -> Vec<Row> {
        let file =
            Connection::open_with_flags(self.file(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        let mut query = file
            .prepare("SELECT seq, lines.name, text FROM lines JOIN rooms ON room = id WHERE rooms.name = 'lobby' ORDER BY seq")
            .unwrap();
        let rows = query.query_map([], |row| {
            Ok(Row {
                seq: row.get(0)?,
                name: row.get(1)?,
                text: row.get(2)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

/// Enters a house that keeps lines.
pub(crate) fn enter(house: &House, name: &str) -> Guest {
    let mut guest = Guest::connect(house.address);
    guest.say(name);
    guest.until(KEPT);
    guest
}
