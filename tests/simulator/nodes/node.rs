//! One node: it runs, sleeps, dies and starts again from its store.

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use parlor_core::broadcaster::{Broadcaster, Difference, NodeStart, SWITCH_AFTER, Standing};
use parlor_core::ledger::Snapshot;
use parlor_core::link::Inbox;
use parlor_core::model::{Format, Limits, NodeName, NodeProgram, Now, WallTime};

use super::link::StreamLink;
use super::store::Store;
use super::stream::{OLDER, Process, Stream};
use crate::checker::Story;
use crate::record::{House, Record};
use crate::server::Server;
use crate::world::{Said, World};

/// The persons of a node have numbers above those of the node before it.
const PERSONS_MAX: usize = 1 << 16;

pub(crate) struct Node {
    pub(crate) number: usize,
    /// Its name. Another node may have it, too.
    pub(crate) name: NodeName,
    /// The newest format that its program can read.
    pub(crate) newest: Format,
    stream: Arc<Mutex<Stream>>,
    house: Rc<House>,
    limits: Limits,
    /// The size of its largest proposal, in bytes.
    bytes_max: usize,
    /// The ledger is compared at each multiple of this position.
    check_every: u64,
    /// Whether its ledger is wrong.
    pub(crate) is_wrong: bool,
    /// When it has found out what is wrong; none unless it has stopped.
    pub(crate) renewed_at: Option<Duration>,
    /// The running server and its visitors; none while the node is down or stops.
    pub(crate) world: Option<World>,
    /// The server while it stops.
    stopping: Option<World>,
    pub(crate) store: Store,
    /// The position from which this run began.
    pub(crate) start: usize,
    /// How far its clock is ahead, in milliseconds.
    pub(crate) skew: i64,
    /// Until when it does nothing.
    pub(crate) idle_until: Duration,
    /// How often it was started.
    starts: u64,
    /// The number of its last person.
    people: usize,
    /// The stories of its runs that have ended, each with its first position.
    pub(crate) stories: Vec<(usize, Story)>,
    /// The lines that people of those runs said.
    pub(crate) said: Vec<Said>,
}

