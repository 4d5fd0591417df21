//! The reading half of a session: bytes to requests, within the rate.
//!
//! Knows no dialect: a decoder gives the bytes their meaning.

use std::future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use parlor_core::link::{Answer, Change, Client, Decoder, Input, Mail, Notice, Outcome, Refusal};
use parlor_core::model::Spoken;
use tokio::io::AsyncRead;
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::account;
use super::commands;
use super::ended::SessionEnd;
use super::io::read_some;
use super::participant::{Effect, Participant, PasswordQuestion, are_notices};
use super::private;
use super::rooms::move_out;
use crate::accounts::HeldCode;

/// The number of lines of one read that are posted together; more would take too much memory.
const POST_LINES_MAX: usize = 256;

/// A person is warned this long before the idle limit. If the limit is too short for that, the
/// warning comes after four fifths of it.
const IDLE_WARNING: Duration = Duration::from_secs(60);

/// The reading half.
pub(super) struct Reader<'a, R, D> {
    input: R,
    decoder: D,
    /// Bytes that are read and not yet decoded; empty unless the person is too fast.
    held: Vec<u8>,
    person: Participant<'a>,
    /// The number of lines of the latest input from the client, 1 or 0, that are paid and of which
    /// nothing has used the price yet. One input may become several.
    prepaid: usize,
    /// Whether the welcome is written, so mail from others is let in.
    is_welcome: bool,
    /// When input was last taken, on the server's clock.
    active: Duration,
    /// The number of warnings or pings since then.
    warnings: u32,
}

impl<'a, R: AsyncRead + Unpin, D: Decoder> Reader<'a, R, D> {
    /// The reading half of a person who has entered.
    pub(super) fn new(input: R, decoder: D, held: Vec<u8>, person: Participant<'a>) -> Self {
        let active = person.settings.clock.monotonic();
        let (prepaid, is_welcome, warnings) = (0, false, 0);
        let mut reader =
            Reader { input, decoder, held, person, prepaid, is_welcome, active, warnings };
        reader.let_in_after_welcome();
        reader
    }

    /// Lets mail from others in, behind the decoder's own first inputs: an IRC client reads its welcome
    /// first.
    fn let_in_after_welcome(&mut self) {
        if !self.is_welcome && !self.has_more() {
            self.is_welcome = true;
            self.client().let_in();
        }
    }

    /// Reads until there is a reason to end.
    pub(super) async fn read_lines(&mut self) -> SessionEnd {
        let mut idle = pin!(sleep_until(self.next_idle_step()));
        loop {
            if let Err(ended) = self.read_next(idle.as_mut()).await {
                return ended;
            }
        }
    }

    /// Reads, decodes, and acts on what was decoded. Rare work is boxed, since an idle connection
    /// would always hold its memory.
    async fn read_next(&mut self, idle: Pin<&mut Sleep>) -> Result<(), SessionEnd> {
        self.let_in_after_welcome();
        // Kept messages come behind the welcome, too.
        if !self.has_more() && mem::take(&mut self.person.may_have_messages) {
            Box::pin(private::deliver_messages(&mut self.person)).await;
        }
        // Checked here too, because a client that keeps sending never waits in the select below.
        if self.person.is_removed() {
            Box::pin(move_out(&mut self.person, self.decoder.chooses_rooms())).await?;
        }
        if self.held.is_empty() && !self.has_more() && self.read_or_idle(idle).await? == 0 {
            return Err(Box::pin(self.finish()).await);
        }
        let allowed = match self.has_more() {
            true => 0, // they belong to an input that was already counted
            false => self.allowance().await,
        };
        let (lines, then) = self.decode(allowed);
        if !lines.is_empty() {
            self.post_lines(lines).await;
        }
        if let Some(input) = then {
            Box::pin(self.obey(input)).await?;
        }
        self.active = self.person.settings.clock.monotonic();
        self.warnings = 0;
        Ok(())
    }

    async fn read_or_idle(&mut self, mut idle: Pin<&mut Sleep>) -> Result<usize, SessionEnd> {
        loop {
            let max = self.person.settings.read_bytes_max;
            select! {
                biased;
                () = self.person.removed() => {
                    Box::pin(move_out(&mut self.person, self.decoder.chooses_rooms())).await?;
                }
                read = read_some(&mut self.input, &mut self.held, max) => {
                    return read.map_err(|_| SessionEnd::Broken);
                }
                () = idle.as_mut() => {
                    if let Err(ended) = self.idle_step() {
                        return self.read_at_last().await.ok_or(ended);
                    }
                }
            }
            idle.as_mut().reset(self.next_idle_step());
        }
    }

    /// Looks once more at the input before an idle connection is closed.
    async fn read_at_last(&mut self) -> Option<usize> {
        yield_now().await; // so that the runtime sees new input
        let max = self.person.settings.read_bytes_max;
        let read = poll_once(read_some(&mut self.input, &mut self.held, max)).await?;
        read.ok()
    }

