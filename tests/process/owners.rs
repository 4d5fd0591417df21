//! Registered names: they have a password, several connections, and messages for absent owners.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::process::Signal;

use crate::admin::done;
use crate::data::{Data, STORED, enter};
use crate::guessing::refusal;
use crate::guest::Guest;
use crate::server::Server;

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const ASKED: &str =
    "-- alice is registered: type its password (Enter to go without this name)";

/// Registers the name alice, which the guest wears.
pub(crate) fn register(alice: &mut Guest, password: &str) {
    register_as(alice, "alice", password);
}

/// Registers this name, which the guest wears.
pub(crate) fn register_as(guest: &mut Guest, name: &str, password: &str) {
    guest.say("/register");
    guest.until(&format!("-- Type a password for {name}; nobody else sees it (Enter to cancel)"));
    guest.say(password);
    guest.until("-- Type the password again");
    guest.say(password);
    guest.until(&format!("-- {name} is registered: this name needs your password from now on"));
}

/// Changes the password of alice from [`PASSWORD`] to "another horse".
pub(crate) fn change_password(alice: &mut Guest) {
    alice.send(format!("/register\n{PASSWORD}\nanother horse\nanother horse\n").as_bytes());
    alice.lines_until("the new password", |line| line.starts_with("-- alice has a new password"));
}

/// Enters as alice with this password.
pub(crate) fn come_back(server: &Server, password: &str) -> Guest {
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.until(ASKED);
    alice.say(password);
    alice.until(STORED);
    alice
}

#[test]
fn a_registered_name_needs_its_password_also_after_a_restart() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    register(&mut alice, "/a password, with a slash");
    alice.say("hello");
    alice.until("alice: hello");
    assert_eq!(bob.until("alice: hello"), ["alice: hello"], "no word of it");
    server.close([alice, bob]);

    let server = data.open(&[]);
    let mut mallory = Guest::connect(server.address);
    for name in ["ALICE", "a1ice"] {
        mallory.say(name);
        if name == "a1ice" {
            mallory.until(
                "-- a1ice is taken, or looks like a name that is taken; choose another name",
            );
            continue;
        }
        for guess in ["alice", "password", ""] {
            mallory.until(ASKED);
            mallory.say(guess);
            if !guess.is_empty() {
                mallory.until("-- That is not the password of alice");
            }
        }
        mallory.until("-- alice is registered; choose another name");
    }
    mallory.say("mallory");
    mallory.lines_until("the lines stored", |line| line.ends_with("alice: hello"));
    mallory.say("/name alice");
    mallory.until(ASKED);
    for guess in ["let me in", "/who", "sesame"] {
        mallory.say(guess);
        mallory.until("-- That is not the password of alice");
    }
    mallory.until(ASKED);
    mallory.say("");
    mallory.until("-- alice is registered; choose another name");
    let mut alice = Guest::connect(server.address);
    alice.say("Alice");
    alice.until(ASKED);
    alice.say("/a password, with a slash");
    alice.until("You are Alice");
    alice.say("/name al");
    alice.until("You are al");
    mallory.until("Alice is now known as al");
    alice.say("/name alice"); // still logged in, so nothing is asked
    alice.until("You are alice");
    server.close([alice, mallory]);
}

#[test]
fn a_name_released_while_its_password_is_asked_for_is_like_any_other() {
    const RELEASED: &str =
        "-- alice is no longer registered and needs no password: choose it again, or another name";
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let mut bob = enter(&server, "bob");
    bob.say("/name alice");
    let mut late = Guest::connect(server.address);
    late.say("alice");
    for guest in [&mut bob, &mut late] {
        guest.until(ASKED);
    }
    done(&data, &["name", "release", "alice"]);
    alice.rest();
    bob.until("alice was removed by the operator: this name is no longer registered");
    for guest in [&mut bob, &mut late] {
        guest.say(PASSWORD);
        guest.until(RELEASED);
    }
    bob.say("/name alice");
    bob.until("You are alice");
    late.say("alice");
    late.until("-- alice is taken, or looks like a name that is taken; choose another name");
    server.close([bob, late]);
}

#[test]
fn an_address_may_try_ten_wrong_passwords() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    // From an address that alice has not used.
    let stranger = Ipv4Addr::new(127, 0, 0, 9).into();
    let mut mallory = Guest::connect_from(stranger, server.address);
    mallory.say("alice");
    for _ in 0..10 {
        mallory.until(ASKED);
        mallory.say("or this?");
        mallory.until("-- That is not the password of alice");
    }
    mallory.until(ASKED);
    mallory.say(PASSWORD);
    refusal(&mut mallory);
    server.close([alice, mallory]);
}

