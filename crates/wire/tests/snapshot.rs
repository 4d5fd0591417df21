//! Snapshots as bytes: a ledger continues from them, and no bytes do harm.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "fuzz_bodies/snapshot.rs"]
mod fuzz_body;
mod samples;

use std::sync::Arc;

use parlor_core::intent::Stamp;
use parlor_core::ledger::{
    Absent, Account, Boot, Invited, Kept, Ledger, Markers, Mute, OwnerKeys, Person, ReturnCode,
    RulesOfRoom, SealedMessage, Seals, Snapshot, Validity,
};
use parlor_core::model::{
    Act, Author, By, Claim, Deed, End, Erasable, Format, Hashed, Line, Looks, Modes, Name, Net,
    OwnedName, PersonId, Profile, Proof, ProvenAccount, Rank, Reach, RoomName, RoomRules, Seal,
    SealKey, Spoken, Topic, Verb, WallTime, Who, Whom,
};
use parlor_wire::pack::{NEWEST, PackError, UnpackError, snapshot};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use samples::{any_proposal, from_hex, hex, node, program};

fn malformed(rule: &'static str) -> UnpackError {
    UnpackError::Malformed(rule)
}

/// A snapshot with something in each field. The formats are tested with it, so it never changes.
fn sample() -> Snapshot {
    let message = SealedMessage {
        at: WallTime(1_796_000_000_001),
        from: Name::parse("mike").unwrap(),
        writer: Some(Hashed([9; 32])),
        spoken: Erasable { value: Spoken::gone(), seal: Some(seal_of(17, [5; 40].into())) },
    };
    let mut sample = sample_of_format_1();
    let kept = sample.kept.values_mut().flatten().next().unwrap();
    kept.sealed = Some(message.into());
    Snapshot { format: Format(2), ..sample }
}

fn seal_of(key: u64, bytes: Arc<[u8]>) -> Box<Seal> {
    Box::new(Seal { key: SealKey::Number(key), bytes })
}

