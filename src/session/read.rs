//! The reading half of a session: bytes to requests, at the pace that is allowed.
//!
//! Knows no dialect: a decoder says what the bytes mean.

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

/// This many lines of one read are posted together; more would make one post hold too much memory.
const POST_LINES_MAX: usize = 256;

/// An idle limit is announced this long before, or at four fifths of a shorter one.
const IDLE_WARNING: Duration = Duration::from_secs(60);

/// The reading half.
pub(super) struct Reader<'a, R, D> {
    input: R,
    pub(super) decoder: D,
    pub(super) link: Link,
    /// Where one speaks.
    pub(super) seat: Seat,
    /// Where one sits too, and reads.
    pub(super) others: Vec<Seat>,
    /// Read, and not yet decoded: empty unless the pace is too fast.
    pub(super) held: Vec<u8>,
    pub(super) peer: Peer,
    /// Since when the name is worn.
    pub(super) named_at: WallTime,
    /// What this person comes back with, if that was asked for.
    pub(super) place: Option<(Code, Standing)>,
    /// Somebody has just come who may have been written to meanwhile.
    pub(super) show_messages: bool,
    /// A password is asked for.
    pub(super) is_asked: bool,
    pub(super) settings: &'a SessionSettings,
    bucket: Bucket,
    /// Whether this person has a name, and not the address for one.
    pub(super) is_named: bool,
    /// When something was last typed, on the server's clock.
    active: Duration,
    /// How often one was warned, or asked, since then.
    warnings: u32,
}

/// What a stretch of input amounts to.
struct Decoded {
    /// Lines to be posted together.
    lines: Vec<Spoken>,
    /// What came behind them, if it was not a line.
    then: Option<Input>,
}

impl<'a, R: AsyncRead + Unpin, D: Decoder> Reader<'a, R, D> {
    /// Begins with the room that was entered.
    pub(super) fn new(
        input: R,
        decoder: D,
        held: Vec<u8>,
        seated: Seated,
        settings: &'a SessionSettings,
    ) -> Self {
        let Seated {
            link,
            peer,
            seat,
            entered,
            is_owner,
            place,
        } = seated;
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
            // Asked here too, as whoever keeps sending is never waited for.
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
                true => 0, // what is asked for has been paid for
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

    /// Whether the person may be back in a moment, with the code that was asked for.
    pub(super) fn may_return(&self, ended: &SessionEnd) -> bool {
        let is_lost = matches!(
            ended,
            SessionEnd::EndOfInput | SessionEnd::Foreign | SessionEnd::Broken
        );
        is_lost && self.place.is_some() && self.decoder.may_return()
    }

    /// Leaves all rooms, with a last word to the person concerned. The input is for whoever closes.
    pub(super) fn leave(self, ended: &SessionEnd) -> R {
        if let Some(notice) = ended.notice() {
            self.link.reply(self.seat.mark_of_departure(), notice);
        }
        let client = Arc::clone(self.link.client());
        drop(self.link); // so that it is seen that the connection ends
        client.ring();
        for seat in [self.seat].into_iter().chain(self.others) {
            seat.leave(ended.words());
        }
        self.input
    }

    /// Whether one is to leave a room.
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

    /// Looks once more at the input of somebody who is about to be closed.
    async fn read_at_last(&mut self) -> Option<usize> {
        yield_now().await; // so that what has come in is known
        let max = self.settings.read_bytes_max;
        let read = poll_once(read_some(&mut self.input, &mut self.held, max)).await?;
        read.ok()
    }

    /// The timer of the idle limit has run out: it may be time to warn or to end, or it is not,
    /// since typing sets no timer.
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

    /// How many inputs may be taken now: at least one, after a pause where the pace is too fast.
    pub(super) async fn allowance(&mut self) -> usize {
        let Some(rate) = self.settings.live.rate() else {
            return POST_LINES_MAX;
        };
        let wait = self.bucket.wait(rate, self.settings.clock.monotonic());
        if !wait.is_zero() {
            self.settings.metrics.met("rate");
            sleep(wait).await;
        }
        self.bucket
            .level(rate, self.settings.clock.monotonic())
            .clamp(1, POST_LINES_MAX)
    }

    /// Decodes what is held: up to `allowed` inputs, or to the first that is not a line. What there is without any more
    /// bytes belongs to an input that was taken already.
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

    /// Takes one thing of what is held, or finds none in it.
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
            self.bucket
                .take(rate, self.settings.clock.monotonic(), inputs);
        }
    }

    async fn act(&mut self, heard: Decoded) -> ControlFlow<SessionEnd> {
        if !heard.lines.is_empty() {
            self.post(heard.lines).await;
        }
        match heard.then {
            // Boxed, as commands are rare and their room would be carried always.
            Some(input) => Box::pin(self.obey(input)).await,
            None => ControlFlow::Continue(()),
        }
    }

    /// Says more lines than one, together; they count one by one.
    pub(super) async fn say_all(&mut self, lines: Vec<Spoken>) {
        self.pay(lines.len().saturating_sub(1));
        self.post(lines).await;
    }

    /// Has the lines ordered, kept and shown. A connection has one post under way.
    pub(super) async fn post(&mut self, lines: Vec<Spoken>) {
        let room = self.seat.room();
        if let Outcome::Answer(refusal) = self.link.call(Change::Post { room, lines }).await {
            Box::pin(self.reply(Mail::Answer(refusal))).await;
        }
    }

    /// Puts an item into one's own mailbox, as soon as there is room.
    pub(super) async fn reply(&self, item: Mail) {
        if let Mail::Answer(Answer::Refused(refusal)) = &item {
            self.settings.metrics.refused(refusal);
        }
        self.link.wait_for_space().await;
        self.link.reply(self.seat.mark(), item);
    }

    fn tell_idle(&self, silent: Duration, left: Duration) {
        self.link.reply(
            self.seat.mark(),
            Mail::Answer(Answer::Notice(Notice::Idle { silent, left })),
        );
    }

    /// The end of the input: what stood there without an ending counts.
    async fn finish(&mut self) -> SessionEnd {
        let last = self.decoder.finish();
        let heard = match last {
            Some(Input::Say(spoken)) => Decoded {
                lines: vec![spoken],
                then: None,
            },
            then => Decoded {
                lines: Vec::new(),
                then,
            },
        };
        match self.act(heard).await {
            ControlFlow::Break(ended) => ended,
            ControlFlow::Continue(()) => SessionEnd::EndOfInput,
        }
    }
}

/// What there is without waiting.
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

/// Waits until one is to leave a room. Whoever waits for [`Client::removal`] too is woken for it.
///
/// [`Client::removal`]: parlor_core::link::Client::removal
async fn removed(seat: &Seat, others: &[Seat]) {
    poll_fn(|_| match is_removed(seat, others) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// After how much silence there is a word the next time; the limit where there is none any more.
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
    fn who_can_be_asked_is_asked_again_and_others_are_warned_once() {
        let seconds = Duration::from_secs;
        let asked = |warnings| warning_after(Some(seconds(15)), warnings, seconds(40));
        assert_eq!([asked(0), asked(1), asked(2)], [15, 30, 45].map(seconds));
        let warned = |warnings| warning_after(None, warnings, seconds(300));
        assert_eq!([warned(0), warned(1)], [240, 300].map(seconds));
    }
}
