//! Several nodes share one house through a server of NATS.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::admin::{done, order};
use crate::data::{Data, STORED, enter, untimed};
use crate::guest::Guest;
use crate::nats::Nats;
use crate::owners::register_as;
use crate::server::{HERE, Server, parlor};
use crate::visitor::{Visitor, numbers};
use crate::web::curl;

/// Two nodes with their files.
struct Two {
    nats: Nats,
    data: [Data; 2],
    red: Server,
    blue: Server,
}

impl Two {
    fn open() -> Option<Two> {
        let nats = Nats::start()?;
        let data = [Data::new(), Data::new()];
        let (red, blue) = (nats.node("red", &data[0]), nats.node("blue", &data[1]));
        Some(Two { nats, data, red, blue })
    }

    /// Ends both nodes; their files have the same lines.
    fn close<G>(self, guests: G) {
        drop(guests);
        let [red, blue] = [self.red, self.blue].map(Server::end);
        for log in [red, blue] {
            let is_bad = |line: &&String| line.contains(" ERROR ") || line.contains("panicked");
            assert_eq!(log.iter().find(is_bad), None, "{log:#?}");
        }
        assert_eq!(self.data[0].lobby(), self.data[1].lobby());
        self.data.iter().for_each(Data::assert_undamaged);
        drop(self.nats);
    }
}

#[test]
fn people_on_two_nodes_share_names_lines_and_rooms() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = Guest::connect(two.blue.address);
    bob.say("Alice");
    bob.until("-- Alice is taken, or looks like a name that is taken; choose another name");
    bob.say("bob");
    bob.until("In lobby: alice");
    alice.until("bob has arrived");
    for number in 0..20 {
        let (speaker, name, reader) = match number % 2 {
            0 => (&mut alice, "alice", &mut bob),
            _ => (&mut bob, "bob", &mut alice),
        };
        speaker.say(&number.to_string());
        let line = format!("{name}: {number}");
        speaker.until(&line);
        assert_eq!(reader.until(&line).last().unwrap(), &line);
    }
    alice.say("/who");
    alice.until("-- 2 people are in lobby:");
    alice.say("/topic tea at five");
    bob.until("alice changed the topic to: tea at five");
    bob.say("/name robert");
    alice.lines_until("the new name", |line| line.contains("robert"));
    alice.say("/msg robert psst");
    alice.until("[alice -> robert] psst");
    bob.until("[alice -> robert] psst");
    bob.say("/msg ALICE yes?");
    alice.until("[robert -> alice] yes?");
    alice.say("/join tea");
    alice.lines_until("the room", |line| line.starts_with("In tea: "));
    alice.say("/invite robert");
    alice.lines_until("the answer", |line| line.contains("robert"));
    bob.lines_until("the invitation", |line| line.contains("alice") && line.contains("tea"));
    bob.say("/search 19");
    bob.lines_until("the line", |line| line.ends_with("bob: 19"));
    two.close([alice, bob]);
}

#[test]
fn authority_holds_on_all_nodes() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    register_as(&mut alice, "alice", "correct horse");
    assert_eq!(done(&two.data[1], &["keeper", "add", "alice"]), ["alice is a keeper"]);
    alice.say("/mute bob 1h");
    bob.lines_until("the mute", |line| line.starts_with("-- You are muted "));
    bob.say("can anybody hear me");
    bob.lines_until("the refusal", |line| line.starts_with("-- You are muted "));
    alice.say("/unmute bob");
    bob.until("-- alice unmuted you");
    bob.say("thank you");
    alice.until("bob: thank you");
    assert_eq!(done(&two.data[0], &["ban", "bob", "1h"]).len(), 1);
    bob.lines_until("the ban", |line| line.starts_with("-- You are banned until "));
    assert!(bob.rest().is_empty());
    let mut again = Guest::connect(two.blue.address);
    again.say("bob");
    again.lines_until("the refusal", |line| line.starts_with("-- You are banned until "));
    for data in &two.data {
        let bans = done(data, &["bans"]);
        assert!(bans[0].starts_with("bob is banned until "), "{bans:?}");
    }
    drop(again);
    two.close([alice]);
}

#[test]
fn a_code_leads_back_on_another_node() {
    let Some(two) = Two::open() else { return };
    let mut bob = enter(&two.red, "bob");
    let mut alice = enter(&two.red, "alice");
    bob.until("alice has arrived");
    let code = alice.code();
    bob.say("missed");
    bob.until("bob: missed");
    let mut back = Guest::connect(two.blue.address);
    back.say(&format!("/resume {code}"));
    let shown = back.until("You are alice");
    assert!(shown.iter().any(|line| line.ends_with("bob: missed")), "{shown:#?}");
    alice.until("-- You came back on another connection; this one is closed");
    assert!(alice.rest().is_empty());
    back.say("here");
    assert_eq!(bob.until("alice: here"), ["alice: here"], "nobody has left or arrived");
    two.close([bob, back]);
}

