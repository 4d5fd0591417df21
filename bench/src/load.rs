//! The load: many clients of one server in one thread, and what they see. Knows no server but by its dialect.
//!
//! One epoll, large reads, and a search for a marker instead of a parse: so that it costs less than what it measures.

mod bursts;
mod messages;
mod opening;
mod sample;
mod slow;
mod tally;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send,
    socket_with, sockopt,
};
use rustix::process::Pid;
use rustix::time::Timespec;

use crate::target::Dialect;
use crate::websocket::{PONG, is_pinged};
use messages::{MARK_BYTES, MARKER, Messages, read_mark, text};
use opening::Stage;
pub(crate) use sample::{Meter, Sample, is_bound_by_load};
pub(crate) use tally::Tally;

/// Whatever is waited for, with nothing heard for this long, does not come any more.
const SILENCE: Duration = Duration::from_secs(20);

/// Nanoseconds: whatever takes longer counts as this.
const LATENCY_MAX: u64 = 120_000_000_000;

/// Everybody is told again after this long, or longer where a server takes its time, until all have
/// heard it and so are in the room.
const ROLL_CALL: Duration = Duration::from_millis(250);

/// Whoever is in the room and hears nothing for this long has heard all that was on its way.
const QUIET: Duration = Duration::from_millis(100);

/// A server that is still not quiet after this long is not going to be.
const QUIET_WITHIN: Duration = Duration::from_secs(240);

/// One address has so many ports, and a few are taken.
const PORTS_PER_ADDRESS: usize = 25_000;

/// A client's place among all.
pub(crate) type ClientId = usize;

/// What a client is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A line is done when all of these have it.
    Listener,
    /// Says the lines; what it hears counts as delivered, and nobody waits for it.
    Speaker,
    /// Hears, comes and goes; nobody waits for it.
    Bystander,
    /// A listener that has stopped reading.
    Stuck,
    /// A listener that has begun to read far too slowly.
    Dripping,
}

struct Client {
    /// None when it has left, or was closed.
    socket: Option<OwnedFd>,
    role: Role,
    /// So many had come before it: what it is called after.
    number: usize,
    stage: Stage,
    /// It has heard a line, hence is in the room.
    is_inside: bool,
    /// The beginning of a marker whose end has not been read; until it is open, of an answer.
    held: Vec<u8>,
    /// Not taken by the socket yet.
    unsent: Vec<u8>,
    /// What came since it stood still or dripped.
    tally: Option<Tally>,
}

/// Clients of one server.
pub(crate) struct Load {
    address: SocketAddr,
    dialect: Dialect,
    poll: OwnedFd,
    clients: Vec<Client>,
    /// Places of those who have been removed, for those who come next.
    free: Vec<ClientId>,
    /// So many have come, ever: the next one's name.
    come: usize,
    speakers: Vec<ClientId>,
    next_speaker: usize,
    listeners: usize,
    /// So many are not open yet.
    connecting: usize,
    outside: usize,
    closed_by_server: usize,
    dripping: Vec<ClientId>,
    next_drip: Instant,
    messages: Messages,
    latency: Histogram<u64>,
    /// In the open loop, the longest time between two looks at what there is to hear.
    away: Duration,
    deliveries: u64,
    bytes: u64,
    events: Vec<epoll::Event>,
    buffer: Box<[u8]>,
}

impl Load {
    pub(crate) fn new(address: SocketAddr, dialect: Dialect) -> anyhow::Result<Load> {
        Ok(Load {
            address,
            dialect,
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            free: Vec::new(),
            come: 0,
            speakers: Vec::new(),
            next_speaker: 0,
            listeners: 0,
            connecting: 0,
            outside: 0,
            closed_by_server: 0,
            dripping: Vec::new(),
            next_drip: Instant::now(),
            messages: Messages::default(),
            latency: Histogram::new_with_bounds(1, LATENCY_MAX, 3)?,
            away: Duration::ZERO,
            deliveries: 0,
            bytes: 0,
            events: Vec::with_capacity(1024),
            buffer: vec![0; 256 * 1024].into_boxed_slice(),
        })
    }

