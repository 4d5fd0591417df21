//! Events of people who sit in several rooms: each room has an entry, and a reader of these rooms
//! can be told once. Readers read little at a time, fall off, join and leave meanwhile.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parlor_core::journal::NotStored;
use parlor_core::link::{
    Answer, BATCHES_MAX, Backlog, Change, Encoder, Entered, FullRoster, Link, Mail, Mark, Occupant,
    Outcome, Presence, Seat, View, WhyDeparted,
};
use parlor_core::log::{Cursor, Encoding, EncodingKey, Log, Scene, Slices};
use parlor_core::model::{
    Capacity, Entry, Limits, Name, PersonEvent, PersonId, RoomName, Said, Telling,
};
use proptest::collection::vec;
use proptest::prelude::*;
use server::{Server, join, line, post, rename};

const PEOPLE: usize = 5;
const ROOMS: [&str; 4] = ["lobby", "tea", "den", "attic"];

/// A dialect of words, each about one person: `kind:person:number of the event:name`.
#[derive(Debug)]
struct Words {
    /// Whether a reader of several rooms is told of an event once.
    tells_events_once: bool,
}

impl Encoding for Words {
    fn key(&self) -> EncodingKey {
        const WORDS: EncodingKey = EncodingKey::named("words");
        WORDS
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        let kind = match entry {
            Entry::Said(_) => "said",
            // These were told before.
            Entry::Arrived { telling: Telling::Late, .. }
            | Entry::Left { telling: Telling::Late, .. } => return,
            Entry::Arrived { .. } => "arrived",
            Entry::Left { is_from_server: false, .. } => "left",
            Entry::Left { is_from_server: true, .. } => "gone",
            Entry::Renamed { seen, .. } if seen.is_of_room() => "renamed-here",
            Entry::Renamed { .. } => "renamed",
            _ => return,
        };
        let (who, number) = (entry.who().unwrap(), number_of(entry).unwrap_or(0));
        let (id, name) = (who.id.number(), &who.name);
        out.extend_from_slice(format!("{kind}:{id}:{number}:{name} ").as_bytes());
    }
}

impl Encoder for Words {
    fn tells_events_once(&self) -> bool {
        self.tells_events_once
    }

    fn answer(&mut self, _: &Answer, _: &mut Vec<u8>) {}
    fn entered(&mut self, _: &Entered, out: &mut Vec<u8>) {
        out.extend_from_slice(b"entered:0:0: ");
    }

    fn listed(&mut self, _: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        for Occupant { who, .. } in people {
            let (id, name) = (who.id.number(), &who.name);
            out.extend_from_slice(format!("here:{id}:0:{name} ").as_bytes());
        }
    }

    fn replayed(&mut self, _: &RoomName, _: &Said, _: &mut Vec<u8>) {}
    fn departed(&mut self, _: &RoomName, _: WhyDeparted<'_>, _: &mut Vec<u8>) {}
    fn ended(&mut self, _: &mut Vec<u8>) {}

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }
}

/// The names in a list, which is taken in pieces.
fn names(everybody: &mut FullRoster) -> BTreeSet<String> {
    let pieces = std::iter::from_fn(|| Some(everybody.take(2)).filter(|people| !people.is_empty()));
    let people: Vec<Occupant> = pieces.flatten().collect();
    let names: BTreeSet<_> = people.iter().map(|person| person.who.name.to_string()).collect();
    assert_eq!(names.len(), people.len(), "{people:?}");
    names
}

/// The names of the people who are in a room before the arrival, as its log tells it.
fn names_in_log(view: &View) -> BTreeSet<String> {
    let mut slices = Slices::new();
    view.log().read(Cursor::default(), Some(view.arrived), usize::MAX, &mut slices).unwrap();
    let entries = slices.iter().flat_map(|slice| &slice.batch.entries()[slice.entries.clone()]);
    let mut people = BTreeMap::new();
    let mut own = None;
    for entry in entries {
        match entry {
            Entry::Arrived { telling: Telling::Late, .. }
            | Entry::Left { telling: Telling::Late, .. } => {}
            Entry::Arrived { who, .. } => {
                people.insert(who.id, who.name.to_string());
                own = Some(who.id);
            }
            Entry::Renamed { who, .. } => {
                people.insert(who.id, who.name.to_string());
            }
            Entry::Left { who, .. } => {
                people.remove(&who.id);
            }
            _ => {}
        }
    }
    people.remove(&own.expect("the own arrival"));
    people.into_values().collect()
}

