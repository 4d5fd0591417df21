//! Lines that are sent together: batches, their limits, and what a wrong one is answered.

use crate::support::{Chatter, TestServer};

use super::capabilities::modern;
use super::{DOORS, in_lobby, netcat, server};

const CAPS: &str = "draft/multiline message-tags";

/// Sends a batch of these lines to a target.
#[track_caller]
fn sends(client: &mut Chatter, target: &str, lines: &[&str]) {
    client.say(&format!("BATCH +m draft/multiline {target}"));
    for line in lines {
        client.say(&format!("@batch=m PRIVMSG {target} :{line}"));
    }
    client.say("BATCH -m");
}

#[test]
fn a_batch_to_a_person_is_read_at_both_kinds_of_doors() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    sends(&mut alice, "bob", &["first", "second"]);
    bob.sees_all(["[alice -> bob] first", "[alice -> bob] second"]);
    let mut carol = modern(&server, "carol", CAPS);
    sends(&mut alice, "carol", &["first", "second"]);
    carol.sees(":alice!alice@irc BATCH +{} draft/multiline carol");
    carol.sees(":alice!alice@irc PRIVMSG carol :first");
    carol.sees(":alice!alice@irc PRIVMSG carol :second");
    carol.sees(":alice!alice@irc BATCH -{}");
}

#[test]
fn the_lines_of_a_batch_stand_together() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    alice.say("BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :first");
    alice.say("PRIVMSG #lobby :between, and before them");
    bob.sees("alice: between, and before them");
    bob.say("I, too");
    bob.sees("bob: I, too");
    alice.say("@batch=m PRIVMSG #lobby :second");
    alice.say("BATCH -m");
    bob.sees_all(["alice: first", "alice: second"]);
}

#[test]
fn two_hundred_lines_are_a_batch_and_one_more_is_not() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let lines: Vec<String> = (0..201).map(|n| format!("line {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    sends(&mut alice, "#lobby", &lines[..200]);
    for n in 0..200 {
        bob.sees(&format!("alice: line {n}"));
    }
    alice.until_pong();
    sends(&mut alice, "#lobby", &lines);
    alice.sees(":irc.example FAIL BATCH MULTILINE_MAX_LINES 200 :{}");
    alice.sees_nothing();
    bob.say("nothing of it came");
    bob.sees("bob: nothing of it came");
}

#[test]
fn a_batch_has_65536_bytes_at_most() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let line = "x".repeat(400);
    sends(&mut alice, "#lobby", &[line.as_str(); 170]);
    alice.sees(":irc.example FAIL BATCH MULTILINE_MAX_BYTES 65536 :{}");
    alice.sees_nothing();
    sends(&mut alice, "#lobby", &[line.as_str(); 160]);
    for _ in 0..160 {
        bob.sees(&format!("alice: {line}"));
    }
}

#[test]
fn a_joined_line_has_4096_bytes_at_most() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let part = "x".repeat(409);
    let joined = |client: &mut Chatter, parts: usize| {
        client.say("BATCH +m draft/multiline #lobby");
        client.say(&format!("@batch=m PRIVMSG #lobby :{part}"));
        for _ in 1..parts {
            client.say(&format!("@batch=m;draft/multiline-concat PRIVMSG #lobby :{part}"));
        }
        client.say("BATCH -m");
    };
    joined(&mut alice, 10);
    bob.sees(&format!("alice: {}", part.repeat(10)));
    joined(&mut alice, 11);
    alice.sees(":irc.example FAIL BATCH MULTILINE_INVALID :{}");
    alice.until_pong();
    bob.say("only the first came");
    bob.sees("bob: only the first came");
}

