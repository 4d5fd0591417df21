//! Values to pack: samples, and arbitrary proposals.

mod past;

use std::sync::Arc;
use std::time::Duration;

use parlor_core::intent::{Check, ErasableOf, Intent, Proposal, ProposalId, Reentry};
use parlor_core::model::{
    Act, Author, Blank, By, Claim, ConversationId, Deed, Erasable, Extras, Format, Hashed, Here,
    InGroup, Line, Looks, Manner, Modes, Name, Net, NodeName, NodeProgram, OwnedName, PersonId,
    Profile, Proof, ProvenAccount, Reach, RoomName, Seal, SealKey, Spoken, Verb, WallTime, Whom,
};
use parlor_wire::pack::NEWEST;
use parlor_wire::pack::sealed::{Cipher, seal};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// At least one of each intent, each with a name. Formats are tested with them, so a sample never
/// changes.
pub(crate) fn intents() -> Vec<(&'static str, Intent)> {
    [of_people_and_nodes(), past::parts()].concat()
}

fn of_people_and_nodes() -> Vec<(&'static str, Intent)> {
    let person = PersonId::new(3 << 40 | 1_000);
    let room = RoomName::parse("tea").unwrap();
    let line = |text: &str| Line::sanitise(text.as_bytes());
    let lines = vec![
        Spoken::new(Manner::Plain, line("Hi! 世界\t\x1b")),
        Spoken::new(Manner::Action, line("waves")),
        Spoken::new(Manner::Gone, line("")),
        Spoken {
            manner: Manner::Notice,
            text: line("first of two"),
            extras: Some(Arc::new(Extras {
                tags: Some(line("+draft/reply=x")),
                label: Some(line("l1")),
                group: Some(InGroup { index: 0, lines: 2, blanks: 0 }),
                breaks: vec![6],
                log: None,
            })),
        },
    ];
    let ian = Name::parse("Ian").unwrap();
    let (name, looks) = (Claim::of_owner(ian.clone(), Proof(2)), Looks::of(&ian));
    let anna = Name::parse("anna").unwrap();
    let account = ProvenAccount { name: ian.clone(), proof: Proof(2) };
    let came = Claim { name: anna.clone(), account: Some(account.clone()) };
    let texts = ["ann", "Anna Ж.", "irc"].map(line);
    let profile = Arc::new(Profile::new(texts, true));
    let address = Name::of_address("192.0.2.7:50000");
    let net = Net::parse("2001:db8::/32").unwrap();
    let time = Some(Duration::from_millis(600_001));
    let ban = Deed { time, text: Some(line("spam")), ..Deed::to(Verb::Ban, Whom::Net(net)) };
    let mike = Name::parse("mike").unwrap();
    let code = Hashed(std::array::from_fn(|place| 8 * place as u8));
    let password = || "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into();
    let kick = Deed::to(Verb::Kick, Whom::Name(Name::parse("Борис").unwrap()));
    let (by, reach) = (By::Keeper(Author::owner(mike.clone())), Reach::Room(room.clone()));
    let kick = Arc::new(Act { reach, ..Act::by(by, kick, WallTime(-1)) });
    let broadcast = Deed::to_all(Verb::Broadcast, Some(line("Hello, everybody")));
    vec![
        ("say", Intent::Say { person, room: room.clone(), lines: lines.clone().into() }),
        (
            "say-sealed",
            sealed(Intent::Say { person, room: room.clone(), lines: lines.clone().into() }, 300),
        ),
        (
            "enter",
            Intent::Enter {
                person,
                name: name.clone(),
                looks: looks.clone(),
                profile: Some(profile.clone()),
                room: room.clone(),
            },
        ),
        (
            "enter-by-address",
            Intent::Enter {
                person,
                looks: Looks::of(&address),
                name: address.clone().into(),
                profile: None,
                room: RoomName::lobby(),
            },
        ),
        (
            "come-back",
            Intent::ComeBack {
                person,
                code,
                now: WallTime(7),
                profile: Some(profile.clone()),
                room: Some(room.clone()),
            },
        ),
        ("make-code", Intent::MakeCode { person, code, room: room.clone(), seq: 300 }),
        ("move-code", Intent::MoveCode { person, code, room: room.clone(), seq: 301 }),
        ("end-code", Intent::EndCode { person, code, seq: Some(302), until: WallTime(-7) }),
        ("readings", Intent::Readings(vec![(code, 303), (Hashed([0; 32]), 0)])),
        ("expire-codes", Intent::ExpireCodes(WallTime(8))),
        (
            "keep-message",
            Intent::KeepMessage {
                from: person,
                to: ian.clone(),
                writer: code,
                spoken: Spoken::new(Manner::Action, line("waves")).into(),
            },
        ),
        ("delivered", Intent::Delivered { person, last: 304 }),
        ("join", Intent::Join { person, room: room.clone(), password: None }),
        (
            "join-with-password",
            Intent::Join { person, room: room.clone(), password: Some(line("beer")) },
        ),
        ("invite", Intent::Invite { by: person, to: mike.clone(), room: room.clone() }),
        ("leave", Intent::Leave { person, room: room.clone(), words: Some(line("tea time")) }),
        ("give-up", Intent::GiveUp { heir: person, room: room.clone() }),
        (
            "speak-once",
            Intent::SpeakOnce {
                person,
                name: name.clone(),
                looks: looks.clone(),
                profile: Some(profile.clone()),
                room: room.clone(),
                password: Some(line("beer")),
                lines: lines.into(),
            },
        ),
        ("rename", Intent::Rename { person, name: name.clone(), looks: looks.clone() }),
        (
            "signal",
            Intent::Signal {
                person,
                room: room.clone(),
                extras: Arc::new(Extras {
                    tags: Some(line("+typing=active")),
                    ..Extras::default()
                }),
            },
        ),
        ("set-away", Intent::SetAway { person, text: Some(line("lunch")) }),
        ("set-realname", Intent::SetRealname { person, realname: line("Anna Ж.") }),
        ("log-in", Intent::LogIn { person, account: account.clone() }),
        ("oper", Intent::Oper { person, account }),
        (
            "set-modes",
            Intent::SetModes {
                person,
                set: Modes::BOT.with(Modes::WALLOPS),
                removed: Modes::OPERATOR,
            },
        ),
        ("set-topic", Intent::SetTopic { person, room: room.clone(), text: Some(line("Tea")) }),
        ("delete-lines", Intent::DeleteLines { person, since: WallTime(1_796_000_000_000) }),
        (
            "register",
            Intent::Register {
                name: OwnedName::from(ian.clone()),
                since: WallTime(9),
                password: password(),
                by: person,
            },
        ),
        (
            "change-password",
            Intent::ChangePassword {
                name: ian.clone(),
                proof: Some(Proof(3)),
                password: password(),
                keeps_token: true,
                by: Some(person),
            },
        ),
        ("rehash", Intent::Rehash { name: ian.clone(), proof: Proof(3), password: password() }),
        (
            "set-token",
            Intent::SetToken { name: ian.clone(), proof: Proof(7), token: Some(code.into()) },
        ),
        (
            "set-token-sealed",
            sealed(Intent::SetToken { name: ian, proof: Proof(7), token: Some(code.into()) }, 1),
        ),
        ("keys-erased", Intent::KeysErased(vec![1, 300, u64::MAX])),
        ("release", Intent::Release(mike)),
        ("ban", Intent::Act { asker: person, here: Here::Room(room.clone()), deed: ban }),
        ("broadcast", Intent::Act { asker: person, here: Here::Operator, deed: broadcast }),
        ("end-room", Intent::EndRoom { room: room.clone(), last: 300 }),
        ("remove", Intent::Remove { people: vec![person, PersonId::new(0)], act: kick.clone() }),
        ("up", Intent::Up { node: node(), nonce: u64::MAX, program: program(), after: Some(2) }),
        ("use-format", Intent::UseFormat(Format(300))),
        ("alive", Intent::Alive),
        ("down", Intent::Down { boot: 3, last: 300 }),
        ("leaving", Intent::Leaving),
        (
            "return",
            Intent::Return(Box::new(Reentry {
                person,
                name,
                looks,
                otherwise: (address.clone(), Looks::of(&address)),
                profile: Some(profile.clone()),
                away: Some(line("lunch")),
                modes: Modes::WALLOPS.with(Modes::BOT),
                lent: Some(ProvenAccount { name: address.clone(), proof: Proof(9) }),
                markers: [("#lobby".into(), WallTime(900))].into(),
                rooms: vec![RoomName::lobby(), room],
                codes: vec![code],
            })),
        ),
        (
            "come",
            Intent::Come { person, name: came, looks: Looks::of(&anna), profile: Some(profile) },
        ),
        ("leave-server", Intent::LeaveServer { person, words: None, removal: Some(kick) }),
        (
            "mark-read",
            Intent::MarkRead {
                person,
                conversation: ConversationId::Room(RoomName::lobby()),
                read: WallTime(1_796_000_000_123),
            },
        ),
        (
            "mark-read-of-person",
            Intent::MarkRead {
                person,
                conversation: ConversationId::With(anna),
                read: WallTime(-1),
            },
        ),
    ]
}