fn number_of(entry: &Entry) -> Option<u64> {
    entry.event().map(|event: &Arc<PersonEvent>| event.number)
}

/// A person who sits in any number of rooms and reads them.
struct Reader {
    link: Link,
    backlog: Backlog<Words>,
    presence: Option<Presence>,
    seats: Vec<Seat>,
    /// Whether it has left a room and stayed on the server.
    has_left_rooms: bool,
    /// Whether a request is under way.
    is_asking: bool,
    /// Every view that the person had.
    views: Vec<View>,
    text: String,
}

impl Reader {
    fn come(server: &mut Server, number: usize) -> Reader {
        let mut link = server.connect();
        link.client().want_roster(true);
        let name = Name::of_address(&format!(":{number}")).into();
        let outcome = server.ask(&mut link, Change::Come { name, profile: None });
        let Outcome::Came(presence, None) = outcome else {
            panic!("not on the server but {outcome:?}");
        };
        let backlog = Backlog::new(Words { tells_events_once: true }, Arc::clone(link.client()));
        Reader {
            link,
            backlog,
            presence: Some(presence),
            seats: Vec::new(),
            has_left_rooms: false,
            is_asking: false,
            views: Vec::new(),
            text: String::new(),
        }
    }

    fn id(&self) -> PersonId {
        self.link.client().id()
    }

    fn ask(&mut self, change: Change) {
        if !self.is_asking {
            self.is_asking = true;
            self.link.start(change);
        }
    }

    /// Reads mail and logs, at most this many bytes. Returns whether there was anything.
    fn read(&mut self, bytes_max: usize) -> bool {
        self.backlog.collect();
        let is_any = !self.backlog.is_empty();
        let bytes: Vec<u8> = self.backlog.runs().flatten().copied().take(bytes_max).collect();
        self.backlog.advance(bytes.len());
        self.text.push_str(str::from_utf8(&bytes).unwrap());
        is_any
    }

    /// The words, each as its kind, its person, the number of its event and the name.
    fn words(&self) -> Vec<(&str, u64, u64, &str)> {
        let parts = self.text.split_whitespace().map(|word| {
            let mut parts = word.splitn(4, ':');
            let kind = parts.next().unwrap();
            let mut number = || parts.next().unwrap().parse().unwrap();
            (kind, number(), number(), parts.next().unwrap())
        });
        parts.collect()
    }

    /// Reads everything that can be read. Returns all words so far, each as its kind and its person.
    fn kinds(&mut self) -> String {
        while self.read(usize::MAX) {}
        let words = self.words().into_iter();
        words.map(|(kind, person, ..)| format!("{kind}:{person}")).collect::<Vec<_>>().join(" ")
    }

    /// The numbers of the events of others in all views.
    fn events_in_views(&self) -> BTreeSet<u64> {
        let mut slices = Slices::new();
        for view in &self.views {
            view.read(view.arrived, usize::MAX, &mut slices).unwrap();
        }
        let entries = slices.iter().flat_map(|slice| &slice.batch.entries()[slice.entries.clone()]);
        let of_others = entries.filter(|entry| entry.who().is_some_and(|who| who.id != self.id()));
        of_others.filter_map(number_of).collect()
    }

    /// Checks what the reader was told. `is_short`: the logs no longer have everything.
    fn check(&self, is_short: bool) -> Result<(), TestCaseError> {
        prop_assert!(self.backlog.is_up_to_date(), "waits for ever after {}", self.text);
        let (mut all, mut told, mut gone) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut worn = Worn::default();
        for (kind, person, event, name) in self.words() {
            if kind == "mail" {
                continue;
            }
            if kind == "entered" {
                // The new room has people as they were when the reader came there.
                (told, gone, worn) = (BTreeSet::new(), BTreeSet::new(), Worn::default());
                continue;
            }
            // Nobody is told of the own new names, and the end of a room that was left may be read
            // behind the list of people in the next one.
            let is_known = person != self.id().number() && !self.has_left_rooms;
            let is_free = !is_known || worn.take(kind, person, name) || self.backlog.falls() > 0;
            prop_assert!(is_free, "{name} is somebody else yet at {event} in {}", self.text);
            prop_assert!(!gone.contains(&person), "{kind}:{person} after it has gone");
            if event > 0 {
                let is_new = told.insert(event);
                prop_assert!(is_new || self.backlog.falls() > 0, "{event} is told twice");
                all.insert(event);
            }
            if kind == "gone" {
                gone.insert(person);
            }
        }
        if !is_short {
            prop_assert_eq!(all, self.events_in_views());
        }
        Ok(())
    }
}

