//! Lines a second, as people write them. Counts nothing: that is the core's bucket.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::units::{Refused, whole};

/// How fast one person may speak, written `10/s` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As fast as they can type.
    Off,
    /// This many lines a second in the long run.
    PerSecond(NonZeroU32),
}

impl Rate {
    /// Ten lines a second: nobody types faster, and a paste fits into the burst.
    pub const DEFAULT: Self = Self::per_second(10);

    /// Past a million lines a second there is nothing left to limit.
    const PER_SECOND_MAX: u32 = 1_000_000;

    /// A rate of `lines` a second; none at all means no limit.
    pub const fn per_second(lines: u32) -> Self {
        match NonZeroU32::new(lines) {
            Some(lines) => Self::PerSecond(lines),
            None => Self::Off,
        }
    }

    /// Lines that may be said at once after a silence: ten seconds' worth. None when there is no limit.
    pub fn burst_lines(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::PerSecond(lines) => Some(lines.get().saturating_mul(10)),
        }
    }
}

impl FromStr for Rate {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let lines = text.strip_suffix("/s").and_then(whole);
        match lines.and_then(|lines| u32::try_from(lines).ok()) {
            Some(lines @ 1..=Self::PER_SECOND_MAX) => Ok(Self::per_second(lines)),
            _ => Err(Refused::new(format!(
                "write a rate as lines a second, from 1/s to {}/s, or off for no limit",
                Self::PER_SECOND_MAX
            ))),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::PerSecond(lines) => write!(f, "{lines}/s"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Rate;

    #[test]
    fn rates_are_lines_a_second_or_off() {
        assert_eq!("10/s".parse(), Ok(Rate::DEFAULT));
        assert_eq!(Rate::DEFAULT.burst_lines(), Some(100));
        assert_eq!("off".parse(), Ok(Rate::Off));
        for wrong in [
            "",
            "10",
            "/s",
            "0/s",
            "-1/s",
            "+1/s",
            "10/m",
            "1000001/s",
            "fast",
        ] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn rates_read_back_as_printed(lines in 0..=1_000_000u32) {
            let rate = Rate::per_second(lines);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn anything_may_be_typed(text in ".*") {
            let _ = text.parse::<Rate>();
        }
    }
}
