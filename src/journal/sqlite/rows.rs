//! Reads rows of lines, and checks that each is unchanged since it was written. Knows no thread.

use parlor_core::model::{Counting, Damage, End, Flaw, RoomName, WallTime};
use rusqlite::{Connection, params};

use super::fault::UnusableFile;
use super::keys::{LineKeys, range};
use super::row::{LineRow, begins_message, is_gone};
use super::sql::Sql;
use super::store::Store;

/// The number of latest lines that the start checks, beginning with the room of the most recent
/// line.
const LATEST_LINES: u64 = 10_000;

/// The number of rows that one slice of a check reads. A writer may wait for one slice.
const SLICE_ROWS: usize = 1_000;

/// The number of rows that one query reads, including empty ones. Other readers wait meanwhile.
const READ_ROWS_MAX: usize = 10_000;

/// How many rows one query counts, which takes some milliseconds.
const COUNTED_ROWS_MAX: usize = 20_000;

/// The smallest number of bytes that a dialect adds to the name and the text of a line.
const SHOWN_BESIDE: u64 = 3;

/// Rooms, and the last line of each that the start has not checked.
pub(super) type Unchecked = Vec<(String, u64)>;

/// The direction of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To higher numbers.
    Up,
    /// To lower numbers.
    Down,
}

/// The result of a count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// The number of lines or messages.
    pub(super) lines: u64,
    /// The number of examined rows.
    pub(super) rows: u64,
    /// The number of the last examined row; none if there were no rows.
    pub(super) looked_at: Option<u64>,
}

/// The end of each room's lines, beginning with the room of the most recent line.
pub(super) fn ends(
    connection: &Connection,
    keys: &LineKeys,
) -> rusqlite::Result<Vec<(String, End)>> {
    connection.all(
        // CROSS makes SQLite begin with the rooms; otherwise it would read all lines.
        &format!(
            "SELECT rooms.name, {}, at FROM rooms CROSS JOIN lines ON {} ORDER BY at DESC",
            keys.seq, keys.last
        ),
        [],
        |row| {
            let (seq, at): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, End { seq: seq as u64, at: WallTime(at) }))
        },
    )
}

impl Store {
    /// As [`ends`].
    pub(crate) fn ends(&self) -> rusqlite::Result<Vec<(String, End)>> {
        ends(&self.connection, &self.keys)
    }

    /// Checks the latest lines of the rooms with these ends. Returns the others.
    pub(super) fn check_latest(&self, ends: &[(String, End)]) -> Result<Unchecked, UnusableFile> {
        let mut left = LATEST_LINES;
        let mut damaged = None;
        let mut older = Vec::new();
        for (room, end) in ends {
            let before = end.seq.saturating_sub(left);
            left -= end.seq - before;
            if before > 0 {
                older.push((room.clone(), before));
            }
            self.check_all(room, (before + 1, end.seq), |damage| {
                damaged.get_or_insert(damage);
            })?;
        }
        damaged.map_or(Ok(older), |damage| Err(damage.into()))
    }

    /// Checks these lines of a room, and passes damage to `found`.
    pub(super) fn check_all(
        &self,
        room: &str,
        (first, last): (u64, u64),
        mut found: impl FnMut(Damage),
    ) -> rusqlite::Result<()> {
        let mut next = first;
        while next <= last {
            next = self.check(room, next, last, &mut found)?;
        }
        Ok(())
    }

    /// Checks a slice of these lines of a room, and passes damage to `found`. Returns the number to
    /// continue with.
    pub(super) fn check(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut found: impl FnMut(Damage),
    ) -> rusqlite::Result<u64> {
        let mut left = SLICE_ROWS;
        let looked_at = self.walk(room, first, last, |row| {
            left -= 1;
            if let Err(damage) = row {
                found(damage);
            }
            left > 0
        })?;
        Ok(looked_at + 1)
    }

