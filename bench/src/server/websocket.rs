//! WebSockets (RFC 6455) and the JSON in them, as far as a client of Parlor needs them. Knows no
//! socket.

use std::net::SocketAddr;

/// The end of the server's answer to [`request`]; frames follow.
pub(crate) const HEAD_END: &[u8] = b"\r\n\r\n";

/// The beginning of that answer if the server agrees.
pub(crate) const SWITCHED: &[u8] = b"HTTP/1.1 101 ";

/// A part of the message that confirms that a client has entered a room ...
pub(crate) const ENTERED: &[u8] = br#""kind":"entered""#;

/// ... and of the message that refuses it.
pub(crate) const REFUSED: &[u8] = br#""kind":"refused""#;

/// A pong without a payload. It does not answer a ping that has one, but it shows that the client
/// is alive.
pub(crate) const PONG: [u8; 6] = [FINAL | 0xA, MASKED, 0, 0, 0, 0];

/// The frame with which the server finds out whether a silent client still exists.
const PING: u8 = FINAL | 0x9;

const TEXT: u8 = FINAL | 0x1;

/// The frame is a whole message.
const FINAL: u8 = 0x80;

/// Clients must mask their frames. With zeros as the key the bytes do not change.
const MASKED: u8 = 0x80;

/// The length of a longer payload follows in two more bytes.
const SHORT_BYTES_MAX: usize = 125;

/// The request for a WebSocket. The key has the required 16 bytes; the load does not check the
/// server's answer to it.
pub(crate) fn request(address: SocketAddr) -> String {
    format!(
        "GET /-/socket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGFybG9yLWJlbmNoLWtleQ==\r\n\r\n"
    )
}

/// Appends the message that enters the first room under this name. The server then sends as many of
/// the last lines as to a client of the door for lines.
pub(crate) fn enter(name: &str, out: &mut Vec<u8>) {
    write_text(&[br#"{"do":"enter","name":""#, name.as_bytes(), br#""}"#], out);
}

/// Appends the message that says this in the first room. The text has neither quotes nor
/// backslashes.
pub(crate) fn say(text: &[u8], out: &mut Vec<u8>) {
    write_text(&[br#"{"do":"say","room":"lobby","text":""#, text, br#""}"#], out);
}

/// Appends one message of at most 65,535 bytes, which consists of these pieces.
fn write_text(pieces: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.push(TEXT);
    if length <= SHORT_BYTES_MAX {
        out.push(MASKED | length as u8);
    } else {
        out.push(MASKED | 126);
        out.extend_from_slice(&(length as u16).to_be_bytes());
    }
    out.extend_from_slice(&[0; 4]);
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
}

/// Whether these frames may contain a ping. This is a search instead of a parse: the load sends no
/// text with this byte, and after a length with this byte an object follows.
pub(crate) fn is_pinged(bytes: &[u8]) -> bool {
    memchr::memchr_iter(PING, bytes).any(|place| bytes.get(place + 1) != Some(&b'{'))
}

/// The payload of the first of these frames, and the bytes after it; None if the frame is not
/// complete.
pub(crate) fn first_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match bytes {
        [_, length @ 0..=125, rest @ ..] => (usize::from(*length), rest),
        [_, 126, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [_, 127, rest @ ..] => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length) as usize, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    /// The payload as the server reads it.
    fn unmasked(frame: &[u8]) -> Vec<u8> {
        let (key_at, length) = match frame[1] & !MASKED {
            126 => (4, usize::from(u16::from_be_bytes([frame[2], frame[3]]))),
            length => (2, usize::from(length)),
        };
        let (key, payload) = frame[key_at..].split_at(4);
        assert_eq!(payload.len(), length);
        let key = key.iter().cycle();
        payload.iter().zip(key).map(|(byte, key)| byte ^ key).collect()
    }

    #[test]
    fn messages_of_any_length_are_masked_text() {
        let (mut enter_frame, mut say_frame) = (Vec::new(), Vec::new());
        enter("guest7", &mut enter_frame);
        say(&[b'x'; 300], &mut say_frame);
        for frame in [&enter_frame, &say_frame] {
            assert_eq!(frame[0], 0x81, "a complete text");
            assert_eq!(frame[1] & 0x80, 0x80, "masked");
        }
        assert_eq!(unmasked(&enter_frame), br#"{"do":"enter","name":"guest7"}"#);
        let said = format!(r#"{{"do":"say","room":"lobby","text":"{}"}}"#, "x".repeat(300));
        assert_eq!(unmasked(&say_frame), said.as_bytes());
        for length in [125, 126, 127, 65_535] {
            let mut frame = Vec::new();
            write_text(&[&vec![b'x'; length]], &mut frame);
            assert_eq!(unmasked(&frame).len(), length);
        }
    }

    #[test]
    fn request_names_host_and_has_end() {
        let request = request(SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert!(request.starts_with("GET /-/socket HTTP/1.1\r\n"));
        assert!(request.contains("\r\nHost: 127.0.0.1:8080\r\n"));
        assert!(request.as_bytes().ends_with(HEAD_END));
    }

    #[test]
    fn frames_are_split_at_their_ends() {
        let mut bytes = vec![0x81, 2, b'a', b'b', 0x81, 126, 1, 0];
        bytes.extend([b'c'; 256]);
        bytes.extend([0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        bytes.extend([b'd'; 65_536]);
        let (first, rest) = first_frame(&bytes).expect("it is complete");
        let (second, rest) = first_frame(rest).expect("it is complete");
        let (third, rest) = first_frame(rest).expect("it is complete");
        assert_eq!((first, second.len(), third.len()), (&b"ab"[..], 256, 65_536));
        assert!(rest.is_empty());
        for cut in [0, 1, 2, 3] {
            assert_eq!(first_frame(&bytes[..cut]), None, "{cut} bytes");
        }
        assert_eq!(first_frame(&bytes[4..7]), None, "half a length");
    }

    #[test]
    fn ping_is_found_in_any_place() {
        let line = br#"~{"kind":"line"}"#;
        let frame = [&[0x81, 16], &line[..]].concat();
        for ping in [&[PING, 0][..], &[PING, 3, b'n', b'o', b'w']] {
            assert!(is_pinged(&[&frame, ping, &frame].concat()));
            assert!(is_pinged(&[&frame, &ping[..1]].concat()), "split behind it");
        }
        assert!(!is_pinged(&frame));
        let long = [&[0x81, 126, 0, 0x89], &br#"{"kind":"line"}"#[..]].concat();
        assert!(!is_pinged(&long), "a length of 137 bytes is no ping");
    }
}
