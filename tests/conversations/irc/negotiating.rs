//! CAP: what is offered, what is asked for and given up, and when it holds.

use crate::support::Chatter;

use super::capabilities::modern;
use super::{alice_and_bob, enter, in_lobby, netcat, server, stranger};

/// The capabilities on a connection on which no passwords are taken.
const OFFERED: [&str; 21] = [
    "message-tags",
    "server-time",
    "batch",
    "echo-message",
    "labeled-response",
    "cap-notify",
    "multi-prefix",
    "userhost-in-names",
    "account-tag",
    "account-notify",
    "extended-join",
    "away-notify",
    "setname",
    "invite-notify",
    "standard-replies",
    "extended-monitor",
    "draft/chathistory",
    "draft/multiline",
    "no-implicit-names",
    "draft/no-implicit-names",
    "draft/read-marker",
];

/// The capabilities in the next list.
#[track_caller]
fn listed(client: &mut Chatter, subcommand: &str) -> Vec<String> {
    let message = client.sees(&format!(":irc.example CAP {{}} {subcommand} :{{}}"));
    let list = *message.parameters().last().unwrap();
    list.split(' ').filter(|cap| !cap.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_list_of_version_302_has_values_and_an_older_one_has_none() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("CAP LS");
    let plain = listed(&mut alice, "LS");
    for cap in OFFERED {
        assert!(plain.iter().any(|listed| listed == cap), "{cap}: {plain:?}");
    }
    assert!(plain.iter().all(|cap| !cap.contains('=')), "{plain:?}");
    alice.say("CAP LS 302");
    let with_values = listed(&mut alice, "LS");
    let value = "draft/multiline=max-bytes=65536,max-lines=200";
    assert!(with_values.iter().any(|cap| cap == value), "{with_values:?}");
    assert_eq!(plain.len(), with_values.len());
}

#[test]
fn each_capability_can_be_asked_for_and_given_up() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for cap in OFFERED {
        alice.say(&format!("CAP REQ :{cap}"));
        alice.sees(&format!(":irc.example CAP alice ACK :{cap}"));
        alice.say("CAP LIST");
        assert!(listed(&mut alice, "LIST").iter().any(|listed| listed == cap), "{cap}");
        alice.say(&format!("CAP REQ -{cap}"));
        alice.sees(&format!(":irc.example CAP alice ACK :-{cap}"));
        alice.say("CAP LIST");
        assert!(!listed(&mut alice, "LIST").iter().any(|listed| listed == cap), "{cap}");
    }
    alice.sees_nothing();
}

#[test]
fn all_capabilities_can_be_asked_for_at_once() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let all = OFFERED.join(" ");
    alice.say(&format!("CAP REQ :{all}"));
    alice.sees(&format!(":irc.example CAP alice ACK :{all}"));
    alice.say("CAP LIST");
    assert_eq!(listed(&mut alice, "LIST").len(), OFFERED.len());
}

#[test]
fn a_list_with_one_capability_that_is_not_offered_changes_nothing() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for wrong in [
        "server-time no-such-thing",
        "no-such-thing server-time",
        "sasl", // nothing is stored here, so there are no passwords
        "draft/account-registration",
        "Server-Time",
        "server-time=1",
        "-no-such-thing",
        "tls",
    ] {
        alice.say(&format!("CAP REQ :{wrong}"));
        alice.sees(&format!(":irc.example CAP alice NAK :{wrong}"));
        alice.say("CAP LIST");
        alice.sees(":irc.example CAP alice LIST :");
    }
}

#[test]
fn the_last_word_about_a_capability_counts() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.say("CAP REQ :server-time -server-time");
    alice.sees(":irc.example CAP alice ACK :server-time -server-time");
    alice.say("CAP LIST");
    alice.sees(":irc.example CAP alice LIST :");
    alice.say("CAP REQ :-server-time server-time");
    alice.sees(":irc.example CAP alice ACK :-server-time server-time");
    alice.say("CAP LIST");
    alice.sees(":irc.example CAP alice LIST :server-time");
    alice.say("CAP REQ :server-time"); // has it already
    alice.sees(":irc.example CAP alice ACK :server-time");
}

