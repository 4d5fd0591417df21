//! Several nodes over one order: they show the same lines, people and names, and a node that was
//! out of touch comes back.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod astray;
#[path = "../server/mod.rs"]
mod server;
mod versions;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parlor_core::broadcaster::{Broadcaster, CHECK_EVERY, NodeStart, SWITCH_AFTER, Standing};
use parlor_core::intent::{Intent, Proposal, ProposalId};
use parlor_core::ledger::{Markers, Snapshot};
use parlor_core::link::{
    Answer, Backlog, Carried, Change, CodeChange, Contact, Encoder, Entered, Inbox, Link, Mail,
    Neighbours, NodeAnswer, NodeQuestion, Notice, Occupant, Outcome, Query, Refusal, View,
    VisitorPage, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene, Slices};
use parlor_core::model::{
    ConversationId, Deed, Entry, Format, Here, Limits, Modes, Name, NodeName, NodeProgram,
    PersonId, Proof, ProvenAccount, RoomName, Said, Telling, Verb, WallTime, Whom,
};
use parlor_core::sequencer::{Decided, Sequencer};
use server::{
    Person, Server, come_back, enter, granted, join, line, post, private, refusal, rename,
};

/// An order that all nodes share, with the time of each place.
type Order = Arc<Mutex<Vec<(WallTime, Proposal)>>>;

/// The most proposals that a node of a test may offer: a node that tries again without a pause fails
/// its test, and does not run for ever.
const OFFERS_MAX: usize = 10_000;

/// The way of a node to the order and back.
#[derive(Debug, Default)]
struct Way {
    order: Order,
    offered: Option<Proposal>,
    /// The number of proposals that it has offered.
    offers: usize,
    place: usize,
    /// Whether nothing is published.
    is_cut_out: bool,
    /// Whether nothing is received.
    is_cut_in: bool,
    /// Whether the order refuses what is published, as it is full.
    is_full: bool,
}

/// The engine of a node.
#[derive(Debug)]
struct Engine(Arc<Mutex<Way>>);

impl Sequencer for Engine {
    fn offer(&mut self, proposal: Proposal) {
        let mut way = self.0.lock().unwrap();
        way.offers += 1;
        assert!(way.offers <= OFFERS_MAX, "too many offers: {proposal:?}");
        way.offered = Some(proposal);
    }

    fn poll_refused(&mut self) -> Option<ProposalId> {
        let mut way = self.0.lock().unwrap();
        let offered = if way.is_full { way.offered.take() } else { None };
        offered.map(|proposal| proposal.id)
    }

    fn poll_decided(&mut self, now: WallTime) -> Option<Decided> {
        let mut way = self.0.lock().unwrap();
        if !way.is_cut_out
            && let Some(proposal) = way.offered.take()
        {
            way.order.lock().unwrap().push((now, proposal));
        }
        if way.is_cut_in {
            return None;
        }
        let (at, proposal) = way.order.lock().unwrap().get(way.place)?.clone();
        way.place += 1;
        Some(Decided { position: way.place as u64, at, proposal })
    }
}

/// The start of a node whose program knows formats up to this one.
fn start(name: &str, nonce: u64, newest: u64) -> NodeStart {
    NodeStart {
        name: NodeName::parse(name).unwrap(),
        nonce,
        program: NodeProgram::new("0.1.0", Format(newest)).unwrap(),
        bytes_max: 20_000,
        ledger: Snapshot::default(),
        position: 0,
        check_every: CHECK_EVERY,
        switch_after: SWITCH_AFTER,
    }
}

/// A node, and its way to the order.
struct Node {
    server: Server,
    way: Arc<Mutex<Way>>,
}

impl Node {
    fn new(name: &str, nonce: u64, order: &Order) -> Node {
        Node::started(start(name, nonce, 1), order)
    }

    fn continued(name: &str, nonce: u64, order: &Order, ledger: Snapshot, place: usize) -> Node {
        let position = place as u64;
        Node::started(NodeStart { ledger, position, ..start(name, nonce, 1) }, order)
    }

    fn started(start: NodeStart, order: &Order) -> Node {
        let place = start.position as usize;
        let way = Way { order: Arc::clone(order), place, ..Way::default() };
        let way = Arc::new(Mutex::new(way));
        let inbox = Arc::new(Inbox::default());
        let engine = Box::new(Engine(Arc::clone(&way)));
        let broadcaster = Broadcaster::one_of_several(inbox, Limits::default(), start, engine);
        let mut server = Server::of(broadcaster);
        server.now.monotonic = Duration::from_secs(1);
        server.now.wall = WallTime(1_000);
        Node { server, way }
    }

    fn cut(&self, is_cut: bool) {
        let mut way = self.way.lock().unwrap();
        (way.is_cut_out, way.is_cut_in) = (is_cut, is_cut);
    }

    fn standing(&self) -> Standing {
        self.server.broadcaster.standing()
    }

    /// The people in the lobby, as `/who` names them.
    fn who(&mut self, person: &mut Person) -> Vec<String> {
        self.dated_who(person).0
    }

