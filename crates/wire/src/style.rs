//! The style of all dialects: modes, and times as people read them. Knows no sentence.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::model::WallTime;

/// The style of the line dialect for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineMode {
    /// The chat server of "The Go Programming Language", section 8.10, byte for byte.
    Classic,
    /// The chat with names, commands, rooms and history.
    Named,
}

impl LineMode {
    /// The longest accepted line, in bytes without its ending: as in the original in classic mode;
    /// a long paragraph in named mode.
    pub const fn line_bytes_max(self) -> usize {
        match self {
            LineMode::Classic => 65_535,
            LineMode::Named => LINE_BYTES_MAX,
        }
    }
}

/// The longest line in bytes, at every door but a classic one.
pub const LINE_BYTES_MAX: usize = 4_096;

/// The largest number of lines in one paste: twice the burst that passes at once.
pub const LINES_MAX: usize = 200;

/// Where lines are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory, until the server stops.
    Memory,
    /// In a file.
    Disk {
        /// How long they are stored; none without a limit.
        retain: Option<Duration>,
    },
}

/// The time of day at the server, for times in sentences.
#[derive(Clone, Debug)]
pub struct LocalClock {
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The time now.
    pub now: fn() -> WallTime,
}

impl LocalClock {
    /// The time in front of an old line: `[12:01] `, with the date if that was not today.
    pub(crate) fn stamp(&self, at: WallTime) -> String {
        format!("[{}] ", self.moment(at))
    }

    /// The date and the time now, with the zone.
    pub(crate) fn date_and_time(&self) -> String {
        let now = ZonedDateTime::new(timestamp((self.now)()), self.zone.clone());
        now.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// A point in time in a sentence: `14:00`, with the date if that is not today.
    pub(crate) fn moment(&self, at: WallTime) -> String {
        let zoned = |at: WallTime| ZonedDateTime::new(timestamp(at), self.zone.clone());
        let (then, today) = (zoned(at), zoned((self.now)()));
        let format = match then.date() == today.date() {
            true => "%H:%M",
            false => "%Y-%m-%d %H:%M",
        };
        then.strftime(format).to_string()
    }
}

/// A point in time for programs: RFC 3339, in UTC, to the millisecond.
pub(crate) fn rfc3339(at: WallTime) -> String {
    utc(at).unwrap_or_else(|| format!("{:.3}", timestamp(at)))
}

/// The same for a time between the years 1970 and 9999: each line has one, and formatting a
/// [`Timestamp`] takes ten times as long. The date is counted in eras of 400 years, which begin on
/// the first of March (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn utc(at: WallTime) -> Option<String> {
    // The end of a Timestamp: 9999-12-30 22:00.
    const END: i64 = 253_402_207_200_000;
    let millis = u64::try_from(at.0).ok().filter(|_| at.0 < END)?;
    let (days, millis) = (millis / 86_400_000 + 719_468, millis % 86_400_000);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut places = text.iter_mut().rev();
    for (mut number, digits) in [
        (millis % 1_000, 3),
        (millis / 1_000 % 60, 2),
        (millis / 60_000 % 60, 2),
        (millis / 3_600_000, 2),
        (day, 2),
        (month, 2),
        (era * 400 + year + next, 4),
    ] {
        places.next(); // the sign behind the number
        for digit in places.by_ref().take(digits) {
            *digit += (number % 10) as u8;
            number /= 10;
        }
    }
    str::from_utf8(&text).ok().map(str::to_owned)
}

/// Appends a number, as it is printed.
pub(crate) fn push_number(text: &mut String, number: u64) {
    for place in (0..=number.checked_ilog10().unwrap_or(0)).rev() {
        text.push(char::from(b'0' + (number / 10_u64.pow(place) % 10) as u8));
    }
}

/// The time as a timestamp; the epoch replaces a time that no calendar has.
fn timestamp(at: WallTime) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time span in one unit: `4 minutes`, `90 seconds`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0 => (u64::from(time.subsec_millis()), "millisecond"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "day"),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    }
}

/// The time for which a person has said nothing, in whole units.
pub(crate) fn silence(silent: Duration) -> String {
    let seconds = silent.as_secs();
    match [86_400, 3_600, 60].into_iter().find(|unit| seconds >= *unit) {
        Some(unit) => format!("silent for {}", span(Duration::from_secs(seconds / unit * unit))),
        None => "active".to_owned(),
    }
}

/// A number of things: `1 line`, `2 lines`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_the_calendar_has_them() {
        let as_timestamp = |at: WallTime| format!("{:.3}", timestamp(at));
        let end = 253_402_207_200_000;
        for at in [0, 1, -1, 951_782_399_999, 951_782_400_000, end - 1, end, i64::MIN, i64::MAX] {
            assert_eq!(rfc3339(WallTime(at)), as_timestamp(WallTime(at)));
        }
        // Some time of each day of 800 years, and of each tenth day later.
        for at in (0..end).step_by(86_400_007).take(292_000) {
            assert_eq!(rfc3339(WallTime(at)), as_timestamp(WallTime(at)));
        }
        for at in (0..end).step_by(864_000_011) {
            assert_eq!(rfc3339(WallTime(at)), as_timestamp(WallTime(at)));
        }
    }

    #[test]
    fn numbers_are_printed_without_zeros_before_them() {
        for number in [0, 9, 10, 99, 100, 1_234_567_890, u64::MAX] {
            let mut text = "#".to_owned();
            push_number(&mut text, number);
            assert_eq!(text, format!("#{number}"));
        }
    }
}
