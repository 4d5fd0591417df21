//! Stores lines and records, and removes those whose commit failed. Knows no thread.
//!
//! A refused commit may be stored nevertheless, if the disk did not answer. A separate file lists its
//! lines and records, so that the next server removes them if this one is killed before it can.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use parlor_core::journal::{Record, Snapshot};
use parlor_core::log::Batch;
use parlor_core::model::{End, RoomName, Said};
use rusqlite::{Connection, OptionalExtension, params};

use super::files::{REFUSED_FILE, private_file};
use super::keys::{KEYS, key, range};
use super::leftovers::note_leftovers;
use super::records::{self, put};
use super::row::{code, gone_with, name_of, sum, sum_of};
use super::schema::SCHEMA;
use super::sql::Sql;
use super::store::Store;
use super::times::{date_back, note_other_lines};
use super::undo::{self, Undo};

impl Store {
    /// Stores the lines of these batches and these records, in one transaction, if `may_commit`
    /// still allows it. Before that, `may_commit` gets the way back from the records. Returns
    /// whether it has allowed the commit.
    pub(super) fn append(
        &mut self,
        batches: &[Arc<Batch>],
        records: &[Record],
        may_commit: impl FnOnce(Option<Undo>) -> bool,
    ) -> rusqlite::Result<bool> {
        let transaction = self.connection.transaction()?;
        put_batches(&transaction, batches)?;
        let undo = match records.is_empty() {
            true => None,
            false => Some(put_records(&transaction, records)?),
        };
        if !may_commit(undo) {
            return Ok(false); // and nothing is stored
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Removes the lines that these batches may have left in the file after a failure of unknown
    /// extent, and undoes the records beside them. Nobody has seen these lines. No other line is
    /// removed.
    pub(super) fn remove_unseen(
        &mut self,
        batches: &[Arc<Batch>],
        undo: Option<&Undo>,
    ) -> rusqlite::Result<()> {
        if batches.is_empty() && undo.is_none() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        undo.map_or(Ok(()), |undo| undo.run(&transaction))?;
        let delete = format!("DELETE FROM lines WHERE {} AND sum = ?4", KEYS.range);
        for batch in batches {
            for said in batch.said() {
                let (room, first, last) = range(batch.room().as_str(), (said.seq, said.seq));
                transaction.run(&delete, params![room, first, last, sum_of(said)])?;
            }
        }
        // A part of the write-ahead log that was never synced becomes visible only when the file is
        // opened after this program ends. This write, which changes nothing, replaces it.
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()
    }

    /// Removes the lines that the previous server has refused, and undoes the records. A note about
    /// another file matches nothing, because it has the time and the checksum of each line, and the
    /// mark of the commit.
    pub(super) fn remove_noted(&mut self, lines: &Path) -> rusqlite::Result<()> {
        let Ok(note) = fs::read_to_string(lines.with_file_name(REFUSED_FILE)) else {
            return Ok(());
        };
        let transaction = self.connection.transaction()?;
        let delete = format!("DELETE FROM lines WHERE {} AND at = ?4 AND sum = ?5", KEYS.range);
        for line in note.lines() {
            if let Some(undo) = Undo::parse(line) {
                undo.run(&transaction)?;
                continue;
            }
            let mut parts = line.splitn(4, ' ');
            let mut number = || parts.next()?.parse::<i64>().ok();
            let (Some(seq), Some(at), Some(sum)) = (number(), number(), number()) else {
                continue;
            };
            let seq = seq as u64;
            let (room, first, last) = range(parts.next().unwrap_or_default(), (seq, seq));
            transaction.run(&delete, params![room, first, last, at, sum])?;
        }
        transaction.commit()?;
        delete_note(lines);
        Ok(())
    }
}

/// Stores lines and records that are in the order of several nodes, in the transaction of the caller.
/// They are never undone.
pub(super) fn put_behind(
    transaction: &Connection,
    batches: &[Arc<Batch>],
    records: &[Record],
) -> rusqlite::Result<()> {
    put_batches(transaction, batches)?;
    records.iter().try_for_each(|record| put(transaction, record))?;
    undo::forget(transaction)
}

/// Stores the lines of these batches, in the transaction of the caller.
fn put_batches(transaction: &Connection, batches: &[Arc<Batch>]) -> rusqlite::Result<()> {
    for batch in batches {
        if batch.said().next().is_none() {
            continue;
        }
        let room = make_room(transaction, batch.room())?;
        if batch.goes_back() {
            date_back(transaction, batch.room(), batch.at())?;
        }
        put_lines(transaction, room, batch.said())?;
    }
    Ok(())
}

/// Stores lines of the room with this number.
fn put_lines<'a>(
    transaction: &Connection,
    room: i64,
    lines: impl Iterator<Item = &'a Said>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        // By number: a parameter with a name is looked up for each line.
        "INSERT INTO lines (key, at, manner, name, text, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for said in lines {
        insert.execute(params![
            key(room, said.seq)?,
            said.at.0,
            code(said),
            name_of(said),
            said.text.as_str(),
            sum_of(said),
        ])?;
    }
    Ok(())
}

/// Stores lines of a room behind earlier ones, in the transaction of the caller. Those between were
/// deleted before the file got them.
pub(super) fn put_later(
    transaction: &Connection,
    room: &RoomName,
    lines: &[Said],
) -> rusqlite::Result<()> {
    if let Some(first) = lines.first() {
        put_end(transaction, room, End { seq: first.seq.saturating_sub(1), at: first.at })?;
    }
    put_lines(transaction, make_room(transaction, room)?, lines.iter())
}

