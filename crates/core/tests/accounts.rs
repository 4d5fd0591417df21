//! Accounts and return codes: changes hold at once, are told when they are stored, and are undone
//! when they could not be stored.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use parlor_core::broadcaster::Gathered;
use parlor_core::journal::{NotStored, Record};
use parlor_core::link::{
    AccountChange, Answer, Change, CodeChange, Link, MessageChange, Outcome, Query, Refusal,
    Request,
};
use parlor_core::model::{
    Claim, Deed, Entry, Hashed, Here, Manner, Name, PersonId, Proof, RoomName, Spoken, Verb,
    WallTime, Whom,
};
use server::{Person, Server, come_back, enter, granted, join, line, register};

const FAILED: Result<(), NotStored> = Err(NotStored("the disk has failed"));

fn alice() -> Name {
    Name::stored("alice")
}

/// Enters as the owner of the name alice.
fn enter_as_owner(proof: u64) -> Change {
    let name = Claim::of_owner(alice(), Proof(proof));
    Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 }
}

fn new_password(proof: u64, password: &str, by: PersonId) -> Box<AccountChange> {
    Box::new(AccountChange::ChangePassword {
        name: alice(),
        proof: Some(Proof(proof)),
        password: password.into(),
        keeps_token: false,
        by: Some(by),
        visit: None,
    })
}

impl Server {
    /// Asks for something, which is now being stored.
    fn begin(&mut self, link: &mut Link, change: impl Into<Request>) -> Gathered {
        link.start(change);
        self.gather()
    }

    /// The hash of the password of a name.
    fn password(&mut self, name: Name) -> Option<String> {
        let mut link = self.connect();
        link.start(Query::Account(name));
        self.drain();
        match link.outcome().unwrap() {
            Outcome::Account(account) => account.map(|account| account.password.value.to_string()),
            other => panic!("{other:?}"),
        }
    }

    /// Whether a person is shown as the owner of their name.
    fn is_owner(&mut self, person: &mut Person) -> bool {
        match self.ask(&mut person.link, Query::WhoAmI) {
            Outcome::You(claim) => claim.is_proven(),
            other => panic!("{other:?}"),
        }
    }
}

/// Whether a request was refused because it could not be stored.
fn is_not_written(link: &mut Link) -> bool {
    let outcome = link.outcome();
    matches!(outcome, Some(Outcome::Answer(Answer::Refused(Refusal::NotWritten))))
}

#[test]
fn a_name_that_could_not_be_stored_stays_free() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    let by = here.link.client().id();
    let begun = server.begin(&mut here.link, Change::Account(register(alice(), by)));
    let records: Vec<_> = begun.records().iter().collect();
    assert!(matches!(records[..], [Record::Account(_), Record::OwnerVisit(_)]), "{records:?}");
    assert!(here.link.outcome().is_none(), "it is told when it is stored");
    server.broadcaster.append(begun, FAILED, server.now);
    assert!(is_not_written(&mut here.link));
    assert_eq!(server.password(alice()), None);
    assert!(!server.is_owner(&mut here));
    drop(here);
    server.enter("alice");
}

#[test]
fn a_password_that_could_not_be_stored_leaves_the_old_one() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    let mut there = server.connect();
    let (seat, _) = granted(server.ask(&mut there, enter_as_owner(1)));
    let code = server.code(&mut here.link, here.seat.room());
    let by = here.link.client().id();
    let begun = server.begin(&mut here.link, Change::Account(new_password(1, "new", by)));
    server.broadcaster.append(begun, FAILED, server.now);
    assert!(is_not_written(&mut here.link));
    assert_eq!(server.password(alice()).as_deref(), Some("hash"));
    assert!(server.is_owner(&mut here));
    assert!(there.client().removed().is_none(), "nobody has lost the name");
    let refused = server.refusal(&mut there, enter_as_owner(2));
    assert!(matches!(refused, Refusal::AlreadyIn(_)), "{refused:?}");
    let mut again = server.connect();
    let (_again, _) = granted(server.ask(&mut again, come_back(code)));
    drop(seat);
    // After a password that is stored, the code has ended.
    let begun = server.begin(&mut there, Change::Account(new_password(1, "newer", by)));
    server.append(begun);
    assert!(matches!(there.outcome(), Some(Outcome::Done)));
    let mut late = server.connect();
    let refused = server.refusal(&mut late, come_back(code));
    assert!(matches!(refused, Refusal::NoSuchCode), "{refused:?}");
}

