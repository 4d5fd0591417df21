//! The first of several nodes puts in order what it has stored before, and nothing else counts until
//! all of it has come.

use std::sync::Arc;

use parlor_core::intent::{Import, ImportedLines, ImportedMessage, Intent, Proposal, ProposalId};
use parlor_core::ledger::{
    Account, Kept, Ledger, Markers, Mute, OwnerKeys, Past, ReturnCode, RulesOfRoom, Skipped,
    Snapshot, Validity,
};
use parlor_core::model::{
    Act, By, Claim, Deed, End, Erasable, Format, Hashed, Line, Looks, Manner, Name, NodeName,
    NodeProgram, OwnedName, Proof, ProvenAccount, Rank, Reach, RoomName, RoomRules, Seal, SealKey,
    Spoken, Topic, Verb, WallTime, Whom,
};

/// The ledger of a house whose past comes.
fn founding() -> Ledger {
    let importing = Some(0);
    Ledger::restore(Snapshot { is_stored: true, importing, ..Snapshot::default() })
}

/// A proposal behind this many parts of the past beside lines.
fn proposal(parts: u64, imports: Vec<Import>) -> Proposal {
    let id = ProposalId { boot: 0, number: parts };
    let intents = imports.into_iter().map(|import| Intent::Import(Box::new(import)));
    Proposal { id, intents: intents.collect(), ..Proposal::default() }
}

/// Lines in the room tea from this number on, a second apart.
fn lines(first: u64, count: usize, owner: Option<&str>) -> Import {
    let spoken = Spoken::new(Manner::Plain, Line::sanitise(b"hi"));
    let times = (first as i64..).take(count).map(|second| WallTime(1_000 * second)).collect();
    Import::Lines(ImportedLines {
        room: tea(),
        first,
        name: Line::sanitise(b"Alice"),
        owner: owner.map(Name::stored),
        times,
        lines: vec![spoken; count].into(),
    })
}

fn tea() -> RoomName {
    RoomName::stored("tea")
}

/// The same, sealed with a key.
fn sealed(import: Import, key: u64) -> Import {
    let seal = Some(Box::new(Seal { key: SealKey::Number(key), bytes: [7; 9].into() }));
    match import {
        Import::Lines(mut lines) => {
            lines.lines.seal = seal;
            Import::Lines(lines)
        }
        Import::Account { name, since, mut password } => {
            password.seal = seal;
            Import::Account { name, since, password }
        }
        other => panic!("{other:?}"),
    }
}

fn account(name: &str) -> Import {
    let (name, since) = (OwnedName::from(Name::stored(name)), WallTime(7));
    Import::Account { name, since, password: "hash".into() }
}

fn end(ledger: &Ledger) -> Option<End> {
    ledger.snapshot().ends.get(&tea()).copied()
}