#[test]
fn many_connections_of_one_address_get_no_more_tries() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let mut guesses: Vec<_> = (0..30).map(|_| Guest::connect(server.address)).collect();
    for guess in &mut guesses {
        guess.send(b"alice\nis it this one?\n");
    }
    let answer = |guess: &mut Guest| {
        guess.until(ASKED);
        guess.line()
    };
    let answers: Vec<_> = guesses.iter_mut().map(answer).collect();
    let wrong = answers.iter().filter(|line| line.starts_with("-- That is not "));
    assert_eq!(wrong.count(), 10, "{answers:?}");
    let rest = answers.iter().filter(|line| line.starts_with("-- Too many tries; "));
    assert_eq!(rest.count(), 20, "{answers:?}");
    server.close((alice, guesses));
}

#[test]
fn a_registered_name_cannot_be_taken_in_letters_that_look_alike() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    let mut mallory = enter(&server, "aiice");
    register_as(&mut mallory, "aiice", "my own horse");
    for name in ["ALlCE", "a1ice"] {
        mallory.say(&format!("/name {name}"));
        let refused =
            format!("-- {name} is taken, or looks like a name that is taken; choose another name");
        mallory.until(&refused);
    }
    mallory.say("/name AIice"); // the same name in letters that look alike
    mallory.until("-- AIice is taken, or looks like a name that is taken; choose another name");
    mallory.say("/name Aiice");
    mallory.until("You are Aiice");
    let again = come_back(&server, PASSWORD);
    server.close((alice, again, mallory));
}

#[test]
fn an_owner_may_use_several_spellings_of_the_name_at_once() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let mut first = enter(&server, "mike"); // which looks like rnike; Mike does not
    register_as(&mut first, "mike", PASSWORD);
    let come = |name: &str| {
        let mut guest = Guest::connect(server.address);
        guest.send(format!("{name}\ncorrect horse\n").as_bytes());
        guest.until(&format!("You are {name}"));
        guest
    };
    for _ in 0..2 {
        let mut second = come("Mike");
        second.say("hello");
        bob.until("Mike: hello");
        bob.say("/who");
        bob.until("-- 2 people are in lobby:");
        drop(first);
        second.say("/name mike");
        second.until("You are mike");
        second.say("/name MIKE");
        second.until("You are MIKE");
        drop(second);
        bob.until("MIKE has left");
        first = come("mike");
    }
    server.close((bob, first));
}

#[test]
fn an_invalid_password_changes_nothing() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut somebody = Guest::connect(server.address);
    somebody.say("");
    somebody.until(STORED);
    somebody.say("/register");
    somebody.until("-- You have no name to register; /name NEW takes one");
    alice.send(b"/register\n\n");
    alice.until("-- No password typed; nothing is changed");
    alice.say("nothing is said of it");
    let lines = somebody.until("alice: nothing is said of it");
    assert_eq!(lines.len(), 1, "{lines:?}");
    drop(alice);
    somebody.until("alice has left");
    enter(&server, "alice");
    server.close([somebody]);
}

#[test]
fn a_refused_password_is_asked_for_again_until_it_is_valid_or_cancelled() {
    const NEW: &str = "-- Type a password for alice; nobody else sees it (Enter to cancel)";
    const AGAIN: &str = "-- Type the password again";
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    for (first, second, why) in [
        ("seven77", None, "A password needs at least 8 characters: try again"),
        (
            "/msg bob secret",
            None,
            "A command cannot be a password: try again, or press Enter to cancel",
        ),
        (
            "/REGISTER now",
            None,
            "A command cannot be a password: try again, or press Enter to cancel",
        ),
        ("correct horse", Some("correct house"), "The two passwords differ: try again"),
    ] {
        // In one packet: the text after the command answers the repeated question.
        let second = second.map(|second| format!("{second}\n")).unwrap_or_default();
        alice.send(format!("/register\n{first}\n{second}correct mule\n").as_bytes());
        alice.until(&format!("-- {why}"));
        assert_eq!(alice.line(), NEW);
        assert_eq!(alice.line(), AGAIN);
        alice.say("");
        alice.until("-- No password typed; nothing is changed");
    }
    alice.send(b"/register\nshort\ncorrect horse\ncorrect horse\nnow\n");
    alice.until("-- alice is registered: this name needs your password from now on");
    assert_eq!(bob.line(), "alice: now", "no word of it");

    // After a refused password for a registered name, the next guess is neither posted nor used as
    // a name.
    bob.send(b"/name alice\none\n/two\n\xc3three\nfour\nfive\n\nbob again\n");
    bob.until("bob: bob again");
    alice.until("alice: now");
    assert_eq!(alice.line(), "bob: bob again");
    let mut carol = Guest::connect(server.address);
    carol.send(b"alice\none\ntwo\nthree\nfour\n\ncarol\n");
    carol.until(STORED);
    assert_eq!(alice.line(), "carol has arrived");
    server.close([alice, bob, carol]);
}