/// A cipher that changes each byte of a value, and has every key but 0.
pub(crate) struct TestCipher;

impl Cipher for TestCipher {
    fn seal(&self, key: u64, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let sealed = bytes.into_iter().map(|byte| byte ^ key as u8 ^ 0x55);
        (key > 0).then(|| sealed.chain([key as u8]).collect())
    }

    fn open(&self, key: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        let (last, bytes) = sealed.split_last()?;
        let is_it = key > 0 && *last == key as u8;
        is_it.then(|| bytes.iter().map(|byte| byte ^ key as u8 ^ 0x55).collect())
    }
}

/// An intent whose erasable value is sealed with a key, as somebody has it who cannot open it.
pub(crate) fn sealed(mut intent: Intent, key: u64) -> Intent {
    seal_with(&mut intent, SealKey::Number(key.max(1)));
    assert!(seal(&mut intent, &TestCipher));
    match intent.erasable() {
        None => {}
        Some(ErasableOf::Lines(lines)) => lines.value = lines.value.blank(),
        Some(ErasableOf::Password(password)) => password.value = password.value.blank(),
        Some(ErasableOf::Token(token)) => token.value = token.value.blank(),
        Some(ErasableOf::Message(message)) => message.value = message.value.blank(),
    }
    intent
}

/// Wants the erasable value of an intent to be sealed with this key.
pub(crate) fn seal_with(intent: &mut Intent, key: SealKey) {
    let seal = Seal { key, bytes: Arc::default() };
    set_seal(intent, |_| Some(Box::new(seal)));
}