#[test]
fn nothing_asked_for_is_nothing_given() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for nothing in ["CAP REQ", "CAP REQ :", "CAP REQ :  "] {
        alice.say(nothing);
        alice.sees(":irc.example CAP alice ACK :{}");
    }
    alice.say("CAP LIST");
    alice.sees(":irc.example CAP alice LIST :");
    alice.say("CAP");
    alice.sees(":irc.example 461 alice CAP :{}");
    alice.say("CAP NEW :server-time");
    alice.sees(":irc.example 410 alice NEW :{}");
    alice.say("CAP END"); // too late, and no harm
    alice.sees_nothing();
}

#[test]
fn a_capability_that_needs_another_one_has_both() {
    let server = server();
    let mut alice = enter(&server, "alice");
    for cap in ["labeled-response", "draft/multiline", "draft/chathistory"] {
        alice.say(&format!("CAP REQ :{cap}"));
        alice.sees(&format!(":irc.example CAP alice ACK :{cap}"));
        alice.say("@label=L NAMES #nowhere");
        alice.until(":irc.example 366 alice #nowhere :{}");
        alice.say(&format!("CAP REQ :-{cap}"));
        alice.until(&format!(":irc.example CAP alice ACK :-{cap}"));
    }
}

#[test]
fn registration_waits_for_the_end_of_the_negotiation() {
    let server = server();
    for (begin, nick) in
        [("CAP LS", "bob"), ("CAP LS 302", "carol"), ("CAP REQ :server-time", "dora")]
    {
        let mut client = stranger(&server);
        client.say(begin);
        client.say(&format!("NICK {nick}"));
        client.say("USER al 0 * :Alice");
        client.until_pong();
        client.say("JOIN #lobby");
        client.sees(":irc.example 451 {} JOIN :{}");
        client.say("CAP END");
        client.sees(&format!(":irc.example 001 {nick} :{{}}"));
    }
    // Asking for the list that one has is no negotiation.
    let mut client = stranger(&server);
    client.say("CAP LIST");
    client.sees(":irc.example CAP * LIST :");
    client.say("NICK alice");
    client.say("USER al 0 * :Alice");
    client.sees(":irc.example 001 alice :{}");
}

#[test]
fn the_end_of_the_negotiation_may_come_before_nick_and_user() {
    let server = server();
    let mut alice = stranger(&server);
    alice.say("CAP LS 302");
    listed(&mut alice, "LS");
    alice.say("CAP END");
    alice.sees_nothing();
    alice.say("NICK alice");
    alice.sees_nothing();
    alice.say("USER al 0 * :Alice");
    alice.sees(":irc.example 001 alice :{}");
}

#[test]
fn a_nick_that_is_taken_meanwhile_is_told_at_the_end_of_the_negotiation() {
    let server = server();
    let mut late = stranger(&server);
    for line in ["CAP LS 302", "NICK alice", "USER al 0 * :Alice"] {
        late.say(line);
    }
    listed(&mut late, "LS");
    let _alice = enter(&server, "alice");
    late.say("CAP END");
    late.sees(":irc.example 433 * alice :{}");
    late.say("NICK alina");
    late.sees(":irc.example 001 alina :{}");
}

#[test]
fn names_come_with_user_and_host_to_who_asks_for_that() {
    let server = server();
    let _bob = netcat(&server, "bob");
    let mut alice = stranger(&server).enter_with("alice", "userhost-in-names");
    let seen = alice.joins("#lobby");
    let names = seen.iter().find(|message| message.command() == "353").unwrap();
    let mut names: Vec<&str> = names.parameters()[3].split(' ').collect();
    names.sort_unstable();
    let [first, second] = names.as_slice() else { alice.fail("two names were to come") };
    assert_eq!(*first, "alice!alice@irc");
    assert!(second.starts_with("bob!") && second.ends_with("@nc"), "{second}");
    alice.say("CAP REQ :-userhost-in-names");
    alice.sees(":irc.example CAP alice ACK :-userhost-in-names");
    alice.say("NAMES #lobby");
    let names = alice.sees(":irc.example 353 alice = #lobby :{}");
    assert!(!names.line.contains('!'), "{names:?}");
}

