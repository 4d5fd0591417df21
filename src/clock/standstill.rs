//! The time for which the whole process is suspended: stopped by a signal, or on a suspended
//! machine. People are not silent in that time, so timers for people do not count it. Knows no
//! timer's purpose.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use tokio::select;

/// How often the process notes that it runs.
const TICK: Duration = Duration::from_millis(200);

/// The longest time between two notes of a running process: two ticks, and the delay of a busy
/// machine.
const GAP_MAX: Duration = Duration::from_millis(500);

/// The suspensions of this process. A separate thread writes the notes, because the runtime's
/// threads may be busy.
static STANDSTILL: LazyLock<Standstill> = LazyLock::new(|| {
    let watch = || {
        loop {
            thread::sleep(TICK);
            STANDSTILL.note();
        }
    };
    let thread = thread::Builder::new().name("standstill".to_owned());
    Standstill {
        start: Instant::now(),
        noted: AtomicU64::new(0),
        lost: AtomicU64::new(0),
        // Without the thread, all time counts.
        is_watched: thread.spawn(watch).is_ok(),
        gap: Mutex::default(),
    }
});

/// How long this process has been suspended in all.
pub(crate) fn lost() -> Duration {
    STANDSTILL.lost()
}

struct Standstill {
    start: Instant,
    /// The time of the last note, in milliseconds.
    noted: AtomicU64,
    /// How long it has been suspended, in milliseconds. Written before `noted`, so a reader of
    /// `noted` sees this too.
    lost: AtomicU64,
    is_watched: bool,
    /// Held while a gap is added, so that only one thread adds it.
    gap: Mutex<()>,
}

impl Standstill {
    /// Notes that the process runs.
    fn note(&self) {
        self.note_at(self.now());
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn note_at(&self, now: u64) {
        let _one_at_a_time = self.gap.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = now.saturating_sub(self.noted.load(Ordering::Acquire));
        let max = GAP_MAX.as_millis() as u64;
        // Only the time beyond the longest gap is lost; the rest counts as running time.
        self.lost.fetch_add(gap.saturating_sub(max), Ordering::AcqRel);
        self.noted.fetch_max(now, Ordering::AcqRel);
    }

    /// The first reader after a suspension adds it, because a timer may end before the thread wakes
    /// up.
    fn lost_at(&self, now: u64) -> Duration {
        let gap = now.saturating_sub(self.noted.load(Ordering::Acquire));
        if self.is_watched && u128::from(gap) > GAP_MAX.as_millis() {
            self.note_at(now);
        }
        Duration::from_millis(self.lost.load(Ordering::Acquire))
    }

    fn lost(&self) -> Duration {
        self.lost_at(self.now())
    }
}

/// A timer that stops while the process is suspended.
pub(crate) struct Sleep {
    timer: Pin<Box<tokio::time::Sleep>>,
    /// The time for which the process had been suspended when the timer was set.
    lost: Duration,
}

/// A timer of this length.
pub(crate) fn sleep(time: Duration) -> Sleep {
    Sleep { timer: Box::pin(tokio::time::sleep(time)), lost: lost() }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let lost = lost();
            let more = lost.saturating_sub(self.lost);
            if more.is_zero() {
                return Poll::Ready(());
            }
            self.lost = lost;
            let later = self.timer.deadline() + more;
            self.timer.as_mut().reset(later);
        }
    }
}

/// The error of a wait that took too long.
#[derive(Debug)]
pub(crate) struct TooLong;

impl From<TooLong> for io::Error {
    fn from(_: TooLong) -> io::Error {
        io::ErrorKind::TimedOut.into()
    }
}

/// Waits for `waiting`, at most for `time`. If both are ready, the result counts.
pub(crate) async fn timeout<T>(
    time: Duration,
    waiting: impl Future<Output = T>,
) -> Result<T, TooLong> {
    let deadline = sleep(time);
    select! {
        biased;
        done = waiting => Ok(done),
        () = deadline => Err(TooLong),
    }
}

/// Timers for hyper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HyperTimer;

impl hyper::rt::Timer for HyperTimer {
    fn sleep(&self, time: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(sleep(time))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(sleep(deadline.saturating_duration_since(Instant::now())))
    }
}

impl hyper::rt::Sleep for Sleep {}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Standstill {
        Standstill {
            start: Instant::now(),
            noted: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            is_watched: true,
            gap: Mutex::default(),
        }
    }

    #[test]
    fn no_time_is_lost_between_notes_that_come_in_time() {
        let running = running();
        for now in (0..10_000).step_by(200) {
            running.note_at(now);
            assert_eq!(running.lost_at(now + 500), Duration::ZERO);
        }
    }

    #[test]
    fn a_standstill_is_counted_once_by_the_thread_or_a_timer() {
        let by_thread = running();
        by_thread.note_at(5_500);
        let by_timer = running();
        assert_eq!(by_timer.lost_at(5_500), Duration::from_secs(5));
        by_timer.note_at(5_501);
        for running in [by_thread, by_timer] {
            running.note_at(5_600);
            assert_eq!(running.lost_at(5_700), Duration::from_secs(5));
            assert_eq!(running.lost_at(8_100), Duration::from_secs(7));
        }
    }

    #[test]
    fn the_time_that_counts_never_goes_back() {
        let running = running();
        let mut last = Duration::ZERO;
        for now in [100, 499, 500, 501, 900, 1_500, 9_000, 9_400, 9_900, 60_000] {
            let counted = Duration::from_millis(now) - running.lost_at(now);
            assert!(counted >= last, "{now}");
            last = counted;
        }
    }
}
