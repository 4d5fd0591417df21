//! When the ledger is written down, which of these snapshots stay, and up to where the order is
//! deleted. Knows no stream and no clock.
//!
//! A snapshot is due when the order passes a multiple of some positions, or a full hour of its own
//! time. So it is due on all nodes at nearly the same place, and a restart delays none.

use std::time::Duration;

use parlor_core::model::WallTime;

/// A snapshot is due after this many positions, and after this time.
const EVERY_POSITIONS: u64 = 100_000;
const EVERY_MS: i64 = 3_600_000;

/// The shortest time between two snapshots of a process. A node that reads a long order passes many
/// hours of it in a moment.
const PAUSE: Duration = Duration::from_mins(1);

/// Old snapshots that are stored while no line is ever deleted have at least this distance. So an
/// operator who decides to delete lines later need not wait long.
const SPARSE_MS: i64 = 24 * EVERY_MS;

/// The latest snapshots that always stay: one of them may be damaged.
const LATEST: usize = 2;

/// How much faster all of this is than usual; 1 but for tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SnapshotSpeed(u32);

impl SnapshotSpeed {
    /// This many times as fast.
    pub(crate) fn new(times: usize) -> SnapshotSpeed {
        SnapshotSpeed(u32::try_from(times).unwrap_or(u32::MAX).max(1))
    }

    fn positions(self) -> u64 {
        self.sooner(EVERY_POSITIONS)
    }

    fn every_ms(self) -> i64 {
        (EVERY_MS / i64::from(self.0)).max(1)
    }

    /// The number of positions after which something happens that usually happens after this number.
    pub(crate) fn sooner(self, positions: u64) -> u64 {
        (positions / u64::from(self.0)).max(1)
    }

    /// The time in which something happens that usually takes this time.
    pub(crate) fn shortened(self, time: Duration) -> Duration {
        time / self.0
    }
}

/// A snapshot in the stream of snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoredSnapshot {
    /// The position in the order after which the ledger was so.
    pub(crate) position: u64,
    /// The time of the order there.
    pub(crate) at: WallTime,
    /// The boot of the node that wrote it.
    pub(crate) boot: u32,
}

impl StoredSnapshot {
    /// The position, the time and the boot as the tokens of a subject.
    pub(super) fn tokens(&self) -> String {
        format!("{}.{}.{}", self.position, self.at.0, self.boot)
    }

    /// The snapshot with these tokens.
    pub(super) fn parse(tokens: &str) -> Option<StoredSnapshot> {
        let mut tokens = tokens.split('.');
        let position = tokens.next()?.parse().ok()?;
        let at = WallTime(tokens.next()?.parse().ok()?);
        let boot = tokens.next()?.parse().ok()?;
        tokens.next().is_none().then_some(StoredSnapshot { position, at, boot })
    }
}

/// When the next snapshot is due.
#[derive(Debug)]
pub(crate) struct SnapshotSchedule {
    speed: SnapshotSpeed,
    /// The place of the last one in the order.
    last: (u64, WallTime),
    /// When this process took the last one.
    taken: Option<Duration>,
}

impl SnapshotSchedule {
    /// The schedule of a node whose last snapshot is at this place.
    pub(crate) fn new(speed: SnapshotSpeed, last: (u64, WallTime)) -> SnapshotSchedule {
        SnapshotSchedule { speed, last, taken: None }
    }

    /// How much faster than usual everything is.
    pub(super) fn speed(&self) -> SnapshotSpeed {
        self.speed
    }

    /// Whether a snapshot is due at this place.
    pub(crate) fn is_due(&self, (position, at): (u64, WallTime), now: Duration) -> bool {
        let (last, last_at) = self.last;
        let (positions, every_ms) = (self.speed.positions(), self.speed.every_ms());
        let is_far = position / positions > last / positions;
        let is_late = position > last && at.0.div_euclid(every_ms) > last_at.0.div_euclid(every_ms);
        let pause = self.speed.shortened(PAUSE);
        (is_far || is_late) && self.taken.is_none_or(|taken| now >= taken + pause)
    }

    /// Notes that a snapshot was taken at this place.
    pub(crate) fn take(&mut self, place: (u64, WallTime), now: Duration) {
        (self.last, self.taken) = (place, Some(now));
    }
}

/// The time before which the order is not needed: lines are stored for `retain`, now is `now`.
pub(super) fn end_of_retention(
    now: WallTime,
    retain: Option<Duration>,
    speed: SnapshotSpeed,
) -> Option<WallTime> {
    retain.map(|retain| now.before(speed.shortened(retain)))
}

/// The snapshots with which the order may begin: the newest that is older than `end`, and those
/// before it; the newest first. `stored` is in the order of positions.
pub(super) fn beginnings(stored: &[StoredSnapshot], end: WallTime) -> Vec<StoredSnapshot> {
    stored.iter().rev().filter(|snapshot| snapshot.at < end).cloned().collect()
}

