//! Connections with several seats or none: they sit in several rooms, listen, or only speak.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::Arc;

use parlor_core::journal::NotStored;
use parlor_core::link::{
    Answer, BATCHES_MAX, Backlog, Change, Encoder, Entered, Link, Listener, Mail, Mark, Notice,
    Outcome, Query, Refusal, Request, Seat, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{
    Capacity, Claim, Deed, Entry, Here, Limits, Manner, Name, Proof, RoomName, Said, Spoken, Verb,
    Whom,
};
use server::{Held, Server, enter, granted, join, line, post, private, refusal, rename};

/// A dialect of words: a line is `room:text`, everything else is as short as possible.
#[derive(Debug)]
struct Words;

impl Encoding for Words {
    fn key(&self) -> EncodingKey {
        const WORDS: EncodingKey = EncodingKey::named("words");
        WORDS
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        if let Entry::Said(said) = entry {
            put(out, &format!("{}:{}", scene.room, said.text));
        }
    }
}

impl Encoder for Words {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        match answer {
            Answer::Notice(Notice::Skipped(missed)) => {
                put(out, &format!("{}:{}-skipped", missed.room, missed.lines()));
            }
            Answer::YouAre(name) => put(out, &format!("answer:{name}")),
            Answer::Private(message) => put(out, &format!("private:{}", message.lines[0].text)),
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        put(out, &format!("+{}", entered.room));
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        put(out, &format!("{room}:{}-old", said.text));
    }

    fn departed(&mut self, room: &RoomName, _: WhyDeparted<'_>, out: &mut Vec<u8>) {
        put(out, &format!("-{room}"));
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        put(out, "end");
    }

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }
}

fn put(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
    out.push(b' ');
}

/// A person with a connection that reads any number of rooms.
struct Reader {
    link: Link,
    backlog: Backlog<Words>,
}

impl Reader {
    fn new(server: &Server) -> Reader {
        let link = server.connect();
        let backlog = Backlog::new(Words, Arc::clone(link.client()));
        Reader { link, backlog }
    }

    /// Takes another seat.
    fn sits(&mut self, server: &mut Server, request: impl Into<Request>) -> Held {
        let (seat, entered) = granted(server.ask(&mut self.link, request));
        self.link.reply(seat.mark(), Mail::Entered(entered));
        seat
    }

    fn listens(&mut self, server: &mut Server, room: &str) -> Listener {
        let (listener, listening) = listening(server.ask(&mut self.link, listen(room)));
        let mark = Mark::behind(listening.view.room());
        self.link.reply(mark, Mail::Listening(listening));
        listener
    }

    /// Expects an answer in the place of the seat's log where it belongs.
    fn is_answered(&self, seat: &Seat, word: &str) {
        let answer = Answer::YouAre(Name::parse(word).unwrap());
        self.link.reply(seat.mark(), Mail::Answer(answer));
    }

    /// The bytes that one system call would write.
    fn reads_some(&mut self) -> String {
        self.backlog.collect();
        let bytes: Vec<u8> = self.backlog.runs().flatten().copied().collect();
        self.backlog.advance(bytes.len());
        String::from_utf8(bytes).unwrap()
    }

    /// All bytes that are ready to read.
    fn reads(&mut self) -> String {
        let mut read = String::new();
        loop {
            let some = self.reads_some();
            if some.is_empty() {
                return read.trim_end().to_owned();
            }
            read.push_str(&some);
        }
    }
}

fn listen(room: &str) -> Change {
    Change::Listen {
        owner: None,
        room: RoomName::parse(room).unwrap(),
        password: None,
        waits: false,
        replay: 1,
    }
}

fn listening(outcome: Outcome) -> (Listener, Box<parlor_core::link::Listening>) {
    match outcome {
        Outcome::Listening(listener, listening) => (listener, listening),
        other => panic!("does not listen but {other:?}"),
    }
}

fn speak(name: &str, room: &str, texts: &[&str]) -> Change {
    let spoken = |text: &&str| Spoken::new(Manner::Plain, line(text));
    Change::SpeakOnce {
        name: Name::parse(name).unwrap().into(),
        profile: None,
        room: RoomName::parse(room).unwrap(),
        password: None,
        lines: texts.iter().map(spoken).collect(),
    }
}

