//! How far owners have read: on all their connections, through all doors, and after a restart.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::chatter::Chatter;
use crate::data::{Data, enter};
use crate::irc::owner;
use crate::owners::{PASSWORD, register};
use crate::server::Server;
use crate::visitor::Visitor;

const EARLY: &str = "2019-01-01T00:00:00.000Z";
const LATE: &str = "2019-06-01T12:00:00.123Z";

/// A server that stores lines, with doors for IRC and for browsers, and the address of the first.
fn open(data: &Data) -> (Server, SocketAddr) {
    let irc = "irc://127.0.0.1:0?server=irc.example";
    let server = data.open(&["--listen", irc, "--listen", "http://127.0.0.1:0"]);
    let address = server.listening("irc");
    (server, address)
}

/// A client with read markers that registers with the password of its name.
#[track_caller]
fn marking_owner(irc: SocketAddr) -> Chatter {
    let mut client = Chatter::connect(irc);
    client.say(&format!("PASS :{PASSWORD}"));
    client.enter_with("alice", "draft/read-marker")
}

/// An owner with a browser, in the lobby.
#[track_caller]
fn browsing_owner(web: SocketAddr) -> (Visitor, Value) {
    let mut alice = Visitor::connect(web);
    let enter = json!({"do": "enter", "name": "alice", "password": PASSWORD, "id": "in"});
    alice.asks(enter.to_string());
    let entered = alice.until_done("in").remove(0);
    (alice, entered)
}

#[test]
fn an_owner_reads_with_irc_and_has_read_it_in_the_browser_too() {
    let data = Data::new();
    let (server, irc) = open(&data);
    let mut guest = enter(&server, "alice");
    register(&mut guest, PASSWORD);
    let (mut here, mut there) = (marking_owner(irc), marking_owner(irc));
    let mut plain = owner(irc, "alice");
    let (mut browser, entered) = browsing_owner(server.web());
    assert_eq!(entered.get("read"), Some(&json!(null)));

    here.say(&format!("MARKREAD #lobby timestamp={EARLY}"));
    let marked = format!(":irc.example MARKREAD #lobby timestamp={EARLY}");
    here.sees(&marked);
    there.sees(&marked);
    let read = browser.hears("read");
    assert_eq!((&read["room"], &read["time"]), (&json!("lobby"), &json!(EARLY)));
    let unasked = plain.until_pong();
    assert!(!unasked.iter().any(|message| message.command() == "MARKREAD"), "{unasked:?}");

    browser.asks(json!({"do": "read", "room": "lobby", "time": LATE, "id": "r"}).to_string());
    let answer = browser.until_done("r").remove(0);
    assert_eq!((&answer["kind"], &answer["time"]), (&json!("read"), &json!(LATE)));
    let marked = format!(":irc.example MARKREAD #lobby timestamp={LATE}");
    here.sees(&marked);
    there.sees(&marked);
    server.close((guest, here, there, plain));

    let (server, irc) = open(&data);
    let mut here = marking_owner(irc);
    here.say("JOIN #lobby");
    here.until(&marked);
    let (_browser, entered) = browsing_owner(server.web());
    assert_eq!(entered["read"], LATE);
    let mut stranger = Visitor::connect(server.web()).enter("bob");
    stranger.asks(r#"{"do":"read","room":"lobby","id":"r"}"#);
    let answer = stranger.until_done("r").remove(0);
    assert_eq!((&answer["kind"], &answer["time"]), (&json!("read"), &json!(null)));
    server.close(here);
}
