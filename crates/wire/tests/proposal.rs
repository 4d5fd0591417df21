//! Proposals as bytes: they come back as they were, and no bytes do harm.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "fuzz_bodies/proposal.rs"]
mod fuzz_body;
mod samples;

use std::collections::BTreeSet;

use parlor_core::intent::{Check, Intent, Proposal, ProposalId};
use parlor_core::model::{
    Format, Line, Manner, Name, PersonId, RoomName, Seal, SealKey, Spoken, WallTime,
};
use parlor_wire::pack::proposal::{self, BYTES_MAX, INTENTS_MAX};
use parlor_wire::pack::sealed::{open, seal};
use parlor_wire::pack::{NEWEST, PackError, UnpackError};
use proptest::prelude::*;
use proptest::sample::Index;

use samples::{TestCipher, any_proposal, from_hex, hex, intents, seal_with, sealed, set_seal};

/// The first bytes of a proposal with one intent: the format, the boot, the number, the position,
/// the check, and the length of the list.
const HEAD: [u8; 7] = [Format::FIRST.0 as u8, 0, 7, 5, 4, 9, 1];

/// The bytes of a proposal, for this program.
fn pack(proposal: &Proposal) -> Result<Vec<u8>, PackError> {
    proposal::pack(proposal, NEWEST)
}

/// The proposal in these bytes, for this program.
fn unpack(bytes: &[u8]) -> Result<Proposal, UnpackError> {
    proposal::unpack(bytes, NEWEST)
}

fn proposal(intents: Vec<Intent>) -> Proposal {
    let check = Check { position: 4, digest: 9 };
    let id = ProposalId { boot: 0, number: 7 };
    Proposal { format: Format::FIRST, id, after: 5, check, intents }
}

/// Each sample with its name and its bytes.
fn packed_samples() -> impl Iterator<Item = (&'static str, Proposal, Vec<u8>)> {
    let check = Check { position: u64::MAX, digest: u64::MAX };
    let id = ProposalId { boot: u32::MAX, number: u64::MAX };
    let format = Format::FIRST;
    let none = Proposal { format, id, after: u64::MAX, check, intents: Vec::new() };
    let samples = intents().into_iter().map(|(name, intent)| (name, proposal(vec![intent])));
    samples.chain([("nothing", none)]).map(|(name, sample)| {
        let bytes = pack(&sample).unwrap();
        (name, sample, bytes)
    })
}

/// The result for these bytes after [`HEAD`].
fn unpack_intent(bytes: &[u8]) -> Result<Proposal, UnpackError> {
    unpack(&[&HEAD, bytes].concat())
}

fn malformed(rule: &'static str) -> UnpackError {
    UnpackError::Malformed(rule)
}

/// People say these lines, one intent each.
fn said(texts: &[&str]) -> Proposal {
    let say = |text: &&str| Intent::Say {
        person: PersonId::new(1_000),
        room: RoomName::lobby(),
        lines: vec![Spoken::new(Manner::Plain, Line::sanitise(text.as_bytes()))].into(),
    };
    proposal(texts.iter().map(say).collect())
}

#[test]
fn stored_bytes_of_format_1_are_read_and_written() {
    let stored = include_str!("samples/proposal-1.txt");
    let rows = packed_samples().map(|(name, _, bytes)| format!("{name} {}\n", hex(&bytes)));
    assert_eq!(rows.collect::<String>(), stored, "a change needs a new format");
    for ((_, sample, _), row) in packed_samples().zip(stored.lines()) {
        let bytes = from_hex(row.split_once(' ').unwrap().1);
        assert_eq!(format!("{:?}", unpack(&bytes).unwrap()), format!("{sample:?}"));
    }
}

#[test]
fn there_is_a_sample_of_each_intent() {
    let is_known = |number: &u8| {
        let unknown = UnpackError::NoVariant("an intent", (*number).into());
        unpack_intent(&[*number]).err() != Some(unknown)
    };
    let numbers =
        intents().into_iter().map(|(_, intent)| pack(&proposal(vec![intent])).unwrap()[HEAD.len()]);
    assert_eq!((0..0x80).filter(is_known).collect::<BTreeSet<_>>(), numbers.collect());
}

#[test]
fn no_part_of_a_proposal_is_a_proposal() {
    for (name, _, bytes) in packed_samples() {
        for length in 0..bytes.len() {
            let part = unpack(&bytes[..length]);
            assert_eq!(part.unwrap_err(), malformed("the bytes end too early"), "{name} {length}");
        }
        let more = unpack(&[&bytes[..], &[0]].concat());
        assert_eq!(more.unwrap_err(), malformed("bytes are left over"), "{name}");
    }
}

