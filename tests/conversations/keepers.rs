//! Keepers for the time being, at every door: the person who makes a room keeps it while there.

use crate::support::{Chatter, TestServer, Visitor};

/// IRC, netcat, browsers.
const DOORS: [&str; 3] =
    ["irc://127.0.0.1:0?server=irc.example", "tcp://127.0.0.1:0", "http://127.0.0.1:0"];

fn server() -> TestServer {
    TestServer::open(&DOORS, |_| {})
}

#[test]
fn the_maker_of_a_room_with_irc_is_its_operator_while_there() {
    let server = server();
    let mut alice = Chatter::connect(server.addresses()[0]).enter("alice");
    alice.say("JOIN #tea");
    alice.sees_all([
        ":alice!alice@irc JOIN #tea",
        ":irc.example 353 alice = #tea :@alice",
        ":irc.example 366 alice #tea :{}",
    ]);
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join tea");
    bob.sees("In tea: alice");
    alice.sees(":bob!{}@nc JOIN #tea");
    bob.say("/kick alice");
    bob.sees("-- Only keepers can do that; /keeper lists them");
    bob.say("/keeper");
    bob.sees("-- Keepers of tea: alice (for the time being)");
    bob.sees("-- Keepers of the server: nobody");
    alice.say("MODE #tea +o bob");
    alice.sees(":alice!{}@{} MODE #tea +o bob");
    bob.sees("-- alice made bob a keeper for the time being");
    bob.say("/topic lock");
    bob.sees("-- bob locked the topic: only keepers can change it");
    alice.sees(":bob!{}@{} MODE #tea +t");
    bob.say("/mute alice");
    bob.sees("-- alice keeps this room, too; first end that with /keeper -alice");
    alice.say("MODE #tea -o alice");
    alice.sees(":alice!{}@{} MODE #tea -o alice");
    bob.sees("-- alice removed alice as a keeper");
    alice.say("NAMES #tea");
    let names = alice.sees(":irc.example 353 alice = #tea :{}");
    assert!(names.line.contains("@bob"), "{names:?}");
    alice.sees(":irc.example 366 alice #tea :{}");
    bob.say("/kick alice so long");
    bob.sees("alice was removed by bob: so long");
    alice.sees(":bob!{}@{} KICK #tea alice :so long");
    alice.say("MODE #lobby +o alice");
    alice.sees(":irc.example 442 alice #lobby :{}");
}

#[test]
fn a_browser_and_netcat_keep_their_new_rooms_alike() {
    let server = server();
    let mut carol = Visitor::connect(server.addresses()[2]).enter("carol");
    carol.asks(r#"{"do":"join","room":"den","id":"j"}"#);
    assert_eq!(carol.until_done("j")[0]["keeps"], true);
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join den");
    bob.sees("In den: carol");
    carol.asks(r#"{"do":"ban","room":"den","args":["bob","no","netcat"],"id":"b"}"#);
    bob.sees("-- You are banned from den by carol: no netcat");
    bob.sees("In lobby: carol");
    bob.say("/join den");
    bob.sees("-- You are banned from den by carol: no netcat");
    carol.until_done("b");
    carol.asks(r#"{"do":"keeper","room":"den","id":"k"}"#);
    let answers = carol.until_done("k");
    let keepers = answers.iter().find(|answer| answer["about"] == "keepers").unwrap();
    assert_eq!((&keepers["names"], &keepers["for_now"]), (&[""; 0].into(), &["carol"].into()));
    carol.asks(r#"{"do":"leave","room":"den","id":"l"}"#);
    carol.until_done("l");
    bob.say("/join den"); // the ban has ended with the room
    bob.sees("In den: nobody else");
    bob.sees("-- You keep this room while you are here");
}
