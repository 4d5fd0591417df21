//! Values as people write them: times, sizes, rates, counts, yes and no. Knows no option by name.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::friendly::{Spacing, SpanParser, SpanPrinter};
use parlor_core::model::Rate;
use serde::{Serialize, Serializer};

/// The reason why a value is refused, and what to write.
///
/// Only people read it, so it is a sentence and not a list of cases. It follows the value: clap
/// writes the flag and the value in front of it, and the reader of the file writes the file, the
/// key and the value. It also says why a file is refused, or options that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(String);

impl InvalidValue {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// The limit of one person's lines, written `10/s` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// No limit.
    Off,
    /// This many lines a second in the long run.
    PerSecond(NonZeroU32),
}

impl RateLimit {
    const UNITS: Units = &[("/s", 1)];

    /// A limit beyond a million lines a second has no effect.
    const PER_SECOND_MAX: u32 = 1_000_000;

    /// A rate of `lines` a second; 0 means no limit.
    pub const fn per_second(lines: u32) -> Self {
        match NonZeroU32::new(lines) {
            Some(lines) => Self::PerSecond(lines),
            None => Self::Off,
        }
    }

    /// The rate; `None` without a limit.
    pub fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::PerSecond(lines) => Some(Rate { per_second: lines.get() }),
        }
    }
}

impl FromStr for RateLimit {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match amount(text, |number| number, Self::UNITS, Self::PER_SECOND_MAX.into()) {
            Some(lines) => Ok(Self::per_second(lines as u32)),
            None if text == "off" => Ok(Self::Off),
            None => Err(InvalidValue::new(format!(
                "write a rate as lines a second, from 1/s to {}/s, or off for no limit",
                Self::PER_SECOND_MAX
            ))),
        }
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::PerSecond(lines) => write_amount(f, lines.get().into(), Self::UNITS),
        }
    }
}

/// How long lines are stored, written `30d`, `12h`, `4w` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// For good.
    Off,
    /// This many hours.
    Hours(u32),
}

impl Retain {
    /// The units by their hours. Weeks are printed as days: nobody says that lines are stored for
    /// 52 weeks.
    const UNITS: Units = &[("d", 24), ("h", 1), ("w", 7 * 24)];

    /// A hundred years; a longer time means the same as off.
    const HOURS_MAX: u32 = 36_500 * 24;

    /// The time; `None` for good.
    pub fn time(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Hours(hours) => Some(Duration::from_hours(hours.into())),
        }
    }
}

impl FromStr for Retain {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match amount(text, |number| number, Self::UNITS, Self::HOURS_MAX.into()) {
            Some(hours) => Ok(Self::Hours(hours as u32)),
            None if text == "off" => Ok(Self::Off),
            None => Err(InvalidValue::new(
                "write how long lines are stored as 30d, 12h or 4w (1h to 36500d), or off to store them for good",
            )),
        }
    }
}

impl fmt::Display for Retain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Hours(hours) => write_amount(f, (*hours).into(), Self::UNITS),
        }
    }
}

/// An amount of memory, written `4MiB`, `512KiB`, `1GiB` or as a number of bytes. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(usize);

impl ByteSize {
    const UNITS: Units = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

    /// A size near the end of the address space is a mistake, and later sums must not overflow.
    const MAX: usize = usize::MAX / 2;

    /// The amount in bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match amount(text, str::trim_end, Self::UNITS, Self::MAX as u64) {
            Some(bytes) => Ok(Self(bytes as usize)),
            None => Err(InvalidValue::new(
                "write a size like 512KiB, 4MiB or 1GiB, or a number of bytes from 1",
            )),
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_amount(f, self.0 as u64, Self::UNITS)
    }
}

/// How long a stop waits for clients, written `2s` or `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopWait(Duration);

impl StopWait {
    /// Time for one sentence on the way to a distant client.
    const MIN: Duration = Duration::from_millis(100);

    /// A stop takes 15 s at most, and the last batch needs some of them.
    const MAX: Duration = Duration::from_secs(12);

    /// The time.
    pub const fn time(self) -> Duration {
        self.0
    }
}

impl FromStr for StopWait {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match idle(text) {
            Ok(Some(time)) if (Self::MIN..=Self::MAX).contains(&time) => Ok(Self(time)),
            _ => Err(InvalidValue::new(format!(
                "write how long a stop waits as 2s or 500ms ({} to {})",
                duration(Self::MIN),
                duration(Self::MAX)
            ))),
        }
    }
}