/// The parts of the sample that format 1 has.
fn sample_of_format_1() -> Snapshot {
    let (tea, lobby) = (RoomName::parse("tea").unwrap(), RoomName::lobby());
    let (ian, mike) = (Name::parse("Ian").unwrap(), Name::parse("mike").unwrap());
    let texts = ["ian", "Ian", "irc"].map(|text| Line::sanitise(text.as_bytes()));
    let person = |name: &Name, seats: Vec<RoomName>| Person {
        name: name.clone(),
        account: Some(ProvenAccount { name: ian.clone(), proof: Proof(2) }),
        looks: Looks::of(name),
        profile: (name == &ian).then(|| Arc::new(Profile::new(texts.clone(), true))),
        keeps_for_now: seats.iter().skip(1).cloned().collect(),
        voices: seats.iter().take(1).cloned().collect(),
        seats,
        away: (name == &ian).then(|| Line::sanitise(b"lunch")),
        boot: 3,
        markers: Markers([("#tea".into(), WallTime(11))].into()),
        modes: Modes::WALLOPS,
        lent: (name == &ian).then(|| ian.clone()),
    };
    let address = Name::of_address("192.0.2.7:50000");
    let owned = OwnedName::from(ian.clone());
    let net = Whom::Net(Net::parse("198.51.100.0/24").unwrap());
    let act = |verb, whom| Act::by(By::Operator, Deed::to(verb, whom), WallTime(-1));
    let mute = act(Verb::Mute, Whom::Name(mike.clone()));
    let mute = Act { by: By::KeeperForNow(Author::owner(ian.clone())), ..mute };
    let topic = Topic { text: Some(Line::sanitise(b"Tea")), is_locked: true };
    let lasting = RoomRules { is_secret: true, people_max: Some(300), ..RoomRules::default() };
    let password = Some(Line::sanitise(b"beer"));
    let now = RoomRules { is_invited_only: true, is_moderated: true, password, ..lasting.clone() };
    let (name, account) = (ian.clone(), Some(mike.clone()));
    let invited = Invited { name, people: vec![PersonId::new(8)], account };
    let rules = RulesOfRoom { now, lasting, invited: vec![invited] };
    let kept = |rank| Kept { number: 300, writer: u64::MAX, rank, key: 17, sealed: None };
    let token = Erasable { value: Hashed([0; 32]), seal: Some(seal_of(17, [7; 48].into())) };
    let lines = OwnerKeys { live: vec![18, 300], given_up: 16 };
    let lines = [("ian".into(), lines)].into();
    let seals = Seals { lines, in_use: [17, 18, 300].into(), to_erase: [16].into() };
    let code = |number: u8, validity| {
        let claim = Claim::of_owner(ian.clone(), Proof(2));
        let (looks, room, seq) = (Looks::of(&ian), tea.clone(), 300);
        (Hashed([number; 32]), Arc::new(ReturnCode { claim, looks, room, seq, validity }))
    };
    Snapshot {
        format: Format::FIRST,
        people: [
            (PersonId::new(7), person(&ian, vec![lobby.clone(), tea.clone()])),
            (PersonId::new(3 << 40 | 1_000), person(&address, vec![tea.clone()])),
        ]
        .into(),
        owned: owned.keys.into_iter().map(|key| (key, ian.clone())).collect(),
        accounts: vec![Arc::new(Account {
            name: ian.clone(),
            since: WallTime(9),
            password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
            token: Some(token),
            proof: Proof(2),
        })],
        last_proof: Proof(3),
        keepers: vec![(Reach::Server, ian.clone()), (Reach::Room(tea.clone()), mike.clone())],
        makers: [(tea.clone(), mike.clone())].into(),
        bans: vec![act(Verb::Ban, net)],
        mutes: vec![Mute { people: vec![PersonId::new(9)], act: mute }],
        ends: [(lobby.clone(), End { seq: 300, at: WallTime(1_796_000_000_000) })].into(),
        topics: [(tea.clone(), topic)].into(),
        is_stored: true,
        codes: [
            code(1, Validity::Held(PersonId::new(7))),
            code(2, Validity::Until(WallTime(1_796_000_000_000))),
        ]
        .into(),
        kept: [("ian".into(), [Rank::Stranger, Rank::Owner, Rank::Keeper].map(kept).into())].into(),
        last_kept: 301,
        absent: vec![Absent {
            who: Who { account: Some(mike.clone()), ..Who::new(PersonId::new(5), mike) },
            heir: PersonId::new(8),
            room: lobby,
        }],
        boots: [(
            3,
            Boot { node: node(), nonce: 1 << 63, program: program(), last: 300, is_live: true },
        )]
        .into(),
        last_boot: 4,
        at: WallTime(1_796_000_000_000),
        events: 300,
        rules: [(tea.clone(), rules)].into(),
        seals,
        importing: Some(301),
        locked_for_now: vec![tea],
        markers: [("ian".into(), Markers([("#tea".into(), WallTime(-12))].into()))].into(),
    }
}

/// The bytes of a snapshot, for this program.
fn pack(snapshot: &Snapshot) -> Result<Vec<u8>, PackError> {
    snapshot::pack(snapshot, NEWEST)
}

/// The snapshot in these bytes, for this program.
fn unpack(bytes: &[u8]) -> Result<Snapshot, UnpackError> {
    snapshot::unpack(bytes, NEWEST)
}

#[test]
fn stored_bytes_of_each_format_are_read_and_written() {
    let stored = [include_str!("samples/snapshot-1.txt"), include_str!("samples/snapshot-2.txt")];
    assert_eq!(stored.len() as u64, NEWEST.0, "a new format: add its sample");
    for ((format, full), stored) in (1..).zip([sample_of_format_1(), sample()]).zip(stored) {
        let empty = Snapshot { format: Format(format), ..Snapshot::default() };
        let [all, none] = [&full, &empty].map(|sample| {
            let bytes = pack(sample).unwrap();
            assert_eq!(unpack(&bytes).as_ref(), Ok(sample));
            hex(&bytes)
        });
        assert_eq!(format!("full {all}\nempty {none}\n"), stored, "a change needs a new format");
        let digits = stored.split_whitespace().nth(1).unwrap();
        assert_eq!(unpack(&from_hex(digits)), Ok(full));
    }
}

