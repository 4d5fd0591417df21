//! WebSockets byte by byte (RFC 6455), in forms that no library would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::support::{DEADLINE, TestServer};

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const LAST: u8 = 0x80;

/// The key of the RFC's example, and its answer (section 1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

struct Raw(TcpStream);

impl Raw {
    fn connect(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Raw(stream)
    }

    /// A socket that has read the hello.
    fn open(address: SocketAddr) -> Raw {
        let mut raw = Raw::connect(address);
        raw.send(&handshake(""));
        let (head, _) = raw.head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert_eq!(raw.message()["kind"], "hello");
        raw
    }

    /// A person in the lobby.
    fn enter(address: SocketAddr, name: &str) -> Raw {
        let mut raw = Raw::open(address);
        raw.send(&masked(LAST | TEXT, format!(r#"{{"do":"enter","name":"{name}"}}"#).as_bytes()));
        assert_eq!(raw.message()["kind"], "entered");
        raw
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("more comes in time");
        bytes
    }

    /// The head of an answer, and its status.
    fn head(&mut self) -> (String, u16) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.take::<1>());
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (head, status)
    }

    /// The next frame: its first byte, and the payload.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let [first, length] = self.take();
        assert_eq!(length & 0x80, 0, "a server masks nothing");
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.take())),
            127 => u64::from_be_bytes(self.take()),
            short => u64::from(short),
        };
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).unwrap();
        (first, payload)
    }

    fn message(&mut self) -> Value {
        let (first, payload) = self.frame();
        assert_eq!(first, LAST | TEXT);
        serde_json::from_slice(&payload).unwrap()
    }

    /// The server closes with this code, and then the connection.
    fn is_closed_with(&mut self, code: u16, why: &str) {
        loop {
            let (first, payload) = self.frame();
            if first == LAST | CLOSE {
                assert_eq!(payload.get(..2), Some(&code.to_be_bytes()[..]), "{why}");
                break;
            }
        }
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"", "nothing comes behind a close frame");
    }
}

fn handshake(more: &str) -> Vec<u8> {
    format!(
        "GET /-/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    )
    .into_bytes()
}

/// A client's frame with this first byte.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..0x10000 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn say(text: &str) -> Vec<u8> {
    format!(r#"{{"do":"say","text":"{text}"}}"#).into_bytes()
}

#[test]
fn the_key_is_answered_as_the_rfc_has_it() {
    let server = TestServer::web();
    for connection in ["Upgrade", "keep-alive, Upgrade", "upgrade,keep-alive"] {
        let mut raw = Raw::connect(server.addresses()[0]);
        let request =
            String::from_utf8(handshake("Sec-WebSocket-Extensions: permessage-deflate\r\n"))
                .unwrap();
        let request = request.replace("Connection: Upgrade", &format!("Connection: {connection}"));
        raw.send(request.replace("websocket\r\n", "WebSocket\r\n").as_bytes());
        let (head, status) = raw.head();
        assert_eq!(status, 101, "{head}");
        assert!(head.contains(&format!("sec-websocket-accept: {ACCEPT}\r\n")), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        assert_eq!(raw.message()["kind"], "hello");
    }
}

#[test]
fn a_wrong_handshake_is_refused_with_the_right_one() {
    let server = TestServer::web();
    for (right, wrong, status) in [
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 426),
        ("Sec-WebSocket-Version: 13", "X: y", 426),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("Connection: Upgrade", "Connection: close", 426),
        ("GET ", "POST ", 426),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "X: y", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400),
        ("dGhlIHNhbXBsZSBub25jZQ==", "not base64!", 400),
        ("Host: 127.0.0.1", "Host: evil.example", 421),
        ("Host: 127.0.0.1", "Host: 127.0.0.1\r\nOrigin: http://evil.example", 403),
    ] {
        let mut raw = Raw::connect(server.addresses()[0]);
        let request = String::from_utf8(handshake("")).unwrap().replace(right, wrong);
        raw.send(request.as_bytes());
        let (head, seen) = raw.head();
        assert_eq!(seen, status, "{wrong}: {head}");
        if status == 426 {
            assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");
        }
    }
}

