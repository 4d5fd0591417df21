//! Lines that were refused although the disk may yet take them, in a file of their own: whoever starts after this server
//! takes them out. Knows no thread.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use parlor_core::log::Batch;
use rusqlite::params;

use super::rows::{code, sum};
use super::store::Store;

/// The file, beside that of the lines. It is there only while the disk does not answer.
pub(crate) const FILE: &str = "parlor-refused.txt";

/// Notes down what was refused. Where the server is killed before it could take that out, the note says what it was. It is
/// not synced, as a disk that does not answer would not answer to that either.
pub(crate) fn note(lines: &Path, batches: &[Arc<Batch>]) -> io::Result<()> {
    let mut note = String::new();
    for batch in batches {
        for said in batch.said() {
            let (seq, at) = (said.seq as i64, said.at.0);
            let (name, text) = (said.who.name.as_str(), said.text.as_str());
            let sum = sum(seq, at, code(said.manner), name, text);
            note += &format!("{seq} {at} {sum} {}\n", batch.room().as_str());
        }
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    let mut file = options.open(lines.with_file_name(FILE))?;
    file.write_all(note.as_bytes())
}

/// Nothing is left of what was refused.
pub(crate) fn is_gone(lines: &Path) {
    fs::remove_file(lines.with_file_name(FILE)).ok(); // it is seldom there
}

impl Store {
    /// Takes out what a server before this one has refused. A note of something else finds nothing: it has the time and the
    /// checksum of each line.
    pub(crate) fn take_back_noted(&mut self, lines: &Path) -> rusqlite::Result<()> {
        let Ok(note) = fs::read_to_string(lines.with_file_name(FILE)) else {
            return Ok(());
        };
        let transaction = self.connection().transaction()?;
        for line in note.lines() {
            let mut parts = line.splitn(4, ' ');
            let mut number = || parts.next()?.parse::<i64>().ok();
            let (Some(seq), Some(at), Some(sum)) = (number(), number(), number()) else {
                continue;
            };
            transaction.execute(
                "DELETE FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)
                 AND seq = ?2 AND at = ?3 AND sum = ?4",
                params![parts.next(), seq, at, sum],
            )?;
        }
        transaction.commit()?;
        is_gone(lines);
        Ok(())
    }
}