    /// Lets SQLite check the structure of the file, and passes each error to `found`.
    pub(super) fn check_structure(&self, mut found: impl FnMut(String)) -> rusqlite::Result<()> {
        let wrong =
            self.connection.all("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?;
        wrong.into_iter().filter(|words| words != "ok").for_each(&mut found);
        Ok(())
    }

    /// Passes the lines of a room with these numbers to `more`, oldest first, and damage in the
    /// place of damaged lines, until `more` returns false. It skips deleted lines, and stops after
    /// many rows. Returns the number of the last row examined.
    pub(crate) fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<LineRow, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        let mut left = READ_ROWS_MAX;
        self.walk(room.as_str(), first, last, |row| {
            left -= 1;
            let is_gone = row.as_ref().is_ok_and(LineRow::is_gone);
            (is_gone || more(row)) && left > 0
        })
    }

    /// Counts up to `most` lines or messages between these numbers of a room, from the first one
    /// upwards or from the last one downwards. Deleted lines do not count. It stops after many rows.
    pub(super) fn count(
        &self,
        room: &RoomName,
        (first, last): (u64, u64),
        (most, counting): (u64, Counting),
        way: Way,
    ) -> rusqlite::Result<Count> {
        let order = match way {
            Way::Up => "ASC",
            Way::Down => "DESC",
        };
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT {}, manner FROM lines WHERE {} ORDER BY {} {order} LIMIT ?4",
            self.keys.seq, self.keys.range, self.keys.order
        ))?;
        let (room, first, last) = range(room.as_str(), (first, last));
        let max = COUNTED_ROWS_MAX as i64;
        let mut rows = query.query(params![room, first, last, max])?;
        let mut count = Count::default();
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            count.rows += 1;
            count.looked_at = Some(seq);
            // A damaged line counts, because readers are told of it.
            let counts = match (row.get_ref(1)?.as_i64(), counting) {
                (Ok(code), _) if is_gone(code) => false,
                (Ok(code), Counting::Messages) => begins_message(code),
                (_, Counting::Lines) | (Err(_), Counting::Messages) => true,
            };
            count.lines += u64::from(counts);
            if count.lines == most {
                break;
            }
        }
        Ok(count)
    }

    /// Passes these rows of a room to `more`, each intact or as damage, until `more` returns false.
    /// Returns the number of the last one.
    fn walk(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<LineRow, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        let damage = |first: u64, last: u64, flaw: Flaw| Damage {
            room: RoomName::stored(room),
            first,
            last,
            flaw,
        };
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT {}, at, manner, name, text, sum FROM lines WHERE {} ORDER BY {}",
            self.keys.seq, self.keys.range, self.keys.order
        ))?;
        let mut rows = query.query(range(room, (first, last)))?;
        let mut next = first;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            let row = LineRow::read(row).ok_or_else(|| damage(seq, seq, Flaw::Changed));
            let from = row.as_ref().map_or(seq, LineRow::first);
            if next < from && !more(Err(damage(next, from - 1, Flaw::Missing))) {
                return Ok(from - 1);
            }
            if !more(row) {
                return Ok(seq);
            }
            next = seq + 1;
        }
        if next <= last
            && let Some(flaw) = self.flaw_of(room, next, last)?
        {
            more(Err(damage(next, last, flaw)));
        }
        Ok(last)
    }

    /// Why these lines before the next row of a room have no row; none if that row stands also for
    /// them, because the file never had theirs.
    fn flaw_of(&self, room: &str, first: u64, last: u64) -> rusqlite::Result<Option<Flaw>> {
        let next = self.connection.one(
            &format!(
                "SELECT {}, at, manner, name, text, sum FROM lines WHERE {} ORDER BY {} LIMIT 1",
                self.keys.seq, self.keys.range, self.keys.order
            ),
            range(room, (last.saturating_add(1), u64::MAX)),
            |row| Ok(LineRow::read(row)),
        )?;
        Ok(match next {
            None if self.is_view => Some(Flaw::NotYet),
            Some(Some(row)) if row.first() <= first => None,
            _ => Some(Flaw::Missing),
        })
    }

    /// The number of a line: the lines after it, up to number `last`, take `bytes` bytes or a
    /// little more as a dialect shows them.
    pub(super) fn before(&self, room: &RoomName, last: u64, bytes: u64) -> rusqlite::Result<u64> {
        let mut lines = self.connection.prepare_cached(&format!(
            "SELECT {}, length(CAST(name AS BLOB)) + length(CAST(text AS BLOB)) FROM lines
             WHERE {} ORDER BY {} DESC",
            self.keys.seq, self.keys.range, self.keys.order
        ))?;
        let mut rows = lines.query(range(room.as_str(), (0, last)))?;
        let mut left = bytes;
        while let Some(row) = rows.next()? {
            let (seq, length): (i64, i64) = (row.get(0)?, row.get(1)?);
            left = left.saturating_sub(length as u64 + SHOWN_BESIDE); // deleted lines count, too
            if left == 0 {
                return Ok((seq as u64).saturating_sub(1));
            }
        }
        Ok(0)
    }

    /// The number of the first line of a room that was said at this time or later, or of damage
    /// before it. Times never decrease in a room, so a binary search finds it.
    pub(crate) fn first_since(
        &self,
        room: &RoomName,
        at: WallTime,
    ) -> rusqlite::Result<Option<u64>> {
        let end: Option<i64> = self.connection.one(
            &format!(
                "SELECT {} FROM rooms CROSS JOIN lines ON {} WHERE rooms.name = ?1",
                self.keys.seq, self.keys.last
            ),
            [room.as_str()],
            |row| row.get(0),
        )?;
        let Some(last) = end.and_then(|end| u64::try_from(end).ok()) else {
            return Ok(None);
        };
        let mut low = 1;
        let mut high = last + 1;
        while low < high {
            let middle = low.midpoint(high);
            // A damaged line has no time, so the line after it decides. Without such a line, the
            // time may be later.
            let mut is_earlier = false;
            self.walk(room.as_str(), middle, high - 1, |row| match row {
                Ok(row) => {
                    is_earlier = row.at < at.0;
                    false
                }
                Err(_) => true,
            })?;
            if is_earlier {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok((low <= last).then_some(low))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use parlor_core::model::RoomName;
    use std::fs;

    use rusqlite::params;

    use super::super::row::{GONE, sum};
    use super::super::store::Store;
    use super::{COUNTED_ROWS_MAX, Counting, READ_ROWS_MAX, Way};
    use crate::config::Keep;

    #[test]
    fn empty_lines_are_passed_over_a_part_at_a_time() {
        const LINES: usize = 5 * READ_ROWS_MAX;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        fs::File::create(&file).unwrap();
        let mut store = Store::open(&file, Keep::Written).unwrap();
        let all = store.connection().transaction().unwrap();
        all.execute_batch("INSERT INTO rooms VALUES (1, 'lobby')").unwrap();
        for seq in 1..=LINES as i64 {
            let put = "INSERT INTO lines VALUES (1 << 33 | ?1, 0, ?2, '', '', ?3)";
            let sum = sum(seq, 0, GONE, "", "");
            all.execute(put, params![seq, GONE, sum]).unwrap();
        }
        all.commit().unwrap();
        let (lobby, last) = (RoomName::lobby(), LINES as u64);
        let (mut next, mut questions) = (1, 0);
        while next <= last {
            let read = store.read(&lobby, next, last, |line| panic!("{line:?} is no line"));
            next = 1 + read.unwrap();
            questions += 1;
        }
        assert_eq!(questions, LINES / READ_ROWS_MAX);
        for way in [Way::Up, Way::Down] {
            let count = store.count(&lobby, (1, last), (10, Counting::Lines), way).unwrap();
            assert_eq!((count.lines, count.rows), (0, COUNTED_ROWS_MAX as u64));
        }
        let before = store.before(&lobby, last, READ_ROWS_MAX as u64).unwrap();
        assert!(last - before <= READ_ROWS_MAX as u64, "{before}");
    }
}