#[test]
fn passwords_pasted_after_a_refused_command_are_not_said() {
    const DROPPED: &str = "-- The 2 lines after it may hold a password, so they were not sent; \
        send them again if they do not";
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let mut nameless = Guest::connect(server.address);
    nameless.send(b"\n/register\ncorrect horse\ncorrect horse\nhello\n");
    nameless.until(DROPPED);
    let heard = bob.lines_until("hello", |line| line.ends_with(": hello"));
    assert_eq!(heard.len(), 2, "the arrival, and hello: {heard:?}");
    server.close([bob, nameless]);

    let server = Server::open(&["--memory"]);
    let mut alice = Guest::enter(server.address, "alice");
    alice.send(b"/register\ncorrect horse\ncorrect horse\nhello\n");
    alice.until(DROPPED);
    assert_eq!(alice.line(), "alice: hello");
    server.close([alice]);
}

#[test]
fn an_owner_on_several_connections_is_one_person() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut bob = enter(&server, "bob");
    let mut first = enter(&server, "alice");
    register(&mut first, PASSWORD);
    let mut second = come_back(&server, PASSWORD);
    second.say("from the second");
    first.until("alice: from the second");
    bob.say("/who");
    bob.until("-- 2 people are in lobby:");
    bob.say("/msg alice to both");
    for guest in [&mut first, &mut second] {
        guest.until("[bob -> alice] to both");
    }
    second.say("/msg alice to myself");
    second.until("-- That is you; choose somebody else");
    drop(first);
    second.say("still here");
    let heard = bob.until("alice: still here");
    assert!(!heard.iter().any(|line| line.contains("has ")), "{heard:?}");
    drop(second);
    bob.until("alice has left");
    server.close([bob]);
}

#[test]
fn a_message_to_an_absent_owner_is_shown_on_return() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    let mut bob = enter(&server, "bob");
    alice.until("bob has arrived");
    register(&mut alice, PASSWORD);
    drop(alice);
    bob.until("alice has left");
    for text in ["boysenberry", "two"] {
        bob.say(&format!("/msg alice {text}"));
        bob.until(STORED_FOR_ALICE);
    }
    assert_ne!(data.traces("boysenberry"), 0);
    bob.say("/msg carol three");
    bob.until("-- Nobody here is called carol; /who lists the people in this room");
    server.close([bob]);

    let mut server = data.open(&[]);
    let mut alice = come_back(&server, PASSWORD);
    alice.until("-- 2 messages while you were away");
    for text in ["boysenberry", "two"] {
        assert!(alice.line().ends_with(&format!("] [bob -> alice] {text}")));
    }
    alice.say("/topic");
    alice.line(); // the session has deleted the messages before it reads this request
    let mut again = come_back(&server, PASSWORD);
    again.say("read");
    assert_eq!(again.until("alice: read").len(), 1, "they are shown once");
    server.kill(); // it may have deleted the traces already, as it does soon after its start

    // Messages that were read are in no file, not even in the WAL.
    let server = data.open(&["--replay", "0"]);
    let mut carol = enter(&server, "carol");
    data.until_gone("boysenberry", &mut carol);
    server.close([carol]);
}

pub(crate) const STORED_FOR_ALICE: &str = "-- alice is away and gets your message on return";
const FULL: &str = "-- alice is away";

/// Whether a message to alice, who is away, is stored.
fn is_stored(guest: &mut Guest) -> bool {
    guest.say("/msg alice hello");
    let lines = guest.lines_until("an answer", |line| line.starts_with(FULL));
    lines.last().unwrap() == STORED_FOR_ALICE
}

/// Returns how many of this many messages to alice are stored.
fn stored(guest: &mut Guest, messages: usize) -> usize {
    (0..messages).filter(|_| is_stored(guest)).count()
}

