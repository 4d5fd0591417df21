//! The keys that are pressed at the client's terminal. Knows no editor and no screen.

use std::collections::VecDeque;
use std::iter;
use std::time::Duration;

use parlor_wire::keys::{Keys, Keystroke};
use tokio::io::{AsyncReadExt, Stdin, stdin};
use tokio::time::{Instant, timeout_at};

/// The time in which the rest of a sequence follows its ESC, also over a slow connection; without
/// it, the ESC is the Escape key. People press two keys more slowly.
const ESCAPE_TIME: Duration = Duration::from_millis(50);

/// More than a person presses between two reads; a long paste takes several.
const READ_BYTES: usize = 1_024;

/// The keyboard of the terminal at standard input.
pub(super) struct Keyboard {
    input: Stdin,
    keys: Keys,
    /// The keys of one read that are not taken yet, at most [`READ_BYTES`].
    pressed: VecDeque<Keystroke>,
    /// The time from which an ESC that came last is the Escape key.
    escape_at: Option<Instant>,
}

impl Keyboard {
    /// Nothing is read before the first key is waited for.
    pub(super) fn new() -> Self {
        Self { input: stdin(), keys: Keys::default(), pressed: VecDeque::new(), escape_at: None }
    }

    /// The next key; `None` if the terminal is gone. Cancelling the call loses nothing.
    pub(super) async fn next(&mut self) -> Option<Keystroke> {
        loop {
            if let Some(key) = self.pressed.pop_front() {
                return Some(key);
            }
            let mut bytes = [0; READ_BYTES];
            let read = self.input.read(&mut bytes);
            let read = match self.escape_at {
                Some(time) => timeout_at(time, read).await.ok(),
                None => Some(read.await),
            };
            match read {
                None => {
                    self.escape_at = None;
                    self.pressed.extend(self.keys.pause());
                }
                // A terminal that has hung up gives an error, or nothing.
                Some(Ok(0) | Err(_)) => return None,
                Some(Ok(count)) => self.hear(bytes.get(..count).unwrap_or_default()),
            }
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        self.pressed.extend(iter::from_fn(|| self.keys.next(&mut bytes)));
        self.escape_at = self.keys.has_escape().then(|| Instant::now() + ESCAPE_TIME);
    }
}
