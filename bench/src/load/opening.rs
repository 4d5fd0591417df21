//! How a client comes in through the web door: it asks for a WebSocket, then to enter, and waits for the answer to either.
//! Knows no socket.

use anyhow::{bail, ensure};
use memchr::memmem;

use super::Client;
use crate::websocket::{ENTERED, HEAD_END, REFUSED, SWITCHED, enter};

/// Before somebody is in a room, the server has no more to say than this.
const OPENING_BYTES_MAX: usize = 64 * 1024;

/// How far a client has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody has accepted it yet.
    Connecting,
    /// It has asked for a WebSocket.
    Asking,
    /// It has asked to enter.
    Entering,
    /// It hears what is said, or will without doing anything more for it.
    Open,
}

impl Client {
    /// Goes on, having heard all this since the last answer. Until it is open it holds what
    /// has not been answered; then what was heard may have lines in it.
    pub(super) fn step_in(&mut self, heard: &[u8]) -> anyhow::Result<()> {
        let mut rest = heard;
        if self.stage == Stage::Asking
            && let Some(end) = memmem::find(heard, HEAD_END)
        {
            ensure!(
                heard.starts_with(SWITCHED),
                "no WebSocket is given: {}",
                shown(heard)
            );
            enter(&format!("guest{}", self.number), &mut self.unsent);
            self.stage = Stage::Entering;
            rest = heard.get(end + HEAD_END.len()..).unwrap_or_default();
        }
        if self.stage == Stage::Entering {
            if memmem::find(rest, REFUSED).is_some() {
                bail!("guest{} is refused: {}", self.number, shown(rest));
            }
            if memmem::find(rest, ENTERED).is_some() {
                self.stage = Stage::Open;
                return Ok(());
            }
        }
        ensure!(
            rest.len() < OPENING_BYTES_MAX,
            "guest{} is told much and not let in",
            self.number
        );
        self.held.extend_from_slice(rest);
        Ok(())
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().replace("\r\n", ", ")
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::super::{Load, Role};
    use super::*;
    use crate::target::Dialect;
    use crate::websocket::PONG;

    fn asking() -> Client {
        Client {
            socket: None,
            role: Role::Listener,
            number: 7,
            stage: Stage::Asking,
            is_inside: false,
            held: Vec::new(),
            unsent: Vec::new(),
            tally: None,
        }
    }

    /// Whether the client comes in, if all this comes in pieces of this size.
    fn comes_in(client: &mut Client, bytes: &[u8], size: usize) -> anyhow::Result<bool> {
        for piece in bytes.chunks(size) {
            let mut heard = std::mem::take(&mut client.held);
            heard.extend_from_slice(piece);
            client.step_in(&heard)?;
            if client.stage == Stage::Open {
                return Ok(true);
            }
        }
        Ok(false)
    }

    const HEAD: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n\x81\x10{\"kind\":\"hello\"}";

    const ENTERED_FRAME: &[u8] = b"\x81\x21{\"kind\":\"entered\",\"room\":\"lobby\"}";

    #[test]
    fn it_is_in_when_it_has_entered_however_that_is_cut() {
        let all = [HEAD, ENTERED_FRAME].concat();
        for size in [1, 7, all.len()] {
            let mut client = asking();
            assert!(comes_in(&mut client, &all, size).expect("nothing is refused"));
            assert!(
                client
                    .unsent
                    .ends_with(br#"{"do":"enter","name":"guest7"}"#)
            );
        }
        assert!(!comes_in(&mut asking(), HEAD, 9).expect("nothing is refused"));
    }

    #[test]
    fn whoever_is_refused_says_why() {
        let full = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\r\nThe server is full.";
        let taken = [HEAD, b"\x81\x20{\"kind\":\"refused\",\"why\":\"taken\"}"].concat();
        for (bytes, reason) in [(&full[..], "The server is full."), (&taken, "taken")] {
            let error = comes_in(&mut asking(), bytes, bytes.len()).expect_err("it is refused");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    /// Lets one client in, as the server does.
    fn let_in(listener: &TcpListener) -> TcpStream {
        let (mut client, _) = listener.accept().expect("a client comes");
        hear(&mut client, HEAD_END);
        client.write_all(HEAD).expect("it waits for the head");
        hear(&mut client, br#""}"#);
        client.write_all(ENTERED_FRAME).expect("it waits to enter");
        client
    }

    /// Hears a client until it says this.
    fn hear(client: &mut TcpStream, end: &[u8]) {
        let mut heard = Vec::new();
        while !heard.ends_with(end) {
            let mut byte = [0];
            client.read_exact(&mut byte).expect("it says more");
            heard.extend(byte);
        }
    }

    #[test]
    fn lines_are_heard_and_pings_are_answered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let mut clients = [let_in(&listener), let_in(&listener)];
            let mut head = [0; 6]; // with the mask, which is zero
            while clients[0].read_exact(&mut head).is_ok() {
                let length = head[1] & 0x7f;
                let mut payload = vec![0; length.into()];
                clients[0].read_exact(&mut payload).expect("it says all");
                let frame = [&[0x81, length], &payload[..]].concat();
                for client in &mut clients {
                    client.write_all(&[0x89, 0]).expect("it is there");
                    client.write_all(&frame).expect("it is there");
                }
                clients.iter_mut().for_each(|client| hear(client, &PONG));
            }
        });
        let mut load = Load::new(address, Dialect::WebSocket).expect("there is epoll");
        load.add(Role::Speaker).expect("it can come");
        load.connect_all().expect("it is let in");
        load.add(Role::Listener).expect("it can come");
        load.settle().expect("both hear a line");
        load.say_lines(3, 1).expect("both hear three more");
        drop(load);
        server.join().expect("each ping was answered");
    }
}
