//! Parts of the past of a house: samples, and arbitrary ones.

use parlor_core::intent::{Import, ImportedLines, ImportedMessage, Intent, PastAct, PastLog};
use parlor_core::model::{
    Act, By, Claim, Deed, Hashed, Line, Looks, Manner, Name, OwnedName, Proof, ProvenAccount, Rank,
    Reach, RoomName, RoomRules, Spoken, Topic, Verb, WallTime, Whom,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{act, claim, hashed, line, lines, name, room, sealed, time};

/// A part as an intent.
fn intent(import: Import) -> Intent {
    Intent::Import(Box::new(import))
}

/// At least one of each part. A sample never changes.
pub(crate) fn parts() -> Vec<(&'static str, Intent)> {
    let room = RoomName::parse("tea").unwrap();
    let line = |text: &str| Line::sanitise(text.as_bytes());
    let (ian, mike) = (Name::parse("Ian").unwrap(), Name::parse("mike").unwrap());
    let token = Hashed(std::array::from_fn(|place| 8 * place as u8));
    let act = |verb| {
        let deed = Deed::to(verb, Whom::Name(mike.clone()));
        Act { reach: Reach::Room(room.clone()), ..Act::by(By::Operator, deed, WallTime(-1)) }
    };
    let account = Some(ProvenAccount { name: ian.clone(), proof: Proof(0) });
    let rules = RoomRules { is_moderated: true, people_max: Some(300), ..RoomRules::default() };
    let spoken = Spoken::new(Manner::Action, line("waves"));
    let lines = Import::Lines(ImportedLines {
        room: room.clone(),
        first: 300,
        name: line("IAN"),
        owner: Some(ian.clone()),
        times: vec![WallTime(1_796_000_000_000), WallTime(1_796_000_000_001)],
        lines: vec![spoken.clone(), Spoken::gone()].into(),
    });
    let account_of_ian = Import::Account {
        name: OwnedName::from(ian.clone()),
        since: WallTime(9),
        password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
    };
    let topic = Topic { text: Some(line("Tea")), is_locked: true };
    let parts = [
        ("past-account", account_of_ian),
        ("past-token", Import::Token { name: ian.clone(), token: token.into() }),
        ("past-keeper", Import::Keeper { reach: Reach::Server, name: ian.clone() }),
        ("past-maker", Import::Maker { room: room.clone(), name: ian.clone() }),
        ("past-ban", Import::Ban(act(Verb::Ban))),
        ("past-mute", Import::Mute(act(Verb::Mute))),
        ("past-topic", Import::Topic { room: room.clone(), topic }),
        ("past-rules", Import::Rules { room: room.clone(), rules }),
        (
            "past-code",
            Import::Code {
                code: token,
                claim: Claim { name: mike.clone(), account },
                looks: Looks::of(&mike),
                room: room.clone(),
                seq: 300,
                until: WallTime(8),
            },
        ),
        ("past-marker", Import::Marker { owner: ian.clone(), key: "#tea".into(), at: WallTime(7) }),
        (
            "past-message",
            Import::Message(ImportedMessage {
                number: 300,
                at: WallTime(6),
                owner: ian,
                from: mike,
                writer: Some(token),
                rank: Rank::Owner,
                spoken: spoken.into(),
            }),
        ),
        ("past-last-message", Import::LastMessage(301)),
        (
            "past-act",
            Import::Act(PastAct {
                number: 300,
                at: WallTime(5),
                by: line("zoe"),
                account: line("alice"),
                room: line("tea"),
                deed: line("ban"),
                whom: line("bob until 2026-11-20 15:00"),
                reason: line("too loud"),
            }),
        ),
        (
            "past-log",
            Import::Log(PastLog { number: 2, name: "0123abcd".into(), ends: vec![(room, 300)] }),
        ),
        ("past-lines", lines.clone()),
        ("past-complete", Import::Complete),
    ];
    let sealed = ("past-lines-sealed", sealed(intent(lines), 300));
    parts.into_iter().map(|(name, part)| (name, intent(part))).chain([sealed]).collect()
}

/// Any part of the same kind.
pub(super) fn any_part_like(import: &Import) -> BoxedStrategy<Intent> {
    let rank = || prop_oneof![Just(Rank::Stranger), Just(Rank::Owner), Just(Rank::Keeper)];
    let any = match import {
        Import::Account { .. } => (name(), time())
            .prop_map(|(name, since)| Import::Account {
                name: name.into(),
                since,
                password: "hash".into(),
            })
            .boxed(),
        Import::Token { .. } => (name(), hashed())
            .prop_map(|(name, token)| Import::Token { name, token: token.into() })
            .boxed(),
        Import::Ban(_) => act().prop_map(Import::Ban).boxed(),
        Import::Mute(_) => act().prop_map(Import::Mute).boxed(),
        Import::Topic { .. } => (room(), option::of(line()), any::<bool>())
            .prop_map(|(room, text, is_locked)| Import::Topic {
                room,
                topic: Topic { text, is_locked },
            })
            .boxed(),
        Import::Code { .. } => (hashed(), claim(), room(), any::<u64>(), time())
            .prop_map(|(code, (claim, looks), room, seq, until)| Import::Code {
                code,
                claim,
                looks,
                room,
                seq,
                until,
            })
            .boxed(),
        Import::Message(_) => {
            let message =
                (any::<u64>(), time(), name(), name(), option::of(hashed()), rank(), line());
            message
                .prop_map(|(number, at, owner, from, writer, rank, text)| {
                    let spoken = Spoken::new(Manner::Notice, text).into();
                    Import::Message(ImportedMessage {
                        number,
                        at,
                        owner,
                        from,
                        writer,
                        rank,
                        spoken,
                    })
                })
                .boxed()
        }
        Import::Act(_) => (any::<u64>(), time(), line(), line())
            .prop_map(|(number, at, by, deed)| {
                let (account, room, whom, reason) =
                    (by.clone(), deed.clone(), by.clone(), deed.clone());
                Import::Act(PastAct { number, at, by, account, room, deed, whom, reason })
            })
            .boxed(),
        Import::Log(_) => (any::<u64>(), vec((room(), any::<u64>()), 0..5))
            .prop_map(|(number, ends)| Import::Log(PastLog { number, name: "log".into(), ends }))
            .boxed(),
        Import::Lines(_) => (room(), any::<u64>(), line(), option::of(name()), lines(), time())
            .prop_map(|(room, first, name, owner, lines, at)| {
                let (times, lines) = (vec![at; lines.len()], lines.into());
                Import::Lines(ImportedLines { room, first, name, owner, times, lines })
            })
            .boxed(),
        Import::Keeper { .. }
        | Import::Maker { .. }
        | Import::Rules { .. }
        | Import::Marker { .. }
        | Import::LastMessage(_)
        | Import::Complete => Just(import.clone()).boxed(),
    };
    any.prop_map(intent).boxed()
}
