//! The reading half of a session: bytes to requests, within the rate.
//!
//! Knows no dialect: a decoder gives the bytes their meaning.

use std::future::{self, poll_fn};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parlor_core::link::{Answer, Change, Decoder, Input, Link, Mail, Notice, Outcome, Seat};
use parlor_core::model::{Bucket, Spoken, WallTime};
use tokio::io::AsyncRead;
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::ended::SessionEnd;
use super::enter::Seated;
use super::io::read_some;
use super::settings::{Peer, SessionSettings};
use crate::accounts::{Code, Standing};

/// The number of lines of one read that are posted together; more would take too much memory.
const POST_LINES_MAX: usize = 256;

/// A person is warned this long before the idle limit. If the limit is too short for that, the
/// warning comes after four fifths of it.
const IDLE_WARNING: Duration = Duration::from_secs(60);

/// The reading half.
pub(super) struct Reader<'a, R, D> {
    input: R,
    pub(super) decoder: D,
    pub(super) link: Link,
    /// The room where the person speaks.
    pub(super) seat: Seat,
    /// The other rooms, which the person reads.
    pub(super) others: Vec<Seat>,
    /// Bytes that are read and not yet decoded; empty unless the person is too fast.
    pub(super) held: Vec<u8>,
    pub(super) peer: Peer,
    /// When the person took the present name.
    pub(super) named_at: WallTime,
    /// The return code and the place that goes with it, if the person asked for a code.
    pub(super) place: Option<(Code, Standing)>,
    /// Whether there may be kept messages to show.
    pub(super) show_messages: bool,
    /// Whether the session asks for a password.
    pub(super) is_asked: bool,
    pub(super) settings: &'a SessionSettings,
    bucket: Bucket,
    /// Whether the person has chosen a name, instead of the address.
    pub(super) is_named: bool,
    /// When input was last taken, on the server's clock.
    active: Duration,
    /// The number of warnings or pings since then.
    warnings: u32,
}

/// The result of one decoding.
struct Decoded {
    /// The lines to post together.
    lines: Vec<Spoken>,
    /// The input after them, if it is not a line.
    then: Option<Input>,
}

impl<'a, R: AsyncRead + Unpin, D: Decoder> Reader<'a, R, D> {
    /// The reading half, in the room that the client entered.
    pub(super) fn new(
        input: R,
        decoder: D,
        held: Vec<u8>,
        seated: Seated,
        settings: &'a SessionSettings,
    ) -> Self {
        let Seated { link, peer, seat, entered, is_owner, place } = seated;
        let is_named = !entered.who.name.is_address();
        link.reply(seat.mark(), Mail::Entered(entered));
        Reader {
            input,
            decoder,
            link,
            seat,
            others: Vec::new(),
            held,
            peer,
            named_at: settings.clock.now().wall,
            place,
            show_messages: is_owner,
            is_asked: false,
            is_named,
            settings,
            bucket: Bucket::default(),
            active: settings.clock.monotonic(),
            warnings: 0,
        }
    }

    /// Reads until there is a reason to end.
    pub(super) async fn read_lines(&mut self) -> SessionEnd {
        let mut idle = pin!(sleep_until(self.next_idle_step()));
        if self.place.is_some() {
            Box::pin(self.note_standing()).await;
        }
        loop {
            if std::mem::take(&mut self.show_messages) {
                Box::pin(self.deliver_messages()).await;
            }
            // Checked here too, because a client that keeps sending never waits in the select
            // below.
            if self.is_removed()
                && let Err(ended) = Box::pin(self.move_out()).await
            {
                return ended;
            }
            if self.held.is_empty() && !self.decoder.has_more() {
                match self.read_or_idle(idle.as_mut()).await {
                    Ok(0) => return Box::pin(self.finish()).await,
                    Ok(_) => {}
                    Err(ended) => return ended,
                }
            }
            let allowed = match self.decoder.has_more() {
                true => 0, // they belong to an input that was already counted
                false => self.allowance().await,
            };
            let heard = self.decode(allowed);
            if let ControlFlow::Break(ended) = self.act(heard).await {
                return ended;
            }
            self.active = self.settings.clock.monotonic();
            self.warnings = 0;
        }
    }

