//! The pace of a connection, from its first line to its last: a line waits for its turn, and is not
//! refused. Knows no line.

use std::net::IpAddr;
use std::time::Duration;

use parlor_core::model::Bucket;

use super::settings::SessionSettings;

/// The pace of a connection. It goes on where an earlier connection of the address has left off, and
/// when it is dropped, a later one goes on with it.
pub(crate) struct LinePace<'a> {
    settings: &'a SessionSettings,
    from: IpAddr,
    bucket: Bucket,
}

impl<'a> LinePace<'a> {
    /// The pace of a new connection from this address.
    pub(super) fn new(settings: &'a SessionSettings, from: IpAddr) -> LinePace<'a> {
        LinePace { settings, from, bucket: settings.used_buckets.take(from) }
    }

    /// The time until one line may pass. A wait is counted in the metrics.
    pub(crate) fn wait(&self) -> Duration {
        let Some(rate) = self.settings.live.rate() else {
            return Duration::ZERO;
        };
        let wait = self.bucket.wait(rate, self.settings.clock.monotonic());
        if !wait.is_zero() {
            self.settings.metrics.met("rate");
        }
        wait
    }

    /// The number of lines that may pass now; `None` without a rate.
    pub(super) fn level(&self) -> Option<usize> {
        let rate = self.settings.live.rate()?;
        Some(self.bucket.level(rate, self.settings.clock.monotonic()))
    }

    /// Pays for lines that pass. More than may pass leave a debt: the next line waits longer.
    pub(crate) fn pay(&mut self, lines: usize) {
        if let Some(rate) = self.settings.live.rate() {
            self.bucket.take(rate, self.settings.clock.monotonic(), lines);
        }
    }
}

impl Drop for LinePace<'_> {
    fn drop(&mut self) {
        if let Some(rate) = self.settings.live.rate() {
            let now = self.settings.clock.monotonic();
            self.settings.used_buckets.leave(self.from, self.bucket, rate, now);
        }
    }
}
