//! Random intents of every kind, by few people with few names in few rooms, so that they collide.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parlor_core::intent::{
    Import, ImportedLines, ImportedMessage, Intent, PastAct, PastLog, ProposalId, Reentry,
};
use parlor_core::ledger::{
    Account, Kept, Markers, Mute, Person, ReturnCode, RulesOfRoom, Snapshot, Validity,
};
use parlor_core::model::{
    Act, By, Claim, ConversationId, Deed, End, Erasable, Format, Hashed, Here, Line, Looks, Manner,
    Modes, Name, NodeName, NodeProgram, OwnedName, PersonId, Profile, Proof, ProvenAccount, Rank,
    Reach, RoomName, RoomRules, Spoken, Topic, Verb, WallTime, Whom,
};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use crate::seals::sealed_or_not;

/// Names that look alike in several ways, with their looks; and an address, which two people may
/// share.
static NAMES: LazyLock<Vec<(Name, Looks)>> = LazyLock::new(|| {
    let typed = ["alice", "Alice", "ALlCE", "bob", "mike", "rnike", "Ian", "lan", "zoë", "Zoë"];
    let names = typed.map(Name::stored).into_iter();
    let names = names.chain([Name::of_address("192.0.2.7:50000")]);
    names.map(|name| (name.clone(), Looks::of(&name))).collect()
});

static OWNED: LazyLock<Vec<OwnedName>> =
    LazyLock::new(|| NAMES.iter().map(|(name, _)| OwnedName::from(name.clone())).collect());

/// Acts on people.
const OFTEN: [Verb; 6] =
    [Verb::Kick, Verb::Ban, Verb::Mute, Verb::Unmute, Verb::AddKeeper, Verb::RemoveKeeper];

/// The other kinds of acts.
const SELDOM: [Verb; 24] = [
    Verb::Broadcast,
    Verb::Unban,
    Verb::LockTopic,
    Verb::UnlockTopic,
    Verb::SetTopic,
    Verb::MakeRoom,
    Verb::AddKeeperForNow,
    Verb::InvitedOnly,
    Verb::LetEverybodyIn,
    Verb::Moderate,
    Verb::Unmoderate,
    Verb::Hide,
    Verb::Unhide,
    Verb::SetRoomPassword,
    Verb::RemoveRoomPassword,
    Verb::Limit,
    Verb::Unlimit,
    Verb::MakePrivate,
    Verb::OpenRoom,
    Verb::GiveVoice,
    Verb::TakeVoice,
    Verb::ReleaseName,
    Verb::SetPassword,
    Verb::Reload,
];

/// One step of a run.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The intent.
    pub(crate) intent: Intent,
    /// The proposal of the intent. If it does not count, the intent is applied as on a server
    /// without other nodes.
    pub(crate) id: ProposalId,
    /// The time since the step before, in milliseconds. Clocks may be set back.
    pub(crate) passed: i64,
    /// Whether the second ledger is restored from its snapshot before the step.
    pub(crate) is_restored: bool,
}

/// Some steps.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let passed = prop_oneof![20 => 0..10_000_i64, 1 => -2_000_000..2_000_000_i64];
    let id = (0..4_u32, 0..20_u64).prop_map(|(boot, number)| ProposalId { boot, number });
    let step = (sealed_or_not(intent()), id, passed, proptest::bool::weighted(0.1));
    let step =
        step.prop_map(|(intent, id, passed, is_restored)| Step { intent, id, passed, is_restored });
    vec(step, 1..150)
}

/// The contents of a ledger at the start: nothing, or people with authority and rules; and in some
/// of them the room den lets in only people who are invited.
pub(crate) fn start() -> impl Strategy<Value = Snapshot> {
    let start = prop_oneof![
        1 => Just(Snapshot::default()),
        1 => Just(keepers_at_work()),
        1 => Just(mike_moderates(keepers_at_work())),
    ];
    let importing = weighted(0.3, Just(0));
    (start, any::<bool>(), weighted(0.3, closed_den()), importing).prop_map(
        |(mut start, is_stored, den, importing)| {
            start.rules.extend(den);
            Snapshot { is_stored, importing, ..start }
        },
    )
}

/// Mike sits in the attic, too, keeps it for the time being, and lets nobody else speak.
fn mike_moderates(start: Snapshot) -> Snapshot {
    let (attic, mut start) = (RoomName::stored("attic"), start);
    let mike = start.people.values_mut().filter(|person| person.account.is_none());
    for person in mike {
        person.seats.push(attic.clone());
        person.keeps_for_now.push(attic.clone());
    }
    let now = RoomRules { is_moderated: true, ..RoomRules::default() };
    start.rules.insert(attic, RulesOfRoom { now, ..RulesOfRoom::default() });
    start
}

