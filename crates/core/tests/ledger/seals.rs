//! Sealed values: a ledger that cannot open them does the same as one that can, and their keys are
//! given up when nobody needs them any more.

use std::sync::Arc;

use parlor_core::intent::{ErasableOf, Intent, Proposal, ProposalId, Stamp};
use parlor_core::ledger::{Happened, Ledger, SealedMessage, Snapshot};
use parlor_core::link::Refusal;
use parlor_core::model::{
    Blank, Erasable, Format, Hashed, Line, Manner, Name, NodeName, NodeProgram, OwnedName,
    PersonId, RoomName, Seal, SealKey, Spoken, WallTime,
};
use proptest::option::of;
use proptest::prelude::{Strategy, TestCaseError, prop_assert};

use crate::intents::keepers_at_work;
use crate::{BEGIN, STAMP};

/// The keys of lines, so few that they collide. No secret has the same key as
/// something else.
const LINE_KEYS: u64 = 6;

/// The same intents, some of them sealed.
pub(crate) fn sealed_or_not(
    intent: impl Strategy<Value = Intent>,
) -> impl Strategy<Value = Intent> {
    (intent, of(0..LINE_KEYS)).prop_map(|(mut intent, key)| {
        key.into_iter().for_each(|key| seal(&mut intent, key));
        intent
    })
}

/// Gives a sealed secret its own key: the one with this number among the keys of secrets.
pub(crate) fn give_own_key(intent: &mut Intent, number: u64) {
    if intent.seal_key().is_some() && !intent.shares_key() {
        seal(intent, LINE_KEYS + number);
    }
}

/// Seals the erasable value of an intent. The value stays, as if it were opened.
fn seal(intent: &mut Intent, key: u64) {
    let bytes: Arc<[u8]> = key.to_le_bytes().into();
    let seal = Some(Box::new(Seal { key: SealKey::Number(key), bytes }));
    match intent.erasable() {
        None => {}
        Some(ErasableOf::Lines(lines)) => lines.seal = seal,
        Some(ErasableOf::Password(password)) => password.seal = seal,
        Some(ErasableOf::Token(token)) => token.seal = seal,
        Some(ErasableOf::Message(message)) => message.seal = seal,
    }
}

/// The intent, as somebody has it who cannot open its seal.
pub(crate) fn unopened(mut intent: Intent) -> Intent {
    if intent.seal_key().is_some() {
        match intent.erasable() {
            None => {}
            Some(ErasableOf::Lines(lines)) => lines.value = lines.value.blank(),
            Some(ErasableOf::Password(password)) => password.value = password.value.blank(),
            Some(ErasableOf::Token(token)) => token.value = token.value.blank(),
            Some(ErasableOf::Message(message)) => message.value = message.value.blank(),
        }
    }
    intent
}

/// The snapshot without its seals: an intent that is refused gives up its key.
pub(crate) fn without_seals(snapshot: &Snapshot) -> Snapshot {
    Snapshot { seals: Default::default(), ..snapshot.clone() }
}

/// Checks that each key that is needed is in use, and none of these is given up.
pub(crate) fn check(snapshot: &Snapshot) -> Result<(), TestCaseError> {
    let Snapshot { seals, accounts, kept, .. } = snapshot;
    let passwords = accounts.iter().filter_map(|account| account.password.key());
    let tokens = accounts.iter().filter_map(|account| account.token.as_ref()?.key());
    let kept = kept.values().flatten().map(|kept| kept.key).filter(|key| *key > 0);
    let lines = seals.lines.values().flat_map(|keys| keys.live.iter().copied());
    for key in passwords.chain(tokens).chain(kept).chain(lines) {
        prop_assert!(seals.in_use.contains(&key), "{key} is needed");
    }
    prop_assert!(seals.in_use.is_disjoint(&seals.to_erase), "{seals:?}");
    Ok(())
}

/// Alice, the owner of her name, and others at work.
struct Order(Ledger);

impl Order {
    fn new() -> Order {
        Order(Ledger::restore(keepers_at_work()))
    }

    fn apply(&mut self, mut intent: Intent, key: u64) -> Result<Vec<Happened>, Refusal> {
        seal(&mut intent, key);
        let mut happened = Vec::new();
        self.0.apply(intent, STAMP, &mut happened)?;
        Ok(happened)
    }

