//! The faults that can happen, and what people read of each. A fault happens, and passes.

use rustix::process::Signal;

use crate::data::STORED;
use crate::guest::Guest;
use crate::hall::{Mark, PEOPLE_PER_NODE};
use crate::house::{House, Part};
use crate::network::Cut;

const WAITING: &str = "-- No contact with the other nodes; your messages are waiting";
const LOST: &str = "-- Contact with the other nodes is lost. You can read history; messages wait";
const NOT_SENT: &str = "-- Not sent: no contact with the other nodes. Send it again later";
const UNKNOWN: &str = "-- It is not known yet whether your last message was sent";
const BACK: &str = "-- Contact is back; ";
const SENT: &str = "-- Your last message was sent";
const CLOSED: &str = "-- No contact with the other nodes; use another one, or try again in 10 s";

/// The server and the node that have a machine for themselves.
const SERVER_ALONE: usize = 2;
const NODE_ALONE: usize = 2;

/// Something that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    LeaderKilled,
    LeaderStopped,
    LeaderRestarted,
    ServersKilled,
    NodeKilled,
    NodeStopped,
    /// A machine with the leading server and a node is cut off.
    MachineCut,
    /// The leading server is cut off, on a machine without a node.
    ServerCut(Cut),
    /// A node is cut off, on a machine without a server.
    NodeCut(Cut),
}

impl Fault {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Fault::LeaderKilled => "leading server killed",
            Fault::LeaderStopped => "leading server stopped",
            Fault::LeaderRestarted => "leading server restarted in order",
            Fault::ServersKilled => "all servers killed",
            Fault::NodeKilled => "node killed",
            Fault::NodeStopped => "node stopped past its lease",
            Fault::MachineCut => "machine with the leading server and a node cut off",
            Fault::ServerCut(Cut::Both) => "leading server cut off",
            Fault::ServerCut(Cut::Deaf) => "leading server gets nothing",
            Fault::ServerCut(Cut::Mute) => "leading server sends nothing",
            Fault::NodeCut(Cut::Both) => "node cut off",
            Fault::NodeCut(Cut::Deaf) => "node gets nothing",
            Fault::NodeCut(Cut::Mute) => "node sends nothing",
        }
    }

    /// Whether machines need networks that can be cut.
    pub(crate) fn needs_network(self) -> bool {
        matches!(self, Fault::MachineCut | Fault::ServerCut(_) | Fault::NodeCut(_))
    }

    /// Lets it happen, until people have read of it and go on, and lets it pass. Returns the node
    /// that it concerns, if it concerns one.
    pub(crate) fn happen(self, house: &mut House, round: usize) -> Option<usize> {
        let leader = house.cluster.whole();
        let node = round % house.nodes.len();
        match self {
            Fault::LeaderKilled => leader_killed(house, leader),
            Fault::LeaderStopped => leader_stopped(house, leader),
            Fault::LeaderRestarted => leader_restarted(house, leader),
            Fault::ServersKilled => servers_killed(house),
            Fault::ServerCut(cut) => server_cut(house, cut),
            Fault::NodeKilled => return Some(node_killed(house, node)),
            Fault::NodeStopped => return Some(node_stopped(house, node, round)),
            // Nodes 0 and 1 have a server on their machine.
            Fault::MachineCut => return Some(machine_cut(house, round % 2)),
            Fault::NodeCut(cut) => return Some(node_cut(house, cut)),
        }
        None
    }
}

fn leader_killed(house: &mut House, leader: usize) {
    let mark = house.hall().mark();
    house.cluster.end_one(leader, Signal::KILL);
    somebody_waits(house, &mark);
    house.hall().hear_each_other(&house.all());
    house.cluster.start_one(leader);
}

fn leader_stopped(house: &House, leader: usize) {
    let mark = house.hall().mark();
    house.cluster.signal(leader, Signal::STOP);
    somebody_waits(house, &mark);
    house.hall().hear_each_other(&house.all());
    house.cluster.signal(leader, Signal::CONT);
}

fn leader_restarted(house: &mut House, leader: usize) {
    let mark = house.hall().mark();
    house.cluster.end_one(leader, Signal::TERM);
    house.hall().hear_each_other(&house.all());
    assert_eq!(house.hall().read_since(&mark, LOST), [""; 0]);
    house.cluster.start_one(leader);
}

fn servers_killed(house: &mut House) {
    let mark = house.hall().mark();
    for server in 0..house.cluster.count() {
        house.cluster.end_one(server, Signal::KILL);
    }
    for node in house.all() {
        house.hall().everybody_reads(node, &mark, &[LOST]);
    }
    for server in 0..house.cluster.count() {
        house.cluster.start_one(server);
    }
    for node in house.all() {
        house.hall().everybody_reads(node, &mark, &[BACK]);
    }
}

