//! Values as people write them: times, counts, yes and no. Knows no option by name.

use std::time::Duration;

use jiff::fmt::friendly::{Spacing, SpanParser, SpanPrinter};

/// Why a value was refused and what would be right.
///
/// Only people read it, so it is a sentence and not a list of cases. It follows the value itself: clap puts the
/// flag and the value in front, the file reader the file, the key and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Reads how long somebody may be silent, `5m`, `1h30m`, `200ms`; `0` is for ever, hence none.
pub(crate) fn idle(text: &str) -> Result<Option<Duration>, Refused> {
    /// A year: as good as never, and far from where sums of times overflow.
    const IDLE_MAX: Duration = Duration::from_hours(8760);

    if text == "0" {
        return Ok(None);
    }
    match SpanParser::new().parse_unsigned_duration(text) {
        Ok(time) if time.is_zero() => Ok(None),
        Ok(time) if time.subsec_nanos() % 1_000_000 == 0 && time <= IDLE_MAX => Ok(Some(time)),
        _ => Err(Refused::new(format!(
            "{text:?} is not an idle limit; write 5m, 90s, 1h30m (1ms to {}), or 0 for never",
            duration(IDLE_MAX)
        ))),
    }
}

/// Writes a time the way [`idle`] reads it.
pub(crate) fn duration(time: Duration) -> String {
    SpanPrinter::new()
        .spacing(Spacing::None)
        .unsigned_duration_to_string(&time)
}

/// Reads a machine's name, in small letters.
pub(crate) fn host(text: &str) -> Result<String, Refused> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ['-', '.', '_'].contains(&c);
    match !text.is_empty() && text.chars().all(is_part) {
        true => Ok(text.trim_end_matches('.').to_ascii_lowercase()),
        false => Err(Refused::new(format!(
            "{text:?} is not a host name; write one like chat.example.org, without a port"
        ))),
    }
}

/// Reads how many of something there may be; none at all would be no use.
pub(crate) fn count(text: &str) -> Result<usize, Refused> {
    match count_or_none(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Refused::new(format!(
            "write a whole number from 1 to {COUNT_MAX}"
        ))),
    }
}

/// Reads how many of something there may be, possibly none.
pub(crate) fn count_or_none(text: &str) -> Result<usize, Refused> {
    whole(text)
        .filter(|number| *number <= u64::from(COUNT_MAX))
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| Refused::new(format!("write a whole number from 0 to {COUNT_MAX}")))
}

/// More lines, rooms or connections than one machine holds; sums of counts stay far from overflow.
const COUNT_MAX: u32 = 1_000_000_000;

/// Reads a yes or a no.
pub(crate) fn yes_or_no(text: &str) -> Result<bool, Refused> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(Refused::new("write true or false")),
    }
}

/// Reads digits and nothing else: the library's own reading also takes a sign.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{count, duration, idle, yes_or_no};

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
    fn counts_and_answers_refuse_what_they_are_not() {
        assert_eq!(count("7"), Ok(7));
        for wrong in ["", "0", "+7", "-7", "1_000", "many", "99999999999"] {
            assert!(count(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((yes_or_no("YES"), yes_or_no("0")), (Ok(true), Ok(false)));
        assert!(yes_or_no("perhaps").is_err());
    }

    proptest! {
        #[test]
        fn times_read_back_as_printed(millis in 1..=31_536_000_000u64) {
            let time = Duration::from_millis(millis);
            prop_assert_eq!(idle(&duration(time)), Ok(Some(time)));
        }

        #[test]
        fn anything_may_be_typed(text in ".*") {
            let _ = (idle(&text), count(&text), yes_or_no(&text));
        }
    }
}