/// Changes the seal of an intent, if it has an erasable value.
pub(crate) fn set_seal(
    intent: &mut Intent,
    change: impl FnOnce(Option<Box<Seal>>) -> Option<Box<Seal>>,
) {
    let seal = match intent.erasable() {
        None => return,
        Some(ErasableOf::Lines(lines)) => &mut lines.seal,
        Some(ErasableOf::Password(password)) => &mut password.seal,
        Some(ErasableOf::Token(token)) => &mut token.seal,
        Some(ErasableOf::Message(message)) => &mut message.seal,
    };
    *seal = change(seal.take());
}

/// Any proposal, in which each intent is as likely as the others.
pub(crate) fn any_proposal() -> impl Strategy<Value = Proposal> {
    let intents = select(intents()).prop_flat_map(|(_, intent)| any_like(&intent));
    let intents = (intents, option::of(any::<u64>()));
    let intents =
        intents.prop_map(|(intent, key)| key.map_or(intent.clone(), |key| sealed(intent, key)));
    let check = any::<(u64, u64)>().prop_map(|(position, digest)| Check { position, digest });
    (any::<(u32, u64)>(), any::<u64>(), check, vec(intents, 0..20)).prop_map(
        |((boot, number), after, check, intents)| {
            let id = ProposalId { boot, number };
            Proposal { format: NEWEST, id, after, check, intents }
        },
    )
}

