//! The clients of one server: they connect, receive and leave here.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustix::process::Pid;
use rustix::time::Timespec;

use super::client::{LoadClient, Opening, Role};
use super::messages::{MARK_BYTES, MARKER, Messages, read_mark};
use super::pinned::PinnedServer;
use super::sample::LoadCounts;
use super::tls::LoadTls;
use crate::machine::resident_of_all;
use crate::server::{Protocol, RunningTarget};

/// The number of handshakes that go on in one turn. Each takes some 0.2 ms, in which the load
/// receives nothing: with all of a crowd in one turn it would measure its own absence.
const SHAKEN_AT_ONCE: usize = 64;

/// The index of a client.
pub(crate) type ClientId = usize;

/// Clients of one server, or of several nodes.
pub(crate) struct Load {
    /// The processes of the servers.
    pub(crate) servers: Vec<Pid>,
    /// The servers, which end with their clients; none if a test has them.
    pub(super) running: Vec<RunningTarget>,
    /// The addresses of the servers. Each client connects to the next one.
    doors: Vec<SocketAddr>,
    pub(super) protocol: Protocol,
    /// None for doors without TLS.
    pub(super) pinned: Option<PinnedServer>,
    pub(super) poll: OwnedFd,
    pub(super) clients: Vec<LoadClient>,
    /// Indices of removed clients, for the next ones.
    free: Vec<ClientId>,
    /// The number of rooms that the next clients of IRC enter.
    pub(crate) rooms: usize,
    /// The number of clients that have ever come, which is also the number of the next one.
    pub(crate) come: usize,
    pub(super) speakers: Vec<ClientId>,
    pub(crate) listeners: Vec<ClientId>,
    /// Bystanders who have come and not left, in the order of coming.
    pub(crate) crowd: VecDeque<ClientId>,
    /// The number of clients that are not open yet.
    pub(super) connecting: usize,
    /// The number of clients that have neither received a line nor left.
    pub(crate) outside: usize,
    /// The number of bystanders that the server has disconnected.
    closed_by_server: usize,
    /// When the latest line was said or received, or the latest client connected.
    pub(super) progress: Instant,
    pub(super) dripping: Vec<ClientId>,
    pub(super) next_drip: Instant,
    pub(super) messages: Messages,
    pub(crate) counts: LoadCounts,
    events: Vec<epoll::Event>,
    pub(super) buffer: Box<[u8]>,
}

impl Load {
    /// A load without clients, for servers with these processes and addresses.
    pub(super) fn new(
        servers: Vec<Pid>,
        doors: Vec<SocketAddr>,
        protocol: Protocol,
    ) -> anyhow::Result<Load> {
        Ok(Load {
            servers,
            running: Vec::new(),
            doors,
            protocol,
            pinned: None,
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            free: Vec::new(),
            rooms: 1,
            come: 0,
            speakers: Vec::new(),
            listeners: Vec::new(),
            crowd: VecDeque::new(),
            connecting: 0,
            outside: 0,
            closed_by_server: 0,
            progress: Instant::now(),
            dripping: Vec::new(),
            next_drip: Instant::now(),
            messages: Messages::default(),
            counts: LoadCounts::zero()?,
            events: Vec::with_capacity(1024),
            buffer: vec![0; 256 * 1024].into_boxed_slice(),
        })
    }

    /// Connects one more client. It is in the room when [`settle`](Self::settle) returns.
    pub(crate) fn add(&mut self, role: Role) -> anyhow::Result<ClientId> {
        // Clients are added only between two reads of the events, and a closed socket has no later
        // events. So an event of an earlier client is never mistaken for one of the new client.
        let id = self.free.pop().unwrap_or(self.clients.len());
        let door = self.next_door()?;
        let socket = connect_to(door).with_context(|| format!("client {id} cannot connect"))?;
        let data = EventData::new_u64(id as u64);
        epoll::add(&self.poll, &socket, data, EventFlags::OUT)?;
        let listens = role != Role::Speaker;
        let unsent = self.protocol.hello(door, self.come, listens, self.rooms);
        let tls = self.pinned.as_ref().map(|server| LoadTls::begin(server.connection()?));
        let client = LoadClient {
            socket: Some(socket),
            tls: tls.transpose()?,
            unsent,
            ..LoadClient::new(role, self.come)
        };
        match self.clients.get_mut(id) {
            Some(place) => *place = client,
            None => self.clients.push(client),
        }
        self.come += 1;
        self.connecting += 1;
        self.outside += 1;
        self.progress = Instant::now();
        match role {
            Role::Listener => self.listeners.push(id),
            Role::Speaker => self.speakers.push(id),
            Role::Bystander => self.crowd.push_back(id),
            Role::Stuck | Role::Dripping => {}
        }
        Ok(id)
    }

    /// Connects `count` clients.
    pub(crate) fn add_all(&mut self, role: Role, count: usize) -> anyhow::Result<()> {
        (0..count).try_for_each(|_| self.add(role).map(drop))
    }

