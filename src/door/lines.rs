//! The line door: what netcat and telnet open. The greeting, the name question, and then a session.

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parlor_core::answer::{Answer, Notice, Password, Refusal};
use parlor_core::client::Link;
use parlor_core::command::Command;
use parlor_core::dialect::{Decoder, Encoder};
use parlor_core::inbox::{Claim, Outcome, Request};
use parlor_core::line::Line;
use parlor_core::name::{Name, RoomName};
use parlor_core::seat::{Entered, Seat};
use parlor_wire::lines::{Heard, Keeping, LineDecoder, LineEncoder, Mode};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::select;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use super::question::{Place, Questions};
use super::socket::Eager;
use super::{House, Refused};
use crate::journal::{History, Standing};
use crate::registry::{Registry, Returned};
use crate::session::{self, Arrival, Manners, Peer, read_some};

/// Whoever does not answer the name question for this long is closed.
const QUESTION_TIME: Duration = Duration::from_secs(60);

/// After so many names that were refused one stays with the address.
const REFUSALS_MAX: usize = 5;

/// So many wrong passwords, and the name stays with its owner.
const PASSWORDS_MAX: usize = 3;

/// So much of what was written to a lost connection may lie unread in the buffers between: it is shown again.
const UNREAD_BYTES_MAX: u64 = 128 * 1024;

/// Whoever is told something before entering has this long to take it.
const WORD_TIME: Duration = Duration::from_secs(10);

/// A listener for lines.
pub(crate) struct LineDoor {
    /// How it speaks.
    pub(crate) mode: Mode,
    /// Whether it asks for a name; else one is called by the address.
    pub(crate) asks: bool,
    /// What it wants of its sessions.
    pub(crate) manners: Manners,
    /// Whether passwords are asked for whoever can read them on their way.
    pub(crate) allow_plain_passwords: bool,
    /// For lines said before.
    pub(crate) clock: parlor_wire::lines::Clock,
}

/// A connection that has not entered yet.
struct Guest<S> {
    stream: S,
    decoder: LineDecoder,
    encoder: LineEncoder,
    link: Link,
    address: String,
    peer: Peer,
    registry: Option<Arc<Registry>>,
    /// Whether the name has been shown to be this person's own.
    is_owner: bool,
    /// Who has come back, and with what; until there is a session.
    returned: Option<Returned>,
    /// Read and not yet decoded.
    held: Vec<u8>,
    questions: Questions,
    /// The order of coming, among those at the question.
    number: u64,
    /// Held from waiting for an answer until there is one.
    place: Option<Place>,
}

/// Who comes in by this door.
type LineArrival = Arrival<OwnedReadHalf, Eager, LineDecoder, LineEncoder>;

/// What is said to somebody whose place at the question another one needs.
const TOO_MANY_WAIT: &str =
    "-- Too many are waiting to give a name: closed; try again, and answer sooner";

/// What is typed at the name question.
enum Typed {
    /// An empty line.
    Nothing,
    /// A name.
    Name(Name),
    /// What somebody comes back with.
    Code(Line),
}

/// Why somebody does not enter.
enum Gone {
    /// The connection ended or broke at the question; nobody is told.
    Silently,
    /// With these last bytes.
    Told(Vec<u8>),
}

impl LineDoor {
    /// Where lines are kept, and for how long just now.
    fn keeping(&self) -> Keeping {
        match self.manners.history {
            Some(_) => Keeping::OnDisk {
                retain: self.manners.live.retain(),
            },
            None => Keeping::Nowhere,
        }
    }

