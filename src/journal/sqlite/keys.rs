//! The keys of the table `lines`: the number of the room and the number of the line in one. All
//! queries find rows with the conditions here. Knows no connection.

use rusqlite::{Error, ffi};

/// The lower bits of a key: the number of the line. The others but the sign are the number of the
/// room. A file that runs out of either has more than 128 GiB.
const SEQ_BITS: u32 = 33;

/// The highest number of a line.
pub(super) const SEQ_MAX: i64 = (1 << SEQ_BITS) - 1;

/// The highest number of a room.
const ROOM_MAX: i64 = i64::MAX >> SEQ_BITS;

/// How to find rows of `lines`, as SQL.
#[derive(Debug)]
pub(crate) struct LineKeys {
    /// The rows in a [`range`].
    pub(crate) range: &'static str,
    /// The number of the line in a row.
    pub(crate) seq: &'static str,
    /// The column that orders the rows of a room by number.
    pub(super) order: &'static str,
    /// The last row of each room of `rooms`.
    pub(super) last: &'static str,
}

/// Since version 9 of the tables. SQLite reads no other rows.
pub(crate) const KEYS: LineKeys = LineKeys {
    range: "key BETWEEN (SELECT id << 33 FROM rooms WHERE name = ?1) + ?2
            AND (SELECT id << 33 FROM rooms WHERE name = ?1) + ?3",
    seq: "key & 8589934591",
    order: "key",
    last: "key = (SELECT max(key) FROM lines
           WHERE key BETWEEN rooms.id << 33 AND rooms.id << 33 | 8589934591)",
};

/// Before version 9, when room and number were two columns.
pub(super) const PAIRS: LineKeys = LineKeys {
    range: "room = (SELECT id FROM rooms WHERE name = ?1) AND seq BETWEEN ?2 AND ?3",
    seq: "seq",
    order: "seq",
    last: "room = rooms.id AND seq = (SELECT max(seq) FROM lines WHERE room = rooms.id)",
};

/// The lines of a room from number `first` to `last`, as the parameters ?1 to ?3.
pub(crate) fn range(room: &str, (first, last): (u64, u64)) -> (&str, i64, i64) {
    // A number that no line can have must not reach into the next room.
    let capped = |seq, max: i64| i64::try_from(seq).unwrap_or(max).min(max);
    (room, capped(first, SEQ_MAX + 1), capped(last, SEQ_MAX))
}