    /// The same, and how old it may be.
    fn dated_who(&mut self, person: &mut Person) -> (Vec<String>, Option<WallTime>) {
        let here = person.seat.room();
        match self.server.ask(&mut person.link, Query::Who(here)) {
            Outcome::Answer(Answer::Who { people, as_of, .. }) => {
                let mut names: Vec<_> = people.iter().map(|one| one.name.to_string()).collect();
                names.sort();
                (names, as_of)
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Two nodes whose boots have begun.
fn two() -> (Order, Node, Node) {
    let order = Order::default();
    let mut nodes = ["red", "blue"].map(|name| Node::new(name, 7, &order));
    wait(&mut nodes.each_mut(), 2);
    assert!(nodes.iter().all(|node| node.standing() == Standing::InTouch));
    let [red, blue] = nodes;
    (order, red, blue)
}

/// Lets this many seconds pass, one after the other.
fn wait(nodes: &mut [&mut Node], seconds: u64) {
    for _ in 0..seconds {
        for node in &mut *nodes {
            node.server.wait(Duration::from_secs(1));
        }
        nodes.iter_mut().for_each(|node| node.server.run());
    }
    let ends: Vec<_> = nodes
        .iter()
        .map(|node| (node.server.broadcaster.position(), node.server.broadcaster.digest()))
        .collect();
    let mut sorted = ends.clone();
    sorted.sort_unstable();
    for pair in sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert_eq!(pair[0].1, pair[1].1, "ledgers differ: {ends:?}");
    }
}

/// All entries in a room since the arrival.
fn read(view: &View) -> Vec<Entry> {
    let mut slices = Slices::new();
    view.read(view.arrived, usize::MAX, &mut slices).unwrap();
    slices.iter().flat_map(|slice| slice.batch.entries()[slice.entries.clone()].to_vec()).collect()
}

/// The events, however they are announced: each node folds crowds by itself.
fn events(entries: &[Entry]) -> Vec<String> {
    let event = |entry: &Entry| match entry {
        Entry::Arrived { telling: Telling::Late, .. }
        | Entry::Left { telling: Telling::Late, .. } => None,
        Entry::Arrived { who, .. } => Some(format!("+{}", who.name)),
        Entry::Left { who, .. } => Some(format!("-{}", who.name)),
        Entry::ArrivedTogether(_) | Entry::LeftTogether(_) => None,
        other => Some(format!("{other:?}")),
    };
    entries.iter().filter_map(event).collect()
}

/// The notices in the mailbox.
fn notices(link: &Link) -> Vec<Notice> {
    let mut notices = Vec::new();
    while let Some(mail) = link.client().take(|_, _| true) {
        if let Mail::Answer(Answer::Notice(notice)) = mail {
            notices.push(notice);
        }
    }
    notices
}

fn contact(link: &Link) -> Vec<Contact> {
    let contact = |notice| match notice {
        Notice::Contact(contact) => Some(contact),
        _ => None,
    };
    notices(link).into_iter().filter_map(contact).collect()
}

#[test]
fn two_nodes_show_the_same_lines_people_and_names() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    let refused = blue.server.refusal(&mut bob.link, rename("ALICE"));
    assert!(matches!(refused, Refusal::NameTaken(_)), "{refused:?}");
    red.server.ask(&mut alice.link, post(alice.seat.room(), &["one", "two"]));
    blue.server.ask(&mut bob.link, post(bob.seat.room(), &["three"]));
    blue.server.ask(&mut bob.link, rename("bobby"));
    let (tea, entered) = granted(red.server.ask(&mut alice.link, join("tea")));
    red.server.ask(&mut alice.link, post(tea.room(), &["alone"]));
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(read(&alice.entered.view)[1..], read(&bob.entered.view), "after bob's arrival");
    assert_eq!(read(&entered.view).len(), 1);
    for (node, person) in [(&mut red, &mut alice), (&mut blue, &mut bob)] {
        assert_eq!(node.who(person), ["alice", "bobby"]);
        assert_eq!(node.server.census().rooms, 2);
    }
    drop((alice, tea));
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(blue.who(&mut bob), ["bobby"]);
    assert_eq!(blue.server.census().rooms, 1, "the room tea has left memory");
}

#[test]
fn a_person_comes_back_on_another_node_and_nobody_reads_of_it() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    let code = red.server.code(&mut alice.link, alice.seat.room());
    wait(&mut [&mut red, &mut blue], 1);
    let mut again = blue.server.connect();
    let (seat, _) = granted(blue.server.ask(&mut again, come_back(code)));
    blue.server.ask(&mut again, post(seat.room(), &["back"]));
    wait(&mut [&mut red, &mut blue], 1);
    assert!(alice.link.client().removed().is_some(), "the connection to red ends");
    assert!(alice.entered.view.departed().is_some());
    drop(alice);
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(blue.who(&mut bob), ["alice", "bob"]);
    assert_eq!(red.server.census().people, 2);
    let untold = |entry: &Entry| match entry {
        Entry::Arrived { telling, .. } | Entry::Left { telling, .. } => *telling == Telling::Untold,
        _ => false,
    };
    let (read, told): (Vec<_>, Vec<_>) = read(&bob.entered.view).into_iter().partition(untold);
    assert_eq!((read.len(), told.len()), (2, 1), "{told:?}");
}

#[test]
fn of_two_claims_the_first_in_the_order_counts() {
    let (_, mut red, mut blue) = two();
    let (mut one, mut other) = (red.server.connect(), blue.server.connect());
    blue.cut(true);
    other.start(enter("alice", "lobby"));
    blue.server.run();
    let (_seat, _) = granted(red.server.ask(&mut one, enter("alice", "lobby")));
    blue.cut(false);
    wait(&mut [&mut red, &mut blue], 1);
    let refused = refusal(other.outcome().unwrap());
    assert!(matches!(refused, Refusal::NameTaken(_)), "{refused:?}");
}

#[test]
fn a_line_has_the_time_of_its_place_whatever_batch_it_lands_in() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    red.server.now.wall = WallTime(50_000);
    alice.link.start(post(alice.seat.room(), &["early"]));
    red.server.drain();
    red.server.now.wall = WallTime(90_000);
    let gathered = red.server.gather();
    assert_eq!(gathered.position(), red.server.broadcaster.position());
    red.server.append(gathered);
    wait(&mut [&mut red, &mut blue], 1);
    let said = read(&alice.entered.view);
    let [Entry::Said(said)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(said.at, WallTime(50_000));
}

#[test]
fn a_proposal_that_comes_twice_counts_once() {
    let (order, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    red.server.ask(&mut alice.link, post(alice.seat.room(), &["once"]));
    let copies: Vec<_> = order.lock().unwrap().clone();
    order.lock().unwrap().extend(copies);
    wait(&mut [&mut red, &mut blue], 2);
    assert_eq!(alice.heard(), ["once"]);
    assert_eq!(red.standing(), Standing::InTouch);
    assert_eq!(red.who(&mut alice), ["alice"]);
}

#[test]
fn one_proposal_is_under_way_and_the_next_intents_wait() {
    let (order, mut red, _blue) = two();
    let mut people = ["alice", "bob", "carol"].map(|name| red.server.enter(name));
    let before = order.lock().unwrap().len();
    red.way.lock().unwrap().is_cut_in = true;
    for person in &mut people {
        person.link.start(post(person.seat.room(), &["hi"]));
        red.server.run();
    }
    assert_eq!(order.lock().unwrap().len(), before + 1);
    red.way.lock().unwrap().is_cut_in = false;
    red.server.run();
    red.server.run();
    let intents: Vec<_> =
        order.lock().unwrap()[before..].iter().map(|(_, p)| p.intents.len()).collect();
    assert_eq!(intents, [1, 2]);
    assert!(people.iter_mut().all(|person| matches!(person.link.outcome(), Some(Outcome::Done))));
    assert_eq!(people[2].heard().len(), 3);
}

#[test]
fn a_large_post_is_split_and_said_in_order() {
    let (order, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    let lines: Vec<String> =
        (0..100).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    alice.link.start(post(alice.seat.room(), &texts));
    wait(&mut [&mut red, &mut blue], 1);
    assert!(matches!(alice.link.outcome(), Some(Outcome::Done)));
    assert_eq!(alice.heard(), lines);
    let sizes = order
        .lock()
        .unwrap()
        .iter()
        .map(|(_, proposal)| proposal.intents.iter().map(Intent::bytes).sum::<usize>())
        .collect::<Vec<_>>();
    assert!(sizes.iter().all(|bytes| *bytes <= 20_000), "{sizes:?}");
}

#[test]
fn all_lines_of_a_large_post_are_sent_or_none() {
    // None of them, the first ones or nothing but the first ones are in the order.
    for (is_published, is_received, said) in
        [(false, false, 0), (true, false, 100), (true, true, 100)]
    {
        let (_, mut red, mut blue) = two();
        let mut alice = red.server.enter("alice");
        wait(&mut [&mut red, &mut blue], 1);
        blue.cut(true); // nobody is declared down
        {
            let mut way = red.way.lock().unwrap();
            (way.is_cut_out, way.is_cut_in) = (!is_published, true);
        }
        let text = "x".repeat(1_000);
        alice.link.start(post(alice.seat.room(), &[text.as_str(); 100]));
        red.server.run();
        {
            let mut way = red.way.lock().unwrap();
            (way.is_cut_out, way.is_cut_in) = (true, !is_received);
        }
        red.server.run();
        red.cut(true);
        wait(&mut [&mut red, &mut blue], 35);
        assert!(alice.link.outcome().is_none(), "some may be sent");
        red.cut(false);
        blue.cut(false);
        wait(&mut [&mut red, &mut blue], 5);
        let outcome = alice.link.outcome().unwrap();
        match said {
            0 => assert!(matches!(refusal(outcome), Refusal::NotSent)),
            _ => assert!(matches!(outcome, Outcome::Done), "{outcome:?}"),
        }
        assert_eq!(alice.heard().len(), said);
    }
}

#[test]
fn a_node_that_is_silent_is_down_and_its_people_leave_as_a_crowd() {
    let (_, mut red, mut blue) = two();
    let people: Vec<_> = (0..5).map(|n| red.server.enter(&format!("guest{n}"))).collect();
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut blue], 8);
    assert_eq!(blue.server.census().people, 6, "not yet");
    wait(&mut [&mut blue], 5);
    assert_eq!(blue.who(&mut bob), ["bob"]);
    let told = read(&bob.entered.view);
    let together = told.iter().find_map(|entry| match entry {
        Entry::LeftTogether(people) => Some(people.len()),
        _ => None,
    });
    assert_eq!(together, Some(5), "{told:?}");
    let mut again = blue.server.connect();
    granted(blue.server.ask(&mut again, enter("guest0", "lobby")));
    drop(people);
}

#[test]
fn a_node_that_was_out_of_touch_accuses_nobody_for_that_time() {
    let (_, mut red, mut blue) = two();
    let _alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    blue.cut(true);
    wait(&mut [&mut red, &mut blue], 9);
    red.cut(false);
    blue.cut(false);
    wait(&mut [&mut red, &mut blue], 12);
    assert_eq!(blue.server.census().people, 1, "an election took 9 s");
    // A process that was asleep does not know what it missed.
    blue.server.now.monotonic += Duration::from_secs(60);
    blue.server.drain();
    wait(&mut [&mut red, &mut blue], 3);
    assert_eq!(blue.server.census().people, 1);
}

#[test]
fn a_node_that_was_asleep_accuses_nobody_for_the_time_before() {
    let (order, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    wait(&mut [&mut red], 9);
    // The accusation waits for the proposal under way, which comes back while the process sleeps.
    red.way.lock().unwrap().is_cut_in = true;
    alice.link.start(post(alice.seat.room(), &["hi"]));
    red.server.run();
    wait(&mut [&mut red], 1);
    red.way.lock().unwrap().is_cut_in = false;
    wait(&mut [&mut blue], 30);
    red.server.wait(Duration::from_secs(30));
    let accusers: Vec<u32> = order
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, proposal)| proposal.intents.iter().any(|i| matches!(i, Intent::Down { .. })))
        .map(|(_, proposal)| proposal.id.boot)
        .collect();
    assert_eq!(accusers, [2], "only blue was awake");
}