/// The snapshots that nobody needs. The order begins at position `first`; `end` is the end of
/// retention, if lines are deleted. `stored` is in the order of positions.
///
/// A new node needs the one where the order begins. Of the others, one of each hour stays, of which
/// the order can begin later, and the latest two stay.
pub(super) fn needless(
    stored: &[StoredSnapshot],
    first: u64,
    end: Option<WallTime>,
    speed: SnapshotSpeed,
) -> Vec<StoredSnapshot> {
    let distance_ms = match end {
        Some(_) => speed.every_ms(),
        None => SPARSE_MS / i64::from(speed.0),
    };
    let latest = stored.len().saturating_sub(LATEST);
    let mut before: Option<&StoredSnapshot> = None;
    let mut needless = Vec::new();
    for (index, snapshot) in stored.iter().enumerate() {
        let is_too_old = snapshot.position < first;
        let is_near = before.is_some_and(|before| snapshot.at.0 - before.at.0 < distance_ms);
        if (is_too_old || is_near) && index < latest {
            needless.push(snapshot.clone());
        } else {
            before = Some(snapshot);
        }
    }
    needless
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_core::model::WallTime;

    use super::{
        EVERY_MS, EVERY_POSITIONS, PAUSE, SnapshotSchedule, SnapshotSpeed, StoredSnapshot,
        beginnings, end_of_retention, needless,
    };

    const USUAL: SnapshotSpeed = SnapshotSpeed(1);
    const HOUR: Duration = Duration::from_hours(1);

    fn due(schedule: &mut SnapshotSchedule, position: u64, at_ms: i64, now: Duration) -> bool {
        let place = (position, WallTime(at_ms));
        let is_due = schedule.is_due(place, now);
        if is_due {
            schedule.take(place, now);
        }
        is_due
    }

    #[test]
    fn a_snapshot_is_named_by_its_place_and_its_writer() {
        let snapshot = StoredSnapshot { position: 7, at: WallTime(-9), boot: 3 };
        assert_eq!(StoredSnapshot::parse(&snapshot.tokens()), Some(snapshot));
        for foreign in ["", "7", "7.9", "7.9.3.1", "7.9.x", "-7.9.3"] {
            assert_eq!(StoredSnapshot::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_snapshot_is_due_after_many_positions_and_after_an_hour() {
        let mut schedule = SnapshotSchedule::new(USUAL, (1, WallTime(EVERY_MS)));
        assert!(!due(&mut schedule, EVERY_POSITIONS - 1, EVERY_MS, HOUR));
        assert!(due(&mut schedule, EVERY_POSITIONS + 7, EVERY_MS, HOUR));
        assert!(!due(&mut schedule, EVERY_POSITIONS + 8, 2 * EVERY_MS - 1, 2 * HOUR));
        assert!(due(&mut schedule, EVERY_POSITIONS + 9, 2 * EVERY_MS + 5, 2 * HOUR));
        assert!(!due(&mut schedule, EVERY_POSITIONS + 9, 3 * EVERY_MS, 3 * HOUR), "nothing is new");
        assert!(due(&mut schedule, EVERY_POSITIONS + 10, 9 * EVERY_MS, 3 * HOUR));
    }

    #[test]
    fn a_restart_delays_no_snapshot_and_a_long_order_makes_few() {
        let mut schedule = SnapshotSchedule::new(USUAL, (1, WallTime(0)));
        assert!(due(&mut schedule, 7 * EVERY_POSITIONS, 0, Duration::ZERO));
        for passed in 8..1_000 {
            assert!(!due(&mut schedule, passed * EVERY_POSITIONS, 0, PAUSE / 2));
        }
        assert!(due(&mut schedule, 1_000 * EVERY_POSITIONS, 0, PAUSE));
    }

    fn hourly(hours: std::ops::Range<i64>) -> Vec<StoredSnapshot> {
        let snapshot = |hour: i64| StoredSnapshot {
            position: 1_000 * hour.cast_unsigned(),
            at: WallTime(hour * EVERY_MS),
            boot: 1,
        };
        hours.map(snapshot).collect()
    }

    fn positions(snapshots: &[StoredSnapshot]) -> Vec<u64> {
        snapshots.iter().map(|snapshot| snapshot.position).collect()
    }

    #[test]
    fn the_order_begins_with_the_newest_snapshot_older_than_the_lines_that_stay() {
        let stored = hourly(1..50);
        let now = WallTime(49 * EVERY_MS + 5);
        let end = end_of_retention(now, Some(24 * HOUR), USUAL);
        let may_begin = beginnings(&stored, end.unwrap_or_default());
        assert_eq!(positions(&may_begin)[..2], [25_000, 24_000]);
        assert_eq!(end_of_retention(now, None, USUAL), None);
        let gone = needless(&stored, 25_000, end, USUAL);
        assert_eq!(positions(&gone), (1..25).map(|hour| hour * 1_000).collect::<Vec<_>>());
    }

    #[test]
    fn snapshots_between_the_hours_go_and_the_latest_two_stay() {
        let mut stored = hourly(1..4);
        for (after, minutes) in [(1, 10), (2, 20), (4, 30), (5, 40)] {
            let mut between = stored.get(after - 1).cloned().unwrap_or_else(|| unreachable!());
            between.position += 1;
            between.at.0 += minutes * 60_000;
            stored.insert(after, between);
        }
        let gone = needless(&stored, 1_000, Some(WallTime(0)), USUAL);
        assert!(gone.iter().all(|snapshot| snapshot.position % 1_000 > 0), "{gone:?}");
        assert!(
            !gone.contains(&stored[stored.len() - 1]) && !gone.contains(&stored[stored.len() - 2])
        );
        let of_one = &stored[..2];
        assert_eq!(needless(of_one, u64::MAX, None, USUAL), []);
    }

    #[test]
    fn one_snapshot_of_each_day_stays_while_no_line_is_deleted() {
        let gone = needless(&hourly(0..100), 0, None, USUAL);
        let stay: Vec<_> = hourly(0..100).into_iter().filter(|it| !gone.contains(it)).collect();
        assert_eq!(positions(&stay), [0, 24_000, 48_000, 72_000, 96_000, 98_000, 99_000]);
    }
}