#[test]
fn no_names_come_on_joining_to_who_wants_none() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    bob.say("/topic Assam");
    bob.sees("bob changed the topic to: Assam");
    for (nick, cap) in [("alice", "no-implicit-names"), ("carol", "draft/no-implicit-names")] {
        let mut client = stranger(&server).enter_with(nick, cap);
        client.say("JOIN #lobby");
        client.sees(&format!(":{nick}!{nick}@irc JOIN #lobby"));
        client.sees(&format!(":irc.example 332 {nick} #lobby :Assam"));
        client.sees(&format!(":irc.example 333 {nick} #lobby bob {{}}"));
        client.sees_nothing();
        client.say("NAMES #lobby");
        let names = client.sees(&format!(":irc.example 353 {nick} = #lobby :{{}}"));
        assert!(names.line.contains("bob") && names.line.contains(nick), "{names:?}");
        client.sees(&format!(":irc.example 366 {nick} #lobby :{{}}"));
    }
}

#[test]
fn a_join_has_account_and_real_name_for_who_asks_for_that() {
    let server = server();
    let mut alice = modern(&server, "alice", "extended-join");
    let mut bob = in_lobby(&server, "bob");
    alice.sees(":bob!bob@irc JOIN #lobby * :bob of IRC");
    let _carol = netcat(&server, "carol");
    alice.sees(":carol!carol@nc JOIN #lobby * :{}");
    bob.sees(":carol!carol@nc JOIN #lobby");
    alice.say("JOIN #tea");
    alice.sees(":alice!alice@irc JOIN #tea * :alice of IRC");
}

#[test]
fn each_tag_comes_to_who_asked_for_it() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let tags = |client: &mut Chatter| -> Vec<String> {
        let message = client.sees(":bob!bob@nc PRIVMSG #lobby :hello");
        message.tags.into_iter().map(|(name, _)| name).collect()
    };
    let mut clients = Vec::new();
    for (nick, caps, wanted) in [
        ("plain", "multi-prefix", &[][..]),
        ("timed", "server-time", &["time"]),
        ("named", "account-tag", &[]), // bob has no account
        ("tagged", "message-tags", &["time", "msgid"]), // any tag may come
        ("modern", "message-tags server-time account-tag", &["time", "msgid"]),
    ] {
        clients.push((modern(&server, nick, caps), wanted));
        bob.sees(&format!("{nick} has arrived"));
    }
    for (client, _) in &mut clients {
        client.until_pong();
    }
    bob.say("hello");
    bob.sees("bob: hello");
    for (client, wanted) in &mut clients {
        assert_eq!(tags(client), *wanted);
    }
}

#[test]
fn happenings_have_the_time_too() {
    let server = server();
    let mut alice = modern(&server, "alice", "server-time");
    let mut bob = netcat(&server, "bob");
    for (typed, seen) in [
        ("", ":bob!bob@nc JOIN #lobby"),
        ("/topic Assam", ":bob!bob@nc TOPIC #lobby :Assam"),
        ("/name bert", ":bob!bob@nc NICK {}bert"),
        ("/quit", ":bert!bert@nc QUIT :{}"),
    ] {
        if !typed.is_empty() {
            bob.say(typed);
        }
        let message = alice.sees(seen);
        assert!(message.tag("time").is_some_and(|time| time.ends_with('Z')), "{message:?}");
    }
}

#[test]
fn a_capability_holds_from_the_next_line_on() {
    let server = server();
    let (mut alice, mut bob) = alice_and_bob(&server);
    for (request, has_time) in
        [("server-time", true), ("-server-time", false), ("server-time", true)]
    {
        alice.say(&format!("CAP REQ :{request}"));
        alice.sees(&format!(":irc.example CAP alice ACK :{request}"));
        bob.say("hello");
        bob.sees("bob: hello");
        let seen = alice.sees(":bob!bob@nc PRIVMSG #lobby :hello");
        assert_eq!(seen.tag("time").is_some(), has_time, "{request}");
    }
}