    /// Alice says two lines with this key. Returns how the others read them.
    fn say(&mut self, key: u64) -> Vec<Manner> {
        match &self.apply(say(), key).unwrap()[..] {
            [Happened::Said { lines, .. }] => lines.iter().map(|line| line.manner).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn to_erase(&self) -> Vec<u64> {
        self.0.snapshot().seals.to_erase.into_iter().collect()
    }

    fn in_use(&self) -> Vec<u64> {
        self.0.snapshot().seals.in_use.into_iter().collect()
    }
}

fn alice() -> (PersonId, Name) {
    (PersonId::new(1), Name::stored("alice"))
}

fn say() -> Intent {
    let spoken = || Spoken::new(Manner::Plain, Line::sanitise(b"hi"));
    let lines = vec![spoken(), spoken()].into();
    Intent::Say { person: alice().0, room: RoomName::lobby(), lines }
}

#[test]
fn lines_share_a_key_until_their_owner_deletes_them() {
    let mut order = Order::new();
    assert_eq!(order.say(7), [Manner::Plain; 2]);
    assert_eq!(order.say(7), [Manner::Plain; 2]);
    assert_eq!(order.say(9), [Manner::Plain; 2], "another node has made one, too");
    assert_eq!(order.say(7), [Manner::Plain; 2], "both are good");
    assert_eq!((order.in_use(), order.to_erase()), (vec![7, 9], vec![]));
    let forget = Intent::DeleteLines { person: alice().0, since: BEGIN };
    order.apply(forget.clone(), 0).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![], vec![7, 9]));
    for key in [7, 8, 9] {
        assert_eq!(order.say(key), [Manner::Gone; 2], "it was on its way during the deletion");
    }
    assert_eq!(order.to_erase(), [7, 8, 9]);
    order.apply(Intent::KeysErased(vec![7, 9]), 0).unwrap();
    assert_eq!(order.to_erase(), [8]);
    assert_eq!(order.say(10), [Manner::Plain; 2]);
    order.apply(forget, 0).unwrap();
    assert_eq!(order.to_erase(), [8, 10]);
}

#[test]
fn lines_with_a_key_of_somebody_else_are_deleted_at_once() {
    let mut order = Order::new();
    let (person, room) = (PersonId::new(3), RoomName::stored("tea"));
    let Intent::Say { lines, .. } = say() else { panic!() };
    let stranger = Intent::Say { person, room, lines };
    assert_eq!(order.say(7), [Manner::Plain; 2]);
    for (key, left) in [(7, vec![]), (8, vec![8])] {
        let happened = order.apply(stranger.clone(), key).unwrap();
        let [Happened::Said { lines, .. }] = &happened[..] else { panic!("{happened:?}") };
        assert!(lines.iter().all(|line| line.manner == Manner::Gone));
        assert_eq!(order.to_erase(), left, "the key of an owner stays");
    }
    let lines = order.0.snapshot().ends[&RoomName::stored("tea")].seq;
    assert_eq!(lines, 7 + 4, "each has its number");
}

#[test]
fn the_key_of_a_secret_goes_with_the_secret() {
    let mut order = Order::new();
    let (_, name) = alice();
    let proof = Some(Default::default());
    let change = |keeps_token| {
        let (name, password) = (name.clone(), "new".into());
        Intent::ChangePassword { name, proof, password, keeps_token, by: None }
    };
    let token = Hashed([7; 32]);
    let token = Some(Erasable::from(token));
    let token = Intent::SetToken { name: name.clone(), proof: Default::default(), token };
    order.apply(token, 20).unwrap();
    order.apply(change(true), 21).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![20, 21], vec![]));
    assert!(order.apply(change(false), 22).is_err(), "the proof is old");
    assert_eq!((order.in_use(), order.to_erase()), (vec![20, 21], vec![22]));
    let name = name.clone();
    let operator = |key| {
        let (name, password) = (name.clone(), "newest".into());
        let change =
            Intent::ChangePassword { name, proof: None, password, keeps_token: false, by: None };
        (change, key)
    };
    let (change, key) = operator(23);
    order.apply(change, key).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![23], vec![20, 21, 22]));
    order.apply(Intent::Release(name), 0).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![], vec![20, 21, 22, 23]));
}

