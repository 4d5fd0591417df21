//! Times as people type them: after `/since`, and after `parlor export --since`. Knows no history.

use jiff::civil::{Date, Time};
use jiff::fmt::friendly::SpanParser;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use unicode_normalization::UnicodeNormalization;

/// Reads a time; `None` if it is not understood.
///
/// It is a day, a time of day, or both, in the form in which they are shown, with or without
/// brackets; with a zone like `Z` or `+01:00`, otherwise in the zone of `now`. A time of day is the
/// last one before now. `2h` and `2h ago` count back from now; `today` and `yesterday` are days.
pub(crate) fn parse(typed: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    // Some keyboards have wide digits and colons.
    let typed: String = typed.nfkc().collect::<String>().to_lowercase();
    let typed = typed.trim();
    let typed = match typed.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((shown, _the_line_behind)) => shown,
        None => typed,
    };
    let words: Vec<&str> = typed.split_whitespace().collect();
    match words.as_slice() {
        [time] if is_time(time) => latest(time, now),
        [time, zone] if is_time(time) => latest(&with_zone(time, zone), now),
        [day] => on(day, now).or_else(|| ago(typed, now)),
        [day, time] => on(&format!("{}t{time}", date(day, now)), now).or_else(|| ago(typed, now)),
        [day, time, zone] => on(&format!("{}t{}", date(day, now), with_zone(time, zone)), now)
            .or_else(|| ago(typed, now)),
        _ => ago(typed, now),
    }
}

/// Whether a word is a time of day, perhaps with a zone, and no date is in front of it.
fn is_time(word: &str) -> bool {
    let hour = word.split_once(':').map(|(hour, _)| hour);
    hour.is_some_and(|hour| hour.bytes().all(|byte| byte.is_ascii_digit()))
}

fn with_zone(time: &str, zone: &str) -> String {
    match zone {
        "utc" | "gmt" => format!("{time}z"),
        _ => format!("{time}{zone}"),
    }
}

/// A day by its name or its date.
fn date(day: &str, now: &ZonedDateTime) -> String {
    match day {
        "today" => now.date().to_string(),
        "yesterday" => {
            (now.date().yesterday()).map_or_else(|_| day.to_owned(), |day| day.to_string())
        }
        _ => day.to_owned(),
    }
}

/// A date, and perhaps a time and a zone.
fn on(typed: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let typed = padded(&date(typed, now));
    let pieces = Pieces::parse(typed.as_str()).ok()?;
    in_zone(pieces.date(), pieces.time().unwrap_or(Time::midnight()), zone(&pieces, now)?)
}

/// The last time at which the clock showed this, in the typed zone or in that of `now`.
fn latest(typed: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    let typed = format!("{}t{}", now.date(), padded(typed));
    let pieces = Pieces::parse(typed.as_str()).ok()?;
    let (zone, time) = (zone(&pieces, now)?, pieces.time()?);
    let there = now.with_time_zone(zone.clone());
    match in_zone(there.date(), time, zone.clone())? {
        later if later > now.timestamp() => in_zone(there.date().yesterday().ok()?, time, zone),
        at => Some(at),
    }
}

/// The typed zone, or that of `now`.
fn zone(pieces: &Pieces<'_>, now: &ZonedDateTime) -> Option<TimeZone> {
    Some(match pieces.offset() {
        None => pieces.to_time_zone().ok()?.unwrap_or(now.time_zone().clone()),
        Some(PiecesOffset::Numeric(offset)) => TimeZone::fixed(offset.offset()),
        Some(_) => TimeZone::UTC,
    })
}

fn in_zone(date: Date, time: Time, zone: TimeZone) -> Option<Timestamp> {
    let at = date.to_datetime(time).to_zoned_datetime(zone).ok()?;
    Some(at.timestamp())
}

/// A length of time before now.
fn ago(typed: &str, now: &ZonedDateTime) -> Option<Timestamp> {
    if typed.contains(':') {
        return None; // a wrong time of day
    }
    let span = SpanParser::new().parse_span(typed).ok()?.abs();
    let at = now.checked_sub(span).ok()?;
    Some(at.timestamp())
}