#[test]
fn each_room_is_read_in_order_and_answers_stand_in_their_places() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    server.ask(&mut alice.link, post(lobby.room(), &["1"]));
    server.ask(&mut alice.link, post(tea.room(), &["a"]));
    alice.is_answered(&tea, "middle");
    server.ask(&mut alice.link, post(tea.room(), &["b"]));
    server.ask(&mut alice.link, post(lobby.room(), &["2"]));
    let read = alice.reads();
    let of = |room: &str| read.split(' ').filter(|word| word.starts_with(room)).collect::<Vec<_>>();
    assert_eq!(of("lobby"), ["lobby:1", "lobby:2"], "{read}");
    assert_eq!(of("tea"), ["tea:a", "tea:b"], "{read}");
    assert!(read.contains("tea:a answer:middle "), "{read}");
    assert!(!read.contains("tea:b answer"), "{read}");
    assert!(alice.backlog.is_up_to_date());
}

#[test]
fn a_private_message_stands_behind_the_lines_of_all_rooms_and_before_the_later_ones() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    let mut bob = server.enter("bob");
    alice.reads();
    server.ask(&mut alice.link, post(lobby.room(), &["1"]));
    server.ask(&mut alice.link, post(tea.room(), &["a"]));
    server.ask(&mut bob.link, private("alice", "psst"));
    alice.is_answered(&tea, "late"); // behind the message, which waits for both rooms
    server.ask(&mut alice.link, post(lobby.room(), &["2"]));
    let read = alice.reads();
    let at = |word: &str| read.split(' ').position(|read| read == word).unwrap_or(usize::MAX);
    assert!(at("lobby:1") < at("private:psst") && at("tea:a") < at("private:psst"), "{read}");
    assert!(at("private:psst") < at("answer:late") && at("private:psst") < at("lobby:2"), "{read}");
    assert!(at("lobby:2") < usize::MAX && at("answer:late") < usize::MAX, "{read}");
    assert!(alice.backlog.is_up_to_date());
}

#[test]
fn answers_to_a_person_without_a_seat_stand_behind_the_departures() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    server.ask(&mut alice.link, post(tea.room(), &["a"]));
    let presence = lobby.get_up();
    drop(tea);
    let answer = Answer::YouAre(Name::parse("late").unwrap());
    alice.link.reply(Mark::default(), Mail::Answer(answer));
    assert_eq!(alice.reads(), "+lobby +tea tea:a");
    server.run();
    let mut bob = server.enter("bob");
    server.ask(&mut bob.link, private("alice", "psst"));
    let read = alice.reads();
    assert!(read.ends_with(" answer:late private:psst"), "{read}");
    assert!(read.contains("-lobby ") && read.contains("-tea "), "{read}");
    let _tea = alice.sits(&mut server, join("tea"));
    assert_eq!(alice.reads(), "+tea");
    drop(presence);
}

#[test]
fn everybody_in_a_room_is_listed_once_under_each_name() {
    let mut server = Server::new();
    let mut kate = server.enter("kate");
    server.own(&mut kate.link, "kate", 0);
    let as_kate = |typed: &str| Change::Enter {
        name: Claim::of_owner(Name::stored(typed), Proof(1)),
        profile: None,
        room: RoomName::lobby(),
        replay: 0,
    };
    let mut other = server.connect();
    let (second, _) = granted(server.ask(&mut other, as_kate("Kate")));
    let mut bob = server.enter("bob");
    let mut new = server.connect();
    new.client().want_roster(true);
    // All of this is one batch, and the newcomer stands in the middle.
    drop(kate.seat);
    bob.link.start(rename("bobby"));
    server.drain();
    new.start(enter("zoe", "lobby"));
    server.drain();
    drop(second);
    server.run();
    let (_seat, entered) = granted(new.outcome().unwrap());
    let mut everybody = entered.everybody.expect("it is wanted");
    let names = everybody.take(9).into_iter().map(|person| person.who.name.to_string());
    assert_eq!(names.collect::<Vec<_>>(), ["kate", "bobby"]);
    assert!(everybody.take(9).is_empty());
}

