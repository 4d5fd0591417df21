//! Servers of NATS and nodes, with people on all of them. Knows no fault.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::process::Signal;

use crate::DEADLINE;
use crate::data::Data;
use crate::guest::Guest;
use crate::hall::{Door, Hall, Phase};
use crate::judge::Verdict;
use crate::machine::Machine;
use crate::nats::Cluster;
use crate::network::{Cut, Network};
use crate::person::arrive;
use crate::server::{HERE, Server};
use crate::turns::{Turn, Turns};

/// A cluster, nodes and people. Dropping it ends all of them.
pub(crate) struct House {
    /// People end before the nodes do.
    people: People,
    pub(crate) nodes: Vec<Node>,
    pub(crate) cluster: Cluster,
    network: Option<Network>,
    /// It ends last.
    _turn: Turn,
}

/// The houses that are open. Their people have limits of time.
static HOUSES: Turns = Turns::new();

/// The number of servers of NATS, and of nodes.
pub(crate) const SERVERS: usize = 3;
pub(crate) const NODES: usize = 3;

/// The machines in a network: two have a server and a node, one has a server, and one has a node.
pub(crate) const MACHINES: usize = 4;
const MACHINES_OF_NODES: [usize; NODES] = [0, 1, 3];

/// A server or a node, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Server(usize),
    Node(usize),
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
    /// A house whose programs run side by side. Everybody hears everybody. None if something is
    /// missing here.
    pub(crate) fn here() -> Option<House> {
        let turn = HOUSES.wait();
        let machines = Machine::here(SERVERS + NODES);
        let (servers, nodes) = machines.split_at(SERVERS);
        House::open(turn, Cluster::start(servers)?, nodes, None)
    }

    /// A house whose machines can be cut off. Everybody hears everybody. None if something is missing
    /// here.
    pub(crate) fn in_network() -> Option<House> {
        let turn = HOUSES.wait();
        let network = Network::make(MACHINES)?;
        let cluster = Cluster::start(&network.machines[..SERVERS])?;
        let nodes = MACHINES_OF_NODES.map(|number| network.machines[number].clone());
        House::open(turn, cluster, &nodes, Some(network))
    }

    fn open(
        turn: Turn,
        cluster: Cluster,
        nodes: &[Machine],
        network: Option<Network>,
    ) -> Option<House> {
        let node =
            |machine: &Machine| Node { machine: machine.clone(), data: Data::new(), server: None };
        let nodes: Vec<_> = nodes.iter().map(node).collect();
        let hall = Arc::new(Hall::new(nodes.len()));
        let people = People { hall, threads: Vec::new() };
        let mut house = House { people, nodes, cluster, network, _turn: turn };
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
        let doors = [HERE[0], HERE[1], "--listen", "http://127.0.0.1:0"];
        let server = Server::run(node.machine.parlor(&node.data), &[&doors[..], &options].concat());
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

    /// Cuts off a machine.
    pub(crate) fn cut(&self, machine: usize, cut: Cut) {
        self.network.as_ref().unwrap().cut(machine, cut);
    }

    /// Ends a cut.
    pub(crate) fn mend(&self, machine: usize, cut: Cut) {
        self.network.as_ref().unwrap().mend(machine, cut);
    }

    /// Sends a signal to a part that runs.
    pub(crate) fn signal(&self, part: Part, signal: Signal) {
        match part {
            Part::Server(server) => self.cluster.signal(server, signal),
            Part::Node(node) => self.nodes[node].server.as_ref().unwrap().signal(signal),
        }
    }

    /// Somebody at a node, who is not one of those who say numbered lines.
    pub(crate) fn guest(&self, node: usize) -> Guest {
        let Node { machine, server, .. } = &self.nodes[node];
        Guest::over(machine.connect(server.as_ref().unwrap().address).unwrap())
    }

    /// The answer of the web door of a node to this request.
    pub(crate) fn browse(&self, node: usize, first_line: &str, body: &str) -> String {
        let Node { machine, server, .. } = &self.nodes[node];
        let mut door = machine.connect(server.as_ref().unwrap().web()).unwrap();
        let length = body.len();
        let head = format!("{first_line}\r\nHost: localhost\r\nConnection: close\r\n");
        let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        door.write_all(request.as_bytes()).unwrap();
        door.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut answer = String::new();
        door.read_to_string(&mut answer).unwrap();
        answer.trim_end().to_owned()
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

impl Part {
    /// Its machine, in a network.
    pub(crate) fn machine(self) -> usize {
        match self {
            Part::Server(server) => server,
            Part::Node(node) => MACHINES_OF_NODES[node],
        }
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

/// The words of the NATS library for a server that is killed while a node connects to it: before its
/// first message, and before its second one.
const KILLED: [&str; 2] =
    [" ERROR expected INFO, got nothing", " ERROR connection closed unexpectedly"];

/// Checks that the log of a node has no error, apart from the library's words for a killed server.
fn assert_sound(log: &[String]) {
    let is_bad = |line: &&String| {
        let is_known = KILLED.iter().any(|words| line.ends_with(words));
        line.contains(" ERROR ") && !is_known || line.contains("panicked")
    };
    assert_eq!(log.iter().find(is_bad), None, "{log:#?}");
}
