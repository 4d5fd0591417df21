//! Rooms: `/rooms`, `/join`, `/topic`.

use crate::support::TestServer;

/// The last line of the list of rooms.
const HOW_TO_JOIN: &str = "-- /join ROOM enters a room, or creates it";

/// The first in a new room reads this.
const KEEPS: &str = "-- You keep this room while you are here";

#[test]
fn joining_leaves_one_room_and_enters_the_other() {
    let server = TestServer::named();
    let [mut alice, mut bob, mut carol] = server.friends(["alice", "bob", "carol"]);
    carol.say("/join Tea");
    carol.sees_all(["In tea: nobody else", KEEPS]);
    alice.sees("carol has left");
    bob.sees("carol has left");
    alice.send("goodbye\n/join tea\nhello\n");
    alice.sees_all(["alice: goodbye", "In tea: carol", "alice: hello"]);
    bob.sees_all(["alice: goodbye", "alice has left"]);
    carol.sees_all(["alice has arrived", "alice: hello"]);
    // Neither room hears the other.
    bob.say("in the lobby");
    bob.sees("bob: in the lobby");
    carol.say("at tea");
    carol.sees("carol: at tea");
    alice.sees("carol: at tea");
    alice.say("/join lobby");
    alice.sees("In lobby: bob");
    alice.sees_replayed("alice: goodbye");
    alice.sees_replayed("bob: in the lobby");
    bob.sees("alice has arrived");
    carol.sees("alice has left");
}

#[test]
fn a_room_is_listed_until_it_is_empty() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for command in ["/rooms", "/list"] {
        bob.say(command);
        bob.sees_all(["-- lobby, 2 people", HOW_TO_JOIN]);
    }
    alice.say("/join tea");
    alice.sees_all(["In tea: nobody else", KEEPS]);
    alice.say("/topic Darjeeling");
    alice.sees("alice changed the topic to: Darjeeling");
    bob.sees("alice has left");
    bob.say("/rooms");
    bob.sees_all(["-- lobby, 1 person", "-- tea, 1 person: Darjeeling", HOW_TO_JOIN]);
    alice.say("/join lobby");
    bob.sees("alice has arrived");
    alice.sees("In lobby: bob");
    alice.say("back");
    alice.sees("alice: back");
    alice.say("/rooms");
    alice.sees_all(["-- lobby, 2 people", HOW_TO_JOIN]);
    alice.say("/join tea"); // a new room, without the topic
    alice.sees_all(["In tea: nobody else", KEEPS]);
    alice.say("/topic");
    alice.sees("-- tea has no topic; /topic TEXT sets one");
}

#[test]
fn a_move_that_is_refused_changes_nothing() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| config.rooms = 2);
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    bob.say("/join tea");
    bob.sees_all(["In tea: nobody else", KEEPS]);
    alice.sees("bob has left");
    for (typed, refusal) in [
        ("/join", "Type /join ROOM [PASSWORD]: it enters another room"),
        ("/join lobby", "You are already in lobby"),
        ("/join LOBBY", "You are already in lobby"),
        ("/join the big lobby", "A name is one word; write - or _ instead of a blank"),
        ("/join #tea", "A name can contain only letters, digits, -, _ and .; leave out #"),
        ("/join coffee", "There are 2 rooms, the most allowed here; join one that /rooms lists"),
    ] {
        alice.say(typed);
        alice.sees(&format!("-- {refusal}"));
    }
    alice.say("still here");
    alice.sees("alice: still here");
    alice.say("/join tea");
    alice.sees("In tea: bob");
    bob.sees("alice has arrived");
}

#[test]
fn a_topic_is_set_shown_and_cleared() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("/topic");
    alice.sees("-- lobby has no topic; /topic TEXT sets one");
    alice.say("/topic  cakes and pies ");
    for guest in [&mut alice, &mut bob] {
        guest.sees("alice changed the topic to: cakes and pies");
    }
    bob.say("/topic");
    bob.sees("-- Topic of lobby: cakes and pies");
    let mut carol = server.guest();
    carol.sees_question();
    carol.say("carol");
    carol.sees_all([
        "You are carol",
        "In lobby: alice, bob",
        "-- Topic: cakes and pies",
        "-- /help lists what you can type",
        "-- Lines here are not stored: they are gone when the server stops",
    ]);
    for guest in [&mut alice, &mut bob] {
        guest.sees("carol has arrived");
    }
    carol.say("/topic -");
    for guest in [&mut alice, &mut bob, &mut carol] {
        guest.sees("carol cleared the topic");
    }
    alice.say("/topic");
    alice.sees("-- lobby has no topic; /topic TEXT sets one");
}
