//! `/search` finds lines in any script, whatever has happened to the index.

use std::fs;
use std::time::Instant;

use rusqlite::Connection;

use crate::DEADLINE;
use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::server::Server;

/// A server that replays no lines to newcomers.
fn open(data: &Data) -> Server {
    data.open(&["--replay", "0"])
}

/// Says lines, and reads their echoes.
fn says(guest: &mut Guest, name: &str, lines: &[&str]) {
    for line in lines {
        guest.say(line);
        assert_eq!(guest.line(), format!("{name}: {line}"));
    }
}

/// All lines that answer a search.
fn answers_once(guest: &mut Guest, words: &str) -> Vec<String> {
    guest.say(&format!("/search {words}"));
    guest.say("/topic");
    let mut lines = guest.lines_until("the topic", |line| line.contains(" has no topic"));
    lines.pop();
    lines
}

/// All lines that answer a search when the index is complete.
pub(crate) fn answers(guest: &mut Guest, words: &str) -> Vec<String> {
    // The index may lag on a busy machine, as long as it gets closer.
    let (mut until, mut behind) = (Instant::now() + DEADLINE, String::new());
    while Instant::now() < until {
        let mut lines = answers_once(guest, words);
        let is_behind = |line: &String| line.starts_with("-- Search is ");
        let Some(place) = lines.iter().position(is_behind) else {
            return lines;
        };
        let now = lines.swap_remove(place);
        if now != behind {
            (until, behind) = (Instant::now() + DEADLINE, now);
        }
    }
    panic!("the index does not follow: {behind}");
}

/// Searches, and expects exactly these lines, with any times.
fn finds(guest: &mut Guest, words: &str, found: &[&str]) {
    let lines = answers(guest, words);
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            let place = line.strip_prefix("-- [").and_then(|l| l.split_once("] "));
            place.map_or(line.as_str(), |(_, line)| line)
        })
        .collect();
    assert_eq!(lines, found, "{words}");
}

#[test]
fn lines_of_all_rooms_are_found_newest_first() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["Where is the tea?", "今天天气很好", "東京タワーに行きました"]);
    alice.say("/join kitchen");
    assert_eq!(alice.line(), "In kitchen: nobody else");
    assert_eq!(alice.line(), "-- You keep this room while you are here");
    says(&mut alice, "alice", &["the TEA is here", "Un café, s'il vous plaît"]);
    alice.say("/me makes tea");
    assert_eq!(alice.line(), "* alice makes tea");
    let first = "lobby alice: Where is the tea?";
    let all = ["kitchen * alice makes tea", "kitchen alice: the TEA is here", first];
    let asks = |guest: &mut Guest| {
        finds(guest, "tea", &all);
        finds(guest, "Tea the", &all[1..]);
        finds(guest, "\"the tea\"", &all[1..]);
        finds(guest, "\"is the tea", &[first]);
        finds(guest, "CAFE", &["kitchen alice: Un café, s'il vous plaît"]);
        finds(guest, "天气", &["lobby alice: 今天天气很好"]);
        finds(guest, "好", &["lobby alice: 今天天气很好"]);
        finds(guest, "東京 行き", &["lobby alice: 東京タワーに行きました"]);
        assert_eq!(answers(guest, "te"), ["-- Nothing found for te"]);
    };
    asks(&mut alice);
    server.close([alice]);

    let server = open(&data);
    let mut bob = enter(&server, "bob");
    asks(&mut bob);
    server.close([bob]);
}

#[test]
fn no_search_words_cause_an_error() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    for words in ["\"", "\"\"", "*", "-", "(", ":", "\u{0}", "\"*\" ^ {}"] {
        assert_eq!(answers(&mut alice, words), ["-- Type a word to search for: letters or digits"]);
    }
    for words in ["AND", "a NOT", "NEAR(a b", "text:a", "\"a", "a*", "{a b}:c", "a\u{0}b"] {
        let shown = words.replace('\0', "␀");
        assert_eq!(answers(&mut alice, words), [format!("-- Nothing found for {shown}")]);
    }
    alice.say("/search");
    assert_eq!(alice.line(), "-- Type /search WORDS: it finds lines in all rooms");
    server.close([alice]);
}