    /// The server to which the next client connects.
    pub(super) fn next_door(&self) -> anyhow::Result<SocketAddr> {
        let door = self.come.checked_rem(self.doors.len()).and_then(|door| self.doors.get(door));
        door.copied().context("there is no server")
    }

    /// Closes the connection of the bystander who came first. A later client may get its place.
    pub(crate) fn leave(&mut self) {
        if let Some(id) = self.crowd.pop_front() {
            self.close(id);
            self.free.push(id);
        }
    }

    fn close(&mut self, id: ClientId) {
        let client = &mut self.clients[id];
        if client.socket.take().is_some() {
            self.connecting -= usize::from(client.opening != Opening::Open);
            self.outside -= usize::from(!client.is_inside);
        }
    }

    /// Sends an empty line, so that the server does not disconnect a silent client. Over WebSockets
    /// and IRC the server sends pings instead.
    pub(crate) fn press_enter(&mut self, id: ClientId) -> anyhow::Result<()> {
        if self.protocol.has_pings() {
            return Ok(());
        }
        self.clients[id].unsent.push(b'\n');
        self.clients[id].send_some()
    }

    /// The number of lines that were said.
    pub(crate) fn said(&self) -> u32 {
        self.messages.next()
    }

    /// Bytes of the servers in memory.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        resident_of_all(&self.servers)
    }

    /// The number of bystanders that the server has disconnected.
    pub(super) fn closed_by_server(&self) -> usize {
        self.closed_by_server
    }

    /// Fails if the server has disconnected a bystander.
    pub(crate) fn ensure_all_connected(&self) -> anyhow::Result<()> {
        let closed = self.closed_by_server;
        ensure!(closed == 0, "the server has disconnected {closed} clients");
        Ok(())
    }

    /// Fails if a client has not received a line, and so may not be in the room.
    pub(crate) fn ensure_all_inside(&self) -> anyhow::Result<()> {
        let outside = self.outside;
        ensure!(outside == 0, "{outside} clients are not in the room");
        self.ensure_all_connected()
    }

    /// Sends the waiting bytes of speakers, waits at most this long, and receives all waiting
    /// bytes. Returns the number of clients with events.
    pub(crate) fn turn(&mut self, wait: Duration) -> anyhow::Result<usize> {
        self.flush()?;
        self.drip()?;
        let mut events = std::mem::take(&mut self.events);
        let wait = Timespec::try_from(wait)?;
        let free = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.poll, free, Some(&wait)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let woken = events.len();
        let mut shaken = 0;
        for event in events.drain(..) {
            let id = event.data.u64() as ClientId;
            match self.clients[id].opening {
                Opening::Connecting => self.finish_connecting(id)?,
                Opening::Shaking if shaken == SHAKEN_AT_ONCE => {} // the next turn has it again
                opening => {
                    shaken += usize::from(opening == Opening::Shaking);
                    self.receive(id)?;
                }
            }
        }
        self.events = events;
        Ok(woken)
    }

    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        for &speaker in &self.speakers {
            let client = &mut self.clients[speaker];
            if client.opening == Opening::Open && client.has_unsent() {
                client.send_some().context("a speaker was disconnected")?;
            }
        }
        Ok(())
    }

    fn finish_connecting(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        let Some(socket) = &client.socket else {
            return Ok(()); // left in the meantime
        };
        sockopt::socket_error(socket)?.with_context(|| format!("client {id} cannot connect"))?;
        let data = EventData::new_u64(id as u64);
        epoll::modify(&self.poll, socket, data, EventFlags::IN)?;
        if client.tls.is_none() {
            return self.come_in(id);
        }
        client.opening = Opening::Shaking;
        client.send_some()
    }

    /// Lets a client send its first bytes to the door.
    fn come_in(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        if self.protocol == Protocol::WebSocket {
            client.opening = Opening::Asking;
        } else {
            client.opening = Opening::Open;
            self.connecting -= 1;
        }
        client.send_some()
    }

    /// Receives the waiting bytes of a client.
    pub(super) fn receive(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        if client.socket.is_none() {
            return Ok(()); // left in the meantime
        }
        if matches!(client.role, Role::Stuck | Role::Dripping) {
            // Such a client needs no other event.
            bail!("the server has disconnected client {id}, which was slow");
        }
        let held = client.held.len();
        self.buffer[..held].copy_from_slice(&client.held);
        match client.receive(&mut self.buffer[held..], usize::MAX) {
            Ok((received @ 1.., text)) => {
                self.counts.bytes += received as u64;
                match client.opening {
                    Opening::Shaking => self.shake(id),
                    _ if text == 0 => Ok(()), // a part of a record
                    _ => self.take_in(id, held, text),
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(())
            }
            Ok((0, _)) | Err(_) if client.role == Role::Bystander => {
                self.closed_by_server += 1;
                self.close(id);
                Ok(())
            }
            Ok((0, _)) => bail!("the server has disconnected client {id}"),
            Err(error) => Err(error).with_context(|| format!("client {id} was disconnected")),
        }
    }

    /// Sends the next bytes of a handshake, or after it the first ones to the door.
    fn shake(&mut self, id: ClientId) -> anyhow::Result<()> {
        let client = &mut self.clients[id];
        match client.tls.as_ref().is_some_and(LoadTls::is_shaking) {
            true => client.send_some(),
            false => self.come_in(id),
        }
    }

    /// Takes in the `read` bytes in the buffer that follow those which the client held.
    fn take_in(&mut self, id: ClientId, held: usize, read: usize) -> anyhow::Result<()> {
        let now = Instant::now();
        let client = &mut self.clients[id];
        let bytes = &self.buffer[..held + read];
        if let Some(tally) = &mut client.tally {
            tally.count(&bytes[held..]);
        }
        client.held.clear();
        if client.opening != Opening::Open {
            client.step_in(bytes)?;
            client.send_some()?;
            if client.opening != Opening::Open {
                return Ok(());
            }
            self.connecting -= 1;
        }
        if let Some(pong) = self.protocol.pong(&bytes[held..]) {
            client.unsent.extend_from_slice(pong);
            client.send_some()?;
        }
        self.count_marks(id, held + read, now);
        Ok(())
    }

    /// Counts the lines in the first bytes of the buffer, which a client received at this time.
    fn count_marks(&mut self, id: ClientId, length: usize, now: Instant) {
        let client = &mut self.clients[id];
        let bytes = &self.buffer[..length];
        for place in memchr::memchr_iter(MARKER, bytes) {
            let Some(mark) = bytes.get(place..place + MARK_BYTES) else {
                client.held.extend_from_slice(&bytes[place..]);
                break;
            };
            let Some(number) = read_mark(mark) else {
                continue;
            };
            self.counts.deliveries += 1;
            self.outside -= usize::from(!client.is_inside);
            client.is_inside = true;
            if let Some(story) = &mut client.story {
                story.read(number);
            }
            let is_awaited = match client.role {
                Role::Listener => true,
                Role::Speaker => self.listeners.is_empty() && self.messages.is_of(number, id),
                Role::Bystander | Role::Stuck | Role::Dripping => false,
            };
            if is_awaited && let Some(due) = self.messages.received(number) {
                let latency = now.saturating_duration_since(due).as_nanos() as u64;
                self.counts.latency.saturating_record(latency);
            }
        }
    }
}

