//! The rate of a client that has not registered.

use parlor::config::RateLimit;

use super::{DOORS, enter, stranger};
use crate::support::TestServer;

#[test]
fn lines_before_the_welcome_count_for_the_rate() {
    let server = TestServer::open(&DOORS[..1], |config| {
        config.rate = RateLimit::per_second(20); // 200 lines at once
    });
    let (mut bob, mut carol) = (enter(&server, "bob"), enter(&server, "carol"));
    bob.say("MONITOR + late");
    bob.sees(":irc.example 731 bob :late");
    let mut alice = stranger(&server);
    let lines = ["PING x", "FOO", "CAP LS 302", "JOIN #x", "NICK root"];
    for (number, line) in (0..240).zip(lines.iter().cycle()) {
        if number == 180 {
            alice.say("PING burst");
        }
        alice.say(line);
    }
    for line in ["NICK late", "USER u 0 * :U", "CAP END"] {
        alice.say(line);
    }
    alice.until(":irc.example PONG irc.example burst");
    for _ in 0..50 {
        carol.until_pong(); // she would come in meanwhile
    }
    carol.say("PRIVMSG bob :early");
    bob.sees(":carol!{} PRIVMSG bob :early");
    bob.sees(":irc.example 730 bob :late!{}");
    alice.until(":irc.example 001 late :{}");
    alice.until_end_of_motd();
}

#[test]
fn without_a_rate_nobody_waits_before_the_welcome() {
    let server = TestServer::open(&DOORS[..1], |config| config.rate = RateLimit::Off);
    let mut alice = stranger(&server);
    for _ in 0..2_000 {
        alice.say("PING x"); // three minutes at the usual rate, and a client has one
        alice.sees(":irc.example PONG irc.example x");
    }
    alice.enter("alice");
}
