//! How long lines are kept, as people write it. Takes nothing out: that is the journal's.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::units::{Refused, whole};

/// How long a line is kept, written `30d`, `12h`, `4w` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retain {
    /// For good.
    Off,
    /// So many hours.
    Hours(u32),
}

impl Retain {
    /// The units by their hours, largest first, so that printing finds the shortest form. Weeks are printed as days: nobody
    /// says that lines are kept for 52 weeks.
    const UNITS: [(char, u32); 3] = [('w', 7 * 24), ('d', 24), ('h', 1)];

    /// A hundred years: who wants more wants it off.
    const HOURS_MAX: u32 = 36_500 * 24;

    /// How long; none where it is for good.
    pub fn time(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Hours(hours) => Some(Duration::from_hours(hours.into())),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let unit = |&(unit, hours)| Some((text.strip_suffix(unit)?, hours));
        let (number, hours) = Self::UNITS.iter().find_map(unit)?;
        let hours = u32::try_from(whole(number)?).ok()?.checked_mul(hours)?;
        (1..=Self::HOURS_MAX)
            .contains(&hours)
            .then_some(Self::Hours(hours))
    }
}

impl FromStr for Retain {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        Self::parse(text).ok_or_else(|| {
            Refused::new("write how long lines are stored as 30d, 12h or 4w (1h to 36500d), or off to store them for good")
        })
    }
}

impl fmt::Display for Retain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Hours(hours) if hours.is_multiple_of(24) => write!(f, "{}d", hours / 24),
            Self::Hours(hours) => write!(f, "{hours}h"),
        }
    }
}

impl Serialize for Retain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Retain;

    #[test]
    fn lines_are_kept_for_hours_days_and_weeks_or_for_good() {
        for (text, printed) in [
            ("30d", "30d"),
            ("12h", "12h"),
            ("48h", "2d"),
            ("4w", "28d"),
            ("36500d", "36500d"),
            ("off", "off"),
        ] {
            let printed_back = text.parse().map(|retain: Retain| retain.to_string());
            assert_eq!(printed_back, Ok(printed.to_owned()));
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
            assert!(wrong.parse::<Retain>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn times_read_back_as_printed(hours in 1..=876_000u32) {
            let retain = Retain::Hours(hours);
            prop_assert_eq!(retain.to_string().parse(), Ok(retain));
        }

        #[test]
        fn anything_may_be_typed(text in ".*") {
            let _ = text.parse::<Retain>();
        }
    }
}
