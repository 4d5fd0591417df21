//! A server that was suspended, by a signal or with its machine.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::guest::Guest;
use crate::server::{Server, parlor};

/// Longer than the idle limit of the door.
const STANDSTILL: Duration = Duration::from_secs(13);

#[test]
fn time_in_which_the_server_was_suspended_does_not_count_as_silence() {
    let server = Server::run(parlor(), &["--listen", "tcp://127.0.0.1:0?idle=12s"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    alice.until("bob has arrived");
    server.signal(Signal::STOP);
    alice.say("typed while it stood still");
    thread::sleep(STANDSTILL); // no wait for an event: the pause is the event
    server.signal(Signal::CONT);
    for guest in [&mut alice, &mut bob] {
        assert_eq!(guest.line(), "alice: typed while it stood still");
    }
    // The limit still holds: bob is warned before he is closed, and alice later.
    for guest in [&mut bob, &mut alice] {
        let last = guest.rest();
        let is_warning = |line: &String| {
            line.starts_with("-- Silent for ") && line.ends_with("; press Enter to stay")
        };
        let warned = last.iter().position(is_warning);
        let closed = last.iter().position(|line| line == "-- Silent for 12 seconds: closed");
        assert!(warned.is_some() && closed > warned, "{last:?}");
    }
    server.close::<[Guest; 0]>([]);
}
