//! TAGMSG: tags without words, which the programs of people read and nobody else.

use crate::support::{Chatter, TestServer};

use super::capabilities::modern;
use super::{DOORS, asks, in_lobby, netcat, server};

const CAPS: &str = "message-tags echo-message labeled-response batch";

/// The ids with which these clients read a TAGMSG of alice to `target`, with the tag `+typing`.
fn ids<const N: usize>(clients: [&mut Chatter; N], target: &str) -> [String; N] {
    clients.map(|client| {
        let read = client.sees(&format!(":alice!alice@irc TAGMSG {target}"));
        assert_eq!(read.tag("+typing"), Some("active"), "{read:?}");
        assert_eq!(read.tag("other"), None, "only tags of clients pass: {read:?}");
        read.tag("msgid").unwrap().to_owned()
    })
}

#[test]
fn only_programs_that_read_tags_are_told() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", "message-tags draft/chathistory batch");
    let mut dora = in_lobby(&server, "dora");
    alice.until_pong();
    carol.until_pong();
    bob.sees_all(["carol has arrived", "dora has arrived"]);
    alice.say("@+typing=active;other=x TAGMSG #lobby");
    let [own, carols] = ids([&mut alice, &mut carol], "#lobby");
    assert_eq!(own, carols);
    alice.say("@+typing=active TAGMSG #lobby");
    let [next] = ids([&mut alice], "#lobby");
    assert_ne!(own, next);
    carol.message();
    alice.say("PRIVMSG #lobby :words");
    bob.sees("alice: words");
    dora.sees(":alice!alice@irc PRIVMSG #lobby :words");
    let id = carol.sees(":alice!alice@irc PRIVMSG #lobby :words").tag("msgid").unwrap().to_owned();
    assert!(id.ends_with(".lobby.1"), "a signal has no number in its room: {id}");
    carol.say("CHATHISTORY LATEST #lobby * 10");
    let history = carol.until(":irc.example BATCH -{}");
    assert_eq!(history.len(), 3, "it is not stored: {history:?}");
    // Without echo-message, the author does not read it.
    alice.say("CAP REQ :-echo-message");
    alice.until(":irc.example CAP alice ACK :{}");
    alice.say("@label=x;+typing=active TAGMSG #lobby");
    assert_eq!(alice.sees(":irc.example ACK").tag("label"), Some("x"));
    alice.sees_nothing();
    ids([&mut carol], "#lobby");
}

#[test]
fn a_person_reads_tags_on_each_connection_that_wants_them() {
    let server = server();
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", "message-tags");
    bob.sees("carol has arrived");
    let mut dora = in_lobby(&server, "dora");
    alice.until_pong();
    carol.until_pong();
    alice.say("@+typing=active TAGMSG carol,bob,dora");
    let [first, carols] = ids([&mut alice, &mut carol], "carol");
    assert_eq!(first, carols);
    ids([&mut alice], "bob");
    ids([&mut alice], "dora");
    dora.sees_nothing();
    alice.say("PRIVMSG bob :words");
    alice.sees(":alice!alice@irc PRIVMSG bob :words");
    bob.sees("dora has arrived");
    bob.sees("[alice -> bob] words");
    alice.say("@label=x;+typing=active TAGMSG alice");
    let labels = [alice.message(), alice.message()].map(|read| {
        assert_eq!((read.command(), read.tag("+typing")), ("TAGMSG", Some("active")), "{read:?}");
        read.tag("label").map(str::to_owned)
    });
    assert_eq!(labels.iter().flatten().collect::<Vec<_>>(), ["x"], "one of the two answers");
    alice.sees_nothing();
}

#[test]
fn a_tagmsg_is_refused_as_a_message_is() {
    let server = TestServer::open(&DOORS, |config| config.rate = parlor::config::RateLimit::Off);
    let mut bob = netcat(&server, "bob");
    let mut alice = modern(&server, "alice", CAPS);
    bob.sees("alice has arrived");
    let mut carol = modern(&server, "carol", CAPS);
    bob.sees("carol has arrived");
    carol.joins("#tea");
    carol.say("MODE #tea +m");
    carol.until(":carol!carol@irc MODE #tea +m");
    alice.joins("#tea");
    alice.until_pong();
    asks(
        &mut alice,
        &[
            ("TAGMSG", ":irc.example 461 alice TAGMSG :{}"),
            ("@+a TAGMSG #none", ":irc.example 403 alice #none :{}"),
            ("@+a TAGMSG #tea", ":irc.example 404 alice #tea :{}"),
            ("@+a TAGMSG nobody", ":irc.example 401 alice nobody :{}"),
            ("@+a TAGMSG #lobby", ":alice!alice@irc TAGMSG #lobby"),
        ],
    );
    for nothing in ["TAGMSG #lobby", "@a TAGMSG #lobby", "@+a TAGMSG NickServ,parlor"] {
        alice.say(nothing);
        alice.sees_nothing();
    }
    alice.say("@+a TAGMSG #lobby,#lobby,#lobby,#lobby,#lobby");
    alice.sees_all([":alice!alice@irc TAGMSG #lobby"; 4]);
    alice.sees(":irc.example 407 alice #lobby :{}");
    alice.say("PART #lobby");
    alice.until_pong();
    alice.say("@label=x;+a TAGMSG #lobby");
    assert_eq!(alice.sees(":irc.example 404 alice #lobby :{}").tag("label"), Some("x"));
    bob.sees("alice has left");
    let mut dora = in_lobby(&server, "dora");
    asks(&mut dora, &[("@+a TAGMSG #lobby", ":irc.example 421 dora TAGMSG :{}")]);
}
