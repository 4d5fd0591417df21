//! Each fault in rounds, while people on all nodes talk: no line is lost, doubled or out of order.

use std::env;

use crate::faults::Fault;
use crate::house::House;
use crate::network::Cut;

/// The number of rounds; `PARLOR_NODES_ROUNDS` overrides it.
const ROUNDS: usize = 1;

#[test]
fn no_line_is_lost_when_the_leading_server_is_killed() {
    happens(Fault::LeaderKilled);
}

#[test]
fn no_line_is_lost_when_the_leading_server_stands_still() {
    happens(Fault::LeaderStopped);
}

#[test]
fn no_line_is_lost_when_the_leading_server_restarts_in_order() {
    happens(Fault::LeaderRestarted);
}

#[test]
fn no_line_is_lost_when_all_servers_are_killed() {
    happens(Fault::ServersKilled);
}

#[test]
fn no_line_is_lost_when_a_node_is_killed() {
    happens(Fault::NodeKilled);
}

#[test]
fn no_line_is_lost_when_a_node_stands_still_past_its_lease() {
    happens(Fault::NodeStopped);
}

#[test]
fn no_line_is_lost_when_a_machine_with_the_leading_server_and_a_node_is_cut_off() {
    happens(Fault::MachineCut);
}

#[test]
fn no_line_is_lost_when_a_server_is_cut_off() {
    happens(Fault::ServerCut(Cut::Both));
}

#[test]
fn no_line_is_lost_when_the_leading_server_gets_nothing() {
    happens(Fault::ServerCut(Cut::Deaf));
}

#[test]
fn no_line_is_lost_when_the_leading_server_sends_nothing() {
    happens(Fault::ServerCut(Cut::Mute));
}

#[test]
fn no_line_is_lost_when_a_node_is_cut_off() {
    happens(Fault::NodeCut(Cut::Both));
}

#[test]
fn no_line_is_lost_when_a_node_gets_nothing() {
    happens(Fault::NodeCut(Cut::Deaf));
}

#[test]
fn no_line_is_lost_when_a_node_sends_nothing() {
    happens(Fault::NodeCut(Cut::Mute));
}

/// Lets a fault happen and pass, judges, and prints a row of the table of `./test nodes-long`.
fn happens(fault: Fault) {
    let rounds = env::var("PARLOR_NODES_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let house = if fault.needs_network() { House::in_network() } else { House::here() };
    let Some(mut house) = house else { return };
    let (mut gap_there, mut gap_elsewhere) = (0.0_f64, 0.0_f64);
    for round in 0..rounds {
        house.hall().measure();
        let concerned = fault.happen(&mut house, round);
        house.hall().hear_each_other(&house.all());
        let hall = house.hall();
        let there = hall.gap(|node| Some(node) == concerned).as_secs_f64();
        let elsewhere = hall.gap(|node| Some(node) != concerned).as_secs_f64();
        (gap_there, gap_elsewhere) = (gap_there.max(there), gap_elsewhere.max(elsewhere));
    }
    let verdict = house.close();
    #[expect(clippy::print_stdout, reason = "the table")]
    {
        println!(
            "| {} | {rounds} | {gap_elsewhere:.1} s | {gap_there:.1} s | {} | {} | {} | {} | {} |",
            fault.name(),
            verdict.shown,
            verdict.refused,
            verdict.lost,
            verdict.doubled,
            verdict.out_of_order
        );
    }
    assert!(verdict.is_right(), "{verdict}");
}
