//! The talk of a load's speakers: until everybody is in the room, in the closed loop, and in the
//! open loop.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use super::client::Role;
use super::clients::Load;
use super::messages::text;
use super::pinned::PinnedServer;
use super::sample::{Meter, Sample};
use crate::machine::waiting_to_be_accepted;
use crate::server::{Protocol, RunningTarget, Target};

/// The number of clients that connect at a time: some servers let only ten wait to be accepted, and
/// one more would try again only after a second.
const CONNECT_AT_ONCE: usize = 8;

/// How long the load waits for a server to accept them; the roll call shows whether it has.
const ACCEPT_TIME: Duration = Duration::from_secs(5);

/// How long the load waits without any progress before it gives up.
pub(super) const SILENCE: Duration = Duration::from_secs(20);

/// How long one turn waits for anything to receive.
const TURN: Duration = Duration::from_millis(20);

/// A line is sent again after this long (longer if the server is slow), until all listeners have
/// received it and so are in the room.
const ROLL_CALL: Duration = Duration::from_millis(250);

/// A client that is in the room and receives nothing for this long has received everything.
pub(super) const QUIET: Duration = Duration::from_millis(100);

/// How long a server may take until it is quiet.
const QUIET_WITHIN: Duration = Duration::from_secs(240);

/// In a closed loop, server and load together use more of a core than this, unless the server waits
/// ...
const IDLE: f64 = 0.1;

/// ... and if it accepts fewer lines a second than this from each speaker, it waits on purpose.
const HELD_BACK: f64 = 5.0;

impl Load {
    /// A server on these cores, and the load for it: listeners and speakers, all of them in its
    /// first room.
    pub(crate) fn fill(
        target: &Target,
        cores: &[usize],
        [listeners, speakers]: [usize; 2],
    ) -> anyhow::Result<Load> {
        Load::around(target.start(cores)?, target)?.join([listeners, speakers])
    }

    /// A load without clients for a running server, which ends with it.
    pub(crate) fn around(server: RunningTarget, target: &Target) -> anyhow::Result<Load> {
        let pinned = target.is_encrypted.then(|| PinnedServer::with(&target.config));
        let mut load = Load::of(vec![server], target.protocol)?;
        load.pinned = pinned.transpose()?;
        Ok(load)
    }

    /// The load for running servers, which are nodes of one house if there are several: listeners and
    /// speakers, all of them in the first room.
    pub(crate) fn fill_all(
        servers: Vec<RunningTarget>,
        protocol: Protocol,
        [listeners, speakers]: [usize; 2],
    ) -> anyhow::Result<Load> {
        Load::of(servers, protocol)?.join([listeners, speakers])
    }

    /// A load without clients for running servers, which end with it.
    fn of(servers: Vec<RunningTarget>, protocol: Protocol) -> anyhow::Result<Load> {
        let processes = servers.iter().map(RunningTarget::process).collect();
        let doors = servers.iter().map(|server| server.address).collect();
        let mut load = Load::new(processes, doors, protocol)?;
        load.running = servers;
        Ok(load)
    }

    fn join(mut self, [listeners, speakers]: [usize; 2]) -> anyhow::Result<Load> {
        let load = &mut self;
        load.add_all(Role::Speaker, speakers)?;
        for listener in 0..listeners {
            if listener % CONNECT_AT_ONCE == 0 {
                load.wait_until_accepted()?;
            }
            load.add(Role::Listener)?;
        }
        load.settle()?;
        Ok(self)
    }

    fn wait_until_accepted(&mut self) -> anyhow::Result<()> {
        self.connect_all()?;
        let port = self.next_door()?.port();
        let until = Instant::now() + ACCEPT_TIME;
        while waiting_to_be_accepted(port)? > Some(0) && Instant::now() < until {
            self.turn(Duration::from_millis(1))?;
        }
        Ok(())
    }

    /// Waits until everybody is in the room, that is, until all listeners have received a line of
    /// each speaker; without listeners, each speaker one of its own.
    pub(crate) fn settle(&mut self) -> anyhow::Result<()> {
        self.connect_all()?;
        for speaker in 0..self.speakers.len() {
            self.call_the_roll(speaker)?;
        }
        self.receive_until_quiet(QUIET)?;
        Ok(())
    }

    /// Waits until all clients are connected, and with WebSockets also in a room.
    pub(super) fn connect_all(&mut self) -> anyhow::Result<()> {
        while self.connecting > 0 {
            self.turn_or_give_up()?;
        }
        Ok(())
    }

    /// Lets one speaker repeat a line until all listeners have received the same one. Gives up when
    /// no line has reached more listeners than earlier ones for a long time.
    fn call_the_roll(&mut self, speaker: usize) -> anyhow::Result<()> {
        let start = Instant::now();
        let (mut better, mut fewest) = (start, usize::MAX);
        while better.elapsed() < SILENCE {
            self.messages.forget();
            self.say(speaker, Instant::now())?;
            let called = Instant::now();
            let patience = ROLL_CALL.max(start.elapsed() / 4); // for a slow server
            while called.elapsed() < patience {
                self.turn(TURN)?;
                if self.messages.undone() == 0 {
                    return Ok(());
                }
            }
            if self.messages.missing() < fewest {
                fewest = self.messages.missing();
                better = Instant::now();
            }
        }
        bail!("{fewest} of {} listeners receive nothing", self.listeners.len())
    }

