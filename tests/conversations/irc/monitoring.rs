//! MONITOR: who of some people is here, and who comes and goes.

use super::{enter, in_lobby, netcat, server};

#[test]
fn a_watched_person_comes_and_goes_at_any_door() {
    let server = server();
    let mut alice = enter(&server, "alice");
    let mut carol = enter(&server, "carol");
    alice.say("MONITOR + bob,Carol,dave");
    alice.sees(":irc.example 730 alice :carol!carol@irc");
    alice.sees(":irc.example 731 alice :bob,dave");
    let mut bob = netcat(&server, "bob");
    alice.sees(":irc.example 730 alice :bob!{}@nc");
    bob.say("/name dave");
    bob.sees("You are dave");
    alice.sees(":irc.example 731 alice :bob");
    alice.sees(":irc.example 730 alice :dave!{}@nc");
    carol.say("NICK CAROL");
    carol.sees(":carol!{} NICK {}CAROL");
    alice.sees_nothing();
    carol.say("QUIT");
    alice.sees(":irc.example 731 alice :CAROL");
    alice.say("MONITOR S");
    alice.sees(":irc.example 730 alice :dave!{}@nc");
    alice.sees(":irc.example 731 alice :bob,Carol");
    alice.say("MONITOR L");
    alice.sees(":irc.example 732 alice :bob,Carol,dave");
    alice.sees(":irc.example 733 alice :End of MONITOR list");
    alice.say("MONITOR - DAVE");
    alice.sees_nothing();
    bob.say("/quit");
    alice.sees_nothing();
    alice.say("MONITOR C");
    alice.say("MONITOR L");
    alice.sees(":irc.example 733 alice :End of MONITOR list");
}

#[test]
fn a_hundred_people_are_watched_and_no_mask() {
    let server = server();
    let mut alice = in_lobby(&server, "alice");
    for first in [0, 50] {
        let names: Vec<_> = (first..first + 50).map(|number| format!("n{number}")).collect();
        alice.say(&format!("MONITOR + {}", names.join(",")));
        alice.sees(":irc.example 731 alice :n{}");
    }
    alice.say("MONITOR + bob,n7");
    alice.sees(":irc.example 731 alice :n7");
    alice.sees(":irc.example 734 alice 100 bob :Monitor list is full");
    alice.say("MONITOR + *!*@127.0.0.1");
    alice.sees(":irc.example 731 alice :*!*@127.0.0.1");
    for unknown in ["MONITOR", "MONITOR +", "MONITOR x", "MONITOR -"] {
        alice.say(unknown);
        alice.sees(":irc.example 461 alice MONITOR :Not enough parameters");
    }
    alice.sees_nothing();
}
