//! CHATHISTORY: earlier messages, by ids and by times.

use super::{in_lobby, netcat, server, stranger};
use crate::support::{Chatter, Guest, Message, TestServer};

const CAPABILITIES: &str =
    "batch server-time message-tags draft/chathistory draft/multiline labeled-response";

/// A client that reads history.
#[track_caller]
fn reader(server: &TestServer, nick: &str) -> Chatter {
    stranger(server).enter_with(nick, CAPABILITIES)
}

/// The messages in the answer to a CHATHISTORY about the lobby, without the batch around them.
#[track_caller]
fn history(client: &mut Chatter, asked: &str) -> Vec<Message> {
    client.say(&format!("CHATHISTORY {asked}"));
    let begin = client.sees(":irc.example BATCH +{} chathistory #lobby");
    let batch = begin.parameters()[0].trim_start_matches('+').to_owned();
    let mut seen = client.until(&format!(":irc.example BATCH -{batch}"));
    seen.pop();
    seen
}

/// The texts of messages.
fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| *message.parameters().last().unwrap()).collect()
}

/// A netcat person who has said ten lines in the lobby, from `0` to `9`.
#[track_caller]
fn ten_lines(server: &TestServer) -> Guest {
    let mut bob = netcat(server, "bob");
    for n in 0..10 {
        bob.say(&n.to_string());
        bob.sees(&format!("bob: {n}"));
    }
    bob
}