#[test]
fn frames_may_come_in_any_pieces_and_right_after_the_handshake() {
    let server = TestServer::web();
    let mut raw = Raw::connect(server.addresses()[0]);
    let mut bytes = handshake("");
    bytes.extend(masked(LAST | TEXT, br#"{"do":"enter","name":"alice"}"#));
    raw.send(&bytes);
    raw.head();
    assert_eq!(raw.message()["kind"], "hello");
    assert_eq!(raw.message()["kind"], "entered");
    for byte in masked(LAST | TEXT, &say("byte by byte")) {
        raw.send(&[byte]);
    }
    assert_eq!(raw.message()["text"], "byte by byte");
    let many: Vec<u8> =
        (0..50).flat_map(|number| masked(LAST | TEXT, &say(&number.to_string()))).collect();
    raw.send(&many);
    for number in 0..50 {
        assert_eq!(raw.message()["text"], number.to_string());
    }
}

#[test]
fn a_message_may_come_in_fragments_with_control_frames_between() {
    let server = TestServer::web();
    let mut raw = Raw::enter(server.addresses()[0], "alice");
    let message = say("in f\u{e9}w pieces");
    let (first, rest) = message.split_at(24); // in the middle of a letter
    let (second, third) = rest.split_at(3);
    raw.send(&masked(TEXT, first));
    raw.send(&masked(LAST | PING, b"are you there"));
    raw.send(&masked(0, second));
    raw.send(&masked(0, b""));
    raw.send(&masked(LAST | PONG, b"nobody asked"));
    raw.send(&masked(LAST, third));
    assert_eq!(raw.frame(), (LAST | PONG, b"are you there".to_vec()));
    assert_eq!(raw.message()["text"], "in f\u{e9}w pieces");
}

#[test]
fn messages_of_any_allowed_length_are_read() {
    let server = TestServer::web();
    let mut raw = Raw::enter(server.addresses()[0], "alice");
    for length in [1, 50, 103, 104, 105, 200, 4_096] {
        let text = "x".repeat(length);
        raw.send(&masked(LAST | TEXT, &say(&text)));
        assert_eq!(raw.message()["text"], text);
    }
    for length in [0, 1, 125] {
        let payload = vec![b'p'; length];
        raw.send(&masked(LAST | PING, &payload));
        assert_eq!(raw.frame(), (LAST | PONG, payload));
    }
}

#[test]
fn a_broken_rule_closes_the_socket_with_its_code() {
    let server = TestServer::web();
    let unmasked = [LAST | TEXT, 2, b'{', b'}'].to_vec();
    let short_length = [LAST | TEXT, 0x80 | 126, 0, 5].to_vec();
    let huge = [&[LAST | TEXT, 0x80 | 127][..], &[0xff; 8]].concat();
    let long_ping = masked(LAST | PING, &[b'x'; 126]);
    let in_two = |first: u8, second: u8| [masked(first, b"{"), masked(second, b"}")].concat();
    let closing = |payload: &[u8]| masked(LAST | CLOSE, payload);
    for (bytes, code, what) in [
        (unmasked, 1002, "no mask"),
        (masked(LAST | 0x40 | TEXT, b"{}"), 1002, "a reserved bit"),
        (masked(LAST | 0x3, b"{}"), 1002, "a reserved opcode"),
        (masked(LAST | 0xb, b""), 1002, "a reserved control frame"),
        (masked(PING, b""), 1002, "a ping in fragments"),
        (long_ping, 1002, "a ping that is too long"),
        (masked(LAST, b"{}"), 1002, "a continuation of nothing"),
        (in_two(TEXT, LAST | TEXT), 1002, "a message within a message"),
        (short_length, 1002, "a length in more bytes than it needs"),
        (huge, 1002, "a length beyond all"),
        (masked(LAST | BINARY, b"{}"), 1003, "bytes"),
        (masked(LAST | TEXT, b"{\"do\":\"\xff\"}"), 1007, "no UTF-8"),
        (masked(LAST | TEXT, &[b'x'; 16 * 1024 + 1]), 1009, "too much at once"),
        (
            [masked(TEXT, &[b'x'; 16 * 1024]), masked(LAST, b"x")].concat(),
            1009,
            "too much in fragments",
        ),
        (closing(b""), 1000, "closing without a reason"),
        (closing(&1001u16.to_be_bytes()), 1001, "going away"),
        (closing(&4321u16.to_be_bytes()), 4321, "a code of one's own"),
        (closing(b"\x03\xe8bye"), 1000, "with words"),
        (closing(b"x"), 1002, "half a code"),
        (closing(&1005u16.to_be_bytes()), 1002, "a code that nobody sends"),
        (closing(&999u16.to_be_bytes()), 1002, "a code that is none"),
        (closing(b"\x03\xe8\xff"), 1007, "words that are no UTF-8"),
    ] {
        for mut raw in
            [Raw::open(server.addresses()[0]), Raw::enter(server.addresses()[0], "alice")]
        {
            raw.send(&bytes);
            raw.is_closed_with(code, what);
        }
    }
}

#[test]
fn a_connection_that_breaks_leaves_once() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    let mut raw = Raw::enter(server.addresses()[0], "alice");
    bob.sees("alice has arrived");
    raw.send(&masked(LAST | TEXT, &say("half a message"))[..20]);
    drop(raw);
    bob.sees("alice has left");
    bob.say("on we go");
    bob.sees("bob: on we go");
}
