//! Frames of RFC 6455 are read, refused with a code, and written.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[allow(dead_code, reason = "it needs one of the bodies")]
mod fuzz_bodies;

use parlor_wire::websocket::{
    CloseCode, FrameReader, MESSAGE_BYTES_MAX, Opcode, Received, close, frame,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use fuzz_bodies::websocket::{self, parse_frame, received};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const TEXT: u8 = 0x81;
const FIRST_TEXT: u8 = 0x01;
const MIDDLE: u8 = 0x00;
const LAST: u8 = 0x80;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// The number of bytes that the length of a payload takes.
#[derive(Clone, Copy, Debug)]
enum Length {
    None,
    Two,
    Eight,
}

fn shortest(payload: &[u8]) -> Length {
    match payload.len() {
        0..126 => Length::None,
        126..65_536 => Length::Two,
        _ => Length::Eight,
    }
}

fn header(first: u8, length: Length, bytes: u64) -> Vec<u8> {
    let mut out = vec![first];
    match length {
        Length::None => out.push(0x80 | bytes as u8),
        Length::Two => {
            out.push(0x80 | 126);
            out.extend((bytes as u16).to_be_bytes());
        }
        Length::Eight => {
            out.push(0x80 | 127);
            out.extend(bytes.to_be_bytes());
        }
    }
    out.extend(MASK);
    out
}

fn sent_as(first: u8, length: Length, payload: &[u8]) -> Vec<u8> {
    let mut out = header(first, length, payload.len() as u64);
    let masked = payload.iter().zip(MASK.iter().cycle());
    out.extend(masked.map(|(byte, mask)| byte ^ mask));
    out
}

/// A valid frame of a client.
fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
    sent_as(first, shortest(payload), payload)
}

fn all(frames: &[Vec<u8>]) -> Vec<Received> {
    received([frames.concat().as_slice()])
}

fn text(text: &str) -> Received {
    Received::Text(text.to_owned())
}

fn over(code: CloseCode) -> Received {
    Received::Over(code)
}

#[test]
fn messages_of_every_length_up_to_the_largest_are_read() {
    for length in [0, 1, 125, 126, 127, MESSAGE_BYTES_MAX - 1, MESSAGE_BYTES_MAX] {
        let long = "x".repeat(length);
        assert_eq!(all(&[sent(TEXT, long.as_bytes())]), [text(&long)], "{length}");
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_by_its_header() {
    for length in [MESSAGE_BYTES_MAX as u64 + 1, 65_535, 65_536, 1 << 40, (1 << 63) - 1] {
        let form = if length < 65_536 { Length::Two } else { Length::Eight };
        let begun = header(TEXT, form, length);
        assert_eq!(all(&[begun]), [over(CloseCode::TOO_LARGE)], "{length}");
    }
}

#[test]
fn a_length_of_64_bits_has_no_highest_bit() {
    for length in [1 << 63, u64::MAX] {
        let begun = header(TEXT, Length::Eight, length);
        assert_eq!(all(&[begun]), [over(CloseCode::PROTOCOL)]);
    }
}

#[test]
fn a_length_takes_as_few_bytes_as_possible() {
    for (form, length) in [
        (Length::Two, 0),
        (Length::Two, 125),
        (Length::Eight, 0),
        (Length::Eight, 126),
        (Length::Eight, 65_535),
    ] {
        let begun = header(TEXT, form, length);
        assert_eq!(all(&[begun]), [over(CloseCode::PROTOCOL)], "{form:?} {length}");
    }
}

#[test]
fn a_mask_continues_over_pieces_of_any_size() {
    let bytes = sent(TEXT, "grüße und küsse".as_bytes());
    for piece in 1..bytes.len() {
        assert_eq!(received(bytes.chunks(piece)), [text("grüße und küsse")]);
    }
}

#[test]
fn a_frame_without_a_mask_ends_the_connection() {
    let mut bare = Vec::new();
    frame(Opcode::Text, &mut bare, |out| out.extend(b"hi"));
    assert_eq!(all(&[bare]), [over(CloseCode::PROTOCOL)]);
}

#[test]
fn reserved_bits_end_the_connection() {
    for bit in [0x40, 0x20, 0x10] {
        for first in [TEXT, PING, CLOSE] {
            assert_eq!(all(&[sent(first | bit, b"")]), [over(CloseCode::PROTOCOL)]);
        }
    }
}

#[test]
fn reserved_opcodes_end_the_connection() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(all(&[sent(0x80 | opcode, b"")]), [over(CloseCode::PROTOCOL)]);
    }
}