fn server_cut(house: &House, cut: Cut) {
    house.cluster.lead(SERVER_ALONE);
    house.cluster.whole();
    let mark = house.hall().mark();
    house.cut(Part::Server(SERVER_ALONE).machine(), cut);
    somebody_waits(house, &mark);
    house.hall().hear_each_other(&house.all());
    house.mend(Part::Server(SERVER_ALONE).machine(), cut);
}

fn node_killed(house: &mut House, node: usize) -> usize {
    let mark = house.hall().mark();
    house.kill_node(node);
    others_read_of_departure(house, node, &mark);
    house.hall().hear_each_other(&house.others(node));
    house.start_node(node);
    node
}

fn node_stopped(house: &House, node: usize, round: usize) -> usize {
    let mark = house.hall().mark();
    let mut asker = house.guest(house.others(node)[0]);
    let silent = somebody_at(&mut asker, node);
    house.signal(Part::Node(node), Signal::STOP);
    asker.say(&format!("/msg {silent} are you there, {round}"));
    asker.until(&format!("-- No answer from {silent}'s node; your message may not have arrived"));
    drop(asker);
    others_read_of_departure(house, node, &mark);
    house.hall().hear_each_other(&house.others(node));
    house.signal(Part::Node(node), Signal::CONT);
    node
}

fn machine_cut(house: &House, node: usize) -> usize {
    house.cluster.lead(node);
    house.cluster.whole();
    let mark = house.hall().mark();
    house.cut(Part::Node(node).machine(), Cut::Both);
    somebody_waits(house, &mark);
    is_left_alone(house, node, &mark);
    house.mend(Part::Node(node).machine(), Cut::Both);
    house.hall().everybody_reads(node, &mark, &[BACK]);
    house.hall().doubts_end(node, &mark, UNKNOWN, &[SENT, NOT_SENT]);
    node
}

fn node_cut(house: &House, cut: Cut) -> usize {
    let mark = house.hall().mark();
    house.cut(Part::Node(NODE_ALONE).machine(), cut);
    match cut {
        Cut::Both => is_left_alone(house, NODE_ALONE, &mark),
        Cut::Deaf | Cut::Mute => {
            house.hall().everybody_reads(NODE_ALONE, &mark, &[LOST]);
            house.hall().hear_each_other(&house.others(NODE_ALONE));
        }
    }
    house.mend(Part::Node(NODE_ALONE).machine(), cut);
    house.hall().everybody_reads(NODE_ALONE, &mark, &[BACK]);
    house.hall().doubts_end(NODE_ALONE, &mark, UNKNOWN, &[SENT, NOT_SENT]);
    NODE_ALONE
}

/// Waits until people on a node have read everything that people on a node without contact read, and
/// the others go on without them.
fn is_left_alone(house: &House, node: usize, mark: &Mark) {
    house.hall().everybody_reads(node, mark, &[LOST]);
    let mut newcomer = house.guest(node);
    newcomer.say("newcomer");
    newcomer.until(CLOSED);
    assert!(newcomer.rest().is_empty(), "it is closed");
    is_closed_for_browsers(house, node);
    others_read_of_departure(house, node, mark);
    house.hall().hear_each_other(&house.others(node));
    house.hall().everybody_reads(node, mark, &[NOT_SENT, UNKNOWN]);
    house.hall().somebody_reads(node, mark, UNKNOWN, |line| line == UNKNOWN);
}

/// Checks the answers at the web door of a node that is cut off.
fn is_closed_for_browsers(house: &House, node: usize) {
    let health = house.browse(node, "GET /-/healthz HTTP/1.1", "");
    assert!(health.starts_with("HTTP/1.1 503 "), "{health}");
    let refused = house.browse(node, "POST /lobby?name=curl HTTP/1.1", "hello");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("\r\nretry-after: 10\r\n"), "{refused}");
    assert!(refused.ends_with(&CLOSED.replace("-- ", "")), "{refused}");
}

/// The name of somebody whose home is a node.
fn somebody_at(asker: &mut Guest, node: usize) -> String {
    asker.say("asker");
    asker.until(STORED);
    asker.say("/who");
    let start = format!("--   p{}v", node * PEOPLE_PER_NODE);
    let line = asker.lines_until("the person", |line| line.starts_with(&start)).pop().unwrap();
    line.trim_start_matches("-- ").trim().split(',').next().unwrap().to_owned()
}

/// Waits until somebody on each node knows that the nodes have no contact.
fn somebody_waits(house: &House, mark: &Mark) {
    for node in house.all() {
        house.hall().somebody_reads(node, mark, WAITING, |line| line == WAITING);
    }
}

/// Waits until people on the other nodes read that all people of this one have left, together.
fn others_read_of_departure(house: &House, node: usize, mark: &Mark) {
    let people = node * PEOPLE_PER_NODE..(node + 1) * PEOPLE_PER_NODE;
    let names: Vec<_> = people.map(|person| format!("p{person}v")).collect();
    for other in house.others(node) {
        house.hall().somebody_reads(other, mark, "the departure", |line| {
            line.ends_with(" have left") && names.iter().all(|name| line.contains(name))
        });
    }
}