#[test]
fn a_proposal_from_before_a_sleep_says_nothing_of_the_contact_now() {
    let (_, mut red, mut blue) = two();
    let _alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    // A proposal of blue has its place, and blue sleeps before it reads that.
    blue.way.lock().unwrap().is_cut_in = true;
    wait(&mut [&mut blue], 1);
    blue.server.now.monotonic += Duration::from_secs(5);
    blue.server.run();
    blue.cut(false);
    blue.server.run();
    // The order is out of reach for another two seconds.
    blue.way.lock().unwrap().is_cut_out = true;
    wait(&mut [&mut blue], 1);
    blue.cut(false);
    wait(&mut [&mut blue], 9);
    assert_eq!(blue.server.census().people, 1, "red has its ten seconds from then on");
    wait(&mut [&mut blue], 3);
    assert_eq!(blue.server.census().people, 0, "it was silent");
}

#[test]
fn a_fenced_node_enters_its_people_again_and_nobody_loses_the_connection() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    let mut carol = red.server.enter("carol");
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    alice.link.start(post(alice.seat.room(), &["late"]));
    wait(&mut [&mut red, &mut blue], 12);
    assert_eq!(blue.who(&mut bob), ["bob"]);
    let mut thief = blue.server.connect();
    let (_seat, _) = granted(blue.server.ask(&mut thief, enter("carol", "lobby")));
    blue.server.ask(&mut bob.link, post(bob.seat.room(), &["meanwhile"]));
    assert_eq!(contact(&alice.link), [Contact::Waiting, Contact::Lost]);
    let (listed, as_of) = red.dated_who(&mut carol);
    assert_eq!((listed.len(), blue.dated_who(&mut bob).1), (3, None));
    assert!(as_of.is_some_and(|at| at < red.server.now.wall), "{as_of:?}");
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 4);
    assert_eq!((red.standing(), red.dated_who(&mut carol).1), (Standing::InTouch, None));
    assert!(matches!(alice.link.outcome(), Some(Outcome::Done)), "it is sent in the next boot");
    let address = address_of(&carol.link);
    for (node, person) in [(&mut red, &mut alice), (&mut blue, &mut bob)] {
        assert_eq!(node.who(person), ["alice", "bob", "carol", &address]);
        assert_eq!(person.heard(), ["meanwhile", "late"]);
    }
    let told = notices(&carol.link);
    let gone =
        |notice: &Notice| matches!(notice, Notice::NameGone { now, .. } if now.as_str() == address);
    assert!(told.iter().any(gone), "{told:?}");
    assert_eq!(contact(&alice.link), [Contact::Back { lines: 1 }], "without her own");
    let refused = red.server.ask(&mut carol.link, post(carol.seat.room(), &["still here"]));
    assert!(matches!(refused, Outcome::Done));
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(bob.heard(), ["meanwhile", "late", "still here"]);
    let (red_read, blue_read) = (read(&carol.entered.view), read(&bob.entered.view));
    assert_eq!(events(&red_read)[1..], events(&blue_read), "after bob's arrival");
    drop((alice, carol));
    wait(&mut [&mut red, &mut blue], 2);
    assert_eq!(red.server.census().people, 2);
    assert_eq!(red.server.census().seats, blue.server.census().seats);
}

