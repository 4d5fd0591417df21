//! Commands and their answers: a dialect quotes the command, and shows a person's own lines in its
//! own way.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::Arc;

use parlor_core::link::{
    Answer, Asked, Backlog, Change, Encoder, Entered, Link, Mail, Refusal, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Deed, Entry, Here, Line, RoomName, Said, Verb, Whom};
use server::{Held, Server, enter, granted, join, line, post};

/// A dialect of words. Its mode says whether own lines are shown as everybody reads them, and a
/// label stands on own lines.
#[derive(Debug, Default)]
struct Quoting {
    shows_own: bool,
    label: Option<Line>,
}

impl Encoding for Quoting {
    fn key(&self) -> EncodingKey {
        const QUOTING: EncodingKey = EncodingKey::named("quoting");
        QUOTING
    }

    fn encode(&self, entry: &Entry, _: Scene<'_>, out: &mut Vec<u8>) {
        match entry {
            Entry::Said(said) => put(out, said.text.as_str()),
            entry => deed(entry).into_iter().for_each(|word| put(out, word)),
        }
    }
}

impl Encoder for Quoting {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        put(
            out,
            match answer {
                Answer::Refused(_) => "refused",
                Answer::Echo(_) => "echo",
                other => panic!("nobody asked for {other:?}"),
            },
        );
    }

    fn begin(&mut self, asked: &Asked, out: &mut Vec<u8>) {
        let Asked { command, target, label, mode } = asked.clone();
        let words = [command, target, label.clone()].into_iter().flatten();
        put(out, &format!("({}", words.map(|word| word.to_string()).collect::<Vec<_>>().join(",")));
        self.shows_own = mode.map_or(self.shows_own, |mode| mode != 0);
        self.label = label;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        put(out, ")");
        self.label = None;
    }

    fn shows_own(&self) -> bool {
        self.shows_own && self.label.is_none()
    }

    fn own(&mut self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        let Entry::Said(said) = entry else {
            let label = self.label.as_ref().map_or("", Line::as_str);
            return put(out, &format!("{label}={}", deed(entry).expect("a deed")));
        };
        if self.shows_own {
            let label = self.label.as_ref().expect("a reason to ask");
            put(out, &format!("{label}={}:{}", scene.seq + 1, said.text));
        }
    }

    fn entered(&mut self, _: &Entered, _: &mut Vec<u8>) {}

    fn replayed(&mut self, _: &RoomName, _: &Said, _: &mut Vec<u8>) {}

    fn departed(&mut self, room: &RoomName, why: WhyDeparted<'_>, out: &mut Vec<u8>) {
        let reason = why.removal.and_then(|act| act.deed.text.as_ref());
        put(out, &format!("-{room}:{:?}:{:?}", why.words, reason));
    }

    fn ended(&mut self, _: &mut Vec<u8>) {}

    fn raw(&mut self, _: &[u8], _: &mut Vec<u8>) {}
}

/// The word for what a person does.
fn deed(entry: &Entry) -> Option<&'static str> {
    match entry {
        Entry::Topic { .. } => Some("topic"),
        Entry::Act(_) => Some("act"),
        Entry::Left { removal: Some(_), .. } => Some("removed"),
        _ => None,
    }
}

fn put(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
    out.push(b' ');
}

/// A person who reads in this dialect.
struct Reader {
    link: Link,
    lobby: Held,
    backlog: Backlog<Quoting>,
}

impl Reader {
    fn enter(server: &mut Server, name: &str) -> Reader {
        let mut link = server.connect();
        let (lobby, entered) = granted(server.ask(&mut link, enter(name, "lobby")));
        let backlog = Backlog::new(Quoting::default(), Arc::clone(link.client()));
        link.reply(lobby.mark(), Mail::Entered(entered));
        Reader { link, lobby, backlog }
    }

    fn says(&mut self, server: &mut Server, texts: &[&str]) {
        server.ask(&mut self.link, post(self.lobby.room(), texts));
    }

    fn gets(&self, mail: Mail) {
        self.link.reply(self.lobby.mark(), mail);
    }

    fn begins(&self, asked: Asked) {
        self.gets(Mail::Begin(Box::new(asked)));
    }

    fn reads(&mut self) -> String {
        let mut read = Vec::new();
        loop {
            self.backlog.collect();
            let some = self.backlog.runs().collect::<Vec<_>>().concat();
            if self.backlog.is_empty() {
                return String::from_utf8(read).unwrap().trim_end().to_owned();
            }
            self.backlog.advance(some.len());
            read.extend(some);
        }
    }
}

fn labelled(label: &str) -> Asked {
    Asked { command: Some(line("SAY")), label: Some(line(label)), ..Asked::default() }
}

#[test]
fn a_dialect_hides_own_lines_until_a_command_changes_that() {
    let mut server = Server::new();
    let mut alice = Reader::enter(&mut server, "alice");
    let mut bob = Reader::enter(&mut server, "bob");
    alice.says(&mut server, &["one", "two"]);
    bob.says(&mut server, &["three"]);
    assert_eq!(alice.reads(), "three");
    assert_eq!(bob.reads(), "one two");
    alice.begins(Asked { command: Some(line("CAP")), mode: Some(1), ..Asked::default() });
    alice.gets(Mail::End);
    alice.says(&mut server, &["four"]);
    assert_eq!(alice.reads(), "(CAP ) four");
}

