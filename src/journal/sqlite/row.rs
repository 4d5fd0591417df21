//! A row of the table `lines`. Knows no connection.
//!
//! A row is a line. Its number is dense in its room; a deleted line leaves an empty row, so that
//! numbers do not change.

use crc32fast::Hasher;
use parlor_core::model::{Line, Manner, Name, PersonId, RoomName, Said, WallTime, Who};
use rusqlite::Row;

/// The column `manner` of a deleted line.
pub(crate) const GONE: i64 = 2;

/// The column `manner` of a notice.
const NOTICE: i64 = 3;

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

    fn manner(&self) -> Manner {
        match self.manner {
            0 => Manner::Plain,
            1 => Manner::Action,
            NOTICE => Manner::Notice,
            _ => Manner::Gone,
        }
    }

    /// The line.
    pub(super) fn said(self) -> Said {
        Said {
            seq: self.seq as u64,
            at: WallTime(self.at),
            who: Who::new(PersonId::BYGONE, Name::stored(&self.name)).into(),
            manner: self.manner(),
            text: Line::sanitise(self.text.as_bytes()),
            extras: None,
        }
    }
}

/// The column `manner` of a line.
pub(super) fn code(manner: Manner) -> i64 {
    match manner {
        Manner::Plain => 0,
        Manner::Action => 1,
        Manner::Gone => GONE,
        Manner::Notice => NOTICE,
    }
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

/// The checksum of a line before it is stored.
pub(super) fn sum_of(said: &Said) -> i64 {
    let (name, text) = (said.who.name.as_str(), said.text.as_str());
    sum(said.seq as i64, said.at.0, code(said.manner), name, text)
}

/// The room with exactly this name.
pub(crate) fn stored_room(text: &str) -> Option<RoomName> {
    let room = RoomName::parse(text).ok();
    room.filter(|room| room.as_str() == text)
}

#[cfg(test)]
mod tests {
    use parlor_core::model::Manner;

    use super::{LineRow, code};

    #[test]
    fn each_manner_is_read_as_it_was_stored() {
        for manner in [Manner::Plain, Manner::Action, Manner::Notice, Manner::Gone] {
            let (name, text) = (String::new(), String::new());
            let row = LineRow { seq: 1, at: 0, manner: code(manner), name, text };
            assert_eq!(row.said().manner, manner);
        }
    }
}
