//! Descriptions that people give of themselves: that they are away, and their real name.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::sync::Arc;

use parlor_core::link::{Answer, Change, Outcome, Query, Refusal};
use parlor_core::model::{
    Claim, Deed, Entry, Here, Name, PersonChange, Profile, Proof, RoomName, Verb, Whom,
};
use server::{Person, Server, granted, join, line, private, rename};

fn away(text: &str) -> Change {
    Change::SetAway(Some(line(text)))
}

/// The entries about absences and real names that a person read.
fn told(person: &Person) -> Vec<String> {
    let entries = person.read().into_iter();
    let told = entries.filter_map(|entry| match entry {
        Entry::Changed { who, change: PersonChange::Away(Some(text)), .. } => {
            Some(format!("{} is away: {text}", who.name))
        }
        Entry::Changed { who, change: PersonChange::Away(None), .. } => {
            Some(format!("{} is back", who.name))
        }
        Entry::Changed { who, change: PersonChange::Realname, .. } => {
            let realname = who.profile.as_ref().unwrap().realname();
            Some(format!("{} is {realname}", who.name))
        }
        _ => None,
    });
    told.collect()
}

impl Server {
    /// Enters the lobby under a registered name with its first password.
    fn owner(&mut self, name: &str) -> Person {
        let mut link = self.connect();
        let name = Claim::of_owner(Name::stored(name), Proof(1));
        let come = Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 };
        let (seat, entered) = granted(self.ask(&mut link, come));
        Person { link, seat, entered }
    }

    /// The text that the author of a message to this name reads.
    fn away_of(&mut self, author: &mut Person, name: &str) -> Option<String> {
        match self.ask(&mut author.link, private(name, "are you there?")) {
            Outcome::Answer(Answer::Private(message)) => {
                message.away.as_ref().map(|it| it.to_string())
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_person_who_is_away_is_told_once_to_all_rooms_and_to_each_author() {
    let mut server = Server::new();
    let (mut bob, mut carol) = (server.enter("bob"), server.enter("carol"));
    let (_den, _) = granted(server.ask(&mut bob.link, join("den")));
    let outcome = server.ask(&mut bob.link, away("lunch"));
    assert!(matches!(outcome, Outcome::Answer(Answer::Away(Some(_)))), "{outcome:?}");
    assert_eq!(server.away_of(&mut carol, "bob").as_deref(), Some("lunch"));
    server.ask(&mut bob.link, away("lunch")); // nothing new
    server.ask(&mut bob.link, rename("rob"));
    assert_eq!(server.away_of(&mut carol, "rob").as_deref(), Some("lunch"));
    server.ask(&mut bob.link, away(&"x".repeat(400)));
    let outcome = server.ask(&mut bob.link, Change::SetAway(None));
    assert!(matches!(outcome, Outcome::Answer(Answer::Away(None))), "{outcome:?}");
    assert_eq!(server.away_of(&mut carol, "rob"), None);
    let long = format!("rob is away: {}", "x".repeat(390));
    assert_eq!(told(&carol), ["bob is away: lunch", long.as_str(), "rob is back"]);
}

#[test]
fn a_room_reads_of_an_arrival_that_the_person_is_away() {
    let mut server = Server::new();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    server.ask(&mut bob.link, away("lunch"));
    let mut dave = server.connect();
    let (seat, entered) = granted(server.ask(&mut dave, server::enter("dave", "den")));
    let dave = Person { link: dave, seat, entered };
    let (_den, _) = granted(server.ask(&mut bob.link, join("den")));
    for reader in [&carol, &dave] {
        assert_eq!(told(reader), ["bob is away: lunch"]);
    }
}

#[test]
fn an_owner_is_away_if_all_connections_are() {
    let mut server = Server::new();
    let mut first = server.enter("alice");
    server.own(&mut first.link, "alice", 0);
    let (mut second, mut carol) = (server.owner("alice"), server.enter("carol"));
    server.ask(&mut first.link, away("phone"));
    assert_eq!(server.away_of(&mut carol, "alice"), None, "the other connection is there");
    server.ask(&mut second.link, away("desk"));
    let third = server.owner("alice");
    assert_eq!(told(&carol), ["alice is away: desk", "alice is back"]);
    drop(third);
    server.run();
    server.ask(&mut first.link, Change::SetAway(None));
    server.ask(&mut second.link, Change::SetAway(None));
    let told = told(&carol);
    let [.., away, back] = &told[..] else { panic!("{told:?}") };
    assert!(away.starts_with("alice is away: ") && back == "alice is back", "{told:?}");
    assert_eq!(told.len(), 4);
}

#[test]
fn a_muted_person_tells_nothing_about_themselves_and_may_take_it_back() {
    let mut server = Server::new();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    server.ask(&mut bob.link, away("lunch"));
    let mut operator = server.connect();
    let deed = Deed::to(Verb::Mute, Whom::Name(Name::stored("bob")));
    server.ask(&mut operator, Change::Act { here: Here::Operator, deed });
    for change in [away("buy tea"), Change::SetRealname(line("Buy Tea"))] {
        let refused = server.refusal(&mut bob.link, change);
        assert!(matches!(refused, Refusal::Muted(_)), "{refused:?}");
    }
    server.ask(&mut bob.link, Change::SetAway(None));
    assert_eq!(told(&carol), ["bob is away: lunch", "bob is back"]);
}

#[test]
fn a_real_name_is_told_if_it_is_another_one() {
    let mut server = Server::new();
    let carol = server.enter("carol");
    let mut link = server.connect();
    let profile = Profile::new(["al", "Al", "irc"].map(line), false);
    let (name, room) = (Name::stored("al").into(), RoomName::lobby());
    let come = Change::Enter { name, profile: Some(Arc::new(profile)), room, replay: 0 };
    let (seat, entered) = granted(server.ask(&mut link, come));
    let mut al = Person { link, seat, entered };
    for realname in ["Al", "Alfred", "Alfred"] {
        let outcome = server.ask(&mut al.link, Change::SetRealname(line(realname)));
        assert!(matches!(outcome, Outcome::Answer(Answer::Realname(_))), "{outcome:?}");
    }
    assert_eq!(told(&carol), ["al is Alfred"]);
    let outcome = server.ask(&mut al.link, Query::Whois(line("al")));
    let Outcome::Answer(Answer::Whois(whois)) = outcome else { panic!("{outcome:?}") };
    let profile = whois.who.profile.unwrap();
    assert_eq!(
        [profile.user(), profile.realname(), profile.host()],
        [&line("al"), &line("Alfred"), &line("irc")]
    );
}
