//! Lines for one person, and lines hidden from one: `/msg`, `/ignore`, `/quiet`.

use parlor::config::RateLimit;

use crate::support::{Guest, TestServer, Visitor};

#[test]
fn a_private_message_is_read_by_two() {
    let server = TestServer::named();
    let [mut alice, mut bob, mut carol] = server.friends(["alice", "bob", "carol"]);
    alice.say("/msg Bob  psst, it is me");
    alice.sees("[alice -> bob] psst, it is me");
    bob.sees("[alice -> bob] psst, it is me");
    bob.say("/join tea");
    bob.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    for guest in [&mut alice, &mut carol] {
        guest.sees("bob has left");
    }
    alice.say("/msg bob also in another room");
    alice.sees("[alice -> bob] also in another room");
    bob.sees("[alice -> bob] also in another room");
    alice.say("that was all");
    carol.sees("alice: that was all");
    carol.say("/last");
    carol.sees_replayed("alice: that was all");
    carol.say("nothing else is kept");
    carol.sees("carol: nothing else is kept");
}

#[test]
fn a_private_message_may_be_refused() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for (typed, refusal) in [
        ("/msg", "Type /msg NAME TEXT: it sends a private message"),
        ("/msg bob", "Type /msg NAME TEXT: it sends a private message"),
        ("/msg dave hello", "Nobody here is called dave; /who lists the people in this room"),
        // The name only looks like bob's; no person has it.
        ("/msg b0b hello", "Nobody here is called b0b; /who lists the people in this room"),
        ("/msg Alice hello", "That is you; choose somebody else"),
    ] {
        alice.say(typed);
        alice.sees(&format!("-- {refusal}"));
    }
    alice.say("/msg bob hello");
    bob.sees("[alice -> bob] hello");
}

#[test]
fn a_client_that_does_not_read_gets_no_more_mail_and_keeps_all_delivered_mail() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| config.rate = RateLimit::Off);
    let mut alice = server.enter("alice");
    let mut bob = Guest::connect_narrow(server.addresses()[0]).enter("bob");
    alice.sees("bob has arrived");
    let letter = |number: usize| format!("{number} {}", "x".repeat(4_000));
    let mut delivered = 0;
    loop {
        alice.say(&format!("/msg bob {}", letter(delivered)));
        let answer = alice.line();
        if answer == "-- bob is not reading; the message was not delivered" {
            break;
        }
        assert_eq!(answer, format!("[alice -> bob] {}", letter(delivered)));
        delivered += 1;
        assert!(delivered < 10_000, "a mailbox has an end");
    }
    for number in 0..delivered {
        bob.sees(&format!("[alice -> bob] {}", letter(number)));
    }
    alice.say("/msg bob now?");
    alice.sees("[alice -> bob] now?");
    bob.sees("[alice -> bob] now?");
}

#[test]
fn a_slow_reader_gets_mail_and_answers_where_they_belong() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| config.rate = RateLimit::Off);
    let mut alice = server.enter("alice");
    let mut bob = Guest::connect_narrow(server.addresses()[0]).enter("bob");
    alice.sees("bob has arrived");
    let long = "x".repeat(4_000);
    for _ in 0..300 {
        alice.say(&long);
        alice.sees(&format!("alice: {long}"));
    }
    alice.say("/msg bob between the lines");
    alice.sees("[alice -> bob] between the lines");
    bob.say("/topic");
    bob.say("two");
    alice.sees("bob: two");
    alice.say("/quit");
    alice.sees_end();
    for _ in 0..300 {
        bob.sees(&format!("alice: {long}"));
    }
    bob.sees_all([
        "[alice -> bob] between the lines",
        "-- lobby has no topic; /topic TEXT sets one",
        "bob: two",
        "alice has left",
    ]);
}

#[test]
fn an_ignored_person_is_hidden_under_every_name() {
    let server = TestServer::named();
    let [mut alice, mut bob, mut carol] = server.friends(["alice", "bob", "carol"]);
    alice.say("/ignore Bob");
    alice.sees("-- You no longer see lines from bob; /unignore bob shows them again");
    bob.say("Hi!");
    bob.say("/me waves");
    bob.say("/msg alice psst");
    bob.sees_all(["bob: Hi!", "* bob waves", "[bob -> alice] psst"]);
    carol.sees_all(["bob: Hi!", "* bob waves"]);
    carol.say("did you hear bob?");
    alice.sees("carol: did you hear bob?");
    bob.sees("carol: did you hear bob?");
    bob.say("/name rob");
    bob.sees("You are rob");
    alice.sees("bob is now known as rob");
    bob.say("and now?");
    bob.sees("rob: and now?");
    carol.sees_all(["carol: did you hear bob?", "bob is now known as rob", "rob: and now?"]);
    bob.say("/topic listen to me"); // a topic is speech, too
    bob.sees("rob changed the topic to: listen to me");
    carol.sees("rob changed the topic to: listen to me");
    carol.say("and rob?");
    alice.sees("carol: and rob?");
    bob.sees("carol: and rob?");
    alice.say("/unignore rob");
    alice.sees("-- You see lines from rob again");
    bob.say("at last");
    alice.sees("rob: at last");
}

