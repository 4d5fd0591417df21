//! The simulated server: the real broadcaster, run as its task runs it, with a journal that is
//! slow, fails, and records everything.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use parlor_core::broadcaster::{Broadcaster, Gathered, Standing};
use parlor_core::journal::NotStored;
use parlor_core::ledger::{Ledger, OwnerVisit, Snapshot};
use parlor_core::link::{AccountChange, Change, Client, Inbox, Link};
use parlor_core::log::Batch;
use parlor_core::model::{
    Act, Capacity, Hashed, Limits, Name, Now, PersonId, Proof, RoomName, WallTime,
};
use parlor_wire::pack::NEWEST;
use parlor_wire::pack::snapshot::{pack, unpack};

use crate::checker::OWNED;
use crate::order::Order;
use crate::record::Record;
use crate::shared_group::SharedGroup;

/// A commit that takes longer is announced to the people who wait for it.
const COMMIT_SLOW: Duration = Duration::from_secs(2);

pub(crate) struct Server {
    pub(crate) broadcaster: Broadcaster,
    /// The ledger of another process that follows the same order; none beside other nodes, where
    /// the rules over all nodes compare ledgers.
    second: Option<Arc<Mutex<Ledger>>>,
    /// Groups, which several people share, like the cores of a machine.
    groups: [Rc<SharedGroup>; 3],
    pub(crate) now: Now,
    /// Whether anybody can connect: its first boot has begun. Its doors stay open from then on.
    pub(crate) is_open: bool,
    under_way: Option<UnderWay>,
    /// The version of the inbox's bell before all work was done. Until it rings, or something is
    /// due, there is no work. So the simulator notices a request without a ring.
    asleep: Option<u64>,
    /// Whether commits take time.
    is_slow: bool,
    /// Whether a commit has failed.
    pub(crate) has_failed: bool,
    /// Whether commits can fail.
    pub(crate) is_faulty: bool,
    /// Beside other nodes: batches that are visible and not stored yet.
    pub(crate) unstored: Vec<Arc<Batch>>,
    pub(crate) record: Record,
    /// The connection of somebody who comes while it stops.
    late: Option<Link>,
}

struct UnderWay {
    gathered: Gathered,
    until: Duration,
    /// When to announce that the commit is slow; none after the announcement.
    slow_at: Option<Duration>,
    kept: Result<(), NotStored>,
}

/// The address of this person, by the simulator's number.
pub(crate) fn address(person: usize) -> SocketAddr {
    let [_, node, high, low] = (person as u32).to_be_bytes();
    (Ipv4Addr::new(10, node, high, low), 4_000).into()
}

/// Small limits, which are reached quickly.
pub(crate) fn small_limits(rooms_max: usize, rng: &mut Rng) -> Limits {
    let log = Capacity { lines: rng.usize(1..64), bytes: rng.usize(1_000..30_000) };
    let mut limits = Limits {
        rooms: rng.usize(1..=rooms_max),
        log,
        logs_bytes: rng.usize(2_000..60_000),
        ..Limits::default()
    };
    if rng.bool() {
        limits.batch_entries = rng.usize(1..40);
        limits.batch_bytes = rng.usize(1..4_000);
    }
    limits
}

impl Server {
    /// A server without other nodes.
    pub(crate) fn alone(limits: Limits) -> Server {
        let order = Order::default();
        let second = Arc::clone(&order.second);
        let broadcaster = Broadcaster::new(Arc::new(Inbox::default()), limits);
        let broadcaster = broadcaster.with_sequencer(Box::new(order));
        let server = Server::of_node(broadcaster, Record::default());
        let mut server = Server { second: Some(second), ..server };
        server.register(OWNED);
        server.step(&mut Rng::with_seed(0));
        Server { is_slow: true, is_faulty: true, ..server }
    }

    /// One of several nodes. Its commits are done when they begin, as its journal follows later.
    pub(crate) fn of_node(broadcaster: Broadcaster, record: Record) -> Server {
        Server {
            broadcaster,
            second: None,
            groups: Default::default(),
            now: Now::default(),
            is_open: false,
            under_way: None,
            asleep: None,
            is_slow: false,
            has_failed: false,
            is_faulty: false,
            unstored: Vec::new(),
            record,
            late: None,
        }
    }