#[test]
fn lines_before_a_command_are_shown_as_before_even_if_they_are_read_later() {
    let mut server = Server::new();
    let mut alice = Reader::enter(&mut server, "alice");
    alice.says(&mut server, &["one"]);
    alice.begins(Asked { mode: Some(1), ..Asked::default() });
    alice.gets(Mail::Answer(Answer::Refused(Refusal::NotThere)));
    alice.gets(Mail::End);
    alice.says(&mut server, &["two"]);
    alice.begins(Asked { mode: Some(0), ..Asked::default() });
    alice.gets(Mail::End);
    alice.says(&mut server, &["three"]);
    assert_eq!(alice.reads(), "( refused ) two ( )");
}

#[test]
fn a_label_stands_on_the_own_lines_of_its_command_and_on_no_others() {
    let mut server = Server::new();
    let mut alice = Reader::enter(&mut server, "alice");
    let mut bob = Reader::enter(&mut server, "bob");
    alice.begins(Asked { mode: Some(1), ..Asked::default() });
    alice.gets(Mail::End);
    alice.begins(labelled("x"));
    alice.says(&mut server, &["one"]);
    bob.says(&mut server, &["two"]);
    alice.says(&mut server, &["three"]);
    alice.gets(Mail::End);
    alice.says(&mut server, &["four"]);
    assert_eq!(alice.reads(), "( ) (SAY,x x=1:one two x=3:three ) four");
    // A person who chooses to read no own lines reads none in any way.
    alice.gets(Mail::Answer(Answer::Echo(false)));
    alice.begins(labelled("y"));
    alice.says(&mut server, &["five"]);
    alice.gets(Mail::End);
    bob.says(&mut server, &["six"]);
    assert_eq!(alice.reads(), "echo (SAY,y ) six");
}

#[test]
fn a_label_stands_on_the_deeds_of_its_command_too() {
    let mut server = Server::new();
    let mut alice = Reader::enter(&mut server, "alice");
    server.own(&mut alice.link, "alice", 0);
    let (tea, entered) = granted(server.ask(&mut alice.link, join("tea"))); // and keeps it
    alice.link.reply(alice.lobby.mark(), Mail::Entered(entered));
    let mut bob = server.connect();
    let (bobs, _) = granted(server.ask(&mut bob, enter("bob", "tea")));
    let room = tea.room();
    let topic = || Change::SetTopic { room, text: Some(line("tea")) };
    alice.link.reply(tea.mark(), Mail::Begin(Box::new(labelled("x"))));
    server.ask(&mut alice.link, topic());
    let deed = Deed::to_all(Verb::LockTopic, None);
    server.ask(&mut alice.link, Change::Act { here: Here::Room(tea.room_name().clone()), deed });
    let deed = Deed::to(Verb::Kick, Whom::parse("bob").unwrap());
    server.ask(&mut alice.link, Change::Act { here: Here::Room(tea.room_name().clone()), deed });
    drop(bobs);
    server.run();
    alice.link.reply(tea.mark(), Mail::End);
    server.ask(&mut alice.link, Change::SetTopic { room, text: None });
    assert_eq!(alice.reads(), "(SAY,x x=topic x=act x=removed ) =topic");
}

#[test]
fn people_who_share_a_bit_do_not_take_lines_for_their_own() {
    let mut server = Server::new();
    let mut crowd: Vec<_> =
        (0..65).map(|n| Reader::enter(&mut server, &format!("guest{n}"))).collect();
    let ids = [0, 64].map(|n: usize| crowd[n].link.client().id().number());
    assert_eq!(ids[0] % 64, ids[1] % 64);
    let mut last = crowd.pop().unwrap();
    last.says(&mut server, &["hi"]);
    assert_eq!(crowd[0].reads(), "hi");
    assert_eq!(last.reads(), "");
}

#[test]
fn a_post_is_quoted_by_its_room() {
    let mut server = Server::new();
    let mut alice = Reader::enter(&mut server, "alice");
    alice.begins(Asked::post(&RoomName::lobby()));
    assert_eq!(alice.reads(), "(lobby");
}

#[test]
fn a_departure_has_its_last_words_or_the_act_that_removed_the_person() {
    let mut server = Server::new();
    let mut dave = server.connect();
    let (_lobby, _) = granted(server.ask(&mut dave, enter("dave", "lobby")));
    server.own(&mut dave, "dave", 0);
    let (daves, _) = granted(server.ask(&mut dave, join("tea")));
    let mut alice = Reader::enter(&mut server, "alice");
    let mut tea = |server: &mut Server| {
        let (seat, entered) = granted(server.ask(&mut alice.link, join("tea")));
        alice.link.reply(seat.mark(), Mail::Entered(entered));
        seat
    };
    let seat = tea(&mut server);
    seat.leave(Some(line("bye")));
    server.run();
    let seat = tea(&mut server);
    drop(seat);
    server.run();
    let seat = tea(&mut server);
    let deed =
        Deed { text: Some(line("spam")), ..Deed::to(Verb::Kick, Whom::parse("alice").unwrap()) };
    server.ask(&mut dave, Change::Act { here: Here::Room(daves.room_name().clone()), deed });
    assert!(seat.removed().is_some());
    drop(seat);
    server.run();
    assert_eq!(alice.reads(), "-tea:Some(\"bye\"):None -tea:None:None -tea:None:Some(\"spam\")");
}
