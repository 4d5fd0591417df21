//! A server becomes the first of several nodes, and a node becomes a server of its own again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::admin::done;
use crate::chatter::Chatter;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::nats::Nats;
use crate::owners::{PASSWORD, come_back, register, register_as};
use crate::server::{HERE, Server};
use crate::{DEADLINE, search};

/// The door of IRC.
const IRC: [&str; 2] = ["--listen", "irc://127.0.0.1:0?server=irc.example"];

/// The capabilities that the clients of IRC in these tests ask for.
const CAPABILITIES: &str = "draft/chathistory message-tags echo-message";

/// The ids and texts of the last lines of the lobby, as a server knows them.
fn stored_lines(server: &Server) -> Vec<(String, String)> {
    // Each server has its own reader, whom the other one may still have.
    let irc = server.listening("irc");
    let mut reader = chatter(irc, &format!("reader{}", irc.port()));
    reader.say("CHATHISTORY LATEST #lobby * 50");
    let shown = reader.until(":irc.example BATCH -{}");
    let said = shown.iter().filter(|message| message.command() == "PRIVMSG");
    let id_and_text = said.map(|message| {
        (message.tag("msgid").unwrap().to_owned(), message.parameters()[1].to_owned())
    });
    id_and_text.collect()
}

fn chatter(irc: SocketAddr, name: &str) -> Chatter {
    let mut chatter = Chatter::connect(irc).enter_with(name, CAPABILITIES);
    chatter.joins("#lobby");
    chatter
}

/// Alice says a line in the lobby. Returns its id and its text.
fn say(server: &Server, text: &str) -> (String, String) {
    let mut alice = chatter(server.listening("irc"), "alice");
    alice.say(&format!("PRIVMSG #lobby :{text}"));
    let echo = alice.until(&format!(":alice!{{}} PRIVMSG #lobby :{text}"));
    (echo.last().unwrap().tag("msgid").unwrap().to_owned(), text.to_owned())
}

#[test]
fn lines_have_the_same_ids_on_each_node_after_a_restart_and_on_one_server() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let mut lines = Vec::new();
    for text in ["one", "two"] {
        let red = nats.node_with("red", &data[0], &IRC);
        lines.push(say(&red, text));
        assert_eq!(stored_lines(&red), lines);
        red.close(());
    }
    let red = nats.node_with("red", &data[0], &IRC);
    let blue = nats.node_with("blue", &data[1], &IRC);
    lines.push(say(&blue, "three"));
    assert_eq!((stored_lines(&red), stored_lines(&blue)), (lines.clone(), lines.clone()));
    blue.close(());
    red.close(());
    for text in ["four", "five"] {
        let alone = data[0].open(&IRC);
        assert_eq!(stored_lines(&alone), lines);
        lines.push(say(&alone, text));
        alone.close(());
    }
    let (other, options) = (Data::new(), [&IRC[..], &["--house", "other"]].concat());
    let red = nats.node_with("red", &data[0], &options);
    let blue = nats.node_with("blue", &other, &options);
    lines.push(say(&red, "six"));
    assert_eq!((stored_lines(&red), stored_lines(&blue)), (lines.clone(), lines));
    blue.close(());
    red.close(());
    assert_eq!(contents(&data[0].file()), contents(&other.file()));
}

