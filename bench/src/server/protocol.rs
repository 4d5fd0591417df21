//! The bytes with which a client of each server joins and says a line. Knows no socket.

use std::net::SocketAddr;

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::websocket;

/// The capabilities of the three classes of IRC clients: of a bot, of irssi, and of a modern
/// client.
const CLASSES: [&str; 3] = ["", "server-time", "message-tags"];

/// The beginning of a server's question whether a client of IRC is still there ...
const PING: &[u8] = b"PING";

/// ... and an answer to it.
const PONG: &[u8] = b"PONG bench\r\n";

/// The protocol of a server's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Protocol {
    /// Each line is a message; the server asks no question.
    Lines,
    /// As `Lines`, but the first line answers the question for a name.
    NamedLines,
    /// A channel of IRC. The server does not send a line back to its speaker.
    Irc,
    /// The same with capabilities, by which the clients are in three classes: one third reads plain
    /// messages, one third their times, and one third all tags.
    IrcClasses,
    /// A subject of NATS. Speakers do not subscribe.
    Nats,
    /// A channel of Redis. Speakers do not subscribe.
    Redis,
    /// Parlor's web door. The client sends more after the first answer, before it is in a room.
    WebSocket,
}

impl Protocol {
    /// The first bytes of client `number`, as a listener or as a speaker. A client of IRC enters
    /// this many rooms: others first, in which nobody speaks.
    pub(crate) fn hello(
        self,
        server: SocketAddr,
        number: usize,
        listens: bool,
        rooms: usize,
    ) -> Vec<u8> {
        match (self, listens) {
            (Protocol::Lines, _) | (Protocol::Redis, false) => String::new(),
            (Protocol::NamedLines, _) => format!("guest{number}\n"),
            (Protocol::Irc | Protocol::IrcClasses, _) => {
                let class = CLASSES[number % CLASSES.len()];
                let is_asked = self == Protocol::IrcClasses && !class.is_empty();
                let (ask, end) = match is_asked {
                    true => (format!("CAP REQ {class}\r\n"), "CAP END\r\n"),
                    false => (String::new(), ""),
                };
                let others: String = (1..rooms).map(|room| format!("#quiet{room},")).collect();
                format!("{ask}NICK g{number}\r\nUSER g 0 * :g\r\n{end}JOIN {others}#bench\r\n")
            }
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
            Protocol::Irc | Protocol::IrcClasses => ("PRIVMSG #bench :".into(), "\r\n"),
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

    /// The answer to a question in these bytes, whether the client is still there. This is a search
    /// instead of a parse: an answer to no question is nothing to a server.
    pub(crate) fn pong(self, received: &[u8]) -> Option<&'static [u8]> {
        let (is_pinged, pong) = match self {
            Protocol::IrcClasses => (has_ping(received), PONG),
            Protocol::WebSocket => (websocket::is_pinged(received), &websocket::PONG[..]),
            _ => return None,
        };
        is_pinged.then_some(pong)
    }

    /// Whether the server asks silent clients if they are still there.
    pub(crate) fn has_pings(self) -> bool {
        matches!(self, Protocol::IrcClasses | Protocol::WebSocket)
    }
}

/// Whether these bytes may contain a ping, or the beginning of one at their end.
fn has_ping(bytes: &[u8]) -> bool {
    let is_begun = (1..PING.len()).any(|length| bytes.ends_with(&PING[..length]));
    is_begun || memmem::find(bytes, PING).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(protocol: Protocol, number: usize, rooms: usize) -> String {
        let server = SocketAddr::from(([127, 0, 0, 1], 6667));
        String::from_utf8_lossy(&protocol.hello(server, number, true, rooms)).into_owned()
    }

    #[test]
    fn a_third_of_irc_clients_is_in_each_class() {
        let plain = hello(Protocol::IrcClasses, 3, 1);
        assert_eq!(plain, "NICK g3\r\nUSER g 0 * :g\r\nJOIN #bench\r\n");
        assert_eq!(plain, hello(Protocol::Irc, 3, 1));
        for (number, asked) in [(1, "server-time"), (2, "message-tags"), (4, "server-time")] {
            let hello = hello(Protocol::IrcClasses, number, 1);
            assert!(hello.starts_with(&format!("CAP REQ {asked}\r\nNICK g{number}\r\n")));
            assert!(hello.ends_with("CAP END\r\nJOIN #bench\r\n"));
        }
        assert!(hello(Protocol::Irc, 3, 3).ends_with("JOIN #quiet1,#quiet2,#bench\r\n"));
    }

    #[test]
    fn ping_is_answered_whatever_pieces_it_comes_in() {
        let irc = Protocol::IrcClasses;
        for pinged in [&b"PING :a\r\n"[..], b":a JOIN #b\r\nPING a\r\n", b":a JOIN #b\r\nPI"] {
            assert_eq!(irc.pong(pinged), Some(PONG));
        }
        assert_eq!(irc.pong(b":g1!g@irc PRIVMSG #bench :~00000001 and"), None);
        assert_eq!(Protocol::Lines.pong(b"PING :a\r\n"), None);
    }
}
