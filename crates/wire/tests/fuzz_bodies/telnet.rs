//! For any bytes: only refusals, a limited number of them, and no part of a command in the text.

use parlor_wire::framer::Frame;
use parlor_wire::telnet::{ANSWERS_MAX, IAC, SUBNEGOTIATION_BYTES_MAX, Telnet, TelnetEvent};

use super::{framer, reference};

/// The bytes are all bytes of the peer, and also the payload of a subnegotiation.
pub(crate) fn run(data: &[u8]) {
    let mut telnet = Telnet::default();
    let heard: Vec<TelnetEvent> = data.iter().map(|byte| telnet.hear(*byte)).collect();
    let answers = heard.iter().filter_map(|heard| match heard {
        TelnetEvent::Answer(bytes) => Some(bytes),
        _ => None,
    });
    assert!(answers.clone().count() <= ANSWERS_MAX);
    for answer in answers {
        assert!(matches!(answer, [IAC, 252 | 254, _]));
    }
    let told = heard.into_iter().filter(|heard| *heard != TelnetEvent::Nothing);
    assert_eq!(told.collect::<Vec<_>>(), reference::heard(data));
    payload_stays_hidden(data);
}

fn payload_stays_hidden(payload: &[u8]) {
    let mut bytes = b"before \xff\xfa".to_vec();
    for byte in payload {
        let escaped = [*byte; 2];
        bytes.extend(if *byte == IAC { &escaped[..] } else { &escaped[1..] });
    }
    let within = payload.len() <= usize::from(SUBNEGOTIATION_BYTES_MAX);
    bytes.extend(b"\xff\xf0after\n");
    let frames = framer::frames(64, [&bytes[..]]);
    if within {
        assert_eq!(frames, [Frame::Line(b"before after".into())]);
    } else {
        assert_eq!(frames.first(), Some(&Frame::TooLong));
    }
}