    /// Lets one more client come. It is there when [`settle`](Self::settle) says so.
    pub(crate) fn add(&mut self, role: Role) -> anyhow::Result<ClientId> {
        // Nobody comes while events are looked at, and a closed socket has none afterwards: so no
        // event for the one who had this place before is taken for the new one's.
        let id = self.free.pop().unwrap_or(self.clients.len());
        let socket = self.connect(id)?;
        epoll::add(
            &self.poll,
            &socket,
            EventData::new_u64(id as u64),
            EventFlags::OUT,
        )?;
        let client = Client {
            socket: Some(socket),
            role,
            number: self.come,
            stage: Stage::Connecting,
            is_inside: false,
            held: Vec::new(),
            unsent: self
                .dialect
                .hello(self.address, self.come, role != Role::Speaker),
            tally: None,
        };
        match self.clients.get_mut(id) {
            Some(place) => *place = client,
            None => self.clients.push(client),
        }
        self.come += 1;
        self.connecting += 1;
        self.outside += 1;
        match role {
            Role::Listener => self.listeners += 1,
            Role::Speaker => self.speakers.push(id),
            Role::Bystander | Role::Stuck | Role::Dripping => {}
        }
        Ok(id)
    }

    /// Lets so many come.
    pub(crate) fn add_all(&mut self, role: Role, count: usize) -> anyhow::Result<Vec<ClientId>> {
        (0..count).map(|_| self.add(role)).collect()
    }