    /// Receives until all clients are connected and nothing has come for `quiet`. Returns when the
    /// last bytes came.
    pub(crate) fn receive_until_quiet(&mut self, quiet: Duration) -> anyhow::Result<Instant> {
        let start = Instant::now();
        let mut last = start;
        while self.connecting > 0 || last.elapsed() < quiet {
            if self.turn(TURN)? > 0 {
                last = Instant::now();
            }
            ensure!(
                start.elapsed() < QUIET_WITHIN,
                "the server is not quiet after {QUIET_WITHIN:?}"
            );
        }
        Ok(last)
    }

    /// Says `count` lines, `window` of them on their way at once, until all listeners have them.
    pub(crate) fn say_lines(&mut self, count: u32, window: usize) -> anyhow::Result<()> {
        let end = self.said() + count;
        self.keep_on_their_way(window, |load| load.said() < end)?;
        self.finish()
    }

    /// The mean number of bytes in which a client receives a line, of this many lines that come one
    /// by one.
    pub(crate) fn bytes_of_a_line(&mut self, lines: u32) -> anyhow::Result<f64> {
        let meter = Meter::start(&mut self.counts, &self.servers)?;
        self.say_lines(lines, 1)?;
        Ok(meter.stop(&self.counts)?.size())
    }

    /// Closed loop: keeps `window` lines on their way for this long; a line is done when all
    /// listeners have it, or without listeners its own speaker. The first eighth of the time is not
    /// counted.
    pub(crate) fn closed(&mut self, window: usize, time: Duration) -> anyhow::Result<Sample> {
        let until = |end: Instant| move |_: &Load| Instant::now() < end;
        self.keep_on_their_way(window, until(Instant::now() + time / 8))?;
        let (meter, before) = (Meter::start(&mut self.counts, &self.servers)?, self.said());
        self.keep_on_their_way(window, until(Instant::now() + time))?;
        self.finish()?;
        let lines = f64::from(self.said() - before);
        let sample = Sample { lines, ..meter.stop(&self.counts)? };
        let is_idle = sample.load_share() + sample.server_share() < IDLE;
        let is_held_back = is_idle && sample.line_rate() < HELD_BACK * self.speakers.len() as f64;
        Ok(Sample { is_held_back, ..sample })
    }

    /// Keeps `window` lines on their way as long as `goes_on` says so.
    fn keep_on_their_way(
        &mut self,
        window: usize,
        goes_on: impl Fn(&Load) -> bool,
    ) -> anyhow::Result<()> {
        while goes_on(self) {
            if self.messages.undone() < window {
                self.say_next(Instant::now())?;
            } else {
                self.turn_or_give_up()?;
            }
        }
        Ok(())
    }

    /// Open loop: says `rate` lines a second by the clock, whether or not earlier ones are done.
    /// After each turn `step` does other work, until it returns false. Latency counts from the time
    /// when a line was due, so a server that stalls cannot hide it.
    pub(crate) fn open(
        &mut self,
        rate: f64,
        mut step: impl FnMut(&mut Load, Duration) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Sample> {
        let meter = Meter::start(&mut self.counts, &self.servers)?;
        let start = Instant::now();
        let due = |said: u32| start + Duration::from_secs_f64(f64::from(said) / rate);
        let mut said = 0;
        let mut looked = start;
        while step(self, start.elapsed())? {
            while due(said) <= Instant::now() {
                self.say_next(due(said))?;
                said += 1;
            }
            let next = due(said).saturating_duration_since(Instant::now());
            self.turn(next.min(Duration::from_millis(1)))?;
            self.counts.away = self.counts.away.max(looked.elapsed());
            looked = Instant::now();
        }
        self.finish()?;
        meter.stop(&self.counts)
    }

    /// Waits until all listeners have every line.
    fn finish(&mut self) -> anyhow::Result<()> {
        while self.messages.undone() > 0 {
            self.turn_or_give_up()?;
        }
        Ok(())
    }

    /// One speaker after the other says a line that was due at this time.
    fn say_next(&mut self, due: Instant) -> anyhow::Result<()> {
        self.say(self.messages.next() as usize, due)
    }

    /// A speaker says a line that was due at this time. It is sent with the next turn.
    pub(super) fn say(&mut self, speaker: usize, due: Instant) -> anyhow::Result<()> {
        let speaker = self.speakers[speaker % self.speakers.len()];
        let number = self.messages.add(due, speaker, self.listeners.len().max(1))?;
        self.protocol.say(text(number).as_bytes(), &mut self.clients[speaker].unsent);
        self.progress = Instant::now();
        Ok(())
    }

    /// One turn. Gives up if for a long time no line has come and no client has connected: a server
    /// that has skipped lines still sends pings.
    fn turn_or_give_up(&mut self) -> anyhow::Result<()> {
        let before = (self.counts.deliveries, self.connecting);
        self.turn(TURN)?;
        if (self.counts.deliveries, self.connecting) != before {
            self.progress = Instant::now();
        }
        ensure!(
            self.progress.elapsed() < SILENCE,
            "nothing came for {SILENCE:?}, while not all {} listeners had {} lines, and {} clients \
             were not connected",
            self.listeners.len(),
            self.messages.undone(),
            self.connecting
        );
        Ok(())
    }
}
