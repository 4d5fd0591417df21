//! Helpers for tests of the IRC dialect: a server, a client, and a check of the lines that it reads.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Asked, Decoder, Encoder, Input};
use parlor_core::model::{Line, Manner, Name, Profile, Spoken, WallTime};
use parlor_wire::irc::{
    Cap, HISTORY_MAX, IrcDecoder, IrcEncoder, IrcMessage, IrcServer, MESSAGE_BYTES_MAX,
    TAGS_BYTES_MAX,
};
use parlor_wire::style::{LINE_BYTES_MAX, LINES_MAX, LocalClock, Storage};

/// A server.
pub(crate) fn server() -> Arc<IrcServer> {
    Arc::new(IrcServer {
        name: "irc.local".to_owned(),
        network: "Parlor".to_owned(),
        version: "parlor-0.1.0".to_owned(),
        started: WallTime(0),
        motd: vec![line("Be kind")],
        log: "0af3".to_owned(),
        rooms_max: 100,
        bans_max: 1_000,
        clock: LocalClock { zone: TimeZone::UTC, now: || WallTime(1_319_042_451_620) },
    })
}

pub(crate) fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

pub(crate) fn name(name: &str) -> Name {
    Name::parse(name).unwrap()
}

/// The profile of a person with IRC.
pub(crate) fn profile() -> Arc<Profile> {
    Profile::new(["al", "Alice A.", "irc"].map(line), false).into()
}

/// Checks that a line is a message within the limits, without any control but those of CTCP.
#[track_caller]
pub(crate) fn check(line: &str) {
    let tags = match line.starts_with('@') {
        true => line.split_inclusive(' ').next().unwrap_or_default(),
        false => "",
    };
    assert!(tags.len() <= TAGS_BYTES_MAX && line.len() - tags.len() <= MESSAGE_BYTES_MAX, "{line}");
    let controls: String = line.chars().filter(char::is_ascii_control).collect();
    assert!(controls.is_empty() || controls == "\u{1}\u{1}", "{line:?}");
    assert!(IrcMessage::parse(line).is_some(), "{line}");
}

/// The client `alice!al@irc`, which has registered.
pub(crate) struct Client {
    pub(crate) decoder: IrcDecoder,
    pub(crate) encoder: IrcEncoder,
    read: Vec<u8>,
}

impl Client {
    /// A client with these capabilities, which has read its welcome.
    pub(crate) fn new(caps: &[Cap]) -> Client {
        let mut client = Client::before_welcome(caps);
        while client.decoder.has_more() {
            client.decoder.next(&mut &b""[..]);
        }
        client
    }

    /// A client with these capabilities, whose welcome waits.
    pub(crate) fn before_welcome(caps: &[Cap]) -> Client {
        let mut decoder = IrcDecoder::new(server(), true);
        let list: Vec<_> = caps.iter().map(|cap| cap.name()).collect();
        let lines = format!("CAP REQ :{}\r\nCAP END\r\n", list.join(" "));
        let (mut rest, mut answers) = (lines.as_bytes(), Vec::new());
        while decoder.register(&mut rest, &mut answers).is_some() {}
        let mut encoder = IrcEncoder::new(server(), Storage::Memory);
        let caps = decoder.welcome(&name("alice"), &profile());
        encoder.welcome(name("alice"), profile(), caps);
        Client { decoder, encoder, read: Vec::new() }
    }

    /// The lines that the client has read since the last time, without the source of the server.
    #[track_caller]
    pub(crate) fn reads(&mut self) -> Vec<String> {
        let read = String::from_utf8(std::mem::take(&mut self.read)).unwrap();
        let lines = read.split_terminator("\r\n").map(|line| {
            check(line);
            line.replacen(":irc.local ", "", 1)
        });
        lines.collect()
    }

    /// Lets the encoder append something.
    pub(crate) fn hears(&mut self, put: impl FnOnce(&mut IrcEncoder, &mut Vec<u8>)) {
        put(&mut self.encoder, &mut self.read);
    }

    /// An answer, outside of a command.
    #[track_caller]
    pub(crate) fn told(&mut self, answer: &Answer) -> Vec<String> {
        self.hears(|encoder, out| encoder.answer(answer, out));
        self.reads()
    }