    /// Whether the decoder has an input that needs no more bytes. It waits while a question does.
    fn has_more(&self) -> bool {
        self.person.question.is_none() && self.decoder.has_more()
    }

    /// The number of inputs that may be taken now: at least one, after a pause if the person is too
    /// fast.
    async fn allowance(&mut self) -> usize {
        let wait = self.person.pace.wait();
        if !wait.is_zero() {
            sleep(wait).await;
        }
        self.person.pace.level().map_or(POST_LINES_MAX, |lines| lines.clamp(1, POST_LINES_MAX))
    }

    /// Decodes up to `allowed` inputs: lines, and the first input that is not a line. An input that
    /// needs no more bytes belongs to one that was counted already, and costs only what goes beyond.
    fn decode(&mut self, allowed: usize) -> (Vec<Spoken>, Option<Input>) {
        let mut rest = self.held.as_slice();
        let mut lines = Vec::new();
        let mut then = None;
        let mut taken = 0;
        while then.is_none() {
            let is_new = !self.has_more();
            if is_new && taken >= allowed {
                break;
            }
            let input = match self.person.question {
                None => self.decoder.next(&mut rest),
                Some(_) => self.decoder.next_secret(&mut rest),
            };
            if is_new && input.is_some() {
                self.prepaid = 1;
                taken += 1;
            }
            let input = match input {
                Some(Input::In(room, input)) if self.person.speaks_in(&room) => Some(*input),
                input => input,
            };
            match input {
                Some(Input::Say(spoken)) => {
                    taken += 1 - mem::take(&mut self.prepaid);
                    lines.push(spoken);
                }
                Some(Input::Nothing) => {}
                Some(other) => then = Some(other),
                None => break,
            }
        }
        let left = rest.len();
        self.consume(left, taken);
        (lines, then)
    }

    /// Removes the bytes of decoded inputs, of which `left` are left, and pays for the inputs.
    fn consume(&mut self, left: usize, inputs: usize) {
        match self.held.len() - left {
            _ if left == 0 => self.held = Vec::new(), // an idle connection holds no buffer
            used => drop(self.held.drain(..used)),
        }
        self.person.pace.pay(inputs);
    }

    /// Pays for an input what is not paid yet. A price above the burst leaves a debt: the next input
    /// waits.
    fn pay_price(&mut self, input: &Input) {
        let price = commands::price_in_lines(input, self.person.seats.len());
        self.person.pace.pay(price.saturating_sub(self.prepaid));
        self.prepaid = self.prepaid.saturating_sub(price);
    }

    /// Posts the lines, and waits until they are ordered, stored and shown. A connection has one
    /// post at a time.
    async fn post_lines(&mut self, lines: Vec<Spoken>) {
        let are_notices = are_notices(&lines);
        let room = match self.person.here() {
            Ok(seat) => seat.room(),
            Err(refusal) => return Box::pin(self.person.answer(refusal)).await,
        };
        if let Outcome::Answer(refusal) = self.person.link.call(Change::Say { room, lines }).await
            && !are_notices
        {
            Box::pin(self.refuse_lines(refusal)).await;
        }
    }

    /// Tells why lines are not said in the room where the person speaks.
    async fn refuse_lines(&mut self, refusal: Answer) {
        if let Ok(room) = self.person.here().map(|seat| seat.room_name().clone()) {
            self.person.refuse_post(&room, refusal).await;
        }
    }

    /// Runs an input that is not a line, and does what it leaves to do.
    async fn obey(&mut self, input: Input) -> Result<(), SessionEnd> {
        self.pay_price(&input);
        let post = commands::room_of_post(&input).cloned();
        let effect = match input {
            Input::Secret(typed) => match self.person.question.take() {
                Some(question) => {
                    self.conceal(false).await;
                    account::answer(&mut self.person, *question, typed).await
                }
                None => return Ok(()),
            },
            input => commands::run(&mut self.person, input).await,
        };
        match effect {
            Ok(Effect::None) => {}
            Ok(Effect::Tell(mail)) => self.person.reply(mail).await,
            Ok(Effect::Post(lines)) => self.post_lines(lines).await,
            Ok(Effect::Ask(question)) => self.ask(question).await,
            Ok(Effect::AskNothing(refusal, answers)) => {
                return self.ask_nothing(refusal, answers).await;
            }
            Ok(Effect::End(ended)) => return Err(ended),
            Err(refusal) => match post {
                Some(room) => self.person.refuse_post(&room, refusal).await,
                None => self.person.answer(refusal).await,
            },
        }
        Ok(())
    }

    /// Asks a question: the next line is its answer, even if it begins with a slash.
    async fn ask(&mut self, question: Box<PasswordQuestion>) {
        self.conceal(true).await;
        self.person.answer(Answer::Password(question.words())).await;
        self.person.question = Some(question);
    }

