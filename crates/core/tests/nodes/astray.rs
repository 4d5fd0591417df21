//! Nodes whose ledgers differ: the smaller side stops, and the larger one goes on. A node that has
//! stopped goes on as it was, or begins anew.

use std::time::Duration;

use parlor_core::broadcaster::{Difference, NodeStart, Standing};
use parlor_core::ledger::{Ledger, Snapshot};
use parlor_core::link::{Change, Contact, Outcome, Refusal};
use parlor_core::model::{By, Name, PersonId, RoomName};

use crate::server::{Person, enter, granted, post, refusal, register};
use crate::{Node, Order, contact};

/// Ledgers are compared after this many proposals.
const CHECK_EVERY: u64 = 8;

/// Nodes with these names. The ledgers of some of them are wrong from the beginning.
fn nodes<const N: usize>(names: [(&str, bool); N]) -> (Order, [Node; N]) {
    let order = Order::default();
    let nodes = names.map(|(name, is_wrong)| {
        let start = NodeStart {
            ledger: Snapshot { last_kept: u64::from(is_wrong), ..Snapshot::default() },
            check_every: CHECK_EVERY,
            ..crate::start(name, 7, 1)
        };
        Node::started(start, &order)
    });
    (order, nodes)
}

/// Lets this many seconds pass.
fn pass(nodes: &mut [Node], seconds: u64) {
    for _ in 0..seconds {
        nodes.iter_mut().for_each(|node| node.server.wait(Duration::from_secs(1)));
        nodes.iter_mut().for_each(|node| node.server.run());
    }
}

/// The right ledger at the position of a node.
fn right_ledger(order: &Order, node: &Node) -> Snapshot {
    let mut ledger = Ledger::restore(Snapshot { is_stored: true, ..Snapshot::default() });
    let position = node.server.broadcaster.position() as usize;
    for (at, proposal) in &order.lock().unwrap()[..position] {
        ledger.follow(proposal.clone(), *at);
    }
    ledger.snapshot()
}

/// Lets a node go on that has stopped: as it was if it was right, and otherwise anew.
fn renew(order: &Order, node: &mut Node) {
    let ledger = right_ledger(order, node);
    match node.server.broadcaster.digest() == Ledger::restore(ledger.clone()).digest() {
        true => node.server.broadcaster.go_on(node.server.now),
        false => node.server.broadcaster.begin_anew(ledger),
    }
}

fn assert_equal(nodes: &[Node]) {
    let state =
        |node: &Node| (node.server.broadcaster.position(), node.server.broadcaster.digest());
    assert!(nodes.windows(2).all(|pair| state(&pair[0]) == state(&pair[1])));
    assert!(nodes.iter().all(|node| node.standing() == Standing::InTouch));
}

fn difference(node: &Node) -> Option<Difference> {
    match node.standing() {
        Standing::Astray(difference) => Some(difference),
        _ => None,
    }
}

#[test]
fn of_three_nodes_the_one_that_differs_stops_and_the_others_go_on() {
    let names = [("red", false), ("blue", true), ("green", false)];
    let (_, mut nodes) = nodes(names);
    pass(&mut nodes, 2);
    let mut guests = 0;
    let mut people = nodes.each_mut().map(|node| {
        guests += 1;
        node.server.enter(&format!("guest-{guests}"))
    });
    pass(&mut nodes, 8);
    let [red, blue, green] = &nodes;
    assert!([red, green].iter().all(|node| node.standing() == Standing::InTouch));
    let found = difference(blue).expect("blue differs");
    assert!(found.is_outvoted && found.own.digest != found.other);
    assert_eq!(found.own.position % CHECK_EVERY, 0);
    assert!(blue.server.broadcaster.position() < red.server.broadcaster.position());
    let told = people.each_ref().map(|person| contact(&person.link));
    assert_eq!(told, [vec![], vec![Contact::Astray], vec![]]);
    // It proposes nothing any more, and the others declare it down.
    pass(&mut nodes, 12);
    let [_, blue, _] = &mut people;
    blue.link.start(post(blue.seat.room(), &["nobody hears that"]));
    pass(&mut nodes, 2);
    assert_eq!(nodes[0].server.census().people, 2);
    assert_eq!(people[0].heard(), Vec::<String>::new());
}

#[test]
fn of_two_nodes_the_one_that_hears_of_a_difference_stops_and_can_be_read() {
    let (_, mut nodes) = nodes([("red", false), ("blue", true)]);
    pass(&mut nodes, 1);
    let people = [(0, "alice"), (1, "bob")].map(|(at, name)| nodes[at].server.enter(name));
    pass(&mut nodes, 10);
    let astray = nodes.iter().position(|node| difference(node).is_some());
    let astray = astray.expect("one of them has heard the other");
    let found = difference(&nodes[astray]).unwrap();
    assert!(!found.is_outvoted && found.agreed.is_none());
    let node = &mut nodes[astray];
    let mut reader = node.server.connect();
    let room = RoomName::lobby();
    let listen = Change::Listen { owner: None, room, password: None, waits: false, replay: 0 };
    let listening = node.server.ask(&mut reader, listen);
    assert!(matches!(listening, Outcome::Listening(..)), "history can be read");
    let mut carol = node.server.connect();
    let refused = node.server.refusal(&mut carol, enter("carol", "lobby"));
    assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
    let mut person = people.into_iter().nth(astray).unwrap();
    person.link.start(post(person.seat.room(), &["later"]));
    pass(&mut nodes, 10);
    assert!(person.link.outcome().is_none(), "it waits");
    pass(&mut nodes, 25);
    assert!(matches!(person.link.outcome(), Some(Outcome::Answer(_))), "it is refused");
    assert_eq!(contact(&person.link), [Contact::Astray; 2], "and once more when she spoke");
}

