//! The reading end of a simulated client: the shipped backlog, and a socket that takes as much as the
//! seed says.

use std::rc::Rc;
use std::sync::Arc;

use parlor_core::backlog::{Backlog, Rooms};
use parlor_core::client::Client;
use parlor_wire::lines::LineEncoder;

use crate::desk::Desk;

pub(crate) struct Reader {
    backlog: Backlog<LineEncoder>,
    client: Arc<Client>,
    desk: Rc<Desk>,
    /// The rooms that were read, and how often it was rung for this reader, before everything was
    /// found written: until it is rung again there is nothing to do. So a ring that is forgotten
    /// shows as somebody who never catches up.
    asleep: Option<(Rooms, u64)>,
    /// Everything that the socket took.
    pub(crate) text: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(client: Arc<Client>, desk: Rc<Desk>, encoder: LineEncoder) -> Reader {
        Reader {
            backlog: Backlog::new(encoder, Arc::clone(&client)),
            client,
            desk,
            asleep: None,
            text: Vec::new(),
        }
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Whether it waits for its bell.
    pub(crate) fn is_asleep(&self) -> bool {
        let not_since =
            |(rooms, seen): &(Rooms, u64)| self.desk.rings(self.client.id(), rooms) == *seen;
        self.asleep.as_ref().is_some_and(not_since)
    }

    /// Whether everything in the room has been read, and all mail.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.backlog.is_up_to_date()
    }

    /// Whether the own departure has been reached and no mail names another room.
    pub(crate) fn is_over(&self) -> bool {
        self.backlog.is_empty() && self.backlog.is_over()
    }

    /// Whether it fell off the log where no line was lost, of which nobody is told.
    pub(crate) fn fell_silently(&self) -> bool {
        let text = String::from_utf8_lossy(&self.text);
        let told = text
            .lines()
            .filter(|line| line.starts_with("-- ") && line.contains(" skipped"));
        self.backlog.falls() > told.count() as u64
    }

    /// Reads, while the socket takes `room` bytes, at most `piece` of them at once.
    pub(crate) fn read(&mut self, mut room: usize, piece: usize) {
        if self.is_asleep() {
            return;
        }
        self.asleep = None;
        while room > 0 {
            let reads = self.backlog.rooms();
            let seen = self.desk.rings(self.client.id(), &reads); // before looking
            self.backlog.collect();
            if self.backlog.is_empty() && reads == self.backlog.rooms() {
                self.asleep = Some((reads, seen));
                return;
            }
            let before = self.text.len();
            for run in self.backlog.runs() {
                let taken = self.text.len() - before;
                let size = run.len().min(piece.min(room) - taken);
                self.text.extend_from_slice(&run[..size]);
            }
            let taken = self.text.len() - before;
            self.backlog.advance(taken);
            room -= taken;
        }
        self.backlog.let_go(); // as who waits for a socket
    }
}
