//! The ledger is a function of the order of intents: two ledgers that apply the same ones are
//! equal, even if one of them is restored from a snapshot on the way.
#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

mod intents;
mod nodes;
mod past;
mod seals;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;

use intents::{Step, keepers_at_work, start, steps};
use seals::{give_own_key, unopened, without_seals};

use parlor_core::intent::{Intent, Proposal, ProposalId, Stamp};
use parlor_core::ledger::{Absent, Account, Happened, Ledger, Markers, Mute, Person, Snapshot};
use parlor_core::link::Refusal;
use parlor_core::model::{
    Act, Author, By, Deed, End, Hashed, Here, Looks, Modes, Name, PersonId, ProvenAccount, Reach,
    RoomName, Verb, WallTime, Whom,
};
use proptest::prelude::{ProptestConfig, TestCaseError, prop_assert, prop_assert_eq};
use proptest::test_runner::TestRunner;

/// The time at which everything begins.
const BEGIN: WallTime = WallTime(1_000_000);

/// A server without other nodes, at that time.
const STAMP: Stamp = Stamp { boot: 0, at: BEGIN };

/// Results that must occur in some run; otherwise the intents do not reach the code behind them.
const SIGHTS: [&str; 88] = [
    "Said",
    "Arrived",
    "Left",
    "Moved",
    "Renamed",
    "Topic",
    "LinesDeleted",
    "PersonChanged",
    "Ranked",
    "NameLost",
    "Marked",
    "RoomMade",
    "Changed",
    "LeftServer",
    "Act",
    "BootBegan",
    "BootEnded",
    "Returned",
    "Repeated",
    "Fenced",
    "AlreadyIn",
    "AlreadyKeeper",
    "Banned",
    "InvitedOnly",
    "IsSoAlready",
    "LobbyKeepers",
    "MessagesFull",
    "Muted",
    "NameOwned",
    "LoggedIn",
    "NameReleased",
    "NameTaken",
    "NobodyCalled",
    "NoSuchCode",
    "NoSuchKeeper",
    "NotBanned",
    "NotKeeper",
    "NotMuted",
    "NotOwner",
    "NotRegistered",
    "NotThere",
    "OwnMachine",
    "RuleEnded",
    "TopicLocked",
    "Yourself",
    "Say is allowed",
    "Come is allowed",
    "Enter is allowed",
    "ComeBack is allowed",
    "Invite is allowed",
    "Join is allowed",
    "Leave is allowed",
    "LeaveServer is allowed",
    "GiveUp is allowed",
    "SpeakOnce is allowed",
    "Rename is allowed",
    "LogIn is allowed",
    "Signal is allowed",
    "SetAway is allowed",
    "SetRealname is allowed",
    "Oper is allowed",
    "SetModes is allowed",
    "SetTopic is allowed",
    "DeleteLines is allowed",
    "Register is allowed",
    "ChangePassword is allowed",
    "Rehash is allowed",
    "SetToken is allowed",
    "Release is allowed",
    "MakeCode is allowed",
    "MoveCode is allowed",
    "EndCode is allowed",
    "Readings is allowed",
    "ExpireCodes is allowed",
    "KeepMessage is allowed",
    "Delivered is allowed",
    "MarkRead is allowed",
    "Act is allowed",
    "Remove is allowed",
    "EndRoom is allowed",
    "Up is allowed",
    "Alive is allowed",
    "Down is allowed",
    "Leaving is allowed",
    "Return is allowed",
    "KeysErased is allowed",
    "Import is allowed",
    "Gone",
];

/// A rare sight is missing in one run of five.
const RUNS_MAX: usize = 10;