#[test]
fn a_node_that_was_wrong_begins_anew_and_its_people_come_back() {
    let names = [("red", false), ("blue", true), ("green", false)];
    let (order, mut nodes) = nodes(names);
    pass(&mut nodes, 2);
    let alice = nodes[0].server.enter("alice");
    let mut bob = nodes[1].server.enter("bob");
    let mut ears = nodes[1].server.connect();
    let room = RoomName::lobby();
    let listen = Change::Listen { owner: None, room, password: None, waits: false, replay: 0 };
    let Outcome::Listening(_listener, ear) = nodes[1].server.ask(&mut ears, listen) else {
        panic!("bob's node can be read");
    };
    while difference(&nodes[1]).is_none() {
        pass(&mut nodes, 1);
    }
    bob.link.start(post(bob.seat.room(), &["never sent"]));
    let mut carol = nodes[1].server.connect();
    pass(&mut nodes, 1);
    renew(&order, &mut nodes[1]);
    // Everything of the first ledger ends.
    let act = bob.link.client().removed().expect("the connection ends");
    assert_eq!(act.by, By::Node);
    assert!(bob.entered.view.departed().is_some() && ear.view.departed().is_some());
    assert!(ears.client().removed().is_some());
    let refused = refusal(bob.link.outcome().expect("an outcome"));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    // A newcomer waits for the next boot.
    carol.start(enter("carol", "lobby"));
    pass(&mut nodes, 1);
    drop((bob, ears));
    pass(&mut nodes, 2);
    let (seat, entered) = granted(carol.outcome().expect("a seat"));
    let mut carol = Person { link: carol, seat, entered };
    carol.link.start(post(carol.seat.room(), &["hello"]));
    pass(&mut nodes, 2);
    assert_equal(&nodes);
    assert_eq!(
        (alice.heard(), carol.heard()),
        (vec!["hello".to_owned()], vec!["hello".to_owned()])
    );
    assert_eq!(nodes[1].who(&mut carol), ["alice", "carol"]);
    pass(&mut nodes, 20);
    assert_equal(&nodes);
}

#[test]
fn a_node_that_stops_before_its_first_boot_takes_no_request_until_that_has_begun() {
    let (order, nodes) = nodes([("red", false), ("green", false)]);
    let mut nodes = Vec::from(nodes);
    pass(&mut nodes, 20);
    let wrong = Snapshot { last_kept: 1, ..Snapshot::default() };
    let start = NodeStart { ledger: wrong, check_every: CHECK_EVERY, ..crate::start("blue", 7, 1) };
    let mut blue = Node::started(start, &order);
    blue.server.run();
    assert_eq!(difference(&blue).map(|found| found.boot), Some(0));
    let mut link = blue.server.connect();
    let owner = register(Name::parse("bob").unwrap(), PersonId::new(0));
    let refused = blue.server.refusal(&mut link, Change::Account(owner));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    renew(&order, &mut blue);
    nodes.push(blue);
    pass(&mut nodes, 3);
    assert_equal(&nodes);
    nodes[2].server.enter("bob");
}

#[test]
fn a_node_that_was_right_goes_on_and_the_other_one_finds_that_it_was_wrong() {
    for wrong in ["red", "blue"] {
        let names = ["red", "blue"].map(|name| (name, name == wrong));
        let (order, mut nodes) = nodes(names);
        pass(&mut nodes, 1);
        let mut people = [(0, "alice"), (1, "bob")].map(|(at, name)| nodes[at].server.enter(name));
        let mut renewed = Vec::new();
        for _ in 0..40 {
            pass(&mut nodes, 1);
            for (number, node) in nodes.iter_mut().enumerate() {
                if difference(node).is_some() {
                    renew(&order, node);
                    renewed.push(number);
                }
            }
        }
        assert_equal(&nodes);
        let was_wrong = usize::from(wrong == "blue");
        assert!(renewed.contains(&was_wrong) && renewed.len() < 3, "{renewed:?}");
        let is_removed = people.each_ref().map(|person| person.link.client().removed().is_some());
        assert_eq!(is_removed, [was_wrong == 0, was_wrong == 1]);
        let right = &mut people[1 - was_wrong];
        right.link.start(post(right.seat.room(), &["still here"]));
        pass(&mut nodes, 1);
        assert_eq!(right.heard(), ["still here"]);
    }
}

#[test]
fn of_two_nodes_that_both_find_that_they_are_right_the_older_one_goes_on() {
    let (_, mut nodes) = nodes([("red", false), ("blue", true)]);
    for _ in 0..60 {
        pass(&mut nodes, 1);
        for node in &mut nodes {
            if difference(node).is_some_and(|found| !found.is_again) {
                node.server.broadcaster.go_on(node.server.now);
            }
        }
    }
    let again = nodes.each_ref().map(|node| difference(node).map(|found| found.is_again));
    assert_eq!(again, [None, Some(true)]);
    assert_eq!(nodes[0].standing(), Standing::InTouch);
}