#[test]
fn a_wrong_batch_is_answered_once_and_says_nothing() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    for lines in [
        &["BATCH -never"][..],
        &["BATCH +m no-such-kind #lobby"],
        &["BATCH +m draft/multiline"],
        &["BATCH +m draft/multiline #lobby", "BATCH -other"],
        &["BATCH +m draft/multiline #lobby", "BATCH +n draft/multiline #lobby"],
        &["BATCH +m draft/multiline #lobby", "@batch=m PRIVMSG #lobby :", "BATCH -m"],
        &[
            "BATCH +m draft/multiline #lobby",
            "@batch=m PRIVMSG #lobby :a",
            "@batch=m NOTICE #lobby :b",
            "BATCH -m",
        ],
        &[
            "BATCH +m draft/multiline #lobby",
            "@batch=m PRIVMSG #lobby :\u{1}VERSION\u{1}",
            "BATCH -m",
        ],
        &[
            "BATCH +m draft/multiline #lobby",
            "@batch=m;draft/multiline-concat PRIVMSG #lobby :a",
            "BATCH -m",
        ],
        &["@batch=nothing PRIVMSG #lobby :a"],
    ] {
        for line in lines {
            alice.say(line);
        }
        alice.sees(":irc.example FAIL BATCH MULTILINE_INVALID :{}");
        alice.sees_nothing();
    }
    alice.say("BATCH");
    alice.sees(":irc.example 461 alice BATCH :{}");
    sends(&mut alice, "#lobby", &["and a right one"]);
    bob.sees("alice: and a right one");
}

#[test]
fn a_batch_with_a_line_that_cannot_be_read_is_refused_as_a_whole() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", &format!("{CAPS} labeled-response batch"));
    bob.sees("alice has arrived");
    let long = "x".repeat(600);
    let wrong = [&b"\xff"[..], long.as_bytes()];
    for (text, answer) in wrong.into_iter().zip(["FAIL * INVALID_UTF8", "417 alice"]) {
        alice.say("@label=L BATCH +m draft/multiline #lobby");
        alice.say("@batch=m PRIVMSG #lobby :a");
        alice.send([&b"@batch=m PRIVMSG #lobby :"[..], text, b"\r\n"].concat());
        alice.say("@batch=m PRIVMSG #lobby :b");
        alice.say("BATCH -m");
        let begin = alice.sees(":irc.example BATCH +{} labeled-response");
        assert_eq!(begin.tag("label"), Some("L"), "{begin:?}");
        alice.sees(&format!(":irc.example {answer} :{{}}"));
        alice.sees(":irc.example FAIL BATCH MULTILINE_INVALID :A line of the batch was refused{}");
        alice.sees(":irc.example BATCH -{}");
        alice.sees_nothing();
    }
    sends(&mut alice, "#lobby", &["and a right one"]);
    bob.sees("alice: and a right one");
}

#[test]
fn a_batch_that_is_refused_says_why_as_a_message_does() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    alice.say("PART #lobby");
    alice.sees(":alice!alice@irc PART #lobby");
    for (target, answer) in [
        ("#lobby", ":irc.example 404 alice #lobby :{}"),
        ("#nowhere", ":irc.example 403 alice #nowhere :{}"),
        ("dave", ":irc.example 401 alice dave :{}"),
    ] {
        sends(&mut alice, target, &["first", "second"]);
        alice.sees(answer);
        alice.sees_nothing();
    }
}

#[test]
fn the_label_of_a_batch_is_answered_when_the_batch_is_kept() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "draft/multiline message-tags labeled-response");
    bob.sees("alice has arrived");
    alice.say("@label=L BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :first");
    alice.say("@batch=m PRIVMSG #lobby :second");
    alice.sees_nothing();
    alice.say("BATCH -m");
    assert_eq!(alice.sees(":irc.example ACK").tag("label"), Some("L"));
    bob.sees_all(["alice: first", "alice: second"]);
    alice.say("CAP REQ echo-message");
    alice.sees(":irc.example CAP alice ACK :echo-message");
    alice.say("@label=M BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :third");
    alice.say("@batch=m PRIVMSG #lobby :fourth");
    alice.say("BATCH -m");
    let begin = alice.sees(":alice!alice@irc BATCH +{} draft/multiline #lobby");
    assert_eq!(begin.tag("label"), Some("M"), "{begin:?}");
    let rest = alice.until("{}BATCH -{}");
    assert!(rest.iter().all(|message| message.tag("label").is_none()), "{rest:?}");
}

