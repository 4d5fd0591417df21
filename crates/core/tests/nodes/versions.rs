//! Nodes of several versions: they write in a format that all of them can read, and one that is too
//! old for the others stops.

use parlor_core::broadcaster::Standing;
use parlor_core::intent::{Intent, Proposal, ProposalId};
use parlor_core::ledger::Ledger;
use parlor_core::link::Refusal;
use parlor_core::model::{Format, WallTime};

use crate::server::{enter, post};
use crate::{Node, Order, start, wait};

/// The format in force at a node.
fn in_force(node: &Node) -> u64 {
    node.server.broadcaster.snapshot().format.0
}

#[test]
fn nodes_write_in_a_newer_format_a_minute_after_the_last_older_one_has_stopped() {
    let order = Order::default();
    let mut red = Node::new("red", 7, &order);
    let mut blue = Node::started(start("blue", 7, 2), &order);
    wait(&mut [&mut red, &mut blue], 100);
    assert_eq!(in_force(&blue), 1, "red cannot read format 2");
    red.server.broadcaster.close();
    wait(&mut [&mut red, &mut blue], 1);
    assert_eq!(red.standing(), Standing::Left);
    wait(&mut [&mut blue], 50);
    let mut red = Node::new("red", 8, &order);
    wait(&mut [&mut red, &mut blue], 100);
    assert_eq!((red.standing(), in_force(&blue)), (Standing::InTouch, 1), "red came back in time");
    red.server.broadcaster.close();
    wait(&mut [&mut red, &mut blue], 1);
    let mut red = Node::started(start("red", 9, 3), &order);
    wait(&mut [&mut red, &mut blue], 55);
    assert_eq!(in_force(&red), 1);
    wait(&mut [&mut red, &mut blue], 10);
    assert_eq!((in_force(&red), in_force(&blue)), (2, 2), "the newest that both can read");
    wait(&mut [&mut red, &mut blue], 100);
    let order = order.lock().unwrap();
    let switches = |(_, proposal): &(WallTime, Proposal)| {
        proposal.intents.iter().any(|intent| matches!(intent, Intent::UseFormat(_)))
    };
    let switch = order.iter().position(switches).expect("a switch");
    assert_eq!(order.iter().filter(|place| switches(place)).count(), 1);
    for (position, (_, proposal)) in (1..).zip(order.iter()) {
        let has_seen_it = proposal.after > switch as u64;
        assert_eq!(proposal.format, Format(1 + u64::from(has_seen_it)), "position {position}");
    }
}

#[test]
fn a_node_that_is_too_old_for_the_others_says_so_and_begins_no_boot() {
    let order = Order::default();
    let mut red = Node::started(start("red", 7, 2), &order);
    wait(&mut [&mut red], 65);
    assert_eq!(in_force(&red), 2);
    let mut blue = Node::new("blue", 7, &order);
    wait(&mut [&mut red, &mut blue], 10);
    assert_eq!(blue.standing(), Standing::TooOld);
    let ups = |order: &Order| {
        let order = order.lock().unwrap();
        order.iter().filter(|(_, proposal)| proposal.id.boot == 0).count()
    };
    let before = ups(&order);
    let ledger = red.server.broadcaster.snapshot();
    let place = usize::try_from(red.server.broadcaster.position()).unwrap();
    let mut blue = Node::continued("blue", 8, &order, ledger, place);
    assert_eq!(blue.standing(), Standing::TooOld, "its snapshot says so");
    wait(&mut [&mut red, &mut blue], 10);
    assert_eq!(ups(&order), before, "it does not even try");
    let mut alice = blue.server.connect();
    let refused = blue.server.refusal(&mut alice, enter("alice", "lobby"));
    assert!(matches!(refused, Refusal::OutOfTouch), "{refused:?}");
    let mut red_again = Node::new("red", 9, &order);
    wait(&mut [&mut red, &mut red_again], 10);
    assert_eq!(red_again.standing(), Standing::TooOld);
    assert_eq!(red.standing(), Standing::InTouch, "the newer process goes on");
}

#[test]
fn a_node_without_contact_stops_if_the_others_have_a_newer_format_when_it_is_back() {
    let order = Order::default();
    let mut red = Node::new("red", 7, &order);
    let mut blue = Node::started(start("blue", 7, 2), &order);
    wait(&mut [&mut red, &mut blue], 2);
    let mut alice = red.server.enter("alice");
    for (seconds, standing) in [(50, Standing::InTouch), (100, Standing::TooOld)] {
        red.cut(true);
        wait(&mut [&mut red, &mut blue], seconds);
        red.cut(false);
        wait(&mut [&mut red, &mut blue], 3);
        assert_eq!(red.standing(), standing, "after {seconds} s without contact");
    }
    let refused = red.server.refusal(&mut alice.link, post(alice.seat.room(), &["no"]));
    assert!(matches!(refused, Refusal::NotSent), "{refused:?}");
    assert_eq!(blue.standing(), Standing::InTouch);
}

#[test]
fn a_proposal_in_a_format_that_is_not_in_force_changes_nothing() {
    for newest in [1, 2] {
        let order = Order::default();
        let mut red = Node::started(start("red", 7, newest), &order);
        wait(&mut [&mut red], 2);
        let ledger = red.server.broadcaster.snapshot();
        let stray = |format| {
            let last = ledger.boots.get(&1).map(|boot| boot.last).unwrap_or_default();
            let id = ProposalId { boot: 1, number: last + 100 };
            let intents = vec![Intent::Leaving];
            Proposal { format: Format(format), id, intents, ..Proposal::default() }
        };
        let before = Ledger::restore(ledger.clone());
        let mut ledger = Ledger::restore(ledger.clone());
        ledger.follow(stray(2), WallTime(1 << 50));
        assert_eq!(ledger.digest(), before.digest(), "format 2 is not in force");
        ledger.follow(stray(1), WallTime(1 << 50));
        assert_ne!(ledger.digest(), before.digest());
    }
}
