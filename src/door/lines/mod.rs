//! The line door: what netcat and telnet open. The greeting, the name question, and then a session.

mod prompt;
mod proof;

use std::net::SocketAddr;

use parlor_core::link::{Entered, Seat};
use parlor_wire::lines::{LineDecoder, LineEncoder};
use parlor_wire::style::LineMode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::select;

use self::prompt::{Gone, Guest};
use crate::clock::sleep;
use crate::door::admission::Refused;
use crate::door::transport::Eager;
use crate::door::{House, QUESTION_TIME, peer_at, say_at_once, say_last};
use crate::session;
use crate::session::{Arrival, SessionSettings};

/// A listener for lines.
pub(crate) struct LineDoor {
    /// How it speaks.
    pub(crate) mode: LineMode,
    /// Whether it asks for a name; else one is called by the address.
    pub(crate) asks: bool,
    /// What it wants of its sessions.
    pub(crate) settings: SessionSettings,
    /// Whether passwords are asked for whoever can read them on their way.
    pub(crate) allow_plain_passwords: bool,
    /// For lines said before.
    pub(crate) clock: parlor_wire::style::LocalClock,
}

/// Who comes in by this door.
type LineArrival = Arrival<OwnedReadHalf, Eager, LineDecoder, LineEncoder>;

impl LineDoor {
    pub(crate) async fn attend(&self, house: &House, stream: TcpStream, peer: SocketAddr) {
        // Boxed: it is over soon, and a session need not carry its room.
        match Box::pin(self.receive(house, stream, peer)).await {
            Ok(arrival) => {
                let (ended, rest) =
                    session::run(arrival, &self.settings, &house.closing, &house.writers).await;
                tracing::debug!(%ended, "session ended");
                house.see_out(rest).await;
            }
            Err(Gone::Silently) => tracing::debug!("gone before entering"),
            Err(Gone::Told(_)) => tracing::debug!("turned out before entering"),
        }
    }

    /// The handshake, and the last words to those who do not come through it.
    async fn receive(
        &self,
        house: &House,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<LineArrival, Gone> {
        let mut guest = Guest {
            peer: peer_at(&stream, peer, self.allow_plain_passwords),
            accounts: self.settings.accounts.clone(),
            is_owner: false,
            returned: None,
            stream,
            decoder: LineDecoder::new(self.mode),
            encoder: LineEncoder::new(self.mode, self.settings.keeping(), self.clock.clone()),
            link: house.writers.connect(&house.inbox, Some(peer)),
            address: peer.to_string(),
            held: Vec::new(),
            answerer: house.questions.answerer(),
        };
        tracing::debug!("connected");
        match self.come_in(house, &mut guest).await {
            Ok((seat, entered)) => Ok(guest.arrive(seat, entered)),
            Err(Gone::Silently) => Err(Gone::Silently),
            Err(Gone::Told(words)) => {
                let Guest {
                    stream,
                    link,
                    answerer,
                    ..
                } = guest;
                drop(link); // so that nobody arrives who is being turned out
                match answerer.is_pushed_out() {
                    true => say_at_once(&stream, &words),
                    false => say_last(stream, &words, &house.leaving).await,
                }
                Err(Gone::Told(words))
            }
        }
    }

    pub(crate) async fn turn_away(&self, house: &House, stream: TcpStream, refused: Refused) {
        let words = format!("-- {refused}\n");
        say_last(stream, words.as_bytes(), &house.leaving).await;
    }

    /// The handshake, and what was said before it, as far as that is wanted.
    async fn come_in<S>(
        &self,
        house: &House,
        guest: &mut Guest<S>,
    ) -> Result<(Seat, Box<Entered>), Gone>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (seat, mut entered) = self.handshake(house, guest).await?;
        let Some(history) = &self.settings.history else {
            return Ok((seat, entered));
        };
        if let Some(returned) = &guest.returned {
            let standing = returned.standing.clone();
            let last = entered.view.arrived.seq;
            select! {
                biased;
                caught_up = guest.catch_up(history.as_ref(), &standing, &seat, last) => caught_up?,
                () = house.closing.cancelled() => {}
            }
        } else {
            let replay = self.settings.live.replay();
            let room = seat.room_name();
            history.complete(&mut entered.replay, room, replay).await;
        }
        Ok((seat, entered))
    }

    async fn handshake<S>(
        &self,
        house: &House,
        guest: &mut Guest<S>,
    ) -> Result<(Seat, Box<Entered>), Gone>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.asks {
            return guest.enter_as_address(self.settings.live.replay()).await;
        }
        select! {
            biased;
            entered = guest.answer_question(self.settings.live.replay()) => entered,
            () = sleep(QUESTION_TIME) => Err(guest.last_word("-- No name given: closed")),
            () = house.closing.cancelled() => Err(guest.last_word("-- The server is going down")),
        }
    }
}

impl Guest<TcpStream> {
    fn arrive(self, seat: Seat, entered: Box<Entered>) -> LineArrival {
        let (input, output) = self.stream.into_split();
        Arrival {
            input,
            output: Eager(output),
            decoder: self.decoder,
            encoder: self.encoder,
            link: self.link,
            seat,
            entered,
            is_owner: self.is_owner,
            place: self
                .returned
                .map(|returned| (returned.code, returned.standing)),
            peer: self.peer,
            held: self.held,
        }
    }
}
