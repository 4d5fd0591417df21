//! A hostile client, and the session that serves it: the inputs of its lines become requests, one
//! after the other, as in a session of the server. Has no socket.

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use std::task::{Context, Waker};

use parlor_core::link::{
    Answer, Backlog, Change, Command, Decoder, Input, Link, Mail, Mark, Outcome, Presence, Query,
    Refusal, Request, Seat, Seats,
};
use parlor_core::model::{Here, Manner, Name, Profile, RoomName, Spoken};
use parlor_wire::irc::{IrcDecoder, IrcEncoder, RegistrationStep};
use parlor_wire::style::Storage;

use super::check::check_messages;
use super::lines::{HostileLines, NICKS};
use crate::guard::irc_server;

/// As in a session.
const SEATS_MAX: usize = 100;

/// The capabilities of a client are some of these.
const CAPS: [&str; 5] = [
    "",
    "server-time",
    "message-tags batch labeled-response echo-message",
    "message-tags batch draft/multiline draft/chathistory account-tag away-notify setname",
    "server-time account-tag extended-join multi-prefix userhost-in-names invite-notify",
];

/// A client waits for an outcome at most this many turns, or it hangs.
const TURNS_MAX: u32 = 10_000;

pub(super) struct HostileClient {
    link: Link,
    decoder: IrcDecoder,
    /// The number of lines that it still sends before it comes in.
    before: u8,
    number: usize,
    coming: Option<(Name, Arc<Profile>)>,
    presence: Option<Presence>,
    seats: Seats,
    backlog: Option<Backlog<IrcEncoder>>,
    inputs: VecDeque<Input>,
    /// The rooms that the command under way has left.
    left: Mark,
    /// Whether a request is under way, and for how many turns.
    asked: Option<u32>,
    pub(super) is_gone: bool,
}

impl HostileClient {
    pub(super) fn new(link: Link, number: usize, lines: &mut HostileLines) -> HostileClient {
        HostileClient {
            link,
            decoder: IrcDecoder::new(irc_server(), true),
            before: lines.few(),
            number,
            coming: None,
            presence: None,
            seats: Seats::new(),
            backlog: None,
            inputs: VecDeque::new(),
            left: Mark::default(),
            asked: None,
            is_gone: false,
        }
    }

    /// Takes an outcome, sends the next line if everything before is done, and reads everything.
    /// Returns the number of lines that it sent and of messages that it read.
    ///
    /// # Errors
    /// It reads something wrong, or an outcome does not come.
    pub(super) fn turn(&mut self, lines: &mut HostileLines) -> anyhow::Result<(u64, u64)> {
        let mut read = Vec::new();
        let mut sent = 0;
        match self.link.outcome() {
            Some(outcome) => self.take(outcome, &mut read),
            None if self.asked.is_some() => {
                let turns = self.asked.insert(self.asked.unwrap_or(0) + 1);
                anyhow::ensure!(*turns < TURNS_MAX, "an outcome does not come");
            }
            None => {}
        }
        self.run_inputs();
        if self.asked.is_none() && self.inputs.is_empty() {
            let line = match self.presence.is_some() && self.seats.is_empty() {
                true => lines.next_from_outside(),
                false => lines.next(),
            };
            self.hear(line, &mut read);
            sent = 1;
            self.run_inputs();
        }
        self.read(&mut read);
        Ok((sent, check_messages(&read)?))
    }

    /// The steps of a client that registers.
    fn register(&mut self, mut bytes: &[u8], read: &mut Vec<u8>) -> Vec<RegistrationStep> {
        iter::from_fn(|| self.decoder.register(&mut bytes, read)).collect()
    }