#[test]
fn binary_messages_have_no_meaning() {
    assert_eq!(all(&[sent(BINARY, b"hi")]), [over(CloseCode::NO_TEXT)]);
    assert_eq!(all(&[sent(0x02, b"hi")]), [over(CloseCode::NO_TEXT)]);
}

#[test]
fn a_message_in_fragments_is_one_with_control_frames_between_them() {
    let frames = [
        sent(FIRST_TEXT, b"on"),
        sent(PING, b"there?"),
        sent(MIDDLE, b""),
        sent(MIDDLE, b"e t"),
        sent(PONG, b""),
        sent(LAST, b"wo"),
        sent(TEXT, b"three"),
    ];
    let ping = Received::Ping(b"there?".to_vec());
    assert_eq!(all(&frames), [ping, Received::Pong, text("one two"), text("three")]);
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    let [a, b] = ["ü".as_bytes()[..1].to_vec(), "ü".as_bytes()[1..].to_vec()];
    assert_eq!(all(&[sent(FIRST_TEXT, &a), sent(LAST, &b)]), [text("ü")]);
    assert_eq!(all(&[sent(FIRST_TEXT, &a), sent(LAST, &a)]), [over(CloseCode::NO_UTF8)]);
}

#[test]
fn empty_fragments_make_an_empty_message() {
    assert_eq!(all(&[sent(FIRST_TEXT, b""), sent(LAST, b"")]), [text("")]);
}

#[test]
fn a_continuation_needs_a_beginning() {
    for first in [MIDDLE, LAST] {
        assert_eq!(all(&[sent(first, b"x")]), [over(CloseCode::PROTOCOL)]);
        let behind = [sent(TEXT, b"whole"), sent(first, b"x")];
        assert_eq!(all(&behind), [text("whole"), over(CloseCode::PROTOCOL)]);
    }
}

#[test]
fn no_message_begins_within_another() {
    for first in [TEXT, FIRST_TEXT, BINARY] {
        let frames = [sent(FIRST_TEXT, b""), sent(first, b"x")];
        assert_eq!(all(&frames), [over(CloseCode::PROTOCOL)]);
    }
}

#[test]
fn control_frames_are_whole_and_short() {
    for first in [CLOSE, PING, PONG] {
        assert_eq!(all(&[sent(first & 0x0f, b"")]), [over(CloseCode::PROTOCOL)]);
        assert_eq!(all(&[sent(first, &[b'x'; 126])]), [over(CloseCode::PROTOCOL)]);
    }
    let most = [b'x'; 125];
    assert_eq!(all(&[sent(PING, &most)]), [Received::Ping(most.to_vec())]);
    assert_eq!(all(&[sent(PONG, &most)]), [Received::Pong]);
}

#[test]
fn fragments_together_are_no_larger_than_a_message() {
    let half = vec![b'x'; MESSAGE_BYTES_MAX / 2];
    let whole = "x".repeat(MESSAGE_BYTES_MAX);
    let begun = [sent(FIRST_TEXT, &half), sent(MIDDLE, &half)].concat();
    assert_eq!(all(&[begun.clone(), sent(LAST, b"")]), [text(&whole)]);
    assert_eq!(all(&[begun, sent(MIDDLE, b"x")]), [over(CloseCode::TOO_LARGE)]);
}

#[test]
fn text_must_be_utf_8() {
    for bad in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"] {
        assert_eq!(all(&[sent(TEXT, bad)]), [over(CloseCode::NO_UTF8)], "{bad:?}");
    }
}