impl fmt::Display for StopWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration(self.0))
    }
}

/// Serializes these values as people write them.
macro_rules! serialize_as_text {
    ($($type:ty),*) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        })*
    };
}

serialize_as_text!(RateLimit, Retain, ByteSize, StopWait);

/// The units of an amount, each with its size. An amount is printed in the first unit that divides
/// it.
type Units = &'static [(&'static str, u64)];

/// Reads a number from 1 to `max`, followed by a unit; `trim` removes the characters allowed
/// between them.
fn amount(text: &str, trim: fn(&str) -> &str, units: Units, max: u64) -> Option<u64> {
    let unit = |&(unit, size): &(_, u64)| Some((text.strip_suffix(unit)?, size));
    let (number, size) = units.iter().find_map(unit)?;
    let amount = whole(trim(number))?.checked_mul(size)?;
    (1..=max).contains(&amount).then_some(amount)
}

/// Writes an amount in the form that [`amount`] reads.
fn write_amount(f: &mut fmt::Formatter<'_>, amount: u64, units: Units) -> fmt::Result {
    match units.iter().find(|(_, size)| amount.is_multiple_of(*size)) {
        Some((unit, size)) => write!(f, "{}{unit}", amount / size),
        None => write!(f, "{amount}"),
    }
}

/// Reads an idle limit, `5m`, `1h30m`, `200ms`; `0` stands for no limit.
pub(crate) fn idle(text: &str) -> Result<Option<Duration>, InvalidValue> {
    /// A year has the same effect as no limit, and sums of such times do not overflow.
    const IDLE_MAX: Duration = Duration::from_hours(8760);

    if text == "0" {
        return Ok(None);
    }
    match SpanParser::new().parse_unsigned_duration(text) {
        Ok(time) if time.is_zero() => Ok(None),
        Ok(time) if time.subsec_nanos() % 1_000_000 == 0 && time <= IDLE_MAX => Ok(Some(time)),
        _ => Err(InvalidValue::new(format!(
            "{text:?} is not an idle limit; write 5m, 90s, 1h30m (1ms to {}), or 0 for never",
            duration(IDLE_MAX)
        ))),
    }
}

/// Writes a time in the form that [`idle`] reads.
pub(crate) fn duration(time: Duration) -> String {
    SpanPrinter::new().spacing(Spacing::None).unsigned_duration_to_string(&time)
}

/// Reads the name of a machine, and returns it in lower case.
pub(crate) fn host(text: &str) -> Result<String, InvalidValue> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&c);
    match !text.is_empty() && text.chars().all(is_part) {
        true => Ok(text.trim_end_matches('.').to_ascii_lowercase()),
        false => Err(InvalidValue::new(format!(
            "{text:?} is not a host name; write one like chat.example.org, without a port"
        ))),
    }
}

/// Reads a count from 1.
pub(crate) fn count(text: &str) -> Result<usize, InvalidValue> {
    match count_or_none(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(InvalidValue::new(format!("write a whole number from 1 to {COUNT_MAX}"))),
    }
}

/// Reads a count from 0.
pub(crate) fn count_or_none(text: &str) -> Result<usize, InvalidValue> {
    whole(text)
        .filter(|number| *number <= u64::from(COUNT_MAX))
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| InvalidValue::new(format!("write a whole number from 0 to {COUNT_MAX}")))
}

/// Reads the fewest characters in a password.
pub(crate) fn password_chars(text: &str) -> Result<usize, InvalidValue> {
    match count(text) {
        Ok(chars) if chars <= PASSWORD_CHARS_MAX => Ok(chars),
        _ => Err(InvalidValue::new(format!(
            "write a whole number of characters from 1 to {PASSWORD_CHARS_MAX}"
        ))),
    }
}

/// No server has to ask for longer passwords than a password manager makes.
const PASSWORD_CHARS_MAX: usize = 64;

/// More lines, rooms or connections than fit into one machine; sums of such counts do not overflow.
const COUNT_MAX: u32 = 1_000_000_000;

/// Reads a yes or a no, in the words that people use.
pub(crate) fn yes_or_no(text: &str) -> Result<bool, InvalidValue> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(InvalidValue::new("write true or false")),
    }
}

