//! The rules of rooms, at every door: a private room, passwords, limits, moderated rooms.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::{Chatter, TestServer, Visitor};

/// IRC, netcat, browsers and curl.
const DOORS: [&str; 3] =
    ["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0", "http://127.0.0.1:0"];

fn server() -> TestServer {
    TestServer::open(&DOORS, |_| {})
}

/// The status of the answer to a request.
fn status(address: SocketAddr, method: &str, target: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_private_room_is_for_invited_people_and_nobody_else_sees_it() {
    let server = server();
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    alice.say("/room");
    alice.sees("-- tea is open to everybody");
    alice.say("/room private");
    alice.sees(
        "-- alice made the room private: only people who are invited enter, and nobody else sees it",
    );
    alice.say("/room");
    alice.sees("-- tea is for invited people only, secret");
    alice.say("psst");
    alice.sees("alice: psst");
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.say("JOIN #tea");
    bob.sees(":irc.example 473 bob #tea :{}");
    for command in ["MODE #tea", "TOPIC #tea", "PRIVMSG #tea :hi"] {
        bob.say(command);
        bob.sees(":irc.example 403 bob #tea :{}");
    }
    bob.say("NAMES #tea");
    bob.sees(":irc.example 366 bob #tea :{}");
    bob.say("LIST");
    bob.sees_all([":irc.example 321 bob Channel :{}", ":irc.example 323 bob :{}"]);
    bob.say("WHOIS alice");
    let seen = bob.until(":irc.example 318 bob alice :{}");
    assert!(seen.iter().all(|message| message.command() != "319"), "{seen:?}");
    let page = server.addresses()[2];
    assert_eq!(status(page, "GET", "/tea?last=5", ""), 404);
    assert_eq!(status(page, "GET", "/tea", ""), 404);
    let mut carol = Visitor::connect(page).enter("carol");
    for request in
        [r#"{"do":"who","args":["tea"],"id":"q"}"#, r#"{"do":"people","room":"tea","id":"q"}"#]
    {
        carol.asks(request);
        let refused = carol.until_done("q");
        let why: Vec<_> = refused.iter().filter_map(|answer| answer["why"].as_str()).collect();
        assert!(why == ["no-room"] || why == ["not-there"], "{request}: {why:?}");
    }
    carol.asks(r#"{"do":"join","room":"tea","id":"j"}"#);
    assert_eq!(carol.until_done("j")[0]["why"], "invited-only");
    alice.say("/invite bob");
    alice.sees("-- bob is invited to tea");
    bob.sees(":alice!{} INVITE bob {}#tea");
    bob.joins("#tea");
    alice.sees("bob has arrived");
    bob.say("MODE #tea");
    bob.until(":irc.example 324 bob #tea +ins"); // behind the earlier line
    alice.say("/room open");
    alice.sees("-- alice made the room open to everybody");
    bob.sees(":alice!{} MODE #tea -ilmsk *");
    carol.asks(r#"{"do":"join","room":"tea","id":"k"}"#);
    assert_eq!(carol.until_done("k")[0]["kind"], "entered");
    alice.sees("carol has arrived");
}

#[test]
fn a_password_and_a_limit_hold_at_every_door() {
    let server = server();
    let mut alice = Chatter::connect(server.addresses()[0]).enter("alice");
    alice.joins("#tea");
    alice.say("MODE #tea +kl beer 3");
    alice.sees(":alice!{} MODE #tea +k {}beer");
    alice.sees(":alice!{} MODE #tea +l {}3");
    alice.say("MODE #tea +k :a b");
    alice.sees(":irc.example 696 alice #tea k * :{}");
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join tea");
    bob.sees("-- tea has a password, and it is another one; type /join tea PASSWORD");
    bob.say("/join tea beer");
    bob.sees_all(["In tea: alice", "-- This room is with the password beer, for at most 3 people"]);
    alice.sees(":bob!{}@nc JOIN #tea");
    let page = server.addresses()[2];
    let mut carol = Visitor::connect(page).enter("carol");
    carol.asks(r#"{"do":"join","room":"tea","id":"a"}"#);
    assert_eq!(carol.until_done("a")[0]["why"], "room-password");
    carol.asks(r#"{"do":"join","room":"tea","args":["beer"],"id":"b"}"#);
    let entered = &carol.until_done("b")[0];
    assert_eq!(entered["rules"]["password"], "beer");
    assert_eq!(entered["rules"]["limit"], 3);
    alice.sees(":carol!{} JOIN #tea");
    bob.sees("carol has arrived");
    let mut dave = Chatter::connect(server.addresses()[0]).enter("dave");
    dave.say("JOIN #tea beer");
    dave.sees(":irc.example 471 dave #tea :{}");
    dave.say("JOIN #tea,#den wrong,x");
    dave.sees(":irc.example 475 dave #tea :{}");
    dave.sees(":dave!{} JOIN #den");
    dave.until(":irc.example 366 dave #den :{}");
    dave.say("MODE #tea");
    dave.sees(":irc.example 324 dave #tea +kln * 3");
    alice.say("MODE #tea");
    alice.sees(":irc.example 324 alice #tea +kln beer 3");
    alice.say("MODE #tea -k anything");
    alice.sees(":alice!{} MODE #tea -k {}*");
    bob.sees("-- alice removed the password of the room");
    bob.say("/room limit 9");
    bob.sees("-- Only keepers can do that; /keeper lists them");
}

#[test]
fn a_moderated_room_hears_keepers_and_voices() {
    let server = server();
    let mut alice = server.guest_at(1).enter("alice");
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    alice.say("/room moderated");
    alice.sees("-- alice lets only keepers and people with a voice speak");
    let mut bob = Chatter::connect(server.addresses()[0]).enter("bob");
    bob.joins("#tea");
    alice.sees("bob has arrived");
    bob.say("PRIVMSG #tea :hi");
    bob.sees(":irc.example 404 bob #tea :{}");
    assert_eq!(status(server.addresses()[2], "POST", "/tea?name=ci", "built"), 403);
    alice.say("/voice bob");
    alice.sees("-- alice gave bob a voice");
    bob.sees(":alice!{} MODE #tea +v {}bob");
    bob.say("PRIVMSG #tea :hello");
    alice.sees("bob: hello");
    bob.say("NAMES #tea");
    let names = bob.sees(":irc.example 353 bob = #tea :{}");
    assert!(names.line.contains("+bob") && names.line.contains("@alice"), "{names:?}");
    bob.sees(":irc.example 366 bob #tea :{}");
    alice.say("/voice -bob");
    alice.sees("-- alice took the voice of bob");
    bob.sees(":alice!{} MODE #tea -v {}bob");
    bob.say("PRIVMSG #tea :hello?");
    bob.sees(":irc.example 404 bob #tea :{}");
    alice.say("/room moderated off");
    alice.sees("-- alice lets everybody speak");
    bob.sees(":alice!{} MODE #tea -m");
    alice.say("/room moderated off");
    alice.sees("-- It is so already");
}
