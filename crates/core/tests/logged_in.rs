//! People who are logged in to an account, under its name or another one.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use parlor_core::journal::NotStored;
use parlor_core::link::{
    AccountChange, Answer, Change, Client, Mail, Notice, Outcome, Query, Refusal,
};
use parlor_core::model::{
    Claim, Deed, Entry, Here, Name, PersonChange, Proof, ProvenAccount, RankChange, RoomName, Verb,
    Whom,
};
use server::{Person, Server, come_back, enter, granted, join, rename};

fn named(name: &str) -> Name {
    Name::stored(name)
}

/// The account of alice, whose password was changed this many times.
fn alice(changes: u64) -> ProvenAccount {
    ProvenAccount { name: named("alice"), proof: Proof(1 + changes) }
}

fn ban(name: &str) -> Deed {
    Deed::to(Verb::Ban, Whom::Name(named(name)))
}

/// The entries that a person read about accounts and authority.
fn told(person: &Person) -> Vec<String> {
    let entries = person.read().into_iter();
    let told = entries.filter_map(|entry| match entry {
        Entry::Changed { who, change: PersonChange::Account { .. }, .. } => {
            let account = who.account.as_ref().map_or("no account", Name::as_str);
            Some(format!("{} has {account}", who.name))
        }
        Entry::Ranked { who, change: RankChange::Keeper(is_keeper) } => {
            Some(format!("{} is {} keeper", who.name, if is_keeper { "a" } else { "no" }))
        }
        _ => None,
    });
    told.collect()
}

fn next_notice(client: &Client) -> Option<Notice> {
    match client.take(|_, _| true)? {
        Mail::Answer(Answer::Notice(notice)) => Some(notice),
        other => panic!("{other:?}"),
    }
}

impl Server {
    /// A server where alice owns her name, is a keeper of the server, and has left.
    fn of_alice() -> Server {
        let mut server = Server::new();
        let mut owner = server.enter("alice");
        server.own(&mut owner.link, "alice", 0);
        let deed = Deed::to(Verb::AddKeeper, Whom::Name(named("alice")));
        let mut operator = server.connect();
        server.ask(&mut operator, Change::Act { here: Here::Operator, deed });
        server
    }

    /// The outcome of a log-in of this person as alice.
    fn log_in(&mut self, person: &mut Person) -> Outcome {
        self.ask(&mut person.link, Change::LogIn(alice(0)))
    }

    /// Whether this person may ban somebody in the room.
    fn may_ban(&mut self, person: &mut Person) -> bool {
        let (here, deed) = (Here::Room(RoomName::lobby()), ban("mallory"));
        let outcome = self.ask(&mut person.link, Change::Act { here, deed });
        !matches!(outcome, Outcome::Answer(Answer::Refused(Refusal::NotKeeper)))
    }

    fn new_password(&mut self) -> Outcome {
        let change = AccountChange::ChangePassword {
            name: named("alice"),
            proof: None,
            password: "new".into(),
            keeps_token: false,
            by: None,
            visit: None,
        };
        let mut operator = self.connect();
        self.ask(&mut operator, Change::Account(change.into()))
    }
}

#[test]
fn an_owner_keeps_authority_under_another_name() {
    let mut server = Server::of_alice();
    let mut link = server.connect();
    let name = Claim::of_owner(named("alice"), Proof(1));
    let come = Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 };
    let (seat, entered) = granted(server.ask(&mut link, come));
    let mut person = Person { link, seat, entered };
    server.ask(&mut person.link, rename("zoe"));
    assert!(server.may_ban(&mut person));
    assert_eq!(told(&person), Vec::<String>::new(), "the account is the same");
    // Another person cannot take the account's name, and its owner comes back to it unasked.
    let mut other = server.connect();
    let refused = server.refusal(&mut other, enter("alice", "lobby"));
    assert!(matches!(refused, Refusal::NameOwned(_)), "{refused:?}");
    let outcome = server.ask(&mut person.link, rename("Alice"));
    assert!(matches!(outcome, Outcome::Answer(Answer::YouAre(_))), "{outcome:?}");
    let Outcome::You(claim) = server.ask(&mut person.link, Query::WhoAmI) else { panic!() };
    assert_eq!((claim.name, claim.account), (named("Alice"), Some(alice(0))));
}

#[test]
fn a_log_in_gives_authority_under_the_present_name_and_every_room_reads_it() {
    let mut server = Server::of_alice();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    let (_seat, _) = granted(server.ask(&mut bob.link, join("den")));
    let mut link = server.connect();
    let (seat, entered) = granted(server.ask(&mut link, enter("dave", "den")));
    let dave = Person { link, seat, entered };
    assert!(!server.may_ban(&mut bob));
    let outcome = server.log_in(&mut bob);
    assert!(matches!(outcome, Outcome::Answer(Answer::LoggedIn(_))), "{outcome:?}");
    assert!(server.may_ban(&mut bob));
    assert_eq!(told(&carol), ["bob has alice", "bob is a keeper"]);
    assert_eq!(told(&dave), ["bob has alice"], "bob made the den, and keeps it anyway");
    let event = |person: &Person| person.read().iter().find_map(|it| it.event().cloned());
    assert_eq!(event(&carol), event(&dave), "it is one event");
    // The same log-in again is nothing new.
    server.log_in(&mut bob);
    assert_eq!(told(&carol).len(), 2);
}