    /// Whether it has told the other nodes that it stops. Then everybody gets an outcome when it
    /// works once more.
    pub(crate) fn has_left(&mut self, rng: &mut Rng) -> bool {
        let has_left = self.broadcaster.standing() == Standing::Left;
        if let Some(mut link) = self.late.take_if(|_| has_left) {
            self.asleep = None;
            self.step(rng);
            assert!(link.outcome().is_some(), "somebody waits for an outcome");
        }
        has_left
    }

    /// Connects this person, by the simulator's number.
    pub(crate) fn connect(&mut self, person: usize) -> (Link, Rc<SharedGroup>) {
        let shared = Rc::clone(&self.groups[person % self.groups.len()]);
        let inbox = self.broadcaster.inbox();
        // Alone, everybody may make as many rooms as anybody.
        let address = self.second.is_none().then(|| address(person));
        let link = inbox.connect_from(address, |_| Arc::clone(&shared.group));
        (link, shared)
    }

    /// From now on the record attributes the client's actions in rooms to this person.
    pub(crate) fn know(&mut self, client: &Client, person: usize) {
        let before = self.record.house.persons.borrow_mut().insert(client.id(), person);
        assert_eq!(before, None, "somebody else has the number {:?}", client.id());
    }

    /// Does the same as the broadcaster's task when it is woken. Returns whether it was woken.
    pub(crate) fn step(&mut self, rng: &mut Rng) -> bool {
        let version = self.broadcaster.inbox().bell().version();
        let is_due = self.due().is_some_and(|due| due <= self.now.monotonic);
        if self.asleep == Some(version) && !is_due {
            return false;
        }
        self.asleep = Some(version);
        self.finish_commit();
        self.broadcaster.tick(self.now);
        self.broadcaster.drain(self.now);
        if self.under_way.is_none() {
            self.begin_commit(rng);
        }
        self.is_open |= matches!(self.broadcaster.standing(), Standing::Alone | Standing::InTouch);
        let census = self.broadcaster.census();
        assert_eq!(census.logs_bytes, census.logs_bytes_counted, "{census:?}");
        self.compare_ledgers(rng);
        true
    }

    /// The time at which work is due without a request.
    pub(crate) fn due(&self) -> Option<Duration> {
        let commit = self.under_way.as_ref();
        let commit = commit.map(|commit| commit.slow_at.unwrap_or(commit.until).min(commit.until));
        commit.into_iter().chain(self.broadcaster.deadline()).min()
    }

    fn finish_commit(&mut self) {
        let Some(mut commit) = self.under_way.take() else {
            return;
        };
        if commit.until <= self.now.monotonic {
            self.append(commit.gathered, commit.kept);
            return;
        }
        if commit.slow_at.is_some_and(|at| at <= self.now.monotonic) {
            commit.slow_at = None;
            self.broadcaster.tell_slow(&commit.gathered);
        }
        self.under_way = Some(commit);
    }

    fn begin_commit(&mut self, rng: &mut Rng) {
        while let Some(gathered) = self.broadcaster.gather(self.now) {
            if self.is_slow && gathered.needs_commit() {
                let takes = Duration::from_millis(match rng.u8(0..10) {
                    0..5 => rng.u64(0..3),
                    5..9 => rng.u64(0..500),
                    _ => rng.u64(0..5_000),
                });
                let fails = self.is_faulty && rng.u8(0..8) == 0;
                self.has_failed |= fails;
                self.under_way = Some(UnderWay {
                    gathered,
                    until: self.now.monotonic + takes,
                    slow_at: Some(self.now.monotonic + COMMIT_SLOW),
                    kept: if fails { Err(NotStored("the disk is full")) } else { Ok(()) },
                });
                return;
            }
            self.append(gathered, Ok(()));
        }
    }

