//! A server without tasks and sockets: a broadcaster that runs step by step, and its clients.
#![allow(dead_code, reason = "not every test needs all of it")]

mod held;

use std::sync::Arc;
use std::time::Duration;

use parlor_core::broadcaster::{Broadcaster, Gathered};
use parlor_core::journal::OwnerVisit;
use parlor_core::link::{
    AccountChange, Answer, Change, CodeChange, Entered, FirstRoom, Inbox, Link, Outcome, Query,
    Refusal, Request,
};
use parlor_core::log::Slices;
use parlor_core::model::{
    Census, Entry, Hashed, Limits, Line, Manner, Name, Now, PersonId, Proof, RoomId, RoomName,
    Spoken, WallTime,
};

pub(crate) use self::held::Held;

pub(crate) struct Server {
    pub(crate) broadcaster: Broadcaster,
    pub(crate) now: Now,
}

impl Server {
    pub(crate) fn new() -> Server {
        Server::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Server {
        Server::of(Broadcaster::new(Arc::new(Inbox::default()), limits))
    }

    pub(crate) fn of(broadcaster: Broadcaster) -> Server {
        Server { broadcaster, now: Now::default() }
    }

    pub(crate) fn connect(&self) -> Link {
        self.broadcaster.inbox().connect()
    }

    /// Takes in requests, without a commit.
    pub(crate) fn drain(&mut self) {
        self.broadcaster.tick(self.now);
        self.broadcaster.drain(self.now);
    }

    pub(crate) fn gather(&mut self) -> Gathered {
        self.drain();
        self.broadcaster.gather(self.now).expect("something waits")
    }

    pub(crate) fn append(&mut self, gathered: Gathered) {
        self.broadcaster.append(gathered, Ok(()), self.now);
    }

    /// Runs until no work is left.
    pub(crate) fn run(&mut self) {
        self.drain();
        while let Some(gathered) = self.broadcaster.gather(self.now) {
            self.append(gathered);
            self.drain();
        }
    }

    pub(crate) fn ask(&mut self, link: &mut Link, request: impl Into<Request>) -> Outcome {
        link.start(request);
        self.run();
        link.outcome().expect("asked and answered")
    }

    pub(crate) fn refusal(&mut self, link: &mut Link, request: impl Into<Request>) -> Refusal {
        refusal(self.ask(link, request))
    }

    pub(crate) fn enter(&mut self, name: &str) -> Person {
        let mut link = self.connect();
        let (seat, entered) = granted(self.ask(&mut link, enter(name, "lobby")));
        Person { link, seat, entered }
    }

    /// Gives a name an owner, who has changed its password this many times.
    pub(crate) fn own(&mut self, link: &mut Link, name: &str, changes: u64) {
        let (name, by, password) = (Name::stored(name), link.client().id(), "hash".into());
        let change = match changes {
            0 => register(name, by),
            _ => Box::new(AccountChange::ChangePassword {
                name,
                proof: Some(Proof(changes)), // the number of the password before
                password,
                keeps_token: false,
                by: Some(by),
                visit: None,
            }),
        };
        let mut registry = self.connect();
        let outcome = self.ask(&mut registry, Change::Account(change));
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    }

    /// The hash of a return code that this person makes in a room.
    pub(crate) fn code(&mut self, link: &mut Link, room: RoomId) -> Hashed {
        let code = Hashed([link.client().id().number() as u8; 32]);
        let outcome = self.ask(link, Change::Code(CodeChange::Make { code, room: Some(room) }));
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        code
    }

    /// Lets this much time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall.0 += i64::try_from(time.as_millis()).unwrap();
        self.run();
    }

    pub(crate) fn census(&self) -> Census {
        self.broadcaster.census()
    }

    /// Checks that the server is empty, and nothing is left of its visitors.
    pub(crate) fn assert_empty(&mut self) {
        self.run();
        let census = self.census();
        let lobby = census.logs_bytes;
        let empty =
            Census { rooms: 1, logs_bytes: lobby, logs_bytes_counted: lobby, ..Census::default() };
        assert_eq!(census, empty);
    }
}

/// Gives a name an owner.
pub(crate) fn register(name: Name, by: PersonId) -> Box<AccountChange> {
    let visit =
        OwnerVisit { owner: name.clone(), at: WallTime(0), network: Hashed([0; 32]), origin: None };
    let (since, password) = (WallTime(0), "hash".into());
    Box::new(AccountChange::Register { name, since, password, by, visit })
}

/// A return to the place of a code.
pub(crate) fn come_back(code: Hashed) -> Change {
    Change::ComeBack { code, now: WallTime(0), profile: None, room: FirstRoom::Usual }
}

pub(crate) struct Person {
    pub(crate) link: Link,
    pub(crate) seat: Held,
    pub(crate) entered: Box<Entered>,
}

impl Person {
    /// All entries in the room since the arrival.
    pub(crate) fn read(&self) -> Vec<Entry> {
        let mut slices = Slices::new();
        let view = &self.entered.view;
        view.read(view.arrived, usize::MAX, &mut slices).unwrap();
        let entries = slices.iter().flat_map(|slice| &slice.batch.entries()[slice.entries.clone()]);
        entries.cloned().collect()
    }

    /// The lines since the arrival.
    pub(crate) fn heard(&self) -> Vec<String> {
        let said = |entry: Entry| match entry {
            Entry::Said(said) => Some(said.text.to_string()),
            _ => None,
        };
        self.read().into_iter().filter_map(said).collect()
    }
}

pub(crate) fn granted(outcome: Outcome) -> (Held, Box<Entered>) {
    Held::take(outcome).unwrap_or_else(|other| panic!("no seat but {other:?}"))
}

pub(crate) fn refusal(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Answer(Answer::Refused(refusal)) => refusal,
        other => panic!("not refused but {other:?}"),
    }
}

pub(crate) fn enter(name: &str, room: &str) -> Change {
    Change::Enter {
        name: Name::parse(name).unwrap().into(),
        profile: None,
        room: RoomName::parse(room).unwrap(),
        replay: 0,
    }
}

pub(crate) fn join(room: &str) -> Change {
    Change::Join { room: RoomName::parse(room).unwrap(), password: None, replay: 0 }
}

pub(crate) fn rename(name: &str) -> Change {
    Change::Rename(Name::parse(name).unwrap().into())
}

pub(crate) fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

/// A private message.
pub(crate) fn private(to: &str, text: &str) -> Query {
    let lines = vec![Spoken::new(Manner::Plain, line(text))];
    Query::Private { to: line(to), lines, is_for_programs: false, may_be_own: false }
}

pub(crate) fn post(room: RoomId, texts: &[&str]) -> Change {
    let spoken = |text: &&str| Spoken::new(Manner::Plain, line(text));
    Change::Say { room, lines: texts.iter().map(spoken).collect() }
}
