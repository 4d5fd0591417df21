//! What a session does with everything that is not a line: commands, and what makes no sense.
//!
//! Knows no wording: answers are values, which the dialect puts into words.

use std::ops::ControlFlow;

use jiff::{Timestamp, ZonedDateTime};
use parlor_core::link::{
    Answer, Change, Command, Decoder, Excerpt, Input, Mail, Outcome, Query, Refusal, Replay,
    Request, Spec,
};
use parlor_core::model::{Claim, Line, Missed, RoomName, WallTime, network};
use tokio::io::AsyncRead;

use super::ended::SessionEnd;
use super::read::Reader;
use crate::clock::moment;
use crate::journal::{Ahead, Found, Owner, Searcher, Unreadable};

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Does what was asked, or says why not.
    pub(crate) async fn obey(&mut self, input: Input) -> ControlFlow<SessionEnd> {
        let item = match input {
            Input::Nothing | Input::Secret(_) => return ControlFlow::Continue(()),
            Input::Say(spoken) => {
                self.post(vec![spoken]).await;
                None
            }
            Input::SayAll(lines) => {
                self.say_all(lines).await;
                None
            }
            Input::In(room, input) => match self.turn_to(&room) {
                Ok(()) => return Box::pin(self.obey(*input)).await,
                Err(refusal) => Some(Mail::Answer(refusal.into())),
            },
            Input::Enter(room, start) => self.enter_too(room, start).await,
            Input::Leave(room) => self.leave_one(&room).map(Mail::Answer),
            Input::Read(next) => {
                let item = self.read_next(next).await;
                Some(item.unwrap_or_else(|Unreadable| Mail::Answer(Refusal::Unreadable.into())))
            }
            Input::People { from } => {
                let room = self.seat.room();
                self.link.wait_for_space().await;
                let refused = self.ask(Query::People { room, from }).await;
                refused.map(Mail::Answer)
            }
            Input::Command(Command::Quit(words)) => {
                return ControlFlow::Break(SessionEnd::Quit(words));
            }
            Input::Farewell(bytes) => {
                self.link.reply(self.seat.mark(), Mail::Raw(bytes));
                return ControlFlow::Break(SessionEnd::Foreign);
            }
            Input::Command(Command::Register { keeps_token, spec }) => {
                match self.register(keeps_token, spec).await {
                    Ok(answer) => Some(Mail::Answer(answer)),
                    Err(ended) => return ControlFlow::Break(ended),
                }
            }
            Input::Command(Command::Name(typed)) => match self.rename(&typed).await {
                Ok(answer) => answer.map(Mail::Answer),
                Err(ended) => return ControlFlow::Break(ended),
            },
            Input::Command(command) => self.run_command(command).await,
            Input::Refused(refusal) => Some(Mail::Answer(Answer::Refused(refusal))),
            Input::Raw(bytes) => Some(Mail::Raw(bytes)),
        };
        if let Some(item) = item {
            self.reply(item).await;
        }
        ControlFlow::Continue(())
    }

    async fn run_command(&mut self, command: Command) -> Option<Mail> {
        let here = self.seat.room();
        let answer = match command {
            Command::Help(spec) => Answer::Help(spec),
            Command::Who(room) => self.ask(Query::Who { here, room }).await?,
            Command::Private { to, text } => self.write_to(to, text).await?,
            Command::Rooms => self.ask(Query::Rooms).await?,
            Command::Join(room) => return self.move_to(room).await,
            Command::Act(deed) => {
                let here = Some(here);
                self.ask(Change::Act { here, deed }).await?
            }
            Command::Bans => self.ask(Query::Bans { here: Some(here) }).await?,
            Command::Keepers => self.ask(Query::Keepers { here: Some(here) }).await?,
            Command::Topic => self.ask(Query::Topic(here)).await?,
            Command::SetTopic(text) => self.ask(Change::SetTopic { room: here, text }).await?,
            Command::Last(lines) => return Some(self.last(lines).await),
            Command::Since(since) => return Some(self.since(since).await),
            Command::Search { words, skip, spec } => return self.search(words, skip, spec).await,
            Command::Forget { all, spec } => self.forget(all, spec).await,
            Command::Code(spec) => self.show_code(spec).await,
            Command::Token { revoke, spec } => self.token(revoke, spec).await,
            Command::Resume(_) => Refusal::TooLateToResume.into(),
            Command::Missed(spec) => return self.missed(spec).await,
            Command::Ignore(typed) => self.ask(Query::Find(typed)).await?,
            Command::Unignore(typed) => Answer::Unignored(typed),
            Command::Quiet(quiet) => Answer::Quiet(quiet),
            Command::Echo(echo) => Answer::Echo(echo),
            // Taken care of before.
            Command::Say(_) | Command::Quit(_) | Command::Name(_) | Command::Register { .. } => {
                return None;
            }
        };
        Some(Mail::Answer(answer))
    }

    /// Asks the broadcaster; none where what was asked shows by itself.
    pub(crate) async fn ask(&mut self, request: impl Into<Request>) -> Option<Answer> {
        match self.link.call(request).await {
            Outcome::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    async fn last(&self, lines: u64) -> Mail {
        let read = self
            .read_next(Excerpt::Before {
                seq: u64::MAX,
                lines,
            })
            .await;
        read.unwrap_or_else(|Unreadable| Mail::Answer(Refusal::Unreadable.into()))
    }

    async fn since(&self, typed: Line) -> Mail {
        let now = ZonedDateTime::new(Timestamp::now(), self.settings.zone.clone());
        let Some(at) = moment::parse(typed.as_str(), &now) else {
            return Mail::Answer(Answer::Refused(Refusal::NoSuchTime));
        };
        let at = WallTime(at.as_millisecond());
        let log = self.seat.log();
        let replay = Replay::between(self.seat.room_name(), log, log.since(at), log.end());
        let first = match &self.settings.history {
            // What the log has begins with it, and so may what it has not.
            Some(history) if replay.from.seq == log.start().seq => {
                match history.first_since(self.seat.room_name(), at).await {
                    Ok(first) => first.unwrap_or(u64::MAX),
                    Err(Unreadable) => return Mail::Answer(Refusal::Unreadable.into()),
                }
            }
            _ => u64::MAX,
        };
        self.show(first, u64::MAX, replay).await
    }

    /// The lines next to a number. What the log has let go of is the journal's: perhaps all of it.
    async fn read_next(&self, next: Excerpt) -> Result<Mail, Unreadable> {
        let (room, log) = (self.seat.room_name(), self.seat.log());
        let history = self.settings.history.as_deref();
        let start = log.start().seq;
        match next {
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
                Ok(self.show(first, last, replay).await)
            }
            Excerpt::After { seq, lines } => {
                let ahead = match history {
                    Some(history) if seq < start => history.ahead(room, seq, start, lines).await?,
                    _ => Ahead {
                        lines: 0,
                        last: start,
                    },
                };
                let from = log.behind(seq.max(start));
                let to = log.ahead(from, lines - ahead.lines.min(lines));
                let replay = Replay::between(room, log, from, to);
                Ok(self.show(seq.saturating_add(1), ahead.last, replay).await)
            }
        }
    }

    /// Has lines shown from number `first` to `last`: from the journal what stands before the replay, and then the replay.
    async fn show(&self, first: u64, last: u64, replay: Replay) -> Mail {
        let before = replay.from.seq.min(last);
        match self.show_kept(self.seat.room_name(), first, before).await {
            Err(Unreadable) => Mail::Answer(Refusal::Unreadable.into()),
            Ok(0) if replay.words() == 0 => Mail::Answer(Answer::NothingKept),
            Ok(_) => Mail::Replay(replay),
        }
    }

    /// Exactly the lines that the last notice counted.
    async fn missed(&mut self, spec: &'static Spec) -> Option<Mail> {
        if self.settings.history.is_none() {
            return Some(Mail::Answer(Refusal::NeedsDisk(spec).into()));
        }
        let Some(missed) = self.link.client().missed() else {
            return Some(Mail::Answer(Refusal::NothingMissed.into()));
        };
        let Missed { room, first, last } = missed;
        match self.link.call(Query::Barred).await {
            Outcome::Barred(barred) if !barred.contains(&room) => {}
            _ => return Some(Mail::Answer(Refusal::NotThere.into())),
        }
        match self.show_kept(&room, first, last).await {
            Err(Unreadable) => Some(Mail::Answer(Refusal::Unreadable.into())),
            Ok(0) => Some(Mail::Answer(Answer::NothingKept)),
            Ok(_) => None,
        }
    }

    /// Has lines shown that the journal keeps, page by page, each as soon as there is room for it. How many there were.
    async fn show_kept(&self, room: &RoomName, first: u64, last: u64) -> Result<usize, Unreadable> {
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
                continue; // all of them have been taken out
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

    /// Has the lines shown that have these words; what is left to say.
    pub(super) async fn search(
        &mut self,
        words: Line,
        skip: u64,
        spec: &'static Spec,
    ) -> Option<Mail> {
        let Some(search) = &self.settings.search else {
            return Some(Mail::Answer(Refusal::NeedsDisk(spec).into()));
        };
        let Outcome::Barred(barred) = self.link.call(Query::Barred).await else {
            return Some(Mail::Answer(Refusal::NotThere.into()));
        };
        let may_read = Box::new(move |room: &RoomName| !barred.contains(room));
        let address = self.peer.address;
        let searcher = Searcher {
            person: self.link.client().id(),
            network: (!address.is_loopback()).then(|| network(address)),
        };
        let found = match search.find(words.as_str(), skip, searcher, may_read).await {
            Ok(found) => found,
            Err(refusal) => return Some(Mail::Answer(refusal.into())),
        };
        if found.behind > 0 {
            self.reply(Mail::Answer(Answer::SearchBehind(found.behind)))
                .await;
        }
        self.show_found(words, &found)
            .await
            .unwrap_or_else(|Unreadable| Some(Refusal::Unreadable.into()))
            .map(Mail::Answer)
    }

    async fn show_found(&self, words: Line, found: &Found) -> Result<Option<Answer>, Unreadable> {
        let Some(history) = &self.settings.history else {
            return Ok(None);
        };
        let mut shown = 0;
        for (room, seq) in &found.lines {
            let page = history.page(room, *seq, *seq).await?;
            // What is damaged has been indexed as it was; what it was, nobody knows any more.
            for said in page.lines.into_iter().flatten() {
                shown += 1;
                let room = room.clone();
                self.reply(Mail::Answer(Answer::Found { room, said })).await;
            }
        }
        Ok(match found {
            Found {
                more: 0,
                is_cut: false,
                ..
            } if shown == 0 => Some(Answer::FoundNothing(words)),
            Found {
                more: 0,
                is_cut: false,
                ..
            } => None,
            Found { more, is_cut, .. } => Some(Answer::FoundMore {
                lines: *more,
                is_all: !is_cut,
            }),
        })
    }

    /// Says what can be taken back, or takes it back: in what everybody reads first, and then in the file.
    pub(super) async fn forget(&mut self, all: bool, spec: &'static Spec) -> Answer {
        let outcome = self.try_to_forget(all, spec).await;
        outcome.unwrap_or_else(Answer::Refused)
    }

    async fn try_to_forget(&mut self, all: bool, spec: &'static Spec) -> Result<Answer, Refusal> {
        let (Some(accounts), Some(forgetting)) =
            (&self.settings.accounts, &self.settings.forgetting)
        else {
            return Err(Refusal::NeedsDisk(spec));
        };
        let Outcome::You(Claim {
            name,
            proof: Some(_),
        }) = self.link.call(Query::WhoAmI).await
        else {
            return Err(Refusal::NotOwner);
        };
        if !all {
            return Ok(Answer::CanTakeBack(name));
        }
        let now = self.settings.clock.now().wall;
        let since = accounts.names.owned_since(name.clone(), now).await?;
        let since = since.ok_or(Refusal::NotOwner)?;
        let id = self.link.client().id();
        let lines = forgetting.forget(Owner { id, name, since }).await?;
        Ok(Answer::TakenBack(lines as u64))
    }
}