    fn hear(&mut self, mut bytes: &[u8], read: &mut Vec<u8>) {
        if self.presence.is_some() {
            while self.decoder.has_more() || !bytes.is_empty() {
                self.inputs.extend(self.decoder.next(&mut bytes));
            }
            return;
        }
        let mut steps = self.register(bytes, read);
        match self.before.checked_sub(1) {
            Some(before) => self.before = before,
            None => {
                let nick = NICKS[self.number % NICKS.len()];
                let caps = CAPS[self.number % CAPS.len()];
                let come = format!(
                    "\r\nCAP REQ :{caps}\r\nNICK {nick}\r\nUSER {nick} 0 * :I\r\nCAP END\r\n"
                );
                steps.extend(self.register(come.as_bytes(), read));
                self.number += NICKS.len() + 1; // another name, if this one is taken
            }
        }
        for step in steps {
            match step {
                RegistrationStep::Enter { name, profile, .. } if self.asked.is_none() => {
                    self.coming = Some((name.clone(), Arc::clone(&profile)));
                    self.ask(Change::Come { name: name.into(), profile: Some(profile) });
                }
                RegistrationStep::Enter { .. } | RegistrationStep::None => {}
                RegistrationStep::LogIn { .. } => {
                    if let Some(registration) = self.decoder.registration() {
                        registration.logged_in(Err(&Refusal::PlainPassword), read);
                    }
                }
                RegistrationStep::End => self.is_gone = true,
            }
        }
    }

    fn ask(&mut self, request: impl Into<Request>) {
        self.link.start(request);
        self.asked = Some(0);
    }

    fn take(&mut self, outcome: Outcome, read: &mut Vec<u8>) {
        self.asked = None;
        match outcome {
            Outcome::Came(presence, _) => {
                self.presence = Some(presence);
                if let Some((name, profile)) = self.coming.take() {
                    let caps = self.decoder.welcome(&name, &profile);
                    let mut encoder = IrcEncoder::new(irc_server(), Storage::Memory);
                    encoder.welcome(name.clone(), profile, caps);
                    self.backlog = Some(Backlog::new(encoder, Arc::clone(self.link.client())));
                    self.link.reply(Mark::default(), Mail::Answer(Answer::YouAre(name)));
                    self.hear(b"", read);
                }
            }
            Outcome::Entered((seat, entered)) => {
                self.seats.push(seat);
                self.reply(Mail::Entered(entered));
            }
            Outcome::Answer(Answer::Refused(refusal)) if self.presence.is_none() => {
                if let Some(registration) = self.decoder.registration() {
                    registration.refused(&refusal, read);
                }
            }
            Outcome::Answer(answer) => self.reply(Mail::Answer(answer)),
            _ => {}
        }
    }

    fn reply(&self, mail: Mail) {
        self.link.reply(self.seats.iter().map(Seat::mark).collect(), mail);
    }

    /// Runs the inputs up to the next request.
    fn run_inputs(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        if self.link.client().removed().is_some() && !self.is_gone {
            self.leave(None);
        }
        while self.asked.is_none() && !self.is_gone {
            if std::pin::pin!(self.link.wait_for_space()).poll(&mut cx).is_pending() {
                return;
            }
            let Some(input) = self.inputs.pop_front() else {
                return;
            };
            if let Err(refusal) = self.run(input) {
                self.reply(Mail::Answer(refusal.into()));
            }
        }
    }

    fn run(&mut self, input: Input) -> Result<(), Refusal> {
        match input {
            Input::Nothing | Input::Secret(_) => {}
            Input::Say(spoken) => self.post(vec![spoken])?,
            Input::SayAll(lines) => self.post(lines)?,
            Input::Signal(extras) => {
                let room = self.seats.last().ok_or(Refusal::NoSeat)?.room();
                self.ask(Change::Signal { room, extras });
            }
            Input::In(room, input) => {
                let index = self.index_of(&room)?;
                self.seats[index..].rotate_left(1);
                self.run(*input)?;
            }
            Input::Enter { .. } if self.seats.len() >= SEATS_MAX => {
                return Err(Refusal::TooManySeats(SEATS_MAX));
            }
            Input::Enter { room, password, .. } => {
                self.ask(Change::Join { room, password, replay: 4 })
            }
            Input::Leave(room, words) => {
                let index = self.index_of(&room)?;
                let seat = self.seats.remove(index);
                let both = [std::mem::take(&mut self.left), seat.mark_of_departure()];
                self.left = both.into_iter().collect();
                seat.leave(words);
            }
            Input::LeaveAll => self.seats.clear(),
            Input::Private { to, lines, is_for_programs } => {
                self.ask(Query::Private { to, lines, is_for_programs, may_be_own: true });
            }
            Input::ListPeople(room) => self.ask(Query::People { room, from: 0 }),
            Input::ListBans(room) => {
                self.ask(Query::Bans { here: Here::RoomOnly(room), skip: 0 });
            }
            Input::FindPeople(_) => self.ask(Query::Findable { from: 0 }),
            Input::ListRooms => self.ask(Query::AllRooms { after: None }),
            Input::Ask(request) => self.ask(*request),
            Input::WantRoster(wants) => self.link.client().want_roster(wants),
            Input::Begin(asked) => self.reply(Mail::Begin(asked)),
            Input::End => {
                let here: Mark = self.seats.iter().map(Seat::mark).collect();
                let mark = [here, std::mem::take(&mut self.left)].into_iter().collect();
                self.link.reply(mark, Mail::End);
            }
            Input::Raw(bytes) => self.reply(Mail::Raw(bytes)),
            Input::Farewell(bytes) => {
                self.reply(Mail::Raw(bytes));
                self.leave(None);
            }
            Input::Command(command) => self.run_command(command)?,
            Input::Refused(refusal) => return Err(refusal),
            // A server without stored lines has no accounts and no earlier lines.
            Input::LogIn { .. }
            | Input::Oper { .. }
            | Input::Register(_)
            | Input::ChangePassword { .. } => {
                return Err(Refusal::PlainPassword);
            }
            Input::Read(_) | Input::Recall(..) | Input::RecallRooms(..) => {
                return Err(Refusal::NotThere);
            }
        }
        Ok(())
    }

