//! Lines that begin with a slash, and the help about them.

use parlor_core::link::{COMMANDS, CommandGroup};

use crate::support::TestServer;

#[test]
fn help_lists_every_command_and_explains_each() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    alice.say("/help");
    let mut overview = Vec::new();
    while !overview.last().is_some_and(|line: &String| line.starts_with("-- /help COMMAND")) {
        overview.push(alice.line());
    }
    // A screen of 24 rows also has the typed line and the next one.
    assert!(overview.len() <= 22, "{overview:#?}");
    assert!(overview.iter().all(|line| line.len() <= 80), "{overview:#?}");
    let overview = overview.join("  ");
    for group in CommandGroup::ALL {
        assert!(overview.contains(&format!("-- {}:  /", group.title())), "{overview}");
    }
    for spec in COMMANDS {
        let usage = format!("/{} {}", spec.name, spec.arguments);
        assert!(overview.contains(&format!(" {}", usage.trim_end())), "{usage}");
        for name in [spec.name].iter().chain(spec.aliases) {
            alice.say(&format!("/help {name}"));
            let summary = alice.line();
            assert!(summary.starts_with(&format!("-- {}", usage.trim_end())), "{summary}");
            if !spec.more.is_empty() {
                alice.sees(&format!("-- {}", spec.more));
            }
        }
    }
    alice.say("/help /NICK");
    alice.sees("-- /name NEW (or /nick): takes another name");
}

#[test]
fn without_echo_a_client_does_not_receive_its_own_lines() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.send("one\n/echo off\ntwo\n/me waves\n/echo on\nthree\n");
    alice.sees_all([
        "alice: one",
        "-- Your own lines are no longer sent back to you; /echo on undoes this",
        "-- Your own lines are sent back to you again",
        "alice: three",
    ]);
    bob.sees_all(["alice: one", "alice: two", "* alice waves", "alice: three"]);
    bob.say("four");
    alice.sees("bob: four");
}

#[test]
fn an_unknown_command_is_never_broadcast() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for (typed, answer) in [
        ("/foo", "-- No command /foo; /help lists them"),
        ("/foo my password", "-- No command /foo; /help lists them"),
        ("/hlep", "-- No command /hlep; /help lists them (did you mean /help?)"),
        ("/nam al", "-- No command /nam; /help lists them (did you mean /name?)"),
        ("/help foo", "-- No command /foo; /help lists them"),
        ("/", "-- No command /; /help lists them"),
        ("/ who", "-- No command /; /help lists them"),
        ("/\x1b[2J", "-- No command /␛[2j; /help lists them"),
    ] {
        alice.say(typed);
        alice.sees(answer);
    }
    alice.say("that is all");
    bob.sees("alice: that is all");
}

#[test]
fn two_slashes_send_one() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("//who is what I typed");
    alice.say("///");
    alice.say("// /who is no command either");
    for guest in [&mut alice, &mut bob] {
        guest.sees("alice: /who is what I typed");
        guest.sees("alice: //");
        guest.sees("alice:  /who is no command either");
    }
}

#[test]
fn a_command_after_a_blank_or_a_stray_key_is_answered_and_not_broadcast() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    for (typed, name) in [
        (" /msg bob secret", "msg"),
        ("\x0c/MSG bob secret", "msg"),
        ("\u{feff}\u{200b}\t /msg bob secret", "msg"),
        ("oh\x08\x08/msg bob secret", "msg"),
        (" /mgs bob secret", "msg"),
        ("\u{ff0f}msg bob secret", "msg"),
        (" /me waves", "me"),
        (" /register correct horse", "register"),
        (" /resume abcde-fghij", "resume"),
    ] {
        alice.say(typed);
        alice.sees(&format!(
            "-- Did you mean /{name}? A line that begins with a blank is said as it is only if it is no command; this one was not said"
        ));
    }
    alice.say("  indented, as /usr/bin is");
    bob.sees("alice:   indented, as /usr/bin is");
}

#[test]
fn an_empty_line_is_not_sent() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.send("\n\r\n\n   \n\t\n\u{3000}\n\u{202e}\n\u{200b}\nsomething\n");
    alice.sees("alice: something");
    bob.sees("alice: something");
}

#[test]
fn answers_come_in_their_place_between_the_lines() {
    let server = TestServer::named();
    let mut alice = server.enter("alice");
    alice.send("one\n/topic\ntwo\n/foo\nthree\n");
    alice.sees_all([
        "alice: one",
        "-- lobby has no topic; /topic TEXT sets one",
        "alice: two",
        "-- No command /foo; /help lists them",
        "alice: three",
    ]);
}

#[test]
fn classic_mode_has_no_commands() {
    let server = TestServer::classic();
    let mut guest = server.guest();
    let address = guest.address();
    guest.sees(&format!("You are {address}"));
    guest.send("/help\n//text\n\n/quit\n");
    for text in ["/help", "//text", "", "/quit"] {
        guest.sees(&format!("{address}: {text}"));
    }
}
