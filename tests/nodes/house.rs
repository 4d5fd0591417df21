//! Servers of NATS and nodes, with people on all of them. Knows no fault.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::data::Data;
use crate::hall::{Door, Hall, Phase};
use crate::judge::Verdict;
use crate::machine::Machine;
use crate::nats::Cluster;
use crate::person::arrive;
use crate::server::{HERE, Server};

/// A cluster, nodes and people. Dropping it ends all of them.
pub(crate) struct House {
    /// People end before the nodes do.
    people: People,
    pub(crate) nodes: Vec<Node>,
    pub(crate) cluster: Cluster,
}

/// The threads of people, who leave when this is dropped.
struct People {
    hall: Arc<Hall>,
    threads: Vec<JoinHandle<()>>,
}

/// A node, and its files.
pub(crate) struct Node {
    machine: Machine,
    data: Data,
    /// None while it is down.
    server: Option<Server>,
}

impl House {
    /// A server of NATS on each of these machines, and a node on each of those. Everybody hears
    /// everybody. None if something is missing here.
    pub(crate) fn open(servers: &[Machine], nodes: &[Machine]) -> Option<House> {
        let cluster = Cluster::start(servers)?;
        let node =
            |machine: &Machine| Node { machine: machine.clone(), data: Data::new(), server: None };
        let nodes: Vec<_> = nodes.iter().map(node).collect();
        let hall = Arc::new(Hall::new(nodes.len()));
        let people = People { hall, threads: Vec::new() };
        let mut house = House { people, nodes, cluster };
        for number in 0..house.nodes.len() {
            house.start_node(number);
        }
        house.people.threads = arrive(&house.people.hall);
        house.cluster.whole();
        house.hall().hear_each_other(&house.all());
        Some(house)
    }

    pub(crate) fn hall(&self) -> &Hall {
        &self.people.hall
    }

    /// All nodes.
    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.nodes.len()).collect()
    }

    /// All nodes but one.
    pub(crate) fn others(&self, node: usize) -> Vec<usize> {
        self.all().into_iter().filter(|other| *other != node).collect()
    }

    /// Starts a node, and lets people in.
    pub(crate) fn start_node(&mut self, number: usize) {
        let urls = self.cluster.urls();
        let node = &mut self.nodes[number];
        let name = format!("node-{number}");
        let options = ["--rate", "off", "--replay", "0", "--nats", &urls, "--node", &name];
        let server = Server::run(node.machine.parlor(&node.data), &[&HERE[..], &options].concat());
        let door = Door { machine: node.machine.clone(), address: server.address };
        node.server = Some(server);
        self.hall().write(|page| page.doors[number] = Some(door));
    }

    /// Kills a node.
    pub(crate) fn kill_node(&mut self, number: usize) {
        self.hall().write(|page| page.doors[number] = None);
        let mut server = self.nodes[number].server.take().unwrap();
        server.kill();
        assert_sound(&server.log());
    }

    /// A node that runs.
    pub(crate) fn node(&self, number: usize) -> &Server {
        self.nodes[number].server.as_ref().unwrap()
    }

    /// Lets everybody read everything, ends all, and judges.
    pub(crate) fn close(mut self) -> Verdict {
        self.hall().fall_silent();
        self.people.leave();
        for node in &mut self.nodes {
            assert_sound(&node.server.take().unwrap().end());
        }
        let files: Vec<_> = self.nodes.iter().map(|node| &node.data).collect();
        files.iter().for_each(|data| data.assert_undamaged());
        Verdict::of(&self.hall().page(), &files)
    }
}

impl People {
    fn leave(&mut self) {
        self.hall.write(|page| page.phase = Phase::Leave);
        for thread in self.threads.drain(..) {
            // A person who panics has said so; the test fails without their lines.
            thread.join().ok();
        }
    }
}

impl Drop for People {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Checks that the log of a node has no error.
fn assert_sound(log: &[String]) {
    let is_bad = |line: &&String| line.contains(" ERROR ") || line.contains("panicked");
    assert_eq!(log.iter().find(is_bad), None, "{log:#?}");
}