fn closed_den() -> impl Strategy<Value = (RoomName, RulesOfRoom)> {
    let rules = RoomRules { is_invited_only: true, ..RoomRules::default() };
    Just((
        RoomName::stored("den"),
        RulesOfRoom { now: rules.clone(), lasting: rules, invited: Vec::new() },
    ))
}

/// Alice is a keeper of the server, zoë of the room tea, and mike of tea for the time being. All of
/// them sit there. The room den has lines and nobody.
pub(crate) fn keepers_at_work() -> Snapshot {
    let [alice, zoe] = ["alice", "zoë"].map(Name::stored);
    let person = |id, name: &Name, seats: &[&str]| {
        let account = Some(ProvenAccount { name: name.clone(), proof: Proof::default() });
        let looks = Looks::of(name);
        let seats = seats.iter().map(|room| RoomName::stored(room)).collect();
        let (name, keeps_for_now, markers) = (name.clone(), Vec::new(), Markers::default());
        let (profile, voices, away, boot) = (None, Vec::new(), None, 0);
        let (modes, lent) = (Modes::NONE, None);
        let person = Person {
            name,
            account,
            looks,
            profile,
            seats,
            keeps_for_now,
            voices,
            away,
            boot,
            markers,
            modes,
            lent,
        };
        (PersonId::new(id), person)
    };
    let (id, mike) = person(3, &Name::stored("mike"), &["tea"]);
    let mike = Person { account: None, keeps_for_now: mike.seats.clone(), ..mike };
    let people = [person(1, &alice, &["lobby", "tea"]), person(2, &zoe, &["tea"]), (id, mike)];
    let [tea, den] = ["tea", "den"].map(RoomName::stored);
    let bob = Whom::Name(Name::stored("bob"));
    let act = |verb, reach| Act { reach, ..Act::by(By::Operator, Deed::to(verb, bob.clone()), T0) };
    let owned = [alice.clone(), zoe.clone()].map(OwnedName::from);
    let owned = owned
        .iter()
        .flat_map(|OwnedName { name, keys }| keys.iter().map(|key| (key.clone(), name.clone())));
    Snapshot {
        people: people.into(),
        accounts: [alice.clone(), zoe.clone()].map(account).map(Arc::new).to_vec(),
        owned: owned.collect(),
        keepers: vec![(Reach::Server, alice.clone()), (Reach::Room(tea.clone()), zoe.clone())],
        makers: [(tea.clone(), zoe.clone())].into(),
        bans: vec![act(Verb::Ban, Reach::Room(tea.clone()))],
        mutes: vec![Mute { people: Vec::new(), act: act(Verb::Mute, Reach::Server) }],
        ends: [(tea.clone(), 7), (den, 3)].map(|(room, seq)| (room, End { seq, at: T0 })).into(),
        topics: [(tea.clone(), Topic { text: None, is_locked: true })].into(),
        codes: [
            code_of(0, &alice, &tea, Validity::Held(PersonId::new(1))),
            code_of(1, &zoe, &tea, Validity::Until(T0)),
        ]
        .into(),
        kept: [(zoe.keys()[0].into(), kept())].into(),
        last_kept: 60,
        markers: [(zoe.keys()[0].into(), Markers([("#tea".into(), T0)].into()))].into(),
        ..Snapshot::default()
    }
}

/// As many messages as strangers may write to one owner, by several of them.
fn kept() -> Vec<Kept> {
    let kept = |number| {
        let (writer, rank) = (number / 15, Rank::Stranger);
        Kept { number, writer, rank, key: 0, sealed: None }
    };
    (1..=60).map(kept).collect()
}

fn account(name: Name) -> Account {
    Account { name, since: T0, password: "hash".into(), token: None, proof: Proof::default() }
}

fn code_of(
    number: u8,
    name: &Name,
    room: &RoomName,
    validity: Validity,
) -> (Hashed, Arc<ReturnCode>) {
    let claim = Claim::of_owner(name.clone(), Proof::default());
    let (looks, room) = (Looks::of(name), room.clone());
    (Hashed([number; 32]), Arc::new(ReturnCode { claim, looks, room, seq: 3, validity }))
}

const T0: WallTime = WallTime(1_000_000);

fn modes() -> impl Strategy<Value = Modes> {
    (0_u8..16).prop_map(|bits| Modes::from_bits(bits).unwrap())
}

