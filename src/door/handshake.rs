//! A connection that has not entered: its bytes in both directions, and its place on the waiting
//! list. Knows no dialect.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::link::{Answer, Decoder, Encoder};
use parlor_core::model::{Name, Profile, RoomName, Said};
use tokio::io::AsyncWriteExt;
use tokio::select;

use super::reception::Reception;
use super::transport::{
    Transport, TransportInput, TransportOutput, WORD_TIME, say_at_once, say_last,
};
use super::waiting::Waiter;
use crate::clock::{sleep, timeout};
use crate::session::{self, Admitted, Arrival, Doorway, LinePace, Newcomer, NotEntered, Tell};

/// The time in which a client must enter.
const QUESTION_TIME: Duration = Duration::from_secs(60);

/// The largest number of bytes in one read from a client that has not entered.
const READ_BYTES_MAX: usize = 4 * 1024;

/// A connection that has not entered.
pub(super) struct Arriving<D, E> {
    stream: Transport,
    /// The name until the client gives another one.
    pub(super) address: Name,
    pub(super) decoder: D,
    pub(super) encoder: E,
    /// Bytes that are read and not yet decoded.
    held: Vec<u8>,
    /// The bytes to write next.
    pub(super) words: Vec<u8>,
    /// The receipt to send when the attempt is answered, at a door whose requests have receipts.
    pub(super) receipt: Option<Vec<u8>>,
    pub(super) waiter: Waiter,
}

/// A door's part in ending a handshake.
pub(super) trait LastWords: Doorway {
    /// Tells the client why it cannot enter.
    fn tell_why(&mut self, why: NotEntered);

    /// Goes on with a client that has come in under this name.
    fn welcome(&mut self, _name: &Name, _profile: &Arc<Profile>) {}
}

impl<D: Decoder, E: Encoder> Arriving<D, E> {
    pub(super) fn new(
        stream: Transport,
        address: Name,
        (decoder, encoder): (D, E),
        held: Vec<u8>,
        waiter: Waiter,
    ) -> Self {
        Arriving {
            stream,
            address,
            decoder,
            encoder,
            held,
            words: Vec::new(),
            receipt: None,
            waiter,
        }
    }

    /// Decodes one item from the front of the received bytes.
    pub(super) fn take<T>(
        &mut self,
        next: impl FnOnce(&mut D, &mut &[u8]) -> Option<T>,
    ) -> Option<T> {
        let mut rest = self.held.as_slice();
        let taken = next(&mut self.decoder, &mut rest);
        let used = self.held.len() - rest.len();
        self.held.drain(..used);
        taken
    }

    pub(super) fn holds_more(&self) -> bool {
        !self.held.is_empty()
    }

    /// Waits for more bytes; 0 at the end of the input.
    pub(super) async fn read_more(&mut self) -> Result<usize, NotEntered> {
        let (stream, held) = (&mut self.stream, &mut self.held);
        match self.waiter.read(stream, held, READ_BYTES_MAX).await {
            Some(read) => read.map_err(|_| NotEntered::Lost),
            None => Err(NotEntered::PushedOut),
        }
    }

    /// Waits until the next line may pass, in a place on the waiting list.
    pub(super) async fn wait_for_turn(&mut self, pace: &LinePace<'_>) -> Result<(), NotEntered> {
        let wait = pace.wait();
        if wait.is_zero() {
            return Ok(());
        }
        self.flush().await?;
        select! {
            biased;
            () = poll_fn(|cx| self.waiter.poll_pushed_out(cx)) => Err(NotEntered::PushedOut),
            () = sleep(wait) => Ok(()),
        }
    }

    pub(super) fn put_raw(&mut self, bytes: &[u8]) {
        self.encoder.raw(bytes, &mut self.words);
    }

    fn arrive<'a>(mut self, newcomer: Newcomer<'a>, admitted: Admitted) -> NewArrival<'a, D, E> {
        self.held.shrink_to_fit(); // an idle connection holds no buffer
        let (input, output) = self.stream.into_split();
        Arrival {
            input,
            output,
            decoder: self.decoder,
            encoder: self.encoder,
            held: self.held,
            person: newcomer.sit(admitted),
        }
    }
}

