//! Properties over random bytes, most of them with a meaning. Named cases are beside the code.

#[allow(dead_code, reason = "it needs some of the bodies")]
mod fuzz_bodies;

use parlor_wire::framer::{Frame, Framer};
use parlor_wire::telnet::{ANSWERS_MAX, IAC};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use fuzz_bodies::framer::frames;
use fuzz_bodies::{first_line, forwarded, framer, keys, lines, reference, telnet};

/// Bytes with a meaning for the framer, and a few without one.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let special =
        select(b"\r\n\0\xff\xff\xff\xff\xfa\xf0\xfb\xfc\xfd\xfe\xf1\x06\x01ab".as_slice());
    vec(prop_oneof![4 => special, 1 => any::<u8>()], 0..400)
}

/// Such bytes without an IAC.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let special = select(b"\r\n\0\r\nabc\xfe".as_slice());
    vec(prop_oneof![3 => special, 1 => 0..=254_u8], 0..100)
}

/// A whole telnet command.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let payload = vec(prop_oneof![select(b"\n\r\0\xf0\xffa".as_slice()), any::<u8>()], 0..100);
    prop_oneof![
        (236..=249_u8).prop_map(|command| vec![IAC, command]),
        (251..=254_u8, any::<u8>()).prop_map(|(verb, option)| vec![IAC, verb, option]),
        payload.prop_map(|payload| {
            let escaped = payload.iter().flat_map(|&byte| vec![byte; 1 + usize::from(byte == IAC)]);
            [IAC, 250].into_iter().chain(escaped).chain([IAC, 240]).collect()
        }),
    ]
}

/// Parts of what a terminal sends, whole or not.
fn typed_bytes() -> impl Strategy<Value = Vec<u8>> {
    let sequence =
        select(vec!["\x1b", "\x1b[", "\x1bO", "\x1b[1;5", "\x1b[200~", "\x1b[201~", "\x1b[3~"]);
    let part = prop_oneof![
        sequence.prop_map(|sequence| sequence.as_bytes().to_vec()),
        select(b"\r\n\x7f\x01ABDO~[;\xe6\x97\xa5".as_slice()).prop_map(|byte| vec![byte]),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        vec(any::<u8>(), 0..20),
    ];
    vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// `bytes` cut at these places.
fn cut<'a>(bytes: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(max in 0..40_usize, bytes in bytes(), places in vec(any::<Index>(), 0..20)) {
        let expected = reference::frames(max, &bytes);
        prop_assert_eq!(&frames(max, [&bytes[..]]), &expected);
        prop_assert_eq!(&frames(max, cut(&bytes, &places)), &expected);
        prop_assert_eq!(&frames(max, bytes.chunks(1)), &expected);
    }

    #[test]
    fn without_an_iac_it_is_a_split_at_newlines(max in 0..40_usize, text in text(), places in vec(any::<Index>(), 0..9)) {
        prop_assert_eq!(frames(max, cut(&text, &places)), reference::lines(max, &text));
    }

    #[test]
    fn commands_leave_the_text_unchanged(max in 0..40_usize, parts in vec((text(), command()), 0..9)) {
        let (said, commands): (Vec<_>, Vec<_>) = parts.iter().cloned().unzip();
        let sent: Vec<u8> = said.iter().zip(&commands).flat_map(|(a, b)| [&a[..], b].concat()).collect();
        let mut shown = frames(max, [&sent[..]]);
        shown.retain(|frame| !matches!(frame, Frame::Reply(_)));
        prop_assert_eq!(shown, reference::lines(max, &said.concat()));
    }

    #[test]
    fn framer_holds_for_any_bytes(bytes in bytes()) {
        framer::run(&bytes);
    }

    #[test]
    fn telnet_holds_for_any_bytes(bytes in bytes()) {
        telnet::run(&bytes);
    }

    #[test]
    fn any_split_gives_the_same_keys(bytes in typed_bytes(), places in vec(any::<Index>(), 0..20)) {
        prop_assert_eq!(keys::keys(cut(&bytes, &places)), keys::keys([&bytes[..]]));
    }

    #[test]
    fn keys_hold_for_any_bytes(bytes in typed_bytes()) {
        keys::run(&bytes);
    }

    #[test]
    fn forwarded_holds_for_any_fields(text in "((for|by|proto|x)=|[0-9a-f.:]{1,9}|[\n;,=\" \\\\a-z\\[\\]]{0,3}|\\PC){0,12}") {
        forwarded::run(text.as_bytes());
    }

    #[test]
    fn first_line_holds_for_any_bytes(bytes in vec(prop_oneof![32..127_u8, any::<u8>()], 0..100)) {
        first_line::run(&bytes);
    }

    #[test]
    fn first_line_holds_for_near_requests(line in "[GHo]{0,3} {0,2}[/*a:]{0,3} {0,2}(HTTP/)?[0-9.x]{0,3}[ \r]?") {
        first_line::run(line.as_bytes());
    }
}

#[test]
fn an_endless_line_takes_no_memory() {
    let bytes = vec![b'a'; 64 << 10];
    let mut framer = Framer::new(4096);
    let mut told = 0;
    for _ in 0..256 {
        let mut input = &bytes[..];
        while let Some(frame) = framer.next(&mut input) {
            assert_eq!(frame, Frame::TooLong);
            told += 1;
        }
        assert!(framer.tail().is_empty());
    }
    assert_eq!((told, framer.finish()), (1, None));
}

#[test]
fn a_negotiation_loop_ends() {
    let mut framer = Framer::new(4096);
    let mut answers = 0;
    for round in 0..1_000_000_u32 {
        let option = round.to_le_bytes()[1];
        let bytes = [IAC, 251, option, IAC, 253, option];
        let mut input = &bytes[..];
        while let Some(frame) = framer.next(&mut input) {
            assert!(matches!(frame, Frame::Reply(_)));
            answers += 1;
        }
    }
    assert_eq!((answers, framer.tail()), (ANSWERS_MAX, &b""[..]));
}

#[test]
fn a_client_of_another_protocol_gets_one_farewell() {
    for bytes in [&b"\x16\x03"[..], b"hi\nSSH-2.0-x", b"GET / HTTP/1.1\r\nHost: x\r\n"] {
        lines::run(bytes); // it ends, whether or not the line has
    }
}

/// The beginning of a command, and then anything.
fn typed() -> impl Strategy<Value = Vec<u8>> {
    let start = select(vec![
        "",
        "/",
        "//",
        "/me ",
        "/msg bob ",
        "/quit ",
        "/topic ",
        "/name ",
        "/join ",
        "/last ",
        "/since ",
    ]);
    let rest = prop_oneof![any::<String>().prop_map(String::into_bytes), vec(any::<u8>(), 0..60)];
    let line = (start, rest).prop_map(|(start, rest)| [start.as_bytes(), &rest, b"\n"].concat());
    vec(line, 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn anything_typed_is_shown_as_whole_lines_of_text(typed in typed()) {
        lines::run(&typed);
    }
}