/// Notes that a room has lines up to its end, of which the file never had the last ones, in the
/// transaction of the caller.
pub(super) fn put_end(transaction: &Connection, room: &RoomName, end: End) -> rusqlite::Result<()> {
    let (rows, order) = (KEYS.range, KEYS.order);
    let query =
        format!("SELECT {} FROM lines WHERE {rows} ORDER BY {order} DESC LIMIT 1", KEYS.seq);
    let rows = range(room.as_str(), (0, u64::MAX));
    let last: Option<i64> = transaction.one(&query, rows, |row| row.get(0))?;
    let missing = end.seq.saturating_sub(last.unwrap_or_default() as u64);
    if missing == 0 {
        return Ok(());
    }
    let (seq, at, manner) = (end.seq as i64, end.at.0, gone_with(missing - 1));
    let key = key(make_room(transaction, room)?, end.seq)?;
    transaction.run(
        "INSERT INTO lines (key, at, manner, name, text, sum) VALUES (?1, ?2, ?3, '', '', ?4)",
        params![key, at, manner, sum(seq, at, manner, "", "")],
    )?;
    Ok(())
}

/// Makes everything that of an earlier ledger, in the transaction of the caller. `is_whole` says
/// whether all deletions will be decided anew.
pub(super) fn set_back(
    transaction: &Connection,
    ledger: &Snapshot,
    is_whole: bool,
) -> rusqlite::Result<()> {
    cut(transaction, &ledger.ends)?;
    records::set_back(transaction, ledger, is_whole)
}

/// Deletes the lines behind these ends of the rooms.
fn cut(transaction: &Connection, ends: &BTreeMap<RoomName, End>) -> rusqlite::Result<()> {
    let rooms: Vec<String> = transaction.all("SELECT name FROM rooms", [], |row| row.get(0))?;
    for name in rooms {
        let end = RoomName::parse(&name).ok().and_then(|room| ends.get(&room));
        let last = end.map_or(0, |end| end.seq);
        let delete = format!("DELETE FROM lines WHERE {}", KEYS.range);
        transaction.run(&delete, range(&name, (last + 1, u64::MAX)))?;
        let shorten = "UPDATE ends SET seq = ?2
                       WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq > ?2";
        transaction.run(shorten, params![name, last as i64])?;
    }
    ends.iter().try_for_each(|(room, end)| put_end(transaction, room, *end))?;
    note_other_lines(transaction)?;
    note_leftovers(transaction)
}

/// Stores records. Returns the way back.
fn put_records(connection: &Connection, records: &[Record]) -> rusqlite::Result<Undo> {
    undo::forget(connection)?;
    records.iter().try_for_each(|record| put(connection, record))?;
    undo::mark(connection)
}

/// Notes lines and records that are refused. The note is not synced: a disk that does not answer would not
/// answer that either.
pub(super) fn note_refused(
    lines: &Path,
    batches: &[Arc<Batch>],
    undo: Option<&Undo>,
) -> io::Result<()> {
    let mut note = undo.map(Undo::line).unwrap_or_default();
    for batch in batches {
        for said in batch.said() {
            let (seq, at, sum) = (said.seq, said.at.0, sum_of(said));
            note += &format!("{seq} {at} {sum} {}\n", batch.room().as_str());
        }
    }
    let mut file = private_file().create(true).open(lines.with_file_name(REFUSED_FILE))?;
    file.write_all(note.as_bytes())
}

/// Deletes the note: no refused line is in the file.
pub(super) fn delete_note(lines: &Path) {
    fs::remove_file(lines.with_file_name(REFUSED_FILE)).ok(); // it rarely exists
}

/// The number of a room, which is made if it is missing.
pub(super) fn make_room(connection: &Connection, room: &RoomName) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT id FROM rooms WHERE name = ?1")?;
    let found = find.query_row([room.as_str()], |row| row.get(0));
    if let Some(id) = found.optional()? {
        return Ok(id);
    }
    connection.execute("INSERT INTO rooms (name) VALUES (?1)", [room.as_str()])?;
    Ok(connection.last_insert_rowid())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use parlor_core::log::{Batch, Cursor};
    use parlor_core::model::{Entry, Line, Manner, Name, PersonId, RoomName, Said, WallTime, Who};

    use super::super::store::Store;
    use super::{REFUSED_FILE, note_refused};
    use crate::config::Keep;

    fn batch(texts: &[&str]) -> Arc<Batch> {
        let said = texts.iter().zip(1..).map(|(text, seq)| {
            Entry::Said(Said {
                seq,
                at: WallTime(1_000),
                who: Who::new(PersonId::BYGONE, Name::stored("alice")).into(),
                manner: Manner::Plain,
                extras: None,
                text: Line::sanitise(text.as_bytes()),
            })
        });
        let (room, start, at) = (RoomName::lobby(), Cursor::default(), WallTime(1_000));
        Arc::new(Batch::new(room, start, at, said.collect()))
    }

    fn texts(store: &Store) -> Vec<String> {
        let mut query = store.connection.prepare("SELECT text FROM lines").unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn removal_finds_what_was_refused_and_nothing_else_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("parlor.db");
        File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        store.append(&[batch(&["one", "two", "three"])], &[], |_| true).unwrap();
        let refused = batch(&["uno", "two", "tres", "quattro"]);
        store.remove_unseen(&[Arc::clone(&refused)], None).unwrap();
        assert_eq!(texts(&store), ["one", "three"]);
        // The same for the notes of the previous server.
        note_refused(&path, &[refused, batch(&["one"])], None).unwrap();
        store.remove_noted(&path).unwrap();
        assert_eq!(texts(&store), ["three"]);
        assert!(!path.with_file_name(REFUSED_FILE).exists());
    }
}
