//! Nodes: boots begin and end, and each proposal of a live boot counts once.

use parlor_core::intent::{Intent, Proposal, ProposalId, Reentry, Stamp};
use parlor_core::ledger::{Happened, Ledger, Skipped, Snapshot, Validity};
use parlor_core::link::Refusal;
use parlor_core::model::{
    Deed, Format, Hashed, Here, Line, Looks, Manner, Name, NodeName, NodeProgram, PersonId,
    RoomName, Spoken, Verb, WallTime, Whom,
};

/// A program that knows formats up to this one.
fn program(newest: u64) -> NodeProgram {
    NodeProgram::new("0.1.0", Format(newest)).unwrap()
}

/// A ledger that follows an order of proposals.
#[derive(Default)]
struct Follower {
    ledger: Ledger,
    at: i64,
}

impl Follower {
    fn reads(
        &mut self,
        (boot, number): (u32, u64),
        intent: Intent,
    ) -> Result<Vec<Happened>, Skipped> {
        let id = ProposalId { boot, number };
        let proposal = Proposal { id, intents: vec![intent.clone()], ..Proposal::default() };
        let stamp = self.ledger.admit(&proposal, WallTime(self.at))?;
        let mut happened = Vec::new();
        self.ledger.apply(intent, stamp, &mut happened).unwrap();
        Ok(happened)
    }

    /// A node begins a boot. Returns its number, if it counts.
    fn up(&mut self, node: &str, after: Option<u32>) -> Option<u32> {
        self.up_with(node, 1, after)
    }

    /// The same, with a program that knows formats up to `newest`.
    fn up_with(&mut self, node: &str, newest: u64, after: Option<u32>) -> Option<u32> {
        let node = NodeName::parse(node).unwrap();
        let up = Intent::Up { node, nonce: 7, program: program(newest), after };
        let happened = self.reads((0, 0), up).unwrap();
        happened.into_iter().find_map(|event| match event {
            Happened::BootBegan { boot, .. } => Some(boot),
            _ => None,
        })
    }

    fn enter(&mut self, id: (u32, u64), person: u64, name: &str) -> Vec<Happened> {
        let name = Name::parse(name).unwrap();
        let (looks, room) = (Looks::of(&name), RoomName::lobby());
        let person = PersonId::new(person);
        let name = name.into();
        self.reads(id, Intent::Enter { person, name, looks, profile: None, room }).unwrap()
    }

    fn people(&self) -> Vec<u64> {
        self.ledger.snapshot().people.keys().map(|id| id.number()).collect()
    }
}

#[test]
fn each_proposal_of_a_live_boot_counts_once() {
    let mut order = Follower::default();
    assert_eq!(order.reads((1, 1), Intent::Alive).unwrap_err(), Skipped::Fenced);
    assert_eq!(order.reads((0, 1), Intent::Alive).unwrap_err(), Skipped::Fenced);
    assert_eq!(order.up("red", None), Some(1));
    assert!(order.reads((1, 1), Intent::Alive).is_ok());
    assert!(order.reads((1, 3), Intent::Alive).is_ok(), "number 2 is given up");
    for number in 1..=3 {
        assert_eq!(order.reads((1, number), Intent::Alive).unwrap_err(), Skipped::Repeated);
    }
    assert!(order.reads((1, 4), Intent::Leaving).is_ok());
    assert_eq!(order.reads((1, 5), Intent::Alive).unwrap_err(), Skipped::Fenced);
}

#[test]
fn nothing_counts_behind_the_end_of_a_boot() {
    let mut order = Follower::default();
    let boot = order.up("red", None).unwrap();
    let id = ProposalId { boot, number: 1 };
    let stamp = order.ledger.admit(&Proposal { id, ..Proposal::default() }, WallTime(0)).unwrap();
    order.ledger.apply(Intent::Leaving, stamp, &mut Vec::new()).unwrap();
    let name = Name::parse("alice").unwrap();
    let (person, looks) = (PersonId::new(1), Looks::of(&name));
    let come = Intent::Come { person, name: name.into(), looks, profile: None };
    let applied = order.ledger.apply(come, stamp, &mut Vec::new());
    assert!(matches!(applied, Err(Refusal::NotSent)), "{applied:?}");
    assert_eq!(order.people(), []);
}

