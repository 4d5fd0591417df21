//! Questions between nodes, and answers, as bytes: they come back as they were, nodes of the version
//! before understand messages, and no bytes do harm.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "fuzz_bodies/carried.rs"]
mod fuzz_body;
#[allow(dead_code, reason = "no test binary needs all of it")]
mod samples;

use std::net::SocketAddr;
use std::time::Duration;

use parlor_core::link::{CarriedMessage, ConnectionFacts, NodeAnswer, NodeQuestion};
use parlor_core::model::{Line, Manner, Name, PersonId, RoomName, Spoken, Who};
use parlor_wire::pack::UnpackError;
use parlor_wire::pack::carried::{pack, pack_answer, unpack, unpack_answer};
use proptest::prelude::*;

use samples::{from_hex, hex};

fn message(invitation: Option<RoomName>) -> NodeQuestion {
    let name = |typed| Name::parse(typed).unwrap();
    let from = Who { id: PersonId::new(7), name: name("alice"), account: None, profile: None };
    let lines = vec![Spoken::new(Manner::Plain, Line::sanitise(b"psst"))];
    let (to, is_for_programs) = (name("bob"), false);
    let message = CarriedMessage { after: 300, from, to, invitation, lines, is_for_programs };
    NodeQuestion::Message(message)
}

/// A sample of each question.
fn questions() -> Vec<NodeQuestion> {
    let room = RoomName::parse("tea").unwrap();
    let person = PersonId::new(3 << 40 | 1_000);
    vec![
        message(None),
        message(Some(room.clone())),
        NodeQuestion::Reading { person, room },
        NodeQuestion::Connections { after: 300, people: vec![person, PersonId::new(0)] },
    ]
}

fn facts(address: Option<&str>) -> ConnectionFacts {
    let address = address.map(|address| address.parse::<SocketAddr>().unwrap());
    ConnectionFacts { address, silent: Duration::new(61, 5) }
}

/// A sample of each answer.
fn answers() -> Vec<NodeAnswer> {
    let all = [Some("192.0.2.7:50000"), Some("[2001:db8::ff]:1"), None];
    let all = all.map(|address| Some(facts(address))).into_iter().chain([None]).collect();
    vec![
        NodeAnswer::IsRead(true),
        NodeAnswer::IsRead(false),
        NodeAnswer::ReadTo(None),
        NodeAnswer::ReadTo(Some(300)),
        NodeAnswer::Connections(all),
    ]
}

/// The bytes of all samples.
fn packed() -> Vec<Vec<u8>> {
    let questions = questions().into_iter().map(|question| pack(&question).unwrap());
    questions.chain(answers().iter().map(|answer| pack_answer(answer).unwrap())).collect()
}

#[test]
fn stored_bytes_are_read_and_written() {
    let stored = include_str!("samples/carried.txt");
    let written: String = packed().iter().map(|bytes| hex(bytes) + "\n").collect();
    assert_eq!(written, stored, "a change needs a new format");
    let mut stored = stored.lines().map(from_hex);
    for question in questions() {
        let back = unpack(&stored.next().unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{question:?}"));
    }
    for answer in answers() {
        assert_eq!(unpack_answer(&stored.next().unwrap()), Ok(answer));
    }
}

#[test]
fn no_part_and_no_changed_bit_does_harm() {
    for mut bytes in packed() {
        for length in 0..bytes.len() {
            assert!(unpack(&bytes[..length]).is_err() && unpack_answer(&bytes[..length]).is_err());
        }
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            fuzz_body::run(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_newer_question_is_named_and_a_message_has_its_own_format() {
    assert_eq!(unpack(&[3, 0]).unwrap_err(), UnpackError::NewerFormat(3));
    assert_eq!(unpack_answer(&[2, 0]), Err(UnpackError::NewerFormat(2)));
    let mut bytes = pack(&message(None)).unwrap();
    bytes.splice(..1, [2, 0]);
    assert_eq!(unpack(&bytes).unwrap_err(), UnpackError::Malformed("a message has format 1"));
    assert_eq!(unpack_answer(&[1, 0, 1]), Err(UnpackError::Malformed("this answer is one byte")));
}

#[test]
fn the_facts_of_a_connection_take_few_bytes() {
    let longest = ConnectionFacts {
        address: Some(SocketAddr::from(([0xffff; 8], u16::MAX))),
        silent: Duration::MAX,
    };
    let answer = NodeAnswer::Connections(vec![Some(longest); 1_000]);
    assert!(pack_answer(&answer).unwrap().len() < 64 * 1_000, "a page fits into half of a payload");
    let people = vec![PersonId::new(u64::MAX); 1_000];
    let question = NodeQuestion::Connections { after: u64::MAX, people };
    assert!(pack(&question).unwrap().len() < 64 * 1_000);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
        fuzz_body::run(&bytes);
    }
}