/// Writes numbers of one digit with two digits, as calendars do: `7:05` is `07:05`.
fn padded(typed: &str) -> String {
    let mut padded = String::new();
    let mut before = ' ';
    let mut rest = typed.chars().peekable();
    while let Some(c) = rest.next() {
        let is_alone = |next: Option<&char>| !next.is_some_and(char::is_ascii_digit);
        // Digits after a point are a part of a second.
        if c.is_ascii_digit()
            && !before.is_ascii_digit()
            && !matches!(before, '.' | ',')
            && is_alone(rest.peek())
        {
            padded.push('0');
        }
        padded.push(c);
        before = c;
    }
    padded
}

#[cfg(test)]
mod tests {
    use jiff::ZonedDateTime;
    use proptest::prelude::*;

    use super::parse;

    /// It is noon in Berlin.
    fn now() -> ZonedDateTime {
        "2026-11-20T12:00:00+01:00[+01:00]".parse().unwrap_or_default()
    }

    fn meant(typed: &str) -> Option<String> {
        parse(typed, &now()).map(|at| at.to_string())
    }

    #[test]
    fn a_time_can_be_typed_as_it_is_shown() {
        for (typed, at) in [
            ("2026-11-19", "2026-11-18T23:00:00Z"),
            ("2026-1-5", "2026-01-04T23:00:00Z"),
            ("2026-11-19 12:01", "2026-11-19T11:01:00Z"),
            ("2026-11-19T12:01", "2026-11-19T11:01:00Z"),
            ("2026-11-19t12:01:30", "2026-11-19T11:01:30Z"),
            ("[2026-11-19 12:01]", "2026-11-19T11:01:00Z"),
            ("[2026-11-19 12:01] alice: Hi!", "2026-11-19T11:01:00Z"),
            ("2026-11-19 12:01:30.25Z", "2026-11-19T12:01:30.25Z"),
            ("2026-11-19T12:01Z", "2026-11-19T12:01:00Z"),
            ("2026-11-19T12:01+09:00", "2026-11-19T03:01:00Z"),
            ("2026-11-19T12:01:30.5-03:30", "2026-11-19T15:31:30.5Z"),
            ("2026-11-19 12:01 +09:00", "2026-11-19T03:01:00Z"),
            ("2026-11-19 12:01 UTC", "2026-11-19T12:01:00Z"),
            ("[11:59]", "2026-11-20T10:59:00Z"),
            ("11:59", "2026-11-20T10:59:00Z"),
            ("11:59:30", "2026-11-20T10:59:30Z"),
            ("7:05", "2026-11-20T06:05:00Z"),
            ("７：０５", "2026-11-20T06:05:00Z"),
            ("12:00", "2026-11-20T11:00:00Z"),
            ("12:01", "2026-11-19T11:01:00Z"),
            ("10:30Z", "2026-11-20T10:30:00Z"),
            ("11:30Z", "2026-11-19T11:30:00Z"),
            ("01:00+14:00", "2026-11-20T11:00:00Z"),
            ("today", "2026-11-19T23:00:00Z"),
            ("Yesterday", "2026-11-18T23:00:00Z"),
            ("yesterday 14:00", "2026-11-19T13:00:00Z"),
            ("2h", "2026-11-20T09:00:00Z"),
            ("1h30m", "2026-11-20T09:30:00Z"),
            ("3d", "2026-11-17T11:00:00Z"),
            ("2 hours ago", "2026-11-20T09:00:00Z"),
        ] {
            assert_eq!(meant(typed).as_deref(), Some(at), "{typed:?}");
        }
        for typed in [
            "",
            "[",
            "[]",
            "7",
            "noon",
            "24:00",
            "24:00:00",
            "12:60",
            "-1:00",
            "2026-11",
            "2026-02-30",
            "2026-13-01",
            "2026-11-20-1",
            "12-31",
            "2026-11-20 24:00",
            "2026-11-20 noon",
            "2026-11-20T",
            "99999999999999h",
            "2026-11-20T12:01+99:00",
            "1:2:3:4",
        ] {
            assert_eq!(meant(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_typed(typed in "[0-9:TtZz+. \\[\\]-]{0,24}|.*") {
            let _ = meant(&typed);
        }
    }
}
