//! A machine: an address, and programs that run there. Either all machines are this one, each with
//! a loopback address of its own; or each has a network of its own.

use std::ffi::OsStr;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::data::Data;
use crate::network::Namespace;

/// A place where programs run.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The address at which other machines reach it.
    pub(crate) address: Ipv4Addr,
    /// Its own network, if it has one.
    pub(crate) namespace: Option<Arc<Namespace>>,
}

impl Machine {
    /// Machines without a network of their own.
    pub(crate) fn here(count: usize) -> Vec<Machine> {
        static USED: AtomicU32 = AtomicU32::new(0);
        // Every address of 127.0.0.0/8 is this machine. Other tests use the first ones.
        let house = std::process::id() << 10 | USED.fetch_add(1, Ordering::Relaxed) << 4;
        let address = |number: usize| {
            let low = 0x0080_0000 | house & 0x007f_fff0 | (number as u32 + 1);
            Ipv4Addr::from(0x7f00_0000 | low)
        };
        (0..count).map(|number| Machine { address: address(number), namespace: None }).collect()
    }

    /// A program that runs there.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let Some(namespace) = &self.namespace else {
            return Command::new(program);
        };
        let (runner, place) = namespace.runner();
        let mut command = Command::new(runner);
        command.arg(place).arg(program);
        command
    }

    /// The program under test, there; it stores its lines in this directory.
    pub(crate) fn parlor(&self, data: &Data) -> Command {
        let Some(namespace) = &self.namespace else {
            return data.parlor();
        };
        let (runner, place) = namespace.runner();
        data.parlor_by(runner, &[&place])
    }

    /// Connects to a program there from the machine itself.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        match &self.namespace {
            Some(namespace) => namespace.connect(address),
            None => TcpStream::connect(address),
        }
    }
}