#[test]
fn a_mute_holds_for_a_person_who_returns_under_another_name() {
    let mut order = Follower::default();
    let (red, blue) = (order.up("red", None).unwrap(), order.up("blue", None).unwrap());
    let named = |name: &str| {
        let name = Name::parse(name).unwrap();
        (name.clone(), Looks::of(&name))
    };
    let come = |person, name| {
        let ((name, looks), person) = (named(name), PersonId::new(person));
        Intent::Come { person, name: name.into(), looks, profile: None }
    };
    let rename = |person, name| {
        let ((name, looks), person) = (named(name), PersonId::new(person));
        Intent::Rename { person, name: name.into(), looks }
    };
    order.enter((blue, 1), 30, "carol");
    order.reads((red, 1), come(10, "bob")).unwrap();
    let deed = Deed::to(Verb::Mute, Whom::Name(named("bob").0));
    order
        .reads((red, 2), Intent::Act { asker: PersonId::new(0), here: Here::Operator, deed })
        .unwrap();
    order.reads((red, 3), rename(10, "buy")).unwrap();
    order.reads((blue, 2), Intent::Down { boot: red, last: 3 }).unwrap();
    order.reads((blue, 3), come(20, "bob")).unwrap();
    order.reads((blue, 4), rename(20, "cheap")).unwrap();
    let red = order.up("red", Some(red)).unwrap();
    let ((name, looks), room) = (named("buy"), RoomName::lobby());
    let reentry = Reentry {
        person: PersonId::new(10),
        name: name.into(),
        looks,
        otherwise: named("away"),
        profile: None,
        away: None,
        modes: Default::default(),
        lent: None,
        markers: Default::default(),
        rooms: vec![room.clone()],
        codes: Vec::new(),
    };
    order.reads((red, 1), Intent::Return(Box::new(reentry))).unwrap();
    let lines = vec![Spoken::new(Manner::Plain, Line::sanitise(b"buy"))];
    let say = Intent::Say { person: PersonId::new(10), room, lines: lines.into() };
    let stamp = Stamp { boot: red, ..Stamp::default() };
    let refused = order.ledger.apply(say, stamp, &mut Vec::new());
    assert!(matches!(refused, Err(Refusal::Muted(_))), "{refused:?}");
}

#[test]
fn a_boot_ends_if_it_was_silent_and_its_people_leave() {
    let mut order = Follower::default();
    let (red, blue) = (order.up("red", None).unwrap(), order.up("blue", None).unwrap());
    order.enter((red, 1), 10, "alice");
    order.enter((blue, 1), 20, "bob");
    let down = |last| Intent::Down { boot: red, last };
    order.reads((blue, 2), down(0)).unwrap();
    assert_eq!(order.people(), [10, 20], "red said more since then");
    let happened = order.reads((blue, 3), down(1)).unwrap();
    assert_eq!(order.people(), [20]);
    let [Happened::BootEnded { boot, people }, Happened::LeftServer { who, .. }] = &happened[..]
    else {
        panic!("{happened:?}");
    };
    assert_eq!((*boot, people.len(), who.id.number()), (red, 1, 10));
    assert!(order.reads((blue, 4), down(1)).unwrap().is_empty(), "it has ended");
    assert_eq!(order.reads((red, 2), Intent::Alive).unwrap_err(), Skipped::Fenced);
}

#[test]
fn a_new_boot_ends_the_one_before_and_an_old_copy_does_nothing() {
    let mut order = Follower::default();
    assert_eq!(order.up("red", Some(3)), None);
    let first = order.up("red", None).unwrap();
    order.enter((first, 1), 10, "alice");
    assert_eq!(order.up("red", None), None, "a copy");
    assert_eq!(order.people(), [10]);
    let second = order.up("red", Some(first)).unwrap();
    assert!(second > first && order.people().is_empty());
    assert_eq!(order.up("red", Some(first)), None, "a copy");
    assert_eq!(order.reads((first, 2), Intent::Alive).unwrap_err(), Skipped::Fenced);
    assert!(order.reads((second, 1), Intent::Alive).is_ok());
}

