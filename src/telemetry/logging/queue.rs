//! A bounded queue and a thread between the code that logs and stderr, so that no code waits for
//! the reader of the log. Knows no event.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The number of events that may wait for stderr: about a megabyte at the usual length, enough for
/// a burst.
const EVENTS_MAX: usize = 4_096;

/// How long the program waits at its end for stderr to take the queued events.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// How long it waits between two attempts to use a full queue.
const FLUSH_RETRY: Duration = Duration::from_millis(10);

/// The items of the queue.
enum LogItem {
    Event(Vec<u8>),
    /// Asks for a signal when everything before it is written.
    Flush(SyncSender<()>),
}

/// The end of the queue that takes events. It never waits: an event that does not fit is dropped
/// and counted.
#[derive(Clone)]
pub(crate) struct Queue {
    items: SyncSender<LogItem>,
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

    /// Waits until everything in the queue is written, unless the reader has stopped.
    pub(crate) fn flush(&self) {
        let until = Instant::now() + FLUSH_TIME;
        let (told, is_written) = sync_channel(1);
        let mut flush = LogItem::Flush(told);
        while let Err(TrySendError::Full(unsent)) = self.items.try_send(flush) {
            if Instant::now() >= until {
                return;
            }
            flush = unsent;
            thread::sleep(FLUSH_RETRY);
        }
        let left = until.saturating_duration_since(Instant::now());
        is_written.recv_timeout(left).ok(); // events not written by then are lost
    }
}

impl Write for Queue {
    /// Takes a whole event: the library calls this once for each event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.items.try_send(LogItem::Event(event.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes queued events until the process ends. When there is space again, logs the number of
/// dropped events.
fn write_all(queued: &Receiver<LogItem>, mut sink: impl Write, dropped: &AtomicU64) {
    let mut told = 0;
    for item in queued {
        match item {
            LogItem::Event(event) => {
                sink.write_all(&event).ok(); // there is no other place to report a failure
            }
            LogItem::Flush(written) => {
                written.send(()).ok();
            }
        }
        let all = dropped.load(Ordering::Relaxed);
        if all > told {
            told = all;
            // If this event is dropped too, it is counted, and reported later.
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

    /// A sink that waits before each event, like a pipe without a reader.
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
    fn a_reader_that_stops_blocks_no_code_and_dropped_events_are_counted() {
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
    fn a_flush_waits_for_queued_events() {
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
