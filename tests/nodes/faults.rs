//! The faults that can happen, and what people read of each. A fault happens, and passes.

use rustix::process::Signal;

use crate::hall::{Mark, PEOPLE_PER_NODE};
use crate::house::House;

const WAITING: &str = "-- No contact with the other nodes; your messages are waiting";
const LOST: &str = "-- Contact with the other nodes is lost. You can read history; messages wait";
const BACK: &str = "-- Contact is back; ";

/// Something that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    LeaderKilled,
    LeaderStopped,
    LeaderRestarted,
    ServersKilled,
    NodeKilled,
    NodeStopped,
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
        }
    }

    /// Lets it happen, until people have read of it and go on, and lets it pass. Returns the node
    /// that it concerns, if it concerns one.
    pub(crate) fn happen(self, house: &mut House, round: usize) -> Option<usize> {
        let node = round % house.nodes.len();
        let leader = house.cluster.whole();
        let mark = house.hall().mark();
        match self {
            Fault::LeaderKilled => {
                house.cluster.end_one(leader, Signal::KILL);
                somebody_waits(house, &mark);
                house.hall().hear_each_other(&house.all());
                house.cluster.start_one(leader);
                None
            }
            Fault::LeaderStopped => {
                house.cluster.signal(leader, Signal::STOP);
                somebody_waits(house, &mark);
                house.hall().hear_each_other(&house.all());
                house.cluster.signal(leader, Signal::CONT);
                None
            }
            Fault::LeaderRestarted => {
                house.cluster.end_one(leader, Signal::TERM);
                house.hall().hear_each_other(&house.all());
                assert_eq!(house.hall().read_since(&mark, LOST), [""; 0]);
                house.cluster.start_one(leader);
                None
            }
            Fault::ServersKilled => {
                servers_killed(house, &mark);
                None
            }
            Fault::NodeKilled => {
                house.kill_node(node);
                others_read_of_departure(house, node, &mark);
                house.hall().hear_each_other(&house.others(node));
                house.start_node(node);
                Some(node)
            }
            Fault::NodeStopped => {
                house.node(node).signal(Signal::STOP);
                others_read_of_departure(house, node, &mark);
                house.hall().hear_each_other(&house.others(node));
                house.node(node).signal(Signal::CONT);
                Some(node)
            }
        }
    }
}

fn servers_killed(house: &mut House, mark: &Mark) {
    for server in 0..house.cluster.count() {
        house.cluster.end_one(server, Signal::KILL);
    }
    for node in house.all() {
        house.hall().everybody_reads(node, mark, LOST);
    }
    for server in 0..house.cluster.count() {
        house.cluster.start_one(server);
    }
    for node in house.all() {
        house.hall().everybody_reads(node, mark, BACK);
    }
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
