//! A simulated session of IRC: the inputs of the real decoder become requests, one after the other,
//! and the answers become mail, as in a session of the server. Knows no guest.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use parlor_core::link::{
    Answer, Asked, Change, Command, Decoder, Input, Link, Mail, Mark, Notice, Outcome, Presence,
    Query, Refusal, Request, Seat, Seats, Start,
};
use parlor_core::model::{Act, Here, Line, Name, RoomId, RoomName, Spoken};
use parlor_wire::irc::IrcDecoder;

use crate::call::Call;
use crate::checker::Barrier;
use crate::server::Server;

/// The usual number of first lines.
const REPLAY: u64 = 4;

/// The most rooms at once.
const SEATS_MAX: usize = 3;

/// The request under way.
#[derive(Debug)]
pub(crate) enum Sent {
    /// To come to the server.
    Coming,
    Seat,
    Post {
        room: RoomName,
        lines: u64,
    },
    /// A page of the people in this room.
    People(RoomName),
    /// A page of the rooms.
    Rooms,
    /// A page of the bans of this room, behind this many.
    Bans(RoomName, usize),
    /// Its answer becomes mail.
    Other,
}

/// The outcome of lines.
pub(crate) struct Posted {
    pub(crate) lines: u64,
    /// None if they are said.
    pub(crate) refusal: Option<Refusal>,
}

/// A session.
pub(crate) struct IrcSession {
    pub(crate) call: Call<Sent>,
    pub(crate) decoder: IrcDecoder,
    pub(crate) presence: Option<Presence>,
    /// The name that the person took last.
    pub(crate) name: Option<Name>,
    pub(crate) seats: Seats,
    /// The rooms that it kept when it entered.
    pub(crate) keeps: Vec<RoomName>,
    /// For each room, its index in the record, and how many of its events are not in its log.
    recorded: HashMap<RoomId, (usize, usize)>,
    /// The inputs that wait.
    inputs: VecDeque<Input>,
    /// Whether the welcome is written, so mail from others is let in.
    is_welcome: bool,
    /// The ends of the rooms that the command under way has left.
    open: Option<Mark>,
    /// The word of the PING under way.
    pub(crate) pinged: Option<String>,
    pub(crate) barriers: Vec<Barrier>,
    /// The outcomes of the posts of the last command.
    pub(crate) posted: Vec<Posted>,
    /// The last words, if it leaves.
    pub(crate) quits: Option<Option<Line>>,
    /// The number of lines whose fate is unknown: the person was removed.
    pub(crate) said: u64,
}

impl IrcSession {
    pub(crate) fn new(link: Link, decoder: IrcDecoder) -> IrcSession {
        IrcSession {
            call: Call::new(link),
            decoder,
            presence: None,
            name: None,
            seats: Seats::new(),
            keeps: Vec::new(),
            recorded: HashMap::new(),
            inputs: VecDeque::new(),
            is_welcome: false,
            open: None,
            pinged: None,
            barriers: Vec::new(),
            posted: Vec::new(),
            quits: None,
            said: 0,
        }
    }

    /// Whether everything that was typed is done.
    pub(crate) fn is_idle(&self) -> bool {
        self.call.is_free() && self.inputs.is_empty()
    }

    /// Takes in what the client has typed.
    pub(crate) fn hear(&mut self, typed: &str) {
        let mut bytes = typed.as_bytes();
        while self.decoder.has_more() || !bytes.is_empty() {
            self.inputs.extend(self.decoder.next(&mut bytes));
        }
    }

    /// The person has come, under this name.
    pub(crate) fn come(&mut self, presence: Presence, name: Name) {
        self.presence = Some(presence);
        self.name = Some(name.clone());
        self.tell(Mark::default(), Mail::Answer(Answer::YouAre(name)));
    }

    /// Whether the mailbox has space.
    fn has_space(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let has_space = |link: &Link| pin!(link.wait_for_space()).poll(&mut cx).is_ready();
        self.call.link.as_ref().is_some_and(has_space)
    }

    fn tell(&self, mark: Mark, mail: Mail) {
        if let Some(link) = &self.call.link {
            link.reply(mark, mail);
        }
    }

    /// The ends of all rooms.
    fn mark(&self) -> Mark {
        self.call.link.as_ref().map(|link| link.mark(&self.seats)).unwrap_or_default()
    }

    fn reply(&self, mail: Mail) {
        self.tell(self.mark(), mail);
    }

