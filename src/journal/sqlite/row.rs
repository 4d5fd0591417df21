//! A row of the table `lines`. Knows no connection.
//!
//! A row is a line. Its number is dense in its room; a deleted line leaves an empty row, so that
//! numbers do not change. An empty row may also stand for rows before it that the file never had.

use std::sync::Arc;

use crc32fast::Hasher;
use parlor_core::model::{
    Extras, InGroup, Line, Manner, Name, PersonId, RoomName, Said, WallTime, Who,
};
use rusqlite::Row;

/// The column `manner` of a deleted line.
pub(crate) const GONE: i64 = 2;

/// The column `manner` of a notice.
const NOTICE: i64 = 3;

/// The bits of the column `manner` for the manner itself.
const MANNER: i64 = 0xff;

/// Where the number of missing rows begins among the bits of the column `manner` of a deleted line.
const MISSING: u32 = 8;

/// Where the place of a line in its message begins among the bits of the column `manner`: the
/// number of lines before it, the number of all, and the number of blank ones, with 16 bits each.
const GROUP: [u32; 3] = [8, 24, 40];

/// A row, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct LineRow {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) manner: i64,
    pub(crate) name: String,
    pub(crate) text: String,
}

impl LineRow {
    /// Reads the columns seq, at, manner, name, text and sum. None if they are damaged.
    pub(super) fn read(row: &Row<'_>) -> Option<LineRow> {
        let number = |column| row.get_ref(column).ok()?.as_i64().ok();
        let text = |column| Some(row.get_ref(column).ok()?.as_str().ok()?.to_owned());
        let read = LineRow {
            seq: number(0)?,
            at: number(1)?,
            manner: number(2)?,
            name: text(3)?,
            text: text(4)?,
        };
        let sum = sum(read.seq, read.at, read.manner, &read.name, &read.text);
        (number(5)? == sum).then_some(read)
    }

    /// Whether the line was deleted.
    pub(super) fn is_gone(&self) -> bool {
        self.manner() == Manner::Gone
    }

    /// The number of the first row for which this one stands: its own, unless the file never had
    /// the rows before it.
    pub(super) fn first(&self) -> u64 {
        let missing = if self.is_gone() { self.manner >> MISSING } else { 0 };
        self.seq.saturating_sub(missing) as u64
    }

    fn manner(&self) -> Manner {
        manner_of(self.manner & MANNER)
    }

    /// The place of the line in its message, if that has several lines.
    fn group(&self) -> Option<InGroup> {
        if self.is_gone() {
            return None;
        }
        let [index, lines, blanks] = GROUP.map(|shift| (self.manner >> shift & 0xffff) as u32);
        (lines > 0).then_some(InGroup { index, lines, blanks })
    }

    /// The line.
    pub(super) fn said(self) -> Said {
        let group = self.group();
        let extras = group.map(|_| Arc::new(Extras { group, ..Extras::default() }));
        Said {
            seq: self.seq as u64,
            at: WallTime(self.at),
            who: Who::new(PersonId::BYGONE, Name::stored(&self.name)).into(),
            manner: self.manner(),
            text: Line::sanitise(self.text.as_bytes()),
            extras,
        }
    }
}

/// The manner with this number.
pub(super) fn manner_of(code: i64) -> Manner {
    match code {
        0 => Manner::Plain,
        1 => Manner::Action,
        NOTICE => Manner::Notice,
        _ => Manner::Gone,
    }
}

/// The number of a manner.
pub(super) fn manner_code(manner: Manner) -> i64 {
    match manner {
        Manner::Plain => 0,
        Manner::Action => 1,
        Manner::Gone => GONE,
        Manner::Notice => NOTICE,
    }
}

/// The column `manner` of a line.
pub(super) fn code(said: &Said) -> i64 {
    let manner = match said.manner {
        Manner::Gone => return GONE,
        manner => manner_code(manner),
    };
    let Some(InGroup { index, lines, blanks }) = said.group() else {
        return manner;
    };
    let places = [index, lines, blanks].map(|number| i64::from(number.min(0xffff)));
    places.iter().zip(GROUP).fold(manner, |code, (place, shift)| code | place << shift)
}

/// The column `manner` of an empty row that stands also for this many rows before it.
pub(super) fn gone_with(missing: u64) -> i64 {
    GONE | (missing as i64) << MISSING
}

/// Whether the column `manner` is that of a deleted line.
pub(super) fn is_gone(code: i64) -> bool {
    code & MANNER == GONE
}

/// Whether the column `manner` is that of the first line of a message, or of a message alone.
pub(super) fn begins_message(code: i64) -> bool {
    code >> GROUP[0] & 0xffff == 0
}

/// A checksum of the whole row except the room, whose number differs from file to file.
pub(crate) fn sum(seq: i64, at: i64, manner: i64, name: &str, text: &str) -> i64 {
    let mut hasher = Hasher::new();
    for number in [seq, at, manner, name.len() as i64] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    hasher.update(text.as_bytes());
    i64::from(hasher.finalize())
}

/// The column `name` of a line. A deleted line has none.
pub(super) fn name_of(said: &Said) -> &str {
    if said.has_words() { said.who.name.as_str() } else { "" }
}

/// The checksum of a line before it is stored.
pub(super) fn sum_of(said: &Said) -> i64 {
    let (name, text) = (name_of(said), said.text.as_str());
    sum(said.seq as i64, said.at.0, code(said), name, text)
}

/// The room with exactly this name.
pub(crate) fn stored_room(text: &str) -> Option<RoomName> {
    let room = RoomName::parse(text).ok();
    room.filter(|room| room.as_str() == text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parlor_core::model::{Extras, InGroup, Line, Manner, Name, PersonId, Said, WallTime, Who};

    use super::{GONE, LineRow, begins_message, code};

    #[test]
    fn each_manner_is_read_as_it_was_stored() {
        for manner in [Manner::Plain, Manner::Action, Manner::Notice, Manner::Gone] {
            let said = said(manner, None);
            assert_eq!(row(code(&said)).said(), said);
        }
        let numbers = [Manner::Plain, Manner::Action, Manner::Gone, Manner::Notice];
        assert_eq!(numbers.map(|manner| code(&said(manner, None))), [0, 1, GONE, 3]);
    }

    #[test]
    fn each_place_in_a_message_is_read_as_it_was_stored() {
        for (index, lines, blanks) in [(0, 2, 0), (1, 2, 1), (199, 200, 198), (9, 0xffff, 0)] {
            let said = said(Manner::Notice, Some(InGroup { index, lines, blanks }));
            let code = code(&said);
            assert_eq!(row(code).said(), said);
            assert_eq!(begins_message(code), index == 0);
        }
        let gone = said(Manner::Gone, Some(InGroup { index: 1, lines: 2, blanks: 0 }));
        assert_eq!(code(&gone), GONE);
        assert!((0..4).all(begins_message));
    }

    fn row(manner: i64) -> LineRow {
        LineRow { seq: 1, at: 0, manner, name: "alice".to_owned(), text: "hi".to_owned() }
    }

    fn said(manner: Manner, group: Option<InGroup>) -> Said {
        let extras = group.map(|_| Arc::new(Extras { group, ..Extras::default() }));
        let who = Who::new(PersonId::BYGONE, Name::stored("alice")).into();
        let (at, text) = (WallTime(0), Line::sanitise(b"hi"));
        Said { seq: 1, at, who, manner, text, extras }
    }
}