impl Node {
    pub(crate) fn new(
        (number, name): (usize, NodeName),
        stream: &Arc<Mutex<Stream>>,
        house: &Rc<House>,
        limits: Limits,
        (bytes_max, check_every): (usize, u64),
    ) -> Node {
        Node {
            number,
            name,
            newest: OLDER,
            stream: Arc::clone(stream),
            house: Rc::clone(house),
            limits,
            bytes_max,
            check_every,
            is_wrong: false,
            renewed_at: None,
            world: None,
            stopping: None,
            store: Store::default(),
            start: 0,
            skew: 0,
            idle_until: Duration::ZERO,
            starts: 0,
            people: number * PERSONS_MAX,
            stories: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Whether a process of it is there, which runs or stops.
    pub(crate) fn is_up(&self) -> bool {
        self.world.is_some() || self.stopping.is_some()
    }

    /// The reason why its process has to end; none if it goes on.
    pub(crate) fn why_over(&self) -> Option<Standing> {
        let world = self.world.as_ref().or(self.stopping.as_ref())?;
        let standing = world.server.broadcaster.standing();
        let has_to_stop =
            matches!(standing, Standing::Replaced | Standing::TooOld | Standing::OneTooMany);
        has_to_stop.then_some(standing)
    }

    /// Starts the node with the ledger of its store, and a program that can read this format.
    pub(crate) fn start(&mut self, ledger: Snapshot, newest: Format, rng: Rng) {
        self.newest = newest;
        self.starts += 1;
        self.start = self.store.position;
        let inbox = Arc::new(Inbox::default());
        let link = StreamLink { node: self.number, stream: Arc::clone(&self.stream) };
        let live = ledger.boots.values().filter(|boot| boot.is_live);
        let live = live.map(|boot| boot.node.clone()).collect();
        let nonce = self.starts << 8 | self.number as u64;
        let (node, name, own_inbox) = (self.number, self.name.clone(), Arc::clone(&inbox));
        let process = Process { node, name, nonce, newest, inbox: own_inbox };
        self.stream.lock().unwrap().connect(process, self.start, live);
        let record = Record::starting(&self.house, &ledger);
        let start = NodeStart {
            name: self.name.clone(),
            nonce,
            program: NodeProgram::new("0.1.0", newest).expect("a version"),
            bytes_max: self.bytes_max,
            ledger,
            position: self.start as u64,
            check_every: self.check_every,
            switch_after: SWITCH_AFTER,
        };
        let neighbours = Box::new(link.clone());
        let broadcaster = Broadcaster::one_of_several(inbox, self.limits, start, Box::new(link))
            .with_neighbours(neighbours);
        let server = Server::of_node(broadcaster, record);
        self.world = Some(World::new(rng, server, self.people));
    }

    /// How its ledger differs from that of another node, if it has stopped for that.
    pub(crate) fn difference(&self) -> Option<Difference> {
        match self.world.as_ref()?.server.broadcaster.standing() {
            Standing::Astray(difference) => Some(difference),
            _ => None,
        }
    }

    /// Goes on, because its ledger was right.
    pub(crate) fn go_on(&mut self) {
        self.renewed_at = None;
        if let Some(World { server, .. }) = &mut self.world {
            server.broadcaster.go_on(server.now);
        }
    }

    /// Goes on with this ledger of its position. The connections end, and the story of this run.
    pub(crate) fn begin_anew(&mut self, ledger: Snapshot) {
        (self.is_wrong, self.renewed_at) = (false, None);
        if let Some(world) = self.end_connections() {
            let mut world = world.without_visitors();
            world.server.record = Record::starting(&self.house, &ledger);
            world.server.broadcaster.begin_anew(ledger);
            self.start = world.server.broadcaster.position() as usize;
            self.world = Some(world);
        }
    }

    /// The process dies.
    pub(crate) fn die(&mut self) {
        (self.is_wrong, self.renewed_at) = (false, None);
        self.end_connections();
        self.stopping = None;
        self.stream.lock().unwrap().disconnect(self.number);
        self.store.forget_waiting();
    }

    /// The server is told to stop: it says so to the other nodes, if it can.
    pub(crate) fn stop(&mut self) {
        if let Some(mut world) = self.end_connections() {
            world.server.stop();
            self.stopping = Some(world);
        }
    }

    /// The connections end, and with them the story of this run.
    fn end_connections(&mut self) -> Option<World> {
        let mut world = self.world.take()?;
        world.break_all_off();
        self.people = world.people;
        self.stories.push((self.start, world.story()));
        self.said.push(world.said());
        Some(world)
    }

    /// Lets a server work that stops, until it has told the others.
    pub(crate) fn work_to_stop(&mut self, time: Duration) {
        let now = self.now(time);
        if let Some(world) = &mut self.stopping {
            world.server.now = now;
            world.work();
            if world.has_left() {
                self.die();
            }
        }
    }

    /// The world of the node at this time, if it is awake.
    pub(crate) fn wake(&mut self, time: Duration) -> Option<&mut World> {
        let now = self.now(time);
        let world = self.world.as_mut().filter(|_| self.idle_until <= time)?;
        world.server.now = now;
        Some(world)
    }

    fn now(&self, time: Duration) -> Now {
        Now { monotonic: time, wall: WallTime(time.as_millis() as i64 + self.skew) }
    }

    /// Hands what became visible to the store.
    pub(crate) fn take_visible(&mut self) {
        let position = self.position();
        if let Some(world) = &mut self.world {
            let visible = std::mem::take(&mut world.server.unstored);
            if !visible.is_empty() || position > self.store.position {
                self.store.put(position, visible);
            }
        }
    }

    /// The number of proposals that it has applied; while it is down, of those that are stored.
    pub(crate) fn position(&self) -> usize {
        let applied = |world: &World| world.server.broadcaster.position() as usize;
        self.world.as_ref().map_or(self.store.position, applied)
    }
}