#[test]
fn a_person_returns_in_another_boot_under_the_same_name_or_the_address() {
    let mut order = Follower::default();
    let (red, blue) = (order.up("red", None).unwrap(), order.up("blue", None).unwrap());
    order.enter((red, 1), 10, "alice");
    order.enter((red, 2), 11, "carol");
    let code = Hashed([7; 32]);
    let (person, room) = (PersonId::new(10), RoomName::lobby());
    order.reads((red, 3), Intent::MakeCode { person, code, room, seq: 0 }).unwrap();
    let happened = order.reads((blue, 1), Intent::Down { boot: red, last: 3 }).unwrap();
    let [Happened::BootEnded { people, .. }, ..] = &happened[..] else { panic!("{happened:?}") };
    assert_eq!(people[&person].codes, [code]);
    order.enter((blue, 2), 20, "carol");
    let red = order.up("red", Some(red)).unwrap();
    for (number, person, name, shown) in
        [(1, 10, "alice", "alice"), (2, 11, "carol", "192.0.2.7:50000")]
    {
        let (name, address) = (Name::parse(name).unwrap(), Name::of_address("192.0.2.7:50000"));
        let back = Intent::Return(Box::new(Reentry {
            person: PersonId::new(person),
            looks: Looks::of(&name),
            name: name.into(),
            otherwise: (address.clone(), Looks::of(&address)),
            profile: None,
            away: None,
            modes: Default::default(),
            lent: None,
            markers: Default::default(),
            rooms: vec![RoomName::lobby()],
            codes: vec![code],
        }));
        let happened = order.reads((red, number), back).unwrap();
        let [Happened::Arrived { .. }, Happened::Returned { who, refused, .. }, ..] = &happened[..]
        else {
            panic!("{happened:?}");
        };
        assert_eq!((who.name.as_str(), refused.len()), (shown, 0));
    }
    let boots: Vec<_> = order.ledger.snapshot().people.values().map(|p| p.boot).collect();
    assert_eq!(boots, [red, red, blue], "the numbers of people stay the same");
    let Snapshot { codes, .. } = order.ledger.snapshot();
    assert_eq!(codes[&code].validity, Validity::Held(person), "carol has no part in it");
}

#[test]
fn the_time_of_the_nodes_does_not_go_back() {
    let mut order = Follower { at: 2_000, ..Follower::default() };
    order.up("red", None);
    order.at = 1_000;
    let id = ProposalId { boot: 1, number: 1 };
    let stamp = order.ledger.admit(&Proposal { id, ..Proposal::default() }, WallTime(order.at));
    assert_eq!(stamp, Ok(Stamp { boot: 1, at: WallTime(2_000) }));
}

#[test]
fn nodes_that_are_down_make_space_for_others() {
    let mut order = Follower::default();
    for number in 0..256 {
        assert!(order.up(&format!("node-{number}"), None).is_some());
    }
    assert_eq!(order.up("other", None), None);
    order.reads((9, 1), Intent::Leaving).unwrap();
    assert_eq!(order.up("other", None), Some(257));
    let Snapshot { boots, .. } = order.ledger.snapshot();
    assert!(boots.len() == 256 && !boots.contains_key(&9));
}

#[test]
fn a_format_is_in_force_once_all_live_boots_have_announced_it() {
    let mut order = Follower::default();
    let format = |order: &Follower| order.ledger.snapshot().format.0;
    let red = order.up_with("red", 3, None).unwrap();
    let blue = order.up_with("blue", 1, None).unwrap();
    order.reads((red, 1), Intent::UseFormat(Format(2))).unwrap();
    assert_eq!(format(&order), 1, "blue cannot read it");
    order.reads((blue, 1), Intent::Leaving).unwrap();
    order.reads((red, 2), Intent::UseFormat(Format(4))).unwrap();
    assert_eq!(format(&order), 1, "red cannot read it");
    let before = order.ledger.digest();
    order.reads((red, 3), Intent::UseFormat(Format(2))).unwrap();
    assert_eq!(format(&order), 2);
    let restored = Ledger::restore(order.ledger.snapshot());
    assert_eq!(restored.digest(), order.ledger.digest());
    assert_ne!(restored.digest(), before);
    order.reads((red, 4), Intent::UseFormat(Format(1))).unwrap();
    assert_eq!(format(&order), 2, "there is no way back");
}

#[test]
fn a_program_that_is_too_old_begins_no_boot_and_ends_none() {
    let mut order = Follower::default();
    let red = order.up_with("red", 2, None).unwrap();
    order.enter((red, 1), 10, "alice");
    order.reads((red, 2), Intent::UseFormat(Format(2))).unwrap();
    for (node, after) in [("blue", None), ("red", Some(red))] {
        let node = NodeName::parse(node).unwrap();
        let up = Intent::Up { node: node.clone(), nonce: 8, program: program(1), after };
        let happened = order.reads((0, 0), up).unwrap();
        let [Happened::BootRefused { node: refused, nonce: 8 }] = &happened[..] else {
            panic!("{happened:?}");
        };
        assert_eq!(*refused, node);
    }
    assert_eq!(order.people(), [10], "the newer process goes on");
    assert!(order.reads((red, 3), Intent::Alive).is_ok());
    assert!(order.up_with("blue", 3, None).is_some());
}