/// The name of a connection without an address that has lost its own.
fn address_of(link: &Link) -> String {
    format!("unix:{}", link.client().id().number())
}

#[test]
fn a_client_that_enters_again_knows_who_is_here_when_its_boot_has_ended() {
    let (_, mut red, mut blue) = two();
    let alice = red.server.enter("alice");
    alice.link.client().want_roster(true);
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    let mut backlog = Backlog::new(Presences, Arc::clone(alice.link.client()));
    let address = address_of(&alice.link);
    alice.link.reply(alice.seat.mark(), Mail::Entered(alice.entered));
    assert_eq!(reads(&mut backlog), "+bob ");
    red.cut(true);
    wait(&mut [&mut red, &mut blue], 12);
    blue.server.ask(&mut bob.link, post(bob.seat.room(), &["meanwhile"]));
    let mut thief = blue.server.connect();
    let thief = granted(blue.server.ask(&mut thief, enter("alice", "lobby")));
    blue.server.ask(&mut bob.link, post(bob.seat.room(), &["more"]));
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 4);
    let seen = reads(&mut backlog);
    assert_eq!(
        seen,
        format!("gone meanwhile more apart-{address} again lobby=[bob,alice,{address}] lobby=[] ")
    );
    drop(thief);
    wait(&mut [&mut red, &mut blue], 2);
    assert_eq!(reads(&mut backlog), "-alice ");
}

#[test]
fn a_seat_that_is_told_behind_the_loss_of_a_name_is_told_under_the_new_one() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let mut backlog = Backlog::new(Presences, Arc::clone(alice.link.client()));
    alice.link.reply(alice.seat.mark(), Mail::Entered(alice.entered));
    let (tea, entered) = granted(red.server.ask(&mut alice.link, join("tea")));
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    wait(&mut [&mut red, &mut blue], 12);
    let mut thief = blue.server.connect();
    let thief = granted(blue.server.ask(&mut thief, enter("alice", "lobby")));
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 4);
    let read = reads(&mut backlog);
    assert!(read.starts_with("gone "), "{read}");
    alice.link.reply(tea.mark(), Mail::Entered(entered));
    let read = reads(&mut backlog);
    assert!(read.starts_with(&format!("in-tea-{} ", address_of(&alice.link))), "{read}");
    drop(thief);
}