fn here() -> impl Strategy<Value = Here> {
    prop_oneof![
        1 => Just(Here::Operator),
        1 => Just(Here::Server),
        8 => room().prop_map(Here::Room),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        8 => coming(),
        4 => (person(), room(), of(line())).prop_map(|(person, room, password)| {
            Intent::Join { person, room, password }
        }),
        2 => (person(), name(), room()).prop_map(|(by, to, room)| Intent::Invite { by, to, room }),
        6 => speaking(),
        3 => leaving(),
        4 => (person(), claim()).prop_map(|(person, (name, looks))| {
            Intent::Rename { person, name, looks }
        }),
        4 => owning(),
        3 => (person(), room()).prop_map(|(person, room)| {
            Intent::Signal { person, room, extras: Arc::default() }
        }),
        3 => (person(), of(line())).prop_map(|(person, text)| Intent::SetAway { person, text }),
        1 => (person(), line()).prop_map(|(person, realname)| {
            Intent::SetRealname { person, realname }
        }),
        1 => (person(), modes(), modes()).prop_map(|(person, set, removed)| {
            Intent::SetModes { person, set, removed }
        }),
        1 => (person(), claim()).prop_map(|(person, (name, _))| {
            let account = ProvenAccount { name: name.name, proof: Proof::default() };
            Intent::Oper { person, account }
        }),
        3 => (person(), proven()).prop_map(|(person, account)| Intent::LogIn { person, account }),
        12 => (person(), here(), deed()).prop_map(|(asker, here, deed)| {
            Intent::Act { asker, here, deed }
        }),
        1 => (room(), select(&[0, 3, 7][..])).prop_map(|(room, last)| {
            Intent::EndRoom { room, last }
        }),
        6 => of_nodes(),
        4 => import().prop_map(|import| Intent::Import(Box::new(import))),
    ]
}

/// A part of the past. Mostly it does not end there.
fn import() -> impl Strategy<Value = Import> {
    prop_oneof![
        6 => (select(&OWNED[..]), time(), password()).prop_map(|(name, since, password)| {
            Import::Account { name, since, password }
        }),
        3 => (name(), code()).prop_map(|(name, token)| Import::Token { name, token: token.into() }),
        3 => (of(room()), name()).prop_map(|(room, name)| {
            Import::Keeper { reach: room.map_or(Reach::Server, Reach::Room), name }
        }),
        2 => (room(), name()).prop_map(|(room, name)| Import::Maker { room, name }),
        2 => act().prop_map(|act| Import::Ban(Act::clone(&act))),
        2 => act().prop_map(|act| Import::Mute(Act::clone(&act))),
        2 => (room(), of(line()), any::<bool>()).prop_map(|(room, text, is_locked)| {
            Import::Topic { room, topic: Topic { text, is_locked } }
        }),
        2 => (room(), any::<bool>(), any::<bool>()).prop_map(|(room, is_secret, is_moderated)| {
            Import::Rules { room, rules: RoomRules { is_secret, is_moderated, ..RoomRules::default() } }
        }),
        3 => (code(), claim(), room(), 0..9_u64, time()).prop_map(
            |(code, (claim, looks), room, seq, until)| {
                Import::Code { code, claim, looks, room, seq, until }
            }
        ),
        2 => (name(), time()).prop_map(|(owner, at)| Import::Marker { owner, key: "#tea".into(), at }),
        3 => (0..99_u64, time(), name(), name(), of(code()), line()).prop_map(
            |(number, at, owner, from, writer, text)| Import::Message(ImportedMessage {
                number,
                at,
                owner,
                from,
                writer,
                rank: Rank::Owner,
                spoken: Spoken::new(Manner::Plain, text).into(),
            })
        ),
        1 => (0..99_u64).prop_map(Import::LastMessage),
        1 => (line(), time()).prop_map(|(text, at)| {
            let texts = || text.clone();
            let (by, account, room) = (texts(), texts(), texts());
            let (deed, whom, reason) = (texts(), texts(), texts());
            Import::Act(PastAct { number: 1, at, by, account, room, deed, whom, reason })
        }),
        1 => room().prop_map(|room| {
            Import::Log(PastLog { number: 1, name: "log".into(), ends: vec![(room, 7)] })
        }),
        12 => (room(), 0..40_u64, of(name()), vec(time(), 0..4), lines()).prop_map(
            |(room, first, owner, times, lines)| Import::Lines(ImportedLines {
                room,
                first,
                name: Line::sanitise(b"alice"),
                owner,
                times,
                lines: lines.into(),
            })
        ),
        1 => Just(Import::Complete),
    ]
}

