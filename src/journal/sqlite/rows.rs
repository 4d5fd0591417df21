//! The rows of lines: reading them, and whether each is as it was written. Knows no thread, and who reads.
//!
//! A row is a line. Its number is dense in its room; a line that has been taken out leaves an empty row, so that numbers
//! stay what they were.

use crc32fast::Hasher;
use parlor_core::model::{End, Line, Manner, Name, PersonId, RoomName, Said, WallTime, Who};
use rusqlite::{Row, params};

use super::fault::{Damage, Unusable};
use super::store::Store;

/// At the start so many of the latest lines are looked at, those of the room that spoke last first.
const LATEST_LINES: u64 = 10_000;

/// So many rows are looked at in one go: whoever writes meanwhile is held up by none.
const SLICE_ROWS: usize = 1_000;

/// So many rows are read for one question, empty ones too: others wait for the answers to theirs.
pub(crate) const READ_ROWS_MAX: usize = 10_000;

/// So many are counted for one question: that takes some milliseconds.
pub(crate) const COUNTED_ROWS_MAX: usize = 20_000;

/// A dialect shows a line with so many bytes at least beside the name and the words.
const SHOWN_BESIDE: u64 = 3;

/// Where counting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To higher numbers.
    Up,
    /// To lower ones.
    Down,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// So many lines.
    pub(crate) lines: u64,
    /// So many rows were looked at.
    pub(crate) rows: u64,
    /// The last number that was looked at; none where there was nothing to look at.
    pub(crate) looked_at: Option<u64>,
}

impl Store {
    /// Where the lines of each room end.
    pub(crate) fn ends(&self) -> rusqlite::Result<Vec<(String, End)>> {
        let mut query = self.connection.prepare(
            // CROSS has SQLite begin with the rooms; by itself it would walk through all lines.
            "SELECT rooms.name, seq, at FROM rooms CROSS JOIN lines ON room = id
             AND seq = (SELECT max(seq) FROM lines WHERE room = id) ORDER BY at DESC",
        )?;
        let rows = query.query_map([], |row| {
            let (seq, at): (i64, i64) = (row.get(1)?, row.get(2)?);
            let (seq, at) = (seq as u64, WallTime(at));
            Ok((row.get(0)?, End { seq, at }))
        })?;
        rows.collect()
    }

    /// Looks at the latest lines of the rooms that end so: whether all are there, and as they were written. Where the
    /// older ones end, which it has not looked at.
    pub(crate) fn look_at_latest(
        &self,
        ends: &[(String, End)],
    ) -> Result<Vec<(String, u64)>, Unusable> {
        let mut left = LATEST_LINES;
        let mut damaged = None;
        let mut older = Vec::new();
        for (room, end) in ends {
            let before = end.seq.saturating_sub(left);
            left -= end.seq - before;
            if before > 0 {
                older.push((room.clone(), before));
            }
            let mut next = before + 1;
            while next <= end.seq {
                next = self.look_at(room, next, end.seq, |damage| {
                    damaged.get_or_insert(damage);
                })?;
            }
        }
        damaged.map_or(Ok(older), |damage| Err(damage.into()))
    }

