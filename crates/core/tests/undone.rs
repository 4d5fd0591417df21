//! Changes that cannot be stored are undone: nothing is decided on the state that they would have
//! left, and nobody keeps what that state gave.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_core::broadcaster::{Broadcaster, Gathered};
use parlor_core::journal::{NotStored, Past, Record};
use parlor_core::ledger::{Account, CODE_LIFE, Snapshot, Validity};
use parlor_core::link::{
    AccountChange, Answer, Change, CodeChange, Link, MessageChange, Outcome, Refusal,
};
use parlor_core::model::{
    Claim, Deed, Entry, Hashed, Here, Manner, Name, PersonId, Proof, ProvenAccount, RoomName,
    Spoken, Verb, WallTime, Whom,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::sample::select;
use server::{
    Person, Server, come_back, enter, granted, join, line, post, refusal, register, rename,
};

const FAILED: Result<(), NotStored> = Err(NotStored("the disk has failed"));

/// The hash of a token.
const TOKEN: Hashed = Hashed([7; 32]);

/// The number of the first password, if no other name has an owner.
const FIRST: Proof = Proof(1);

fn alice() -> Name {
    Name::stored("alice")
}

fn account(change: AccountChange) -> Change {
    Change::Account(Box::new(change))
}

fn token(proof: Proof, token: Option<Hashed>) -> Change {
    account(AccountChange::SetToken { name: alice(), proof, token })
}

fn new_password(proof: Proof, by: Option<PersonId>) -> Change {
    account(AccountChange::ChangePassword {
        name: alice(),
        proof: Some(proof),
        password: "newer".into(),
        keeps_token: true,
        by,
        visit: None,
    })
}

fn release(name: Name) -> Change {
    account(AccountChange::Release(name))
}

fn keeper(name: &str) -> Change {
    let deed = Deed::to(Verb::AddKeeper, Whom::Name(Name::stored(name)));
    Change::Act { here: Here::Operator, deed }
}

fn message(from: PersonId, to: Name) -> Change {
    let (writer, network) = (Hashed([9; 32]), Some(Hashed([8; 32])));
    let keep = MessageChange::Keep {
        from,
        to,
        writer,
        spoken: Spoken::new(Manner::Plain, line("hi")),
        network,
        from_there: 0,
    };
    Change::Message(Box::new(keep))
}

fn enter_as(name: Name, proof: Proof) -> Change {
    let name = Claim::of_owner(name, proof);
    Change::Enter { name, profile: None, room: RoomName::lobby(), replay: 0 }
}

/// A server whose rooms outlast their people, as on a disk.
fn on_disk() -> Server {
    Server::of(Broadcaster::resume(Default::default(), Default::default(), Past::default()))
}

/// The reason why a request was refused.
fn refused(link: &mut Link) -> Refusal {
    refusal(link.outcome().expect("it has an answer"))
}

impl Server {
    /// Requests of new connections, each with its link. None has its place yet.
    fn start<const N: usize>(&mut self, changes: [Change; N]) -> [Link; N] {
        changes.map(|change| {
            let mut link = self.connect();
            link.start(change);
            link
        })
    }

    /// The same, with their places, if they get them now.
    fn begin<const N: usize>(&mut self, changes: [Change; N]) -> [Link; N] {
        let links = self.start(changes);
        self.drain();
        links
    }

    fn fail(&mut self, begun: Gathered) {
        self.broadcaster.append(begun, FAILED, self.now);
    }

    fn done(&mut self, change: Change) {
        let outcome = self.ask_anew(change);
        assert!(matches!(outcome, Outcome::Done | Outcome::Answer(Answer::Act(_))), "{outcome:?}");
    }

    fn ask_anew(&mut self, change: Change) -> Outcome {
        let mut link = self.connect();
        self.ask(&mut link, change)
    }

    /// Enters, and registers the name.
    fn enter_and_own(&mut self, name: &str) -> Person {
        let mut person = self.enter(name);
        self.own(&mut person.link, name, 0);
        person
    }
}

#[test]
fn a_change_behind_one_that_fails_is_made_of_what_is_stored() {
    for is_first_stored in [false, true] {
        let mut server = on_disk();
        let _alice = server.enter_and_own("alice");
        server.done(token(FIRST, Some(TOKEN)));
        let [mut revoking] = server.begin([token(FIRST, None)]);
        let first = server.gather();
        let [mut changing] = server.begin([new_password(FIRST, None)]);
        assert!(revoking.outcome().is_none() && changing.outcome().is_none());
        let kept = if is_first_stored { Ok(()) } else { FAILED };
        server.broadcaster.append(first, kept, server.now);
        assert_eq!(matches!(revoking.outcome(), Some(Outcome::Done)), is_first_stored);
        let second = server.gather();
        let Some(Record::NewPassword(stored)) = second.records().first() else {
            panic!("{:?}", second.records());
        };
        let token = (!is_first_stored).then_some(TOKEN.into());
        assert_eq!((&*stored.password.value, stored.token.clone()), ("newer", token.clone()));
        server.append(second);
        assert!(matches!(changing.outcome(), Some(Outcome::Done)));
        let accounts = server.broadcaster.snapshot().accounts;
        assert_eq!((&*accounts[0].password.value, accounts[0].token.clone()), ("newer", token));
    }
}

#[test]
fn nothing_is_stored_for_a_name_whose_registration_fails() {
    let mut server = on_disk();
    let mut here = server.enter("alice");
    let mut bob = server.enter("bob");
    let by = here.link.client().id();
    let code = server.code(&mut here.link, here.seat.room());
    let [mut registering] = server.begin([Change::Account(register(alice(), by))]);
    let begun = server.gather();
    let from = bob.link.client().id();
    let requests = [token(FIRST, Some(TOKEN)), message(from, alice()), keeper("alice")];
    let [mut owner, mut writer, mut operator] = server.begin(requests);
    let room = here.seat.room();
    here.link.start(Change::Code(CodeChange::Move { code, room: Some(room) }));
    server.drain();
    server.fail(begun);
    assert!(matches!(refused(&mut registering), Refusal::NotWritten));
    assert!(matches!(refused(&mut owner), Refusal::NotOwner));
    assert!(matches!(refused(&mut writer), Refusal::NobodyCalled(_)));
    assert!(matches!(refused(&mut operator), Refusal::NotRegistered(_)));
    let next = server.gather();
    assert!(matches!(next.records(), [Record::Code(_, code)] if !code.claim.is_proven()));
    server.append(next);
    let Snapshot { accounts, owned, keepers, kept, .. } = server.broadcaster.snapshot();
    assert!(accounts.is_empty() && owned.is_empty() && keepers.is_empty() && kept.is_empty());
    // Lines do not wait for it.
    let [_registering] = server.begin([Change::Account(register(alice(), by))]);
    let begun = server.gather();
    bob.link.start(post(bob.seat.room(), &["hello"]));
    server.drain();
    assert_eq!(server.broadcaster.gathered_lines(), 1);
    server.fail(begun);
    server.run();
    assert_eq!(here.heard(), ["hello"]);
}

#[test]
fn the_next_owner_of_a_name_gets_nothing_from_a_registration_that_failed() {
    let mut server = on_disk();
    let mut here = server.enter("alice");
    let (by, room) = (here.link.client().id(), here.seat.room());
    let code = server.code(&mut here.link, room);
    let [_registering, mut operator] =
        server.start([Change::Account(register(alice(), by)), keeper("alice")]);
    here.link.start(Change::Code(CodeChange::Move { code, room: Some(room) }));
    let begun = server.gather();
    let is_proven = |server: &Server| {
        let Snapshot { codes, people, .. } = server.broadcaster.snapshot();
        [codes[&code].claim.is_proven(), people[&by].account.is_some()]
    };
    assert_eq!(is_proven(&server), [true; 2]);
    server.fail(begun);
    assert_eq!(is_proven(&server), [false; 2]);
    assert!(matches!(operator.outcome(), Some(Outcome::Answer(Answer::Unstored(_)))));
    drop(here);
    let until = WallTime(9);
    server.done(Change::Code(CodeChange::End { code, whose: by, seq: None, until }));
    let _owner = server.enter_and_own("alice");
    assert!(server.broadcaster.snapshot().keepers.is_empty());
    let mut again = server.connect();
    let refused = server.refusal(&mut again, come_back(code));
    assert!(matches!(refused, Refusal::NameOwned(_)), "{refused:?}");
}

#[test]
fn a_name_whose_release_fails_stays_with_its_owner() {
    let mut server = on_disk();
    let mut bob = server.enter("bob");
    let here = server.enter_and_own("alice");
    server.done(keeper("alice"));
    let before = server.broadcaster.snapshot();
    // Behind the release, everybody who wants the name waits.
    let [mut operator] = server.begin([release(alice())]);
    let begun = server.gather();
    bob.link.start(rename("alice"));
    let by = bob.link.client().id();
    let [mut carol, mut thief] =
        server.begin([enter("alice", "lobby"), Change::Account(register(alice(), by))]);
    assert!(bob.link.outcome().is_none() && carol.outcome().is_none());
    server.fail(begun);
    assert!(matches!(refused(&mut operator), Refusal::NotWritten));
    assert!(matches!(refused(&mut bob.link), Refusal::NameOwned(_)));
    assert!(matches!(refused(&mut carol), Refusal::NameOwned(_)));
    assert!(matches!(refused(&mut thief), Refusal::NameOwned(_)));
    assert_eq!(server.broadcaster.snapshot(), before);
    assert!(here.link.client().removed().is_none());
    server.done(token(FIRST, Some(TOKEN)));
    // Once the release is stored, the name is free.
    server.done(release(alice()));
    assert!(here.link.client().removed().is_some());
    drop(here);
    assert!(matches!(server.ask(&mut bob.link, rename("alice")), Outcome::Answer(_)));
}

#[test]
fn a_stranger_who_took_a_name_in_the_batch_of_a_failed_release_loses_it() {
    let mut server = on_disk();
    let dave = server.enter("dave");
    let mut bob = server.enter("bob");
    drop(server.enter_and_own("alice"));
    server.run();
    let _operator = server.start([release(alice())]);
    bob.link.start(rename("alice"));
    let [mut carol] = server.start([enter("ALICE", "lobby")]);
    let begun = server.gather();
    server.fail(begun);
    let outcome = bob.link.outcome();
    assert!(matches!(outcome, Some(Outcome::Answer(Answer::YouAre(_)))), "{outcome:?}");
    assert!(matches!(refused(&mut carol), Refusal::NameTaken(_)));
    let removal = bob.link.client().removed().expect("the name is not free").clone();
    assert_eq!(removal.deed.text, Some(line("the name alice is registered")));
    let owner = server.ask_anew(enter_as(alice(), FIRST));
    assert!(matches!(refusal(owner), Refusal::NameTaken(_)), "until the other one has left");
    drop(bob);
    server.run();
    let last = dave.read().pop().unwrap();
    assert!(
        matches!(&last, Entry::Left { removal: Some(act), .. } if act.act == removal),
        "{last:?}"
    );
    let _alice = granted(server.ask_anew(enter_as(alice(), FIRST)));
}

#[test]
fn of_two_connections_with_the_password_of_a_failed_registration_one_keeps_the_name() {
    let mut server = on_disk();
    let mut here = server.enter("alice");
    let by = here.link.client().id();
    let [_registering, mut there] =
        server.start([Change::Account(register(alice(), by)), enter_as(alice(), FIRST)]);
    let begun = server.gather();
    server.fail(begun);
    let (_seat, _) = granted(there.outcome().unwrap());
    assert!(there.client().removed().is_some() && here.link.client().removed().is_none());
    let outcome = server.ask(&mut here.link, post(here.seat.room(), &["still here"]));
    assert!(matches!(outcome, Outcome::Done));
}

#[test]
fn a_code_whose_connection_ends_while_a_password_fails_is_valid_for_an_hour() {
    let mut server = on_disk();
    let here = server.enter_and_own("alice");
    let mut there = server.connect();
    let (seat, _) = granted(server.ask(&mut there, enter_as(alice(), FIRST)));
    let code = server.code(&mut there, seat.room());
    let whose = there.client().id();
    let by = Some(here.link.client().id());
    let _changing = server.start([new_password(FIRST, by)]);
    drop((seat, there));
    let end = CodeChange::End { code, whose, seq: None, until: WallTime(5) };
    let _ending = server.start([Change::Code(end)]);
    let begun = server.gather();
    server.fail(begun);
    let validity = server.broadcaster.snapshot().codes[&code].validity;
    assert_eq!(validity, Validity::Until(server.now.wall.after(CODE_LIFE)));
}

/// Names of few people, some of them owners.
const NAMES: [&str; 5] = ["alice", "carol", "bob", "dave", "eve"];

/// The number of people who are here: alice, bob and dave.
const GUESTS: usize = 3;

/// A request of one of these guests, or of somebody else, in a random run.
#[derive(Clone, Debug)]
enum Wish {
    Register { name: Name, by: usize },
    NewPassword { name: Name, by: usize },
    Token { name: Name, token: Option<Hashed> },
    Release(Name),
    Keep { from: usize, to: Name },
    Topic { who: usize, text: &'static str },
    MakeCode { who: usize, code: Hashed },
    Delivered { who: usize },
    MoveCode { who: usize, code: Hashed },
    EndCode { who: usize, code: Hashed },
    ComeBack(Hashed),
    Enter { name: Name, is_proven: bool },
    Rename { who: usize, name: Name, is_proven: bool },
    LogIn { who: usize, name: Name },
    Join { who: usize },
    Keeper(Name),
    Say { who: usize },
    Mute(Name),
    Leave { who: usize },
}

fn name() -> impl Strategy<Value = Name> {
    select(&NAMES[..]).prop_map(Name::stored)
}

/// The code that a person made, or makes.
fn code_of(person: PersonId) -> Hashed {
    Hashed([person.number() as u8; 32])
}

fn code() -> impl Strategy<Value = Hashed> {
    (0..4_u64).prop_map(|number| code_of(PersonId::new(number)))
}

/// Changes of which nothing stays if they are not stored.
fn whole() -> impl Strategy<Value = Wish> {
    let who = || 0..GUESTS;
    prop_oneof![
        (name(), who()).prop_map(|(name, by)| Wish::Register { name, by }),
        (name(), who()).prop_map(|(name, by)| Wish::NewPassword { name, by }),
        (name(), of(code())).prop_map(|(name, token)| Wish::Token { name, token }),
        name().prop_map(Wish::Release),
        (who(), name()).prop_map(|(from, to)| Wish::Keep { from, to }),
        (who(), select(&["", "black", "white"][..]))
            .prop_map(|(who, text)| Wish::Topic { who, text }),
        (who(), code()).prop_map(|(who, code)| Wish::MakeCode { who, code }),
        who().prop_map(|who| Wish::Delivered { who }),
    ]
}

/// Changes that wait for those before them.
fn behind() -> impl Strategy<Value = Wish> {
    let who = || 0..GUESTS;
    prop_oneof![
        4 => whole(),
        1 => (who(), code()).prop_map(|(who, code)| Wish::MoveCode { who, code }),
        1 => (who(), code()).prop_map(|(who, code)| Wish::EndCode { who, code }),
        1 => code().prop_map(Wish::ComeBack),
        2 => (name(), any::<bool>()).prop_map(|(name, is_proven)| Wish::Enter { name, is_proven }),
        2 => (who(), name(), any::<bool>()).prop_map(|(who, name, is_proven)| {
            Wish::Rename { who, name, is_proven }
        }),
        2 => (who(), name()).prop_map(|(who, name)| Wish::LogIn { who, name }),
        1 => who().prop_map(|who| Wish::Join { who }),
        1 => name().prop_map(Wish::Keeper),
    ]
}

/// Changes that hold at once.
fn at_once() -> impl Strategy<Value = Wish> {
    prop_oneof![
        (0..GUESTS).prop_map(|who| Wish::Say { who }),
        name().prop_map(Wish::Mute),
        (1..GUESTS).prop_map(|who| Wish::Leave { who }), // not alice, whose code would end
    ]
}

/// A server with guests, and everything that has an owner.
struct World {
    server: Server,
    /// None after the guest has left.
    guests: [Option<Person>; GUESTS],
    ids: [PersonId; GUESTS],
    /// Guests who wait for an answer.
    busy: [bool; GUESTS],
    /// The connections of other requests.
    links: Vec<Link>,
}

impl World {
    fn open() -> World {
        let mut server = on_disk();
        let mut alice = server.enter_and_own("alice");
        let mut carol = server.enter_and_own("carol");
        let mut bob = server.enter("bob");
        let dave = server.enter("dave");
        server.code(&mut alice.link, alice.seat.room());
        server.code(&mut carol.link, carol.seat.room());
        let topic = Change::SetTopic { room: bob.seat.room(), text: Some(line("green")) };
        server.ask(&mut bob.link, topic);
        let from = bob.link.client().id();
        for owner in ["alice", "carol"].map(Name::stored) {
            server.done(message(from, owner.clone()));
            server.done(keeper(owner.as_str()));
        }
        let (whose, until) = (carol.link.client().id(), WallTime(1_000));
        let code = code_of(whose);
        server.done(Change::Code(CodeChange::End { code, whose, seq: None, until }));
        drop(carol);
        server.run();
        let guests = [alice, bob, dave];
        let ids = guests.each_ref().map(|guest| guest.link.client().id());
        let (guests, links) = (guests.map(Some), Vec::new());
        World { server, guests, ids, busy: [false; GUESTS], links }
    }

    /// A claim with a proof of the password that was stored, or without one.
    fn claim(name: &Name, is_proven: bool) -> Claim {
        let proof = Proof(1 + u64::from(name.as_str() == "carol"));
        match is_proven {
            true => Claim::of_owner(name.clone(), proof),
            false => name.clone().into(),
        }
    }

    /// Starts these requests, unless the guest is gone or busy; or only connects, if the twin of
    /// this server starts them.
    fn take(&mut self, wishes: &[Wish], starts: bool) {
        for wish in wishes {
            let (who, change) = self.change(wish.clone());
            let Some(who) = who else {
                let mut link = self.server.connect();
                change.filter(|_| starts).into_iter().for_each(|change| link.start(change));
                self.links.push(link);
                continue;
            };
            if self.busy[who] {
                continue;
            }
            match (change, &mut self.guests[who]) {
                (Some(change), Some(guest)) => {
                    self.busy[who] = true;
                    if starts {
                        guest.link.start(change);
                    }
                }
                (None, guest) if starts => *guest = None,
                _ => {}
            }
        }
    }

    /// The guest who asks, if it is one, and the change; none if the guest leaves.
    fn change(&self, wish: Wish) -> (Option<usize>, Option<Change>) {
        let lobby = self.guests.iter().flatten().next().map(|guest| guest.seat.room());
        let proof = |name: &Name| World::claim(name, true).proof().unwrap();
        let (who, change) = match wish {
            Wish::Register { name, by } => {
                (None, Some(Change::Account(register(name, self.ids[by]))))
            }
            Wish::NewPassword { name, by } => {
                let (proof, by) = (Some(proof(&name)), Some(self.ids[by]));
                let (password, keeps_token, visit) = ("newer".into(), true, None);
                let change =
                    AccountChange::ChangePassword { name, proof, password, keeps_token, by, visit };
                (None, Some(account(change)))
            }
            Wish::Token { name, token } => {
                let proof = proof(&name);
                (None, Some(account(AccountChange::SetToken { name, proof, token })))
            }
            Wish::Release(name) => (None, Some(release(name))),
            Wish::Keep { from, to } => (None, Some(message(self.ids[from], to))),
            Wish::Topic { who, text } => {
                let text = Some(line(text)).filter(|text| !text.as_str().is_empty());
                (Some(who), lobby.map(|room| Change::SetTopic { room, text }))
            }
            Wish::MakeCode { who, code } => (
                Some(who),
                lobby.map(|room| Change::Code(CodeChange::Make { code, room: Some(room) })),
            ),
            Wish::Delivered { who } => {
                let delivered = MessageChange::Delivered { last: 1_000 };
                (Some(who), Some(Change::Message(Box::new(delivered))))
            }
            Wish::MoveCode { who, code } => (
                Some(who),
                lobby.map(|room| Change::Code(CodeChange::Move { code, room: Some(room) })),
            ),
            Wish::EndCode { who, code } => {
                let (whose, until) = (self.ids[who], WallTime(1_000));
                (None, Some(Change::Code(CodeChange::End { code, whose, seq: None, until })))
            }
            Wish::ComeBack(code) => (None, Some(come_back(code))),
            Wish::Enter { name, is_proven } => {
                let (name, room) = (World::claim(&name, is_proven), RoomName::lobby());
                (None, Some(Change::Enter { name, profile: None, room, replay: 0 }))
            }
            Wish::Rename { who, name, is_proven } => {
                (Some(who), Some(Change::Rename(World::claim(&name, is_proven))))
            }
            Wish::LogIn { who, name } => {
                (Some(who), World::claim(&name, true).account.map(Change::LogIn))
            }
            Wish::Join { who } => (Some(who), Some(join("den"))),
            Wish::Keeper(name) => (None, Some(keeper(name.as_str()))),
            Wish::Say { who } => (Some(who), lobby.map(|room| post(room, &["hi"]))),
            Wish::Mute(name) => {
                let deed = Deed::to(Verb::Mute, Whom::Name(name));
                (None, Some(Change::Act { here: Here::Operator, deed }))
            }
            Wish::Leave { who } => (Some(who), None),
        };
        (who, change)
    }

    /// Stores everything. Returns the records, as text without the numbers of proofs and messages.
    fn finish(&mut self) -> Vec<String> {
        let mut stored = Vec::new();
        self.server.drain();
        while let Some(gathered) = self.server.broadcaster.gather(self.server.now) {
            stored.extend(gathered.records().iter().map(without_numbers));
            self.server.append(gathered);
            self.server.drain();
        }
        stored
    }

    /// Whether a person was removed.
    fn is_removed(&self, id: PersonId) -> bool {
        let guests = self.guests.iter().flatten().map(|guest| &guest.link);
        let mut links = guests.chain(&self.links).map(Link::client);
        links.any(|client| client.id() == id && client.removed().is_some())
    }
}

/// A record without numbers that depend on earlier failures.
fn without_numbers(record: &Record) -> String {
    let shown = format!("{record:?}");
    let mut parts = shown.split_inclusive(['(', ' ']).peekable();
    let mut text = String::new();
    while let Some(part) = parts.next() {
        text += part;
        if part.ends_with("Proof(") || part == "number: " {
            let number = parts.next().unwrap_or_default();
            text += number.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    text
}

/// A snapshot without numbers that depend on earlier failures.
fn essence(mut snapshot: Snapshot) -> Snapshot {
    let proof = |account: &Account| (account.name.keys()[0].to_owned(), account.proof);
    let proofs: BTreeMap<_, _> = snapshot.accounts.iter().map(|account| proof(account)).collect();
    let blank = |account: &mut ProvenAccount| {
        if proofs.get(account.name.keys()[0]) == Some(&account.proof) {
            account.proof = Proof(0);
        }
    };
    snapshot.people.values_mut().filter_map(|person| person.account.as_mut()).for_each(blank);
    for code in snapshot.codes.values_mut() {
        Arc::make_mut(code).claim.account.as_mut().into_iter().for_each(blank);
    }
    for account in &mut snapshot.accounts {
        Arc::make_mut(account).proof = Proof(0);
    }
    for kept in snapshot.kept.values_mut() {
        (0..).zip(kept).for_each(|(number, kept)| kept.number = number);
    }
    Snapshot { last_proof: Proof(0), last_kept: 0, events: 0, ..snapshot }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_behind_a_commit_that_fails_are_decided_as_if_it_had_never_begun(
        failing in vec(whole(), 1..4), holding in vec(at_once(), 0..3), waiting in vec(behind(), 0..5),
    ) {
        let mut worlds = [World::open(), World::open()];
        for (world, fails) in worlds.iter_mut().zip([true, false]) {
            world.take(&failing, fails);
            world.server.drain();
            let begun = world.server.broadcaster.gather(world.server.now);
            world.take(&holding, true);
            world.take(&waiting, true);
            world.server.drain();
            begun.into_iter().for_each(|begun| world.server.fail(begun));
        }
        let stored = worlds.each_mut().map(World::finish);
        prop_assert_eq!(&stored[0], &stored[1]);
        let [one, other] = worlds.map(|world| essence(world.server.broadcaster.snapshot()));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn owners_and_their_names_are_what_they_were_after_a_commit_that_fails(
        wishes in vec(prop_oneof![3 => behind(), 1 => at_once()], 1..8),
    ) {
        let mut world = World::open();
        let before = world.server.broadcaster.snapshot();
        world.take(&wishes, true);
        world.server.drain();
        let begun = world.server.broadcaster.gather(world.server.now);
        begun.into_iter().for_each(|begun| world.server.fail(begun));
        let after = world.server.broadcaster.snapshot();
        prop_assert_eq!(&after.accounts, &before.accounts);
        prop_assert_eq!(&after.owned, &before.owned);
        prop_assert_eq!(&after.kept, &before.kept);
        prop_assert_eq!(&after.makers, &before.makers);
        prop_assert_eq!(&after.topics[&RoomName::lobby()], &before.topics[&RoomName::lobby()]);
        prop_assert_eq!(&after.keepers, &before.keepers, "all owners are keepers");
        let owner = |name: &Name| {
            let mut accounts = after.accounts.iter();
            accounts.find(|account| account.name.is_same(name)).map(|account| account.proof)
        };
        let has_owner = |account: &ProvenAccount| Some(account.proof) == owner(&account.name);
        for code in after.codes.values() {
            prop_assert!(code.claim.account.iter().all(has_owner), "{:?}", code);
        }
        let stay = after.people.iter().filter(|(id, _)| !world.is_removed(**id));
        let mut strangers = BTreeSet::new();
        for (id, person) in stay {
            prop_assert!(person.account.iter().all(has_owner), "{:?}: {:?}", id, person);
            let claim = Claim { name: person.name.clone(), account: person.account.clone() };
            prop_assert_eq!(claim.proof(), owner(&person.name), "{:?} is {}", id, person.name);
            let is_alone = claim.is_proven() || strangers.insert(person.name.keys()[0]);
            prop_assert!(is_alone, "two people are {}", person.name);
        }
        world.finish();
    }
}
