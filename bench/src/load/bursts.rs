//! Bursts: some of the listeners only look how much has come to them, and all read it between two stretches. So the load
//! costs next to nothing, and a server that shares a core with it loses next to nothing.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::ioctl_fionread;
use rustix::process::Pid;

use super::{ClientId, Load, Meter, QUIET, Role, SILENCE, Sample};

/// Between two looks: of each burst so much may be the load's own.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// From the last listener backwards, one of so many is watched. No multiple of the number of cores, by which a server
/// may have divided its clients.
const WATCHED_OF: usize = 15;

/// After so long, those who came in a crowd have been told of.
const CROWD_TOLD: Duration = Duration::from_millis(1_200);

/// A stretch ends when a listener has so much to read: far from what fills a socket, also where bytes come in many
/// small pieces.
const UNREAD_BYTES_MAX: u64 = 32 * 1024;
const UNREAD_BURSTS_MAX: u64 = 16;

const CLOSED: &str = "a listener was closed";

impl Load {
    /// One speaker says so many lines at once; when all listeners who are watched have them, it does so again.
    /// Only the time until they have them is counted. That all others have them as well is seen after each stretch.
    pub(crate) fn bursts(
        &mut self,
        lines: usize,
        time: Duration,
        server: Pid,
    ) -> anyhow::Result<Sample> {
        self.hear_until_quiet(CROWD_TOLD)?;
        let listeners = self.listeners();
        let watched: Vec<ClientId> = listeners
            .iter()
            .rev()
            .step_by(WATCHED_OF)
            .copied()
            .collect();
        self.listen(&listeners, EventFlags::empty())?;
        self.listen(&watched, EventFlags::IN | EventFlags::ET)?;
        let burst = self.bytes_of_a_burst(lines, &watched)?;
        let bursts = (UNREAD_BYTES_MAX / burst).clamp(1, UNREAD_BURSTS_MAX);
        let mut sum = Sample::default();
        while sum.seconds < time.as_secs_f64() {
            let meter = Meter::start(self, server)?;
            let mut unread = vec![0; self.clients.len()];
            for said in 1..=bursts {
                self.burst(lines, said * burst, watched.len(), &mut unread)?;
            }
            let stretch = meter.stop(self)?;
            let deliveries = (bursts as usize * lines * listeners.len()) as f64;
            sum = sum.followed_by(Sample {
                deliveries,
                ..stretch
            });
            self.hear_all()?;
        }
        self.listen(&listeners, EventFlags::IN)?;
        Ok(sum)
    }

    fn listeners(&self) -> Vec<ClientId> {
        let is_listener = |&id: &ClientId| self.clients[id].role == Role::Listener;
        (0..self.clients.len()).filter(is_listener).collect()
    }

    /// Chooses what the kernel tells of these.
    fn listen(&mut self, ids: &[ClientId], what: EventFlags) -> anyhow::Result<()> {
        for &id in ids {
            let socket = self.clients[id].socket.as_ref();
            let data = EventData::new_u64(id as u64);
            epoll::modify(&self.poll, socket.context(CLOSED)?, data, what)?;
        }
        Ok(())
    }

    /// What each listener gets, found out with one burst.
    fn bytes_of_a_burst(&mut self, lines: usize, watched: &[ClientId]) -> anyhow::Result<u64> {
        self.say_at_once(lines)?;
        sleep(QUIET);
        let bytes = self.unread(*watched.first().context("nobody listens")?)?;
        ensure!(
            bytes > 0,
            "the server has not sent {lines} lines within {QUIET:?}"
        );
        self.hear_all()?;
        Ok(bytes)
    }

    /// Returns when all who are watched have so many bytes to read.
    fn burst(
        &mut self,
        lines: usize,
        bytes: u64,
        watched: usize,
        unread: &mut [u64],
    ) -> anyhow::Result<()> {
        self.say_at_once(lines)?;
        let start = Instant::now();
        let mut waiting = watched;
        while waiting > 0 {
            sleep(LOOK_EVERY);
            self.wait(Duration::ZERO, |load, id| {
                if load.clients[id].role != Role::Listener {
                    return load.hear(id);
                }
                if unread[id] < bytes {
                    unread[id] = load.unread(id)?;
                    waiting -= usize::from(unread[id] >= bytes);
                }
                Ok(())
            })?;
            if start.elapsed() > SILENCE {
                bail!("{waiting} listeners have not got {bytes} bytes within {SILENCE:?}");
            }
        }
        Ok(())
    }

    fn say_at_once(&mut self, lines: usize) -> anyhow::Result<()> {
        let speaker = self.next_speaker;
        for _ in 0..lines {
            self.next_speaker = speaker;
            self.say(Instant::now())?;
        }
        self.flush()
    }

    fn unread(&self, id: ClientId) -> anyhow::Result<u64> {
        let socket = self.clients[id].socket.as_ref().context(CLOSED)?;
        Ok(ioctl_fionread(socket)?)
    }

    /// Reads what there is, until all listeners have every line.
    fn hear_all(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.messages.undone() > 0 {
            for id in 0..self.clients.len() {
                self.hear(id)?;
            }
            ensure!(start.elapsed() < SILENCE, "not all have every line");
        }
        Ok(())
    }
}
