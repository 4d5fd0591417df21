//! Messages, actions and notices, also long ones, to rooms and to one person.

use super::{enter, in_lobby, netcat, server};

#[test]
fn a_line_is_the_same_at_both_doors() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    alice.say("PRIVMSG #lobby :hello from IRC");
    bob.sees("alice: hello from IRC");
    bob.say("hello from netcat");
    bob.sees("bob: hello from netcat");
    alice.sees(":bob!{}@nc PRIVMSG #lobby :hello from netcat");
    alice.say("PRIVMSG #LOBBY word");
    bob.sees("alice: word");
    alice.say("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    bob.sees("* alice waves");
    bob.say("/me waves back");
    bob.sees("* bob waves back");
    alice.sees(":bob!{}@nc PRIVMSG #lobby :\u{1}ACTION waves back\u{1}");
    alice.say("NOTICE #lobby :the build is green");
    bob.sees("alice: the build is green");
    alice.say("PRIVMSG #lobby ::colons: stay");
    bob.sees("alice: :colons: stay");
    alice.say("PRIVMSG #lobby :/quit is no command here");
    bob.sees("alice: /quit is no command here");
    alice.sees_nothing();
}

#[test]
fn people_with_irc_hear_each_other() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    let mut bob = in_lobby(&server, "bob");
    alice.sees(":bob!bob@irc JOIN #lobby");
    alice.say("PRIVMSG #lobby :hello");
    bob.sees(":alice!alice@irc PRIVMSG #lobby :hello");
    alice.say("NOTICE #lobby :do not answer");
    bob.sees(":alice!alice@irc NOTICE #lobby :do not answer");
    alice.say("PRIVMSG bob :between us");
    bob.sees(":alice!alice@irc PRIVMSG bob :between us");
    alice.say("PRIVMSG bob,#lobby :to both");
    bob.sees(":alice!alice@irc PRIVMSG bob :to both");
    bob.sees(":alice!alice@irc PRIVMSG #lobby :to both");
    alice.sees_nothing();
}

#[test]
fn a_message_to_nobody_is_refused_and_a_notice_is_not() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for (line, answer) in [
        ("PRIVMSG dave :hello", ":irc.example 401 alice dave :{}"),
        ("PRIVMSG #lobby", ":irc.example 412 alice :{}"),
        ("PRIVMSG", ":irc.example 411 alice :{}"),
    ] {
        alice.say(line);
        alice.sees(answer);
    }
    let mut bob = in_lobby(&server, "bob");
    alice.say("PRIVMSG #lobby :from outside");
    alice.sees(":irc.example 404 alice #lobby :{}");
    bob.say("PRIVMSG #lobby :\u{1}VERSION\u{1}");
    bob.sees(":irc.example 404 bob #lobby :{}");
    for line in ["NOTICE dave :hello", "NOTICE #nowhere :hello", "NOTICE #lobby", "NOTICE"] {
        alice.say(line);
    }
    alice.sees_nothing();
    bob.sees_nothing();
}

#[test]
fn a_line_too_long_for_a_message_comes_in_several() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    for said in ["word ".repeat(800) + "end", "\u{4f60}".repeat(1_365), "x".repeat(4_096)] {
        bob.say(&said);
        bob.sees(&format!("bob: {said}"));
        let mut heard = String::new();
        while heard.len() < said.len() {
            heard += alice.sees(":bob!{}@nc PRIVMSG #lobby :{}").parameters()[1];
        }
        assert_eq!(heard, said);
    }
    alice.sees_nothing();
}

#[test]
fn a_message_longer_than_a_line_is_refused_and_not_cut() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    // Behind the sender's own source the whole message has 510 bytes.
    let longest = 510 - ":alice!alice@irc PRIVMSG #lobby :".len();
    alice.say(&format!("PRIVMSG #lobby :{}", "x".repeat(longest)));
    bob.sees(&format!("alice: {}", "x".repeat(longest)));
    alice.say(&format!("PRIVMSG #lobby :{}", "x".repeat(longest + 1)));
    alice.sees(":irc.example 417 alice :{}");
    for bytes in [600, 5_000, 100_000] {
        alice.say(&format!("PRIVMSG #lobby :{}", "x".repeat(bytes)));
        alice.sees(":irc.example 417 alice :{}");
    }
    alice.say("PRIVMSG #lobby :short again");
    bob.sees("alice: short again");
    alice.sees_nothing();
}

#[test]
fn a_lines_formatting_is_taken_off_and_nothing_but_text_stays() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    alice.say("PRIVMSG #lobby :\u{2}bold\u{2} \u{3}04,12red\u{3} \u{4}ff0000hex \u{1d}italic\u{f}");
    bob.sees("alice: bold red hex italic");
    alice.say("PRIVMSG #lobby :an escape \u{1b}[31m is no colour");
    let seen = bob.line();
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
    alice.send(b"PRIVMSG #lobby :\xff\xfe\r\n");
    alice.sees("{}INVALID_UTF8{}");
    alice.sees_nothing();
}

#[test]
fn the_lines_of_one_packet_stay_in_order() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = in_lobby(&server, "alice");
    bob.sees("alice has arrived");
    let many: String = (0..50).map(|n| format!("PRIVMSG #lobby :line {n}\r\n")).collect();
    alice.send(format!("{many}PING done\r\n"));
    for n in 0..50 {
        bob.sees(&format!("alice: line {n}"));
    }
    alice.sees("{}PONG {}done");
    bob.say("and mine");
    alice.sees(":bob!{}@nc PRIVMSG #lobby :and mine");
}