    pub(super) async fn attend(&self, house: &House, stream: TcpStream, peer: SocketAddr) {
        // Boxed: it is over soon, and a session need not carry its room.
        match Box::pin(self.receive(house, stream, peer)).await {
            Ok(arrival) => {
                let ended =
                    session::run(arrival, &self.manners, &house.closing, &house.writers).await;
                tracing::debug!(%ended, "session ended");
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
        let is_here = |ip| {
            stream
                .local_addr()
                .is_ok_and(|here| here.ip().to_canonical() == ip)
        };
        let mut guest = Guest {
            peer: Peer {
                address: peer.ip(),
                is_private: self.allow_plain_passwords
                    || peer.ip().is_loopback()
                    || is_here(peer.ip()),
            },
            registry: self.manners.registry.clone(),
            is_owner: false,
            returned: None,
            stream,
            decoder: LineDecoder::new(self.mode),
            encoder: LineEncoder::new(self.mode, self.keeping(), self.clock.clone()),
            link: house.writers.connect(&house.inbox, Some(peer)),
            address: peer.to_string(),
            held: Vec::new(),
            questions: house.questions.clone(),
            number: house.questions.number(),
            place: None,
        };
        tracing::debug!("connected");
        match self.handshake(house, &mut guest).await {
            Ok((seat, mut entered)) => {
                if let (Some(returned), Some(history)) = (&guest.returned, &self.manners.history) {
                    let standing = returned.standing.clone();
                    select! {
                        biased;
                        caught_up = guest.catch_up(history, &standing, entered.view.arrived.seq) => caught_up?,
                        () = house.closing.cancelled() => {}
                    }
                } else if let Some(history) = &self.manners.history {
                    let replay = self.manners.live.replay();
                    let room = seat.room_name();
                    history.complete(&mut entered.replay, room, replay).await;
                }
                Ok(guest.arrive(seat, entered))
            }
            Err(Gone::Silently) => Err(Gone::Silently),
            Err(Gone::Told(words)) => {
                let Guest { stream, link, .. } = guest;
                drop(link); // so that nobody arrives who is being turned out
                say_last(stream, &words).await;
                Err(Gone::Told(words))
            }
        }
    }

    pub(super) async fn turn_away(&self, stream: TcpStream, refused: Refused) {
        say_last(stream, format!("-- {refused}\n").as_bytes()).await;
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
            return guest.enter_as_address(self.manners.live.replay()).await;
        }
        let deadline = Instant::now() + QUESTION_TIME;
        select! {
            biased;
            entered = guest.answer_question(self.manners.live.replay()) => entered,
            () = sleep_until(deadline) => Err(guest.last_word("-- No name given: closed")),
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

impl<S: AsyncRead + AsyncWrite + Unpin> Guest<S> {
    /// Asks for a name until one is accepted.
    async fn answer_question(&mut self, replay: u64) -> Result<(Seat, Box<Entered>), Gone> {
        let mut words = Vec::new();
        self.encoder
            .line(&format!("You are {}", self.address), &mut words);
        for _ in 0..REFUSALS_MAX {
            self.encoder.line(
                &format!("What is your name? (Enter to stay {})", self.address),
                &mut words,
            );
            self.say(&words).await?;
            words.clear();
            let heard = self.hear_name().await?;
            self.place = None;
            let refusal = match heard {
                Ok(Typed::Nothing) => return self.enter_as_address(replay).await,
                Ok(Typed::Code(typed)) => match self.come_back(typed.as_str()).await {
                    Ok(entered) => return Ok(entered),
                    Err(answer) => answer,
                },
                Ok(Typed::Name(name)) => match self.enter(name.clone().into(), replay).await {
                    Ok(entered) => return Ok(entered),
                    Err(Answer::Refused(Refusal::NameOwned(owned))) => {
                        match self.enter_as_owner(name, owned, replay).await? {
                            Ok(entered) => return Ok(entered),
                            Err(answer) => answer,
                        }
                    }
                    Err(answer) => answer,
                },
                Err(refusal) => Answer::Refused(refusal),
            };
            self.encoder.answer(&refusal, &mut words);
            if is_for_any_name(&refusal) {
                return Err(Gone::Told(words));
            }
        }
        self.encoder.line(
            &format!(
                "-- That was no name {REFUSALS_MAX} times: you stay {}; /name NEW takes another",
                self.address
            ),
            &mut words,
        );
        self.say(&words).await?;
        self.enter_as_address(replay).await
    }

    /// Asks for the password of a name, as often as it may be wrong.
    async fn enter_as_owner(
        &mut self,
        name: Name,
        owned: Name,
        replay: u64,
    ) -> Result<Result<(Seat, Box<Entered>), Answer>, Gone> {
        let Some(registry) = self.registry.clone() else {
            return Ok(Err(Refusal::NameOwned(owned).into()));
        };
        if !self.peer.is_private {
            return Ok(Err(Refusal::PlainPassword.into()));
        }
        let mut words = Vec::new();
        for _ in 0..PASSWORDS_MAX {
            self.conceal(true, &mut words);
            let question = Answer::Password(Password::Of(owned.clone()));
            self.encoder.answer(&question, &mut words);
            self.say(&words).await?;
            words.clear();
            let heard = self.hear_line().await;
            self.place = None;
            self.conceal(false, &mut words);
            let refusal = match heard? {
                Ok(line) if line.as_str().is_empty() => break,
                Ok(line) => match registry.prove(&owned, line, self.peer.address).await {
                    Ok(()) => {
                        self.say(&words).await?;
                        self.is_owner = true;
                        let is_proven = true;
                        return Ok(self.enter(Claim { name, is_proven }, replay).await);
                    }
                    Err(refusal) => refusal,
                },
                Err(refusal) => refusal,
            };
            self.encoder.answer(&refusal.into(), &mut words);
        }
        self.say(&words).await?;
        Ok(Err(Refusal::NameOwned(owned).into()))
    }

    /// Has the other side hide what is typed, or show it again, where it can.
    fn conceal(&mut self, is_hidden: bool, words: &mut Vec<u8>) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.encoder.raw(&bytes, words);
        }
    }

    /// Takes the place again that somebody had on another connection.
    async fn come_back(&mut self, typed: &str) -> Result<(Seat, Box<Entered>), Answer> {
        let registry = self.registry.clone().ok_or(Refusal::NoSuchCode)?;
        let returned = registry.redeem(typed, self.peer.address).await?;
        let Standing {
            name,
            is_owner,
            room,
            ..
        } = returned.standing.clone();
        let is_proven = is_owner;
        let entered = self.seat(Request::ComeBack {
            name: Claim { name, is_proven },
            room,
            ghost: returned.ghost.as_ref().map(|ghost| ghost.id()),
        });
        let entered = entered.await?;
        self.is_owner = is_owner;
        self.returned = Some(returned);
        Ok(entered)
    }

    /// Shows what was said since the last line that has surely been read, up to number `last`.
    async fn catch_up(
        &mut self,
        history: &History,
        standing: &Standing,
        last: u64,
    ) -> Result<(), Gone> {
        let mut words = Vec::new();
        let welcome = Answer::WelcomeBack(standing.name.clone());
        self.encoder.answer(&welcome, &mut words);
        let room = &standing.room;
        let first = history.before(room, standing.seq.min(last), UNREAD_BYTES_MAX);
        // Where it cannot be read, the operator's log says so; whoever comes back has the room itself.
        let mut next = first.await.unwrap_or(last) + 1;
        while next <= last {
            let Ok(page) = history.page(room, next, last).await else {
                break;
            };
            next = page.next;
            for line in page.lines {
                match line {
                    Ok(said) => self.encoder.replayed(&said, &mut words),
                    Err(damaged) => {
                        let notice = Answer::Notice(Notice::Damaged(damaged));
                        self.encoder.answer(&notice, &mut words);
                    }
                }
            }
            self.say(&words).await?;
            words.clear();
        }
        self.say(&words).await
    }

    /// What is typed at the name question.
    async fn hear_name(&mut self) -> Result<Result<Typed, Refusal>, Gone> {
        Ok(match self.hear_line().await? {
            Ok(line) if line.as_str().trim().is_empty() => Ok(Typed::Nothing),
            Ok(line) if line.as_str().starts_with('/') => match Command::parse(&line.as_str()[1..])
            {
                Ok(Command::Resume(code)) => Ok(Typed::Code(code)),
                _ => Err(Refusal::NameFirst),
            },
            Ok(line) => Name::parse(line.as_str())
                .map(Typed::Name)
                .map_err(Refusal::Name),
            Err(refusal) => Err(refusal),
        })
    }

    /// The next line.
    async fn hear_line(&mut self) -> Result<Result<Line, Refusal>, Gone> {
        loop {
            let mut rest = self.held.as_slice();
            let heard = self.decoder.hear(&mut rest);
            let used = self.held.len() - rest.len();
            self.held.drain(..used);
            match heard {
                Some(Heard::Line(line)) => return Ok(Ok(line)),
                Some(Heard::TooLong) => {
                    return Ok(Err(Refusal::TooLong(Mode::Named.line_bytes_max())));
                }
                Some(Heard::Foreign(farewell)) => return Err(Gone::Told(farewell.into())),
                Some(Heard::Reply(reply)) => {
                    let mut words = Vec::new();
                    self.encoder.raw(&reply, &mut words);
                    self.say(&words).await?;
                }
                None => self.read_more().await?,
            }
        }
    }

    /// Reads more of the answer.
    async fn read_more(&mut self) -> Result<(), Gone> {
        match self.read_or_give_way().await {
            Some(Ok(1..)) => Ok(()),
            Some(Ok(0) | Err(_)) => Err(Gone::Silently),
            None => Err(self.last_word(TOO_MANY_WAIT)),
        }
    }

    /// Whoever has to be waited for stands at the question until there is an answer; who has sent
    /// it already, as everybody does who comes back in a storm, takes no place. None if somebody
    /// else needed the place.
    async fn read_or_give_way(&mut self) -> Option<io::Result<usize>> {
        yield_now().await; // so that what has come in is known
        let mut reading = pin!(read_some(
            &mut self.stream,
            &mut self.held,
            QUESTION_BYTES_MAX
        ));
        select! {
            biased;
            read = &mut reading => return Some(read),
            () = ready(()) => {}
        }
        let place = self
            .place
            .get_or_insert_with(|| self.questions.take_place(self.number));
        select! {
            biased;
            read = reading => Some(read),
            () = place.pushed_out() => None,
        }
    }

    async fn enter_as_address(&mut self, replay: u64) -> Result<(Seat, Box<Entered>), Gone> {
        let name = Name::of_address(&self.address);
        self.enter(name.into(), replay).await.map_err(|answer| {
            let mut words = Vec::new();
            self.encoder.answer(&answer, &mut words);
            Gone::Told(words)
        })
    }

    async fn enter(&mut self, name: Claim, replay: u64) -> Result<(Seat, Box<Entered>), Answer> {
        let room = RoomName::lobby();
        self.seat(Request::Enter { name, room, replay }).await
    }

    /// Asks for a seat.
    async fn seat(&mut self, request: Request) -> Result<(Seat, Box<Entered>), Answer> {
        match self.link.call(request).await {
            Outcome::Entered(seat, entered) => Ok((seat, entered)),
            Outcome::Answer(answer) => Err(answer),
            Outcome::Done | Outcome::You(_) | Outcome::TookBack(_) => Err(Refusal::NotThere.into()),
        }
    }

    async fn say(&mut self, words: &[u8]) -> Result<(), Gone> {
        match timeout(WORD_TIME, self.stream.write_all(words)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone::Silently),
        }
    }

    fn last_word(&self, words: &str) -> Gone {
        let mut bytes = Vec::new();
        self.encoder.line(words, &mut bytes);
        Gone::Told(bytes)
    }
}

/// An answer to the name question is read in pieces of at most this many bytes.
const QUESTION_BYTES_MAX: usize = 4 * 1024;

/// Whether another name would be of no use.
fn is_for_any_name(answer: &Answer) -> bool {
    match answer {
        Answer::Refused(Refusal::Order(forbidden)) => forbidden.is_for_any_name(),
        _ => false,
    }
}

/// Says the last words to somebody who has not entered, and closes.
async fn say_last<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, words: &[u8]) {
    let said = async {
        stream.write_all(words).await?;
        stream.shutdown().await
    };
    if let Ok(Ok(())) = timeout(WORD_TIME, said).await {
        session::linger(&mut stream).await;
    }
}
