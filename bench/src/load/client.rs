//! One client of the load: its role, its way into a room, and the bytes it has to send.
//!
//! At a door with TLS there is a handshake first. Through the web door a client asks for a WebSocket,
//! then for a room, and waits for both answers.

use std::io;
use std::os::fd::OwnedFd;

use anyhow::{Context, bail, ensure};
use memchr::memmem;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::story::Story;
use super::tally::Tally;
use super::tls::LoadTls;
use crate::server::{ENTERED, HEAD_END, REFUSED, SWITCHED, enter};

/// The largest number of bytes that a server sends to a client that is not in a room.
const OPENING_BYTES_MAX: usize = 64 * 1024;

const GONE: &str = "the client has left or was disconnected";

/// The role of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A line is done when all listeners have received it.
    Listener,
    /// Sends the lines. What it receives counts as delivered, but no line waits for it; without
    /// listeners a line waits for its own speaker.
    Speaker,
    /// Receives lines, joins and leaves; no line waits for it.
    Bystander,
    /// A listener that has stopped reading.
    Stuck,
    /// A listener that now reads far too slowly.
    Dripping,
}

/// The progress of a client that joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The server has not accepted the connection.
    Connecting,
    /// The handshake of TLS has begun.
    Shaking,
    /// The client has asked for a WebSocket.
    Asking,
    /// The client has asked to enter a room.
    Entering,
    /// The client receives lines, or will without sending anything more.
    Open,
}

pub(super) struct LoadClient {
    /// None after the client has left or was disconnected.
    pub(super) socket: Option<OwnedFd>,
    pub(super) role: Role,
    /// The number of clients before it, which is the number in its name.
    pub(super) number: usize,
    pub(super) opening: Opening,
    /// None at a door without TLS.
    pub(super) tls: Option<LoadTls>,
    /// Whether it has received a line, and so is in the room.
    pub(super) is_inside: bool,
    /// The beginning of an incomplete marker or, until the client is open, of an incomplete answer.
    pub(super) held: Vec<u8>,
    /// Bytes that the socket has not taken; with TLS, those that are not encrypted yet.
    pub(super) unsent: Vec<u8>,
    /// The counts of the lines it has read and skipped since it became slow.
    pub(super) tally: Option<Tally>,
    /// The lines that it has read, if they are noted.
    pub(super) story: Option<Story>,
}

impl LoadClient {
    /// A client without a connection.
    pub(super) fn new(role: Role, number: usize) -> LoadClient {
        LoadClient {
            socket: None,
            role,
            number,
            opening: Opening::Connecting,
            tls: None,
            is_inside: false,
            held: Vec::new(),
            unsent: Vec::new(),
            tally: None,
            story: None,
        }
    }

    /// The connection, or an error if it is gone.
    pub(super) fn socket(&self) -> anyhow::Result<&OwnedFd> {
        self.socket.as_ref().context(GONE)
    }

    /// Whether there is something to send.
    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty() || self.tls.as_ref().is_some_and(|tls| !tls.unsent.is_empty())
    }

    /// Sends as much as the socket takes.
    pub(super) fn send_some(&mut self) -> anyhow::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.seal(&mut self.unsent)?;
        }
        let socket = self.socket.as_ref().context(GONE)?;
        let unsent = self.tls.as_mut().map_or(&mut self.unsent, |tls| &mut tls.unsent);
        match send(socket, unsent, SendFlags::NOSIGNAL) {
            Ok(sent) => drop(unsent.drain(..sent)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if unsent.is_empty() && self.role != Role::Speaker {
            *unsent = Vec::new();
        }
        Ok(())
    }

    /// Receives waiting bytes, at most `max`, and decrypts them at the beginning of the buffer.
    /// Returns the number of bytes that the socket gave, 0 at the end, and the number of those that
    /// are for the client.
    pub(super) fn receive(&mut self, buffer: &mut [u8], max: usize) -> io::Result<(usize, usize)> {
        let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
        let Some(tls) = &mut self.tls else {
            let end = buffer.len().min(max);
            let (read, _) = recv(socket, &mut buffer[..end], RecvFlags::empty())?;
            return Ok((read, read));
        };
        let held = tls.put_held(buffer);
        let end = buffer.len().min(held.saturating_add(max));
        let (read, _) = recv(socket, &mut buffer[held..end], RecvFlags::empty())?;
        let text = tls.open(&mut buffer[..held + read]).map_err(io::Error::other)?;
        Ok((read, text))
    }

    /// Continues to join. `received` is everything since the last answer. Until the client is open,
    /// it stores an incomplete answer; afterwards `received` may contain lines.
    pub(super) fn step_in(&mut self, received: &[u8]) -> anyhow::Result<()> {
        let name = format!("guest{}", self.number);
        let mut rest = received;
        if self.opening == Opening::Asking
            && let Some(end) = memmem::find(received, HEAD_END)
        {
            ensure!(
                received.starts_with(SWITCHED),
                "the server gives no WebSocket: {}",
                shown(received)
            );
            enter(&name, &mut self.unsent);
            self.opening = Opening::Entering;
            rest = received.get(end + HEAD_END.len()..).unwrap_or_default();
        }
        if self.opening == Opening::Entering {
            if memmem::find(rest, REFUSED).is_some() {
                bail!("the server refuses {name}: {}", shown(rest));
            }
            if memmem::find(rest, ENTERED).is_some() {
                self.opening = Opening::Open;
                return Ok(());
            }
        }
        ensure!(
            rest.len() < OPENING_BYTES_MAX,
            "the server sends much to {name} and lets it enter no room"
        );
        self.held.extend_from_slice(rest);
        Ok(())
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().replace("\r\n", ", ")
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    fn asking() -> LoadClient {
        LoadClient { opening: Opening::Asking, ..LoadClient::new(Role::Listener, 7) }
    }

    /// Whether the client is in a room after it has received these bytes in pieces of this size.
    fn enters(client: &mut LoadClient, bytes: &[u8], size: usize) -> anyhow::Result<bool> {
        for piece in bytes.chunks(size) {
            let mut received = std::mem::take(&mut client.held);
            received.extend_from_slice(piece);
            client.step_in(&received)?;
            if client.opening == Opening::Open {
                return Ok(true);
            }
        }
        Ok(false)
    }

    const HEAD: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n\x81\x10{\"kind\":\"hello\"}";

    const ENTERED_FRAME: &[u8] = b"\x81\x21{\"kind\":\"entered\",\"room\":\"lobby\"}";

    #[test]
    fn client_enters_whatever_pieces_the_answers_come_in() {
        let all = [HEAD, ENTERED_FRAME].concat();
        for size in [1, 7, all.len()] {
            let mut client = asking();
            assert!(enters(&mut client, &all, size).expect("the server refuses nothing"));
            assert!(client.unsent.ends_with(br#"{"do":"enter","name":"guest7"}"#));
        }
        assert!(!enters(&mut asking(), HEAD, 9).expect("the server refuses nothing"));
    }

    #[test]
    fn refusal_is_reported_with_its_reason() {
        let full = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\r\nThe server is full.";
        let taken = [HEAD, b"\x81\x20{\"kind\":\"refused\",\"why\":\"taken\"}"].concat();
        for (bytes, reason) in [(&full[..], "The server is full."), (&taken, "taken")] {
            let error = enters(&mut asking(), bytes, bytes.len()).expect_err("the server refuses");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