    /// Whether the person may reconnect in a moment, with a return code.
    pub(super) fn may_return(&self, ended: &SessionEnd) -> bool {
        let is_lost =
            matches!(ended, SessionEnd::EndOfInput | SessionEnd::Foreign | SessionEnd::Broken);
        is_lost && self.place.is_some() && self.decoder.may_return()
    }

    /// Leaves all rooms, with a final message to the person. The door closes the input.
    pub(super) fn leave(self, ended: &SessionEnd) -> R {
        if let Some(notice) = ended.notice() {
            self.link.reply(self.seat.mark_of_departure(), notice);
        }
        let client = Arc::clone(self.link.client());
        drop(self.link); // so that the writer sees that the connection ends
        client.ring();
        for seat in [self.seat].into_iter().chain(self.others) {
            seat.leave(ended.words());
        }
        self.input
    }

    /// Whether the person was removed from a room.
    fn is_removed(&self) -> bool {
        is_removed(&self.seat, &self.others)
    }

    pub(super) async fn read_or_idle(
        &mut self,
        mut idle: Pin<&mut Sleep>,
    ) -> Result<usize, SessionEnd> {
        loop {
            select! {
                biased;
                () = removed(&self.seat, &self.others) => Box::pin(self.move_out()).await?,
                read = read_some(&mut self.input, &mut self.held, self.settings.read_bytes_max) => {
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
        let max = self.settings.read_bytes_max;
        let read = poll_once(read_some(&mut self.input, &mut self.held, max)).await?;
        read.ok()
    }

    /// Handles the end of the idle timer. It may be too early, because input does not reset the
    /// timer.
    fn idle_step(&mut self) -> Result<(), SessionEnd> {
        let Some(limit) = self.settings.idle.limit(self.is_named) else {
            return Ok(());
        };
        let now = self.settings.clock.monotonic();
        let silent = now.saturating_sub(self.active);
        if silent >= limit {
            return Err(SessionEnd::Idle(limit));
        }
        let warning = self.next_warning(limit);
        if silent >= warning {
            self.warnings += 1;
            self.tell_idle(warning, limit.saturating_sub(warning));
        }
        Ok(())
    }

    fn next_warning(&self, limit: Duration) -> Duration {
        warning_after(self.settings.ask_every, self.warnings, limit)
    }

    pub(super) fn next_idle_step(&self) -> Instant {
        let silent = match self.settings.idle.limit(self.is_named) {
            Some(limit) => self.next_warning(limit).min(limit),
            None => Duration::from_secs(365 * 86_400),
        };
        self.settings.clock.instant(self.active + silent)
    }

    /// The number of inputs that may be taken now: at least one, after a pause if the person is too
    /// fast.
    pub(super) async fn allowance(&mut self) -> usize {
        let Some(rate) = self.settings.live.rate() else {
            return POST_LINES_MAX;
        };
        let wait = self.bucket.wait(rate, self.settings.clock.monotonic());
        if !wait.is_zero() {
            self.settings.metrics.met("rate");
            sleep(wait).await;
        }
        self.bucket.level(rate, self.settings.clock.monotonic()).clamp(1, POST_LINES_MAX)
    }

    /// Decodes up to `allowed` inputs, or to the first that is not a line. An input that needs no
    /// more bytes belongs to one that was counted already.
    fn decode(&mut self, allowed: usize) -> Decoded {
        let mut rest = self.held.as_slice();
        let mut lines = Vec::new();
        let mut then = None;
        let mut taken = 0;
        while then.is_none() {
            let is_new = !self.decoder.has_more();
            if is_new && taken >= allowed {
                break;
            }
            match self.decoder.next(&mut rest) {
                Some(Input::Say(spoken)) => lines.push(spoken),
                Some(Input::Nothing) => {}
                Some(Input::In(room, input)) if room == *self.seat.room_name() => match *input {
                    Input::Say(spoken) => lines.push(spoken),
                    other => then = Some(other),
                },
                Some(other) => then = Some(other),
                None => break,
            }
            taken += usize::from(is_new);
        }
        let used = self.held.len() - rest.len();
        self.pay(taken);
        if used == self.held.len() {
            self.held = Vec::new(); // an idle connection holds no buffer
        } else {
            self.held.drain(..used);
        }
        Decoded { lines, then }
    }

    /// Decodes one input, if there is one.
    pub(super) fn take(
        &mut self,
        next: impl FnOnce(&mut D, &mut &[u8]) -> Option<Input>,
    ) -> Option<Input> {
        let mut rest = self.held.as_slice();
        let taken = next(&mut self.decoder, &mut rest);
        let used = self.held.len() - rest.len();
        self.held.drain(..used);
        self.pay(usize::from(taken.is_some()));
        self.active = self.settings.clock.monotonic();
        taken
    }

    fn pay(&mut self, inputs: usize) {
        if let Some(rate) = self.settings.live.rate() {
            self.bucket.take(rate, self.settings.clock.monotonic(), inputs);
        }
    }

    async fn act(&mut self, heard: Decoded) -> ControlFlow<SessionEnd> {
        if !heard.lines.is_empty() {
            self.post_lines(heard.lines).await;
        }
        match heard.then {
            // Boxed, because commands are rare and would otherwise always take their memory.
            Some(input) => Box::pin(self.obey(input)).await,
            None => ControlFlow::Continue(()),
        }
    }

    /// Posts several lines together; they are counted one by one.
    pub(super) async fn say_all(&mut self, lines: Vec<Spoken>) {
        self.pay(lines.len().saturating_sub(1));
        self.post_lines(lines).await;
    }

    /// Posts the lines, and waits until they are ordered, stored and shown. A connection has one
    /// post at a time.
    pub(super) async fn post_lines(&mut self, lines: Vec<Spoken>) {
        let room = self.seat.room();
        if let Outcome::Answer(refusal) = self.link.call(Change::Post { room, lines }).await {
            Box::pin(self.answer(refusal)).await;
        }
    }

    /// Puts an item into the person's mailbox, as soon as there is space.
    pub(super) async fn reply(&self, item: Mail) {
        if let Mail::Answer(Answer::Refused(refusal)) = &item {
            self.settings.metrics.refused(refusal);
        }
        self.link.wait_for_space().await;
        self.link.reply(self.seat.mark(), item);
    }

    /// Puts an answer into the person's mailbox, as soon as there is space.
    pub(super) async fn answer(&self, answer: impl Into<Answer>) {
        self.reply(Mail::Answer(answer.into())).await;
    }

    fn tell_idle(&self, silent: Duration, left: Duration) {
        self.link
            .reply(self.seat.mark(), Mail::Answer(Answer::Notice(Notice::Idle { silent, left })));
    }

    /// Handles the end of the input: a last line without an ending counts.
    async fn finish(&mut self) -> SessionEnd {
        let last = self.decoder.finish();
        let heard = match last {
            Some(Input::Say(spoken)) => Decoded { lines: vec![spoken], then: None },
            then => Decoded { lines: Vec::new(), then },
        };
        match self.act(heard).await {
            ControlFlow::Break(ended) => ended,
            ControlFlow::Continue(()) => SessionEnd::EndOfInput,
        }
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

fn is_removed(seat: &Seat, others: &[Seat]) -> bool {
    let mut seats = [seat].into_iter().chain(others);
    seats.any(|seat| seat.removed().is_some())
}

/// Waits until the person is removed from a room. A task that waits for [`Client::removal`] is
/// woken for it.
///
/// [`Client::removal`]: parlor_core::link::Client::removal
async fn removed(seat: &Seat, others: &[Seat]) {
    poll_fn(|_| match is_removed(seat, others) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// The silence before the next warning; the limit if there is no further warning.
fn warning_after(ask_every: Option<Duration>, warnings: u32, limit: Duration) -> Duration {
    match (ask_every, warnings) {
        (Some(every), warnings) => every * (warnings + 1),
        (None, 0) => warning_at(limit),
        (None, _) => limit,
    }
}

fn warning_at(limit: Duration) -> Duration {
    limit.saturating_sub(IDLE_WARNING).max(limit / 5 * 4)
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
