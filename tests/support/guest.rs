//! A person with netcat, who says lines and reads the answers. The test fails if the next line is
//! not the expected one.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::DEADLINE;

/// A failed test shows this many lines of the conversation.
const STORY_LINES_MAX: usize = 200;

/// One client, with everything it said and saw.
pub(crate) struct Guest {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    story: Vec<String>,
}

impl Guest {
    /// Connects, and reads nothing yet.
    #[track_caller]
    pub(crate) fn connect(server: SocketAddr) -> Guest {
        let stream = TcpStream::connect_timeout(&server, DEADLINE).expect("the door is open");
        Guest::of(stream)
    }

    /// Connects with so small a buffer that unread lines soon stay with the server.
    #[track_caller]
    pub(crate) fn connect_narrow(server: SocketAddr) -> Guest {
        const RECEIVE_BYTES: usize = 16 * 1024;
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)
            .expect("there is a socket");
        socket.set_recv_buffer_size(RECEIVE_BYTES).expect("the buffer may be small");
        socket.connect(&server.into()).expect("the door is open");
        Guest::of(socket.into())
    }

    fn of(stream: TcpStream) -> Guest {
        let limited = stream
            .set_read_timeout(Some(DEADLINE))
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)))
            .and_then(|()| stream.set_nodelay(true));
        limited.expect("a socket takes options");
        Guest {
            address: stream.local_addr().expect("a socket has an address"),
            stream: BufReader::new(stream),
            story: Vec::new(),
        }
    }

    /// Gives a name, and reads everything up to the replayed lines.
    #[track_caller]
    pub(crate) fn enter(mut self, name: &str) -> Guest {
        self.sees_question();
        self.say(name);
        self.sees(&format!("You are {name}"));
        self.sees_roster();
        self
    }

    /// Reads the greeting and the name question.
    #[track_caller]
    pub(crate) fn sees_question(&mut self) {
        self.sees(&format!("You are {}", self.address));
        self.sees_question_again();
    }

    /// Reads the name question.
    #[track_caller]
    pub(crate) fn sees_question_again(&mut self) {
        let question = format!("What is your name? (Enter to stay {})", self.address);
        self.sees(&question);
    }

    /// Reads any roster, and the line about help.
    #[track_caller]
    pub(crate) fn sees_roster(&mut self) {
        let roster = self.line();
        if !roster.starts_with("In lobby: ") {
            self.fail(&format!("a roster was to come, and not {roster:?}"));
        }
        self.sees("-- /help lists what you can type");
        self.sees("-- Lines here are not stored: they are gone when the server stops");
    }

    /// The address under which the server sees this client.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Types a line and Enter.
    #[track_caller]
    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n"));
    }

    /// Sends exactly these bytes.
    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.story.push(format!("> {}", bytes.escape_ascii()));
        if let Err(error) = self.stream.get_mut().write_all(bytes) {
            self.fail(&format!("cannot send: {error}"));
        }
    }

    /// Sends these bytes unless the server has closed.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) {
        self.story.push(format!("> {}", bytes.escape_ascii()));
        self.stream.get_mut().write_all(bytes).ok();
    }

    /// Checks that the next line is this one.
    #[track_caller]
    pub(crate) fn sees(&mut self, line: &str) {
        let seen = self.line();
        if seen != line {
            self.fail(&format!("{line:?} was to come, and not {seen:?}"));
        }
    }

    /// Checks that the next lines are these.
    #[track_caller]
    pub(crate) fn sees_all(&mut self, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        for line in lines {
            self.sees(line.as_ref());
        }
    }

    /// Checks that the next bytes are these.
    #[track_caller]
    pub(crate) fn sees_bytes(&mut self, bytes: &[u8]) {
        let mut seen = vec![0; bytes.len()];
        match self.stream.read_exact(&mut seen) {
            Ok(()) if seen == bytes => self.story.push(format!("< {}", seen.escape_ascii())),
            ended => self.fail(&format!(
                "the bytes {} were to come, and not {} ({ended:?})",
                bytes.escape_ascii(),
                seen.escape_ascii()
            )),
        }
    }

    /// Checks that the next line is this one with any time before it.
    #[track_caller]
    pub(crate) fn sees_replayed(&mut self, line: &str) {
        self.replayed_line(line);
    }

    /// Checks that the next line is this one after a time, `12:01` or `2026-11-20 12:01`.
    #[track_caller]
    pub(crate) fn replayed_line(&mut self, line: &str) -> String {
        let seen = self.line();
        let stamped = seen.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        match stamped {
            Some((time, said)) if said == line && is_time(time) => time.to_owned(),
            _ => self.fail(&format!("{line:?} with its time was to come, and not {seen:?}")),
        }
    }

    /// Any next line, without its ending.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = self.stream.read_until(b'\n', &mut bytes);
        let whole = bytes.strip_suffix(b"\n");
        match (read, whole.map(<[u8]>::to_vec).map(String::from_utf8)) {
            (Ok(_), Some(Ok(line))) => {
                self.story.push(format!("< {line}"));
                line
            }
            (Ok(0), _) => self.fail("a line was to come, and not the end"),
            (read, _) => self.fail(&format!(
                "a line of text was to come, and not {} ({read:?})",
                bytes.escape_ascii()
            )),
        }
    }

    /// Waits until something arrives, and leaves it to be seen.
    #[track_caller]
    pub(crate) fn is_answered(&mut self) {
        match self.stream.fill_buf() {
            Ok([_, ..]) => {}
            Ok([]) => self.fail("an answer was to come, and not the end"),
            Err(error) => self.fail(&format!("an answer was to come: {error}")),
        }
    }

    /// Closes the sending side, and continues to read.
    #[track_caller]
    pub(crate) fn shut(&mut self) {
        self.story.push("> (end)".to_owned());
        if let Err(error) = self.stream.get_ref().shutdown(Shutdown::Write) {
            self.fail(&format!("cannot shut: {error}"));
        }
    }

    /// Checks that the server has closed cleanly, without further words.
    #[track_caller]
    pub(crate) fn sees_end(&mut self) {
        let rest = self.rest();
        if !rest.is_empty() {
            self.fail(&format!("the end was to come, and not {rest:?}"));
        }
    }

    /// Everything up to the end.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        let read = self.stream.read_to_string(&mut rest);
        self.story.push(format!("< {rest} (end)"));
        if let Err(error) = read {
            self.fail(&format!("the end was to come: {error}"));
        }
        rest
    }

    /// Checks that the server has not reset the connection, as it would by closing over unread
    /// input. Call this only after the server has closed.
    #[track_caller]
    pub(crate) fn was_not_reset(&self) {
        match self.stream.get_ref().take_error() {
            Ok(None) => {}
            reset => self.fail(&format!("a close was to come, and not {reset:?}")),
        }
    }

    /// Breaks the connection, like a machine that loses power.
    pub(crate) fn reset(self) {
        let socket = SockRef::from(self.stream.get_ref());
        socket.set_linger(Some(Duration::ZERO)).expect("a socket takes options");
    }

    /// Fails the test, and shows the conversation.
    #[track_caller]
    pub(crate) fn fail(&self, why: &str) -> ! {
        let earlier = self.story.len().saturating_sub(STORY_LINES_MAX);
        let mut story = String::new();
        if earlier > 0 {
            let _ = writeln!(story, "  ({earlier} lines)");
        }
        for line in &self.story[earlier..] {
            let _ = writeln!(story, "  {line}");
        }
        panic!("{}: {why}; so far:\n{story}", self.address);
    }
}

/// `12:01`, or `2026-11-20 12:01`.
fn is_time(text: &str) -> bool {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    form == "00:00" || form == "0000-00-00 00:00"
}
