//! Capabilities: clients that ask for more than plain IRC, and read more.

use crate::support::Chatter;

use super::{in_lobby, netcat, server, stranger};

/// A client in the lobby with these capabilities.
#[track_caller]
pub(super) fn modern(
    server: &crate::support::TestServer,
    nick: &str,
    capabilities: &str,
) -> Chatter {
    let mut client = stranger(server).enter_with(nick, capabilities);
    client.joins("#lobby");
    client.until_pong();
    client
}

#[test]
fn own_lines_come_back_in_their_place_to_who_asks_for_them() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "echo-message");
    bob.sees("alice has arrived");
    alice.say("PRIVMSG #lobby :hello");
    alice.sees(":alice!alice@irc PRIVMSG #lobby :hello");
    bob.sees("alice: hello");
    bob.say("hello to you");
    bob.sees("bob: hello to you");
    alice.say("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    alice.sees(":bob!{}@nc PRIVMSG #lobby :hello to you");
    alice.sees(":alice!alice@irc PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    alice.say("PRIVMSG bob :between us");
    alice.sees(":alice!alice@irc PRIVMSG bob :between us");
    bob.sees("* alice waves");
    bob.sees("[alice -> bob] between us");
    // From now on without.
    alice.say("CAP REQ :-echo-message");
    alice.sees(":irc.example CAP alice ACK :-echo-message");
    alice.say("PRIVMSG #lobby :unheard");
    bob.sees("alice: unheard");
    alice.sees_nothing();
}

#[test]
fn a_label_is_on_the_answer() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "labeled-response batch echo-message message-tags");
    bob.sees("alice has arrived");
    let labelled = |client: &mut Chatter, line: &str, answer: &str| {
        client.say(&format!("@label=L1 {line}"));
        let message = client.sees(answer);
        assert_eq!(message.tag("label"), Some("L1"), "{message:?}");
        message
    };
    labelled(&mut alice, "PRIVMSG #lobby :hello", ":alice!alice@irc PRIVMSG #lobby :hello");
    labelled(&mut alice, "PING x", ":irc.example PONG irc.example x");
    labelled(&mut alice, "PONG x", ":irc.example ACK");
    labelled(&mut alice, "PRIVMSG dave :hello", ":irc.example 401 alice dave :{}");
    labelled(&mut alice, "NONSENSE", ":irc.example 421 alice NONSENSE :{}");
    let begin = labelled(&mut alice, "LIST", ":irc.example BATCH +{} labeled-response");
    let batch = begin.parameters()[0].trim_start_matches('+').to_owned();
    let inside = alice.until(&format!(":irc.example BATCH -{batch}"));
    for message in &inside[..inside.len() - 1] {
        assert_eq!(message.tag("batch"), Some(batch.as_str()), "{message:?}");
        assert_eq!(message.tag("label"), None, "{message:?}");
    }
    bob.sees("alice: hello");
    alice.say("CAP REQ :-echo-message");
    alice.sees(":irc.example CAP alice ACK :-echo-message");
    labelled(&mut alice, "PRIVMSG #lobby :kept", ":irc.example ACK");
    bob.sees("alice: kept");
    alice.sees_nothing();
}

#[test]
fn a_label_is_on_what_the_command_does() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "labeled-response batch message-tags");
    bob.sees("alice has arrived");
    alice.say("JOIN #tea");
    alice.until(":irc.example 366 alice #tea :{}");
    for (command, answer) in [
        ("TOPIC #lobby :Assam", "TOPIC #lobby :Assam"),
        ("PART #tea :bye", "PART #tea :bye"),
        ("NICK alina", "NICK {}alina"),
    ] {
        alice.say(&format!("@label=L2 {command}"));
        let message = alice.sees(&format!(":alice!alice@irc {answer}"));
        assert_eq!(message.tag("label"), Some("L2"), "{message:?}");
    }
    alice.say("@label=L3 JOIN 0");
    assert_eq!(alice.sees(":alina!alice@irc PART #lobby").tag("label"), Some("L3"));
    bob.sees_all([
        "alice changed the topic to: Assam",
        "alice is now known as alina",
        "alina has left",
    ]);
    bob.say("/topic Ceylon");
    bob.sees("bob changed the topic to: Ceylon");
    alice.sees_nothing();
}

#[test]
fn lines_have_their_time_and_their_id() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "message-tags server-time echo-message");
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", "server-time");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    bob.say("hello");
    let seen = alice.sees(":bob!{}@nc PRIVMSG #lobby :hello");
    let time = seen.tag("time").unwrap();
    assert!(time.len() == "2026-11-20T12:00:00.000Z".len() && time.ends_with('Z'), "{time}");
    assert!(seen.tag("msgid").is_some(), "{seen:?}");
    let other = carol.sees(":bob!{}@nc PRIVMSG #lobby :hello");
    assert_eq!(other.tags, [("time".to_owned(), time.to_owned())]);
    alice.say("PRIVMSG #lobby :first");
    let first = alice.sees(":alice!alice@irc PRIVMSG #lobby :first");
    assert_ne!(first.tag("msgid"), seen.tag("msgid"));
    assert_eq!(carol.sees(":alice!alice@irc PRIVMSG #lobby :first").tag("msgid"), None);
}

#[test]
fn client_tags_go_to_who_asked_for_tags_and_to_nobody_else() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", "message-tags");
    let mut carol = modern(&server, "carol", "message-tags");
    let mut dora = in_lobby(&server, "dora");
    bob.sees_all(["alice has arrived", "carol has arrived", "dora has arrived"]);
    alice.until_pong();
    carol.until_pong();
    alice.say(r"@+draft/reply=x\sy;not-a-client-tag=1 PRIVMSG #lobby :yes");
    let seen = carol.sees(":alice!alice@irc PRIVMSG #lobby :yes");
    assert_eq!(seen.tag("+draft/reply"), Some("x y"));
    assert_eq!(seen.tag("not-a-client-tag"), None);
    assert_eq!(dora.sees(":alice!alice@irc PRIVMSG #lobby :yes").tags, []);
    bob.sees("alice: yes");
    alice.sees_nothing();
}

#[test]
fn several_lines_are_one_message() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let capabilities = "batch message-tags draft/multiline echo-message";
    let mut alice = modern(&server, "alice", capabilities);
    bob.sees("alice has arrived");
    let mut carol = in_lobby(&server, "carol");
    bob.sees("carol has arrived");
    alice.sees(":carol!carol@irc JOIN #lobby");
    for line in [
        "BATCH +m draft/multiline #lobby",
        "@batch=m PRIVMSG #lobby :first",
        "@batch=m PRIVMSG #lobby :",
        "@batch=m PRIVMSG #lobby :sec",
        "@batch=m;draft/multiline-concat PRIVMSG #lobby :ond",
        "BATCH -m",
    ] {
        alice.say(line);
    }
    bob.sees_all(["alice: first", "alice: ", "alice: second"]);
    carol.sees_all([
        ":alice!alice@irc PRIVMSG #lobby :first",
        ":alice!alice@irc PRIVMSG #lobby :sec",
        ":alice!alice@irc PRIVMSG #lobby :ond",
    ]);
    alice.sees(":alice!alice@irc BATCH +{} draft/multiline #lobby");
    alice.sees(":alice!alice@irc PRIVMSG #lobby :first");
    alice.until("{}BATCH -{}");
    alice.say("BATCH +n draft/multiline #lobby");
    alice.say("@batch=n PRIVMSG #elsewhere :wrong room");
    alice.sees("{}FAIL BATCH MULTILINE_INVALID_TARGET{}");
    alice.sees_nothing();
    carol.sees_nothing();
}
