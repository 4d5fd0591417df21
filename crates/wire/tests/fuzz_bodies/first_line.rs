//! For any bytes: each request is noticed, no sentence counts as one, and editing keys leave no
//! control characters.

use parlor_core::link::{Decoder, Input};
use parlor_core::model::apply_keys;
use parlor_wire::first_line::{Foreign, Watch, http_refusal};
use parlor_wire::lines::{LineDecoder, LineInput};
use parlor_wire::style::LineMode;

/// The bytes are the first line, and also a part of requests and of a sentence.
pub(crate) fn run(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        Watch::default().line(line, true);
        Watch::default().unfinished(line);
    }
    let word: String =
        data.iter().filter(|b| b.is_ascii_graphic()).map(|b| char::from(*b)).collect();
    let token = word.replace(|c: char| "\"(),/:;<=>?@[\\]{}".contains(c), "");
    for (request, foreign) in [
        (format!("M{token} / HTTP/1.1"), Foreign::Http),
        (format!("M{token} /{word} http/1.0"), Foreign::Http),
        (format!("GET http://{word} HTTP/1.1"), Foreign::Http),
        (format!("Host:{word}"), Foreign::Http),
        (format!("M{token} sip:{word} SIP/2.0"), Foreign::Other),
        (format!("EHLO {word}.example"), Foreign::Other),
    ] {
        let seen = Watch::default().line(request.as_bytes(), false);
        assert_eq!(seen, Some(foreign), "{request}");
        is_refused(request.as_bytes(), data.len() % 7 + 1);
    }
    let sentence = format!("Well, {}", word.replace("HTTP/", ""));
    assert_eq!(Watch::default().line(sentence.as_bytes(), true), None);
    edits(data);
    let refusal = http_refusal(&String::from_utf8_lossy(data));
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
}

/// A client that sends a request in any pieces is refused in both modes.
fn is_refused(request: &[u8], piece: usize) {
    let request = [request, b"\r\n\r\nhello\r\n"].concat();
    for mode in [LineMode::Classic, LineMode::Named] {
        let mut decoder = LineDecoder::new(mode);
        let mut inputs = request.chunks(piece).flat_map(|mut piece| {
            let next = || decoder.next(&mut piece);
            std::iter::from_fn(next).collect::<Vec<_>>()
        });
        assert!(matches!(inputs.next(), Some(Input::Farewell(_))));
    }
    let mut decoder = LineDecoder::new(LineMode::Named);
    let heard = decoder.hear_name(&mut &request[..]);
    assert!(matches!(heard, Some(LineInput::Farewell(_))));
}

fn edits(data: &[u8]) {
    let applied = apply_keys(data);
    assert!(applied.len() <= 3 * data.len());
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    assert!(!applied.iter().any(is_control));
    assert_eq!(apply_keys(&applied), applied, "once is enough");
}
