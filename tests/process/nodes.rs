//! Several nodes share one house through a server of NATS.

use crate::admin::done;
use crate::data::{Data, enter, untimed};
use crate::guest::Guest;
use crate::nats::Nats;
use crate::owners::register_as;
use crate::server::Server;

/// Two nodes with their files.
struct Two {
    nats: Nats,
    data: [Data; 2],
    red: Server,
    blue: Server,
}

impl Two {
    fn open() -> Option<Two> {
        let nats = Nats::start()?;
        let data = [Data::new(), Data::new()];
        let (red, blue) = (nats.node("red", &data[0]), nats.node("blue", &data[1]));
        Some(Two { nats, data, red, blue })
    }

    /// Ends both nodes; their files have the same lines.
    fn close<G>(self, guests: G) {
        drop(guests);
        let [red, blue] = [self.red, self.blue].map(Server::end);
        for log in [red, blue] {
            let is_bad = |line: &&String| line.contains(" ERROR ") || line.contains("panicked");
            assert_eq!(log.iter().find(is_bad), None, "{log:#?}");
        }
        assert_eq!(self.data[0].lobby(), self.data[1].lobby());
        self.data.iter().for_each(Data::assert_undamaged);
        drop(self.nats);
    }
}

#[test]
fn people_on_two_nodes_share_names_lines_and_rooms() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = Guest::connect(two.blue.address);
    bob.say("Alice");
    bob.until("-- Alice is taken, or looks like a name that is taken; choose another name");
    bob.say("bob");
    bob.until("In lobby: alice");
    alice.until("bob has arrived");
    for number in 0..20 {
        let (speaker, name, reader) = match number % 2 {
            0 => (&mut alice, "alice", &mut bob),
            _ => (&mut bob, "bob", &mut alice),
        };
        speaker.say(&number.to_string());
        let line = format!("{name}: {number}");
        speaker.until(&line);
        assert_eq!(reader.until(&line).last().unwrap(), &line);
    }
    alice.say("/who");
    alice.until("-- 2 people are in lobby:");
    alice.say("/topic tea at five");
    bob.until("alice changed the topic to: tea at five");
    bob.say("/name robert");
    alice.lines_until("the new name", |line| line.contains("robert"));
    alice.say("/msg robert psst");
    alice.until("[alice -> robert] psst");
    bob.until("[alice -> robert] psst");
    bob.say("/msg ALICE yes?");
    alice.until("[robert -> alice] yes?");
    bob.say("/search 19");
    bob.lines_until("the line", |line| line.ends_with("bob: 19"));
    two.close([alice, bob]);
}

#[test]
fn authority_holds_on_all_nodes() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    register_as(&mut alice, "alice", "correct horse");
    assert_eq!(done(&two.data[1], &["keeper", "add", "alice"]), ["alice is a keeper"]);
    alice.say("/mute bob 1h");
    bob.lines_until("the mute", |line| line.starts_with("-- You are muted "));
    bob.say("can anybody hear me");
    bob.lines_until("the refusal", |line| line.starts_with("-- You are muted "));
    alice.say("/unmute bob");
    bob.until("-- alice unmuted you");
    bob.say("thank you");
    alice.until("bob: thank you");
    assert_eq!(done(&two.data[0], &["ban", "bob", "1h"]).len(), 1);
    bob.lines_until("the ban", |line| line.starts_with("-- You are banned until "));
    assert!(bob.rest().is_empty());
    let mut again = Guest::connect(two.blue.address);
    again.say("bob");
    again.lines_until("the refusal", |line| line.starts_with("-- You are banned until "));
    for data in &two.data {
        let bans = done(data, &["bans"]);
        assert!(bans[0].starts_with("bob is banned until "), "{bans:?}");
    }
    drop(again);
    two.close([alice]);
}

#[test]
fn a_code_leads_back_on_another_node() {
    let Some(two) = Two::open() else { return };
    let mut bob = enter(&two.red, "bob");
    let mut alice = enter(&two.red, "alice");
    bob.until("alice has arrived");
    let code = alice.code();
    bob.say("missed");
    bob.until("bob: missed");
    let mut back = Guest::connect(two.blue.address);
    back.say(&format!("/resume {code}"));
    let shown = back.until("You are alice");
    assert!(shown.iter().any(|line| line.ends_with("bob: missed")), "{shown:#?}");
    alice.until("-- You came back on another connection; this one is closed");
    assert!(alice.rest().is_empty());
    back.say("here");
    assert_eq!(bob.until("alice: here"), ["alice: here"], "nobody has left or arrived");
    two.close([bob, back]);
}

#[test]
fn forgotten_lines_are_gone_on_all_nodes() {
    let Some(two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    register_as(&mut alice, "alice", "correct horse");
    alice.say("zarzuela");
    bob.until("alice: zarzuela");
    bob.say("/last 5");
    bob.lines_until("the line", |line| line.ends_with("alice: zarzuela"));
    alice.say("/forget all");
    alice.until("-- 1 line that you said is deleted, for everybody");
    two.data[1].until_gone("zarzuela", &mut bob);
    two.data[0].until_gone("zarzuela", &mut alice);
    two.close([alice, bob]);
}

#[test]
fn people_of_a_killed_node_leave_together_and_its_files_catch_up() {
    let Some(mut two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let bob = enter(&two.blue, "bob");
    let carol = enter(&two.blue, "carol");
    alice.until("carol has arrived");
    two.blue.kill();
    assert_eq!(alice.until("bob and carol have left").len(), 1);
    drop((bob, carol));
    alice.say("while blue was down");
    alice.until("alice: while blue was down");
    two.blue = two.nats.node("blue", &two.data[1]);
    let mut bob = enter(&two.blue, "bob");
    bob.say("/last 1");
    let last = bob.lines_until("the line", |line| line.contains("while blue was down"));
    assert_eq!(untimed(last.last().unwrap()), "alice: while blue was down");
    bob.say("back");
    alice.until("bob: back");
    two.close([alice, bob]);
}

#[test]
fn lines_wait_for_a_server_of_nats_that_was_killed() {
    let Some(mut two) = Two::open() else { return };
    let mut alice = enter(&two.red, "alice");
    let mut bob = enter(&two.blue, "bob");
    two.nats.kill();
    alice.say("are you there");
    alice.until("-- No contact with the other nodes; your messages are waiting");
    two.nats.start_again();
    assert_eq!(alice.until("alice: are you there"), ["alice: are you there"]);
    bob.until("alice: are you there");
    bob.say("yes");
    alice.until("bob: yes");
    two.close([alice, bob]);
}