#[test]
fn a_snapshot_in_format_1_lacks_messages_and_is_the_same_ledger() {
    let in_force = Snapshot { format: Format::FIRST, ..sample() };
    let read = unpack(&pack(&in_force).unwrap());
    assert_eq!(read, Ok(sample_of_format_1()));
    let digest = |snapshot| Ledger::restore(snapshot).digest();
    assert_eq!(digest(in_force), digest(sample_of_format_1()));
}

#[test]
fn no_part_of_a_snapshot_is_a_snapshot() {
    let bytes = pack(&sample()).unwrap();
    for length in 0..bytes.len() {
        let part = unpack(&bytes[..length]);
        assert_eq!(part, Err(malformed("the bytes end too early")), "{length} bytes");
    }
    let more = unpack(&[&bytes[..], &[0]].concat());
    assert_eq!(more, Err(malformed("bytes are left over")));
}

#[test]
fn no_changed_bit_does_harm() {
    let mut bytes = pack(&sample()).unwrap();
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        fuzz_body::run(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_newer_format_is_named_and_lengths_that_lie_are_refused() {
    assert_eq!(unpack(&[3, 0]), Err(UnpackError::NewerFormat(3)));
    let huge = [NEWEST.0 as u8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(unpack(&huge), Err(malformed("the bytes end too early")));
}

#[test]
fn a_snapshot_is_written_in_the_format_in_force() {
    let in_force = sample();
    let bytes = snapshot::pack(&in_force, Format(3)).unwrap();
    assert_eq!(bytes[0], 2);
    assert_eq!(snapshot::unpack(&bytes, Format(2)), Ok(in_force.clone()));
    assert_eq!(snapshot::unpack(&bytes, Format(1)), Err(UnpackError::NewerFormat(2)));
    assert_eq!(snapshot::pack(&in_force, Format(1)), Err(PackError::NewerFormat(2)));
}

#[test]
fn each_key_of_a_map_stands_once_and_in_order() {
    let empty = pack(&Snapshot { format: NEWEST, ..Snapshot::default() }).unwrap();
    let owned = |keys: &[u8]| {
        let pairs = keys.iter().flat_map(|key| [1, *key, 1, b'n', 0, 0]);
        let before = [NEWEST.0 as u8, 0, 0, keys.len() as u8];
        let after = empty[before.len()..].iter().copied();
        unpack(&before.into_iter().chain(pairs).chain(after).collect::<Vec<_>>())
    };
    assert!(owned(b"ab").is_ok());
    assert_eq!(owned(b"ba"), Err(malformed("the keys of a map are not in order")));
    assert_eq!(owned(b"aa"), Err(malformed("the keys of a map are not in order")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_ledger_continues_from_the_bytes_of_its_snapshot(proposals in vec(any_proposal(), 0..10)) {
        let mut ledger = Ledger::default();
        let intents = proposals.into_iter().flat_map(|proposal| proposal.intents);
        for (place, intent) in (0..).zip(intents) {
            let stamp = Stamp { boot: 0, at: WallTime(place) };
            ledger.apply(intent, stamp, &mut Vec::new()).ok();
        }
        let newest = Format(u64::MAX); // nodes may have announced any format
        let snapshot = ledger.snapshot();
        let format = snapshot.format.max(NEWEST); // an older one does not have everything
        let ledger = Ledger::restore(Snapshot { format, ..snapshot });
        let bytes = snapshot::pack(&ledger.snapshot(), newest).unwrap();
        let restored = Ledger::restore(snapshot::unpack(&bytes, newest).unwrap());
        prop_assert_eq!(restored.digest(), ledger.digest());
        prop_assert_eq!(restored, ledger);
    }

    #[test]
    fn changed_snapshots_do_no_harm(changes in vec((any::<Index>(), any::<u8>()), 1..5)) {
        let mut bytes = pack(&sample()).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        fuzz_body::run(&bytes);
    }
}