#[test]
fn a_new_password_ends_log_ins_under_other_names_and_no_connection() {
    let mut server = Server::of_alice();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    server.log_in(&mut bob);
    assert!(matches!(server.new_password(), Outcome::Done));
    assert!(bob.link.client().removed().is_none());
    let ranked = |is_keeper| Some(Notice::ServerRanked { is_keeper });
    let logged_out = Some(Notice::LoggedOut(named("alice")));
    for notice in [ranked(true), ranked(false), logged_out] {
        assert_eq!(next_notice(bob.link.client()), notice);
    }
    assert!(!server.may_ban(&mut bob));
    let [came, gone] = ["bob has alice", "bob has no account"];
    assert_eq!(told(&carol), [came, "bob is a keeper", gone, "bob is no keeper"]);
    let refused = server.refusal(&mut bob.link, Change::LogIn(alice(0)));
    assert!(matches!(refused, Refusal::NameReleased(_)), "an old proof: {refused:?}");
    let outcome = server.ask(&mut bob.link, Change::LogIn(alice(1)));
    assert!(matches!(outcome, Outcome::Answer(Answer::LoggedIn(_))), "{outcome:?}");
}

#[test]
fn a_log_in_that_ended_with_a_change_that_is_not_stored_begins_again() {
    let mut server = Server::of_alice();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    server.log_in(&mut bob);
    let mut operator = server.connect();
    operator.start(Change::Account(AccountChange::Release(named("alice")).into()));
    let begun = server.gather();
    server.broadcaster.append(begun, Err(NotStored("the disk has failed")), server.now);
    server.run();
    assert_eq!(
        told(&carol),
        [
            "bob has alice",
            "bob is a keeper",
            "bob has no account",
            "bob is no keeper",
            "bob has alice",
            "bob is a keeper",
        ]
    );
    assert!(server.may_ban(&mut bob));
}

#[test]
fn an_owner_is_not_logged_in_to_another_account_under_the_own_name() {
    let mut server = Server::of_alice();
    let mut bob = server.enter("bob");
    server.own(&mut bob.link, "bob", 0);
    let refused = server.refusal(&mut bob.link, Change::LogIn(alice(0)));
    assert!(matches!(refused, Refusal::LoggedIn(name) if name == named("bob")));
    server.ask(&mut bob.link, rename("rob"));
    let outcome = server.log_in(&mut bob);
    assert!(matches!(outcome, Outcome::Answer(Answer::LoggedIn(_))), "{outcome:?}");
    // The name of the account before needs its password again.
    let refused = server.refusal(&mut bob.link, rename("bob"));
    assert!(matches!(refused, Refusal::NameOwned(_)), "{refused:?}");
}

#[test]
fn bans_and_mutes_of_an_owner_hold_under_any_name() {
    let mut server = Server::new();
    let mut owner = server.enter("alice");
    server.own(&mut owner.link, "alice", 0);
    drop(owner);
    let (mut bob, mut carol) = (server.enter("bob"), server.enter("carol"));
    server.log_in(&mut bob);
    let mut operator = server.connect();
    server.ask(&mut operator, Change::Act { here: Here::Operator, deed: ban("alice") });
    assert!(bob.link.client().removed().is_some());
    let refused = server.refusal(&mut carol.link, Change::LogIn(alice(0)));
    assert!(matches!(refused, Refusal::Banned(_)), "{refused:?}");
    assert_eq!(told(&carol), ["bob has alice"]);
    let name = Claim { name: named("rob"), account: Some(alice(0)) };
    let come = Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 };
    let refused = server.refusal(&mut operator, come);
    assert!(matches!(refused, Refusal::Banned(_)), "{refused:?}");
}

#[test]
fn a_return_code_leads_back_to_the_account() {
    let mut server = Server::of_alice();
    let mut bob = server.enter("bob");
    let code = server.code(&mut bob.link, bob.seat.room());
    server.log_in(&mut bob);
    let mut link = server.connect();
    let (seat, entered) = granted(server.ask(&mut link, come_back(code)));
    let mut back = Person { link, seat, entered };
    assert_eq!(back.entered.who.account, Some(named("alice")));
    assert!(server.may_ban(&mut back));
    // The code ends with the password.
    assert!(matches!(server.new_password(), Outcome::Done));
    let mut link = server.connect();
    let refused = server.refusal(&mut link, come_back(code));
    assert!(matches!(refused, Refusal::NoSuchCode), "{refused:?}");
}

#[test]
fn authority_that_an_owner_gets_or_loses_under_another_name_is_told_in_the_room() {
    let mut server = Server::of_alice();
    let (mut bob, carol) = (server.enter("bob"), server.enter("carol"));
    server.log_in(&mut bob);
    let mut operator = server.connect();
    for verb in [Verb::RemoveKeeper, Verb::AddKeeper] {
        let deed = Deed::to(verb, Whom::Name(named("alice")));
        server.ask(&mut operator, Change::Act { here: Here::Operator, deed });
    }
    let [keeper, no_keeper] = ["bob is a keeper", "bob is no keeper"];
    assert_eq!(told(&carol), ["bob has alice", keeper, no_keeper, keeper]);
}