    /// Takes the outcome of the request under way. Returns it, if only the guest understands it.
    pub(crate) fn outcome(&mut self, server: &mut Server) -> Option<Outcome> {
        let (outcome, sent) = self.call.outcome()?;
        match (outcome, sent) {
            (outcome, Sent::Coming) => return Some(outcome),
            (Outcome::Entered((seat, entered)), _) => {
                let place = server.record.room_of(&entered.view);
                self.recorded.insert(seat.room(), place);
                self.keeps.extend(entered.keeps.is_some().then(|| entered.room.clone()));
                self.seats.push(seat);
                self.reply(Mail::Entered(entered));
            }
            (Outcome::Answer(Answer::Refused(refusal)), Sent::Post { room, lines }) => {
                self.posted.push(Posted { lines, refusal: Some(refusal.clone()) });
                self.refuse_post(&room, refusal);
            }
            (Outcome::Page(Some(next)), Sent::People(room)) => self.list_people(room, next),
            (Outcome::Answer(Answer::People(page)), Sent::People(room)) => {
                let next = page.next;
                self.reply(Mail::Answer(Answer::People(page)));
                next.into_iter().for_each(|next| self.list_people(room.clone(), next));
            }
            (Outcome::Answer(Answer::AllRooms(page)), Sent::Rooms) => {
                let next = page.next.clone();
                self.reply(Mail::Answer(Answer::AllRooms(page)));
                next.into_iter().for_each(|next| self.list_rooms(Some(next)));
            }
            (Outcome::Answer(Answer::Bans { bans, others }), Sent::Bans(room, skip)) => {
                let shown = skip + bans.len();
                self.reply(Mail::Answer(Answer::Bans { bans, others }));
                if others > 0 {
                    self.list_bans(room, shown);
                }
            }
            (Outcome::Answer(Answer::YouAre(name)), _) => {
                self.name = Some(name.clone());
                self.reply(Mail::Answer(Answer::YouAre(name)));
            }
            (_, Sent::Post { lines, .. }) => self.posted.push(Posted { lines, refusal: None }),
            (Outcome::Answer(answer), _) => self.reply(Mail::Answer(answer)),
            _ => {}
        }
        None
    }

    fn refuse_post(&mut self, room: &RoomName, refusal: Refusal) {
        let is_alone = self.open.is_none();
        if is_alone {
            self.reply(Mail::Begin(Box::new(Asked::post(room))));
        }
        self.reply(Mail::Answer(refusal.into()));
        if is_alone {
            self.reply(Mail::End);
        }
    }

    /// Runs the next inputs, up to the next request. Returns whether there was anything to do.
    pub(crate) fn work(&mut self) -> bool {
        let mut moved = self.move_out();
        while self.call.is_free() && self.quits.is_none() && self.has_space() {
            let Some(input) = self.inputs.pop_front() else {
                break;
            };
            self.run(input);
            moved = true;
        }
        if self.is_idle() && self.presence.is_some() && !self.is_welcome {
            self.let_in();
        }
        moved
    }

    /// Lets mail from others in.
    fn let_in(&mut self) {
        self.is_welcome = true;
        let link = self.call.link.as_ref();
        link.into_iter().for_each(|link| link.client().let_in());
    }

    /// Leaves the rooms from which the person was removed.
    fn move_out(&mut self) -> bool {
        let seats = mem::take(&mut self.seats).into_iter();
        let (removed, seats): (Seats, Seats) = seats.partition(|seat| seat.removed().is_some());
        self.seats = seats;
        for seat in &removed {
            if let Some(act) = seat.removed().cloned() {
                let notice = Answer::Notice(Notice::Act(act));
                self.tell(seat.mark_of_departure(), Mail::Answer(notice));
            }
        }
        !removed.is_empty()
    }

    fn ask(&mut self, request: impl Into<Request>) {
        self.call.start(Sent::Other, request);
    }

    fn list_people(&mut self, room: RoomName, from: u64) {
        let query = Query::People { room: room.clone(), from };
        self.call.start(Sent::People(room), query);
    }

    fn list_rooms(&mut self, after: Option<RoomName>) {
        self.call.start(Sent::Rooms, Query::AllRooms { after });
    }

    fn list_bans(&mut self, room: RoomName, skip: usize) {
        let query = Query::Bans { here: Here::RoomOnly(room.clone()), skip };
        self.call.start(Sent::Bans(room, skip), query);
    }

    fn refuse(&self, refusal: Refusal) {
        self.reply(Mail::Answer(refusal.into()));
    }