#[test]
fn modes_authority_and_markers_outlast_the_end_of_a_boot() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    red.server.own(&mut alice.link, "alice", 0);
    let mut zoe = red.server.enter("zoe");
    let deed = Deed::to(Verb::AddKeeper, Whom::Name(Name::parse("alice").unwrap()));
    let here = Here::Operator;
    red.server.ask(&mut red.server.connect(), Change::Act { here, deed });
    let proof = ProvenAccount { name: Name::parse("alice").unwrap(), proof: Proof(1) };
    let is_done = |outcome: &Outcome| !matches!(outcome, Outcome::Answer(Answer::Refused(_)));
    let set = Modes::INVISIBLE.with(Modes::WALLOPS);
    let modes = Change::SetModes { of: line("zoe"), set, removed: Modes::NONE };
    let conversation = ConversationId::Room(RoomName::lobby());
    let read = Change::MarkRead { conversation, read: WallTime(900) };
    for change in [Change::Oper(proof), modes, read] {
        let outcome = red.server.ask(&mut zoe.link, change);
        assert!(is_done(&outcome), "{outcome:?}");
    }
    let before = blue_person(&mut red, &mut blue, &zoe);
    red.cut(true);
    wait(&mut [&mut red, &mut blue], 12);
    assert!(!blue.server.broadcaster.snapshot().people.contains_key(&zoe.link.client().id()));
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 4);
    let after = blue_person(&mut red, &mut blue, &zoe);
    assert_eq!(after, before);
    assert_eq!(after.0, set);
    assert!(after.1.is_some() && !after.2.0.is_empty(), "{after:?}");
}

/// The modes, the lent authority and the markers of a person, as the other node knows them.
fn blue_person(red: &mut Node, blue: &mut Node, person: &Person) -> (Modes, Option<Name>, Markers) {
    wait(&mut [red, blue], 1);
    let people = blue.server.broadcaster.snapshot().people;
    let person = people[&person.link.client().id()].clone();
    (person.modes, person.lent, person.markers)
}

/// Shows who comes and goes, in words.
#[derive(Debug)]
struct Presences;

impl Encoding for Presences {
    fn key(&self) -> EncodingKey {
        EncodingKey::named("presences")
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        let word = match entry {
            Entry::Said(said) => said.text.to_string(),
            Entry::Arrived { who, .. } => format!("+{}", who.name),
            Entry::Left { who, .. } => format!("-{}", who.name),
            _ => return,
        };
        out.extend_from_slice(format!("{word} ").as_bytes());
    }
}

impl Encoder for Presences {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        if let Answer::Notice(Notice::NameGone { .. }) = answer {
            out.extend_from_slice(b"gone ");
        }
    }

    fn tells_events_once(&self) -> bool {
        true
    }

    fn enters_again(&self) -> bool {
        true
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        if entered.first {
            return;
        }
        out.extend_from_slice(format!("in-{}-{} ", entered.room, entered.who.name).as_bytes());
    }

    fn was_apart(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("apart-{} ", entered.who.name).as_bytes());
    }

    fn entered_again(&mut self, _: &Entered, out: &mut Vec<u8>) {
        out.extend_from_slice(b"again ");
    }

    fn listed(&mut self, room: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        let names: Vec<_> = people.iter().map(|person| person.who.name.to_string()).collect();
        out.extend_from_slice(format!("{room}=[{}] ", names.join(",")).as_bytes());
    }

    fn replayed(&mut self, _: &RoomName, _: &Said, _: &mut Vec<u8>) {}
    fn departed(&mut self, _: &RoomName, _: WhyDeparted<'_>, _: &mut Vec<u8>) {}
    fn ended(&mut self, _: &mut Vec<u8>) {}
    fn raw(&mut self, _: &[u8], _: &mut Vec<u8>) {}
}

/// Everything that a reader gets now.
fn reads(backlog: &mut Backlog<Presences>) -> String {
    let mut text = Vec::new();
    loop {
        backlog.collect();
        let before = text.len();
        backlog.runs().for_each(|run| text.extend_from_slice(run));
        backlog.advance(text.len() - before);
        if text.len() == before {
            return String::from_utf8(text).unwrap();
        }
    }
}

#[test]
fn a_person_who_may_not_return_to_a_room_loses_the_seat() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    wait(&mut [&mut red, &mut blue], 12);
    let mut operator = blue.server.connect();
    let deed = Deed::to(Verb::Ban, Whom::Name(Name::parse("alice").unwrap()));
    blue.server.ask(&mut operator, Change::Act { here: Here::Operator, deed });
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 3);
    assert!(alice.link.client().removed().is_some());
    assert!(alice.entered.view.departed().is_some());
    drop(alice.seat);
    red.server.run();
    assert!(alice.link.outcome().is_none());
    assert_eq!(red.server.census().people, 0);
}

#[test]
fn a_ban_of_addresses_removes_people_who_were_on_their_way() {
    let come = Change::Come { name: Name::parse("alice").unwrap().into(), profile: None };
    for change in [enter("alice", "lobby"), come] {
        let (_, mut red, mut blue) = two();
        let address = "198.51.100.7:50000".parse().unwrap();
        let inbox = red.server.broadcaster.inbox();
        let mut alice = inbox.connect_from(Some(address), |_| Arc::default());
        red.cut(true);
        alice.start(change);
        red.server.run();
        let mut operator = blue.server.connect();
        let deed = Deed::to(Verb::Ban, Whom::parse("198.51.100.0/24").unwrap());
        blue.server.ask(&mut operator, Change::Act { here: Here::Operator, deed });
        red.cut(false);
        wait(&mut [&mut red, &mut blue], 3);
        assert!(matches!(alice.outcome(), Some(Outcome::Came(..))), "she was allowed to");
        assert!(alice.client().removed().is_some());
        assert_eq!(red.server.census().people, 0);
        assert_eq!(blue.server.census().people, 0);
    }
}