/// The bytes of a line, and the number of lines that a connection reads: far more than can be
/// unread in buffers when it is lost, which are shown again.
const LONG: usize = 1_000;
const READ_LINES: usize = 600;

#[test]
fn lines_that_a_connection_has_read_are_not_shown_again_on_another_node() {
    let Some(two) = Two::open() else { return };
    let mut bob = enter(&two.blue, "bob");
    let mut alice = enter(&two.red, "alice");
    bob.until("alice has arrived");
    let code = alice.code();
    let text: Vec<_> = (0..READ_LINES).map(|number| format!("{number:0>LONG$}")).collect();
    bob.say(&text.join("\n"));
    let last = format!("bob: {:0>LONG$}", READ_LINES - 1);
    alice.until(&last);
    let mut back = Guest::connect(two.blue.address);
    back.say(&format!("/resume {code}"));
    let shown = back.until("You are alice");
    let again = shown.iter().filter(|line| line.contains(" bob: 0")).count();
    assert!((1..READ_LINES / 2).contains(&again), "{again} lines are shown again");
    two.close([bob, alice, back]);
}

#[test]
fn forgotten_lines_are_gone_on_all_nodes() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    register_as(&mut alice, "alice", "correct horse");
    alice.say("zarzuela");
    bob.until("alice: zarzuela");
    bob.say("/last 5");
    bob.lines_until("the line", |line| line.ends_with("alice: zarzuela"));
    alice.say("/forget all");
    alice.until("-- 1 line that you said is deleted, for everybody");
    two.data[1].until_gone("zarzuela", &mut bob);
    two.data[0].until_gone("zarzuela", &mut alice);
    two.close([alice, bob]);
}

