//! The reading end of a simulated client: the shipped backlog, and a socket that takes as much as the
//! seed says.

use std::rc::Rc;
use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Backlog, Client, Encoder, Entered, Rooms};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Entry, RoomName, Said, WallTime};
use parlor_wire::json::WebEncoder;
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};

use crate::checker::Dialect;
use crate::desk::Desk;

/// The encoder of any dialect.
#[derive(Debug)]
pub(crate) enum Tongue {
    Lines(LineEncoder),
    Web(WebEncoder),
}

impl Tongue {
    pub(crate) fn new(dialect: Dialect) -> Tongue {
        let clock = LocalClock {
            zone: TimeZone::UTC,
            now: || WallTime(0),
        };
        let lines = |mode, clock| Tongue::Lines(LineEncoder::new(mode, Storage::Memory, clock));
        match dialect {
            Dialect::Named => lines(LineMode::Named, clock),
            Dialect::Classic => lines(LineMode::Classic, clock),
            Dialect::Web => Tongue::Web(WebEncoder::new(Storage::Memory, clock)),
        }
    }

    fn get(&self) -> &dyn Encoder {
        match self {
            Tongue::Lines(encoder) => encoder,
            Tongue::Web(encoder) => encoder,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Encoder {
        match self {
            Tongue::Lines(encoder) => encoder,
            Tongue::Web(encoder) => encoder,
        }
    }
}

impl Encoding for Tongue {
    fn key(&self) -> EncodingKey {
        self.get().key()
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.get().encode(entry, scene, out);
    }
}

impl Encoder for Tongue {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        self.get_mut().answer(answer, out);
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.get_mut().entered(entered, out);
    }

    fn hidden(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.get().hidden(entry, scene, out);
    }

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        self.get_mut().fell_behind(room, out);
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        self.get_mut().replayed(room, said, out);
    }

    fn departed(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        self.get_mut().departed(room, out);
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        self.get_mut().ended(out);
    }

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.get_mut().raw(bytes, out);
    }
}

pub(crate) struct Reader {
    backlog: Backlog<Tongue>,
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
    pub(crate) fn new(client: Arc<Client>, desk: Rc<Desk>, encoder: Tongue) -> Reader {
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
    fn is_asleep(&self) -> bool {
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
        let told = text.matches(" skipped: you were reading too slowly");
        self.backlog.falls() > told.count() as u64
    }

    /// Reads, while the socket takes `room` bytes, at most `piece` of them at once. Whether there was anything to do.
    pub(crate) fn read(&mut self, mut room: usize, piece: usize) -> bool {
        if self.is_asleep() || room == 0 {
            return false;
        }
        self.asleep = None;
        while room > 0 {
            let reads = self.backlog.rooms();
            let seen = self.desk.rings(self.client.id(), &reads); // before looking
            self.backlog.collect();
            if self.backlog.is_empty() && reads == self.backlog.rooms() {
                self.asleep = Some((reads, seen));
                return true;
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
        true
    }
}