/// The contents of a file that all nodes have: the rows of each table, without numbers that differ from file
/// to file, the times of deleted lines, and the networks of people.
fn contents(file: &Path) -> Vec<String> {
    const TABLES: [&str; 12] = [
        "SELECT rooms.name, key & 8589934591, iif(manner = 2, 0, at), manner, lines.name, text FROM lines
         JOIN rooms ON key >> 33 = id ORDER BY rooms.name, key",
        "SELECT name, fold, password, since, token FROM accounts ORDER BY id",
        "SELECT hash, name, owner, room, account FROM codes ORDER BY hash",
        "SELECT room, name FROM keepers JOIN accounts ON account = id ORDER BY room, name",
        "SELECT room, name FROM makers JOIN accounts ON account = id ORDER BY room",
        "SELECT room, whom, at, until, keeper, account, reason FROM bans ORDER BY id",
        "SELECT room, name, at, until, keeper, account FROM mutes ORDER BY id",
        "SELECT id, at, keeper, account, room, deed, whom, reason FROM audit ORDER BY id",
        "SELECT room, text, locked FROM topics ORDER BY room",
        "SELECT * FROM room_rules ORDER BY room",
        "SELECT name, conversation, at FROM markers JOIN accounts ON account = id ORDER BY 1, 2",
        "SELECT letters.id, name, at, sender, text, writer, standing FROM letters
         JOIN accounts ON account = accounts.id ORDER BY letters.id",
    ];
    let file = Connection::open(file).unwrap();
    let mut contents = Vec::new();
    for table in TABLES {
        let mut query = file.prepare(table).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            contents.push(format!("{:?} {values:?}", &table[..24]));
        }
    }
    contents
}

/// Waits until the files of three nodes have the same contents, and these are as wanted.
pub(crate) fn until_equal(data: &[Data; 3], is_wanted: impl Fn(&[String]) -> bool) {
    let until = Instant::now() + DEADLINE;
    loop {
        let files = data.each_ref().map(|data| contents(&data.file()));
        let [red, blue, green] = &files;
        if red == blue && blue == green && is_wanted(red) {
            return;
        }
        assert!(Instant::now() < until, "they differ: {files:#?}");
    }
}

pub(crate) fn says(guest: &mut Guest, line: &str, shown: &str) {
    guest.say(line);
    guest.lines_until(shown, |line| line.starts_with(shown));
}

/// Fills a directory with everything that a server without other nodes stores. Returns the return code
/// of carol.
fn past(data: &Data) -> String {
    let server = data.open(&IRC);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "before I had a password", "alice: before");
    register(&mut alice, PASSWORD);
    says(&mut alice, "mine", "alice: mine");
    let mut dave = enter(&server, "dave");
    register_as(&mut dave, "dave", PASSWORD);
    says(&mut dave, "zarzuela", "dave: zarzuela");
    says(&mut dave, "/forget all", "-- 1 line that you said is deleted");
    let mut bob = enter(&server, "bob");
    says(&mut bob, "/me waves", "* bob waves");
    says(&mut alice, "/join tea", "In tea: nobody else");
    says(&mut alice, "/topic at five", "alice changed the topic to: at five");
    says(&mut alice, "/topic lock", "-- alice locked the topic");
    says(&mut alice, "/room limit 5", "-- alice lets at most 5 people");
    says(&mut alice, "tea is ready", "alice: tea is ready");
    says(&mut alice, "/ban eve 1h too loud", "-- alice banned eve");
    assert_eq!(done(data, &["keeper", "add", "dave"]), ["dave is a keeper"]);
    assert_eq!(done(data, &["ban", "mallory", "1h"]).len(), 1);
    let frank = enter(&server, "frank");
    says(&mut dave, "/mute frank 1h", "-- dave muted frank until");
    assert!(!alice.token().is_empty());
    let mut marking = Chatter::connect(server.listening("irc"));
    marking.say(&format!("PASS :{PASSWORD}"));
    let mut marking = marking.enter_with("alice", "draft/read-marker");
    let time = "timestamp=2019-01-01T00:00:00.000Z";
    marking.say(&format!("MARKREAD #lobby {time}"));
    marking.sees(&format!(":irc.example MARKREAD #lobby {time}"));
    server.close((alice, dave, bob, frank, marking));

    let server = data.open(&[]);
    let mut zoe = enter(&server, "zoe");
    says(&mut zoe, "gallimaufry", "zoe: gallimaufry");
    let mut bob = enter(&server, "bob");
    says(&mut bob, "a second run", "bob: a second run");
    says(&mut bob, "/msg alice marzipan", "-- ");
    let mut carol = enter(&server, "carol");
    let code = carol.code();
    server.close((bob, carol, zoe));
    code
}