#[test]
fn two_ledgers_that_apply_the_same_intents_are_equal() {
    let seen = RefCell::new(BTreeSet::new());
    let unseen = || {
        let is_unseen = |sight: &&&str| !seen.borrow().contains(**sight);
        SIGHTS.iter().filter(is_unseen).collect::<Vec<_>>()
    };
    for _ in 0..RUNS_MAX {
        let mut runner = TestRunner::new(ProptestConfig::with_source_file(file!()));
        let checked = runner.run(&(start(), steps()), |(start, steps)| {
            let mut run = Run::new(start);
            steps.into_iter().try_for_each(|step| run.step(step))?;
            seen.borrow_mut().append(&mut run.seen);
            run.finish()
        });
        checked.unwrap_or_else(|failure| panic!("{failure}"));
        if unseen().is_empty() {
            return;
        }
    }
    panic!("never seen: {:?}", unseen());
}

#[test]
fn a_digest_is_the_same_on_every_machine() {
    assert_eq!(Ledger::default().digest(), 16_811_322_893_242_185_956);
    assert_eq!(Ledger::restore(keepers_at_work()).digest(), 11_845_007_847_824_413_940);
}

#[test]
fn a_refused_rule_leaves_the_rule_that_it_would_replace() {
    for verb in [Verb::Ban, Verb::Mute] {
        let mut start = keepers_at_work();
        let rule = |by: &By, name: String| {
            let deed = Deed::to(verb, Whom::Name(Name::stored(&name)));
            Act::by(by.clone(), deed, BEGIN)
        };
        let others = (0..990).map(|number| rule(&By::Operator, format!("guest-{number}")));
        // A keeper has one share under any name, and in any case.
        let alias = Author { name: Name::stored("bunny"), ..Author::owner(Name::stored("ALICE")) };
        let own = rule(&By::Keeper(alias), "carol".to_owned());
        let rules: Vec<_> = others.chain([own, rule(&By::Operator, "zoë".to_owned())]).collect();
        start.mutes =
            rules.iter().map(|act| Mute { people: Vec::new(), act: act.clone() }).collect();
        start.bans = rules;
        let before = Ledger::restore(start.clone());
        let mut ledger = Ledger::restore(start);
        let (asker, here) = (PersonId::new(1), Here::Room(RoomName::lobby()));
        let deed = Deed::to(verb, Whom::Name(Name::stored("zoë")));
        let refused = ledger.apply(Intent::Act { asker, here, deed }, STAMP, &mut Vec::new());
        assert!(matches!(refused, Err(Refusal::TooManyRules(1))), "{refused:?}");
        assert_eq!(ledger, before);
    }
}

#[test]
fn a_person_who_comes_back_to_a_room_does_not_make_it() {
    let (zoe, den) = (Name::stored("zoë"), RoomName::stored("den"));
    let looks = Looks::of(&zoe);
    let [lost, person] = [2, 3].map(PersonId::new);
    let stranger = Person {
        name: zoe.clone(),
        account: None,
        looks: looks.clone(),
        profile: None,
        seats: vec![den.clone()],
        keeps_for_now: Vec::new(),
        voices: Vec::new(),
        away: None,
        boot: 0,
        markers: Markers::default(),
        modes: Modes::NONE,
        lent: None,
    };
    let people = [(lost, stranger)].into();
    let mut ledger = Ledger::restore(Snapshot { people, ..Snapshot::default() });
    let (name, since, code) = (zoe.into(), BEGIN, Hashed([1; 32]));
    let own = Intent::Register { name, since, password: "hash".into(), by: lost };
    let make = Intent::MakeCode { person: lost, code, room: den.clone(), seq: 0 };
    let back = Intent::ComeBack { person, code, now: BEGIN, profile: None, room: Some(den) };
    let mut happened = Vec::new();
    for intent in [own, make, back] {
        ledger.apply(intent, STAMP, &mut happened).unwrap();
    }
    assert!(happened.iter().any(|event| matches!(event, Happened::Arrived { .. })));
    assert!(!happened.iter().any(|event| matches!(event, Happened::RoomMade(_))), "{happened:?}");
}