    fn connect(&self, id: ClientId) -> anyhow::Result<OwnedFd> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
            .context("cannot open another socket: is the limit of descriptors reached?")?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if id >= PORTS_PER_ADDRESS {
            let last = 1 + (id / PORTS_PER_ADDRESS) as u8;
            let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, last));
            bind(&socket, &SocketAddr::new(address, 0))?;
        }
        match connect(&socket, &self.address) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(error) => Err(error).with_context(|| format!("client {id} cannot connect")),
        }
    }

    /// Lets a bystander go without a word. Its place may be another one's from now on.
    pub(crate) fn remove(&mut self, id: ClientId) {
        self.close(id);
        self.free.push(id);
    }

    fn close(&mut self, id: ClientId) {
        let client = &mut self.clients[id];
        if client.socket.take().is_some() {
            self.connecting -= usize::from(client.stage != Stage::Open);
            self.outside -= usize::from(!client.is_inside);
        }
    }

    /// An empty line, which shows that somebody is there; pings ask others for that.
    pub(crate) fn press_enter(&mut self, id: ClientId) -> anyhow::Result<()> {
        if self.dialect == Dialect::WebSocket {
            return Ok(());
        }
        self.clients[id].unsent.push(b'\n');
        self.clients[id].send_some()
    }

    /// Bytes received by all.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines said.
    pub(crate) fn said(&self) -> u32 {
        self.messages.next()
    }

    /// Clients who have come, ever.
    pub(crate) fn come(&self) -> usize {
        self.come
    }

    /// Clients who have not heard a line yet, nor gone.
    pub(crate) fn outside(&self) -> usize {
        self.outside
    }

    /// Bystanders whose connection the server has ended.
    pub(crate) fn closed_by_server(&self) -> usize {
        self.closed_by_server
    }

    /// Waits until everybody is in the room: until all listeners, of whom there is one at least, have
    /// heard a line of each speaker.
    pub(crate) fn settle(&mut self) -> anyhow::Result<()> {
        self.connect_all()?;
        for speaker in 0..self.speakers.len() {
            self.call_the_roll(speaker)?;
        }
        self.hear_until_quiet(QUIET)?;
        self.latency.reset();
        Ok(())
    }

    /// Waits until all who came are connected, and through the web door also let in.
    pub(crate) fn connect_all(&mut self) -> anyhow::Result<()> {
        let mut heard = Instant::now();
        while self.connecting > 0 {
            self.turn_or_give_up(&mut heard)?;
        }
        Ok(())
    }

    /// Lets one speaker say a line again and again, until all listeners have heard the same. Gives
    /// up when a line is heard by no more than the one before, for long.
    fn call_the_roll(&mut self, speaker: usize) -> anyhow::Result<()> {
        let start = Instant::now();
        let (mut heard, mut better) = (start, start);
        let mut fewest = usize::MAX;
        while better.elapsed() < SILENCE {
            self.messages.forget();
            self.next_speaker = speaker;
            self.say(Instant::now())?;
            let called = Instant::now();
            let patience = ROLL_CALL.max(start.elapsed() / 4); // for a server that takes its time
            while called.elapsed() < patience {
                self.turn_or_give_up(&mut heard)?;
                if self.messages.undone() == 0 {
                    return Ok(());
                }
            }
            if self.messages.missing() < fewest {
                fewest = self.messages.missing();
                better = Instant::now();
            }
        }
        bail!("{fewest} of {} listeners hear nothing", self.listeners)
    }

    /// Hears what is still on its way to anybody, until all are connected and nothing has come for
    /// so long. When the last of it came.
    pub(crate) fn hear_until_quiet(&mut self, quiet: Duration) -> anyhow::Result<Instant> {
        let start = Instant::now();
        let mut last = start;
        while self.connecting > 0 || last.elapsed() < quiet {
            self.turn_or_give_up(&mut last)?;
            if start.elapsed() > QUIET_WITHIN {
                bail!("the server is not quiet after {QUIET_WITHIN:?}");
            }
        }
        Ok(last)
    }

    /// Says so many lines, `window` of them under way at once, until all listeners have them.
    pub(crate) fn say_lines(&mut self, count: u32, window: usize) -> anyhow::Result<()> {
        let mut heard = Instant::now();
        for _ in 0..count {
            self.say(Instant::now())?;
            while self.messages.undone() >= window {
                self.turn_or_give_up(&mut heard)?;
            }
        }
        self.finish()
    }

    /// Closed loop: keeps `window` lines under way for so long; a line is done when all listeners
    /// have it. A first eighth of the time is not counted.
    pub(crate) fn closed(
        &mut self,
        window: usize,
        time: Duration,
        server: Pid,
    ) -> anyhow::Result<Sample> {
        self.keep_under_way(window, time / 8)?;
        let meter = Meter::start(self, server)?;
        self.keep_under_way(window, time)?;
        self.finish()?;
        meter.stop(self)
    }

    fn keep_under_way(&mut self, window: usize, time: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + time;
        let mut heard = Instant::now();
        while Instant::now() < until {
            while self.messages.undone() < window {
                self.say(Instant::now())?;
            }
            self.turn_or_give_up(&mut heard)?;
        }
        Ok(())
    }

    /// Open loop: says `rate` lines a second by the clock, whether or not they are done, and after
    /// each turn lets `step` do what else is to be done, until that says that it is over. Latency
    /// counts from when a line was due: so a server that stalls cannot hide it.
    pub(crate) fn open(
        &mut self,
        rate: f64,
        server: Pid,
        mut step: impl FnMut(&mut Load, Duration) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Sample> {
        let meter = Meter::start(self, server)?;
        let start = Instant::now();
        let due = |said: u32| start + Duration::from_secs_f64(f64::from(said) / rate);
        let mut said = 0;
        let mut looked = start;
        while step(self, start.elapsed())? {
            while due(said) <= Instant::now() {
                self.say(due(said))?;
                said += 1;
            }
            let next = due(said).saturating_duration_since(Instant::now());
            self.turn(next.min(Duration::from_millis(1)))?;
            self.away = self.away.max(looked.elapsed());
            looked = Instant::now();
        }
        self.finish()?;
        meter.stop(self)
    }

    /// Waits until all listeners have every line.
    fn finish(&mut self) -> anyhow::Result<()> {
        let mut heard = Instant::now();
        while self.messages.undone() > 0 {
            self.turn_or_give_up(&mut heard)?;
        }
        Ok(())
    }

    /// The next speaker says a line that was due then. It is sent with the next turn.
    fn say(&mut self, due: Instant) -> anyhow::Result<()> {
        let number = self.messages.add(due, self.listeners)?;
        let speaker = self.speakers[self.next_speaker % self.speakers.len()];
        self.next_speaker += 1;
        self.dialect
            .say(&text(number), &mut self.clients[speaker].unsent);
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        for &speaker in &self.speakers {
            let client = &mut self.clients[speaker];
            if client.stage == Stage::Open && !client.unsent.is_empty() {
                client.send_some().context("a speaker was closed")?;
            }
        }
        Ok(())
    }

    fn turn_or_give_up(&mut self, heard: &mut Instant) -> anyhow::Result<()> {
        if self.turn(Duration::from_millis(20))? > 0 {
            *heard = Instant::now();
        } else if heard.elapsed() > SILENCE {
            bail!(
                "nothing came for {SILENCE:?}, with {} lines not heard by all {} listeners and {} clients not connected",
                self.messages.undone(),
                self.listeners,
                self.connecting
            );
        }
        Ok(())
    }

    /// Waits at most so long, and hears what there is. How many clients there was something for.
    pub(crate) fn turn(&mut self, wait: Duration) -> anyhow::Result<usize> {
        self.flush()?;
        self.drip()?;
        self.wait(wait, |load, id| {
            if load.clients[id].stage == Stage::Connecting {
                load.arrive(id)
            } else {
                load.hear(id)
            }
        })
    }

    /// Waits at most so long for clients there is something for, and says how many that were.
    fn wait(
        &mut self,
        wait: Duration,
        mut each: impl FnMut(&mut Load, ClientId) -> anyhow::Result<()>,
    ) -> anyhow::Result<usize> {
        let mut events = std::mem::take(&mut self.events);
        let wait = Timespec::try_from(wait)?;
        let free = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.poll, free, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woken = events.len();
        for event in events.drain(..) {
            each(self, event.data.u64() as ClientId)?;
        }
        self.events = events;
        Ok(woken)
    }

    fn arrive(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        let Some(socket) = &client.socket else {
            return Ok(()); // left in the meantime
        };
        sockopt::socket_error(socket)?.with_context(|| format!("client {id} cannot connect"))?;
        let data = EventData::new_u64(id as u64);
        epoll::modify(&self.poll, socket, data, EventFlags::IN)?;
        if self.dialect == Dialect::WebSocket {
            client.stage = Stage::Asking;
        } else {
            client.stage = Stage::Open;
            self.connecting -= 1;
        }
        client.send_some()
    }

    fn hear(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        let Some(socket) = &client.socket else {
            return Ok(()); // left in the meantime
        };
        if matches!(client.role, Role::Stuck | Role::Dripping) {
            bail!("the server has closed client {id}, which stood still"); // it waits for nothing else
        }
        let held = client.held.len();
        self.buffer[..held].copy_from_slice(&client.held);
        let read = match recv(socket, &mut self.buffer[held..], RecvFlags::empty()) {
            Ok((read @ 1.., _)) => read,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Ok((0, _)) | Err(_) if client.role == Role::Bystander => {
                self.closed_by_server += 1;
                self.close(id);
                return Ok(());
            }
            Ok((0, _)) => bail!("the server has closed client {id}"),
            Err(error) => return Err(error).with_context(|| format!("client {id} was closed")),
        };
        let now = Instant::now();
        self.bytes += read as u64;
        let bytes = &self.buffer[..held + read];
        if let Some(tally) = &mut client.tally {
            tally.hear(&bytes[held..]);
        }
        client.held.clear();
        if client.stage != Stage::Open {
            client.step_in(bytes)?;
            client.send_some()?;
            if client.stage != Stage::Open {
                return Ok(());
            }
            self.connecting -= 1;
        }
        if self.dialect == Dialect::WebSocket && is_pinged(&bytes[held..]) {
            client.unsent.extend_from_slice(&PONG);
            client.send_some()?;
        }
        for place in memchr::memchr_iter(MARKER, bytes) {
            let Some(mark) = bytes.get(place..place + MARK_BYTES) else {
                client.held.extend_from_slice(&bytes[place..]);
                break;
            };
            let Some(number) = read_mark(mark) else {
                continue;
            };
            self.deliveries += 1;
            self.outside -= usize::from(!client.is_inside);
            client.is_inside = true;
            if client.role == Role::Listener
                && let Some(due) = self.messages.heard(number)
            {
                let latency = now.saturating_duration_since(due).as_nanos() as u64;
                self.latency.saturating_record(latency);
            }
        }
        Ok(())
    }
}

impl Client {
    fn send_some(&mut self) -> anyhow::Result<()> {
        let Some(socket) = &self.socket else {
            bail!("it has left");
        };
        match send(socket, &self.unsent, SendFlags::NOSIGNAL) {
            Ok(sent) => drop(self.unsent.drain(..sent)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if self.unsent.is_empty() && self.role != Role::Speaker {
            self.unsent = Vec::new();
        }
        Ok(())
    }
}