/// A message of alice for zoe, who is away.
fn message_for_zoe() -> Intent {
    let spoken = Spoken::new(Manner::Plain, Line::sanitise(b"psst"));
    let (from, to) = (alice().0, Name::stored("zoë"));
    Intent::KeepMessage { from, to, writer: Hashed([9; 32]), spoken: spoken.into() }
}

#[test]
fn the_key_of_a_kept_message_goes_with_its_delivery() {
    let mut order = Order::new();
    for key in [30, 31, 32] {
        order.apply(message_for_zoe(), key).ok(); // sixty wait already
    }
    let zoe = PersonId::new(2);
    let (kept, refused) = (order.in_use(), order.to_erase());
    assert_eq!(kept.len() + refused.len(), 3);
    order.apply(Intent::Delivered { person: zoe, last: u64::MAX }, 0).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![], vec![30, 31, 32]));
}

/// The messages that wait, as far as a snapshot has more than their numbers.
fn sealed_messages(ledger: &Ledger) -> Vec<Arc<SealedMessage>> {
    let kept = ledger.snapshot().kept.into_values().flatten();
    kept.filter_map(|kept| kept.sealed).collect()
}

#[test]
fn a_kept_message_is_in_snapshots_with_its_seal_and_without_its_words_until_it_is_read() {
    let mut order = Order::new();
    let zoe = PersonId::new(2);
    order.apply(Intent::Delivered { person: zoe, last: u64::MAX }, 0).unwrap();
    order.apply(message_for_zoe(), 30).unwrap();
    order.0.apply(message_for_zoe(), STAMP, &mut Vec::new()).unwrap();
    let [message] = &sealed_messages(&order.0)[..] else { panic!("one of them is not sealed") };
    assert_eq!(message.from, alice().1);
    assert_eq!((message.spoken.key(), message.spoken.value.manner), (Some(30), Manner::Gone));
    order.apply(Intent::Delivered { person: zoe, last: u64::MAX }, 0).unwrap();
    assert_eq!(sealed_messages(&order.0), []);
    order.apply(message_for_zoe(), 31).unwrap();
    order.apply(Intent::Release(Name::stored("zoë")), 0).unwrap();
    assert_eq!(sealed_messages(&order.0), []);
}

#[test]
fn a_proposal_that_does_not_count_gives_up_its_keys() {
    let mut order = Order::new();
    let node = NodeName::parse("red").unwrap();
    let program = NodeProgram::new("0.1.0", Format::FIRST).unwrap();
    let up = Intent::Up { node, nonce: 1, program, after: None };
    order.0.apply(up, STAMP, &mut Vec::new()).unwrap();
    let proposal = |number, key| {
        let mut intent = say();
        seal(&mut intent, key);
        let id = ProposalId { boot: 1, number };
        Proposal { id, intents: vec![intent], ..Proposal::default() }
    };
    let mut follow = |proposal: Proposal| {
        order.0.follow(proposal, WallTime(0));
        (order.in_use(), order.to_erase())
    };
    assert_eq!(follow(proposal(5, 40)), (vec![40], vec![]));
    assert_eq!(follow(proposal(5, 40)), (vec![40], vec![]), "a copy of one that has counted");
    assert_eq!(follow(proposal(4, 41)), (vec![40], vec![41]), "it was given up");
    let fenced = Proposal { id: ProposalId { boot: 2, number: 1 }, ..proposal(1, 42) };
    assert_eq!(follow(fenced), (vec![40], vec![41, 42]));
}

#[test]
fn the_lines_of_a_released_name_stay_readable() {
    let mut order = Order::new();
    let (person, name) = alice();
    assert_eq!(order.say(7), [Manner::Plain; 2]);
    order.apply(Intent::Release(name.clone()), 0).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![7], vec![]));
    let name = OwnedName::from(name);
    let own = Intent::Register { name, since: BEGIN, password: "hash".into(), by: person };
    order.apply(own, 50).unwrap();
    let forget = Intent::DeleteLines { person, since: BEGIN };
    order.apply(forget, 0).unwrap();
    assert_eq!((order.in_use(), order.to_erase()), (vec![7, 50], vec![]), "of the owner before");
    let stamp = Stamp { boot: 0, at: BEGIN };
    assert!(order.0.apply(Intent::KeysErased(vec![]), stamp, &mut Vec::new()).is_ok());
}
