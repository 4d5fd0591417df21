//! Bursts: some of the listeners only check how much they could read, and all of them read between
//! two stretches. So the load takes almost no time from a server on the same core.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::io::ioctl_fionread;

use super::clients::{ClientId, Load};
use super::sample::{Meter, Sample};
use super::talk::{QUIET, SILENCE};

/// The time between two checks: the load itself may add this much to the time of each burst.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// One of this many listeners is watched, counted from the last one. It is not a multiple of the
/// number of cores, because a server may divide its clients by cores.
const WATCHED_OF: usize = 15;

/// After this time the server has announced everybody in a crowd.
const CROWD_ANNOUNCED: Duration = Duration::from_millis(1_200);

/// A stretch ends when a listener has this much to read. It is far below the capacity of a socket,
/// even when the bytes come in many small pieces.
const UNREAD_BYTES_MAX: u64 = 32 * 1024;
const UNREAD_BURSTS_MAX: u64 = 16;

impl Load {
    /// One speaker says `lines` lines at once; when all watched listeners could read them, the next
    /// speaker does the same. Only the time until then counts. After each stretch the load makes
    /// sure that all other listeners have the lines as well.
    pub(crate) fn bursts(&mut self, lines: usize, time: Duration) -> anyhow::Result<Sample> {
        self.receive_until_quiet(CROWD_ANNOUNCED)?;
        let watched: Vec<_> = self.listeners.iter().rev().step_by(WATCHED_OF).copied().collect();
        let burst = self.bytes_of_a_burst(lines, &watched)?;
        let bursts = (UNREAD_BYTES_MAX / burst).clamp(1, UNREAD_BURSTS_MAX);
        let mut sum = Sample::default();
        while sum.seconds < time.as_secs_f64() {
            let meter = Meter::start(&mut self.counts, &self.servers)?;
            for said in 1..=bursts {
                self.say_at_once(said as usize, lines)?;
                self.wait_until_unread(said * burst, &watched)?;
            }
            let stretch = meter.stop(&self.counts)?;
            let deliveries = (bursts as usize * lines * self.listeners.len()) as f64;
            sum = sum.followed_by(Sample { deliveries, ..stretch });
            self.receive_all()?;
        }
        Ok(sum)
    }

    /// The number of bytes that each listener gets, measured after one burst, when no more bytes
    /// come.
    fn bytes_of_a_burst(&mut self, lines: usize, watched: &[ClientId]) -> anyhow::Result<u64> {
        let start = Instant::now();
        let first = *watched.first().context("there is no listener")?;
        self.say_at_once(0, lines)?;
        let (mut bytes, mut before) = (0, 0);
        while bytes == 0 || bytes > before {
            ensure!(start.elapsed() < SILENCE, "{lines} lines have not come within {SILENCE:?}");
            sleep(QUIET);
            before = bytes;
            bytes = self.unread(first)?;
        }
        self.receive_all()?;
        Ok(bytes)
    }

    /// Returns when all watched listeners have this many bytes to read.
    fn wait_until_unread(&mut self, bytes: u64, watched: &[ClientId]) -> anyhow::Result<()> {
        let start = Instant::now();
        for &id in watched {
            while self.unread(id)? < bytes {
                ensure!(
                    start.elapsed() < SILENCE,
                    "listener {id} has not got {bytes} bytes within {SILENCE:?}"
                );
                sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }

    fn say_at_once(&mut self, speaker: usize, lines: usize) -> anyhow::Result<()> {
        for _ in 0..lines {
            self.say(speaker, Instant::now())?;
        }
        self.flush()
    }

    fn unread(&self, id: ClientId) -> anyhow::Result<u64> {
        Ok(ioctl_fionread(self.clients[id].socket()?)?)
    }

    /// Reads until all listeners have every line.
    fn receive_all(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.messages.undone() > 0 {
            for id in 0..self.clients.len() {
                self.receive(id)?;
            }
            ensure!(start.elapsed() < SILENCE, "not all have every line");
        }
        Ok(())
    }
}
