//! A network of machines which can be cut off: each has a network namespace, and a cable to a bridge in
//! the namespace of a hub. Needs root.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::machine::Machine;
use crate::skip;

/// A network namespace. A program holds it, which ends with the input from this test: so nothing is
/// left if the test is killed.
#[derive(Debug)]
pub(crate) struct Namespace {
    holder: Child,
}

/// Machines at one hub.
pub(crate) struct Network {
    hub: Namespace,
    /// The machines, which have the addresses 10.0.0.1, 10.0.0.2 and so on.
    pub(crate) machines: Vec<Machine>,
}

/// The packets that a machine does not send or get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Both,
    /// It gets none.
    Deaf,
    /// It sends none.
    Mute,
}

impl Namespace {
    /// A new one; none if that is not permitted here.
    fn make() -> Option<Namespace> {
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take()?).read_line(&mut line).ok()?;
        let namespace = Namespace { holder };
        (line == "ready\n").then_some(namespace)
    }

    fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.holder.id())
    }

    /// The arguments of a program that runs another one there.
    pub(crate) fn runner(&self) -> (&'static str, String) {
        ("nsenter", format!("--net={}", self.path()))
    }

    /// Connects from there.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let connect = || {
            let path = File::open(self.path())?;
            move_into_link_name_space(path.as_fd(), Some(LinkNameSpaceType::Network))?;
            TcpStream::connect(address)
        };
        // A socket stays in the namespace in which it was made, and the thread goes.
        thread::scope(|scope| scope.spawn(connect).join().unwrap())
    }

    /// Runs a command there.
    fn run(&self, line: &str) {
        let (runner, place) = self.runner();
        let output = Command::new(runner).arg(place).args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

impl Network {
    /// A network of this many machines; none, with a notice, if that is not permitted here.
    pub(crate) fn make(count: usize) -> Option<Network> {
        let made: Option<Vec<_>> = (0..=count).map(|_| Namespace::make()).collect();
        let Some(mut machines) = made else {
            skip("networks cannot be cut without root and network namespaces");
            return None;
        };
        let hub = machines.pop()?;
        hub.run("ip link add hub type bridge");
        hub.run("ip link set hub up");
        let machine = |(number, namespace): (usize, Namespace)| {
            let address = Ipv4Addr::from(0x0a00_0001 + number as u32);
            let port = port(number);
            let id = namespace.holder.id();
            hub.run(&format!("ip link add {port} type veth peer name eth0 netns {id}"));
            hub.run(&format!("ip link set {port} master hub up"));
            namespace.run(&format!("ip address add {address}/24 dev eth0"));
            namespace.run("ip link set eth0 up");
            Machine { address, namespace: Some(Arc::new(namespace)) }
        };
        let machines = machines.into_iter().enumerate().map(machine).collect();
        Some(Network { hub, machines })
    }

    /// Cuts a machine off. Its own addresses work.
    pub(crate) fn cut(&self, number: usize, cut: Cut) {
        let port = port(number);
        match cut {
            Cut::Both => self.hub.run(&format!("ip link set {port} down")),
            Cut::Deaf => self.hub.run(&format!("tc qdisc add dev {port} root blackhole")),
            Cut::Mute => self.own(number).run("tc qdisc add dev eth0 root blackhole"),
        }
    }

    /// Ends a cut.
    pub(crate) fn mend(&self, number: usize, cut: Cut) {
        let port = port(number);
        match cut {
            Cut::Both => self.hub.run(&format!("ip link set {port} up")),
            Cut::Deaf => self.hub.run(&format!("tc qdisc del dev {port} root")),
            Cut::Mute => self.own(number).run("tc qdisc del dev eth0 root"),
        }
    }

    fn own(&self, number: usize) -> &Namespace {
        self.machines[number].namespace.as_ref().unwrap()
    }
}

/// The end of a machine's cable at the hub.
fn port(number: usize) -> String {
    format!("port{number}")
}