fn of_nodes() -> impl Strategy<Value = Intent> {
    let node = || select(&["red", "blue"][..]).prop_map(|name| NodeName::parse(name).unwrap());
    prop_oneof![
        6 => (node(), 0..2_u64, 2..4_u64, of(1..4_u32)).prop_map(|(node, nonce, newest, after)| {
            let program = NodeProgram::new("0.1.0", Format(newest)).unwrap();
            Intent::Up { node, nonce, program, after }
        }),
        1 => (0..5_u64).prop_map(|format| Intent::UseFormat(Format(format))),
        1 => Just(Intent::Alive),
        2 => vec(0..6_u64, 0..4).prop_map(Intent::KeysErased),
        2 => (1..4_u32, 0..20_u64).prop_map(|(boot, last)| Intent::Down { boot, last }),
        1 => Just(Intent::Leaving),
        6 => (person(), claim(), claim(), profile(), of(line()), vec(room(), 0..3), vec(code(), 0..2)).prop_map(
            |(person, (name, looks), (other, other_looks), profile, away, rooms, codes)| Intent::Return(Box::new(Reentry {
                person,
                name,
                looks,
                otherwise: (other.name, other_looks),
                profile,
                away,
                modes: Modes::INVISIBLE,
                lent: None,
                markers: Default::default(),
                rooms,
                codes,
            }))
        ),
    ]
}

fn coming() -> impl Strategy<Value = Intent> {
    prop_oneof![
        3 => (person(), claim(), profile(), room()).prop_map(
            |(person, (name, looks), profile, room)| {
                Intent::Enter { person, name, looks, profile, room }
            }
        ),
        2 => (person(), claim(), profile()).prop_map(|(person, (name, looks), profile)| {
            Intent::Come { person, name, looks, profile }
        }),
        3 => (person(), code(), time(), profile(), weighted(0.3, room())).prop_map(
            |(person, code, now, profile, room)| {
                Intent::ComeBack { person, code, now, profile, room }
            }
        ),
        3 => (person(), code(), room(), seq()).prop_map(|(person, code, room, seq)| {
            Intent::MakeCode { person, code, room, seq }
        }),
        2 => (person(), code(), room(), seq()).prop_map(|(person, code, room, seq)| {
            Intent::MoveCode { person, code, room, seq }
        }),
        2 => (person(), code(), of(seq()), time()).prop_map(|(person, code, seq, until)| {
            Intent::EndCode { person, code, seq, until }
        }),
        1 => vec((code(), seq()), 0..3).prop_map(Intent::Readings),
        1 => time().prop_map(Intent::ExpireCodes),
    ]
}

fn code() -> impl Strategy<Value = Hashed> {
    (0..3_u8).prop_map(|number| Hashed([number; 32]))
}

fn seq() -> impl Strategy<Value = u64> {
    0..10_u64
}

fn speaking() -> impl Strategy<Value = Intent> {
    prop_oneof![
        3 => (person(), room(), lines()).prop_map(|(person, room, lines)| {
            Intent::Say { person, room, lines: lines.into() }
        }),
        1 => (person(), claim(), room(), of(line()), lines()).prop_map(
            |(person, (name, looks), room, password, lines)| {
                let lines = lines.into();
                Intent::SpeakOnce { person, name, looks, profile: None, room, password, lines }
            }
        ),
        3 => (person(), room(), of(line())).prop_map(|(person, room, text)| {
            Intent::SetTopic { person, room, text }
        }),
        1 => (person(), time()).prop_map(|(person, since)| Intent::DeleteLines { person, since }),
        2 => (person(), name(), code(), line()).prop_map(|(from, to, writer, text)| {
            Intent::KeepMessage { from, to, writer, spoken: Spoken::new(Manner::Plain, text).into() }
        }),
        1 => (person(), seq()).prop_map(|(person, last)| Intent::Delivered { person, last }),
        2 => (person(), conversation(), time()).prop_map(|(person, conversation, read)| {
            Intent::MarkRead { person, conversation, read }
        }),
    ]
}

fn conversation() -> impl Strategy<Value = ConversationId> {
    prop_oneof![
        2 => room().prop_map(ConversationId::Room),
        1 => name().prop_map(ConversationId::With),
    ]
}

