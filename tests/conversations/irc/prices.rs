//! Commands that are work in several rooms cost several lines of the rate.

use std::thread;

use parlor::config::RateLimit;

use super::{DOORS, in_lobby};
use crate::support::TestServer;

/// Ten channels, with commas.
fn ten(letter: char) -> String {
    let channels: Vec<_> = (0..10).map(|number| format!("#{letter}{number}")).collect();
    channels.join(",")
}

/// Checks that each of these commands, which alice sends in turn, costs this many lines. She sits in
/// eleven rooms and may send 200 lines at once; what she says behind 240 lines comes later than what
/// somebody else says some time behind the first 180.
#[track_caller]
fn cost(price: usize, commands: &[&str]) {
    let server = TestServer::open(&DOORS[..1], |config| {
        config.rate = RateLimit::per_second(20);
    });
    let mut bob = in_lobby(&server, "bob");
    let mut carol = in_lobby(&server, "carol");
    let mut alice = in_lobby(&server, "alice");
    alice.say(&format!("JOIN {}", ten('a')));
    for (number, command) in (0..240 / price).zip(commands.iter().cycle()) {
        if number == 180 / price {
            alice.say("PING burst");
        }
        alice.say(command);
    }
    alice.say("PRIVMSG bob :late");
    alice.until(":irc.example PONG irc.example burst");
    for _ in 0..50 {
        carol.until_pong(); // all of it would be said meanwhile
    }
    carol.say("PRIVMSG bob :early");
    let seen = bob.until(":carol!{} PRIVMSG bob :early");
    let is_late = seen.iter().all(|line| !line.line.contains(":late"));
    assert!(is_late, "{commands:?} cost less than {price}");
    bob.until(":{} PRIVMSG bob :late");
}

#[test]
fn a_change_of_a_person_costs_a_line_for_each_room_of_that_person() {
    thread::scope(|scope| {
        scope.spawn(|| cost(11, &["NICK anna", "NICK alice"]));
        scope.spawn(|| cost(11, &["AWAY :lunch", "AWAY"]));
        scope.spawn(|| cost(11, &["SETNAME :Alice B", "SETNAME :Alice C"]));
        scope.spawn(|| cost(11, &["MODE alice +i", "MODE alice -i"]));
    });
}

#[test]
fn a_list_of_names_costs_a_line_for_each_and_a_list_of_watched_ones_ten() {
    let names = "n0,n1,n2,n3,n4,n5,n6,n7,n8,n9";
    let asked = names.replace(',', " ");
    let commands = ["ISON ", "MONITOR + ", "MONITOR - ", "WHO "];
    let [_, watch, unwatch, who] = commands.map(|command| format!("{command}{names}"));
    let [is_on, user_host] = ["ISON ", "USERHOST "].map(|command| format!("{command}{asked}"));
    thread::scope(|scope| {
        scope.spawn(|| cost(10, &[&is_on]));
        scope.spawn(|| cost(10, &[&user_host]));
        scope.spawn(|| cost(10, &[&watch, &unwatch]));
        scope.spawn(|| cost(10, &[&who]));
        scope.spawn(|| cost(10, &["MONITOR L", "MONITOR S"]));
    });
}

#[test]
fn a_list_of_targets_costs_a_line_for_each() {
    let [join, part] = ["JOIN", "PART"].map(|command| format!("{command} {}", ten('b')));
    let again = format!("JOIN {}", ["#c"; 10].join(","));
    thread::scope(|scope| {
        scope.spawn(|| cost(10, &[&join, &part]));
        scope.spawn(|| cost(10, &[&join, "JOIN 0"]));
        scope.spawn(|| cost(10, &[&again]));
        scope.spawn(|| cost(10, &["MODE #a0 +mimimimimi"]));
        scope.spawn(|| cost(10, &["KICK #a0 k,l,m,n,o,p,q,r,s,t"]));
        scope.spawn(|| cost(4, &["PRIVMSG #a0,#a1,#a2,#a3 :hello"]));
    });
}
