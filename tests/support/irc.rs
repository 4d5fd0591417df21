//! A person with an IRC client, who sends lines and reads the answers. Reads messages by the form of
//! the protocol itself, without the server's own code. The test fails if a line has another form, or
//! is not the expected one.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::DEADLINE;

/// A failed test shows this many lines of the conversation.
const STORY_LINES_MAX: usize = 200;

/// The longest message without its tags, with its ending.
const MESSAGE_BYTES_MAX: usize = 512;

/// The longest tags, with the sign before them and the blank behind them.
const TAG_BYTES_MAX: usize = 8_191;

/// One client, with everything it sent and saw.
pub(crate) struct Chatter {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
    story: Vec<String>,
    /// The number of the latest PING.
    pings: u64,
}

/// A message from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Names and values of its tags, in their order.
    pub(crate) tags: Vec<(String, String)>,
    /// The rest of the line.
    pub(crate) line: String,
}

impl Message {
    /// The value of a tag, if the message has the tag.
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        let tag = self.tags.iter().find(|(tag, _)| tag == name);
        tag.map(|(_, value)| value.as_str())
    }

    /// The source: `nick!user@host`, or the server's name.
    pub(crate) fn source(&self) -> &str {
        let source = self.line.strip_prefix(':').and_then(|line| line.split_once(' '));
        source.map_or("", |(source, _)| source)
    }

    /// The command, or the number of an answer.
    pub(crate) fn command(&self) -> &str {
        self.words().0
    }

    /// The parameters; the last one may have blanks.
    pub(crate) fn parameters(&self) -> Vec<&str> {
        let (_, after) = self.words();
        let (words, last) = match after.split_once(" :") {
            Some((words, last)) => (words, Some(last)),
            None => (after, None),
        };
        words.split(' ').filter(|word| !word.is_empty()).chain(last).collect()
    }

    /// The command, and what comes behind it.
    fn words(&self) -> (&str, &str) {
        let line = match self.line.strip_prefix(':') {
            Some(line) => line.split_once(' ').map_or("", |(_, rest)| rest),
            None => &self.line,
        };
        line.split_at(line.find(' ').unwrap_or(line.len()))
    }

    /// Reads a line without its ending.
    fn read(bytes: &[u8]) -> Result<Message, &'static str> {
        let text = str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
        let (tags, line) = match text.strip_prefix('@') {
            Some(tagged) => tagged.split_once(' ').ok_or("tags without a message")?,
            None => ("", text),
        };
        if tags.len() + 2 > TAG_BYTES_MAX {
            return Err("too long tags");
        }
        if line.len() + 2 > MESSAGE_BYTES_MAX {
            return Err("too long a message");
        }
        if line.starts_with(' ') || line.is_empty() {
            return Err("no message");
        }
        let is_allowed = |sign: char| !sign.is_control() || FORMATTING.contains(sign);
        if !text.chars().all(is_allowed) {
            return Err("a control character");
        }
        let tags = tags.split(';').filter(|tag| !tag.is_empty()).map(|tag| {
            let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
            (name.to_owned(), tag_value(value))
        });
        Ok(Message { tags: tags.collect(), line: line.to_owned() })
    }
}

/// The one control character that a message may have: it begins and ends an action.
const FORMATTING: &str = "\x01";

/// The value of a tag as it was before it was written.
fn tag_value(written: &str) -> String {
    let mut value = String::new();
    let mut signs = written.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => match signs.next() {
                Some(':') => value.push(';'),
                Some('s') => value.push(' '),
                Some('r') => value.push('\r'),
                Some('n') => value.push('\n'),
                Some(other) => value.push(other),
                None => {}
            },
            other => value.push(other),
        }
    }
    value
}

impl Chatter {
    /// Connects, and sends nothing yet.
    #[track_caller]
    pub(crate) fn connect(server: SocketAddr) -> Chatter {
        Chatter::of(TcpStream::connect_timeout(&server, DEADLINE).expect("the door is open"))
    }

