//! Parses the frames that a client of the web dialect received. Knows no order of rooms.

use std::collections::HashMap;

use serde_json::Value;

use super::acts::parse_act;
use super::text::{Line, Shown, parse_server, together};
use super::trace::Seen;
use super::{Broken, End, Rule, broken};

/// A complete text message in one frame (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;

/// The last frame.
const CLOSE: u8 = 0x88;

/// The received events, in order, without one that a broken connection cut off.
pub(super) fn read(bytes: &[u8], end: End) -> Result<Vec<Seen>, Broken> {
    let fail = |what: String| broken(Rule::Text, what);
    let (mut seen, mut numbers, mut rest) = (Vec::new(), Numbers::default(), bytes);
    while let Some((first, payload, behind)) = split(rest) {
        rest = behind;
        if first == CLOSE {
            break;
        }
        let event: Value = match first {
            TEXT => serde_json::from_slice(payload).map_err(|why| fail(why.to_string()))?,
            _ => return Err(fail(format!("a frame that begins with {first:#x}"))),
        };
        numbers.check(&event)?;
        let line =
            line(&event).ok_or_else(|| fail(format!("nothing that is ever said: {event}")))?;
        let room = event["room"].as_str().map(str::to_owned);
        seen.push(Seen { room, line });
    }
    if !rest.is_empty() && end != End::Broken {
        return Err(fail(format!("{} bytes behind the last frame", rest.len())));
    }
    Ok(seen)
}

/// The first byte of a frame, its payload, and the rest; none if the frame is incomplete.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, size], rest) = bytes.split_first_chunk()?;
    let (size, rest) = match size {
        126 => {
            let (size, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*size)), rest)
        }
        127 => {
            let (size, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*size)).ok()?, rest)
        }
        size => (usize::from(size), rest),
    };
    let (payload, rest) = rest.split_at_checked(size)?;
    Some((first, payload, rest))
}

/// The number of the last line of each room.
#[derive(Default)]
struct Numbers(HashMap<String, u64>);

impl Numbers {
    /// Checks that each line has the next number, that every other event has the number of the line
    /// before it, and that these numbers count the skipped lines.
    fn check(&mut self, event: &Value) -> Result<(), Broken> {
        let (Some(room), Some(seq)) = (event["room"].as_str(), seq(event)) else {
            return Ok(());
        };
        let last = self.0.insert(room.to_owned(), seq);
        let kind = event["kind"].as_str();
        let is_right = match (kind, last) {
            (Some("entered"), _) | (_, None) => true, // a listener has not entered
            (Some("line" | "action"), Some(last)) => seq == last + 1,
            (Some("skipped"), Some(last)) => {
                let (first, lines) = (event["first"].as_u64(), event["lines"].as_u64());
                first == Some(last + 1) && lines == Some(seq - last)
            }
            (_, Some(last)) => seq == last,
        };
        let wrong = || broken(Rule::Dense, format!("after number {last:?} of {room}: {event}"));
        is_right.then_some(()).ok_or_else(wrong)
    }
}

/// The number of the room's last line after this event; none if the event does not say.
fn seq(event: &Value) -> Option<u64> {
    match event["kind"].as_str()? {
        "line" | "action" if event["old"] == true => None,
        "skipped" => match line(event)? {
            Line::Skipped(_) => event["last"].as_u64(),
            _ => None, // of replayed lines
        },
        _ => event["seq"].as_u64(),
    }
}

fn line(event: &Value) -> Option<Line> {
    let words = |field: &str| event[field].as_str().map(str::to_owned);
    let shown = match event["kind"].as_str()? {
        kind @ ("line" | "action") => {
            let shown = Shown::Said {
                name: words("name")?,
                text: words("text")?,
                is_action: kind == "action",
            };
            return Some(match event["old"].as_bool() {
                Some(true) => Line::Replayed(shown),
                _ => Line::Shown(shown),
            });
        }
        "arrived" => Shown::Arrived(words("name")?),
        "left" => match words("by") {
            Some(by) => {
                let is_ban = event["banned"].as_bool()?;
                Shown::removed(words("name")?, words("reason"), by, is_ban)
            }
            None => Shown::left(words("name")?, words("words")),
        },
        "ruled" => parse_act(event["text"].as_str()?)?,
        kind @ ("arrived_together" | "left_together") => {
            let came = kind == "arrived_together";
            return people(event, |named, others| Line::Summary(together(named, others, came)));
        }
        "renamed" => Shown::Renamed { from: words("from")?, to: words("name")? },
        "topic" => Shown::Topic { name: words("name")?, text: words("topic") },
        "entered" => {
            let room = words("room");
            return people(event, |named, others| Line::Entered { room, named, others });
        }
        "presence" => {
            let (come, gone) = (words("come"), words("gone"));
            return Some(Line::Presence { come, gone });
        }
        "people" => {
            let names = event["names"].as_array()?.iter();
            let names = names.map(|name| name.as_str().map(str::to_owned));
            return names.collect::<Option<_>>().map(Line::People);
        }
        "fell_behind" => return Some(Line::FellBehind),
        "departed" => return Some(Line::Departed),
        "private" => return words("words").map(Line::Private),
        _ => return words("text").map(|text| parse_server(&text)),
    };
    Some(Line::Shown(shown))
}

fn people<T>(event: &Value, make: impl FnOnce(Vec<String>, usize) -> T) -> Option<T> {
    let named = event["names"].as_array()?.iter();
    let named = named.map(|name| name.as_str().map(str::to_owned));
    let others = usize::try_from(event["others"].as_u64()?).ok()?;
    Some(make(named.collect::<Option<_>>()?, others))
}