#[test]
fn a_release_that_could_not_be_stored_takes_nothing_from_the_owner() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    let mut operator = server.connect();
    let keeper = Deed::to(Verb::AddKeeper, Whom::Name(alice()));
    server.ask(&mut operator, Change::Act { here: Here::Operator, deed: keeper });
    let code = server.code(&mut here.link, here.seat.room());
    let release = || Box::new(AccountChange::Release(alice()));
    let begun = server.begin(&mut operator, Change::Account(release()));
    server.broadcaster.append(begun, FAILED, server.now);
    assert!(is_not_written(&mut operator));
    assert_eq!(server.password(alice()).as_deref(), Some("hash"));
    assert!(server.is_owner(&mut here));
    assert!(here.link.client().removed().is_none());
    let ban = Deed::to(Verb::Ban, Whom::parse("bob").unwrap());
    let act = Change::Act { here: Here::Room(here.seat.room_name().clone()), deed: ban };
    let outcome = server.ask(&mut here.link, act);
    assert!(!matches!(outcome, Outcome::Answer(Answer::Refused(_))), "{outcome:?}");
    let mut again = server.connect();
    let (_seat, _) = granted(server.ask(&mut again, come_back(code)));
    // The one that is stored takes everything.
    assert!(matches!(server.ask(&mut operator, Change::Account(release())), Outcome::Done));
    assert_eq!(server.password(alice()), None);
    assert!(again.client().removed().is_some());
    let refused = server.refusal(&mut operator, Change::Account(release()));
    assert!(matches!(refused, Refusal::NotRegistered(_)), "{refused:?}");
}

#[test]
fn a_person_who_loses_a_released_name_has_no_last_words() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    let bob = server.enter("bob");
    let mut operator = server.connect();
    server.ask(&mut operator, Change::Account(Box::new(AccountChange::Release(alice()))));
    here.seat.leave(Some(line("goodbye")));
    server.run();
    let read = bob.read();
    let left = matches!(read.last(), Some(Entry::Left { words: None, removal: Some(_), .. }));
    assert!(left, "{read:?}");
}

#[test]
fn nobody_gets_a_released_name_with_a_proof_of_its_last_owner() {
    let mut server = Server::new();
    let mut bob = server.enter("bob");
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    drop(here);
    let mut operator = server.connect();
    server.ask(&mut operator, Change::Account(Box::new(AccountChange::Release(alice()))));
    let mut late = server.connect();
    let own = Claim::of_owner(alice(), Proof(1));
    for refused in [
        server.refusal(&mut late, enter_as_owner(1)),
        server.refusal(&mut bob.link, Change::Rename(own)),
    ] {
        assert!(matches!(refused, Refusal::NameReleased(_)), "{refused:?}");
    }
    let (_seat, _) = granted(server.ask(&mut late, enter("alice", "lobby")));
}

#[test]
fn of_several_connections_that_lose_a_name_none_enters_another_room() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    let mut other = server.connect();
    let _seat = granted(server.ask(&mut other, enter_as_owner(1)));
    let mut operator = server.connect();
    server.ask(&mut operator, Change::Account(Box::new(AccountChange::Release(alice()))));
    for link in [&mut here.link, &mut other] {
        assert!(link.client().removed().is_some());
        // As strangers they would be listed twice there.
        let refused = server.refusal(link, join("tea"));
        assert!(matches!(refused, Refusal::NotThere), "{refused:?}");
    }
}

#[test]
fn a_code_that_could_not_be_stored_leads_nowhere() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    let (code, room) = (Hashed([1; 32]), here.seat.room());
    let begun =
        server.begin(&mut here.link, Change::Code(CodeChange::Make { code, room: Some(room) }));
    server.broadcaster.append(begun, FAILED, server.now);
    assert!(is_not_written(&mut here.link));
    let mut again = server.connect();
    let refused = server.refusal(&mut again, come_back(code));
    assert!(matches!(refused, Refusal::NoSuchCode), "{refused:?}");
}