    /// Connects with little space for what it has not read yet.
    #[allow(dead_code, reason = "not all tests have slow clients")]
    #[track_caller]
    pub(crate) fn connect_narrow(server: SocketAddr) -> Chatter {
        const RECEIVE_BYTES: usize = 16 * 1024;
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)
            .expect("there is a socket");
        socket.set_recv_buffer_size(RECEIVE_BYTES).expect("the buffer may be small");
        socket.connect(&server.into()).expect("the door is open");
        Chatter::of(socket.into())
    }

    fn of(stream: TcpStream) -> Chatter {
        let limited = stream
            .set_read_timeout(Some(DEADLINE))
            .and_then(|()| stream.set_write_timeout(Some(DEADLINE)))
            .and_then(|()| stream.set_nodelay(true));
        limited.expect("a socket takes options");
        Chatter {
            address: stream.local_addr().expect("a socket has an address"),
            stream: BufReader::new(stream),
            story: Vec::new(),
            pings: 0,
        }
    }

    /// Registers under a nick, and reads everything up to the end of the MOTD.
    #[track_caller]
    pub(crate) fn enter(self, nick: &str) -> Chatter {
        self.enter_with(nick, "")
    }

    /// The same, with these capabilities.
    #[track_caller]
    pub(crate) fn enter_with(mut self, nick: &str, capabilities: &str) -> Chatter {
        if !capabilities.is_empty() {
            self.say("CAP LS 302");
            self.say(&format!("CAP REQ :{capabilities}"));
        }
        self.say(&format!("NICK {nick}"));
        self.say(&format!("USER {nick} 0 * :{nick} of IRC"));
        if !capabilities.is_empty() {
            self.say("CAP END");
            self.until(&format!("{{}} CAP {{}} ACK :{capabilities}"));
        }
        self.until(&format!(":{{}} 001 {nick} :{{}}"));
        self.until_end_of_motd();
        self
    }

    /// Reads everything up to the end of the MOTD, or the answer that there is none.
    #[track_caller]
    pub(crate) fn until_end_of_motd(&mut self) -> Vec<Message> {
        let mut seen = Vec::new();
        loop {
            let message = self.message();
            if ["376", "422"].contains(&message.command()) {
                return seen;
            }
            seen.push(message);
        }
    }

    /// Joins a room, and reads everything up to the end of its names.
    #[track_caller]
    pub(crate) fn joins(&mut self, room: &str) -> Vec<Message> {
        self.say(&format!("JOIN {room}"));
        self.until(&format!(":{{}} 366 {{}} {room} :{{}}"))
    }

    /// The address under which the server sees this client.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Sends a line.
    #[track_caller]
    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n"));
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

    /// Checks that the next line, without its tags, is this one, in which `{}` is any text. Returns
    /// the message.
    #[track_caller]
    pub(crate) fn sees(&mut self, pattern: &str) -> Message {
        let message = self.message();
        if !fits(&message.line, pattern) {
            self.fail(&format!("{pattern:?} was to come, and not {:?}", message.line));
        }
        message
    }

    /// Checks that the next lines are these.
    #[track_caller]
    pub(crate) fn sees_all(&mut self, patterns: impl IntoIterator<Item = impl AsRef<str>>) {
        for pattern in patterns {
            self.sees(pattern.as_ref());
        }
    }

    /// Reads up to a line like this one. Returns all of them.
    #[track_caller]
    pub(crate) fn until(&mut self, pattern: &str) -> Vec<Message> {
        let mut seen = Vec::new();
        loop {
            let message = self.message_or(|| format!("{pattern:?} was to come"));
            let is_last = fits(&message.line, pattern);
            seen.push(message);
            if is_last {
                return seen;
            }
        }
    }

    /// Checks that nothing else has come: the next line is the answer to a PING.
    #[track_caller]
    pub(crate) fn sees_nothing(&mut self) {
        let seen = self.until_pong();
        if let Some(message) = seen.first() {
            self.fail(&format!("nothing was to come, and not {:?}", message.line));
        }
    }

    /// Asks for a PONG, and reads everything before it.
    #[track_caller]
    pub(crate) fn until_pong(&mut self) -> Vec<Message> {
        self.pings += 1;
        let token = format!("ping-{}", self.pings);
        self.say(&format!("PING {token}"));
        let mut seen = self.until(&format!("{{}}PONG {{}}{token}"));
        seen.pop();
        seen
    }

    /// Any next message.
    #[track_caller]
    pub(crate) fn message(&mut self) -> Message {
        self.message_or(|| "a message was to come".to_owned())
    }

    #[track_caller]
    fn message_or(&mut self, wanted: impl Fn() -> String) -> Message {
        let mut bytes = Vec::new();
        let read = self.stream.read_until(b'\n', &mut bytes);
        self.story.push(format!("< {}", String::from_utf8_lossy(&bytes).trim_end()));
        let Some(line) = bytes.strip_suffix(b"\r\n") else {
            self.fail(&format!("{}, and not {} ({read:?})", wanted(), bytes.escape_ascii()));
        };
        match Message::read(line) {
            Ok(message) => message,
            Err(why) => self.fail(&format!("{why}: {}", line.escape_ascii())),
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

    /// Checks that the server has closed, after one last line like this one.
    #[track_caller]
    pub(crate) fn is_closed_with(&mut self, pattern: &str) {
        self.until(pattern);
        match self.stream.fill_buf() {
            Ok([]) => self.story.push("< (end)".to_owned()),
            more => {
                let more = format!("{more:?}");
                self.fail(&format!("the end was to come, and not {more}"));
            }
        }
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

/// Whether a line is like a pattern, in which `{}` is any text, also none.
fn fits(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("{}") else {
        return line == pattern;
    };
    let Some(mut line) = line.strip_prefix(start) else {
        return false;
    };
    let mut parts = rest.split("{}").peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return line.ends_with(part);
        }
        match line.find(part) {
            Some(at) => line = &line[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[test]
fn a_pattern_stands_for_its_lines() {
    for (line, pattern, is_so) in [
        (":a 001 b :hi", ":a 001 b :hi", true),
        (":a 001 b :hi", ":{} 001 {} :{}", true),
        (":a 001 b :hi", ":{} 002 {} :{}", false),
        (":a 001 b :hi", "{}hi", true),
        (":a 001 b :hi there", "{}hi", false),
        ("hi", "hi{}", true),
    ] {
        assert_eq!(fits(line, pattern), is_so, "{line:?} {pattern:?}");
    }
}

#[test]
fn a_message_has_tags_a_command_and_parameters() {
    let message = Message::read(br"@time=12:00;+a=x\:y\s :s 353 bob = #r :a b").unwrap();
    assert_eq!((message.tag("time"), message.tag("+a")), (Some("12:00"), Some("x;y ")));
    assert_eq!(message.command(), "353");
    assert_eq!(message.parameters(), ["bob", "=", "#r", "a b"]);
    assert_eq!(Message::read(b"PING x").unwrap().parameters(), ["x"]);
    assert!(Message::read(b"PRIVMSG #a :\x02bold").is_err());
}