/// A socket that is connecting to a server.
fn connect_to(door: SocketAddr) -> anyhow::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
        .context("cannot open another socket: is the limit of descriptors reached?")?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &door) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use rustix::process::getpid;

    use super::*;
    use crate::server::HEAD_END;

    const PONG: &[u8] = &[0x8a, 0x80, 0, 0, 0, 0];

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

    const ENTERED_FRAME: &[u8] = b"\x81\x21{\"kind\":\"entered\",\"room\":\"lobby\"}";

    /// Accepts one client, as the server does.
    fn accept(listener: &TcpListener) -> TcpStream {
        let (mut client, _) = listener.accept().expect("a client connects");
        read_until(&mut client, HEAD_END);
        client.write_all(HEAD).expect("the client waits for the head");
        read_until(&mut client, br#""}"#);
        client.write_all(ENTERED_FRAME).expect("the client waits to enter");
        client
    }

    /// Reads from a client until it has sent this.
    fn read_until(client: &mut TcpStream, end: &[u8]) {
        let mut received = Vec::new();
        while !received.ends_with(end) {
            let mut byte = [0];
            client.read_exact(&mut byte).expect("the client sends more");
            received.extend(byte);
        }
    }

    #[test]
    fn lines_are_received_and_pings_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let mut clients = [accept(&listener), accept(&listener)];
            let mut head = [0; 6]; // with the mask, which is zero
            while clients[0].read_exact(&mut head).is_ok() {
                let length = head[1] & 0x7f;
                let mut payload = vec![0; length.into()];
                clients[0].read_exact(&mut payload).expect("the client sends the payload");
                let frame = [&[0x81, length], &payload[..]].concat();
                for client in &mut clients {
                    client.write_all(&[0x89, 0]).expect("the client is connected");
                    client.write_all(&frame).expect("the client is connected");
                }
                clients.iter_mut().for_each(|client| read_until(client, PONG));
            }
        });
        let mut load =
            Load::new(vec![getpid()], vec![address], Protocol::WebSocket).expect("there is epoll");
        load.add(Role::Speaker).expect("there is a socket");
        load.connect_all().expect("the speaker enters");
        load.add(Role::Listener).expect("there is a socket");
        load.settle().expect("both receive a line");
        load.say_lines(3, 1).expect("both receive three more");
        drop(load);
        server.join().expect("each ping was answered");
    }
}
