//! Several nodes over one order: they show the same lines, rosters and names.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::{Arc, Mutex};

use parlor_core::broadcaster::Broadcaster;
use parlor_core::intent::{Intent, Proposal};
use parlor_core::journal::Past;
use parlor_core::link::{Answer, Change, Outcome, Query};
use parlor_core::log::Slice;
use parlor_core::model::{Entry, Limits, Manner, Name, Now, RoomName, Spoken, WallTime};
use parlor_core::sequencer::{Decided, Sequencer};
use server::{Server, granted, join, line, post, rename};

/// A node's place in an order of proposals that all nodes share.
#[derive(Debug)]
struct Node {
    order: Arc<Mutex<Vec<Proposal>>>,
    place: usize,
    /// The boot of other nodes' proposals, as this node reads it.
    boot: u32,
}

impl Sequencer for Node {
    fn offer(&mut self, proposal: Proposal) {
        self.order.lock().unwrap().push(proposal);
    }

    fn poll_decided(&mut self, now: WallTime) -> Option<Decided> {
        let mut proposal = self.order.lock().unwrap().get(self.place)?.clone();
        self.place += 1;
        proposal.id.boot = self.boot;
        Some(Decided { position: 0, at: now, proposal })
    }
}

fn node(order: &Arc<Mutex<Vec<Proposal>>>, boot: u32) -> Server {
    with_order(Broadcaster::new(Arc::default(), Limits::default()), order, boot)
}

fn with_order(broadcaster: Broadcaster, order: &Arc<Mutex<Vec<Proposal>>>, boot: u32) -> Server {
    let node = Node { order: Arc::clone(order), place: 0, boot };
    let now = Now { wall: WallTime(1_000), ..Now::default() };
    Server { broadcaster: broadcaster.with_sequencer(Box::new(node)), now }
}

#[test]
fn a_node_shows_the_people_and_lines_of_another_node() {
    let order = Arc::default();
    let (mut here, mut there) = (node(&order, 0), node(&order, 7));
    let mut reader = there.connect();
    let lobby = RoomName::lobby();
    let listen = Change::Listen { owner: None, room: lobby.clone(), waits: false, replay: 0 };
    let Outcome::Listening(_listener, listening) = there.ask(&mut reader, listen) else {
        panic!("the lobby can be read");
    };
    let mut alice = here.enter("alice");
    let mut bob = here.enter("bob");
    let (room, view) = (alice.seat.room(), &alice.entered.view);
    here.ask(&mut alice.link, post(room, &["one", "two"]));
    here.ask(&mut bob.link, rename("bobby"));
    here.ask(&mut bob.link, post(room, &["three"]));
    let (tea, _) = granted(here.ask(&mut alice.link, join("tea")));
    here.ask(&mut alice.link, post(tea.room(), &["alone"]));
    there.run();
    let read = |view: &parlor_core::link::View| -> Vec<Entry> {
        let mut slices: Vec<Slice> = Vec::new();
        view.read(view.arrived, usize::MAX, &mut slices).unwrap();
        slices.iter().flat_map(|s| s.batch.entries()[s.entries.clone()].to_vec()).collect()
    };
    let own = read(view);
    assert_eq!(own.len(), 5, "{own:?}");
    assert_eq!(read(&listening.view)[1..], own, "without alice's own arrival");
    assert_eq!(here.broadcaster.digest(), there.broadcaster.digest());
    let census = there.census();
    assert_eq!((census.people, census.seats, census.rooms), (2, 3, 2), "{census:?}");
    drop((alice, bob, tea));
    here.run();
    there.run();
    let left = |entry: &&Entry| matches!(entry, Entry::Left { .. });
    assert_eq!(read(&listening.view).iter().filter(left).count(), 2);
    assert_eq!(there.census().people, 0);
    assert_eq!(there.census().rooms, 1, "the room tea has left memory");
    let Outcome::Answer(Answer::Refused(_)) = there.ask(&mut reader, Query::Rooms) else {
        panic!("a listener is not here");
    };
}

#[test]
fn a_line_has_the_time_of_its_place_whatever_batch_it_lands_in() {
    let order = Arc::default();
    let mut here = node(&order, 0);
    let mut alice = here.enter("alice");
    alice.link.start(post(alice.seat.room(), &["early"]));
    here.drain();
    here.now.wall.0 += 5_000;
    let gathered = here.gather();
    here.append(gathered);
    let read = alice.read();
    let [Entry::Said(said)] = &read[..] else { panic!("{read:?}") };
    assert_eq!(said.at, WallTime(1_000));
}

#[test]
fn no_process_ends_a_room_that_is_stored() {
    let order: Arc<Mutex<Vec<Proposal>>> = Arc::default();
    let broadcaster = Broadcaster::resume(Arc::default(), Limits::default(), Past::default());
    let mut here = with_order(broadcaster, &order, 0);
    let speak = |text| {
        let (name, room) = (Name::stored("alice").into(), RoomName::stored("tea"));
        let lines = vec![Spoken { manner: Manner::Plain, text: line(text) }];
        Change::SpeakOnce { name, room, lines }
    };
    let mut alice = here.connect();
    for number in 1..4 {
        let said = here.ask(&mut alice, speak("hello"));
        assert!(matches!(said, Outcome::Said { first, .. } if first == number), "{said:?}");
        assert_eq!(here.census().rooms, 1, "the room has left memory");
        let end = Intent::EndRoom { room: RoomName::stored("tea"), last: number };
        let proposal = Proposal { intents: vec![end], ..Proposal::default() };
        order.lock().unwrap().push(proposal); // by a process that stores nothing
    }
}
