//! The broadcaster's state. Its parts, one for each kind of request, are in the files beside this
//! one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::carrier::Carrier;
use super::names_left::NamesLeft;
use super::node::{Node, Silence, Standing};
use super::outside::Outside;
use super::pending::{Gathering, Happening};
use super::rooms::{Connection, Room, RoomsLeft};
use super::tickets::{Return, Ticket};
use super::watches::Watches;
use crate::intent::Proposal;
use crate::ledger::{Happened, Ledger, Past, Snapshot, Subject};
use crate::link::{Answer, Bygone, Inbox, InboxItem, Mail, Mark, Place, Refusal};
use crate::model::{Act, ActOf, Limits, Now, PersonId, RoomId, RoomName, WallTime, Who};
use crate::sequencer::{Decided, Local, Sequencer};

/// The owner of rooms and logs. It turns requests into intents, and the results of intents into
/// entries and answers.
#[derive(Debug)]
pub struct Broadcaster {
    pub(super) inbox: Arc<Inbox>,
    pub(super) limits: Limits,
    /// Puts intents in order.
    pub(super) sequencer: Box<dyn Sequencer>,
    /// The state after the intents that have their place in the order.
    pub(super) ledger: Ledger,
    /// This server as one of several nodes; none without other nodes.
    pub(super) node: Option<Box<Node>>,
    /// Its way to the other nodes; none without other nodes.
    pub(super) carrier: Option<Carrier>,
    /// The numbers of the last lines of the rooms when this node lost touch with the others.
    pub(super) ends_at_loss: BTreeMap<RoomName, u64>,
    /// A proposal with its place in the order that waits until all lines before it are visible.
    pub(super) held: Option<Decided>,
    /// Whether there is more of the order than the present batch has space for.
    pub(super) is_behind: bool,
    /// Whether a batch is being stored.
    pub(super) is_committing: bool,
    /// The next proposal. It is empty between two calls, and keeps its memory.
    pub(super) proposal: Proposal,
    /// The results of an intent. It is empty between two calls, and keeps its memory.
    pub(super) happened: Vec<Happened>,
    /// One for each intent that was proposed and has no place in the order yet; none if nobody
    /// waits for it.
    pub(super) tickets: VecDeque<Option<Ticket>>,
    /// The connections of the people on the server.
    pub(super) connections: FxHashMap<PersonId, Connection>,
    pub(super) rooms_left: RoomsLeft,
    /// Where names were given up.
    pub(super) names_left: NamesLeft,
    /// The latest people who have left or given up a name; the latest last.
    pub(super) bygone: VecDeque<Bygone>,
    pub(super) watches: Watches,
    /// The largest number of people on the server since the start.
    pub(super) people_max: usize,
    pub(super) rooms: FxHashMap<RoomId, Room>,
    pub(super) rooms_by_name: BTreeMap<RoomName, RoomId>,
    pub(super) outside: Outside,
    pub(super) rooms_made: u64,
    /// The next batch.
    pub(super) gathering: Gathering,
    /// Whether the batch that is being stored has changes that are undone if that fails.
    pub(super) may_be_undone: bool,
    /// Requests that wait until that is decided, because they build on such changes: at most one for
    /// each connection.
    pub(super) behind: VecDeque<InboxItem>,
    /// Requests that wait because the next batch is full: at most a request and the departures for
    /// each connection.
    pub(super) waiting: VecDeque<InboxItem>,
    /// The times at which the windows of crowds close, and their rooms; the earliest first.
    pub(super) crowds: VecDeque<(Duration, RoomId)>,
    /// The times by which people who came back on another connection must take their seats again;
    /// the earliest first.
    pub(super) returns: VecDeque<Return>,
    /// Rooms that have left memory and end, each with the number of its last line.
    pub(super) ended: Vec<(RoomName, u64)>,
    /// The number of messages that were sent and are not stored: private ones, and signals.
    pub(super) passing: u64,
    /// The other half of the inbox's double buffer.
    pub(super) drained: Vec<InboxItem>,
    /// The size of the logs of all rooms, in bytes.
    pub(super) logs_bytes: usize,
    /// The next time at which old lines are removed from the logs; none if lines have no time
    /// limit.
    pub(super) expire_at: Option<Duration>,
    pub(super) closing: bool,
}