    fn run(&mut self, input: Input) {
        match input {
            Input::Nothing => {}
            Input::Say(spoken) => self.post(vec![spoken]),
            Input::SayAll(lines) => self.post(lines),
            Input::Signal(extras) => match self.seats.last().map(Seat::room) {
                Some(room) => self.ask(Change::Signal { room, extras }),
                None => self.refuse(Refusal::NoSeat),
            },
            Input::In(room, input) => self.run_in(&room, *input),
            Input::Enter { .. } if self.seats.len() >= SEATS_MAX => {
                self.refuse(Refusal::TooManySeats(SEATS_MAX));
            }
            Input::Enter { room, password, start } => {
                let replay = if let Start::Last(lines) = start { lines } else { REPLAY };
                self.call.start(Sent::Seat, Change::Join { room, password, replay });
            }
            Input::Leave(room, words) => match self.index_of(&room) {
                Some(index) => {
                    let seat = self.seats.remove(index);
                    self.leave_seat(seat, words);
                }
                None => self.refuse(Refusal::NotThere),
            },
            Input::LeaveAll => {
                let seats = mem::take(&mut self.seats);
                seats.into_iter().for_each(|seat| self.leave_seat(seat, None));
            }
            Input::Private { to, lines, is_for_programs } => {
                self.ask(Query::Private { to, lines, is_for_programs, may_be_own: true });
            }
            Input::ListPeople(room) => self.list_people(room, 0),
            Input::FindPeople(_) => self.ask(Query::Findable { from: 0 }),
            Input::ListRooms => self.list_rooms(None),
            Input::ListBans(room) => self.list_bans(room, 0),
            Input::Ask(request) => self.ask(*request),
            Input::WantRoster(wants) => {
                let link = self.call.link.as_ref();
                link.into_iter().for_each(|link| link.client().want_roster(wants));
            }
            Input::Begin(asked) => {
                self.reply(Mail::Begin(asked));
                self.open = Some(Mark::default());
            }
            Input::End => {
                let left = self.open.take().unwrap_or_default();
                self.tell([self.mark(), left].into_iter().collect(), Mail::End);
            }
            Input::Raw(bytes) => {
                if let Some(token) = self.pinged.take() {
                    self.note_barrier(token);
                }
                self.reply(Mail::Raw(bytes));
            }
            Input::Refused(refusal) => self.refuse(refusal),
            Input::Command(command) => self.run_command(command),
            other => panic!("no guest types this: {other:?}"),
        }
    }

    /// Gives up a seat. The end of the command under way comes behind the departure.
    fn leave_seat(&mut self, seat: Seat, words: Option<Line>) {
        if let Some(left) = &mut self.open {
            let both = [mem::take(left), seat.mark_of_departure()];
            *left = both.into_iter().collect();
        }
        seat.leave(words);
    }

    fn run_command(&mut self, command: Command) {
        match command {
            Command::Rooms => self.ask(Query::Rooms),
            Command::Away(text) => self.ask(Change::SetAway(text)),
            Command::Name(typed) => match Name::parse(typed.as_str()) {
                Ok(name) => self.ask(Change::Rename(name.into())),
                Err(error) => self.refuse(error.into()),
            },
            Command::Quit(words) => self.quits = Some(words),
            Command::SetTopic(text) => match self.seats.last().map(Seat::room) {
                Some(room) => self.ask(Change::SetTopic { room, text }),
                None => self.refuse(Refusal::NoSeat),
            },
            other => panic!("no guest types this: {other:?}"),
        }
    }

    fn run_in(&mut self, room: &RoomName, input: Input) {
        let lines = match &input {
            Input::Say(_) => 1,
            Input::SayAll(lines) => lines.len() as u64,
            _ => 0,
        };
        match self.index_of(room) {
            Some(index) => {
                self.seats[index..].rotate_left(1);
                self.run(input);
            }
            None if lines > 0 => {
                self.posted.push(Posted { lines: 0, refusal: Some(Refusal::NotThere) });
                self.refuse_post(room, Refusal::NotThere);
            }
            None => self.refuse(Refusal::NotThere),
        }
    }

    fn post(&mut self, lines: Vec<Spoken>) {
        let Some((room, name)) = self.seats.last().map(|seat| (seat.room(), seat.room_name()))
        else {
            return self.refuse(Refusal::NoSeat);
        };
        let count = lines.len() as u64;
        self.said += count;
        let sent = Sent::Post { room: name.clone(), lines: count };
        self.call.start(sent, Change::Say { room, lines });
    }

    fn index_of(&self, room: &RoomName) -> Option<usize> {
        self.seats.iter().position(|seat| seat.room_name() == room)
    }

    /// Notes what is visible now: the answer to a PING comes behind it.
    fn note_barrier(&mut self, token: String) {
        let visible = |seat: &Seat| {
            let (room, before) = self.recorded[&seat.room()];
            (room, before + seat.log().watermark() as usize)
        };
        let events = self.seats.iter().map(visible).collect();
        self.barriers.push(Barrier { token, events });
    }

    /// An act ends the connection.
    pub(crate) fn be_removed(&mut self, act: Arc<Act>) {
        let behind = self.seats.iter().map(Seat::mark_of_departure).collect();
        self.let_in();
        self.tell(behind, Mail::Answer(Answer::Notice(Notice::Act(act))));
        self.leave(None);
    }

    /// Leaves the server.
    pub(crate) fn leave(&mut self, words: Option<Line>) {
        self.let_in();
        self.call.asked = None;
        self.call.link = None;
        if let Some(presence) = self.presence.take() {
            presence.leave(words);
        }
        self.seats.clear(); // they ended with the presence
    }
}