/// Two ledgers that apply the same intents.
struct Run {
    at: WallTime,
    first: Ledger,
    second: Ledger,
    /// The contents of the first one, and its digest.
    before: (Snapshot, u64),
    /// People whose name was given to another person, or released. They keep it until their
    /// connections end.
    losers: BTreeSet<PersonId>,
    /// The number of the last event of a person.
    last_event: u64,
    /// Whether one of the ledgers may have blanks.
    is_sealed: bool,
    /// The number of steps so far.
    steps: u64,
    /// The first words of all results.
    seen: BTreeSet<String>,
}

impl Run {
    fn new(start: Snapshot) -> Run {
        let [first, second] = [start.clone(), start].map(Ledger::restore);
        let before = (first.snapshot(), first.digest());
        let (losers, seen) = (BTreeSet::new(), BTreeSet::new());
        Run {
            at: BEGIN,
            first,
            second,
            before,
            losers,
            last_event: 0,
            is_sealed: false,
            steps: 0,
            seen,
        }
    }

    fn step(&mut self, mut step: Step) -> Result<(), TestCaseError> {
        self.steps += 1;
        give_own_key(&mut step.intent, self.steps);
        if step.is_restored {
            self.second = Ledger::restore(self.second.snapshot());
        }
        self.at = WallTime(self.at.0 + step.passed);
        let intents = vec![step.intent.clone()];
        let proposal = Proposal { id: step.id, intents, ..Proposal::default() };
        let admitted = self.first.admit(&proposal, self.at);
        prop_assert_eq!(admitted, self.second.admit(&proposal, self.at));
        if let Err(skipped) = admitted {
            self.seen.insert(first_word(skipped));
            let [now, before] = [&self.first.snapshot(), &self.before.0].map(without_seals);
            prop_assert_eq!(now, before, "it changes nothing");
            self.before = (self.first.snapshot(), self.first.digest());
        }
        let stamp = admitted.unwrap_or(Stamp { boot: 0, at: self.at });
        if admitted.is_ok() {
            self.before = (self.first.snapshot(), self.first.digest());
        }
        let mut happened = [Vec::new(), Vec::new()];
        let [events, others] = &mut happened;
        let applied = self.first.apply(step.intent.clone(), stamp, events);
        let intent = unopened(step.intent.clone());
        let other = self.second.apply(intent, stamp, others);
        prop_assert_eq!(format!("{applied:?}"), format!("{other:?}"));
        self.is_sealed |= step.intent.seal_key().is_some();
        match self.is_sealed {
            false => prop_assert_eq!(format!("{events:?}"), format!("{others:?}")),
            true => prop_assert_eq!(kinds(events), kinds(others)), // with blanks among them
        }
        prop_assert_eq!(self.first.digest(), self.second.digest());
        let (snapshot, digest) = (self.first.snapshot(), self.first.digest());
        prop_assert_eq!(snapshot == self.before.0, digest == self.before.1, "the digest misses it");
        if applied.is_err() {
            let [now, before] = [&snapshot, &self.before.0].map(without_seals);
            prop_assert_eq!(now, before, "a refused intent changes nothing");
            prop_assert!(events.is_empty(), "a refused intent has no results: {events:?}");
        }
        self.note(&step.intent, &applied, events, &snapshot);
        self.check(&snapshot)?;
        seals::check(&snapshot)?;
        check_numbers(&self.before.0, &snapshot)?;
        self.before = (snapshot, digest);
        Ok(())
    }