#[test]
fn a_line_whose_fate_is_unknown_is_void_or_sent_and_never_both() {
    for is_published in [false, true] {
        let (_, mut red, mut blue) = two();
        let mut alice = red.server.enter("alice");
        wait(&mut [&mut red, &mut blue], 1);
        {
            let mut way = red.way.lock().unwrap();
            (way.is_cut_out, way.is_cut_in) = (!is_published, true);
        }
        blue.cut(true); // nobody is declared down
        alice.link.start(post(alice.seat.room(), &["unknown"]));
        red.server.run();
        red.way.lock().unwrap().is_cut_out = true;
        wait(&mut [&mut red, &mut blue], 31);
        let told = contact(&alice.link);
        assert_eq!(told, [Contact::Waiting, Contact::Lost, Contact::Unknown]);
        assert!(alice.link.outcome().is_none(), "nobody knows");
        let come = Change::Come { name: Name::parse("zoe").unwrap().into(), profile: None };
        for change in [enter("zoe", "lobby"), come] {
            let refused = red.server.refusal(&mut red.server.connect(), change);
            assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
        }
        red.cut(false);
        blue.cut(false);
        wait(&mut [&mut red, &mut blue], 3);
        let outcome = alice.link.outcome().unwrap();
        match is_published {
            true => assert!(matches!(outcome, Outcome::Done), "{outcome:?}"),
            false => assert!(matches!(refusal(outcome), Refusal::NotSent)),
        }
        let said: &[&str] = if is_published { &["unknown"] } else { &[] };
        assert_eq!(alice.heard(), said);
        let back = contact(&alice.link);
        assert_eq!(back.contains(&Contact::Sent), is_published, "{back:?}");
        assert!(matches!(back.last(), Some(Contact::Back { .. })), "{back:?}");
    }
}

#[test]
fn a_person_in_doubt_whose_boot_has_ended_is_told_that_the_line_was_sent() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    alice.link.start(post(alice.seat.room(), &["unknown"]));
    red.server.run();
    wait(&mut [&mut red, &mut blue], 31); // blue declares red down
    assert_eq!(contact(&alice.link), [Contact::Waiting, Contact::Lost, Contact::Unknown]);
    red.cut(false);
    wait(&mut [&mut red, &mut blue], 3);
    let back = contact(&alice.link);
    assert!(back.contains(&Contact::Sent), "{back:?}");
    assert!(matches!(alice.link.outcome(), Some(Outcome::Done)));
    assert_eq!(alice.heard(), ["unknown"]);
}