impl Broadcaster {
    /// A broadcaster with an empty lobby that stores nothing: the numbers of a room end with the
    /// room.
    pub fn new(inbox: Arc<Inbox>, limits: Limits) -> Broadcaster {
        Broadcaster::build(inbox, limits, Ledger::default(), 0)
    }

    /// A broadcaster that continues from the contents of a journal: the numbers of each room
    /// continue, even if the room was empty, and registered names belong to their owners.
    pub fn resume(inbox: Arc<Inbox>, limits: Limits, past: Past) -> Broadcaster {
        Broadcaster::build(inbox, limits, Ledger::resume(past), 0)
    }

    /// The state of this server among its nodes.
    pub fn standing(&self) -> Standing {
        match &self.node {
            None => Standing::Alone,
            Some(node) if node.standing != Standing::InTouch => node.standing,
            Some(node) if node.told == Silence::None => Standing::InTouch,
            Some(_) => Standing::OutOfTouch,
        }
    }

    /// The position in the order up to which everything is applied; 0 without other nodes.
    pub fn position(&self) -> u64 {
        self.node.as_ref().map_or(0, |node| node.position())
    }

    /// The time of the order at that position.
    pub fn order_time(&self) -> WallTime {
        self.ledger.nodes.at()
    }

    /// The boot of this node, if it is the lowest of all that are there: this node does what one of
    /// them does for all.
    pub fn first_boot(&self) -> Option<u32> {
        let (first, _) = self.ledger.nodes.live().next()?;
        self.node.as_ref().map(|node| node.boot).filter(|own| *own == first)
    }

    /// Everything that the ledger knows at the [position](Broadcaster::position).
    pub fn snapshot(&self) -> Snapshot {
        self.ledger.snapshot()
    }

    /// The time for entries: with other nodes, that of the order.
    pub(super) fn time(&self, now: Now) -> WallTime {
        self.node.as_ref().map_or(now.wall, |_| self.ledger.nodes.at())
    }

    /// A broadcaster with a ledger, in a process that has made this many rooms before.
    pub(super) fn build(
        inbox: Arc<Inbox>,
        limits: Limits,
        ledger: Ledger,
        rooms_made: u64,
    ) -> Broadcaster {
        let mut broadcaster = Broadcaster {
            inbox,
            limits,
            sequencer: Box::new(Local::default()),
            ledger,
            node: None,
            carrier: None,
            ends_at_loss: BTreeMap::new(),
            held: None,
            is_behind: false,
            is_committing: false,
            proposal: Proposal::default(),
            happened: Vec::new(),
            tickets: VecDeque::new(),
            connections: FxHashMap::default(),
            rooms_left: RoomsLeft::default(),
            names_left: NamesLeft::default(),
            bygone: VecDeque::new(),
            watches: Watches::default(),
            people_max: 0,
            rooms: FxHashMap::default(),
            rooms_by_name: BTreeMap::new(),
            outside: Outside::default(),
            rooms_made,
            gathering: Gathering::default(),
            may_be_undone: false,
            behind: VecDeque::new(),
            waiting: VecDeque::new(),
            crowds: VecDeque::new(),
            returns: VecDeque::new(),
            ended: Vec::new(),
            passing: 0,
            drained: Vec::new(),
            logs_bytes: 0,
            expire_at: limits.retain.map(|_| Duration::ZERO),
            closing: false,
        };
        broadcaster.make_room(&RoomName::lobby(), 0);
        broadcaster
    }

    /// The same broadcaster, with another sequencer of this process. Only
    /// [`one_of_several`](Broadcaster::one_of_several) takes one that other processes share.
    #[must_use]
    pub fn with_sequencer(self, sequencer: Box<dyn Sequencer>) -> Broadcaster {
        Broadcaster { sequencer, ..self }
    }

    /// The [digest](Ledger::digest) of the ledger.
    pub fn digest(&self) -> u64 {
        self.ledger.digest()
    }

    /// The inbox, where connections start and their requests arrive.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Stops telling people of departures: everybody leaves.
    pub fn close(&mut self) {
        self.closing = true;
    }

    pub(super) fn room_called(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.get(self.rooms_by_name.get(name)?)
    }