fn leaving() -> impl Strategy<Value = Intent> {
    prop_oneof![
        1 => (vec(person(), 0..3), act()).prop_map(|(people, act)| {
            Intent::Remove { people, act }
        }),
        3 => (person(), room(), of(line())).prop_map(|(person, room, words)| {
            Intent::Leave { person, room, words }
        }),
        2 => (person(), of(line()), of(act())).prop_map(|(person, words, removal)| {
            Intent::LeaveServer { person, words, removal }
        }),
        1 => (person(), room()).prop_map(|(heir, room)| Intent::GiveUp { heir, room }),
    ]
}

fn act() -> impl Strategy<Value = Arc<Act>> {
    (deed(), of(room()), time()).prop_map(|(deed, room, at)| {
        let reach = room.map_or(Reach::Server, Reach::Room);
        Arc::new(Act { reach, ..Act::by(By::Operator, deed, at) })
    })
}

fn owning() -> impl Strategy<Value = Intent> {
    prop_oneof![
        4 => (select(&OWNED[..]), time(), password(), person()).prop_map(
            |(name, since, password, by)| Intent::Register { name, since, password, by }
        ),
        3 => (name(), of(proof()), password(), any::<bool>(), of(person())).prop_map(
            |(name, proof, password, keeps_token, by)| {
                Intent::ChangePassword { name, proof, password, keeps_token, by }
            }
        ),
        1 => (name(), proof(), password()).prop_map(|(name, proof, password)| {
            Intent::Rehash { name, proof, password }
        }),
        2 => (name(), proof(), of(code())).prop_map(|(name, proof, token)| {
            Intent::SetToken { name, proof, token: token.map(Erasable::from) }
        }),
        1 => name().prop_map(Intent::Release),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    select(&NAMES[..]).prop_map(|(name, _)| name)
}

fn password() -> impl Strategy<Value = Erasable<Arc<str>>> {
    select(&["hash", "another hash"][..]).prop_map(Erasable::from)
}

fn person() -> impl Strategy<Value = PersonId> {
    (1..=4_u64).prop_map(PersonId::new)
}

fn room() -> impl Strategy<Value = RoomName> {
    select(&["lobby", "tea", "tea", "den", "attic"][..]).prop_map(RoomName::stored)
}

fn claim() -> impl Strategy<Value = (Claim, Looks)> {
    let own = weighted(0.5, proof());
    (select(&NAMES[..]), own, weighted(0.2, proven())).prop_map(|((name, looks), own, other)| {
        let claim = match (own, other) {
            (Some(proof), None) => Claim::of_owner(name, proof),
            (_, account) => Claim { name, account },
        };
        (claim, looks)
    })
}

/// An account, perhaps with a valid proof.
fn proven() -> impl Strategy<Value = ProvenAccount> {
    (name(), proof()).prop_map(|(name, proof)| ProvenAccount { name, proof })
}

fn profile() -> impl Strategy<Value = Option<Arc<Profile>>> {
    let profile = (line(), any::<bool>()).prop_map(|(realname, is_bot)| {
        let [user, host] = ["u", "irc"].map(|text| Line::sanitise(text.as_bytes()));
        Arc::new(Profile::new([user, realname, host], is_bot))
    });
    of(profile)
}

fn proof() -> impl Strategy<Value = Proof> {
    (0..3_u64).prop_map(Proof)
}

fn time() -> impl Strategy<Value = WallTime> {
    (0..2_000_000_i64).prop_map(WallTime)
}

fn line() -> impl Strategy<Value = Line> {
    select(&["", "hi", "tea is ready", "2"][..]).prop_map(|text| Line::sanitise(text.as_bytes()))
}

fn lines() -> impl Strategy<Value = Vec<Spoken>> {
    let manner = any::<bool>().prop_map(|is_plain| match is_plain {
        true => Manner::Plain,
        false => Manner::Action,
    });
    vec((manner, line()).prop_map(|(manner, text)| Spoken::new(manner, text)), 0..4)
}

fn deed() -> impl Strategy<Value = Deed> {
    let nets = ["192.0.2.7", "2001:db8::/32", "127.0.0.1"];
    let nets = nets.iter().filter_map(|net| Whom::parse(net).ok()).collect::<Vec<_>>();
    let whom = prop_oneof![
        8 => claim().prop_map(|(claim, _)| Whom::Name(claim.name)),
        1 => select(nets),
        1 => Just(Whom::Everybody),
    ];
    let verb = prop_oneof![3 => select(&OFTEN[..]), 2 => select(&SELDOM[..])];
    let time = of((1..100_000_u64).prop_map(Duration::from_millis));
    (verb, whom, time, of(line())).prop_map(|(verb, whom, time, text)| Deed {
        verb,
        whom,
        time,
        text,
    })
}