#[test]
fn a_ledger_takes_over_what_a_server_had_stored() {
    let [alice, bob] = ["Alice", "bob"].map(Name::stored);
    let of = |name: &Name, token| {
        let (name, since, password) = (name.clone(), WallTime(7), "hash".into());
        Account { name, since, password, token, proof: Proof::default() }
    };
    let act = |verb| {
        let deed = Deed::to(verb, Whom::Name(Name::stored("mallory")));
        Act { reach: Reach::Room(tea()), ..Act::by(By::Operator, deed, WallTime(9)) }
    };
    let topic = Topic { text: Some(Line::sanitise(b"at five")), is_locked: true };
    let rules = RoomRules { is_secret: true, ..RoomRules::default() };
    let code = |claim: &Claim| ReturnCode {
        claim: claim.clone(),
        looks: Looks::of(&bob),
        room: tea(),
        seq: 3,
        validity: Validity::Until(WallTime(99)),
    };
    let as_owner = |proof| {
        let account = ProvenAccount { name: alice.clone(), proof };
        Claim { name: bob.clone(), account: Some(account) }
    };
    let (hash, token) = (Hashed([1; 32]), Erasable::from(Hashed([2; 32])));
    let past = Past {
        accounts: vec![of(&alice, Some(token.clone())), of(&bob, None)],
        codes: vec![(hash, code(&as_owner(Proof::default())))],
        markers: vec![(alice.clone(), "#tea".into(), WallTime(5))],
        keepers: vec![(Reach::Server, bob.clone()), (Reach::Room(tea()), alice.clone())],
        makers: [(tea(), alice.clone())].into(),
        bans: vec![act(Verb::Ban)],
        mutes: vec![act(Verb::Mute)],
        topics: [(tea(), topic.clone())].into(),
        rules: [(tea(), rules.clone())].into(),
        ..Past::default()
    };
    let message = Import::Message(ImportedMessage {
        number: 4,
        at: WallTime(8),
        owner: bob.clone(),
        from: alice.clone(),
        writer: None,
        rank: Rank::Owner,
        spoken: Spoken::new(Manner::Plain, Line::sanitise(b"psst")).into(),
    });
    let parts: Vec<_> = past.imports().chain([message, Import::LastMessage(6)]).collect();
    let count = parts.len() as u64;
    let mut ledger = founding();
    ledger.follow(proposal(0, parts), WallTime(50));
    ledger.follow(proposal(count, vec![lines(1, 3, Some("alice"))]), WallTime(51));
    assert_eq!(ledger.importing(), Some(count));
    ledger.follow(proposal(count, vec![Import::Complete]), WallTime(52));

    let with_proof = |account, proof| Arc::new(Account { proof: Proof(proof), ..account });
    let owned = [&alice, &bob].map(|name| OwnedName::from(name.clone()));
    let keys = |OwnedName { name, keys }| keys.into_iter().map(move |key| (key, name.clone()));
    let kept = Kept { number: 4, writer: 4, rank: Rank::Owner, key: 0, sealed: None };
    let expected = Snapshot {
        accounts: vec![with_proof(of(&alice, Some(token)), 1), with_proof(of(&bob, None), 2)],
        owned: owned.into_iter().flat_map(keys).collect(),
        last_proof: Proof(2),
        keepers: vec![(Reach::Server, bob.clone()), (Reach::Room(tea()), alice.clone())],
        makers: [(tea(), alice.clone())].into(),
        bans: vec![act(Verb::Ban)],
        mutes: vec![Mute { people: Vec::new(), act: act(Verb::Mute) }],
        ends: [(tea(), End { seq: 3, at: WallTime(3_000) })].into(),
        topics: [(tea(), topic)].into(),
        is_stored: true,
        codes: [(hash, Arc::new(code(&as_owner(Proof(1)))))].into(),
        kept: [("bob".into(), vec![kept])].into(),
        last_kept: 6,
        at: WallTime(52),
        markers: [("alice".into(), Markers([("#tea".into(), WallTime(5))].into()))].into(),
        rules: [(tea(), RulesOfRoom { now: rules.clone(), lasting: rules, invited: vec![] })]
            .into(),
        ..Snapshot::default()
    };
    assert_eq!(ledger.snapshot(), expected);
}

