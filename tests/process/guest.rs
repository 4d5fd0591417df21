//! A person with a socket. Can enter named mode, and knows nothing of the server's code.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::DEADLINE;

/// The line that ends the greeting.
const LAST_OF_ARRIVAL: &str = "-- Lines here are not stored: they are gone when the server stops";

/// One connection.
pub(crate) struct Guest {
    stream: BufReader<TcpStream>,
    /// The deadline of the present step of the conversation.
    until: Instant,
}

impl Guest {
    pub(crate) fn connect(address: SocketAddr) -> Guest {
        Guest::over(TcpStream::connect(address).unwrap())
    }

    /// Connects from this address of the machine.
    pub(crate) fn connect_from(from: IpAddr, to: SocketAddr) -> Guest {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&to.into()).unwrap();
        Guest::over(socket.into())
    }

    /// Connects with so small a receive buffer that not reading has an effect at once.
    pub(crate) fn connect_narrow(address: SocketAddr) -> Guest {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        Guest::over(socket.into())
    }

    /// Connects to a Unix socket.
    pub(crate) fn connect_unix(path: &Path) -> Guest {
        let socket = OwnedFd::from(UnixStream::connect(path).unwrap());
        Guest::over(socket.into()) // to this process, a socket is a socket
    }

    pub(crate) fn over(stream: TcpStream) -> Guest {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).ok(); // a Unix socket has no such delay
        Guest { stream: BufReader::new(stream), until: Instant::now() }
    }

    /// Connects, gives this name, and reads up to the end of the greeting.
    pub(crate) fn enter(address: SocketAddr, name: &str) -> Guest {
        let mut guest = Guest::connect(address);
        guest.answer(name);
        guest
    }

    /// Gives a name and reads up to the end of the greeting.
    pub(crate) fn answer(&mut self, name: &str) {
        self.say(name);
        let greeting = self.until(LAST_OF_ARRIVAL);
        let you_are = format!("You are {name}");
        assert!(greeting.contains(&you_are), "{greeting:#?}");
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The sending side, for sending and reading at the same time.
    pub(crate) fn sender(&self) -> TcpStream {
        self.stream.get_ref().try_clone().unwrap()
    }

    /// Asks for a return code.
    pub(crate) fn code(&mut self) -> String {
        self.secret("/code", "-- Your return code is ")
    }

    /// Asks for a token.
    pub(crate) fn token(&mut self) -> String {
        self.secret("/token", "-- Your token is ")
    }

    fn secret(&mut self, command: &str, answer: &str) -> String {
        self.say(command);
        let lines = self.lines_until(command, |line| line.starts_with(answer));
        word_after(lines.last().unwrap(), answer).to_owned()
    }

    /// Sends if the server still reads. Returns whether it does.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// The next line; invalid UTF-8 in it shows as replacement characters.
    pub(crate) fn line(&mut self) -> String {
        self.until = Instant::now() + DEADLINE;
        self.next_line().expect("a line, not the end")
    }

    /// The lines up to and including this one.
    pub(crate) fn until(&mut self, wanted: &str) -> Vec<String> {
        self.lines_until(wanted, |line| line == wanted)
    }

    /// The lines up to and including the first that `wanted` accepts.
    pub(crate) fn lines_until(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Vec<String> {
        self.until = Instant::now() + DEADLINE;
        let mut lines = Vec::new();
        loop {
            let Some(line) = self.next_line() else {
                panic!("waited for {what:?}, read {lines:#?} and the end");
            };
            let found = wanted(&line);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }

    /// All remaining lines up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.until = Instant::now() + DEADLINE;
        std::iter::from_fn(|| self.next_line()).collect()
    }

    /// Reads up to these bytes. Returns all, these included.
    pub(crate) fn bytes_until(&mut self, wanted: &[u8]) -> Vec<u8> {
        let until = Instant::now() + DEADLINE;
        let mut bytes = Vec::new();
        while !bytes.ends_with(wanted) {
            assert!(Instant::now() < until, "waited for {wanted:?}");
            let last = wanted.last().copied().unwrap();
            let read = self.stream.read_until(last, &mut bytes).unwrap();
            assert_ne!(read, 0, "waited for {wanted:?}, read {bytes:?} and the end");
        }
        bytes
    }

    fn next_line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line);
        let late = Instant::now() > self.until;
        assert!(read.is_ok() && !late, "in time: {read:?} after {line:?}");
        let ending = if line.ends_with(b"\r\n") { 2 } else { 1 };
        line.truncate(line.len().saturating_sub(ending));
        (read.unwrap_or(0) > 0).then(|| String::from_utf8_lossy(&line).into_owned())
    }

    /// Everything up to the end, which may be a reset.
    pub(crate) fn rest_or_reset(mut self) -> String {
        let mut words = Vec::new();
        match self.stream.read_to_end(&mut words) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => String::from_utf8_lossy(&words).into_owned(),
        }
    }

    /// Closes the sending side.
    pub(crate) fn end_input(&mut self) {
        self.stream.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Closes so that the server sees a broken connection.
    pub(crate) fn reset(self) {
        let socket = SockRef::from(self.stream.get_ref());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// The socket itself, for uses beyond a conversation.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Asks until this many people are here. Returns the other lines read meanwhile.
    pub(crate) fn until_people_here(&mut self, people: usize) -> Vec<String> {
        let until = Instant::now() + DEADLINE;
        let mut meanwhile = Vec::new();
        loop {
            self.say("/who");
            let mut lines = self.lines_until("the answer to /who", |line| {
                line.starts_with("-- ") && line.ends_with(" in lobby:")
            });
            let answer = lines.pop().unwrap();
            meanwhile.append(&mut lines);
            let number = answer.split(' ').nth(1).unwrap();
            if number.parse() == Ok(people) {
                return meanwhile;
            }
            let late = Instant::now() > until;
            assert!(!late, "not {people} people are here: {answer}");
        }
    }
}

/// The word after this beginning of a line.
pub(crate) fn word_after<'a>(line: &'a str, start: &str) -> &'a str {
    let rest = line.strip_prefix(start);
    let rest = rest.unwrap_or_else(|| panic!("{line}"));
    rest.split([' ', ':']).next().unwrap()
}