#[test]
fn history_is_read_from_a_message_on_and_up_to_one() {
    let server = server();
    let _bob = ten_lines(&server);
    let mut alice = reader(&server, "alice");
    alice.joins("#lobby");
    alice.sees_nothing(); // a client that can ask is shown nothing unasked
    let all = history(&mut alice, "LATEST #lobby * 50");
    assert_eq!(texts(&all), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let id = |n: usize| format!("msgid={}", all[n].tag("msgid").unwrap());
    for (asked, wanted) in [
        ("LATEST #lobby * 2".to_owned(), &["8", "9"][..]),
        (format!("LATEST #lobby {} 50", id(7)), &["8", "9"]),
        (format!("LATEST #lobby {} 1", id(7)), &["9"]),
        (format!("LATEST #lobby {} 50", id(9)), &[]),
        (format!("BEFORE #lobby {} 2", id(5)), &["3", "4"]),
        (format!("BEFORE #lobby {} 50", id(1)), &["0"]),
        (format!("BEFORE #lobby {} 50", id(0)), &[]),
        (format!("AFTER #lobby {} 2", id(5)), &["6", "7"]),
        (format!("AFTER #lobby {} 50", id(8)), &["9"]),
        (format!("AROUND #lobby {} 1", id(5)), &["5"]),
        (format!("AROUND #lobby {} 3", id(5)), &["4", "5", "6"]),
        (format!("AROUND #lobby {} 4", id(5)), &["3", "4", "5", "6"]),
        (format!("BETWEEN #lobby {} {} 50", id(2), id(6)), &["3", "4", "5"]),
        (format!("BETWEEN #lobby {} {} 2", id(2), id(6)), &["3", "4"]),
        (format!("BETWEEN #lobby {} {} 2", id(6), id(2)), &["4", "5"]),
        (format!("BETWEEN #lobby {} {} 2", id(2), id(3)), &[]),
    ] {
        assert_eq!(texts(&history(&mut alice, &asked)), wanted, "{asked}");
    }
}

#[test]
fn history_is_read_from_a_time_on_and_up_to_one() {
    let server = server();
    let _bob = ten_lines(&server);
    let mut alice = reader(&server, "alice");
    alice.joins("#lobby");
    let all = history(&mut alice, "LATEST #lobby * 50");
    let times: Vec<_> = all.iter().map(|message| message.tag("time").unwrap()).collect();
    let (from, to) = (times[3], times[7]);
    let of = |is_meant: &dyn Fn(&str) -> bool| -> Vec<&str> {
        let meant = all.iter().filter(|message| is_meant(message.tag("time").unwrap()));
        meant.map(|message| *message.parameters().last().unwrap()).collect()
    };
    for (asked, wanted) in [
        (format!("BEFORE #lobby timestamp={to} 50"), of(&|time| time < to)),
        (format!("AFTER #lobby timestamp={from} 50"), of(&|time| time > from)),
        (format!("LATEST #lobby timestamp={from} 50"), of(&|time| time > from)),
        (
            format!("BETWEEN #lobby timestamp={from} timestamp={to} 50"),
            of(&|time| time > from && time < to),
        ),
        (
            format!("BETWEEN #lobby timestamp={to} timestamp={from} 50"),
            of(&|time| time > from && time < to),
        ),
        ("AFTER #lobby timestamp=2999-01-01T00:00:00.000Z 50".to_owned(), Vec::new()),
        ("BEFORE #lobby timestamp=1999-01-01T00:00:00.000Z 50".to_owned(), Vec::new()),
        ("AFTER #lobby timestamp=1999-01-01T00:00:00.000Z 50".to_owned(), of(&|_| true)),
    ] {
        assert_eq!(texts(&history(&mut alice, &asked)), wanted, "{asked}");
    }
    let around = history(&mut alice, &format!("AROUND #lobby timestamp={from} 3"));
    assert!(around.iter().any(|message| message.tag("time") == Some(from)), "{around:?}");
}

#[test]
fn lines_that_were_sent_together_are_one_message() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut carol = reader(&server, "carol");
    carol.joins("#lobby");
    bob.sees("carol has arrived");
    bob.say("before");
    bob.sees("bob: before");
    for line in [
        "BATCH +m draft/multiline #lobby",
        "@batch=m PRIVMSG #lobby :one",
        "@batch=m PRIVMSG #lobby :two",
        "@batch=m PRIVMSG #lobby :three",
        "BATCH -m",
    ] {
        carol.say(line);
    }
    bob.sees_all(["carol: one", "carol: two", "carol: three"]);
    bob.say("after");
    bob.sees("bob: after");
    carol.until_pong();
    let all = history(&mut carol, "LATEST #lobby * 3");
    let words = ["before", "#lobby", "one", "two", "three"];
    assert_eq!(texts(&all)[..5], words);
    assert_eq!(all[1].command(), "BATCH");
    assert!(all[1].tag("batch").is_some(), "a batch within the batch: {all:?}");
    let id = all[1].tag("msgid").unwrap();
    let whole = history(&mut carol, &format!("AROUND #lobby msgid={id} 1"));
    assert_eq!(texts(&whole)[1..4], ["one", "two", "three"]);
    for (asked, wanted) in [
        (format!("AFTER #lobby msgid={id} 9"), "after"),
        (format!("BEFORE #lobby msgid={id} 9"), "before"),
        (format!("LATEST #lobby msgid={id} 9"), "after"),
    ] {
        assert_eq!(texts(&history(&mut carol, &asked)), [wanted], "{asked}");
    }
    let mut plain = in_lobby(&server, "dora");
    plain.until(":bob!{} PRIVMSG #lobby :{}after");
    plain.say("CHATHISTORY LATEST #lobby * 2"); // without batches
    for text in ["one", "two", "three", "after"] {
        plain.sees(&format!("{{}} PRIVMSG #lobby :[{{}}] {text}"));
    }
    plain.sees_nothing();
}