    /// Looks at these lines of a room, a slice of them at most, and hands over what is wrong with them. The number to
    /// go on with.
    pub(crate) fn look_at(
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

    /// Has SQLite look at its own part of the file, and hands over what it finds wrong.
    pub(crate) fn look_at_structure(&self, mut found: impl FnMut(String)) -> rusqlite::Result<()> {
        let mut check = self.connection.prepare("PRAGMA integrity_check")?;
        let mut rows = check.query([])?;
        while let Some(row) = rows.next()? {
            let words: String = row.get(0)?;
            if words != "ok" {
                found(words);
            }
        }
        Ok(())
    }

    /// Lines of a room with these numbers, oldest first, as long as `more` says so; and what is wrong where they are
    /// damaged. Those that have been taken out are left out, and not all are looked at where there are many. The number
    /// of the last one looked at.
    pub(crate) fn read(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<Said, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        let mut left = READ_ROWS_MAX;
        self.walk(room.as_str(), first, last, |row| {
            left -= 1;
            let said = row.map(Kept::said).transpose();
            said.is_none_or(&mut more) && left > 0
        })
    }

    /// How many lines there are between these numbers of a room, up to so many; counted from the first on, or from the last.
    /// What has been taken out does not count, and not all is looked at where there is much of it.
    pub(crate) fn count(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
        lines: u64,
        way: Way,
    ) -> rusqlite::Result<Count> {
        let order = match way {
            Way::Up => "ASC",
            Way::Down => "DESC",
        };
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT seq, manner FROM lines
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq BETWEEN ?2 AND ?3 ORDER BY seq {order} LIMIT ?4"
        ))?;
        let mut rows = query.query(params![
            room.as_str(),
            first as i64,
            last as i64,
            COUNTED_ROWS_MAX as i64
        ])?;
        let mut count = Count::default();
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            count.rows += 1;
            count.looked_at = Some(seq);
            // What is damaged in there is shown as such.
            if row.get_ref(1)?.as_i64() != Ok(GONE) {
                count.lines += 1;
                if count.lines == lines {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Goes through these lines of a room, each as it was written or else what is wrong with it, as long as `more` says
    /// so. The number of the last one looked at.
    fn walk(
        &self,
        room: &str,
        first: u64,
        last: u64,
        mut more: impl FnMut(Result<Kept, Damage>) -> bool,
    ) -> rusqlite::Result<u64> {
        let damage = |first: u64, last: u64, is_missing: bool| Damage {
            room: room.to_owned(),
            first,
            last,
            is_missing,
        };
        let mut query = self.connection.prepare_cached(SELECT)?;
        let mut rows = query.query(params![room, first as i64, last as i64])?;
        let mut next = first;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            if next < seq && !more(Err(damage(next, seq - 1, true))) {
                return Ok(seq - 1);
            }
            if !more(Kept::read(row).ok_or_else(|| damage(seq, seq, false))) {
                return Ok(seq);
            }
            next = seq + 1;
        }
        if next <= last {
            more(Err(damage(next, last, true)));
        }
        Ok(last)
    }

    /// The number of the line behind which the lines of a room up to number `last` take so many bytes as a dialect shows
    /// them, or a little more.
    pub(crate) fn before(&self, room: &RoomName, last: u64, bytes: u64) -> rusqlite::Result<u64> {
        let mut lines = self.connection.prepare_cached(
            "SELECT seq, length(CAST(name AS BLOB)) + length(CAST(text AS BLOB)) FROM lines
             WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq <= ?2 ORDER BY seq DESC",
        )?;
        let mut rows = lines.query(params![room.as_str(), last as i64])?;
        let mut left = bytes;
        while let Some(row) = rows.next()? {
            let (seq, length): (i64, i64) = (row.get(0)?, row.get(1)?);
            left = left.saturating_sub(length as u64 + SHOWN_BESIDE); // also for what has been taken out since
            if left == 0 {
                return Ok((seq as u64).saturating_sub(1));
            }
        }
        Ok(0)
    }

    /// The number of the first line of a room that was said at this time or later, or of damage before it: times never
    /// decrease in a room, so the numbers lead to it.
    pub(crate) fn first_since(
        &self,
        room: &RoomName,
        at: WallTime,
    ) -> rusqlite::Result<Option<u64>> {
        let mut end = self.connection.prepare_cached(
            "SELECT max(seq) FROM lines WHERE room = (SELECT id FROM rooms WHERE name = ?1)",
        )?;
        let end: Option<i64> = end.query_row([room.as_str()], |row| row.get(0))?;
        let Some(last) = end.and_then(|end| u64::try_from(end).ok()) else {
            return Ok(None);
        };
        let mut low = 1;
        let mut high = last + 1;
        while low < high {
            let middle = low.midpoint(high);
            // What is damaged has no time: the line behind it answers, and where there is none it may be later.
            let mut is_earlier = false;
            self.walk(room.as_str(), middle, high - 1, |row| match row {
                Ok(kept) => {
                    is_earlier = kept.at < at.0;
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

const SELECT: &str = "SELECT seq, at, manner, name, text, sum FROM lines
    WHERE room = (SELECT id FROM rooms WHERE name = ?1) AND seq BETWEEN ?2 AND ?3 ORDER BY seq";

/// A row, as it was written.
struct Kept {
    seq: i64,
    at: i64,
    manner: i64,
    name: String,
    text: String,
}

impl Kept {
    /// None where it is not as it was written.
    fn read(row: &Row<'_>) -> Option<Kept> {
        let number = |column| row.get_ref(column).ok()?.as_i64().ok();
        let text = |column| Some(row.get_ref(column).ok()?.as_str().ok()?.to_owned());
        let kept = Kept {
            seq: number(0)?,
            at: number(1)?,
            manner: number(2)?,
            name: text(3)?,
            text: text(4)?,
        };
        (number(5)? == kept.sum()).then_some(kept)
    }

    fn sum(&self) -> i64 {
        sum(self.seq, self.at, self.manner, &self.name, &self.text)
    }

    /// The line; none where it has been taken out.
    fn said(self) -> Option<Said> {
        Some(Said {
            seq: self.seq as u64,
            at: WallTime(self.at),
            who: Who {
                id: PersonId::BYGONE,
                name: Name::kept(&self.name),
            },
            manner: manner(self.manner)?,
            text: Line::sanitise(self.text.as_bytes()),
        })
    }
}

/// What stands in the column `manner`.
pub(crate) fn code(manner: Manner) -> i64 {
    match manner {
        Manner::Plain => 0,
        Manner::Action => 1,
        Manner::Gone => GONE,
    }
}

/// What stands there where the line has been taken out.
pub(crate) const GONE: i64 = 2;

/// What is meant by it; none where the line has been taken out.
fn manner(code: i64) -> Option<Manner> {
    match code {
        0 => Some(Manner::Plain),
        1 => Some(Manner::Action),
        _ => None,
    }
}

/// A checksum of all that a row says, but for its room: that has another number in each file.
pub(crate) fn sum(seq: i64, at: i64, manner: i64, name: &str, text: &str) -> i64 {
    let mut hasher = Hasher::new();
    for number in [seq, at, manner, name.len() as i64] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    hasher.update(text.as_bytes());
    i64::from(hasher.finalize())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

    use parlor_core::model::RoomName;
    use std::fs;

    use rusqlite::params;

    use super::super::store::Store;
    use super::{COUNTED_ROWS_MAX, GONE, READ_ROWS_MAX, Way, sum};
    use crate::config::Keep;

    #[test]
    fn empty_lines_are_passed_over_a_part_at_a_time() {
        const LINES: usize = 5 * READ_ROWS_MAX;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.db");
        fs::File::create(&file).unwrap();
        let mut store = Store::open(&file, Keep::Written).unwrap();
        let all = store.connection().transaction().unwrap();
        all.execute_batch("INSERT INTO rooms VALUES (1, 'lobby')")
            .unwrap();
        for seq in 1..=LINES as i64 {
            let put = "INSERT INTO lines VALUES (1, ?1, 0, ?2, '', '', ?3)";
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
            let count = store.count(&lobby, 1, last, 10, way).unwrap();
            assert_eq!((count.lines, count.rows), (0, COUNTED_ROWS_MAX as u64));
        }
        let before = store.before(&lobby, last, READ_ROWS_MAX as u64).unwrap();
        assert!(last - before <= READ_ROWS_MAX as u64, "{before}");
    }
}
