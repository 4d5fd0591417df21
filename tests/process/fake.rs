//! A server that sends the lines of a test. It knows no rules of the chat.

use socket2::SockRef;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::DEADLINE;

pub(crate) struct Fake {
    listener: TcpListener,
}

/// One connection, seen from the server's side.
pub(crate) struct Guest {
    stream: BufReader<TcpStream>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        SockRef::from(&listener).set_read_timeout(Some(DEADLINE)).unwrap();
        Self { listener }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    pub(crate) fn accept(&self) -> Guest {
        let (stream, _) = self.listener.accept().expect("somebody connects in time");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Guest { stream: BufReader::new(stream) }
    }
}

impl Guest {
    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The next line from the client.
    pub(crate) fn heard(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line arrives in time");
        line.trim_end_matches('\n').to_owned()
    }

    /// Everything up to the end of the client's input.
    pub(crate) fn heard_to_the_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        self.stream.read_to_end(&mut all).expect("the end arrives in time");
        all
    }

    /// A close that the client sees as an end.
    pub(crate) fn close(&mut self) {
        self.stream.get_mut().shutdown(Shutdown::Both).unwrap();
    }

    /// A close that the client sees as a break.
    pub(crate) fn reset(self) {
        SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