#[test]
fn rooms_with_news_are_listed() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = reader(&server, "alice");
    for room in ["#lobby", "#tea", "#silent"] {
        alice.joins(room);
    }
    bob.sees("alice has arrived");
    bob.say("in the lobby");
    bob.sees("bob: in the lobby");
    bob.say("/join tea");
    bob.sees("In tea: alice");
    bob.say("at tea");
    bob.sees("bob: at tea");
    alice.until_pong();
    let last = history(&mut alice, "LATEST #lobby * 1");
    let ask = |client: &mut Chatter, from: &str, to: &str, most: usize| {
        client.say(&format!("CHATHISTORY TARGETS timestamp={from} timestamp={to} {most}"));
        client.sees(":irc.example BATCH +{} draft/chathistory-targets");
        let mut seen = client.until(":irc.example BATCH -{}");
        seen.pop();
        let rooms = seen.iter().map(|message| message.parameters()[1].to_owned());
        (rooms.collect::<Vec<_>>(), seen)
    };
    let (old, new) = ("1999-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z");
    let (mut rooms, seen) = ask(&mut alice, old, new, 50);
    rooms.sort(); // both lines may have one time
    assert_eq!(rooms, ["#lobby", "#tea"]);
    let lobby = seen.iter().find(|message| message.parameters()[1] == "#lobby").unwrap();
    assert_eq!(lobby.parameters()[0], "TARGETS");
    assert_eq!(lobby.parameters()[2], last[0].tag("time").unwrap());
    assert_eq!(ask(&mut alice, new, old, 1).0.len(), 1);
    assert!(ask(&mut alice, new, new, 50).0.is_empty());
}

#[test]
fn history_that_cannot_be_read_is_refused() {
    let server = server();
    let _bob = ten_lines(&server);
    let mut alice = reader(&server, "alice");
    alice.say("CHATHISTORY LATEST #lobby * 2");
    alice.sees("{}FAIL CHATHISTORY INVALID_TARGET LATEST #lobby :{}");
    alice.joins("#lobby");
    let id = history(&mut alice, "LATEST #lobby * 1")[0].tag("msgid").unwrap().to_owned();
    let log = id.split('.').next().unwrap();
    for (asked, refusal) in [
        ("LATEST #nowhere * 2".to_owned(), "INVALID_TARGET LATEST #nowhere"),
        ("LATEST bob * 2".to_owned(), "INVALID_TARGET LATEST bob"),
        ("LATEST #lobby *".to_owned(), "INVALID_PARAMS LATEST"),
        ("LATEST #lobby * none".to_owned(), "INVALID_PARAMS LATEST none"),
        ("BEFORE #lobby msgid=0.lobby.1 2".to_owned(), "INVALID_PARAMS BEFORE #lobby"),
        (format!("BEFORE #lobby msgid={log}.lobby.99 2"), "INVALID_PARAMS BEFORE #lobby"),
        (format!("BEFORE #lobby msgid={log}.tea.1 2"), "INVALID_PARAMS BEFORE #lobby"),
        ("BEFORE #lobby timestamp=now 2".to_owned(), "INVALID_PARAMS BEFORE #lobby"),
        ("DANCE #lobby * 2".to_owned(), "INVALID_PARAMS DANCE #lobby"),
    ] {
        alice.say(&format!("CHATHISTORY {asked}"));
        alice.sees(&format!("{{}}FAIL CHATHISTORY {refusal} :{{}}"));
    }
    alice.sees_nothing();
}

#[test]
fn the_batch_of_a_labelled_request_has_the_label() {
    let server = server();
    let _bob = ten_lines(&server);
    let mut alice = reader(&server, "alice");
    alice.joins("#lobby");
    alice.say("@label=h1 CHATHISTORY LATEST #lobby * 2");
    let begin = alice.sees(":irc.example BATCH +{} chathistory #lobby");
    assert_eq!(begin.tag("label"), Some("h1"));
    alice.sees_all([":bob!{} PRIVMSG #lobby :8", ":bob!{} PRIVMSG #lobby :9"]);
    alice.sees(":irc.example BATCH -{}");
    alice.say("@label=h2 CHATHISTORY LATEST #nowhere * 2");
    let refused = alice.sees("{}FAIL CHATHISTORY INVALID_TARGET LATEST #nowhere :{}");
    assert_eq!(refused.tag("label"), Some("h2"));
    alice.sees_nothing();
}
