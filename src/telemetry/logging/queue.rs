//! Between the code that logs and stderr: a bounded queue and a thread, so nobody waits for the reader of the log.
//! Knows no event.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Events that wait for stderr; about a megabyte at the usual length. A burst fits, and memory has a bound.
const EVENTS_MAX: usize = 4_096;

/// How long the end of the program waits for stderr to take what is still queued.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// How often a full queue is tried again within that time.
const FLUSH_RETRY: Duration = Duration::from_millis(10);

/// What the thread is handed.
enum Item {
    Event(Vec<u8>),
    /// Everything before this is written: say so.
    Flush(SyncSender<()>),
}

/// The end of the queue that events go into. It never waits: an event for which there is no room is dropped and counted.
#[derive(Clone)]
pub(crate) struct Queue {
    items: SyncSender<Item>,
    dropped: Arc<AtomicU64>,
}

impl Queue {
    /// A queue in front of `sink`, and the thread that empties it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(sink: impl Write + Send + 'static) -> io::Result<Queue> {
        let (items, queued) = sync_channel(EVENTS_MAX);
        let dropped = Arc::default();
        let counted = Arc::clone(&dropped);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&queued, sink, &counted))?;
        Ok(Queue { items, dropped })
    }

    /// Waits until everything that is queued is written, but not for a reader that has stopped.
    pub(crate) fn flush(&self) {
        let until = Instant::now() + FLUSH_TIME;
        let (told, is_written) = sync_channel(1);
        let mut flush = Item::Flush(told);
        while let Err(TrySendError::Full(unsent)) = self.items.try_send(flush) {
            if Instant::now() >= until {
                return;
            }
            flush = unsent;
            thread::sleep(FLUSH_RETRY);
        }
        let left = until.saturating_duration_since(Instant::now());
        is_written.recv_timeout(left).ok(); // what is not written by then is lost
    }
}

impl Write for Queue {
    /// Takes a whole event: that is how the library hands them over.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.items.try_send(Item::Event(event.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes what is queued, for as long as the process runs, and logs how much was dropped once there is room again.
fn write_all(queued: &Receiver<Item>, mut sink: impl Write, dropped: &AtomicU64) {
    let mut told = 0;
    for item in queued {
        match item {
            Item::Event(event) => {
                sink.write_all(&event).ok(); // there is no other place to complain
            }
            Item::Flush(written) => {
                written.send(()).ok();
            }
        }
        let all = dropped.load(Ordering::Relaxed);
        if all > told {
            told = all;
            // If this does not fit either, it is counted as dropped, and logged later.
            tracing::warn!(
                dropped = all,
                "log events are missing: stderr was not read fast enough; this is their number since the start"
            );
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// A sink that waits before each event, like a pipe that nobody reads.
    struct Stuck(Receiver<()>, SyncSender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, event: &[u8]) -> io::Result<usize> {
            self.0.recv().ok();
            self.1.send(event.to_vec()).ok();
            Ok(event.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_holds_up_nobody_and_what_is_dropped_is_counted() {
        let (go_on, waits) = sync_channel(2 * EVENTS_MAX);
        let (written, read) = sync_channel(2 * EVENTS_MAX);
        let mut queue = Queue::start(Stuck(waits, written)).unwrap();
        for number in 0..EVENTS_MAX + 100 {
            queue.write_all(number.to_string().as_bytes()).unwrap();
        }
        // The thread may hold one event that left the queue.
        let dropped = queue.dropped.load(Ordering::Relaxed) as usize;
        assert!((99..=100).contains(&dropped), "{dropped}");
        for number in 0..EVENTS_MAX + 100 - dropped {
            go_on.send(()).unwrap();
            assert_eq!(read.recv().unwrap(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_flush_waits_for_what_is_queued() {
        let (go_on, waits) = sync_channel(2);
        let (written, read) = sync_channel(2);
        let mut queue = Queue::start(Stuck(waits, written)).unwrap();
        for event in ["one", "two"] {
            queue.write_all(event.as_bytes()).unwrap();
            go_on.send(()).unwrap();
        }
        queue.flush();
        assert_eq!(read.try_iter().count(), 2);
    }
}