impl<D: Decoder, E: Encoder> Tell for Arriving<D, E> {
    fn tell(&mut self, answer: &Answer) {
        self.encoder.answer(answer, &mut self.words);
    }

    fn show(&mut self, room: &RoomName, said: &Said) {
        self.encoder.replayed(room, said, &mut self.words);
    }

    async fn flush(&mut self) -> Result<(), NotEntered> {
        let words = mem::take(&mut self.words);
        if words.is_empty() {
            return Ok(());
        }
        let writing = async {
            self.stream.write_all(&words).await?;
            self.stream.flush().await
        };
        match timeout(WORD_TIME, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotEntered::Lost),
        }
    }
}

/// The result of a handshake.
type NewArrival<'a, D, E> = Arrival<'a, TransportInput, TransportOutput, D, E>;

impl<D: Decoder, E: Encoder> Arriving<D, E>
where
    Self: LastWords,
{
    /// Lets the client enter, after the question or at once, or tells it why it cannot.
    pub(super) async fn come_in<'a>(
        mut self,
        mut newcomer: Newcomer<'a>,
        asks: bool,
        reception: &Reception,
    ) -> Option<NewArrival<'a, D, E>> {
        tracing::debug!("connected");
        match self.enter(&mut newcomer, asks, reception).await {
            Ok(admitted) => {
                self.welcome(admitted.name(), newcomer.profile());
                Some(self.arrive(newcomer, admitted))
            }
            Err(why) => {
                drop(newcomer); // a client that loses its place has not arrived
                self.turn_out(why, reception).await;
                None
            }
        }
    }

    async fn enter(
        &mut self,
        newcomer: &mut Newcomer<'_>,
        asks: bool,
        reception: &Reception,
    ) -> Result<Admitted, NotEntered> {
        let mut admitted = match asks {
            false => newcomer.enter_by_address().await?,
            true => select! {
                biased;
                entered = newcomer.enter(self) => entered?,
                () = sleep(QUESTION_TIME) => return Err(NotEntered::TooLate),
                () = reception.closing.cancelled() => return Err(NotEntered::GoingDown),
            },
        };
        select! {
            biased;
            caught_up = newcomer.catch_up(self, &mut admitted) => caught_up?,
            () = reception.closing.cancelled() => {}
        }
        Ok(admitted)
    }

    async fn turn_out(mut self, why: NotEntered, reception: &Reception) {
        match why {
            NotEntered::Lost => return tracing::debug!("gone before entering"),
            NotEntered::TooLate | NotEntered::PushedOut | NotEntered::GoingDown => {
                self.words.clear(); // the writing was interrupted
            }
            NotEntered::Refused(_) | NotEntered::Farewell(_) | NotEntered::NoName => {}
        }
        tracing::debug!("turned out before entering");
        let is_pushed_out = matches!(why, NotEntered::PushedOut);
        self.tell_why(why);
        match is_pushed_out {
            true => say_at_once(&mut self.stream, &self.words),
            false => say_last(self.stream, &self.words, &reception.leaving).await,
        }
    }
}

/// Serves a connection: first the handshake, then the session. The handshake is boxed, so that its
/// memory is freed before the session.
pub(super) async fn serve_session<'a, D, E>(
    coming_in: Pin<Box<impl Future<Output = Option<NewArrival<'a, D, E>>>>>,
    reception: &Reception,
) where
    D: Decoder,
    E: Encoder + Unpin + 'static,
{
    let Some(arrival) = coming_in.await else {
        return;
    };
    let (closing, writers) = (&reception.closing, &reception.writers);
    let (ended, rest) = session::run(arrival, closing, writers).await;
    tracing::debug!(%ended, "session ended");
    if let Some(mut rest) = rest {
        Box::pin(reception.leaving.linger(&mut rest)).await; // boxed, since it is over soon
    }
}