/// The key of a line.
///
/// # Errors
///
/// The room has more lines, or the file has more rooms, than keys can count.
pub(super) fn key(room: i64, seq: u64) -> rusqlite::Result<i64> {
    let seq = i64::try_from(seq).ok().filter(|seq| *seq <= SEQ_MAX);
    let key = seq.filter(|_| (0..=ROOM_MAX).contains(&room)).map(|seq| room << SEQ_BITS | seq);
    key.ok_or_else(|| {
        let words = "there are more lines in a room, or more rooms, than the file can number";
        Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), Some(words.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use std::fs;
    use std::path::Path;

    use parlor_core::model::{RoomName, WallTime};
    use rusqlite::{Connection, params};
    use tempfile::TempDir;

    use super::super::fault::UnusableFile;
    use super::super::row::sum;
    use super::super::schema::{MIGRATIONS, PACKED};
    use super::super::store::{APPLICATION_ID, Store};
    use super::{KEYS, ROOM_MAX, SEQ_MAX, key, range};
    use crate::config::Keep;
    use crate::journal::traits::Archive;

    fn new_store(directory: &TempDir) -> Store {
        let file = directory.path().join("file.db");
        fs::File::create(&file).unwrap();
        Store::open(&file, Keep::Written).unwrap()
    }

    #[test]
    fn a_range_ends_where_the_next_room_begins() {
        let directory = tempfile::tempdir().unwrap();
        let store = new_store(&directory);
        let rooms = [("first", 1), ("second", 2), ("last", ROOM_MAX)];
        for (name, id) in rooms {
            store
                .connection
                .execute("INSERT INTO rooms VALUES (?2, ?1)", params![name, id])
                .unwrap();
            for seq in [0, 1, SEQ_MAX] {
                let put = "INSERT INTO lines VALUES (?1, ?2, 0, '', '', 0)";
                let key = key(id, seq as u64).unwrap();
                store.connection.execute(put, params![key, id + seq]).unwrap();
            }
        }
        let select = format!(
            "SELECT key >> 33, {}, at FROM lines WHERE {} ORDER BY key",
            KEYS.seq, KEYS.range
        );
        let mut query = store.connection.prepare(&select).unwrap();
        for (name, id) in rooms {
            let mut found = |numbers| -> Vec<i64> {
                let rows = query.query_map(range(name, numbers), |row| {
                    let (room, seq, at): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    assert_eq!((room, at), (id, id + seq));
                    Ok(seq)
                });
                rows.unwrap().map(Result::unwrap).collect()
            };
            let max = SEQ_MAX as u64;
            assert_eq!(found((0, u64::MAX)), [0, 1, SEQ_MAX]);
            assert_eq!(found((1, max)), [1, SEQ_MAX]);
            assert_eq!(found((2, max - 1)), [0; 0]);
            assert_eq!(found((max, max)), [SEQ_MAX]);
            assert_eq!(found((max + 1, u64::MAX)), [0; 0]);
            assert_eq!(found((u64::MAX, u64::MAX)), [0; 0]);
        }
        let mut newest = rooms;
        newest.reverse();
        let ends = store.ends().unwrap().into_iter().map(|(name, end)| (name, end.seq as i64));
        assert_eq!(ends.collect::<Vec<_>>(), newest.map(|(name, _)| (name.into(), SEQ_MAX)));
    }

    #[test]
    fn a_number_too_large_for_a_key_is_refused() {
        assert!(key(ROOM_MAX, SEQ_MAX as u64).is_ok());
        for (room, seq) in [(1, SEQ_MAX as u64 + 1), (1, u64::MAX), (ROOM_MAX + 1, 1), (-1, 1)] {
            assert!(key(room, seq).is_err(), "{room} {seq}");
        }
    }

    #[test]
    fn a_query_of_lines_reads_no_other_row() {
        let directory = tempfile::tempdir().unwrap();
        let store = new_store(&directory);
        for (select, steps) in [
            (format!("SELECT key FROM lines WHERE {} ORDER BY key DESC", KEYS.range), 1),
            (format!("SELECT key FROM rooms CROSS JOIN lines ON {}", KEYS.last), 2),
        ] {
            let mut explain =
                store.connection.prepare(&format!("EXPLAIN QUERY PLAN {select}")).unwrap();
            let parameters = ["lobby", "1", "9"];
            let parameters = parameters.into_iter().take(explain.parameter_count());
            let rows = explain.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3));
            let plan: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
            let found = plan.iter().filter(|step| step.starts_with("SEARCH lines USING INTEGER"));
            assert_eq!(found.count(), steps, "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("SCAN lines")), "{plan:?}");
        }
    }

    /// A file as version 8 of the tables had it, with lines in two rooms.
    fn old_file(file: &Path) -> Connection {
        let old = Connection::open(file).unwrap();
        for tables in MIGRATIONS.iter().take(PACKED as usize - 1) {
            old.execute_batch(tables).unwrap();
        }
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", PACKED - 1).unwrap();
        old.execute_batch("INSERT INTO rooms VALUES (1, 'lobby'), (7, 'tea')").unwrap();
        for seq in 1..=3_000 {
            for room in [7, 1] {
                let text = format!("{seq} of {room}");
                let put = "INSERT INTO lines (room, seq, at, manner, name, text, sum)
                           VALUES (?1, ?2, ?3, 0, 'alice', ?4, ?5)";
                let sum = sum(seq, 10 * seq, 0, "alice", &text);
                old.execute(put, params![room, seq, 10 * seq, text, sum]).unwrap();
            }
        }
        old
    }

    /// All that a command reads of a file: each line, and damage.
    fn read(store: &Store) -> Vec<String> {
        let mut all = Vec::new();
        Archive::verify(store, &mut |words| all.push(words)).unwrap();
        for (name, end) in Archive::ends(store).unwrap() {
            let room = RoomName::parse(&name).unwrap();
            let since = Archive::first_since(store, &room, WallTime(995)).unwrap();
            all.push(format!("{name}: {end:?}, {since:?}"));
            Archive::read(store, &room, 1, end.seq, &mut |line| {
                all.push(format!("{line:?}"));
                true
            })
            .unwrap();
        }
        all
    }

    #[test]
    fn a_file_of_version_8_is_read_as_it_is_and_keeps_its_lines_when_a_server_opens_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        let old = old_file(&file);
        let forge = |seq| {
            let forge = "UPDATE lines SET text = 'forged' WHERE room = 7 AND seq = ?1";
            assert_eq!(old.execute(forge, [seq]).unwrap(), 1);
        };
        forge(1_234);
        old.execute("DELETE FROM lines WHERE room = 1 AND seq = 2345", []).unwrap();
        let before = read(&Store::open_to_read(&file).unwrap());
        assert_eq!(before.iter().filter(|line| line.contains("of 1\"")).count(), 2_999);
        assert_eq!(before.iter().filter(|line| line.contains("of 7\"")).count(), 2_999);
        assert!(before.contains(&"line 2345 of lobby is missing".to_owned()));
        assert!(before.iter().any(|words| words.contains("line 1234 of tea is damaged")));
        let copy = directory.path().join("copy.db");
        Archive::copy_to(&Store::open_to_read(&file).unwrap(), &copy).unwrap();
        assert_eq!(read(&Store::open_to_read(&copy).unwrap()), before);

        drop(old);
        let opened = Store::open(&file, Keep::Written).unwrap();
        assert_eq!(read(&opened), before);
        assert_eq!(read(&Store::open_to_read(&file).unwrap()), before);
        let tables = "SELECT group_concat(name) FROM sqlite_schema WHERE sql LIKE '%sum INTEGER%'";
        let tables: String = opened.connection.query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(tables, "lines");
    }

    #[test]
    fn a_number_without_a_key_leaves_an_old_file_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        let old = old_file(&file);
        old.execute("UPDATE lines SET seq = ?1 WHERE seq = 3000", [SEQ_MAX + 1]).unwrap();
        drop(old);
        let before = read(&Store::open_to_read(&file).unwrap());
        let Err(error) = Store::open(&file, Keep::Written) else {
            panic!("a line got a key of another one");
        };
        assert!(matches!(error, UnusableFile::Broken), "{error}");
        assert_eq!(read(&Store::open_to_read(&file).unwrap()), before);
    }
}