    /// Notes the results.
    fn note(
        &mut self,
        intent: &Intent,
        applied: &Result<(), Refusal>,
        events: &[Happened],
        snapshot: &Snapshot,
    ) {
        for event in events {
            match event {
                Happened::NameLost { people, .. } => self.losers.extend(people),
                Happened::Arrived { event, .. }
                | Happened::Left { event, .. }
                | Happened::LeftServer { event, .. }
                | Happened::Renamed { event, .. }
                | Happened::PersonChanged { event, .. } => {
                    assert_eq!(*event, self.last_event + 1, "events are counted");
                    self.last_event = *event;
                }
                _ => {}
            }
            if let Happened::Said { lines, .. } = event {
                self.seen.extend(lines.iter().map(|line| first_word(line.manner)));
            }
            self.seen.insert(first_word(event));
        }
        let is_here = |id: &PersonId| snapshot.people.contains_key(id);
        self.losers.retain(is_here);
        self.seen.insert(match applied {
            Ok(()) => format!("{} is allowed", first_word(intent)),
            Err(refusal) => first_word(refusal),
        });
    }

    /// Checks the promises that hold at any time.
    fn check(&self, snapshot: &Snapshot) -> Result<(), TestCaseError> {
        // Everything else in a ledger follows from a snapshot: keys, looks, and counts of seats.
        prop_assert_eq!(&Ledger::restore(snapshot.clone()), &self.first);
        let Snapshot { people, accounts, ends, topics, absent, boots, .. } = snapshot;
        let seats = seats(snapshot);
        for (id, person) in people {
            let is_live = person.boot == 0 || boots.get(&person.boot).is_some_and(|b| b.is_live);
            prop_assert!(is_live, "{id:?} is of boot {}", person.boot);
            let seats: BTreeSet<_> = person.seats.iter().collect();
            prop_assert_eq!(seats.len(), person.seats.len(), "{:?} sits twice in a room", id);
            let is_valid = |proven: &ProvenAccount| {
                let is_it = |account: &Account| account.name == proven.name;
                accounts.iter().any(|it| is_it(it) && it.proof == proven.proof)
            };
            prop_assert!(person.account.as_ref().is_none_or(is_valid), "{id:?} is logged in");
        }
        let wearers = people.iter().filter(|(id, _)| !self.losers.contains(id));
        for (id, person) in wearers.clone() {
            for (other, their) in wearers.clone().filter(|(other, _)| *other != id) {
                prop_assert!(may_both_be_here(person, their), "{id:?} and {other:?}");
            }
        }
        for (id, person) in people {
            let absent = absent.iter().filter(|absent| absent.heir == *id);
            let there = person.seats.iter().chain(absent.map(|absent| &absent.room));
            let there: BTreeSet<_> = there.collect();
            let keeps = person.keeps_for_now.iter();
            let is_there = |room: &RoomName| there.contains(room) && *room != RoomName::lobby();
            prop_assert!(keeps.clone().all(is_there), "{id:?} is not there");
            let keeps: BTreeSet<_> = keeps.collect();
            prop_assert_eq!(keeps.len(), person.keeps_for_now.len(), "{:?} keeps it twice", id);
            prop_assert!(person.voices.iter().all(|room| there.contains(room)), "{id:?} speaks");
        }
        let rules = snapshot.bans.iter().chain(snapshot.mutes.iter().map(|mute| &mute.act));
        let for_now = rules.filter(|rule| rule.is_for_now()).filter_map(|rule| rule.reach.room());
        for room in for_now.chain(&snapshot.locked_for_now) {
            prop_assert!(seats.contains(room), "what held in {room} ends with the room");
        }
        for (room, rules) in &snapshot.rules {
            let is_lasting = rules.now == rules.lasting;
            prop_assert!(seats.contains(room) || is_lasting, "rules of {room} end with the room");
            prop_assert!(rules.invited.len() <= 100, "{room}");
        }
        for (room, rules) in &snapshot.rules {
            let is_for_now = rules.now.is_moderated && !rules.lasting.is_moderated;
            prop_assert!(!is_for_now || has_keeper(snapshot, room), "nobody can speak in {room}");
        }
        for Absent { heir, .. } in absent {
            prop_assert!(people.contains_key(heir), "nobody can take the seat of {heir:?}");
        }
        for (room, end) in ends {
            let is_something = end.seq > 0 || seats.contains(room) || topics.contains_key(room);
            prop_assert!(is_something, "{room} has no seat, no line and no topic");
        }
        Ok(())
    }

