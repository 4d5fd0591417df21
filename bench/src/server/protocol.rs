//! The bytes with which a client of each server joins and says a line. Knows no socket.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::websocket;

/// The protocol of a server's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    /// Each line is a message; the server asks no question.
    Lines,
    /// As `Lines`, but the first line answers the question for a name.
    NamedLines,
    /// A channel of IRC. The server does not send a line back to its speaker.
    Irc,
    /// A subject of NATS. Speakers do not subscribe.
    Nats,
    /// A channel of Redis. Speakers do not subscribe.
    Redis,
    /// Parlor's web door. The client sends more after the first answer, before it is in a room.
    WebSocket,
}

impl Protocol {
    /// The first bytes of client `number`, as a listener or as a speaker.
    pub(crate) fn hello(self, server: SocketAddr, number: usize, listens: bool) -> Vec<u8> {
        match (self, listens) {
            (Protocol::Lines, _) | (Protocol::Redis, false) => String::new(),
            (Protocol::NamedLines, _) => format!("guest{number}\n"),
            (Protocol::Irc, _) => format!("NICK g{number}\r\nUSER g 0 * :g\r\nJOIN #bench\r\n"),
            (Protocol::Nats, true) => "CONNECT {\"verbose\":false}\r\nSUB bench 1\r\n".into(),
            (Protocol::Nats, false) => "CONNECT {\"verbose\":false}\r\n".into(),
            (Protocol::Redis, true) => "SUBSCRIBE bench\r\n".into(),
            (Protocol::WebSocket, _) => websocket::request(server),
        }
        .into_bytes()
    }

    /// Appends the bytes that send `text` to everybody.
    pub(crate) fn say(self, text: &[u8], out: &mut Vec<u8>) {
        let length = text.len();
        let (before, after) = match self {
            Protocol::Lines | Protocol::NamedLines => (String::new(), "\n"),
            Protocol::Irc => ("PRIVMSG #bench :".into(), "\r\n"),
            Protocol::Nats => (format!("PUB bench {length}\r\n"), "\r\n"),
            Protocol::Redis => {
                let head = format!("*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n${length}\r\n");
                (head, "\r\n")
            }
            Protocol::WebSocket => return websocket::say(text, out),
        };
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(text);
        out.extend_from_slice(after.as_bytes());
    }
}