#[test]
fn a_code_belongs_to_the_connection_that_came_back_last() {
    let mut server = Server::new();
    let mut first = server.enter("alice");
    let (code, until) = (server.code(&mut first.link, first.seat.room()), WallTime(100));
    let mut second = server.connect();
    let (seat, _) = granted(server.ask(&mut second, come_back(code)));
    assert!(first.link.client().removed().is_some());
    let whose = first.link.client().id();
    drop(first);
    // The end of the first connection does not end the code, and that of the second one does.
    let mut registry = server.connect();
    let end = |whose| Change::Code(CodeChange::End { code, whose, seq: Some(7), until });
    server.ask(&mut registry, end(whose));
    let place = |server: &mut Server, now| {
        let mut link = server.connect();
        server.ask(&mut link, Query::Code { code, now })
    };
    assert!(matches!(place(&mut server, WallTime(101)), Outcome::Code(_)));
    let whose = second.client().id();
    drop(seat);
    server.ask(&mut registry, end(whose));
    let Outcome::Code(found) = place(&mut server, WallTime(100)) else { panic!("it is valid") };
    assert_eq!(found.seq, 7);
    assert!(!matches!(place(&mut server, WallTime(101)), Outcome::Code(_)), "it has ended");
    server.ask(&mut registry, Change::Code(CodeChange::Expire(WallTime(101))));
    assert!(!matches!(place(&mut server, WallTime(0)), Outcome::Code(_)), "it is deleted");
}

#[test]
fn codes_of_strangers_make_place_for_codes_of_owners() {
    const ENDED_MAX: u32 = 10_000;
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    let hash = |number: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_le_bytes());
        Hashed(hash)
    };
    let end = |server: &mut Server, person: &mut Person, number: u32| {
        let (code, room) = (hash(number), person.seat.room());
        let (whose, seq) = (person.link.client().id(), None);
        let until = WallTime(i64::from(number));
        for change in [
            CodeChange::Make { code, room: Some(room) },
            CodeChange::End { code, whose, seq, until },
        ] {
            server.ask(&mut person.link, Change::Code(change));
        }
    };
    end(&mut server, &mut here, 0); // the oldest one
    let mut bob = server.enter("bob");
    (1..=ENDED_MAX).for_each(|number| end(&mut server, &mut bob, number));
    let mut is_there = |number| {
        let mut link = server.connect();
        let query = Query::Code { code: hash(number), now: WallTime(0) };
        matches!(server.ask(&mut link, query), Outcome::Code(_))
    };
    assert_eq!([0, 1, 2, ENDED_MAX].map(&mut is_there), [true, false, true, true]);
}

/// A message for alice from this person.
fn message(from: PersonId, from_there: usize) -> Change {
    let (writer, network) = (Hashed([from.number() as u8; 32]), Some(Hashed([9; 32])));
    let (to, spoken) = (alice(), Spoken::new(Manner::Plain, line("Where are you?")));
    let keep = MessageChange::Keep { from, to, writer, spoken, network, from_there };
    Change::Message(Box::new(keep))
}

#[test]
fn messages_wait_for_their_owner_within_the_shares_of_their_authors() {
    let mut server = Server::new();
    let mut here = server.enter("alice");
    server.own(&mut here.link, "alice", 0);
    drop(here);
    server.run();
    let mut guests: Vec<_> = (0..4).map(|number| server.enter(&format!("guest{number}"))).collect();
    let mut kept = 0;
    for guest in &mut guests {
        let from = guest.link.client().id();
        let is_kept = |outcome: &Outcome| matches!(outcome, Outcome::Done);
        let answers = std::iter::repeat_with(|| server.ask(&mut guest.link, message(from, 39)));
        kept += answers.take_while(is_kept).count();
    }
    assert_eq!(kept, 60, "each of three has written 20");
    let mut alice = server.connect();
    let _seat = granted(server.ask(&mut alice, enter_as_owner(1)));
    let delivered = || Change::Message(Box::new(MessageChange::Delivered { last: 59 }));
    let bob = &mut guests[3];
    let from = bob.link.client().id();
    let refused = server.refusal(&mut bob.link, delivered());
    assert!(matches!(refused, Refusal::NotOwner), "{refused:?}");
    // A message counts as read when that is stored.
    let begun = server.begin(&mut alice, delivered());
    server.broadcaster.append(begun, FAILED, server.now);
    assert!(is_not_written(&mut alice));
    let refused = server.refusal(&mut bob.link, message(from, 0));
    assert!(matches!(refused, Refusal::MessagesFull(_)), "{refused:?}");
    assert!(matches!(server.ask(&mut alice, delivered()), Outcome::Done));
    let refused = server.refusal(&mut bob.link, message(from, 40));
    assert!(matches!(refused, Refusal::MessagesFull(_)), "{refused:?}");
    // A message that could not be stored takes no place.
    for _ in 0..30 {
        let begun = server.begin(&mut bob.link, message(from, 0));
        let records: Vec<_> = begun.records().iter().collect();
        assert!(matches!(records[..], [Record::Kept(_), Record::KeptFrom { .. }]), "{records:?}");
        server.broadcaster.append(begun, FAILED, server.now);
        assert!(is_not_written(&mut bob.link));
    }
}
