//! Nodes whose ledgers differ: the smaller side stops, and the larger one goes on.

use std::time::Duration;

use parlor_core::broadcaster::{Difference, NodeStart, Standing};
use parlor_core::ledger::Snapshot;
use parlor_core::link::{Change, Contact, Outcome, Refusal};
use parlor_core::model::RoomName;

use crate::server::{enter, post};
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
