//! Readers who fall off a log: some go on in the middle, others at the end, where it is known who is
//! in the room.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::Arc;

use parlor_core::link::{
    Answer, Backlog, Change, Encoder, Entered, Link, Mail, Mark, Notice, Occupant, Query,
    WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Capacity, Entry, Limits, Name, RoomName, Said};
use server::{Held, Server, enter, granted, join, line, post};

/// A dialect of words, in which a reader who has fallen off goes on at the end or in the middle.
#[derive(Debug)]
struct Telling {
    enters_again: bool,
}

impl Encoding for Telling {
    fn key(&self) -> EncodingKey {
        const TELLING: EncodingKey = EncodingKey::named("telling");
        TELLING
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        match entry {
            Entry::Said(said) => put(out, said.text.as_str()),
            Entry::Arrived { who, .. } => put(out, &format!("+{}", who.name)),
            Entry::Left { who, .. } => put(out, &format!("-{}", who.name)),
            Entry::Renamed { who, from, .. } => put(out, &format!("{from}>{}", who.name)),
            _ => {}
        }
    }
}

impl Encoder for Telling {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        match answer {
            Answer::Notice(Notice::Skipped(missed)) => put(
                out,
                &format!(
                    "({} of {}: {}-{})",
                    missed.lines(),
                    missed.room,
                    missed.first,
                    missed.last
                ),
            ),
            Answer::Echo(_) => put(out, "answer"),
            Answer::People(page) => put(out, &format!("people-of-{}", page.room)),
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn tells_events_once(&self) -> bool {
        true
    }

    fn entered(&mut self, _: &Entered, _: &mut Vec<u8>) {}

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        put(out, &format!("fell-{room}"));
    }

    fn enters_again(&self) -> bool {
        self.enters_again
    }

    fn entered_again(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        let topic = entered.topic.as_ref().map(ToString::to_string).unwrap_or_default();
        put(out, &format!("again-{}:{topic}", entered.room));
    }

    fn listed(&mut self, room: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        let names: Vec<_> = people.iter().map(|person| person.who.name.to_string()).collect();
        put(out, &format!("{room}=[{}]", names.join(",")));
    }

    fn replayed(&mut self, _: &RoomName, _: &Said, _: &mut Vec<u8>) {}

    fn departed(&mut self, room: &RoomName, _: WhyDeparted<'_>, out: &mut Vec<u8>) {
        put(out, &format!("left-{room}"));
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        put(out, "end");
    }

    fn raw(&mut self, _: &[u8], _: &mut Vec<u8>) {}
}

fn put(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
    out.push(b' ');
}

/// A server whose logs have ten lines.
fn server() -> Server {
    let log = Capacity { lines: 10, bytes: usize::MAX };
    Server::with(Limits { log, ..Limits::default() })
}

/// The number of batches that are collected at once, and some more.
const BATCHES: usize = 70;

/// A person who reads only when told to.
struct Reader {
    link: Link,
    lobby: Held,
    backlog: Backlog<Telling>,
}

impl Reader {
    fn enter(server: &mut Server, name: &str, enters_again: bool) -> Reader {
        let mut link = server.connect();
        link.client().want_roster(enters_again);
        let (lobby, entered) = granted(server.ask(&mut link, enter(name, "lobby")));
        let backlog = Backlog::new(Telling { enters_again }, Arc::clone(link.client()));
        link.reply(lobby.mark(), Mail::Entered(entered));
        Reader { link, lobby, backlog }
    }

    fn says(&mut self, server: &mut Server, texts: &[&str]) {
        server.ask(&mut self.link, post(self.lobby.room(), texts));
    }

    /// Says twenty lines, each in its own batch.
    fn talks(&mut self, server: &mut Server) {
        (1..=20).for_each(|n| self.says(server, &[&n.to_string()]));
    }

    fn reads(&mut self) -> String {
        read(&mut self.backlog)
    }
}

/// Everything that can be read now.
fn read(backlog: &mut Backlog<Telling>) -> String {
    read_while(backlog, || ())
}