#[test]
fn no_changed_bit_does_harm() {
    for (_, _, mut bytes) in packed_samples() {
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            fuzz_body::run(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn an_unknown_format_or_intent_is_named() {
    let newer = unpack(&[0xac, 0x02, 0, 0, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(newer, UnpackError::NewerFormat(300));
    assert!(newer.to_string().contains("300"), "{newer}");
    assert_eq!(unpack(&[0, 0, 0, 0]).unwrap_err(), malformed("formats are counted from 1"));
    let unknown = unpack_intent(&[99]).unwrap_err();
    assert_eq!(unknown, UnpackError::NoVariant("an intent", 99));
    assert_eq!(unknown.to_string(), "an intent has no variant 99");
}

#[test]
fn a_program_reads_and_writes_all_formats_up_to_its_newest() {
    let newest = Format(3);
    for format in 1..=3 {
        let proposal = Proposal { format: Format(format), ..proposal(vec![Intent::Alive]) };
        let bytes = proposal::pack(&proposal, newest).unwrap();
        assert_eq!(proposal::unpack(&bytes, newest).unwrap().format, Format(format));
        let older = Format(format - 1);
        assert_eq!(proposal::pack(&proposal, older), Err(PackError::NewerFormat(format)));
        let refused = proposal::unpack(&bytes, older).unwrap_err();
        assert_eq!(refused, UnpackError::NewerFormat(format));
    }
    for format in [0, 4] {
        let proposal = Proposal { format: Format(format), ..proposal(Vec::new()) };
        assert_eq!(proposal::pack(&proposal, newest), Err(PackError::NewerFormat(format)));
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]; // 2^64 - 1
    let lobby = [&[5][..], b"lobby"].concat();
    let say = [&[1, 0, 0][..], &lobby, &[0]].concat();
    let sealed = [&[1, 0, 0][..], &lobby, &[1]].concat();
    for (bytes, rule) in [
        ([&HEAD[..6], &huge].concat(), "a list is too long"),
        ([&HEAD[..6], &[0x81, 0x40]].concat(), "a list is too long"), // 8,193
        ([&HEAD[..6], &[0x80, 0x40]].concat(), "the bytes end too early"), // 8,192
        ([&HEAD[..], &[1, 0, 0], &huge].concat(), "a text is too long"),
        ([&HEAD[..], &[1, 0, 0, 0x81, 0x01]].concat(), "a text is too long"), // 129
        ([&HEAD[..], &[1, 0, 0, 0x80, 0x01]].concat(), "the bytes end too early"), // 128
        ([&HEAD[..], &say, &huge].concat(), "the bytes end too early"),
        ([&HEAD[..], &say, &[1, 0], &huge].concat(), "a text is too long"),
        ([&HEAD[..], &sealed, &huge].concat(), "the bytes end too early"),
        ([&HEAD[..], &sealed, &[1, 7], &huge].concat(), "the bytes end too early"),
        ([&HEAD[..], &sealed, &[1, 7, 0]].concat(), "a seal is empty"),
        ([&HEAD[..], &say, &[1, 0, 0x81, 0x60]].concat(), "a text is too long"), // 12,289
    ] {
        assert_eq!(unpack(&bytes).unwrap_err(), malformed(rule), "{bytes:x?}");
    }
    let oversized = vec![NEWEST.0 as u8; BYTES_MAX + 1];
    assert_eq!(unpack(&oversized).unwrap_err(), malformed("there are too many bytes"));
}

#[test]
fn each_value_has_one_form() {
    let overlong = [NEWEST.0 as u8, 0x80, 0, 7, 0, 0, 0, 0];
    assert_eq!(unpack(&overlong).unwrap_err(), malformed("a number is not as short as possible"));
    let wide = [&[NEWEST.0 as u8, 0][..], &[0xff; 9], &[0x02, 0]].concat();
    assert_eq!(unpack(&wide).unwrap_err(), malformed("a number has more than 64 bits"));
    for (intent, rule) in [
        (&[12, 1, b'a', 2, b'a', 0][..], "a key equals the text before it"),
        (&[12, 1, b'a', 2, b'b', 2, b'b'], "a key equals the text before it"),
        (&[12, 0, 0, 0], "a name is empty or has a character that no name has"),
        (&[14, 0], "a name is empty or has a character that no name has"),
        (&[14, 1, 0x1b], "a name is empty or has a character that no name has"),
        (&[14, 1, 0xff], "a text is not UTF-8"),
        (&[4, 0, 0x80, 0x80, 0x80, 0x08, 1, b'a'], "the number of a person is too large"),
    ] {
        assert_eq!(unpack_intent(intent).unwrap_err(), malformed(rule), "{intent:x?}");
    }
    let line = [&[1, 0, 0, 1, b'a', 0, 1, 0, 3][..], "\u{9b}m".as_bytes()].concat();
    let refused = unpack_intent(&line).unwrap_err();
    assert_eq!(refused, malformed("a line has a character that no line has"));
}

#[test]
fn a_proposal_has_limits() {
    let line = "x".repeat(4_096);
    assert_eq!(
        pack(&said(&[&*line; 128])),
        Err(PackError::TooLarge),
        "512 KiB of text, and the rest"
    );
    assert!(pack(&said(&[&*line; 127])).is_ok());
    assert!(pack(&said(&["x"; INTENTS_MAX])).is_ok());
    assert_eq!(pack(&said(&["x"; INTENTS_MAX + 1])), Err(PackError::TooLarge));
    let longest = "\u{fffd}".repeat(4_096);
    assert!(pack(&said(&[&longest])).is_ok());
    assert_eq!(pack(&said(&[&format!("{longest}!")])), Err(PackError::TooLarge));
}

#[test]
fn keys_travel_with_the_name() {
    let name = Name::with_keys("tea", ["first", "second"]).unwrap();
    let release = Intent::Release(name);
    let proposal = unpack(&pack(&proposal(vec![release])).unwrap()).unwrap();
    let [Intent::Release(name)] = &proposal.intents[..] else {
        panic!("{proposal:?}");
    };
    assert_eq!((name.as_str(), name.keys()), ("tea", ["first", "second"]));
}

#[test]
fn the_longest_name_fits_into_its_limits() {
    for letter in ["a", "m", "が", "長", "꽦"] {
        let name = Name::parse(&letter.repeat(32)).unwrap();
        let (since, password, by) = (WallTime(0), "".into(), PersonId::new(1));
        let intent = Intent::Register { name: name.into(), since, password, by };
        let bytes = pack(&proposal(vec![intent])).unwrap();
        assert!(unpack(&bytes).is_ok(), "{letter}");
    }
}

#[test]
fn a_post_of_one_line_takes_few_bytes_more_than_its_text() {
    let text = "x".repeat(64);
    assert_eq!(pack(&said(&[&text])).unwrap().len(), 64 + 22);
    let Proposal { mut intents, .. } = said(&[&text]);
    if let Some(Intent::Say { lines, .. }) = intents.first_mut() {
        lines.value = vec![lines.value[0].clone(); 64];
    }
    assert_eq!(pack(&proposal(intents)).unwrap().len(), 64 * 64 + 19 + 64 * 3);
}

proptest! {
    #[test]
    fn a_seal_opens_with_its_key_and_has_a_blank_without(
        (_, mut intent) in any::<Index>().prop_map(|at| at.get(&intents()).clone()),
        (key, is_there) in (1..u64::MAX, any::<bool>()),
    ) {
        prop_assume!(intent.seal().is_none());
        let original = format!("{:?}", proposal(vec![intent.clone()]));
        let mut closed = sealed(intent.clone(), key);
        let back = unpack(&pack(&proposal(vec![closed.clone()])).unwrap()).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{:?}", proposal(vec![closed.clone()])));
        if is_there {
            open(&mut closed, &TestCipher);
            set_seal(&mut closed, |_| None);
            prop_assert_eq!(format!("{:?}", proposal(vec![closed])), original);
        } else if closed.seal().is_some() {
            set_seal(&mut closed, |seal| {
                let bytes = seal.unwrap().bytes;
                Some(Box::new(Seal { key: SealKey::Number(key ^ 1), bytes }))
            });
            let before = format!("{closed:?}");
            open(&mut closed, &TestCipher);
            prop_assert_eq!(format!("{closed:?}"), before, "another key opens nothing");
            seal_with(&mut intent, SealKey::Number(0));
            prop_assert!(!seal(&mut intent, &TestCipher), "there is no such key");
            prop_assert_eq!(pack(&proposal(vec![intent])), Err(PackError::TooLarge), "it is not sealed");
        }
    }

    #[test]
    fn a_proposal_comes_back_as_it_was(proposal in any_proposal()) {
        let bytes = pack(&proposal).unwrap();
        let back = unpack(&bytes).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{proposal:?}"));
        let estimate: usize = proposal.intents.iter().map(Intent::bytes).sum();
        prop_assert!(bytes.len() <= 64 + estimate, "{} > 64 + {estimate}", bytes.len());
        prop_assert_eq!(pack(&back).unwrap(), bytes);
    }

    #[test]
    fn changed_proposals_do_no_harm(
        proposal in any_proposal(),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = pack(&proposal).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        fuzz_body::run(&bytes);
    }
}