#[test]
fn nodes_take_over_everything_that_the_first_one_had_stored() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    let code = past(&data[0]);
    // A server was killed while it deleted the lines of somebody.
    let deletion = "INSERT INTO takings VALUES (1, 'zoe', 0, 'lobby', 9)";
    Connection::open(data[0].file()).unwrap().execute(deletion, []).unwrap();
    let before = contents(&data[0].file());
    assert!(before.len() > 20, "{before:#?}");
    let kept = |mut rows: Vec<String>| {
        let is_gone = r#"Integer(2), Text(""), Text("")"#;
        rows.retain(|row| !row.contains(is_gone) && !row.contains("gallimaufry"));
        rows
    };
    let red = nats.node("red", &data[0]);
    let blue = nats.node("blue", &data[1]);
    let green = nats.node("green", &data[2]);
    for data in &data {
        assert_eq!(kept(contents(&data.file())), kept(before.clone()));
        assert_eq!(data.traces("gallimaufry"), 0);
    }
    for secret in
        ["marzipan", "before I had a", "tea is ready", "$argon2id$", "zarzuela", "gallimaufry"]
    {
        assert_eq!(nats.traces(secret.as_bytes()), 0, "{secret} is sealed or deleted");
    }

    let mut alice = come_back(&blue, PASSWORD);
    alice.lines_until("the message", |line| line.ends_with("marzipan"));
    says(&mut alice, "/join tea", "In tea: nobody else");
    alice.until("-- Topic: at five");
    says(&mut alice, "/forget all", "-- 3 lines that you said are deleted");
    let mut dave = Guest::connect(green.address);
    dave.say("dave");
    dave.lines_until("the question", |line| line.contains("type its password"));
    dave.say("a wrong one");
    dave.until("-- That is not the password of dave");
    dave.say(PASSWORD);
    dave.lines_until("the line", |line| line.ends_with("bob: a second run"));
    says(&mut dave, "/keeper", "-- Keepers of the server: dave");
    let found = search::answers(&mut dave, "waves");
    assert!(found.iter().any(|line| line.ends_with("* bob waves")), "{found:?}");
    assert_eq!(done(&data[1], &["log"]), done(&data[0], &["log"]));
    let mut carol = Guest::connect(green.address);
    carol.say(&format!("/resume {code}"));
    carol.until("You are carol");
    says(&mut carol, "back", "carol: back");
    let mut mallory = Guest::connect(red.address);
    mallory.say("mallory");
    mallory.lines_until("the refusal", |line| line.starts_with("-- You are banned until "));
    let grey = nats.node_in_memory("grey", &[]);
    let mut frank = Guest::enter(grey.address, "frank");
    says(&mut frank, "hello", "-- You are muted until ");
    until_equal(&data, |file| !file.iter().any(|row| row.contains("tea is ready")));
    drop((alice, dave, carol, mallory, frank));
    [grey, green, blue, red].into_iter().for_each(|node| drop(node.close(())));
    data.iter().for_each(Data::assert_undamaged);
}