#[test]
fn people_of_a_killed_node_leave_together_and_its_files_catch_up() {
    let Some(mut two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let bob = enter(&two.blue, "bob");
    let carol = enter(&two.blue, "carol");
    alice.until("carol has arrived");
    two.blue.kill();
    assert_eq!(alice.until("bob and carol have left").len(), 1);
    drop((bob, carol));
    alice.say("while blue was down");
    alice.until("alice: while blue was down");
    two.blue = two.nats.node("blue", &two.data[1]);
    let mut bob = enter(&two.blue, "bob");
    bob.say("/last 1");
    let last = bob.lines_until("the line", |line| line.contains("while blue was down"));
    assert_eq!(untimed(last.last().unwrap()), "alice: while blue was down");
    bob.say("back");
    alice.until("bob: back");
    two.close([alice, bob]);
}

#[test]
fn lines_wait_for_a_server_of_nats_that_was_killed() {
    let Some(mut two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    alice.until("bob has arrived");
    two.nats.kill();
    bob.say("/who");
    bob.until("--   alice, active"); // the ledger is here
    alice.say("are you there");
    alice.until("-- No contact with the other nodes; your messages are waiting");
    two.nats.start_again();
    assert_eq!(alice.until("alice: are you there"), ["alice: are you there"]);
    bob.until("alice: are you there");
    bob.say("yes");
    alice.until("bob: yes");
    two.close([alice, bob]);
}

#[test]
fn a_socket_continues_with_the_next_line_on_another_node() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let options = ["--listen", "http://127.0.0.1:0"];
    let red = nats.node_with("red", &data[0], &options);
    let blue = nats.node_with("blue", &data[1], &options);
    let mut alice = Visitor::connect(red.web()).enter("alice");
    let log = alice.hello["log"].clone();
    alice.asks(json!({"do": "say", "text": "one\ntwo\nthree", "id": "s"}).to_string());
    assert_eq!(numbers(&alice.until_done("s")), [1, 2, 3]);
    alice.asks(r#"{"do":"code"}"#);
    let code = alice.hears("code")["code"].clone();
    let mut again = Visitor::connect(blue.web());
    assert_eq!(again.hello["log"], log, "the house has one log");
    let back = json!({"do": "enter", "code": code, "log": log, "after": 2, "id": "in"});
    again.asks(back.to_string());
    let heard = again.until_done("in");
    assert_eq!((&heard[0]["name"], &heard[0]["resumed"]), (&"alice".into(), &"exact".into()));
    assert_eq!(numbers(&heard), [3]);
    let (_, closed) = alice.is_closed();
    assert_eq!(closed, 4001);
    blue.close([again]);
    red.close([alice]);
}

#[test]
fn a_node_that_stood_still_brings_its_people_back() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    let mut carol = enter(&two.blue, "carol");
    alice.until("carol has arrived");
    two.blue.signal(Signal::STOP);
    alice.until("bob and carol have left");
    let mut other = enter(&two.red, "bob");
    alice.say("missed");
    alice.until("alice: missed");
    two.blue.signal(Signal::CONT);
    carol.until("alice: missed");
    bob.lines_until("the news", |line| {
        line.starts_with("-- Somebody else is called bob now; you are 127.0.0.1:")
    });
    carol.say("here we are");
    alice.until("carol: here we are");
    other.until("carol: here we are");
    two.close([alice, bob, carol, other]);
}

#[test]
fn the_operator_sees_the_nodes() {
    let alone = Data::new();
    let server = alone.open(&[]);
    let refused = order(&alone, &["nodes"]).unwrap_err();
    assert!(refused.starts_with("this server has no other nodes"), "{refused}");
    server.close(());

    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let red = nats.node_with("red", &data[0], &["--listen", "metrics://127.0.0.1:0"]);
    let blue = nats.node("blue", &data[1]);
    let mut alice = enter(&red, "alice");
    let bob = enter(&blue, "bob");
    alice.until("bob has arrived");
    let nodes = done(&data[0], &["nodes"]);
    let [of_blue, of_red, format] = &nodes[..] else { panic!("{nodes:?}") };
    assert!(of_blue.starts_with("blue: 1 person, heard "), "{of_blue}");
    let version = env!("CARGO_PKG_VERSION");
    let red_itself = format!("red: 1 person, this node, in touch, version {version}, format 2");
    assert_eq!((of_red, format.as_str()), (&red_itself, "format 1 is in use; soon it is format 2"));
    let (metrics, status) = curl(red.listening("metrics"), &[], "/metrics");
    assert_eq!(status, "200");
    assert!(metrics.contains("\nparlor_nodes_live 2\n"), "{metrics}");
    assert!(metrics.contains("\nparlor_node_behind 0\n"), "{metrics}");
    blue.close([bob]);
    alice.until("bob has left");
    assert_eq!(done(&data[0], &["nodes"])[0], "blue: not there");
    red.close([alice]);
}

#[test]
fn the_operator_sees_everybody_with_the_addresses_that_other_nodes_know() {
    let Some(two) = Two::open() else { return };
    let third = Data::new();
    let green = two.nats.node("green", &third);
    let mut alice = enter(&two.red, "alice");
    let bob = enter(&two.blue, "bob");
    let carol = enter(&green, "carol");
    alice.until("carol has arrived");
    let line = |guest: &Guest, name: &str, node: &str| {
        let address = guest.stream().local_addr().unwrap();
        format!("{name}, {address}, on {node}, in lobby, active")
    };
    let all =
        [line(&bob, "bob", "blue"), line(&carol, "carol", "green"), line(&alice, "alice", "red")];
    for data in two.data.iter().chain([&third]) {
        assert_eq!(done(data, &["list"]), all);
    }
    green.signal(Signal::STOP);
    let silent = "No answer from green: the addresses of its people are missing";
    let list = done(&two.data[0], &["list"]);
    assert_eq!(list, [&all[0], "carol, on green, in lobby, active", &all[2], silent]);
    green.signal(Signal::CONT);
    green.close([carol]);
    two.close([alice, bob]);
}

#[test]
fn the_example_starts_three_nodes_and_ends_everything() {
    let Some(nats) = Nats::start() else { return };
    // A shell cannot trap a signal that was ignored when it began, as in a job in the background.
    let mut example = Command::new("env")
        .arg("--default-signal=INT")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/three-nodes"))
        .env("NATS_SERVER", nats.program())
        .env("PARLOR", env!("CARGO_BIN_EXE_parlor"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(example.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port = |line: String| {
        let port = line.trim().strip_prefix("nc localhost ")?.split(' ').next()?.parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    let doors: Vec<_> = lines.by_ref().filter_map(port).take(3).collect();
    let mut guests: Vec<_> = doors
        .iter()
        .zip(["alice", "bob", "carol"])
        .map(|(door, name)| {
            let mut guest = Guest::connect(*door);
            guest.say(name);
            guest.until(STORED);
            guest
        })
        .collect();
    guests[0].say("hello");
    for guest in &mut guests {
        guest.until("alice: hello");
    }
    kill_process(Pid::from_child(&example), Signal::INT).unwrap();
    assert!(example.wait().unwrap().success());
    for guest in &mut guests {
        assert_eq!(guest.rest().last().map(String::as_str), Some("-- The server is going down"));
    }
}

/// The number of lines that the stream loses.
const LOST_LINES: usize = 500;

#[test]
fn a_stream_that_went_back_gets_its_lines_again_from_the_nodes() {
    let Some(mut nats) = Nats::start() else { return };
    let data = [(); 3].map(|()| Data::new());
    let names = ["red", "blue", "green"];
    let nodes: Vec<_> = names.iter().zip(&data).map(|(name, data)| nats.node(name, data)).collect();
    let mut guests: Vec<_> = ["alice", "bob", "carol"]
        .iter()
        .zip(&nodes)
        .map(|(name, node)| enter(node, name))
        .collect();
    guests[0].until("carol has arrived");
    nats.kill();
    nats.copy();
    nats.start_again();
    let text: Vec<_> = (0..LOST_LINES).map(|number| number.to_string()).collect();
    guests[0].say(&text.join("\n"));
    let last = format!("alice: {}", LOST_LINES - 1);
    guests.iter_mut().for_each(|guest| drop(guest.until(&last)));
    nats.kill();
    nats.restore();
    nats.start_again();
    guests[1].say("after");
    for guest in &mut guests {
        guest.until("bob: after");
    }
    let is_about_it = |line: &String| line.contains("the stream has all messages again");
    assert!(nodes.iter().any(|node| node.log().iter().any(is_about_it)));
    let late = Data::new();
    let white = nats.node("white", &late);
    guests.push(enter(&white, "dora"));
    drop(guests);
    nodes.into_iter().chain([white]).for_each(|node| drop(node.end()));
    assert_eq!(data[0].numbers(), (1..=LOST_LINES as i64 + 1).collect::<Vec<_>>());
    let lobby = data[0].lobby();
    for data in data[1..].iter().chain([&late]) {
        assert_eq!(data.lobby(), lobby);
        data.assert_undamaged();
    }
}

/// A node whose stream has got other messages in the place of those that the node has shown, while
/// it ran or stood still.
fn of_another_stream(stands_still: bool) -> Option<(Server, Nats, Data)> {
    let mut nats = Nats::start()?;
    let data = Data::new();
    let mut red = nats.node("red", &data);
    let mut alice = enter(&red, "alice");
    nats.kill();
    nats.copy();
    nats.start_again();
    for number in 0..10 {
        alice.say(&number.to_string());
        alice.until(&format!("alice: {number}"));
    }
    if stands_still {
        red.signal(Signal::STOP)
    } else {
        red.kill()
    }
    nats.kill();
    nats.restore();
    nats.start_again();
    let other = Data::new();
    let blue = nats.node("blue", &other);
    let mut bob = enter(&blue, "bob");
    for number in 0..100 {
        bob.say(&number.to_string());
        bob.until(&format!("bob: {number}"));
    }
    blue.close([bob]);
    if stands_still {
        red.signal(Signal::CONT)
    } else {
        drop(alice)
    }
    Some((red, nats, data))
}

#[test]
fn a_node_stops_if_its_stream_is_another_one_now() {
    let Some((mut red, nats, data)) = of_another_stream(true) else { return };
    assert_eq!(red.ended().code(), Some(1));
    red.logged(" of the stream in NATS is another one than what this node has followed");
    drop(nats);
    data.assert_undamaged();
}

#[test]
fn a_node_does_not_start_on_another_stream() {
    let Some((_, nats, data)) = of_another_stream(false) else { return };
    let said = nats.node_that_ends("red", &data);
    let why = " of the stream in NATS is another one than what this node has followed";
    assert!(said.contains(why), "{said}");
    data.assert_undamaged();
}

#[test]
fn a_node_in_whose_place_another_server_has_begun_is_not_started_again() {
    let Some(nats) = Nats::start() else { return };
    let (first, second) = (Data::new(), Data::new());
    let mut red = nats.node("red", &first);
    let another = nats.node("red", &second);
    assert_eq!(red.ended().code(), Some(3), "packaging/parlor.service knows this code");
    red.logged("another server has begun under the name of this node");
    let alice = enter(&another, "alice");
    another.close([alice]);
    let service = include_str!("../../packaging/parlor.service");
    assert!(service.contains("RestartPreventExitStatus=2 3\n"));
}

/// The sentence of a server that cannot start with these options.
fn refused(options: &[&str]) -> String {
    let output = parlor().arg("serve").args(HERE).args(options).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_password_in_a_url_is_refused_and_never_printed() {
    const SENTENCE: &str = "--nats-creds FILE";
    for url in ["nats://parlor:geheim@127.0.0.1:1", "nats://geheim@127.0.0.1:1 "] {
        let said = refused(&["--nats", url]);
        assert!(said.contains(SENTENCE) && !said.contains("geheim"), "{said}");
    }
    let Some(nats) = Nats::start_with(&["--user", "parlor", "--pass", "geheim"]) else { return };
    let said = refused(&["--nats", &nats.url()]);
    assert!(said.ends_with("parlor: NATS refuses this server; check --nats-creds\n"), "{said}");
}