fn closed(code: u16, reason: &[u8]) -> Vec<Received> {
    all(&[sent(CLOSE, &[&code.to_be_bytes()[..], reason].concat())])
}

#[test]
fn a_close_frame_is_answered_with_its_code() {
    assert_eq!(all(&[sent(CLOSE, b"")]), [over(CloseCode::NORMAL)]);
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4001, 4999] {
        assert_eq!(closed(code, b""), [over(CloseCode(code))]);
        assert_eq!(closed(code, "tschüß".as_bytes()), [over(CloseCode(code))]);
    }
}

#[test]
fn a_code_that_nobody_may_send_is_an_error() {
    assert_eq!(all(&[sent(CLOSE, b"\x03")]), [over(CloseCode::PROTOCOL)]);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        assert_eq!(closed(code, b""), [over(CloseCode::PROTOCOL)], "{code}");
    }
}

#[test]
fn a_reason_is_text() {
    assert_eq!(closed(1000, b"\xff"), [over(CloseCode::NO_UTF8)]);
}

#[test]
fn nothing_comes_after_the_end() {
    for end in [sent(CLOSE, b""), sent(BINARY, b""), sent(TEXT, b"\xff"), vec![0xff, 0x80]] {
        let mut reader = FrameReader::default();
        let bytes = [end, sent(TEXT, b"late")].concat();
        let mut rest = bytes.as_slice();
        assert!(matches!(reader.next(&mut rest), Some(Received::Over(_))));
        assert_eq!((reader.next(&mut rest), rest.len()), (None, 0));
        let later = sent(PING, b"");
        let mut rest = later.as_slice();
        assert_eq!((reader.next(&mut rest), rest.len()), (None, 0));
    }
}

#[test]
fn a_close_frame_holds_its_code() {
    assert_eq!(close(CloseCode::GOING_AWAY), [CLOSE, 2, 0x03, 0xe9]);
}

#[test]
fn a_frame_is_appended() {
    for length in [0, 125, 126, 65_535, 65_536] {
        let payload = vec![b'x'; length];
        let mut out = b"before".to_vec();
        frame(Opcode::Text, &mut out, |out| out.extend(&payload));
        let written = out.strip_prefix(b"before").unwrap();
        assert_eq!(parse_frame(written), Some((TEXT, payload.as_slice(), &b""[..])));
    }
}

/// Frames of all kinds, some of them wrong.
fn some_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => select(vec![TEXT, FIRST_TEXT, MIDDLE, LAST, PING, PONG]),
        1 => select(vec![CLOSE, BINARY]),
        1 => any::<u8>(),
    ];
    let payload =
        prop_oneof![any::<String>().prop_map(String::into_bytes), vec(any::<u8>(), 0..200),];
    let form = select(vec![None, None, None, None, Some(Length::Two), Some(Length::Eight)]);
    (first, payload, form).prop_map(|(first, payload, form)| {
        sent_as(first, form.unwrap_or(shortest(&payload)), &payload)
    })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let garbage = vec(any::<u8>(), 0..20);
    (vec(some_frame(), 0..8), garbage).prop_map(|(frames, garbage)| {
        let mut bytes = frames.concat();
        bytes.extend(garbage);
        bytes
    })
}

proptest! {
    #[test]
    fn any_split_gives_the_same(bytes in stream(), places in vec(any::<Index>(), 0..20)) {
        let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(received(pieces), received([bytes.as_slice()]));
    }

    #[test]
    fn it_holds_for_any_bytes(bytes in stream(), piece in any::<u8>()) {
        websocket::run(&[&[piece][..], &bytes].concat());
    }

    #[test]
    fn a_written_frame_is_read_back(payload in vec(any::<u8>(), 0..400)) {
        let mut out = Vec::new();
        frame(Opcode::Ping, &mut out, |out| out.extend(&payload));
        prop_assert_eq!(parse_frame(&out), Some((PING, payload.as_slice(), &b""[..])));
    }
}