/// Begins to run a node with this name, which may not open its doors.
fn begin(nats: &Nats, name: &str, data: &Data) -> Child {
    let mut parlor = data.parlor();
    parlor.arg("serve").args(HERE).args(["--nats", &nats.url(), "--node", name]);
    parlor.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How many lines the past has in the tests that follow, and the length of each: many messages.
const LINES: usize = 12_000;
const LONG: usize = 1_000;

/// Fills a directory with as many lines, said by alice, who owns the name.
fn long_past(data: &Data) {
    let alone = data.open(&["--replay", "0"]);
    let mut alice = enter(&alone, "alice");
    register(&mut alice, PASSWORD);
    for number in 0..LINES / 100 {
        let line = format!("{number:0>LONG$}\n");
        alice.send(line.repeat(100).as_bytes());
        let last = format!("alice: {line}");
        (0..100).for_each(|_| drop(alice.until(last.trim_end())));
    }
    alone.close(alice);
}

/// Runs a node until the stream has this many messages, and kills it.
fn publish_and_die(nats: &Nats, data: &Data, stop_at: u64) {
    let mut red = begin(nats, "red", data);
    until_messages(nats, stop_at);
    red.kill().unwrap();
    red.wait().unwrap();
}

/// Waits until the stream has this many messages.
fn until_messages(nats: &Nats, count: u64) {
    let until = Instant::now() + DEADLINE;
    while nats.last_position().unwrap_or(0) < count {
        assert!(Instant::now() < until, "nothing is published");
    }
}

#[test]
fn a_first_node_that_is_killed_goes_on_and_another_one_waits_for_it() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    long_past(&data[0]);
    let before = contents(&data[0].file());

    for stop_at in [4, 12] {
        publish_and_die(&nats, &data[0], stop_at);
    }
    let stopped_at = nats.last_position().unwrap_or(0);
    thread::scope(|scope| {
        let blue = scope.spawn(|| nats.node("blue", &data[1]));
        let until = Instant::now() + DEADLINE;
        let lines = || {
            Connection::open(data[1].file())
                .ok()?
                .query_row("SELECT count(*) FROM lines", [], |row| row.get::<_, i64>(0))
                .ok()
        };
        while lines().is_none_or(|lines| lines == 0) {
            assert!(Instant::now() < until, "it takes over nothing");
        }
        assert!(!blue.is_finished(), "all was there before");
        let red = nats.node("red", &data[0]);
        assert!(nats.last_position().unwrap_or(0) > stopped_at + 10);
        let blue = blue.join().unwrap();
        let (mut alice, mut bob) = (come_back(&blue, PASSWORD), enter(&red, "bob"));
        says(&mut bob, "hello", "bob: hello");
        alice.until("bob: hello");
        blue.close(alice);
        red.close(bob);
    });
    let [red, blue] = data.each_ref().map(|data| contents(&data.file()));
    assert_eq!(red, blue);
    assert_eq!(red.len(), before.len() + 1, "one line is new");
    data.iter().for_each(Data::assert_undamaged);
}

#[test]
fn a_first_node_whose_stream_loses_a_part_of_the_past_begins_another_house() {
    let Some(mut nats) = Nats::start() else { return };
    let data = Data::new();
    long_past(&data);
    let before = contents(&data.file());
    publish_and_die(&nats, &data, 3);
    nats.kill();
    nats.copy();
    nats.start_again();
    let mut red = begin(&nats, "red", &data);
    until_messages(&nats, 20);
    nats.kill();
    nats.start_again();
    until_messages(&nats, 60); // the node has gone on by itself
    red.kill().unwrap();
    red.wait().unwrap();
    nats.kill();
    nats.restore();
    nats.start_again();
    let told = refused(&nats, &data);
    assert!(told.contains("start that node once without --nats, and let it begin"), "{told}");
    data.open(&[]).close(());
    let red = nats.node_with("red", &data, &["--house", "other"]);
    let other = Data::new();
    let blue = nats.node_with("blue", &other, &["--house", "other"]);
    blue.close(());
    red.close(());
    assert_eq!(contents(&data.file()), before);
    assert_eq!(contents(&other.file()), before);
}

/// A node that cannot start. Returns what it says at last.
fn refused(nats: &Nats, data: &Data) -> String {
    let Output { status, stderr, .. } = begin(nats, "red", data).wait_with_output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{told}");
    told.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_house_that_has_begun_takes_over_no_other_past() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new(), Data::new()];
    for data in &data[..2] {
        let alone = data.open(&[]);
        let mut alice = enter(&alone, "alice");
        says(&mut alice, "hello", "alice: hello");
        alone.close(alice);
    }
    let before = contents(&data[1].file());
    let red = nats.node("red", &data[0]);
    let told = refused(&nats, &data[1]);
    assert!(told.contains("that house has begun without them; give --data an empty"), "{told}");
    red.close(());
    // It ran without the others, so it is no node of that house any more.
    data[0].open(&[]).close(());
    let told = refused(&nats, &data[0]);
    assert!(told.contains("begin another house with --house"), "{told}");
    let blue = nats.node("blue", &data[2]);
    let mut bob = enter(&blue, "bob");
    bob.say("/last 1");
    bob.lines_until("the line", |line| line.ends_with("alice: hello"));
    blue.close(bob);
    data[1].open(&[]).close(());
    assert_eq!(contents(&data[1].file()), before);
}