#[test]
fn a_label_without_the_capability_or_too_long_is_none() {
    let server = server();
    let mut alice = enter(&server, "alice");
    alice.say("@label=L PING x");
    assert_eq!(alice.sees(":irc.example PONG irc.example x").tags, []);
    let mut bob = modern(&server, "bob", "labeled-response");
    for (label, is_returned) in [
        ("x".repeat(64), true),
        ("x".repeat(65), false),
        (String::new(), false),
        (r"a\sb\:c".to_owned(), true),
    ] {
        bob.say(&format!("@label={label} PING x"));
        let pong = bob.sees(":irc.example PONG irc.example x");
        assert_eq!(pong.tag("label").is_some(), is_returned, "{label:?} {pong:?}");
    }
    bob.say(r"@label=a\sb\:c PING x");
    assert_eq!(bob.sees(":irc.example PONG irc.example x").tag("label"), Some("a b;c"));
}

#[test]
fn a_label_is_on_a_batch_if_there_are_several_answers() {
    let server = server();
    let mut alice = modern(&server, "alice", "labeled-response");
    for (line, answers) in [
        ("JOIN #tea", 3),
        ("JOIN #milk,#sugar", 6),
        ("WHOIS alice", 6),
        ("PRIVMSG dave,dora :hello", 2),
        ("VERSION", 3),
        ("USERHOST alice", 1),
        ("MODE #tea", 2),
        ("PRIVMSG dave :hello", 1),
        ("NOTICE dave :hello", 0),
        ("JOIN #tea", 0),
    ] {
        alice.say(&format!("@label=L {line}"));
        let seen = alice.until_pong();
        let labels = seen.iter().filter(|message| message.tag("label") == Some("L")).count();
        assert_eq!(labels, 1, "{line}: {seen:?}");
        let (first, rest) = seen.split_first().unwrap();
        match answers {
            0 => assert_eq!((first.line.as_str(), rest.len()), (":irc.example ACK", 0), "{line}"),
            1 => assert_eq!(rest.len(), 0, "{line}: {seen:?}"),
            _ => {
                assert_eq!(first.command(), "BATCH", "{line}: {seen:?}");
                assert!(rest.len() > answers, "{line}: {seen:?}");
                let inside = &rest[..rest.len() - 1];
                assert!(inside.iter().all(|message| message.tag("batch").is_some()), "{seen:?}");
            }
        }
    }
}

#[test]
fn own_lines_come_back_from_every_target() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "echo-message labeled-response");
    bob.sees("alice has arrived");
    alice.say("PRIVMSG bob,#lobby :to both");
    let mut seen = [alice.message().line, alice.message().line];
    seen.sort();
    assert_eq!(
        seen,
        [":alice!alice@irc PRIVMSG #lobby :to both", ":alice!alice@irc PRIVMSG bob :to both"]
    );
    alice.say("@label=N NOTICE bob :quietly");
    let echo = alice.sees(":alice!alice@irc NOTICE bob :quietly");
    assert_eq!(echo.tag("label"), Some("N"));
    alice.say("@label=M PRIVMSG alice :to myself");
    let mine = alice.until_pong();
    assert!(
        mine.iter().all(|message| message.line == ":alice!alice@irc PRIVMSG alice :to myself"),
        "{mine:?}"
    );
    assert_eq!(
        mine.iter().filter(|message| message.tag("label") == Some("M")).count(),
        1,
        "{mine:?}"
    );
}

#[test]
fn a_refusal_without_a_numeric_is_a_standard_reply_or_a_notice() {
    let server = server();
    let mut alice = modern(&server, "alice", "standard-replies");
    let mut bob = in_lobby(&server, "bob");
    alice.sees(":bob!bob@irc JOIN #lobby");
    for (client, answer) in [
        (&mut alice, ":irc.example FAIL CHATHISTORY INVALID_PARAMS LATEST #lobby :{}"),
        (&mut bob, ":irc.example {} CHATHISTORY INVALID_PARAMS LATEST #lobby :{}"),
    ] {
        client.say("CHATHISTORY LATEST #lobby x 5");
        client.sees(answer);
    }
}
