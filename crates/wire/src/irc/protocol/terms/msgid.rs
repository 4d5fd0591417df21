//! The ids and times of messages, as tags and as CHATHISTORY name them. Knows no log.

use std::fmt;

use jiff::Timestamp;
use parlor_core::model::WallTime;

use crate::style::{push_number, rfc3339};

/// Most ids have fewer bytes.
const ID_BYTES: usize = 64;

/// The id of a message, as the tag `msgid` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsgId<'a> {
    /// The log that counts the message; its name has no dot.
    pub log: &'a str,
    /// The message in the log.
    pub place: MsgPlace<'a>,
}

/// A message in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsgPlace<'a> {
    /// A line, which the journal may find again.
    Line {
        /// The name of its room.
        room: &'a str,
        /// Its number in the room.
        seq: u64,
    },
    /// A message that is not stored: a private one, or only tags.
    Passing {
        /// The count to which its number belongs.
        start: u64,
        /// Its number.
        count: u64,
    },
}

impl<'a> MsgId<'a> {
    /// Parses an id; none if the server has never made one like it.
    pub fn parse(text: &'a str) -> Option<MsgId<'a>> {
        let (log, rest) = text.split_once('.')?;
        let (middle, last) = rest.rsplit_once('.')?;
        let last = number(last)?;
        let place = match middle.strip_prefix('~') {
            Some(start) => MsgPlace::Passing { start: number(start)?, count: last },
            None => MsgPlace::Line { room: middle, seq: last },
        };
        (!log.is_empty() && !middle.is_empty()).then_some(MsgId { log, place })
    }
}

impl fmt::Display for MsgId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl MsgId<'_> {
    /// The id as it is printed. Each line has one.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(ID_BYTES);
        text.push_str(self.log);
        text.push('.');
        let last = match self.place {
            MsgPlace::Line { room, seq } => {
                text.push_str(room);
                seq
            }
            MsgPlace::Passing { start, count } => {
                text.push('~');
                push_number(&mut text, start);
                count
            }
        };
        text.push('.');
        push_number(&mut text, last);
        text
    }
}

/// A number as it is printed: each has one form, so that each message has one id.
fn number(text: &str) -> Option<u64> {
    let is_printed = text == "0" || !text.starts_with(['0', '+']);
    is_printed.then(|| text.parse().ok())?
}

/// The value of the tag `time`: `2011-10-19T16:40:51.620Z`.
pub fn server_time(at: WallTime) -> String {
    rfc3339(at)
}

/// A place in history, as CHATHISTORY names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector<'a> {
    /// `*`: the end of history.
    Any,
    /// `msgid=`: a message.
    Id(MsgId<'a>),
    /// `timestamp=`: a point in time.
    Time(WallTime),
}

impl<'a> Selector<'a> {
    /// Parses a selector; none if it has another form, or an id that the server has not made.
    pub fn parse(text: &'a str) -> Option<Selector<'a>> {
        match text.split_once('=') {
            Some(("msgid", id)) => MsgId::parse(id).map(Selector::Id),
            Some(("timestamp", time)) => {
                let at: Timestamp = time.parse().ok()?;
                Some(Selector::Time(WallTime(at.as_millisecond())))
            }
            _ => (text == "*").then_some(Selector::Any),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_printed() {
        let line = |room, seq| MsgId { log: "0af3", place: MsgPlace::Line { room, seq } };
        for (id, text) in [
            (line("lobby", 17), "0af3.lobby.17"),
            (line("j.doe", 0), "0af3.j.doe.0"),
            (line("茶", u64::MAX), "0af3.茶.18446744073709551615"),
            (MsgId { log: "0af3", place: MsgPlace::Passing { start: 4, count: 2 } }, "0af3.~4.2"),
        ] {
            assert_eq!(id.to_string(), text);
            assert_eq!(MsgId::parse(text), Some(id));
        }
        for other in [
            "",
            ".",
            "..",
            "0af3",
            "0af3.lobby",
            "0af3..1",
            ".lobby.1",
            "0af3.lobby.",
            "0af3.lobby.01",
            "0af3.lobby.+1",
            "0af3.lobby.-1",
            "0af3.lobby.18446744073709551616",
            "0af3.~.1",
            "0af3.~x.1",
        ] {
            assert_eq!(MsgId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn selectors_are_ids_times_or_a_star() {
        let at = WallTime(1_319_042_451_620);
        assert_eq!(server_time(at), "2011-10-19T16:40:51.620Z");
        for time in [
            "2011-10-19T16:40:51.620Z",
            "2011-10-19T16:40:51.6209Z",
            "2011-10-19T18:40:51.620+02:00",
        ] {
            assert_eq!(Selector::parse(&format!("timestamp={time}")), Some(Selector::Time(at)));
        }
        let id = MsgId { log: "0af3", place: MsgPlace::Line { room: "tea", seq: 3 } };
        assert_eq!(Selector::parse("msgid=0af3.tea.3"), Some(Selector::Id(id)));
        assert_eq!(Selector::parse("*"), Some(Selector::Any));
        for other in
            ["", "**", "timestamp=", "timestamp=now", "timestamp=2011-10-19", "msgid=*", "id=1"]
        {
            assert_eq!(Selector::parse(other), None, "{other}");
        }
    }
}