#[test]
fn an_ignored_person_who_reconnects_is_still_ignored() {
    let server = TestServer::named();
    let [mut alice, bob] = server.friends(["alice", "bob"]);
    alice.say("/ignore bob");
    alice.sees("-- You no longer see lines from bob; /unignore bob shows them again");
    drop(bob);
    alice.sees("bob has left");
    let mut bob = server.enter("bob");
    alice.sees("bob has arrived");
    bob.say("it is me again");
    bob.sees("bob: it is me again");
    bob.say("/quit listen to me");
    bob.sees_end();
    alice.say("nothing was heard");
    alice.sees("alice: nothing was heard");
}

#[test]
fn ignoring_may_be_refused() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    for (typed, refusal) in [
        ("/ignore", "Type /ignore NAME: it hides a person's lines, also under a new name"),
        ("/ignore dave", "Nobody here is called dave; /who lists the people in this room"),
        ("/ignore alice", "That is you; choose somebody else"),
        ("/unignore", "Type /unignore NAME: it shows a person's lines again"),
        ("/unignore dave", "You are not ignoring dave"),
    ] {
        alice.say(typed);
        alice.sees(&format!("-- {refusal}"));
    }
}

#[test]
fn quiet_hides_arrivals_and_departures() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for command in ["/quiet", "/quiet on"] {
        alice.say(command);
        alice.sees("-- You no longer see arrivals and departures; /quiet off shows them again");
    }
    let mut carol = server.enter("carol");
    bob.sees("carol has arrived");
    carol.say("Hi!");
    alice.sees("carol: Hi!");
    bob.sees("carol: Hi!");
    carol.say("/name caro");
    alice.sees("carol is now known as caro");
    bob.sees("carol is now known as caro");
    carol.say("/quit");
    bob.sees("caro has left");
    alice.say("/quiet perhaps");
    alice.sees("-- Type /quiet [off]: it hides arrivals and departures");
    alice.say("/quiet off");
    alice.sees("-- You see arrivals and departures again");
    let _dave = server.enter("dave");
    alice.sees("dave has arrived");
}

#[test]
fn mail_after_hidden_entries_arrives_at_once() {
    let server = TestServer::open(&["tcp://127.0.0.1:0"], |config| config.rate = RateLimit::Off);
    let mut alice = server.enter("alice");
    alice.say("/quiet");
    alice.sees("-- You no longer see arrivals and departures; /quiet off shows them again");
    for _ in 0..100 {
        let mut bob = server.guest();
        bob.send("bob\n/msg alice psst\n");
        alice.sees("[bob -> alice] psst");
        bob.say("/quit");
        bob.rest();
    }
    for name in ["al", "alice"].repeat(50) {
        alice.say(&format!("/name {name}"));
        alice.sees(&format!("You are {name}"));
    }
}

#[test]
fn away_is_said_and_ended_at_every_door() {
    let server = TestServer::open(&["tcp://127.0.0.1:0", "http://127.0.0.1:0"], |_| {});
    let mut alice = server.guest_at(0).enter("alice");
    let mut bob = server.guest_at(0).enter("bob");
    alice.sees("bob has arrived");
    bob.say("/away at lunch");
    bob.sees("-- You are away: at lunch; type /away when you are back");
    alice.say("/msg bob hi");
    alice.sees_all(["[alice -> bob] hi", "-- bob is away: at lunch"]);
    bob.sees("[alice -> bob] hi");
    bob.say("/join tea"); // and is reminded of it
    bob.sees_all(["In tea: nobody else", "-- You keep this room while you are here"]);
    bob.sees("-- You are away: at lunch; type /away when you are back");
    alice.sees("bob has left");
    bob.say("/away");
    bob.sees("-- You are back");
    alice.say("/msg bob hi");
    alice.sees("[alice -> bob] hi");
    bob.sees("[alice -> bob] hi");
    let mut carol = Visitor::connect(server.addresses()[1]).enter("carol");
    alice.sees("carol has arrived");
    carol.asks(r#"{"do":"away","args":["asleep"],"id":"a"}"#);
    let answer = &carol.until_done("a")[0];
    assert_eq!((&answer["about"], &answer["words"]), (&"away".into(), &"asleep".into()));
    carol.asks(r#"{"do":"join","room":"tea","id":"j"}"#);
    assert_eq!(carol.until_done("j")[0]["away"], "asleep");
    alice.say("/msg carol hi");
    alice.sees_all(["[alice -> carol] hi", "-- carol is away: asleep"]);
    assert_eq!(carol.hears("private")["words"], "hi");
    carol.asks(r#"{"do":"away","id":"b"}"#);
    assert_eq!(carol.until_done("b")[0]["about"], "back");
    bob.sees("carol has arrived");
    bob.say("/away x");
    bob.sees("-- You are away: x; type /away when you are back");
    carol.asks(r#"{"do":"msg","args":["bob hi"],"id":"m"}"#);
    let told = carol.until_done("m");
    let away = told.iter().find(|message| message["about"] == "is-away").unwrap();
    assert_eq!((&away["name"], &away["words"]), (&"bob".into(), &"x".into()));
}
