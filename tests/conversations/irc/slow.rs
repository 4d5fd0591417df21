//! IRC clients that read too slowly.

use parlor::config::RateLimit;

use super::{DOORS, netcat};
use crate::support::{Chatter, TestServer};

#[test]
fn a_client_that_reads_too_slowly_comes_in_again_and_knows_everybody() {
    const LINES: usize = 600;
    let server = TestServer::open(&DOORS, |config| {
        config.rate = RateLimit::Off;
        config.replay = 0;
        config.log_lines = 100;
    });
    let mut bob = netcat(&server, "bob");
    let mut carol = netcat(&server, "carol");
    bob.sees("carol has arrived");
    let capabilities = "message-tags draft/chathistory";
    let mut alice =
        Chatter::connect_narrow(server.addresses()[0]).enter_with("alice", capabilities);
    alice.joins("#lobby");
    bob.sees("alice has arrived");
    bob.say("/topic tea");
    bob.sees("bob changed the topic to: tea");
    for n in 0..LINES {
        let line = format!("{n} {}", "x".repeat(4_000));
        bob.say(&line);
        bob.sees(&format!("bob: {line}"));
    }
    carol.say("/quit");
    bob.sees("carol has left");
    bob.say("at last");
    bob.sees("bob: at last");
    let before = alice.until(":irc.example NOTICE #lobby :{} lines skipped: {}");
    assert!(before.iter().all(|message| message.command() != "QUIT"), "{before:?}");
    let skipped = &before.last().unwrap().parameters()[1];
    let skipped: usize = skipped.split(' ').next().unwrap().replace(',', "").parse().unwrap();
    let read = before.iter().filter(|message| message.tag("msgid").is_some()).count();
    assert_eq!(read + skipped, LINES + 1, "each line is read or counted");
    alice.sees_all([
        ":irc.example NOTE * SKIPPED #lobby {}.lobby.{} {}.lobby.601 :{}",
        ":alice!alice@irc PART #lobby :You were reading too slowly",
        ":alice!alice@irc JOIN #lobby",
        ":irc.example 332 alice #lobby :tea",
        ":irc.example 333 alice #lobby bob {}",
    ]);
    let names = alice.sees(":irc.example 353 alice = #lobby :{}");
    let mut names: Vec<_> = names.parameters()[3].split(' ').collect();
    names.sort_unstable();
    assert_eq!(names, ["alice", "bob"]);
    alice.sees(":irc.example 366 alice #lobby :{}");
    bob.say("behind");
    bob.sees("bob: behind");
    alice.sees(":bob!{} PRIVMSG #lobby :behind");
}