/// The names that people wear, as a reader of several rooms was told.
#[derive(Default)]
struct Worn<'a>(BTreeMap<&'a str, u64>);

impl<'a> Worn<'a> {
    /// Takes in a word. Returns whether nobody else wears the name.
    fn take(&mut self, kind: &str, person: u64, name: &'a str) -> bool {
        self.0.retain(|_, wearer| *wearer != person);
        match kind {
            "left" | "gone" => true,
            _ => self.0.insert(name, person).is_none(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Join(usize, usize),
    Leave(usize, usize),
    /// Leaves the server; another person comes.
    LeaveServer(usize),
    Rename(usize, usize),
    Post(usize, usize),
    /// Gets mail with a place in each room, which may be some entries back in some of them.
    GetMail(usize, [u64; 4]),
    /// Gets mail with a place at the present end of each room.
    GetMailNow(usize),
    Read(usize, usize),
    /// A batch is gathered, stored or not, and appended.
    Commit(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let person = || 0..PEOPLE;
    let step = prop_oneof![
        6 => (person(), 0..ROOMS.len()).prop_map(|(who, room)| Step::Join(who, room)),
        1 => (person(), 0..4_usize).prop_map(|(who, seat)| Step::Leave(who, seat)),
        1 => person().prop_map(Step::LeaveServer),
        3 => (person(), 0..9_usize).prop_map(|(who, name)| Step::Rename(who, name)),
        4 => (person(), 0..4_usize).prop_map(|(who, seat)| Step::Post(who, seat)),
        3 => (person(), any::<[u64; 4]>()).prop_map(|(who, back)| Step::GetMail(who, back)),
        3 => person().prop_map(Step::GetMailNow),
        6 => (person(), 1..40_usize).prop_map(|(who, bytes)| Step::Read(who, bytes)),
        6 => any::<bool>().prop_map(Step::Commit),
    ];
    vec(step, 1..120)
}

struct House {
    server: Server,
    /// Whether the logs have everything.
    is_whole: bool,
    readers: Vec<Reader>,
    /// Readers who have left, and still read.
    leavers: Vec<Reader>,
    people: usize,
}

impl House {
    fn open(log_lines: usize, batch_entries: usize) -> House {
        let log = Capacity { lines: log_lines, ..Limits::default().log };
        let mut server = Server::with(Limits { log, batch_entries, ..Limits::default() });
        let readers = (0..PEOPLE).map(|number| Reader::come(&mut server, number)).collect();
        let (is_whole, leavers) = (log_lines > 2, Vec::new());
        House { server, is_whole, readers, leavers, people: PEOPLE }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Join(who, room) => self.readers[who].ask(join(ROOMS[room])),
            Step::Rename(who, name) => {
                self.readers[who].ask(rename(&format!("name{name}")));
            }
            Step::Post(who, seat) => {
                let reader = &mut self.readers[who];
                if let Some(seat) = reader.seats.get(seat) {
                    let post = post(seat.room(), &["words"]);
                    reader.ask(post);
                }
            }
            Step::GetMail(who, back) => {
                let reader = &self.readers[who];
                let marks =
                    reader.seats.iter().zip(back.into_iter().cycle()).map(|(seat, back)| {
                        Mark::at(seat.room(), seat.log().watermark().saturating_sub(back % 3))
                    });
                reader.link.reply(marks.collect(), Mail::End);
            }
            Step::GetMailNow(who) => {
                let Reader { link, seats, .. } = &self.readers[who];
                link.reply(link.mark(seats), Mail::Raw((*b"mail:0:0: ").into()));
            }
            Step::Leave(who, seat) => {
                let reader = &mut self.readers[who];
                if seat < reader.seats.len() {
                    drop(reader.seats.remove(seat));
                    reader.has_left_rooms = true;
                }
            }
            Step::LeaveServer(who) => {
                self.people += 1;
                let next = Reader::come(&mut self.server, self.people);
                let mut leaver = std::mem::replace(&mut self.readers[who], next);
                leaver.presence.take().unwrap().leave(Some(line("bye")));
                leaver.seats.clear();
                self.leavers.push(leaver);
            }
            Step::Read(who, bytes) => {
                for reader in self.leavers.iter_mut().chain([&mut self.readers[who]]) {
                    reader.read(bytes);
                }
            }
            Step::Commit(is_stored) => self.commit(is_stored),
        }
        self.look();
    }

    /// Takes steps, each in its own batch.
    fn live(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            self.take(step);
            self.commit(true);
            self.look();
        }
    }

    fn commit(&mut self, is_stored: bool) {
        self.server.drain();
        if let Some(gathered) = self.server.broadcaster.gather(self.server.now) {
            let stored = is_stored.then_some(()).ok_or(NotStored("the disk is full"));
            self.server.broadcaster.append(gathered, stored, self.server.now);
        }
    }

    /// Takes the outcomes.
    fn look(&mut self) {
        for reader in &mut self.readers {
            let Some(outcome) = reader.link.outcome() else {
                continue;
            };
            reader.is_asking = false;
            if let Outcome::Entered((seat, entered)) = outcome {
                let mut everybody = entered.everybody.clone().expect("it is wanted");
                if self.is_whole {
                    assert_eq!(names(&mut everybody), names_in_log(&entered.view), "{entered:?}");
                }
                reader.views.push(entered.view.clone());
                reader.seats.push(seat);
                reader.link.reply(reader.link.mark(&reader.seats), Mail::Entered(entered));
            }
        }
    }

    fn check(mut self, is_short: bool) -> Result<(), TestCaseError> {
        for _ in 0..200 {
            self.commit(true);
            self.look();
        }
        for reader in self.readers.iter_mut().chain(&mut self.leavers) {
            while reader.read(usize::MAX) {}
            reader.check(is_short)?;
        }
        Ok(())
    }
}

/// Alice reads two rooms. Bob, who is in the second one, gives the name up; somebody else takes it
/// and comes to the first one. Returns what alice reads.
fn name_handed_on(rooms: [usize; 2], gives_up: Step) -> String {
    let [alice, bob, next] = [0, 1, 2];
    let mut house = House::open(1_000, 100);
    let take_name = |who| Step::Rename(who, 7);
    house.live([
        Step::Join(alice, rooms[0]),
        Step::Join(alice, rooms[1]),
        take_name(bob),
        Step::Join(bob, 1),
        Step::Read(alice, usize::MAX),
    ]);
    while house.readers[alice].read(usize::MAX) {}
    house.readers[alice].text.clear();
    house.live([gives_up, take_name(next), Step::Join(next, 0)]);
    house.readers[alice].kinds()
}

#[test]
fn a_name_is_given_up_in_one_room_before_somebody_takes_it_in_another() {
    for rooms in [[0, 1], [1, 0]] {
        assert_eq!(name_handed_on(rooms, Step::LeaveServer(1)), "gone:1 arrived:2");
        assert_eq!(name_handed_on(rooms, Step::Rename(1, 8)), "renamed:1 arrived:2");
    }
}

/// Alice reads the lobby. Between the grant of a seat in the tea room and her reading of that, bob
/// leaves both rooms or takes another name, and somebody else comes to the lobby under his name.
/// Returns what alice reads, in a dialect that tells an event of both rooms once or in each of them.
fn entered_late(gives_up: Step, tells_events_once: bool) -> String {
    let [alice, bob, next] = [0, 1, 2];
    let mut house = House::open(1_000, 100);
    let client = Arc::clone(house.readers[alice].link.client());
    house.readers[alice].backlog = Backlog::new(Words { tells_events_once }, client);
    let take_name = |who| Step::Rename(who, 7);
    house.live([
        Step::Join(alice, 0),
        take_name(bob),
        Step::Join(bob, 0),
        Step::Join(bob, 1),
        Step::Read(alice, usize::MAX),
    ]);
    while house.readers[alice].read(usize::MAX) {}
    house.readers[alice].text.clear();
    house.readers[alice].ask(join("tea"));
    house.commit(true);
    let granted = house.readers[alice].link.outcome().expect("a seat");
    house.live([gives_up, take_name(next), Step::Join(next, 0)]);
    while house.readers[alice].read(usize::MAX) {}
    let Outcome::Entered((seat, entered)) = granted else { panic!("no seat but {granted:?}") };
    let reader = &mut house.readers[alice];
    reader
        .link
        .reply([reader.seats[0].mark(), seat.mark()].into_iter().collect(), Mail::Entered(entered));
    reader.seats.push(seat);
    house.readers[alice].kinds()
}

#[test]
fn a_departure_that_was_read_before_a_room_was_entered_is_told_in_that_room_alone() {
    let read = entered_late(Step::LeaveServer(1), true);
    assert_eq!(read, "gone:1 arrived:2 entered:0 here:1 left:1");
    let read = entered_late(Step::Rename(1, 8), true);
    assert_eq!(read, "renamed:1 arrived:2 entered:0 here:1 renamed-here:1");
}

#[test]
fn a_new_name_in_the_batch_of_an_arrival_that_was_read_elsewhere_is_told_in_that_room_alone() {
    let [alice, bob, next] = [0, 1, 2];
    let mut house = House::open(1_000, 100);
    house.live([
        Step::Join(alice, 0),
        Step::Rename(bob, 7),
        Step::Join(bob, 0),
        Step::Join(bob, 1),
        Step::Join(next, 0),
        Step::Read(alice, usize::MAX),
    ]);
    while house.readers[alice].read(usize::MAX) {}
    house.readers[alice].text.clear();
    for step in [Step::Join(alice, 1), Step::Rename(bob, 8), Step::Rename(next, 7)] {
        house.take(step);
        house.server.drain();
    }
    house.commit(true);
    while house.readers[alice].read(usize::MAX) {}
    house.look();
    let read = house.readers[alice].kinds();
    assert_eq!(read, "renamed:1 renamed:2 entered:0 here:1 renamed-here:1");
}

#[test]
fn a_dialect_that_tells_an_event_in_each_room_tells_it_alike_in_a_room_that_is_entered_late() {
    let read = entered_late(Step::LeaveServer(1), false);
    assert_eq!(read, "gone:1 arrived:2 entered:0 here:1 gone:1");
    let read = entered_late(Step::Rename(1, 8), false);
    assert_eq!(read, "renamed:1 arrived:2 entered:0 here:1 renamed:1");
}

/// Notes how far a log is when its task is woken.
struct Noting {
    log: Arc<Log>,
    noted: AtomicU64,
}

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.noted.store(self.log.watermark(), Ordering::SeqCst);
    }
}