/// Everything that can be read while something happens after each part.
fn read_while(backlog: &mut Backlog<Telling>, mut happens: impl FnMut()) -> String {
    let mut read = Vec::new();
    loop {
        backlog.collect();
        let some = backlog.runs().collect::<Vec<_>>().concat();
        if backlog.is_empty() {
            return String::from_utf8(read).unwrap().trim_end().to_owned();
        }
        backlog.advance(some.len());
        read.extend(some);
        happens();
    }
}

/// Bob and alice, who both sit also in the tea room, each with the seat there. Alice goes on at the end,
/// and has read everything.
fn in_two_rooms(server: &mut Server) -> [(Reader, Held); 2] {
    let mut bob = Reader::enter(server, "bob", false);
    let mut alice = Reader::enter(server, "alice", true);
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea")));
    alice.link.reply(tea.mark(), Mail::Entered(entered));
    let (bobs, _) = granted(server.ask(&mut bob.link, join("tea")));
    alice.reads();
    [(bob, bobs), (alice, tea)]
}

#[test]
fn a_reader_goes_on_at_the_end_where_everybody_is_known() {
    let mut server = server();
    let mut bob = Reader::enter(&mut server, "bob", false);
    let mut alice = Reader::enter(&mut server, "alice", true);
    assert_eq!(alice.reads(), "lobby=[bob] lobby=[]");
    let topic = Some(line("tea"));
    server.ask(&mut bob.link, Change::SetTopic { room: bob.lobby.room(), text: topic });
    bob.talks(&mut server);
    let carol = Reader::enter(&mut server, "carol", false);
    assert_eq!(alice.reads(), "", "the place to go on is not known");
    assert_eq!(alice.reads(), "", "and it is asked for once");
    server.run();
    bob.says(&mut server, &["behind"]);
    assert_eq!(
        alice.reads(),
        "(20 of lobby: 1-20) fell-lobby again-lobby:tea lobby=[bob,alice,carol] lobby=[] behind"
    );
    assert_eq!(alice.backlog.falls(), 1);
    drop(carol);
    server.run();
    assert_eq!(alice.reads(), "-carol");
}

#[test]
fn another_dialect_goes_on_in_the_middle() {
    let mut server = server();
    let mut bob = Reader::enter(&mut server, "bob", false);
    let mut alice = Reader::enter(&mut server, "alice", false);
    bob.talks(&mut server);
    assert_eq!(alice.reads(), "(15 of lobby: 1-15) fell-lobby 16 17 18 19 20");
}

#[test]
fn a_reader_who_falls_without_a_line_reads_no_count() {
    let log = Capacity { lines: 10, bytes: 1 }; // only the last batch stays
    let mut server = Server::with(Limits { log, ..Limits::default() });
    let mut alice = Reader::enter(&mut server, "alice", true);
    assert_eq!(alice.reads(), "lobby=[]");
    let mut bob = Reader::enter(&mut server, "bob", false);
    assert_eq!(alice.reads(), "+bob");
    for name in ["b1", "b2", "b3"] {
        server.ask(&mut bob.link, Change::Rename(Name::stored(name).into()));
    }
    assert_eq!(alice.reads(), "");
    server.run();
    assert_eq!(alice.reads(), "fell-lobby again-lobby: lobby=[alice,b3] lobby=[]");
}

#[test]
fn mail_in_the_lost_part_is_read_and_those_who_leave_meanwhile_read_that() {
    let mut server = server();
    let mut bob = Reader::enter(&mut server, "bob", false);
    let mut alice = Reader::enter(&mut server, "alice", true);
    alice.reads();
    bob.says(&mut server, &["first"]);
    alice.link.reply(alice.lobby.mark(), Mail::Answer(Answer::Echo(true)));
    bob.talks(&mut server);
    assert_eq!(alice.reads(), "answer");
    server.run();
    assert!(alice.reads().starts_with("(21 of lobby: 1-21) fell-lobby again-lobby"));
    bob.talks(&mut server);
    assert_eq!(alice.reads(), "");
    drop(alice.lobby);
    server.run(); // the place to go on and the departure are told together
    let again = "(20 of lobby: 22-41) fell-lobby again-lobby: lobby=[bob,alice] lobby=[]";
    assert_eq!(read(&mut alice.backlog), format!("{again} left-lobby end"));
}

