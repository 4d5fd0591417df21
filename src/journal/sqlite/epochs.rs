//! Epochs: the log gets a new name at each start, so that a name and a number together mean one
//! line and no other, whatever has happened to the file. Knows no reader.
//!
//! A person may restore a copy of the file, or a snapshot of the disk, and nothing in the file
//! shows it. So each start gives the log a new name, and notes the last number of each room under
//! the previous name. A person who returns with an earlier name and a number can continue if the
//! file knows that name and had reached that number under it: then the file has the lines that the
//! person read. A copy does not have the names given after it was made, nor numbers after its end.
//!
//! The log of several nodes has one name, whichever node starts. The names that the file of a node
//! gets at its starts are for its search index alone, and number no line.

use std::sync::Arc;

use parlor_core::model::RoomName;
use rusqlite::{Connection, params};

use super::keys::KEYS;
use super::sql::Sql;
use super::store::Store;

/// The key of the number of the first name that the file got at a start as that of a node.
const NODE_EPOCH: &str = "node_epoch";

/// The key of the name with which the file can begin the log of several nodes, until all that is in the
/// file is in their order.
pub(super) const OWN_LOG: &str = "own_log";

/// The number of names that the file stores. After more starts, the lines that a person has missed
/// can no longer be counted.
const EPOCHS_MAX: i64 = 1_000;

impl Store {
    /// Gives the log a new name, and notes the last number of each room under the previous one.
    pub(super) fn begin_epoch(&mut self) -> rusqlite::Result<String> {
        let transaction = self.connection.transaction()?;
        transaction.run(
            // CROSS: as in `ends` of rows.rs.
            &format!(
                "INSERT INTO ends SELECT rooms.id, (SELECT max(id) FROM epochs), {} AS last
                 FROM rooms CROSS JOIN lines ON {}
                 WHERE last > coalesce((SELECT max(seq) FROM ends WHERE room = rooms.id), 0)",
                KEYS.seq, KEYS.last
            ),
            [],
        )?;
        let (id, name): (i64, String) = transaction.query_row(
            "INSERT INTO epochs (name) VALUES (lower(hex(randomblob(8)))) RETURNING id, name",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let dropped = id - EPOCHS_MAX;
        transaction.run("DELETE FROM epochs WHERE id <= ?1", [dropped])?;
        // The last dropped end of each room stays, because it is valid for the epochs after it.
        transaction.run(
            "DELETE FROM ends WHERE epoch < (SELECT max(epoch) FROM ends AS later
             WHERE later.room = ends.room AND later.epoch <= ?1)",
            [dropped],
        )?;
        transaction.commit()?;
        Ok(name)
    }

    /// The number of a room's last line at the end of an epoch; the present epoch has no limit.
    /// None if the file does not know the epoch.
    pub(crate) fn end_of(&self, epoch: &str, room: &RoomName) -> rusqlite::Result<Option<u64>> {
        let found = self.connection.one(
            "SELECT id, id = (SELECT max(id) FROM epochs) FROM epochs WHERE name = ?1",
            [epoch],
            |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)),
        )?;
        let Some((id, is_present)) = found else {
            return Ok(self.is_log_of_nodes(epoch)?.then_some(u64::MAX));
        };
        if is_present {
            return Ok(Some(u64::MAX));
        }
        self.connection.one(
            "SELECT coalesce(max(seq), 0) FROM ends
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND epoch <= ?2",
            params![room.as_str(), id],
            |row| Ok(row.get::<_, i64>(0)? as u64),
        )
    }

    /// The logs that have numbered the lines of a room from number `first` on, before the present
    /// log: the number of the last line in each, and its name. A log without a name is older than
    /// those that the file knows.
    pub(super) fn earlier_logs(
        &self,
        room: &RoomName,
        first: u64,
    ) -> rusqlite::Result<Vec<(u64, Option<Arc<str>>)>> {
        self.connection.all(
            "SELECT seq, name FROM ends LEFT JOIN epochs ON epoch = epochs.id
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq >= ?2
             AND epoch < ifnull((SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?3), ?4)
             ORDER BY seq",
            params![room.as_str(), i64::try_from(first).unwrap_or(i64::MAX), NODE_EPOCH, i64::MAX],
            |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, Option<String>>(1)?.map(Arc::from)))
            },
        )
    }
}