/// Reads digits only: the standard library would also take a sign.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn idle_limits_are_times_or_never() {
        assert_eq!(idle("5m"), Ok(Some(Duration::from_mins(5))));
        assert_eq!(idle("1h30m"), Ok(Some(Duration::from_mins(90))));
        assert_eq!(idle("200ms"), Ok(Some(Duration::from_millis(200))));
        assert_eq!((idle("0"), idle("0s")), (Ok(None), Ok(None)));
        for wrong in ["", "5", "-5m", "1us", "soon", "8761h"] {
            assert!(idle(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn counts_and_answers_refuse_other_text() {
        assert_eq!(count("7"), Ok(7));
        for wrong in ["", "0", "+7", "-7", "1_000", "many", "99999999999"] {
            assert!(count(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((password_chars("1"), password_chars("64")), (Ok(1), Ok(64)));
        assert!(password_chars("0").is_err() && password_chars("65").is_err());
        assert_eq!((yes_or_no("YES"), yes_or_no("0")), (Ok(true), Ok(false)));
        assert!(yes_or_no("perhaps").is_err());
    }

    fn printed<T: FromStr + ToString>(text: &str) -> Option<String> {
        text.parse().ok().map(|value: T| value.to_string())
    }

    #[test]
    fn sizes_have_binary_units() {
        for (text, as_printed) in [
            ("4194304", "4MiB"),
            ("4 MiB", "4MiB"),
            ("1GiB", "1GiB"),
            ("1023", "1023"),
            ("1024 ", "1KiB"),
        ] {
            assert_eq!(printed::<ByteSize>(text).as_deref(), Some(as_printed));
        }
        for wrong in ["", "0", "MiB", "4MB", "-4MiB", "4.5MiB", "99999999999GiB", "4MiB "] {
            assert_eq!(printed::<ByteSize>(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn rates_are_lines_a_second_or_off() {
        assert_eq!("10/s".parse(), Ok(RateLimit::per_second(10)));
        assert_eq!("off".parse(), Ok(RateLimit::Off));
        for wrong in ["", "10", "/s", "0/s", "-1/s", "+1/s", "10/m", "1000001/s", "fast"] {
            assert_eq!(printed::<RateLimit>(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn lines_are_stored_for_hours_days_and_weeks_or_for_good() {
        for (text, as_printed) in [
            ("30d", "30d"),
            ("12h", "12h"),
            ("48h", "2d"),
            ("4w", "28d"),
            ("36500d", "36500d"),
            ("off", "off"),
        ] {
            assert_eq!(printed::<Retain>(text).as_deref(), Some(as_printed));
        }
        for wrong in [
            "",
            "30",
            "0d",
            "-1d",
            "+1d",
            "1m",
            "1y",
            "d",
            "1d2h",
            "36501d",
            "876001h",
            "99999999999w",
            "never",
            "3 d",
            "３d",
        ] {
            assert_eq!(printed::<Retain>(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_stop_waits_for_seconds() {
        for (text, as_printed) in
            [("2s", "2s"), ("12s", "12s"), ("100ms", "100ms"), ("0.5s", "500ms")]
        {
            assert_eq!(printed::<StopWait>(text).as_deref(), Some(as_printed));
        }
        for wrong in ["", "0", "0s", "2", "-2s", "99ms", "13s", "1m", "off"] {
            assert_eq!(printed::<StopWait>(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn values_read_back_as_printed(
            millis in 1..=31_536_000_000u64,
            bytes in 1..=ByteSize::MAX,
            lines in 0..=1_000_000u32,
            hours in 1..=876_000u32,
        ) {
            let time = Duration::from_millis(millis);
            prop_assert_eq!(idle(&duration(time)), Ok(Some(time)));
            let size = ByteSize(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
            let rate = RateLimit::per_second(lines);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            let retain = Retain::Hours(hours);
            prop_assert_eq!(retain.to_string().parse(), Ok(retain));
        }

        #[test]
        fn anything_may_be_typed(text in ".*") {
            let _ = (idle(&text), count(&text), yes_or_no(&text));
            let _ = (printed::<ByteSize>(&text), printed::<RateLimit>(&text), printed::<Retain>(&text));
            let _ = printed::<StopWait>(&text);
        }
    }
}