    fn run_command(&mut self, command: Command) -> Result<(), Refusal> {
        let here = self.seats.last().ok_or(Refusal::NoSeat);
        match command {
            Command::Name(typed) => self.ask(Change::Rename(Name::parse(typed.as_str())?.into())),
            Command::Quit(words) => self.leave(words),
            Command::SetTopic(text) => {
                let room = here?.room();
                self.ask(Change::SetTopic { room, text });
            }
            Command::Act(deed) => {
                let here = here.map_or(Here::Server, |seat| Here::Room(seat.room_name().clone()));
                self.ask(Change::Act { here, deed });
            }
            Command::Private { to, text } => {
                let lines = vec![Spoken::new(Manner::Plain, text)];
                self.ask(Query::Private { to, lines, is_for_programs: false, may_be_own: false });
            }
            Command::Who(None) => {
                let room = here?.room();
                self.ask(Query::Who(room));
            }
            Command::Who(Some(room)) => self.ask(Query::WhoIn(room)),
            Command::Rooms => self.ask(Query::Rooms),
            Command::Rules => {
                let room = here?.room_name().clone();
                self.ask(Query::Rules(room));
            }
            Command::Topic => {
                let room = here?.room_name().clone();
                self.ask(Query::Topic(room));
            }
            Command::Invite(to) => {
                let room = here?.room_name().clone();
                self.ask(Query::Invite { to, room });
            }
            Command::Ignore(typed) => self.ask(Query::Ignore(typed)),
            Command::Unignore(typed) => self.reply(Mail::Answer(Answer::Unignore(typed))),
            Command::Help(spec) => self.reply(Mail::Answer(Answer::Help(spec))),
            _ => return Err(Refusal::NotThere),
        }
        Ok(())
    }

    fn post(&mut self, lines: Vec<Spoken>) -> Result<(), Refusal> {
        let room = self.seats.last().ok_or(Refusal::NoSeat)?.room();
        self.ask(Change::Say { room, lines });
        Ok(())
    }

    fn index_of(&self, room: &RoomName) -> Result<usize, Refusal> {
        let mut seats = self.seats.iter();
        seats.position(|seat| seat.room_name() == room).ok_or(Refusal::NotThere)
    }

    fn leave(&mut self, words: Option<parlor_core::model::Line>) {
        self.is_gone = true;
        if let Some(presence) = self.presence.take() {
            presence.leave(words);
        }
        self.seats.clear(); // they ended with the presence
    }

    /// Reads everything.
    fn read(&mut self, read: &mut Vec<u8>) {
        if let Some(backlog) = &mut self.backlog {
            loop {
                backlog.collect();
                if backlog.is_empty() {
                    break;
                }
                let before = read.len();
                backlog.runs().for_each(|run| read.extend_from_slice(run));
                backlog.advance(read.len() - before);
            }
        }
        // Removed from some rooms only.
        self.seats.retain(|seat| seat.removed().is_none());
    }
}