/// Notes that lines from now on are numbered by the log of several nodes, in the transaction of the
/// caller.
pub(super) fn join_log(connection: &Connection) -> rusqlite::Result<()> {
    let note = "INSERT OR REPLACE INTO meta
                SELECT ?1, CAST(ifnull(max(id), 0) + 1 AS TEXT) FROM epochs";
    connection.run(note, [NODE_EPOCH]).map(drop)
}

/// Whether what is in the file is to begin the log of several nodes.
pub(crate) fn has_own_past(connection: &Connection) -> rusqlite::Result<bool> {
    let query = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1)";
    connection.query_row(query, [OWN_LOG], |row| row.get(0))
}

/// Notes that all that is in the file is in the order of several nodes.
pub(super) fn forget_own_past(connection: &Connection) -> rusqlite::Result<()> {
    connection.run("DELETE FROM meta WHERE key = ?1", [OWN_LOG]).map(drop)
}

/// A log before that of several nodes: its number, its name, which is empty if the file does not know it
/// any more, and the rooms in which it has numbered lines, with the number of the last one.
pub(super) type LogRow = (u64, String, Vec<(String, u64)>);

/// All logs before that of several nodes.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<LogRow>> {
    let mut logs: Vec<LogRow> = connection.all(
        "SELECT known.id, ifnull(name, '')
         FROM (SELECT id FROM epochs UNION SELECT epoch AS id FROM ends) AS known
         LEFT JOIN epochs ON epochs.id = known.id
         WHERE known.id < (SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1)
         ORDER BY known.id",
        [NODE_EPOCH],
        |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?, Vec::new())),
    )?;
    let query = "SELECT rooms.name, seq FROM ends JOIN rooms ON room = rooms.id WHERE epoch = ?1";
    for (number, _, ends) in &mut logs {
        *ends = connection
            .all(query, [*number as i64], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    }
    Ok(logs)
}

/// Stores a log before that of several nodes with its number. The names that this file got at its own
/// starts go behind it.
pub(super) fn put(connection: &Connection, number: u64, name: &str) -> rusqlite::Result<()> {
    let number = number as i64;
    let query = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1";
    let own: i64 = connection.query_row(query, [NODE_EPOCH], |row| row.get(0))?;
    let further = number + 1 - own;
    if further > 0 {
        // In two steps, as no two may have one number meanwhile.
        connection.run("UPDATE epochs SET id = -(id + ?2) WHERE id >= ?1", [own, further])?;
        connection.run("UPDATE epochs SET id = -id WHERE id < 0", [])?;
        let set = "UPDATE meta SET value = CAST(?2 AS TEXT) WHERE key = ?1";
        connection.run(set, params![NODE_EPOCH, number + 1])?;
    }
    let put = "INSERT OR REPLACE INTO epochs SELECT ?1, ?2 WHERE ?2 <> ''";
    connection.run(put, params![number, name]).map(drop)
}

/// Stores the number of the last line in the room with this number that a log has numbered.
pub(super) fn put_end(
    connection: &Connection,
    room: i64,
    log: u64,
    last: u64,
) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO ends VALUES (?1, ?2, ?3)";
    connection.run(put, params![room, log as i64, last as i64]).map(drop)
}