#[test]
fn a_seat_is_granted_behind_the_entries_of_all_rooms_of_the_batch() {
    let mut server = Server::new();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| server.enter(name));
    let log = Arc::clone(alice.seat.log());
    let noting = Arc::new(Noting { log, noted: AtomicU64::new(0) });
    let waker = Waker::from(Arc::clone(&noting));
    let mut joins = pin!(alice.link.call(join("tea")));
    assert!(joins.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    bob.link.start(post(bob.seat.room(), &["words"]));
    server.run();
    assert_eq!(noting.noted.load(Ordering::SeqCst), alice.seat.log().watermark());
    let outcome = joins.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(outcome, Poll::Ready(Outcome::Entered(_))), "{outcome:?}");
}

/// Alice reads three rooms, two of which wait for each other: bob takes a new name there, behind more
/// lines in one of them than are read at once.
#[test]
fn mail_at_the_ends_of_all_rooms_stands_before_later_entries_though_rooms_wait_for_an_event() {
    let [alice, bob, carol] = [0, 1, 2];
    let mut house = House::open(1_000, 100);
    house.live([0, 1, 2].map(|room| Step::Join(alice, room)));
    house.live([Step::Join(bob, 2), Step::Join(bob, 1)]);
    house.readers[alice].kinds();
    house.readers[alice].text.clear();
    house.live((0..=BATCHES_MAX).map(|_| Step::Post(bob, 0)));
    house.live([Step::Rename(bob, 7), Step::GetMailNow(alice), Step::Join(carol, 0)]);
    let read = house.readers[alice].kinds();
    assert!(read.ends_with("said:1 renamed:1 mail:0 arrived:2"), "{read}");
}

/// Somebody in two rooms takes a new name. A batch is being appended: mail gets a place behind the name
/// in the first room, before it in the second one. The first seat is given up, and further mail gets a
/// place in the second room alone, still before the name there.
#[test]
fn mail_in_the_one_seat_that_is_left_waits_in_no_circle_with_mail_in_both() {
    let reader = 1;
    let mut house = House::open(1_000, 100);
    house.live([Step::Join(reader, 1), Step::Join(reader, 0), Step::Rename(reader, 0)]);
    let before_in_tea = [1, 0, 0, 0];
    for step in [
        Step::GetMail(reader, before_in_tea),
        Step::Leave(reader, 1),
        Step::GetMail(reader, before_in_tea),
    ] {
        house.take(step);
    }
    house.check(false).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn readers_of_several_rooms_never_wait_in_a_circle_and_are_told_once(
        steps in steps(), is_short in any::<bool>(), batch_entries in 1..6_usize,
    ) {
        let mut house = House::open(if is_short { 2 } else { 1_000 }, batch_entries);
        steps.into_iter().for_each(|step| house.take(step));
        house.check(is_short)?;
    }
}