#[test]
fn results_beyond_twenty_lines_are_counted() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    let long = "x".repeat(4_000);
    for number in 1..=25 {
        says(&mut alice, "alice", &[&format!("tea {number} {long}")]);
    }
    let lines = answers(&mut alice, "tea");
    assert_eq!(lines.len(), 21);
    for (line, number) in lines.iter().zip((6..=25).rev()) {
        let found = format!("] lobby alice: tea {number} x");
        assert!(line.contains(&found), "{line:.60}");
    }
    assert_eq!(lines[20], "-- and 5 more; type more words to narrow the search");
    server.close([alice]);
}

#[test]
fn a_missing_damaged_or_foreign_index_is_rebuilt() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["tea is ready"]);
    finds(&mut alice, "tea", &["lobby alice: tea is ready"]);
    // Delete it while the server runs.
    fs::remove_file(data.index()).unwrap();
    finds(&mut alice, "tea", &["lobby alice: tea is ready"]);
    server.close([alice]);

    let others = Data::new();
    let server = open(&others);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["coffee", "is", "ready"]);
    finds(&mut alice, "coffee", &["lobby alice: coffee"]);
    server.close([alice]);
    let damage: [&dyn Fn(); 3] = [
        &|| fs::remove_file(data.index()).unwrap(),
        &|| fs::write(data.index(), "no database at all".repeat(1_000)).unwrap(),
        &|| {
            fs::copy(others.index(), data.index()).unwrap();
        },
    ];
    for damage in damage {
        damage();
        let server = open(&data);
        let mut alice = enter(&server, "alice");
        finds(&mut alice, "tea", &["lobby alice: tea is ready"]);
        assert_eq!(answers(&mut alice, "coffee"), ["-- Nothing found for coffee"]);
        server.close([alice]);
    }
}

#[test]
fn a_restored_backup_does_not_find_lines_of_the_replaced_file() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["one"]);
    server.close([alice]);
    let backup = fs::read(data.file()).unwrap();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["two", "three"]);
    finds(&mut alice, "three", &["lobby alice: three"]);
    server.close([alice]);
    fs::write(data.file(), backup).unwrap();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["four", "five"]);
    finds(&mut alice, "five", &["lobby alice: five"]);
    assert_eq!(answers(&mut alice, "three"), ["-- Nothing found for three"]);
    server.close([alice]);
}

#[test]
fn a_search_says_when_the_index_lags() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    says(&mut alice, "alice", &["one tea"]);
    finds(&mut alice, "tea", &["lobby alice: one tea"]);
    let index = Connection::open(data.index()).unwrap();
    index.execute_batch("BEGIN IMMEDIATE").unwrap(); // this keeps the server from writing
    says(&mut alice, "alice", &["two teas", "three teas"]);
    let lags = "-- Search is 2 lines behind: the newest lines may be missing";
    assert_eq!(answers_once(&mut alice, "teas"), [lags, "-- Nothing found for teas"]);
    index.execute_batch("ROLLBACK").unwrap();
    finds(&mut alice, "teas", &["lobby alice: three teas", "lobby alice: two teas"]);
    server.close([alice]);
}

#[test]
fn a_search_with_too_many_words_is_refused() {
    let data = Data::new();
    let server = open(&data);
    let mut alice = enter(&server, "alice");
    let words = |count: usize| "tea ham ".repeat(count / 2);
    says(&mut alice, "alice", &[words(40).trim_end()]);
    assert_eq!(answers(&mut alice, &format!("\"{}\"", words(32))).len(), 1);
    let refused = ["-- Too many words to search for: 32 at most; type fewer"];
    assert_eq!(answers(&mut alice, &format!("\"{}\"", words(34))), refused);
    assert_eq!(answers(&mut alice, &"天气很好".repeat(10)), refused);
    server.close([alice]);
}