#[test]
fn a_person_who_has_left_before_falling_reads_of_that() {
    let mut server = server();
    let mut bob = Reader::enter(&mut server, "bob", false);
    let mut alice = Reader::enter(&mut server, "alice", true);
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea")));
    alice.link.reply(tea.mark(), Mail::Entered(entered));
    alice.reads();
    tea.leave(None);
    server.run();
    let (bobs, _) = granted(server.ask(&mut bob.link, join("tea")));
    for n in 1..=20 {
        server.ask(&mut bob.link, post(bobs.room(), &[&n.to_string()]));
    }
    assert_eq!(alice.reads(), "left-tea");
    server.run();
    assert_eq!(alice.reads(), "");
}

#[test]
fn a_lost_room_holds_no_other_room_at_an_event() {
    let mut server = server();
    let [(mut bob, bobs), (mut alice, _tea)] = in_two_rooms(&mut server);
    bob.talks(&mut server);
    server.ask(&mut bob.link, Change::Rename(Name::stored("bert").into()));
    assert_eq!(alice.reads(), "bob>bert", "told in tea, while the lobby is lost");
    server.run();
    assert_eq!(
        alice.reads(),
        "(20 of lobby: 1-20) fell-lobby again-lobby: lobby=[bert,alice] lobby=[]"
    );
    drop(bobs);
    server.run();
    assert_eq!(alice.reads(), "-bert");
}

#[test]
fn mail_behind_the_end_of_a_command_that_leaves_a_room_stops_no_other_room() {
    let mut server = server();
    let [(mut bob, _bobs), (alice, tea)] = in_two_rooms(&mut server);
    bob.link.start(Change::Rename(Name::stored("bert").into())); // the lobby waits there for tea
    let Reader { link, lobby, mut backlog } = alice;
    let end: Mark = [tea.mark(), lobby.mark_of_departure()].into_iter().collect();
    let _presence = lobby.get_up();
    link.reply(end, Mail::End); // it waits for the end of the lobby
    link.reply(tea.mark(), Mail::Answer(Answer::Echo(true))); // tea is to stop before the new name
    server.run();
    assert_eq!(read(&mut backlog), "bob>bert left-lobby answer");
    assert!(backlog.is_up_to_date());
}

#[test]
fn a_list_of_people_stands_behind_the_lines_of_other_rooms() {
    let mut server = server();
    let [(mut bob, bobs), (mut alice, _tea)] = in_two_rooms(&mut server);
    server.ask(&mut bob.link, post(bobs.room(), &["in-tea"]));
    let room = RoomName::lobby();
    server.ask(&mut alice.link, Query::People { room, from: 0 });
    server.ask(&mut bob.link, post(bobs.room(), &["later"]));
    assert_eq!(alice.reads(), "in-tea people-of-lobby later");
}

#[test]
fn a_reader_comes_in_again_behind_who_has_left_another_room() {
    let log = Capacity { lines: 100, bytes: usize::MAX };
    let mut server = Server::with(Limits { log, ..Limits::default() });
    let [(mut bob, bobs), (mut alice, _tea)] = in_two_rooms(&mut server);
    let mut link = server.connect();
    let (zed, _) = granted(server.ask(&mut link, enter("zed", "tea")));
    alice.reads();
    bob.says(&mut server, &["hello"]); // the lobby is the first room that she reads next
    assert_eq!(alice.reads(), "hello");
    for _ in 0..BATCHES {
        server.ask(&mut bob.link, post(bobs.room(), &["words"]));
    }
    zed.leave(None);
    let mut link = server.connect();
    let _another = granted(server.ask(&mut link, enter("zed", "lobby")));
    (0..6).for_each(|_| bob.talks(&mut server));
    // The answer comes while she reads the other room.
    let read = read_while(&mut alice.backlog, || server.run());
    let words = "words ".repeat(BATCHES);
    let again = "(120 of lobby: 2-121) fell-lobby again-lobby: lobby=[bob,alice,zed] lobby=[]";
    assert_eq!(read, format!("{words}-zed {again}"));
}