#[test]
fn a_batch_has_one_id_and_the_tags_of_its_client() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", CAPS);
    let mut dora = modern(&server, "dora", "message-tags");
    alice.until_pong();
    carol.until_pong();
    alice.say("@+draft/reply=x BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :first");
    alice.say("@batch=m PRIVMSG #lobby :second");
    alice.say("BATCH -m");
    let begin = carol.sees(":alice!alice@irc BATCH +{} draft/multiline #lobby");
    assert_eq!(begin.tag("+draft/reply"), Some("x"), "{begin:?}");
    let first = dora.sees(":alice!alice@irc PRIVMSG #lobby :first");
    assert_eq!(first.tag("msgid"), begin.tag("msgid"));
    assert!(begin.tag("msgid").is_some());
    let second = dora.sees(":alice!alice@irc PRIVMSG #lobby :second");
    assert_eq!(second.tag("msgid"), None, "{second:?}");
}

#[test]
fn a_batch_that_does_not_end_is_nothing() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    alice.say("BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :never");
    alice.say("QUIT :gone");
    alice.is_closed_with("ERROR :{}");
    bob.sees("alice has left (gone)");
}

#[test]
fn blank_lines_within_a_batch_stay_for_who_reads_batches() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", CAPS);
    let mut dora = in_lobby(&server, "dora");
    for client in [&mut alice, &mut carol] {
        client.until_pong();
    }
    sends(&mut alice, "#lobby", &["", "first", "", "", "last", ""]);
    let inside = carol.until(":alice!alice@irc BATCH -{}");
    let texts: Vec<&str> =
        inside[1..inside.len() - 1].iter().map(|line| line.parameters()[1]).collect();
    assert_eq!(texts, ["", "first", "", "", "last", ""]);
    dora.sees(":alice!alice@irc PRIVMSG #lobby :first");
    dora.sees(":alice!alice@irc PRIVMSG #lobby :last");
    dora.sees_nothing();
}

#[test]
fn a_joined_line_comes_in_the_parts_in_which_it_was_sent() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", CAPS);
    let mut dora = in_lobby(&server, "dora");
    bob.sees("carol has arrived");
    bob.sees("dora has arrived");
    alice.say("BATCH +m draft/multiline #lobby");
    alice.say("@batch=m PRIVMSG #lobby :how is ");
    alice.say("@batch=m;draft/multiline-concat PRIVMSG #lobby :everyone?");
    alice.say("BATCH -m");
    bob.sees("alice: how is everyone?");
    let inside = carol.until(":alice!alice@irc BATCH -{}");
    let texts = inside.iter().filter(|line| line.line.contains("PRIVMSG"));
    let texts: Vec<_> =
        texts.map(|line| (line.parameters()[1], line.tag("draft/multiline-concat"))).collect();
    assert_eq!(texts, [("how is ", None), ("everyone?", Some(""))]);
    dora.sees(":alice!alice@irc PRIVMSG #lobby :how is ");
    dora.sees(":alice!alice@irc PRIVMSG #lobby :everyone?");
}

#[test]
fn a_batch_without_the_capability_is_refused() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    alice.say("BATCH +m draft/multiline #lobby");
    let refused = alice.message();
    assert!(
        refused.line.contains("MULTILINE_INVALID") || refused.line.contains("draft/multiline"),
        "{refused:?}"
    );
    alice.sees_nothing();
}

#[test]
fn a_batch_with_a_command_behind_a_blank_is_not_said() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    for command in [" /msg NickServ IDENTIFY secret", "\u{2}/ns identify secret"] {
        sends(&mut alice, "#lobby", &["first", command]);
        alice.sees(":irc.example 404 alice #lobby :Did you mean /{}");
    }
    sends(&mut alice, "#lobby", &["first", " /usr/bin"]);
    bob.sees_all(["alice: first", "alice:  /usr/bin"]);
}