    /// Lets everybody leave, and checks that nothing of them stays.
    fn finish(mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.first.snapshot(), self.second.snapshot());
        prop_assert_eq!(&self.first, &self.second);
        let Snapshot { people, absent, .. } = self.first.snapshot();
        let give_up = absent
            .into_iter()
            .map(|absent| Intent::GiveUp { heir: absent.heir, room: absent.room });
        let leave = people.into_keys();
        let leave = leave.map(|person| Intent::LeaveServer { person, words: None, removal: None });
        for intent in give_up.chain(leave) {
            self.step(Step { intent, id: ProposalId::default(), passed: 0, is_restored: false })?;
        }
        let left = self.first.snapshot();
        prop_assert!(left.people.is_empty() && left.absent.is_empty(), "{left:?}");
        Ok(())
    }
}

/// Whether somebody in a room has authority there.
fn has_keeper(Snapshot { people, absent, keepers, .. }: &Snapshot, room: &RoomName) -> bool {
    let reach = Reach::Room(room.clone());
    let is_keeper = |name: &Name, of: &[&Reach]| {
        keepers.iter().any(|(reach, keeper)| of.contains(&reach) && keeper.is_same(name))
    };
    let keeps = |person: &Person| {
        let account = person.account.as_ref().map(|account| &account.name);
        person.keeps_for_now.contains(room)
            || account.is_some_and(|name| is_keeper(name, &[&reach, &Reach::Server]))
            || person.lent.as_ref().is_some_and(|name| is_keeper(name, &[&Reach::Server]))
    };
    let heirs = absent.iter().filter(|absent| absent.room == *room);
    let mut heirs = heirs.filter_map(|absent| people.get(&absent.heir));
    let mut seated = people.values().filter(|person| person.seats.contains(room));
    seated.any(keeps) || heirs.any(keeps)
}

/// The rooms with seats.
fn seats(Snapshot { people, absent, .. }: &Snapshot) -> BTreeSet<&RoomName> {
    let seats = people.values().flat_map(|person| &person.seats);
    seats.chain(absent.iter().map(|absent| &absent.room)).collect()
}

/// Checks that the numbers of a room begin again only if nobody is there and nothing is stored.
fn check_numbers(before: &Snapshot, after: &Snapshot) -> Result<(), TestCaseError> {
    let is_lower =
        |(room, end): &(&RoomName, &End)| after.ends.get(*room).is_none_or(|now| now.seq < end.seq);
    for (room, _) in before.ends.iter().filter(is_lower) {
        prop_assert!(!before.is_stored, "the stored room {room} begins again");
        prop_assert!(!seats(before).contains(room), "{room} begins again under its people");
    }
    Ok(())
}

/// Whether the rules allow the names of two people: they differ, or both people prove that they own
/// the same name. Two people may share an address.
fn may_both_be_here(one: &Person, other: &Person) -> bool {
    let owns = |person: &Person| {
        person.account.as_ref().is_some_and(|account| account.name.is_same(&person.name))
    };
    let are_owners = owns(one) && owns(other);
    let is_owner = owns(one) || owns(other);
    let is_shared = one.name.is_address() || are_owners && one.name.is_same(&other.name);
    let is_like = one.name.looks_like(&other.name);
    // In other letters, only two strangers must not look alike.
    let is_like_in_other_letters = one.looks.others().any(|look| look == other.looks.shown());
    is_shared || !is_like && (is_owner || !is_like_in_other_letters)
}

fn kinds(events: &[Happened]) -> Vec<String> {
    events.iter().map(first_word).collect()
}

/// The name of a variant.
fn first_word(value: impl Debug) -> String {
    let shown = format!("{value:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}
