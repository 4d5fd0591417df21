//! MARKREAD: how far a client has read.

use super::{enter, server, stranger};
use crate::support::Chatter;

const EARLY: &str = "timestamp=2019-01-01T00:00:00.000Z";
const LATE: &str = "timestamp=2019-06-01T12:00:00.123Z";

/// A client says a line, and reads an answer of this form.
#[track_caller]
fn asks(client: &mut Chatter, line: &str, pattern: &str) {
    client.say(line);
    client.sees(pattern);
}

#[test]
fn a_marker_is_set_moves_forward_and_is_answered() {
    let server = server();
    let mut alice = enter(&server, "alice");
    asks(&mut alice, "MARKREAD #tea", ":irc.example MARKREAD #tea *");
    for (asked, answered) in [(EARLY, EARLY), (LATE, LATE), (EARLY, LATE)] {
        let answer = format!(":irc.example MARKREAD #tea {answered}");
        asks(&mut alice, &format!("MARKREAD #Tea {asked}"), &answer);
    }
    asks(&mut alice, "MARKREAD #tea", &format!(":irc.example MARKREAD #tea {LATE}"));
    asks(&mut alice, "MARKREAD bob", ":irc.example MARKREAD bob *");
    let with_bob = format!("MARKREAD bob {EARLY}");
    asks(&mut alice, &with_bob, &format!(":irc.example {with_bob}"));
    // Another person knows nothing of it.
    let mut bob = enter(&server, "bob");
    asks(&mut bob, "MARKREAD #tea", ":irc.example MARKREAD #tea *");
    bob.until_pong();
    alice.until_pong();
}

#[test]
fn a_client_with_the_capability_reads_the_marker_of_a_room_on_joining_before_the_names() {
    let server = server();
    let mut alice = stranger(&server).enter_with("alice", "draft/read-marker");
    for marker in ["*", LATE] {
        alice.say("JOIN #tea");
        alice.sees(":alice!{} JOIN #tea");
        alice.sees(&format!(":irc.example MARKREAD #tea {marker}"));
        alice.sees(":irc.example 353 alice {} #tea :{}");
        alice.until(":irc.example 366 alice #tea :{}");
        asks(
            &mut alice,
            &format!("MARKREAD #tea {LATE}"),
            &format!(":irc.example MARKREAD #tea {LATE}"),
        );
        asks(&mut alice, "PART #tea", ":alice!{} PART #tea");
    }
    let mut bob = enter(&server, "bob");
    bob.say("JOIN #tea");
    let before_names = bob.until(":irc.example 366 bob #tea :{}");
    assert!(!before_names.iter().any(|message| message.command() == "MARKREAD"));
}

#[test]
fn a_marker_that_says_no_time_or_no_conversation_is_refused() {
    let server = server();
    let mut alice = enter(&server, "alice");
    asks(&mut alice, "MARKREAD", ":irc.example FAIL MARKREAD NEED_MORE_PARAMS :{}");
    for time in ["*", "timestamp=*", "timestamp=now", "msgid=x", "2019-01-01T00:00:00.000Z"] {
        asks(
            &mut alice,
            &format!("MARKREAD #tea {time}"),
            ":irc.example FAIL MARKREAD INVALID_PARAMS #tea :{}",
        );
    }
    for target in ["#", "#a/b", "a/b"] {
        asks(
            &mut alice,
            &format!("MARKREAD {target}"),
            &format!(":irc.example FAIL MARKREAD INVALID_PARAMS {target} :{{}}"),
        );
    }
    asks(&mut alice, "MARKREAD #tea", ":irc.example MARKREAD #tea *");
}