#[test]
fn a_busy_room_delays_no_other() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    alice.reads();
    for _ in 0..BATCHES_MAX * 3 {
        server.ask(&mut alice.link, post(lobby.room(), &["busy"]));
    }
    server.ask(&mut alice.link, post(tea.room(), &["quiet"]));
    let two = [alice.reads_some(), alice.reads_some()].concat();
    assert!(two.contains("tea:quiet"), "{two}");
    assert!(alice.reads().contains("lobby:busy"), "there was more");
}

#[test]
fn a_room_is_left_after_its_last_entry_and_the_others_go_on() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    server.ask(&mut alice.link, post(tea.room(), &["last"]));
    drop(tea);
    server.ask(&mut alice.link, post(lobby.room(), &["on"]));
    let read = alice.reads();
    assert!(read.contains("tea:last -tea"), "{read}");
    assert!(read.contains("lobby:on"), "{read}");
    let Reader { link, mut backlog } = alice;
    drop((link, lobby));
    server.run();
    backlog.collect();
    let last: Vec<u8> = backlog.runs().flatten().copied().collect();
    assert_eq!(last, b"end ", "a person who leaves the server is told of no room");
    assert!(backlog.is_over());
    drop(backlog);
    server.assert_empty();
}

#[test]
fn a_person_who_leaves_the_server_is_told_of_the_rooms_left_before() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    alice.reads();
    drop(tea);
    server.run();
    let tea = alice.sits(&mut server, join("tea"));
    let Reader { link, mut backlog } = alice;
    drop((link, lobby, tea));
    server.run();
    backlog.collect();
    let last: Vec<u8> = backlog.runs().flatten().copied().collect();
    assert_eq!(String::from_utf8(last).unwrap(), "-tea +tea end ");
}

#[test]
fn the_reason_of_a_removal_is_read_also_by_a_person_who_is_in_the_room_again() {
    let mut server = Server::new();
    let (mut bob, mut alice) = (Reader::new(&server), Reader::new(&server));
    let _lobby = bob.sits(&mut server, enter("bob", "lobby"));
    let _kept = bob.sits(&mut server, join("tea"));
    let _here = alice.sits(&mut server, enter("alice", "lobby"));
    let removed = alice.sits(&mut server, join("tea"));
    let deed = Deed::to(Verb::Kick, Whom::Name(Name::parse("alice").unwrap()));
    let here = Here::Room(RoomName::parse("tea").unwrap());
    server.ask(&mut bob.link, Change::Act { here, deed });
    let again = alice.sits(&mut server, join("tea"));
    let reason = Answer::YouAre(Name::parse("reason").unwrap());
    alice.link.reply(removed.mark_of_departure(), Mail::Answer(reason));
    alice.is_answered(&again, "next");
    assert!(alice.reads().ends_with("-tea +tea answer:reason answer:next"));
}

#[test]
fn the_end_of_an_old_room_is_read_before_the_same_room_made_again() {
    let mut server = Server::new();
    let mut alice = Reader::new(&server);
    let _lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    alice.reads();
    server.ask(&mut alice.link, post(tea.room(), &["old"]));
    let before = tea.room();
    drop(tea);
    server.run();
    let tea = alice.sits(&mut server, join("tea"));
    assert_ne!(tea.room(), before, "it left memory meanwhile");
    server.ask(&mut alice.link, post(tea.room(), &["new"]));
    assert_eq!(alice.reads(), "tea:old -tea +tea tea:new");
}

#[test]
fn skipped_lines_are_counted_in_their_room() {
    let log = Capacity { lines: 2, ..Limits::default().log };
    let mut server = Server::with(Limits { log, ..Limits::default() });
    let mut alice = Reader::new(&server);
    let lobby = alice.sits(&mut server, enter("alice", "lobby"));
    let tea = alice.sits(&mut server, join("tea"));
    alice.reads();
    for number in ["1", "2", "3", "4", "5"] {
        server.ask(&mut alice.link, post(tea.room(), &[number]));
    }
    server.ask(&mut alice.link, post(lobby.room(), &["whole"]));
    let read = alice.reads();
    assert!(read.contains("tea:4-skipped tea:5"), "{read}"); // one batch always stays
    assert!(read.contains("lobby:whole"), "{read}");
}