#[test]
fn nothing_else_counts_before_the_past_and_no_past_behind_it() {
    let mut ledger = founding();
    let node = NodeName::parse("red").unwrap();
    let program = NodeProgram::new("0.1.0", Format::FIRST).unwrap();
    let up = Intent::Up { node, nonce: 1, program, after: None };
    let up = Proposal { intents: vec![up], ..Proposal::default() };
    let both = Proposal {
        intents: [&up.intents[..], &proposal(0, vec![account("alice")]).intents].concat(),
        ..Proposal::default()
    };
    for other in [&up, &both, &Proposal::default(), &proposal(1, vec![account("alice")])] {
        assert_eq!(ledger.admit(other, WallTime(1)), Err(Skipped::Fenced));
    }
    assert_eq!(ledger, founding());
    let first = proposal(0, vec![account("alice"), lines(1, 2, None)]);
    ledger.follow(first.clone(), WallTime(1));
    assert_eq!(ledger.importing(), Some(1));
    assert_eq!(ledger.admit(&first, WallTime(1)), Err(Skipped::Fenced), "it has counted");
    ledger.follow(proposal(1, vec![Import::Complete, account("bob")]), WallTime(2));
    let names = |ledger: &Ledger| ledger.snapshot().accounts.len();
    assert_eq!((ledger.importing(), names(&ledger)), (None, 1));
    for late in [proposal(0, vec![account("carol")]), proposal(2, vec![account("carol")])] {
        assert_eq!(ledger.admit(&late, WallTime(3)), Err(Skipped::Fenced));
    }
    ledger.follow(up, WallTime(3));
    assert_eq!(ledger.snapshot().last_boot, 1);
}

#[test]
fn lines_of_the_past_come_once_and_in_order() {
    let mut ledger = founding();
    let mut follow = |import: Import| {
        ledger.follow(proposal(0, vec![import]), WallTime(1));
        end(&ledger).map(|end| end.seq)
    };
    assert_eq!(follow(lines(1, 3, None)), Some(3));
    assert_eq!(follow(lines(1, 3, None)), Some(3), "they were there");
    assert_eq!(follow(lines(3, 9, None)), Some(3), "one of them was there");
    assert_eq!(follow(lines(7, 2, None)), Some(8), "those between were deleted");
    assert_eq!(follow(lines(9, 0, None)), Some(8));
    assert_eq!(follow(lines(u64::MAX, 2, None)), Some(8));
    let Import::Lines(mut untimed) = lines(9, 2, None) else { panic!() };
    untimed.times.pop();
    assert_eq!(follow(Import::Lines(untimed)), Some(8));
}

#[test]
fn an_owner_deletes_lines_of_the_past_with_their_key() {
    let mut ledger = founding();
    let parts = vec![
        sealed(account("alice"), 1),
        sealed(lines(1, 2, Some("ALICE")), 2),
        sealed(lines(3, 2, Some("alice")), 2),
        sealed(lines(5, 1, Some("nobody")), 3),
        sealed(account("alice"), 4),
    ];
    let mut followed = ledger_like(&ledger);
    assert_eq!(followed.follow_past(proposal(0, parts.clone()), WallTime(1)).len(), 3);
    ledger.follow(proposal(0, parts), WallTime(1));
    assert_eq!(ledger, followed);
    let seals = ledger.snapshot().seals;
    let of_alice = OwnerKeys { live: vec![2], given_up: 0 };
    assert_eq!(seals.lines, [("alice".into(), of_alice)].into());
    assert_eq!((seals.in_use, seals.to_erase), ([1, 2].into(), [3, 4].into()));
}

fn ledger_like(ledger: &Ledger) -> Ledger {
    Ledger::restore(ledger.snapshot())
}

#[test]
fn lines_of_an_owner_are_sealed_with_one_key_and_each_secret_with_its_own() {
    let mut ledger = founding();
    ledger.follow(proposal(0, vec![account("alice"), account("bob")]), WallTime(1));
    let imports = vec![
        lines(1, 1, Some("alice")),
        lines(2, 1, None),
        lines(3, 1, Some("bob")),
        lines(4, 1, Some("alice")),
        account("carol"),
        Import::Token { name: Name::stored("bob"), token: Hashed([1; 32]).into() },
    ];
    let mut intents = proposal(2, imports).intents;
    ledger.plan_seals_of_past(&mut intents);
    let keys: Vec<_> = intents.iter().map(|intent| intent.seal().map(|seal| seal.key)).collect();
    let [alice, bob, carol, token] = [1, 2, 3, 4].map(|slot| Some(SealKey::New(slot)));
    assert_eq!(keys, [alice, None, bob, alice, carol, token]);
}
