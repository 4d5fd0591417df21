//! Commands, and other input that is not a line. Knows no wording: answers are values, which the
//! dialect puts into words.

use std::ops::ControlFlow;

use jiff::{Timestamp, ZonedDateTime};
use parlor_core::link::{
    Answer, Change, Command, Decoder, Excerpt, Input, Mail, Outcome, Query, Refusal, Replay,
    Request, Spec,
};
use parlor_core::model::{Line, Missed, RoomName, WallTime, network};
use tokio::io::AsyncRead;

use super::ended::{SessionEnd, Stop};
use super::read::Reader;
use crate::clock::moment;
use crate::journal::{Ahead, Owner, Searcher, Unreadable};

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Runs a command, or tells the person why it is refused.
    pub(super) async fn obey(&mut self, input: Input) -> ControlFlow<SessionEnd> {
        match self.carry_out(input).await {
            Ok(None) => {}
            Ok(Some(mail)) => self.reply(mail).await,
            Err(Stop::Refused(refusal)) => self.answer(refusal).await,
            Err(Stop::Ended(ended)) => return ControlFlow::Break(ended),
        }
        ControlFlow::Continue(())
    }

    async fn carry_out(&mut self, input: Input) -> Result<Option<Mail>, Stop> {
        let answer = match input {
            Input::Nothing | Input::Secret(_) => None,
            Input::Say(spoken) => {
                self.post_lines(vec![spoken]).await;
                None
            }
            Input::SayAll(lines) => {
                self.say_all(lines).await;
                None
            }
            Input::In(room, input) => {
                self.turn_to(&room)?;
                return Box::pin(self.carry_out(*input)).await;
            }
            Input::Enter(room, start) => return Ok(self.enter_too(room, start).await),
            Input::Leave(room) => {
                self.leave_one(&room)?;
                None
            }
            Input::Read(excerpt) => return Ok(Some(self.read_excerpt(excerpt).await?)),
            Input::People { from } => {
                let room = self.seat.room();
                self.link.wait_for_space().await;
                self.ask(Query::People { room, from }).await
            }
            Input::Farewell(bytes) => {
                self.link.reply(self.seat.mark(), Mail::Raw(bytes));
                return Err(SessionEnd::Foreign.into());
            }
            Input::Command(command) => return self.run_command(command).await,
            Input::Refused(refusal) => return Err(refusal.into()),
            Input::Raw(bytes) => return Ok(Some(Mail::Raw(bytes))),
        };
        Ok(answer.map(Mail::Answer))
    }

    async fn run_command(&mut self, command: Command) -> Result<Option<Mail>, Stop> {
        let here = self.seat.room();
        let answer = match command {
            Command::Help(spec) => Some(Answer::Help(spec)),
            Command::Who(room) => self.ask(Query::Who { here, room }).await,
            Command::Private { to, text } => self.write_to(to, text).await,
            Command::Rooms => self.ask(Query::Rooms).await,
            Command::Join(room) => return Ok(self.move_to(room).await),
            Command::Act(deed) => {
                let here = Some(here);
                self.ask(Change::Act { here, deed }).await
            }
            Command::Bans => self.ask(Query::Bans { here: Some(here) }).await,
            Command::Keepers => self.ask(Query::Keepers { here: Some(here) }).await,
            Command::Topic => self.ask(Query::Topic(here)).await,
            Command::SetTopic(text) => self.ask(Change::SetTopic { room: here, text }).await,
            Command::Last(lines) => {
                let seq = u64::MAX;
                let excerpt = Excerpt::Before { seq, lines };
                return Ok(Some(self.read_excerpt(excerpt).await?));
            }
            Command::Since(since) => return Ok(Some(self.since(since).await?)),
            Command::Search { words, skip, spec } => self.search(words, skip, spec).await?,
            Command::Forget { all, spec } => Some(self.forget(all, spec).await?),
            Command::Register { keeps_token, spec } => {
                Some(self.register(keeps_token, spec).await?)
            }
            Command::Name(typed) => self.rename(&typed).await?,
            Command::Code(spec) => Some(self.show_code(spec).await?),
            Command::Token { revoke, spec } => Some(self.token(revoke, spec).await?),
            Command::Resume(_) => return Err(Refusal::TooLateToResume.into()),
            Command::Missed(spec) => self.missed(spec).await?,
            Command::Ignore(typed) => self.ask(Query::Ignore(typed)).await,
            Command::Unignore(typed) => Some(Answer::Unignore(typed)),
            Command::Quiet(quiet) => Some(Answer::Quiet(quiet)),
            Command::Echo(echo) => Some(Answer::Echo(echo)),
            Command::Quit(words) => return Err(SessionEnd::Quit(words).into()),
            Command::Say(_) => None, // the decoder turns it into a line
        };
        Ok(answer.map(Mail::Answer))
    }

    /// Asks the broadcaster; `None` if the person sees the effect without an answer.
    pub(crate) async fn ask(&mut self, request: impl Into<Request>) -> Option<Answer> {
        match self.link.call(request).await {
            Outcome::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    async fn since(&self, typed: Line) -> Result<Mail, Stop> {
        let now = ZonedDateTime::new(Timestamp::now(), self.settings.zone.clone());
        let at = moment::parse(typed.as_str(), &now).ok_or(Refusal::NoSuchTime)?;
        let at = WallTime(at.as_millisecond());
        let (room, log) = (self.seat.room_name(), self.seat.log());
        let replay = Replay::between(room, log, log.since(at), log.end());
        let first = match &self.settings.history {
            // All lines of the log are later than that time, so older lines, which the log has
            // dropped, may be later too.
            Some(history) if replay.from.seq == log.start().seq => {
                history.first_since(room, at).await?
            }
            _ => None,
        };
        Ok(self.show(first.unwrap_or(u64::MAX), u64::MAX, replay).await?)
    }

    /// Lines before or after a number. The journal has those that the log has dropped, perhaps all
    /// of them.
    async fn read_excerpt(&self, excerpt: Excerpt) -> Result<Mail, Unreadable> {
        let (room, log) = (self.seat.room_name(), self.seat.log());
        let history = self.settings.history.as_deref();
        let start = log.start().seq;
        match excerpt {
            Excerpt::Before { seq, lines } => {
                let last = seq.saturating_sub(1);
                let to = log.behind(last);
                let from = log.back(to, lines);
                let missing = lines.saturating_sub(log.words(from, to));
                let older = from.seq.min(last);
                let first = match history {
                    Some(history) if missing > 0 => history.back(room, older, missing).await?,
                    _ => older + 1,
                };
                let replay = Replay::between(room, log, from, to);
                self.show(first, last, replay).await
            }
            Excerpt::After { seq, lines } => {
                let ahead = match history {
                    Some(history) if seq < start => history.ahead(room, seq, start, lines).await?,
                    _ => Ahead { lines: 0, last: start },
                };
                let from = log.behind(seq.max(start));
                let to = log.ahead(from, lines - ahead.lines.min(lines));
                let replay = Replay::between(room, log, from, to);
                self.show(seq.saturating_add(1), ahead.last, replay).await
            }
        }
    }

    /// Shows the lines from number `first` to `last`: first those before the replay, from the
    /// journal, then the replay.
    async fn show(&self, first: u64, last: u64, replay: Replay) -> Result<Mail, Unreadable> {
        let before = replay.from.seq.min(last);
        let shown = self.show_stored(self.seat.room_name(), first, before).await?;
        Ok(match shown {
            0 if replay.words() == 0 => Mail::Answer(Answer::NothingKept),
            _ => Mail::Replay(replay),
        })
    }

    /// Shows exactly the lines that the last notice counted.
    async fn missed(&mut self, spec: &'static Spec) -> Result<Option<Answer>, Stop> {
        if self.settings.history.is_none() {
            return Err(Refusal::NeedsDisk(spec).into());
        }
        let missed = self.link.client().missed().ok_or(Refusal::NothingMissed)?;
        let Missed { room, first, last } = missed;
        if self.barred().await?.contains(&room) {
            return Err(Refusal::NotThere.into());
        }
        let shown = self.show_stored(&room, first, last).await?;
        Ok((shown == 0).then_some(Answer::NothingKept))
    }

    /// The rooms that the person may not read.
    async fn barred(&mut self) -> Result<Vec<RoomName>, Refusal> {
        match self.link.call(Query::Barred).await {
            Outcome::Barred(barred) => Ok(barred),
            _ => Err(Refusal::NotThere),
        }
    }

    /// Shows stored lines, page by page, each as soon as the mailbox has space for it. Returns the
    /// number of lines.
    async fn show_stored(
        &self,
        room: &RoomName,
        first: u64,
        last: u64,
    ) -> Result<usize, Unreadable> {
        let Some(history) = &self.settings.history else {
            return Ok(0);
        };
        let log = self.seat.log();
        let (mut next, mut shown) = (first, 0);
        while next <= last && self.seat.removed().is_none() {
            let page = history.page(room, next, last).await?;
            next = page.next;
            shown += page.lines.len();
            if page.lines.is_empty() {
                continue; // all of them are deleted
            }
            let end = log.end();
            self.reply(Mail::Replay(Replay {
                older: page.lines,
                ..Replay::between(room, log, end, end)
            }))
            .await;
        }
        Ok(shown)
    }

    /// Shows the lines that contain these words, each as soon as the mailbox has space for it.
    /// Returns the closing answer.
    async fn search(
        &mut self,
        words: Line,
        skip: u64,
        spec: &'static Spec,
    ) -> Result<Option<Answer>, Stop> {
        let (Some(search), Some(history)) = (&self.settings.search, &self.settings.history) else {
            return Err(Refusal::NeedsDisk(spec).into());
        };
        let barred = self.barred().await?;
        let may_read = Box::new(move |room: &RoomName| !barred.contains(room));
        let address = self.peer.address;
        let searcher = Searcher {
            person: self.link.client().id(),
            network: (!address.is_loopback()).then(|| network(address)),
        };
        let found = search.find(words.as_str(), skip, searcher, may_read);
        let found = found.await?;
        if found.behind > 0 {
            self.answer(Answer::SearchBehind(found.behind)).await;
        }
        let mut shown = 0;
        for (room, seq) in found.lines {
            let page = history.page(&room, seq, seq).await?;
            // A damaged line was indexed when it was whole; its text is lost.
            for said in page.lines.into_iter().flatten() {
                shown += 1;
                let room = room.clone();
                self.answer(Answer::Found { room, said }).await;
            }
        }
        Ok(match (found.more, found.is_cut) {
            (0, false) => (shown == 0).then_some(Answer::FoundNothing(words)),
            (lines, is_cut) => Some(Answer::FoundMore { lines, is_all: !is_cut }),
        })
    }

    /// Tells which lines `/forget` would delete, or deletes them: first from the logs, which people
    /// read, and then from the file.
    async fn forget(&mut self, all: bool, spec: &'static Spec) -> Result<Answer, Refusal> {
        let accounts = self.accounts(spec)?;
        let forgetting = self.settings.forgetting.as_ref();
        let forgetting = forgetting.ok_or(Refusal::NeedsDisk(spec))?;
        let (name, _) = self.own_name().await?;
        if !all {
            return Ok(Answer::CanDelete(name));
        }
        let now = self.settings.clock.now().wall;
        let since = accounts.names.owned_since(name.clone(), now).await?;
        let since = since.ok_or(Refusal::NotOwner)?;
        let id = self.link.client().id();
        let lines = forgetting.forget(Owner { id, name, since }).await?;
        Ok(Answer::Deleted(lines as u64))
    }
}