#[test]
fn no_sender_fills_a_mailbox_for_the_others_under_any_name() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = enter(&server, "alice");
    register(&mut alice, PASSWORD);
    server.close([alice]);
    let server = data.open(&[]);
    let mut mallory = enter(&server, "mallory");
    let mut sent = 0;
    for round in 0..5 {
        mallory.say(&format!("/name mallory{round}"));
        mallory.until(&format!("You are mallory{round}"));
        sent += stored(&mut mallory, 10);
    }
    assert_eq!(sent, 20, "one person, whatever the name");
    let mut bob = enter(&server, "bob");
    assert!(is_stored(&mut bob), "another one");
    // Many connections from one address fill the share of the address, and all strangers together
    // fill theirs.
    let from = |last: u8, name: &str| {
        let address = Ipv4Addr::new(127, 0, 0, last).into();
        let mut guest = Guest::connect_from(address, server.address);
        guest.say(name);
        guest.until(STORED);
        guest
    };
    let mut strangers: Vec<_> =
        (0..4).map(|number| from(7, &format!("stranger{number}"))).collect();
    let filled: usize = strangers.iter_mut().map(|guest| stored(guest, 20)).sum();
    assert_eq!(filled, 39, "60 of strangers in all");
    assert!(!is_stored(&mut bob));
    // Owners of registered names still have places, and keepers have places when owners have used
    // up theirs.
    let mut owners = Vec::new();
    for name in ["carol", "dave"] {
        let mut owner = enter(&server, name);
        register_as(&mut owner, name, PASSWORD);
        owners.push(owner);
    }
    assert_eq!(stored(&mut owners[0], 25), 20);
    assert_eq!(stored(&mut owners[1], 25), 10, "90 of strangers and owners");
    crate::admin::done(&data, &["keeper", "add", "carol"]);
    assert!(!is_stored(&mut owners[0]), "carol has had her share");
    crate::admin::done(&data, &["keeper", "add", "dave"]);
    assert_eq!(stored(&mut owners[1], 12), 10, "100 in all, and 20 of one");
    server.close(([mallory, bob], strangers, owners));
}

#[test]
fn another_machine_is_not_asked_for_a_password_in_the_clear() {
    let Some(here) = another_address() else {
        return crate::skip("no password in the clear: this machine has no address but loopback");
    };
    let data = Data::new();
    let server = Server::run(data.parlor(), &["--listen", "tcp://*:0"]);
    let port = server.address.port();
    let refused = "-- This connection is not encrypted and others could read a password, so none is asked for; \
        the operator can allow that with --allow-plain-passwords";
    // To the server, a connection between two addresses of this machine looks like one from another
    // machine.
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stranger = Guest::connect_from(here, to);
    stranger.say("alice");
    stranger.until(STORED);
    stranger.say("/register");
    stranger.until(refused);
    drop(stranger);
    server.close::<[Guest; 0]>([]);
}

/// An address of this machine that is not loopback.
pub(crate) fn another_address() -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    let mut addresses = interfaces.iter().map(if_addrs::Interface::ip);
    addresses.find(|ip| ip.is_ipv4() && !ip.is_loopback())
}

#[test]
fn a_telnet_client_hides_a_password() {
    let data = Data::new();
    let server = data.open(&[]);
    let mut alice = Guest::connect(server.address);
    alice.send(b"alice\r\n");
    alice.until(STORED);
    alice.send(b"/register\r\n");
    alice.bytes_until(
        b"\xff\xfb\x01-- Type a password for alice; nobody else sees it (Enter to cancel)\r\n",
    );
    alice.send(b"\xff\xfd\x01correct horse\r\n"); // DO ECHO: the client accepts the offer
    alice.bytes_until(b"\xff\xfc\x01\xff\xfb\x01-- Type the password again\r\n");
    alice.send(b"correct horse\r\n");
    alice.bytes_until(
        b"\xff\xfc\x01-- alice is registered: this name needs your password from now on\r\n",
    );
    server.close([alice]);
}

#[test]
fn a_telnet_client_shows_typing_again_if_its_session_ends_during_a_question() {
    let data = Data::new();
    let mut server = data.open(&[]);
    let mut alice = Guest::connect(server.address);
    alice.send(b"alice\r\n");
    alice.until(STORED);
    alice.send(b"/register\r\n");
    alice.bytes_until(
        b"\xff\xfb\x01-- Type a password for alice; nobody else sees it (Enter to cancel)\r\n",
    );
    server.signal(Signal::TERM);
    alice.bytes_until(b"\xff\xfc\x01-- The server is going down\r\n");
    assert_eq!(server.ended().code(), Some(0));
}