    /// The name of a room in which a person sits and may stay.
    pub(super) fn seat_of(&self, id: PersonId, room: RoomId) -> Result<RoomName, Refusal> {
        let connection = self.connections.get(&id).ok_or(Refusal::NotThere)?;
        let place = connection.places.iter().find(|place| place.room == room);
        let place = place.ok_or(Refusal::NotThere)?;
        match connection.client.removed().or(place.removed()) {
            Some(_) => Err(Refusal::NotThere), // will leave in a moment
            None => Ok(place.name.clone()),
        }
    }

    /// The person, as the rules know them.
    pub(super) fn subject(&self, id: PersonId) -> Option<Subject<'_>> {
        let address = self.connections.get(&id).and_then(|connection| connection.client.address());
        let person = self.ledger.people.get(id);
        let exile = || self.node.as_ref()?.exiles.get(&id).map(|exile| &exile.person);
        Some(Subject { address, ..person.or_else(exile)?.subject() })
    }

    /// An act with its author, if that is a person on the server: on the connection that did it, or
    /// on another one of the owner under the same name.
    pub(super) fn with_author(&self, act: Arc<Act>) -> ActOf {
        let people = &self.ledger.people;
        let author = act.by.author().and_then(|author| {
            let who = people.who(author.id);
            let under_that_name = who.map(|who| Who { name: author.name.clone(), ..who });
            let is_theirs = |who: &Who| who.account.is_some() && who.account == author.account;
            let other = || people.find(author.name.keys()[0]).filter(is_theirs);
            under_that_name.or_else(other)
        });
        ActOf { act, author: author.map(Arc::new), rules_before: None }
    }

    /// The present ends of the logs of all rooms in which this person sits. None for a person who
    /// is entering, and reads nothing before the answer to that.
    pub(super) fn mark_of(&self, id: PersonId) -> Option<Mark> {
        let Connection { client, places, .. } = self.connections.get(&id)?;
        let ends = places.iter().map(|place| (place.room, place.log.watermark()));
        client.is_present().then(|| Mark::of_one_moment(ends))
    }

    /// The same for an answer about a room; the position in it for a person who has none.
    pub(super) fn mark_in(&self, id: PersonId, room: RoomId, position: u64) -> Mark {
        self.mark_of(id).unwrap_or_else(|| Mark::at(room, position))
    }

    /// Tells one person something. Returns whether the mailbox had space for it; none for a person
    /// who is not here, or is entering.
    pub(super) fn tell_one(&self, id: PersonId, notice: impl Into<Answer>) -> Option<bool> {
        let (connection, mark) = self.connections.get(&id).zip(self.mark_of(id))?;
        Some(connection.client.send(mark, Mail::Answer(notice.into())).is_ok())
    }

    /// Whether the next batch is full.
    pub(super) fn is_full(&self) -> bool {
        let is_queue_full = self.node.as_ref().is_some_and(|node| node.is_full());
        is_queue_full || self.gathering.is_full(&self.limits)
    }

    /// Puts an event into the next batch. This decides the order of all events.
    pub(super) fn happen(&mut self, room: RoomId, happening: Happening) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.pending += 1;
            self.gathering.push(room.id, happening);
        }
    }

    /// Puts an event into the next batch, if the room is in memory.
    pub(super) fn happen_in(&mut self, room: &RoomName, happening: Happening) {
        if let Some(&room) = self.rooms_by_name.get(room) {
            self.happen(room, happening);
        }
    }

    /// Takes the place of a person in a room from the connection, if it is on this node.
    pub(super) fn take_place(&mut self, room: &RoomName, id: PersonId) -> Option<Arc<Place>> {
        let connection = self.connections.get_mut(&id)?;
        let index = connection.places.iter().position(|place| place.name == *room)?;
        Some(connection.places.remove(index))
    }

    /// Makes a room in memory. Its log begins after its last line, except for `new` lines of the
    /// ledger that are not in a log yet.
    pub(super) fn make_room(&mut self, name: &RoomName, new: u64) -> RoomId {
        self.rooms_made += 1;
        let id = RoomId(self.rooms_made);
        let mut end = self.ledger.rooms.end(name);
        end.seq = end.seq.saturating_sub(new);
        let topic = self.ledger.rooms.topic(name).text;
        self.rooms_by_name.insert(name.clone(), id);
        self.rooms.insert(id, Room::new(id, name.clone(), end, topic));
        id
    }
}