/// Notes that the log of several nodes, which has this name, numbers no more lines here, in the
/// transaction of the caller. It is then an earlier log, like that of an earlier start.
pub(super) fn leave_log(connection: &Connection, log: &str) -> rusqlite::Result<()> {
    let first = "(SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1)";
    for (table, number) in [("ends", "epoch"), ("epochs", "id")] {
        connection.run(&format!("DELETE FROM {table} WHERE {number} >= {first}"), [NODE_EPOCH])?;
    }
    connection.run("DELETE FROM meta WHERE key = ?1", [NODE_EPOCH])?;
    connection.run("INSERT OR IGNORE INTO epochs (name) VALUES (?1)", [log]).map(drop)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use std::fs;

    use parlor_core::model::RoomName;

    use super::super::store::Store;
    use super::super::taking_over::{further_parts, take_over};
    use super::EPOCHS_MAX;
    use crate::config::Keep;
    use crate::journal::traits::Archive;

    fn say(store: &mut Store, last: i64) {
        store
            .connection()
            .execute_batch(&format!(
                "INSERT OR IGNORE INTO rooms VALUES (1, 'lobby');
                 INSERT INTO lines VALUES (1 << 33 | {last}, 0, 0, 'a', 'b', 0)"
            ))
            .unwrap();
    }

    #[test]
    fn an_earlier_name_is_good_up_to_where_it_ended() {
        let directory = tempfile::tempdir().unwrap();
        let (file, copy) = ("file.db", "copy.db");
        let open = |name: &str| {
            let file = directory.path().join(name);
            fs::OpenOptions::new().append(true).create(true).open(&file).unwrap();
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
        let logs = |first| restored.earlier_logs(&lobby, first).unwrap();
        assert_eq!(logs(1), [(30, None), (40, Some(latest.as_str().into()))]);
        assert_eq!(logs(31), [(40, Some(latest.as_str().into()))]);
        assert_eq!(logs(41), []);
        let ends =
            restored.connection().query_row("SELECT count(*) FROM ends", [], |row| row.get(0));
        assert_eq!(ends, Ok(2));
    }

    #[test]
    fn the_log_of_nodes_has_one_name_whenever_they_start_and_when_they_are_no_nodes_any_more() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        fs::File::create(&file).unwrap();
        let mut store = Store::open(&file, Keep::Written).unwrap();
        let lobby = RoomName::lobby();
        store.join("nodes").unwrap();
        for last in [10, 20, 30] {
            store.begin_epoch().unwrap();
            say(&mut store, last);
            assert_eq!(store.earlier_logs(&lobby, 1).unwrap(), [], "the present one has all");
            assert_eq!(store.end_of("nodes", &lobby).unwrap(), Some(u64::MAX));
        }
        assert!(store.leave_nodes().unwrap());
        let alone = store.begin_epoch().unwrap();
        say(&mut store, 40);
        let logs = |store: &Store| store.earlier_logs(&lobby, 1).unwrap();
        assert_eq!(logs(&store), [(30, Some("nodes".into()))]);
        assert_eq!(store.end_of("nodes", &lobby).unwrap(), Some(30));
        assert!(!store.leave_nodes().unwrap());
        store.begin_epoch().unwrap();
        let of_both = [(30, Some("nodes".into())), (40, Some(alone.as_str().into()))];
        assert_eq!(logs(&store), of_both);
    }

    #[test]
    fn the_logs_of_another_file_come_before_the_names_of_own_starts() {
        let directory = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let file = directory.path().join(name);
            fs::File::create(&file).unwrap();
            Store::open(&file, Keep::Written).unwrap()
        };
        let (mut first, lobby) = (open("first.db"), RoomName::lobby());
        for last in [10, 20, 30] {
            first.begin_epoch().unwrap();
            say(&mut first, last);
        }
        let log = first.log_of_past().unwrap().unwrap();
        assert_eq!(first.log_of_past().unwrap().as_ref(), Some(&log), "it keeps that name");
        assert!(first.join("another").is_err());
        first.join(&log).unwrap();
        first.begin_epoch().unwrap();

        let mut other = open("other.db");
        other.join(&log).unwrap();
        for _ in 0..3 {
            other.begin_epoch().unwrap();
        }
        let parts = further_parts(&first.connection).unwrap();
        take_over(&other.connection, &parts).unwrap();
        say(&mut other, 30);
        for store in [&mut first, &mut other] {
            store.begin_epoch().unwrap();
            say(store, 40);
            store.begin_epoch().unwrap();
        }
        let logs = |store: &Store| store.earlier_logs(&lobby, 1).unwrap();
        assert_eq!(logs(&first).len(), 3);
        assert_eq!(logs(&first), logs(&other));
        for (last, name) in logs(&first) {
            for store in [&first, &other] {
                assert_eq!(store.end_of(name.as_deref().unwrap(), &lobby), Ok(Some(last)));
                assert_eq!(store.end_of(&log, &lobby), Ok(Some(u64::MAX)));
            }
        }
    }
}