/// Any intent of the same kind.
fn any_like(intent: &Intent) -> BoxedStrategy<Intent> {
    match intent {
        Intent::Say { .. } => (person(), room(), lines())
            .prop_map(|(person, room, lines)| Intent::Say { person, room, lines: lines.into() })
            .boxed(),
        Intent::Come { .. } => (person(), claim(), profile())
            .prop_map(|(person, (name, looks), profile)| Intent::Come {
                person,
                name,
                looks,
                profile,
            })
            .boxed(),
        Intent::Enter { .. } => (person(), claim(), profile(), room())
            .prop_map(|(person, (name, looks), profile, room)| Intent::Enter {
                person,
                name,
                looks,
                profile,
                room,
            })
            .boxed(),
        Intent::ComeBack { .. } => (person(), hashed(), time(), profile(), option::of(room()))
            .prop_map(|(person, code, now, profile, room)| Intent::ComeBack {
                person,
                code,
                now,
                profile,
                room,
            })
            .boxed(),
        Intent::MakeCode { .. } => (person(), hashed(), room(), any::<u64>())
            .prop_map(|(person, code, room, seq)| Intent::MakeCode { person, code, room, seq })
            .boxed(),
        Intent::MoveCode { .. } => (person(), hashed(), room(), any::<u64>())
            .prop_map(|(person, code, room, seq)| Intent::MoveCode { person, code, room, seq })
            .boxed(),
        Intent::EndCode { .. } => (person(), hashed(), any::<Option<u64>>(), time())
            .prop_map(|(person, code, seq, until)| Intent::EndCode { person, code, seq, until })
            .boxed(),
        Intent::Readings(_) => {
            vec((hashed(), any::<u64>()), 0..5).prop_map(Intent::Readings).boxed()
        }
        Intent::KeepMessage { .. } => (person(), name(), hashed(), line())
            .prop_map(|(from, to, writer, text)| Intent::KeepMessage {
                from,
                to,
                writer,
                spoken: Spoken::new(Manner::Notice, text).into(),
            })
            .boxed(),
        Intent::Delivered { .. } => (person(), any::<u64>())
            .prop_map(|(person, last)| Intent::Delivered { person, last })
            .boxed(),
        Intent::MarkRead { .. } => (person(), conversation(), time())
            .prop_map(|(person, conversation, read)| Intent::MarkRead {
                person,
                conversation,
                read,
            })
            .boxed(),
        Intent::ExpireCodes(_) => time().prop_map(Intent::ExpireCodes).boxed(),
        Intent::Join { .. } => {
            let join = (person(), room(), option::of(line()));
            join.prop_map(|(person, room, password)| Intent::Join { person, room, password })
                .boxed()
        }
        Intent::Invite { .. } => (person(), name(), room())
            .prop_map(|(by, to, room)| Intent::Invite { by, to, room })
            .boxed(),
        Intent::Leave { .. } => (person(), room(), option::of(line()))
            .prop_map(|(person, room, words)| Intent::Leave { person, room, words })
            .boxed(),
        Intent::LeaveServer { .. } => {
            let removal = option::of(act().prop_map(Arc::new));
            (person(), option::of(line()), removal)
                .prop_map(|(person, words, removal)| Intent::LeaveServer { person, words, removal })
                .boxed()
        }
        Intent::GiveUp { .. } => {
            (person(), room()).prop_map(|(heir, room)| Intent::GiveUp { heir, room }).boxed()
        }
        Intent::SpeakOnce { .. } => {
            (person(), claim(), profile(), room(), option::of(line()), lines())
                .prop_map(|(person, (name, looks), profile, room, password, lines)| {
                    let lines = lines.into();
                    Intent::SpeakOnce { person, name, looks, profile, room, password, lines }
                })
                .boxed()
        }
        Intent::Signal { .. } => (person(), room(), extras().prop_map(Arc::new))
            .prop_map(|(person, room, extras)| Intent::Signal { person, room, extras })
            .boxed(),
        Intent::SetAway { .. } => (person(), option::of(line()))
            .prop_map(|(person, text)| Intent::SetAway { person, text })
            .boxed(),
        Intent::SetRealname { .. } => (person(), line())
            .prop_map(|(person, realname)| Intent::SetRealname { person, realname })
            .boxed(),
        Intent::Oper { .. } => (person(), account())
            .prop_map(|(person, account)| Intent::Oper { person, account })
            .boxed(),
        Intent::SetModes { .. } => (person(), modes(), modes())
            .prop_map(|(person, set, removed)| Intent::SetModes { person, set, removed })
            .boxed(),
        Intent::LogIn { .. } => (person(), account())
            .prop_map(|(person, account)| Intent::LogIn { person, account })
            .boxed(),
        Intent::Rename { .. } => (person(), claim())
            .prop_map(|(person, (name, looks))| Intent::Rename { person, name, looks })
            .boxed(),
        Intent::SetTopic { .. } => (person(), room(), option::of(line()))
            .prop_map(|(person, room, text)| Intent::SetTopic { person, room, text })
            .boxed(),
        Intent::DeleteLines { .. } => (person(), time())
            .prop_map(|(person, since)| Intent::DeleteLines { person, since })
            .boxed(),
        Intent::Register { .. } => (name(), time(), password(), person())
            .prop_map(|(name, since, password, by)| Intent::Register {
                name: name.into(),
                since,
                password,
                by,
            })
            .boxed(),
        Intent::ChangePassword { .. } => {
            (name(), option::of(proof()), password(), any::<bool>(), option::of(person()))
                .prop_map(|(name, proof, password, keeps_token, by)| Intent::ChangePassword {
                    name,
                    proof,
                    password,
                    keeps_token,
                    by,
                })
                .boxed()
        }
        Intent::Rehash { .. } => (name(), proof(), password())
            .prop_map(|(name, proof, password)| Intent::Rehash { name, proof, password })
            .boxed(),
        Intent::SetToken { .. } => (name(), proof(), option::of(hashed()))
            .prop_map(|(name, proof, token)| Intent::SetToken {
                name,
                proof,
                token: token.map(Hashed::into),
            })
            .boxed(),
        Intent::Import(import) => past::any_part_like(import),
        Intent::KeysErased(_) => vec(any::<u64>(), 0..5).prop_map(Intent::KeysErased).boxed(),
        Intent::Release(_) => name().prop_map(Intent::Release).boxed(),
        Intent::Act { .. } => (person(), here(), deed())
            .prop_map(|(asker, here, deed)| Intent::Act { asker, here, deed })
            .boxed(),
        Intent::EndRoom { .. } => {
            (room(), any::<u64>()).prop_map(|(room, last)| Intent::EndRoom { room, last }).boxed()
        }
        Intent::Remove { .. } => (vec(person(), 0..5), act().prop_map(Arc::new))
            .prop_map(|(people, act)| Intent::Remove { people, act })
            .boxed(),
        Intent::Up { .. } => (any::<(u64, u64)>(), option::of(any::<u32>()))
            .prop_map(|((nonce, newest), after)| {
                let program = NodeProgram::new("0.1.0", Format(newest)).unwrap();
                Intent::Up { node: node(), nonce, program, after }
            })
            .boxed(),
        Intent::UseFormat(_) => {
            any::<u64>().prop_map(|format| Intent::UseFormat(Format(format))).boxed()
        }
        Intent::Alive => Just(Intent::Alive).boxed(),
        Intent::Down { .. } => {
            any::<(u32, u64)>().prop_map(|(boot, last)| Intent::Down { boot, last }).boxed()
        }
        Intent::Leaving => Just(Intent::Leaving).boxed(),
        Intent::Return(_) => (
            person(),
            claim(),
            claim(),
            profile(),
            option::of(line()),
            vec(room(), 0..3),
            vec(hashed(), 0..3),
        )
            .prop_map(
                |(person, (name, looks), (other, other_looks), profile, away, rooms, codes)| {
                    Intent::Return(Box::new(Reentry {
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
                },
            )
            .boxed(),
    }
}

fn conversation() -> impl Strategy<Value = ConversationId> {
    let with = name().prop_map(ConversationId::With);
    prop_oneof![room().prop_map(ConversationId::Room), with]
}

/// A program of a node.
pub(crate) fn program() -> NodeProgram {
    NodeProgram::new("1.20.0-rc.1", Format(300)).unwrap()
}

/// A node.
pub(crate) fn node() -> NodeName {
    NodeName::parse("chat-1.example").unwrap()
}

fn person() -> impl Strategy<Value = PersonId> {
    prop_oneof![0..300_u64, any::<u64>()].prop_map(PersonId::new)
}

/// Few hashes, so that some intents are about the same code.
fn hashed() -> impl Strategy<Value = Hashed> {
    (0..4_u8).prop_map(|byte| Hashed([byte; 32]))
}

fn password() -> impl Strategy<Value = Erasable<Arc<str>>> {
    "\\PC{0,60}".prop_map(|hash| Erasable::from(&*hash))
}

fn proof() -> impl Strategy<Value = Proof> {
    any::<u64>().prop_map(Proof)
}

fn time() -> impl Strategy<Value = WallTime> {
    any::<i64>().prop_map(WallTime)
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![any::<String>(), "\\PC{0,200}"].prop_map(|text| Line::sanitise(text.as_bytes()))
}

fn lines() -> impl Strategy<Value = Vec<Spoken>> {
    let manner = select(vec![Manner::Plain, Manner::Action, Manner::Gone, Manner::Notice]);
    let extras = option::of(extras().prop_map(Arc::new));
    let spoken = (manner, line(), extras);
    vec(spoken.prop_map(|(manner, text, extras)| Spoken { manner, text, extras }), 0..9)
}

fn extras() -> impl Strategy<Value = Extras> {
    let group = any::<[u32; 3]>();
    let group = group.prop_map(|[index, lines, blanks]| InGroup { index, lines, blanks });
    (option::of(line()), option::of(line()), option::of(group), vec(any::<u32>(), 0..4))
        .prop_map(|(tags, label, group, breaks)| Extras { tags, label, group, breaks, log: None })
}

/// Any profile. Texts that are too long are cut.
fn profile() -> impl Strategy<Value = Option<Arc<Profile>>> {
    let long = "\\PC{200,600}".prop_map(|text| Line::sanitise(text.as_bytes()));
    let profile =
        (line(), line(), long, any::<bool>()).prop_map(|(user, host, realname, is_bot)| {
            Arc::new(Profile::new([user, realname, host], is_bot))
        });
    option::of(profile)
}

/// A name that people have, or one with keys of another version of Unicode.
fn name() -> impl Strategy<Value = Name> {
    let known = vec!["alice", "mike", "Straße", "R00T", "ÉCOLE", "佐藤ken", "127.0.0.1:64208"];
    let strange = ("\\PC{1,32}", "\\PC{0,9}", "\\PC{0,9}").prop_map(|(shown, first, second)| {
        let shown = Line::sanitise(shown.as_bytes());
        Name::with_keys(shown.as_str(), [&first, &second])
    });
    prop_oneof![
        select(known).prop_map(Name::stored),
        strange.prop_filter_map("an empty name", |name| name),
    ]
}

fn room() -> impl Strategy<Value = RoomName> {
    prop_oneof![
        Just(RoomName::lobby()),
        name().prop_map(|name| RoomName::checked(name.as_str()).unwrap()),
    ]
}

fn claim() -> impl Strategy<Value = (Claim, Looks)> {
    let key = || "\\PC{0,9}".prop_map(String::into_boxed_str);
    let strange = (key(), vec((key(), key()), 0..3));
    let strange = strange.prop_map(|(shown, others)| Looks::computed(shown, others));
    (name(), option::of(account()), option::of(strange)).prop_map(|(name, account, looks)| {
        let looks = looks.unwrap_or_else(|| Looks::of(&name));
        (Claim { name, account }, looks)
    })
}

fn modes() -> impl Strategy<Value = Modes> {
    (0_u8..16).prop_map(|bits| Modes::from_bits(bits).unwrap())
}

fn here() -> impl Strategy<Value = Here> {
    prop_oneof![Just(Here::Operator), Just(Here::Server), room().prop_map(Here::Room)]
}

fn account() -> impl Strategy<Value = ProvenAccount> {
    (name(), proof()).prop_map(|(name, proof)| ProvenAccount { name, proof })
}

fn deed() -> impl Strategy<Value = Deed> {
    let verbs = [
        Verb::Broadcast,
        Verb::Kick,
        Verb::Ban,
        Verb::Unban,
        Verb::Mute,
        Verb::Unmute,
        Verb::LockTopic,
        Verb::UnlockTopic,
        Verb::SetTopic,
        Verb::MakeRoom,
        Verb::AddKeeper,
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
        Verb::RemoveKeeper,
        Verb::ReleaseName,
        Verb::SetPassword,
        Verb::Reload,
        Verb::Wallops,
    ];
    let net = (any::<std::net::IpAddr>(), 0..=32_u8);
    let net = net.prop_map(|(ip, bits)| Net::of(ip, bits).unwrap());
    let whom =
        prop_oneof![Just(Whom::Everybody), name().prop_map(Whom::Name), net.prop_map(Whom::Net),];
    let verb = select(verbs.to_vec());
    (verb, whom, option::of(any::<Duration>()), option::of(line()))
        .prop_map(|(verb, whom, time, text)| Deed { verb, whom, time, text })
}

fn author() -> impl Strategy<Value = Author> {
    let person = any::<u64>().prop_map(PersonId::new);
    (name(), option::of(name()), person).prop_map(|(name, account, id)| Author {
        name,
        account,
        id,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let by = prop_oneof![
        select(vec![By::Operator, By::Oneself, By::NewPassword, By::NoKeeper, By::Node]),
        author().prop_map(By::Keeper),
        author().prop_map(By::KeeperForNow),
    ];
    let reach = prop_oneof![Just(Reach::Server), room().prop_map(Reach::Room)];
    (deed(), by, reach, time()).prop_map(|(deed, by, reach, at)| Act { deed, by, reach, at })
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits.
pub(crate) fn from_hex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}