    /// Checks that the second ledger is equal, and sometimes makes it anew from the bytes of its
    /// snapshot.
    fn compare_ledgers(&mut self, rng: &mut Rng) {
        let Some(second) = &self.second else {
            return;
        };
        let mut second = second.lock().unwrap();
        assert_eq!(self.broadcaster.digest(), second.digest(), "the ledgers differ: {second:#?}");
        if rng.u8(0..16) == 0 {
            let bytes = pack(&second.snapshot(), NEWEST).unwrap();
            let restored = Ledger::restore(unpack(&bytes, NEWEST).unwrap());
            assert_eq!(restored, *second);
            *second = restored;
        }
    }

    fn append(&mut self, gathered: Gathered, kept: Result<(), NotStored>) {
        self.record.write(gathered.batches(), kept.is_ok());
        match &self.second {
            Some(second) if kept.is_err() => {
                gathered.correct(&mut second.lock().unwrap(), self.now.wall);
            }
            Some(_) => {}
            None => self.unstored.extend_from_slice(gathered.batches()),
        }
        self.broadcaster.append(gathered, kept, self.now);
    }

    /// Gives a name an owner, unless it has one.
    pub(crate) fn register(&mut self, name: &str) {
        let name = Name::parse(name).unwrap();
        let (at, network, password) = (WallTime(0), Hashed([0; 32]), "".into());
        let visit = OwnerVisit { owner: name.clone(), at, network, origin: None };
        let by = PersonId::new(0);
        self.change(Change::Account(Box::new(AccountChange::Register {
            name,
            since: at,
            password,
            by,
            visit,
        })));
    }

    /// Takes a name from its owner.
    pub(crate) fn release(&mut self, name: &str) {
        let name = Name::parse(name).unwrap();
        self.change(Change::Account(Box::new(AccountChange::Release(name))));
    }

    /// The proof of the latest password. Beside other nodes there is one, as no name is released.
    pub(crate) fn last_proof(&self) -> Proof {
        let second = self.second.as_ref();
        second.map_or(Proof(1), |second| second.lock().unwrap().snapshot().last_proof)
    }

    /// Whether there are no other nodes.
    pub(crate) fn is_alone(&self) -> bool {
        self.second.is_some()
    }

    /// Somebody without a connection asks for a change, and does not wait for the outcome.
    pub(crate) fn change(&self, change: Change) {
        self.broadcaster.inbox().connect().start(change);
    }

    /// Makes departures silent from now on.
    pub(crate) fn close(&mut self) {
        self.broadcaster.close();
    }

    /// Tells the other nodes that it stops. Somebody comes at the last moment.
    pub(crate) fn stop(&mut self) {
        self.close();
        let mut link = self.broadcaster.inbox().connect();
        let name = Name::of_address(&address(0).to_string()).into();
        link.start(Change::Come { name, profile: None });
        self.late = Some(link);
    }

    /// Checks that nobody is here, nothing is under way, and no state is left behind.
    pub(crate) fn assert_empty(&self) {
        let census = self.broadcaster.census();
        assert!(
            self.under_way.is_none()
                && census.people == 0
                && census.name_keys == 0
                && census.seats == 0
                && census.rooms == 1
                && census.under_way == 0
                && census.logs_bytes == census.logs_bytes_counted,
            "something is left: {census:?}"
        );
        let Some(second) = &self.second else {
            return;
        };
        let mut left = second.lock().unwrap().snapshot();
        left.codes.clear(); // they outlast their people
        (left.accounts, left.last_proof) = (Vec::new(), Proof(0));
        (left.owned, left.keepers, left.makers) = Default::default();
        left.ends.remove(&RoomName::lobby());
        left.topics.remove(&RoomName::lobby());
        // The rules of keepers for good outlast the room.
        left.rules.retain(|_, rules| rules.now != rules.lasting || !rules.invited.is_empty());
        left.topics.retain(|_, topic| topic.text.is_some());
        left.bans.retain(Act::is_for_now);
        left.mutes.retain(|mute| mute.act.is_for_now());
        let only_lobby = Snapshot { events: left.events, ..Snapshot::default() };
        assert_eq!(left, only_lobby, "only the lobby stays");
    }
}
