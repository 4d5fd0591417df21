//! Troubles with the stream, each of which is told once a minute at most. Knows no log.

use std::collections::BTreeMap;
use std::time::Duration;

/// The pause before the same trouble is told again.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// A trouble with the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// The connection is lost.
    Disconnected,
    /// Nothing comes back.
    Silent,
    /// There is no stream with this name.
    NoStream,
    /// It has no space.
    Full,
    /// It has messages that no node has published.
    Foreign,
}

/// When each trouble was told last.
#[derive(Debug, Default)]
pub(super) struct ToldTroubles(BTreeMap<Trouble, Duration>);

impl ToldTroubles {
    /// Whether a trouble is to be told now.
    pub(super) fn is_due(&mut self, trouble: Trouble, now: Duration) -> bool {
        let is_due = self.0.get(&trouble).is_none_or(|told| *told + TOLD_EVERY <= now);
        if is_due {
            self.0.insert(trouble, now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ToldTroubles, Trouble};

    #[test]
    fn each_trouble_is_told_once_a_minute() {
        let mut told = ToldTroubles::default();
        let mut is_due = |trouble, second| told.is_due(trouble, Duration::from_secs(second));
        assert!(is_due(Trouble::Full, 0) && is_due(Trouble::Silent, 1));
        assert!(!is_due(Trouble::Full, 59) && is_due(Trouble::Full, 60));
        assert!(!is_due(Trouble::Full, 119));
    }
}
