//! The clocks of the machine, for everybody who needs one.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use parlor_core::command::Since;
use parlor_core::time::{Now, WallTime};
use tokio::time::Instant;

/// What time it is, counted from the start of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Clock {
        Clock {
            start: Instant::now(),
        }
    }

    /// What time it is on both clocks.
    pub(crate) fn now(&self) -> Now {
        Now {
            monotonic: self.monotonic(),
            wall: wall(),
        }
    }

    /// Time since the start.
    pub(crate) fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    /// That point on the monotonic clock, as tokio's timers want it.
    pub(crate) fn instant(&self, monotonic: Duration) -> Instant {
        self.start + monotonic
    }
}

/// What the clock on the wall shows.
pub(crate) fn wall() -> WallTime {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// A sentence where the variable `TZ` names a zone that this machine does not know, so that all times would be off.
pub fn zone_is_unknown() -> Option<String> {
    let named = std::env::var("TZ").ok().filter(|named| !named.is_empty())?;
    TimeZone::try_system().err().map(|_| {
        format!("TZ={named}: this machine knows no such time zone, so times are in UTC; write one like Europe/Berlin")
    })
}

/// The time that somebody typed, in this zone; a time of day is the latest such. None where no calendar has that day.
pub(crate) fn moment(since: Since, zone: &TimeZone) -> Option<Timestamp> {
    let in_zone = |date: Date, time| date.to_datetime(time).to_zoned_datetime(zone.clone()).ok();
    let at = match since {
        Since::Date { year, month, day } => {
            in_zone(Date::new(year, month, day).ok()?, Time::midnight())?
        }
        Since::Time { hour, minute } => {
            let now = ZonedDateTime::new(Timestamp::now(), zone.clone());
            let today = in_zone(now.date(), Time::new(hour, minute, 0, 0).ok()?)?;
            if today > now {
                today.checked_sub(1.day()).ok()?
            } else {
                today
            }
        }
    };
    Some(at.timestamp())
}
