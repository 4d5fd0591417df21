//! Raw mode: the terminal hands over each key at once, and shows none. Knows no keys.

use std::io::{self, stdin};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal at standard input in raw mode. Dropping it restores the mode before, even when a
/// panic unwinds.
pub(crate) struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Changes the terminal at standard input to raw mode.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(crate) fn enter() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // If this fails, the terminal itself is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}