#[test]
fn a_listener_is_not_announced_and_reads_until_it_stops() {
    let mut server = Server::new();
    let mut alice = server.enter("alice");
    let room = alice.seat.room();
    server.ask(&mut alice.link, post(room, &["one", "two"]));
    let mut listener = Reader::new(&server);
    let listens = listener.listens(&mut server, "lobby");
    server.ask(&mut alice.link, post(room, &["three"]));
    assert_eq!(server.census().listeners, 1);
    drop(listens);
    server.ask(&mut alice.link, post(room, &["four"]));
    assert_eq!(listener.reads(), "lobby:two-old lobby:three -lobby end");
    assert!(listener.backlog.is_over());
    let told = alice.read();
    assert!(told.iter().all(|entry| matches!(entry, Entry::Said(_))), "{told:?}");
    drop((alice, listener));
    server.assert_empty();
}

#[test]
fn a_listener_keeps_a_room_in_memory_and_does_not_make_one() {
    let mut server = Server::new();
    let mut listener = Reader::new(&server);
    let refused = server.refusal(&mut listener.link, listen("tea"));
    assert!(matches!(refused, Refusal::NoRoom(_)), "{refused:?}");
    let mut alice = server.connect();
    let (seat, _) = granted(server.ask(&mut alice, enter("alice", "tea")));
    let listens = listener.listens(&mut server, "tea");
    let room = seat.room();
    drop(seat);
    server.run();
    let (seat, _) = granted(server.ask(&mut alice, enter("alice", "tea")));
    assert_eq!(seat.room(), room);
    drop((seat, alice, listens, listener));
    server.assert_empty();
}

#[test]
fn a_room_with_only_waiting_listeners_is_not_shown_and_the_first_person_makes_it() {
    let mut server = Server::new();
    let mut listener = server.connect();
    let waits = Change::Listen {
        owner: None,
        room: RoomName::parse("tea").unwrap(),
        password: None,
        waits: true,
        replay: 0,
    };
    let (listens, _) = listening(server.ask(&mut listener, waits));
    let mut other = server.connect();
    let refused = server.refusal(&mut other, listen("tea"));
    assert!(matches!(refused, Refusal::NoRoom(_)), "{refused:?}");
    let mut alice = server.enter("alice");
    let rooms = |server: &mut Server, link: &mut Link| match server.ask(link, Query::Rooms) {
        Outcome::Answer(Answer::Rooms { rooms, .. }) => rooms.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(rooms(&mut server, &mut alice.link), 1, "the lobby");
    let (seat, _) = granted(server.ask(&mut other, enter("bob", "tea")));
    assert_eq!(rooms(&mut server, &mut alice.link), 2);
    drop((seat, other, alice, listens, listener));
    server.assert_empty();
}

#[test]
fn a_script_learns_the_numbers_of_its_lines_and_frees_its_name() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut ci = server.connect();
    let said = |outcome| match outcome {
        Outcome::Said { first, last } => (first, last),
        other => panic!("not said but {other:?}"),
    };
    let outcome = server.ask(&mut ci, speak("ci", "lobby", &["green", "all of it"]));
    assert_eq!(said(outcome), (1, 2));
    let outcome = server.ask(&mut ci, speak("ci", "lobby", &["again"]));
    assert_eq!(said(outcome), (3, 3));
    assert_eq!(bob.heard(), ["green", "all of it", "again"]);
    assert_eq!(bob.read().len(), 3, "nobody arrives by that");
    let refused = server.refusal(&mut ci, speak("BOB", "lobby", &["me"]));
    assert!(matches!(refused, Refusal::NameTaken(_)), "{refused:?}");
    server.enter("ci");
    let outcome = server.ask(&mut ci, speak("cd", "tea", &["nobody hears"]));
    assert_eq!(said(outcome), (1, 1));
    drop(bob);
    server.assert_empty(); // the room was made for it, and leaves memory
}

#[test]
fn lines_of_a_script_that_are_not_stored_are_refused() {
    let mut server = Server::new();
    let bob = server.enter("bob");
    let mut ci = server.connect();
    ci.start(speak("ci", "lobby", &["lost"]));
    let gathered = server.gather();
    let failed = Err(NotStored("the disk is full"));
    server.broadcaster.append(gathered, failed, server.now);
    let refused = refusal(ci.outcome().unwrap());
    assert!(matches!(refused, Refusal::NotStored(_)), "{refused:?}");
    assert_eq!(bob.heard(), Vec::<String>::new());
    let census = server.census();
    assert_eq!((census.people, census.under_way), (1, 0), "{census:?}");
}