#[test]
fn requests_that_wait_too_long_are_refused_and_departures_are_not_lost() {
    let (_, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    let (mut bob, carol) = (red.server.enter("bob"), red.server.enter("carol"));
    wait(&mut [&mut red, &mut blue], 1);
    red.cut(true);
    blue.cut(true);
    alice.link.start(post(alice.seat.room(), &["under way"]));
    red.server.run();
    bob.link.start(post(bob.seat.room(), &["waits"]));
    drop(carol);
    wait(&mut [&mut red, &mut blue], 31);
    let refused = refusal(bob.link.outcome().unwrap());
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    let refused = red.server.refusal(&mut bob.link, post(bob.seat.room(), &["now"]));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    red.cut(false);
    blue.cut(false);
    wait(&mut [&mut red, &mut blue], 3);
    assert_eq!(red.who(&mut bob), ["alice", "bob"]);
    assert_eq!(blue.server.census().people, 2);
}

#[test]
fn nodes_are_in_touch_again_after_a_full_order_has_refused_the_proposals_with_which_they_gave_up() {
    let (_, mut red, mut blue) = two();
    wait(&mut [&mut red, &mut blue], 1);
    for node in [&red, &blue] {
        node.cut(true);
    }
    wait(&mut [&mut red, &mut blue], 31);
    let fill = |node: &Node, is_full| node.way.lock().unwrap().is_full = is_full;
    fill(&red, true);
    fill(&blue, true);
    wait(&mut [&mut red, &mut blue], 2);
    for node in [&red, &blue] {
        fill(node, false);
        node.cut(false);
    }
    wait(&mut [&mut red, &mut blue], 3);
    assert_eq!([red.standing(), blue.standing()], [Standing::InTouch; 2]);
}

#[test]
fn a_node_that_stops_tells_the_others_at_once() {
    let (_, mut red, mut blue) = two();
    let alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let bob = blue.server.enter("bob");
    red.server.broadcaster.close();
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(red.standing(), Standing::Left);
    assert!(alice.entered.view.departed().is_some());
    assert_eq!(blue.server.census().people, 1);
    let left = |entry: &Entry| matches!(entry, Entry::Left { .. });
    assert_eq!(read(&bob.entered.view).iter().filter(|entry| left(entry)).count(), 1);
}

#[test]
fn a_node_restarts_from_a_snapshot_and_replaces_the_process_before() {
    let (order, mut red, mut blue) = two();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    let ledger = red.server.broadcaster.snapshot();
    let place = usize::try_from(red.server.broadcaster.position()).unwrap();
    red.server.ask(&mut alice.link, post(alice.seat.room(), &["after the snapshot"]));
    let mut again = Node::continued("red", 8, &order, ledger, place);
    wait(&mut [&mut again, &mut blue], 2);
    assert_eq!(again.standing(), Standing::InTouch);
    assert_eq!(blue.who(&mut bob), ["bob"]);
    let mut carol = again.server.enter("carol");
    again.server.ask(&mut carol.link, post(carol.seat.room(), &["two"]));
    wait(&mut [&mut again, &mut blue], 1);
    assert_eq!(again.who(&mut carol), ["bob", "carol"]);
    let last = read(&bob.entered.view).into_iter().filter_map(|entry| match entry {
        Entry::Said(said) => Some((said.seq, said.text.to_string())),
        _ => None,
    });
    let lines = [(1, "after the snapshot".to_owned()), (2, "two".to_owned())];
    assert_eq!(last.collect::<Vec<_>>(), lines);
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(red.standing(), Standing::Replaced);
    let refused = red.server.refusal(&mut alice.link, post(alice.seat.room(), &["no"]));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
}

#[test]
fn nobody_enters_before_the_first_boot() {
    let order = Order::default();
    let mut red = Node::new("red", 7, &order);
    red.cut(true);
    let mut alice = red.server.connect();
    let refused = red.server.refusal(&mut alice, enter("alice", "lobby"));
    assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
    assert_eq!(red.standing(), Standing::Starting);
    red.cut(false);
    wait(&mut [&mut red], 1);
    assert_eq!(red.server.connect().client().id().number() >> 40, 1);
}

#[test]
fn a_node_for_which_there_is_no_place_says_so_and_does_not_try_again() {
    let order = Order::default();
    for number in 0..256 {
        let node = NodeName::parse(&format!("node-{number}")).unwrap();
        let NodeStart { program, .. } = start("red", 7, 1);
        let up = Intent::Up { node, nonce: 7, program, after: None };
        let proposal = Proposal { intents: vec![up], ..Proposal::default() };
        order.lock().unwrap().push((WallTime(1), proposal));
    }
    let mut red = Node::new("red", 7, &order);
    wait(&mut [&mut red], 60);
    assert_eq!(red.standing(), Standing::OneTooMany);
    assert_eq!(order.lock().unwrap().len(), 257, "it tried once");
    let mut alice = red.server.connect();
    let refused = red.server.refusal(&mut alice, enter("alice", "lobby"));
    assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
}

#[test]
fn each_request_has_an_outcome_while_a_node_stops() {
    let (_, mut red, mut blue) = two();
    let (mut alice, mut bob) = (red.server.enter("alice"), red.server.enter("bob"));
    wait(&mut [&mut red, &mut blue], 1);
    red.way.lock().unwrap().is_cut_in = true;
    bob.link.start(post(bob.seat.room(), &["under way"]));
    red.server.run();
    red.server.broadcaster.close();
    red.server.run();
    let mut carol = red.server.connect();
    let refused = red.server.refusal(&mut carol, enter("carol", "lobby"));
    assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
    let refused = red.server.refusal(&mut alice.link, post(alice.seat.room(), &["too late"]));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    red.way.lock().unwrap().is_cut_in = false;
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(red.standing(), Standing::Left);
    assert!(matches!(bob.link.outcome(), Some(Outcome::Done)));
}

#[test]
fn a_node_that_stops_between_two_boots_refuses_what_waits() {
    let (_, mut red, mut blue) = two();
    let mut people = ["alice", "bob", "carol"].map(|name| red.server.enter(name));
    red.cut(true);
    // One is under way, one fills the queue, and one waits for space there.
    let long = "x".repeat(1_000);
    for person in &mut people {
        person.link.start(post(person.seat.room(), &[long.as_str(); 30]));
        red.server.run();
    }
    wait(&mut [&mut blue], 12);
    red.way.lock().unwrap().is_cut_in = false;
    red.server.run();
    let mut outcomes = people.iter_mut().map(|person| person.link.outcome());
    assert!(outcomes.all(|outcome| outcome.is_none()), "they are sent in the next boot");
    red.server.broadcaster.close();
    red.server.run();
    assert_eq!(red.standing(), Standing::Left);
    wait(&mut [&mut red], 1);
    for person in &mut people {
        let refused = refusal(person.link.outcome().expect("an outcome"));
        assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    }
}

/// The questions and answers that nodes have not read yet, by the random number of the process.
/// Without a queue, a node does not answer.
type Letters = Arc<Mutex<BTreeMap<u64, VecDeque<Carried>>>>;

/// The way of a node to the others.
#[derive(Debug)]
struct Post {
    own: u64,
    letters: Letters,
}

impl Post {
    fn put(&self, nonce: u64, carried: Carried) -> bool {
        let mut letters = self.letters.lock().unwrap();
        letters.get_mut(&nonce).map(|letters| letters.push_back(carried)).is_some()
    }
}

impl Neighbours for Post {
    fn ask(&mut self, nonce: u64, number: u64, question: NodeQuestion) {
        if !self.put(nonce, Carried::Question(self.own << 32 | number, question)) {
            self.put(self.own, Carried::Answer(number, None));
        }
    }

    fn answer(&mut self, number: u64, answer: NodeAnswer) {
        self.put(number >> 32, Carried::Answer(number & 0xffff_ffff, Some(answer)));
    }

    fn poll(&mut self) -> Option<Carried> {
        self.letters.lock().unwrap().get_mut(&self.own)?.pop_front()
    }
}

const RED: u64 = 1;
const BLUE: u64 = 2;

/// Two nodes that ask each other.
fn two_who_ask() -> (Letters, Node, Node) {
    let order = Order::default();
    let letters = Letters::default();
    let node = |name, own| {
        let Node { server, way } = Node::new(name, own, &order);
        letters.lock().unwrap().insert(own, VecDeque::new());
        let post = Box::new(Post { own, letters: Arc::clone(&letters) });
        let broadcaster = server.broadcaster.with_neighbours(post);
        Node { server: Server { broadcaster, ..server }, way }
    };
    let (mut red, mut blue) = (node("red", RED), node("blue", BLUE));
    wait(&mut [&mut red, &mut blue], 2);
    (letters, red, blue)
}

/// The outcome of a question for which the second node is asked.
fn asked((node, other): (&mut Node, &mut Node), link: &mut Link, query: Query) -> Outcome {
    link.start(query);
    node.server.run();
    assert!(link.outcome().is_none(), "the other node is not asked");
    other.server.run();
    node.server.run();
    link.outcome().expect("the other node has answered")
}

#[test]
fn the_node_with_the_connection_of_a_code_is_asked_how_far_it_has_read() {
    let (letters, mut red, mut blue) = two_who_ask();
    let mut alice = red.server.enter("alice");
    let code = red.server.code(&mut alice.link, alice.seat.room());
    let mut backlog = Backlog::new(Presences, Arc::clone(alice.link.client()));
    alice.link.reply(alice.seat.mark(), Mail::Entered(alice.entered));
    wait(&mut [&mut red, &mut blue], 1);
    let mut bob = blue.server.enter("bob");
    blue.server.ask(&mut bob.link, post(bob.seat.room(), &["one", "two", "three"]));
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(reads(&mut backlog), "+bob one two three ");
    let query = || Query::Code { code, now: WallTime(0) };
    let seq = |outcome| match outcome {
        Outcome::Code(place) => place.seq,
        other => panic!("{other:?}"),
    };
    let mut again = blue.server.connect();
    assert_eq!(seq(asked((&mut blue, &mut red), &mut again, query())), 3);
    // If the room is another one by then, the answer is not about it.
    again.start(query());
    blue.server.run();
    let (tea, entered) = granted(red.server.ask(&mut alice.link, join("tea")));
    let change = CodeChange::Move { code, room: Some(tea.room()) };
    red.server.ask(&mut alice.link, Change::Code(change));
    blue.server.run();
    assert_eq!(again.outcome().map(seq), Some(0));
    drop((tea, entered));
    letters.lock().unwrap().remove(&RED);
    assert_eq!(seq(asked((&mut blue, &mut red), &mut again, query())), 0, "as in the ledger");
}

/// All pages of the people on blue, as the operator of red gets them.
fn pages(red: &mut Node, blue: &mut Node, is_silent: bool) -> Vec<VisitorPage> {
    let mut link = red.server.connect();
    let (mut from, mut pages) = (Some(PersonId::first_of(0)), Vec::new());
    while let Some(first) = from {
        let node = NodeName::parse("blue");
        let query = || Query::Everybody { node: node.clone(), from: first, is_silent };
        let outcome = match is_silent {
            true => red.server.ask(&mut link, query()),
            false => asked((&mut *red, &mut *blue), &mut link, query()),
        };
        let Outcome::Answer(Answer::Everybody(page)) = outcome else { panic!("{outcome:?}") };
        from = page.next;
        pages.push(page);
    }
    pages
}

#[test]
fn the_operator_gets_the_addresses_of_people_on_other_nodes_page_by_page() {
    const PEOPLE: u16 = 1_000;
    let (letters, mut red, mut blue) = two_who_ask();
    let _here = red.server.enter("alice");
    let inbox = Arc::clone(blue.server.broadcaster.inbox());
    let address = |number| SocketAddr::from(([192, 0, 2, 7], 50_000 + number));
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let mut link = inbox.connect_from(Some(address(number)), |_| Arc::default());
            link.start(enter(&format!("bob{number}"), "lobby"));
            link
        })
        .collect();
    wait(&mut [&mut red, &mut blue], 3);
    let all = pages(&mut red, &mut blue, false);
    assert!(all.iter().all(|page| !page.is_silent));
    let most = all.iter().map(|page| page.people.len()).max();
    assert!(most < Some(400), "an answer has to fit into the smallest proposal: {most:?}");
    let seen = all.iter().flat_map(|page| &page.people);
    let seen: Vec<_> = seen.map(|one| (one.name.to_string(), one.address)).collect();
    let wanted = (0..PEOPLE).map(|number| (format!("bob{number}"), Some(address(number))));
    assert_eq!(seen, wanted.collect::<Vec<_>>());
    let unasked = pages(&mut red, &mut blue, true);
    assert!(unasked.iter().all(|page| page.is_silent));
    letters.lock().unwrap().remove(&BLUE);
    let (node, from) = (NodeName::parse("blue"), PersonId::first_of(0));
    let query = Query::Everybody { node, from, is_silent: false };
    let mut link = red.server.connect();
    let outcome = asked((&mut red, &mut blue), &mut link, query);
    let Outcome::Answer(Answer::Everybody(page)) = outcome else { panic!("{outcome:?}") };
    assert!(page.is_silent && page.people.iter().all(|one| one.address.is_none()));
    drop(people);
}

#[test]
fn a_private_message_to_another_node_is_read_or_not_or_nobody_knows() {
    let (letters, mut red, mut blue) = two_who_ask();
    let mut alice = red.server.enter("alice");
    wait(&mut [&mut red, &mut blue], 1);
    let bob = blue.server.enter("bob");
    wait(&mut [&mut red, &mut blue], 1);
    let query = || private("bob", "psst");
    let outcome = asked((&mut red, &mut blue), &mut alice.link, query());
    assert!(matches!(outcome, Outcome::Answer(Answer::Private(_))), "{outcome:?}");
    assert!(matches!(bob.link.client().take(|_, _| true), Some(Mail::Answer(Answer::Private(_)))));
    letters.lock().unwrap().remove(&BLUE);
    let refused = refusal(asked((&mut red, &mut blue), &mut alice.link, query()));
    assert!(matches!(refused, Refusal::NoAnswer(_)), "{refused:?}");
}