    /// The answers to a command.
    #[track_caller]
    pub(crate) fn answered(
        &mut self,
        command: &str,
        target: &str,
        answers: &[Answer],
    ) -> Vec<String> {
        let target = (!target.is_empty()).then(|| line(target));
        let asked = Asked { command: Some(line(command)), target, ..Asked::default() };
        self.hears(|encoder, out| {
            encoder.begin(&asked, out);
            answers.iter().for_each(|answer| encoder.answer(answer, out));
            encoder.end(out);
        });
        self.reads()
    }

    /// Sends a line. Returns what the session is asked, in brackets, and what the client reads
    /// without the session.
    #[track_caller]
    pub(crate) fn sends(&mut self, line: &str) -> Vec<String> {
        let bytes = format!("{line}\r\n");
        let mut rest = bytes.as_bytes();
        let mut seen = Vec::new();
        while !rest.is_empty() || self.decoder.has_more() {
            let Some(input) = self.decoder.next(&mut rest) else { break };
            let asked = self.takes(input);
            seen.extend(self.reads());
            seen.extend(asked);
        }
        seen
    }

    /// Gives an input to the encoder, or returns the work for the session.
    pub(crate) fn takes(&mut self, input: Input) -> Option<String> {
        let out = &mut self.read;
        match input {
            Input::Begin(asked) => self.encoder.begin(&asked, out),
            Input::End => self.encoder.end(out),
            Input::Raw(bytes) => self.encoder.raw(&bytes, out),
            Input::Refused(refusal) => self.encoder.answer(&refusal.into(), out),
            Input::Nothing => {}
            other => return Some(format!("({})", told(&other))),
        }
        None
    }

    /// Checks a conversation: lines that are sent, and what comes of each.
    #[track_caller]
    pub(crate) fn talks(&mut self, conversation: &[(&str, &[&str])]) {
        for (line, seen) in conversation {
            assert_eq!(self.sends(line), *seen, "{line}");
        }
    }
}

/// An input in a few words.
fn told(input: &Input) -> String {
    match input {
        Input::In(room, input) => format!("in {room} {}", told(input)),
        Input::Enter { room, password: None, start } => format!("enter {room} {start:?}"),
        Input::Enter { room, password: Some(password), start } => {
            format!("enter {room} {password} {start:?}")
        }
        Input::Leave(room, words) => match words {
            Some(words) => format!("leave {room}: {words}"),
            None => format!("leave {room}"),
        },
        Input::Say(spoken) => format!("say {:?} {}", spoken.manner, spoken.text),
        Input::SayAll(lines) => {
            let lines = lines.iter().map(|line| format!("{:?} {}", line.manner, line.text));
            format!("say {}", lines.collect::<Vec<_>>().join(" / "))
        }
        Input::Private { to, lines, is_for_programs } => {
            let lines = lines.iter().map(|line| format!("{:?} {}", line.manner, line.text));
            let lines = lines.collect::<Vec<_>>().join(" / ");
            let programs = if *is_for_programs { " for programs" } else { "" };
            format!("tell {to}{programs} {lines}")
        }
        other => format!("{other:?}").chars().filter(|c| *c != '"').collect(),
    }
}

/// Checks that an input is within the limits of any door.
pub(crate) fn check_input(input: &Input) {
    match input {
        Input::In(_, input) => check_input(input),
        Input::Say(spoken) => check_spoken(spoken),
        Input::SayAll(lines) => {
            assert!((2..=LINES_MAX).contains(&lines.len()));
            lines.iter().for_each(check_spoken);
        }
        Input::Private { lines, .. } => {
            assert!((1..=LINES_MAX).contains(&lines.len()));
            lines.iter().for_each(check_spoken);
        }
        Input::Recall(_, lines) | Input::RecallRooms(_, lines) => {
            assert!((1..=HISTORY_MAX).contains(lines));
        }
        _ => {}
    }
}

fn check_spoken(spoken: &Spoken) {
    assert!(spoken.text.len() <= 3 * LINE_BYTES_MAX, "a control becomes three bytes");
    assert_ne!(spoken.manner, Manner::Gone);
}
