//! Turns for tests that work all the time, so that as many of them run at once as there are
//! processors.

use std::num::NonZero;
use std::sync::{Condvar, Mutex};
use std::thread;

/// The tests of one kind that run.
pub(crate) struct Turns {
    running: Mutex<usize>,
    ended: Condvar,
}

/// The permission to run, until it is dropped.
pub(crate) struct Turn(&'static Turns);

impl Turns {
    pub(crate) const fn new() -> Turns {
        Turns { running: Mutex::new(0), ended: Condvar::new() }
    }

    /// Waits until there is a processor for one more.
    pub(crate) fn wait(&'static self) -> Turn {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let running = self.running.lock().unwrap();
        *self.ended.wait_while(running, |running| *running >= processors).unwrap() += 1;
        Turn(self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap() -= 1;
        self.0.ended.notify_one();
    }
}