/// Two people talk: each waits for the other's line and may miss none.
pub(crate) fn talk(a: &mut Guest, b: &mut Guest, topic: &str, rounds: usize) {
    for round in 0..rounds {
        let (said, answered) = (format!("{topic} {round}?"), format!("{topic} {round}!"));
        a.say(&said);
        hear(b, &said);
        b.say(&answered);
        hear(a, &answered);
    }
}

/// Waits for a line of another person. None may be skipped meanwhile.
pub(crate) fn hear(guest: &mut Guest, said: &str) {
    let end = format!(": {said}");
    let lines = guest.lines_until(said, |line| line.ends_with(&end));
    let skipped = lines.iter().find(|line| line.contains("skipped: "));
    assert_eq!(skipped, None);
}

/// The numbers of people who came and left according to the announcements, one by one or together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) come: usize,
    pub(crate) gone: usize,
}

impl Traffic {
    /// Counts an announcement: `alice has arrived`, or `alice, bob and 35 others have left`.
    pub(crate) fn count(&mut self, line: &str) {
        if line.contains(": ") {
            return; // a line of a person
        }
        self.come += counted(line, "arrived");
        self.gone += counted(line, "left");
    }
}

fn counted(line: &str, verb: &str) -> usize {
    let who = line.strip_suffix(verb).unwrap_or_default();
    let who = who.strip_suffix(" has ").or(who.strip_suffix(" have "));
    let who = who.unwrap_or_default().replace(" and ", ", ");
    let people = |who: &str| {
        let others = who.strip_suffix(" others").or(who.strip_suffix(" other"));
        others.map_or(1, |number| number.parse().unwrap())
    };
    who.split(", ").filter(|who| !who.is_empty()).map(people).sum()
}

impl Read for Guest {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.read(buffer)
    }
}
