//! The reading end of a simulated client: the real backlog, and a socket that takes as much as the
//! seed says.

use std::rc::Rc;
use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::link::{
    Answer, Asked, Backlog, Client, Encoder, Entered, Occupant, Rooms, WhyDeparted,
};
use parlor_core::log::{Encoding, EncodingKey, Scene};
use parlor_core::model::{Entry, RoomName, Said, WallTime};
use parlor_wire::irc::IrcEncoder;
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};
use parlor_wire::web::WebEncoder;

use crate::checker::Dialect;
use crate::shared_group::SharedGroup;

/// The encoder of any dialect.
#[derive(Debug)]
pub(crate) enum AnyEncoder {
    Lines(LineEncoder),
    Web(WebEncoder),
    Irc(Box<IrcEncoder>),
}

impl AnyEncoder {
    pub(crate) fn new(dialect: Dialect) -> AnyEncoder {
        let clock = LocalClock { zone: TimeZone::UTC, now: || WallTime(0) };
        let lines = |mode, clock| AnyEncoder::Lines(LineEncoder::new(mode, Storage::Memory, clock));
        match dialect {
            Dialect::Named => lines(LineMode::Named, clock),
            Dialect::Classic => lines(LineMode::Classic, clock),
            Dialect::Web => AnyEncoder::Web(WebEncoder::new(Storage::Memory, clock)),
            Dialect::Irc => unreachable!("it registers first"),
        }
    }

    fn get(&self) -> &dyn Encoder {
        match self {
            AnyEncoder::Lines(encoder) => encoder,
            AnyEncoder::Web(encoder) => encoder,
            AnyEncoder::Irc(encoder) => &**encoder,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Encoder {
        match self {
            AnyEncoder::Lines(encoder) => encoder,
            AnyEncoder::Web(encoder) => encoder,
            AnyEncoder::Irc(encoder) => &mut **encoder,
        }
    }
}

impl Encoding for AnyEncoder {
    fn key(&self) -> EncodingKey {
        self.get().key()
    }

    fn encode(&self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.get().encode(entry, scene, out);
    }
}

impl Encoder for AnyEncoder {
    fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) {
        self.get_mut().answer(answer, out);
    }

    fn begin(&mut self, asked: &Asked, out: &mut Vec<u8>) {
        self.get_mut().begin(asked, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.get_mut().end(out);
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        self.get_mut().release(out);
    }

    fn shows_own(&self) -> bool {
        self.get().shows_own()
    }

    fn own(&mut self, entry: &Entry, scene: Scene<'_>, out: &mut Vec<u8>) {
        self.get_mut().own(entry, scene, out);
    }

    fn tells_events_once(&self) -> bool {
        self.get().tells_events_once()
    }

    fn enters_again(&self) -> bool {
        self.get().enters_again()
    }

    fn entered_again(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.get_mut().entered_again(entered, out);
    }

    fn listed(&mut self, room: &RoomName, people: &[Occupant], out: &mut Vec<u8>) {
        self.get_mut().listed(room, people, out);
    }

    fn entered(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.get_mut().entered(entered, out);
    }

    fn hidden(
        &mut self,
        entry: &Entry,
        scene: Scene<'_>,
        reads: &dyn Fn(&RoomName) -> bool,
        out: &mut Vec<u8>,
    ) {
        self.get_mut().hidden(entry, scene, reads, out);
    }

    fn fell_behind(&mut self, room: &RoomName, out: &mut Vec<u8>) {
        self.get_mut().fell_behind(room, out);
    }

    fn was_apart(&mut self, entered: &Entered, out: &mut Vec<u8>) {
        self.get_mut().was_apart(entered, out);
    }

    fn replayed(&mut self, room: &RoomName, said: &Said, out: &mut Vec<u8>) {
        self.get_mut().replayed(room, said, out);
    }

    fn departed(&mut self, room: &RoomName, why: WhyDeparted<'_>, out: &mut Vec<u8>) {
        self.get_mut().departed(room, why, out);
    }

    fn ended(&mut self, out: &mut Vec<u8>) {
        self.get_mut().ended(out);
    }

    fn raw(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.get_mut().raw(bytes, out);
    }
}

pub(crate) struct Reader {
    backlog: Backlog<AnyEncoder>,
    client: Arc<Client>,
    shared: Rc<SharedGroup>,
    /// Whether it comes into a room again where it has fallen off the log.
    enters_again: bool,
    /// The rooms that it reads, and the number of its rings before it had written everything. It
    /// has no work until the next ring, so a missing ring shows as a reader who never catches up.
    asleep: Option<(Rooms, u64)>,
    /// Everything that the socket took.
    pub(crate) text: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(client: Arc<Client>, shared: Rc<SharedGroup>, encoder: AnyEncoder) -> Reader {
        Reader {
            enters_again: encoder.enters_again(),
            backlog: Backlog::new(encoder, Arc::clone(&client)),
            client,
            shared,
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
            |(rooms, seen): &(Rooms, u64)| self.shared.rings(self.client.id(), rooms) == *seen;
        self.asleep.as_ref().is_some_and(not_since)
    }

    /// Whether everything in the room has been read, and all mail.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.backlog.is_up_to_date()
    }

    /// Whether it has reached its own departure, and no mail names another room.
    pub(crate) fn is_over(&self) -> bool {
        self.backlog.is_empty() && self.backlog.is_over()
    }

    /// Whether it fell off the log at a place where no line was lost, which is not announced; with
    /// IRC, and has not come in again.
    pub(crate) fn fell_silently(&self) -> bool {
        let text = String::from_utf8_lossy(&self.text);
        let told = match self.enters_again {
            true => " :You were reading too slowly\r\n",
            false => " skipped: you were reading too slowly",
        };
        self.backlog.falls() > text.matches(told).count() as u64
    }

    /// Reads while the socket takes `room` bytes, at most `piece` of them at once. Returns whether
    /// there was anything to do.
    pub(crate) fn read(&mut self, mut room: usize, piece: usize) -> bool {
        if self.is_asleep() || room == 0 {
            return false;
        }
        self.asleep = None;
        while room > 0 {
            let reads = self.backlog.rooms();
            let seen = self.shared.rings(self.client.id(), &reads); // before the look
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
        self.backlog.release(); // like a client that waits for its socket
        true
    }
}
