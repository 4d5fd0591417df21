//! The people here and their names: `/who`, `/name`, `/me`, `/quit`.

use crate::support::TestServer;

#[test]
fn people_are_listed_here_and_in_another_room() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("Hi!");
    bob.sees("alice: Hi!");
    for command in ["/who", "/names", "/WHO", "/who lobby", "/who Lobby"] {
        bob.say(command);
        bob.sees_all(["-- 2 people are in lobby:", "--   alice, active", "--   bob, active"]);
    }
    alice.say("/join tea");
    bob.sees("alice has left");
    bob.say("/who tea");
    bob.sees_all(["-- 1 person is in tea:", "--   alice, active"]);
    bob.say("/who coffee");
    bob.sees("-- There is no room coffee; /rooms lists the rooms, /join coffee creates it");
    bob.say("/who no room");
    bob.sees("-- A name is one word; write - or _ instead of a blank");
}

#[test]
fn a_new_name_is_announced_once() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("/name al");
    alice.sees("You are al");
    bob.sees("alice is now known as al");
    alice.say("/nick  Al "); // her own name in another case counts as free
    alice.sees("You are Al");
    bob.sees("al is now known as Al");
    alice.say("/name Al"); // this changes nothing, so bob reads nothing
    alice.sees("You are Al");
    alice.say("Hi!");
    alice.sees("Al: Hi!");
    bob.sees("Al: Hi!");
    bob.say("/name alice"); // the name is free now
    bob.sees("You are alice");
    alice.sees("bob is now known as alice");
}

#[test]
fn a_new_name_is_refused_like_the_first() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for (typed, refusal) in [
        ("/name", "Type /name NEW: it takes another name"),
        ("/name b0b", "b0b is taken, or looks like a name that is taken; choose another name"),
        ("/name 42", "A name needs at least one letter"),
        ("/name server", "server is reserved; choose another name"),
        ("/name al ice", "A name is one word; write - or _ instead of a blank"),
    ] {
        alice.say(typed);
        alice.sees(&format!("-- {refusal}"));
    }
    alice.say("it is still me");
    alice.sees("alice: it is still me");
    bob.sees("alice: it is still me");
}

#[test]
fn an_action_is_shown_with_a_star() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("/me waves");
    alice.sees("* alice waves");
    bob.sees("* alice waves");
    alice.say("/me  ");
    alice.sees("-- Type /me ACTION: it says what you are doing: /me waves shows * alice waves");
}

#[test]
fn the_others_read_the_last_words_of_a_person_who_quits() {
    let server = TestServer::named();
    let [mut alice, mut bob, mut carol] = server.friends(["alice", "bob", "carol"]);
    alice.send("good night\n/quit see you tomorrow\nand this is too late\n");
    alice.sees("alice: good night");
    alice.sees_end();
    bob.say("/quit");
    bob.sees_all(["alice: good night", "alice has left (see you tomorrow)"]);
    bob.sees_end();
    carol.sees_all(["alice: good night", "alice has left (see you tomorrow)", "bob has left"]);
}