    async fn conceal(&mut self, is_hidden: bool) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.person.reply(Mail::Raw(bytes)).await;
        }
    }

    /// Tells why no password is asked for. Drops answers that came together with the command, as in
    /// a paste.
    async fn ask_nothing(&mut self, refusal: Refusal, answers: usize) -> Result<(), SessionEnd> {
        let mut others = Vec::new();
        let mut dropped = 0;
        while dropped < answers {
            let mut rest = self.held.as_slice();
            let input = self.decoder.next_secret(&mut rest);
            let left = rest.len();
            self.consume(left, usize::from(input.is_some()));
            match input {
                Some(Input::Secret(_)) => dropped += 1,
                Some(other) => others.push(other),
                None => break,
            }
        }
        self.person.answer(refusal).await;
        if dropped > 0 {
            self.person.answer(Refusal::AnswersDropped(dropped)).await;
        }
        for other in others {
            self.prepaid = 1;
            Box::pin(self.obey(other)).await?;
        }
        Ok(())
    }

    /// The end of the input: a last line without an ending counts, except as an answer.
    async fn finish(&mut self) -> SessionEnd {
        let last = match self.person.question {
            None => self.decoder.finish(),
            Some(_) => None,
        };
        match last {
            Some(input) => self.obey(input).await.err().unwrap_or(SessionEnd::EndOfInput),
            None => SessionEnd::EndOfInput,
        }
    }

    /// Handles the end of the idle timer. It may be too early, because input does not reset the
    /// timer.
    fn idle_step(&mut self) -> Result<(), SessionEnd> {
        let Some(limit) = self.person.settings.idle.limit(self.person.is_named) else {
            return Ok(());
        };
        let now = self.person.settings.clock.monotonic();
        let silent = now.saturating_sub(self.active);
        if silent >= limit {
            return Err(SessionEnd::Idle(limit));
        }
        let warning = self.next_warning(limit);
        if silent >= warning {
            self.warnings += 1;
            let notice = Notice::Idle { silent: warning, left: limit.saturating_sub(warning) };
            self.person.link.reply(self.person.mark(), Mail::Answer(Answer::Notice(notice)));
        }
        Ok(())
    }

    fn next_warning(&self, limit: Duration) -> Duration {
        warning_after(self.person.settings.ask_every, self.warnings, limit)
    }

    fn next_idle_step(&self) -> Instant {
        let silent = match self.person.settings.idle.limit(self.person.is_named) {
            Some(limit) => self.next_warning(limit).min(limit),
            None => Duration::from_secs(365 * 86_400),
        };
        self.person.settings.clock.instant(self.active + silent)
    }

    /// The broadcaster's side of this connection.
    pub(super) fn client(&self) -> &Arc<Client> {
        self.person.link.client()
    }

    /// Whether the person may reconnect in a moment, with a return code.
    pub(super) fn may_return(&self, ended: &SessionEnd) -> bool {
        let is_lost =
            matches!(ended, SessionEnd::EndOfInput | SessionEnd::Foreign | SessionEnd::Broken);
        is_lost && self.person.code.is_some() && self.decoder.may_return()
    }

    /// Leaves all rooms, with a final message to the person. Returns the input, which the door
    /// closes, and the return code, if there is one.
    pub(super) fn leave(mut self, ended: &SessionEnd) -> (R, Option<Box<HeldCode>>) {
        if self.person.question.is_some()
            && let Some(bytes) = self.decoder.conceal(false)
        {
            self.person.link.reply(self.person.mark(), Mail::Raw(bytes));
        }
        let code = self.person.code.take();
        self.person.leave(ended, self.decoder.says_goodbye());
        (self.input, code)
    }
}

/// The result, if it is ready now.
async fn poll_once<T>(waiting: impl Future<Output = T>) -> Option<T> {
    select! {
        biased;
        done = waiting => Some(done),
        () = future::ready(()) => None,
    }
}

/// The silence before the next warning; the limit if there is no further warning.
fn warning_after(ask_every: Option<Duration>, warnings: u32, limit: Duration) -> Duration {
    match (ask_every, warnings) {
        (Some(every), warnings) => every * (warnings + 1),
        (None, 0) => limit.saturating_sub(IDLE_WARNING).max(limit / 5 * 4),
        (None, _) => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_can_be_asked_are_asked_again_and_others_are_warned_once() {
        let seconds = Duration::from_secs;
        let asked = |warnings| warning_after(Some(seconds(15)), warnings, seconds(40));
        assert_eq!([asked(0), asked(1), asked(2)], [15, 30, 45].map(seconds));
        let warned = |warnings| warning_after(None, warnings, seconds(300));
        assert_eq!([warned(0), warned(1)], [240, 300].map(seconds));
    }
}
