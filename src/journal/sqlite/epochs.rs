//! Epochs: the log has another name after each start, so that a number with a name means one line and no other, whatever was
//! done to the file meanwhile. Knows nobody who reads.
//!
//! A copy may be put back, or a snapshot of the disk, and nothing in the file shows it. So each start gives the log a new
//! name, and writes down how far each room had come under the one before. Who comes back with an earlier name goes on
//! exactly if the file knows that name, and had come as far under it: then the file has what was read. Names that were given
//! after a copy was made are not in the copy, and numbers behind its end are not from it.

use parlor_core::model::RoomName;
use rusqlite::{OptionalExtension, params};

use super::store::Store;
use crate::clock;

/// So many names are known: who comes back after more starts than that is told that nobody can count what was missed.
const EPOCHS_MAX: i64 = 1_000;

/// A name of a log that nothing keeps, or that cannot be written down.
pub(crate) fn passing_epoch() -> String {
    let mut random = [0; 8];
    // Without random numbers the time will do: it tells this start from the others.
    if getrandom::fill(&mut random).is_err() {
        random = clock::wall().0.to_be_bytes();
    }
    format!("{:016x}", u64::from_be_bytes(random))
}

impl Store {
    /// Gives the log another name, from now on, and notes how far it has come under the one before.
    pub(crate) fn begin_epoch(&mut self) -> rusqlite::Result<String> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT INTO ends SELECT id, (SELECT max(id) FROM epochs), last FROM
                 (SELECT id, (SELECT max(seq) FROM lines WHERE room = id) AS last FROM rooms)
             WHERE last > coalesce((SELECT max(seq) FROM ends WHERE room = id), 0)",
            [],
        )?;
        let (id, name): (i64, String) = transaction.query_row(
            "INSERT INTO epochs (name) VALUES (lower(hex(randomblob(8)))) RETURNING id, name",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let forgotten = id - EPOCHS_MAX;
        transaction.execute("DELETE FROM epochs WHERE id <= ?1", [forgotten])?;
        // Of each room the last of the forgotten ends stays, as it holds for the epochs behind it.
        transaction.execute(
            "DELETE FROM ends WHERE epoch < (SELECT max(epoch) FROM ends AS later
             WHERE later.room = ends.room AND later.epoch <= ?1)",
            [forgotten],
        )?;
        transaction.commit()?;
        Ok(name)
    }

    /// The number of the last line of a room that was said up to the end of an epoch; no end where it lasts. None where the
    /// file does not know it.
    pub(crate) fn end_of(&self, epoch: &str, room: &RoomName) -> rusqlite::Result<Option<u64>> {
        let mut find = self.connection.prepare_cached(
            "SELECT id, id = (SELECT max(id) FROM epochs) FROM epochs WHERE name = ?1",
        )?;
        let found = find.query_row([epoch], |row| Ok((row.get(0)?, row.get(1)?)));
        let Some((id, lasts)): Option<(i64, bool)> = found.optional()? else {
            return Ok(None);
        };
        if lasts {
            return Ok(Some(u64::MAX));
        }
        let mut end = self.connection.prepare_cached(
            "SELECT coalesce(max(seq), 0) FROM ends
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND epoch <= ?2",
        )?;
        let end: i64 = end.query_row(params![room.as_str(), id], |row| row.get(0))?;
        Ok(Some(end as u64))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use std::fs;

    use parlor_core::model::RoomName;

    use super::super::store::Store;
    use super::EPOCHS_MAX;
    use crate::config::Keep;

    fn say(store: &mut Store, last: i64) {
        store
            .connection()
            .execute_batch(&format!(
                "INSERT OR IGNORE INTO rooms VALUES (1, 'lobby');
                 INSERT INTO lines VALUES (1, {last}, 0, 0, 'a', 'b', 0)"
            ))
            .unwrap();
    }

    #[test]
    fn a_name_of_before_is_good_up_to_where_it_ended() {
        let directory = tempfile::tempdir().unwrap();
        let (file, copy) = ("file.db", "copy.db");
        let open = |name: &str| {
            let file = directory.path().join(name);
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&file)
                .unwrap();
            Store::open(&file, Keep::Written).unwrap()
        };
        let lobby = RoomName::lobby();
        let mut store = open(file);
        let first = store.begin_epoch().unwrap();
        say(&mut store, 10);
        store.copy_to(&directory.path().join(copy)).unwrap();
        say(&mut store, 20);
        let second = store.begin_epoch().unwrap();
        let end = |store: &Store, epoch: &str| store.end_of(epoch, &lobby).unwrap();
        assert_eq!(end(&store, &first), Some(20));
        assert_eq!(end(&store, &second), Some(u64::MAX));
        assert_eq!(end(&store, "another"), None);

        let mut restored = open(copy);
        let third = restored.begin_epoch().unwrap();
        say(&mut restored, 30);
        assert_eq!(end(&restored, &first), Some(10));
        assert_eq!(end(&restored, &second), None);
        for _ in 0..EPOCHS_MAX {
            assert!(end(&restored, &third).is_some());
            restored.begin_epoch().unwrap();
        }
        assert_eq!(end(&restored, &third), None);
        let tea = RoomName::parse("tea").unwrap();
        let latest = restored.begin_epoch().unwrap();
        say(&mut restored, 40);
        restored.begin_epoch().unwrap();
        assert_eq!(end(&restored, &latest), Some(40));
        assert_eq!(restored.end_of(&latest, &tea).unwrap(), Some(0));
        let ends = restored
            .connection()
            .query_row("SELECT count(*) FROM ends", [], |row| row.get(0));
        assert_eq!(ends, Ok(2));
    }
}
