//! Somebody at the name question: what is asked, what is typed, and the seat. Knows no socket, but a stream.

use std::sync::Arc;

use parlor_core::link::{
    Answer, Change, Command, Encoder, Entered, Link, Outcome, Refusal, Request, Seat,
};
use parlor_core::model::{Claim, Line, Name, RoomName};
use parlor_wire::lines::{LineDecoder, LineEncoder, LineInput};
use parlor_wire::style::LineMode;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::accounts::{Accounts, Returned};
use crate::clock::timeout;
use crate::door::WORD_TIME;
use crate::door::question::Answerer;
use crate::session::Peer;

/// After so many names that were refused one stays with the address.
const REFUSALS_MAX: usize = 5;

/// A connection that has not entered yet.
pub(crate) struct Guest<S> {
    pub(crate) stream: S,
    pub(crate) decoder: LineDecoder,
    pub(crate) encoder: LineEncoder,
    pub(crate) link: Link,
    pub(crate) address: String,
    pub(crate) peer: Peer,
    pub(crate) accounts: Option<Arc<Accounts>>,
    /// Whether the name has been shown to be this person's own.
    pub(crate) is_owner: bool,
    /// Who has come back, and with what; until there is a session.
    pub(crate) returned: Option<Returned>,
    /// Read and not yet decoded.
    pub(crate) held: Vec<u8>,
    /// Holds a place at the question.
    pub(crate) answerer: Answerer,
}

/// What is said to somebody whose place at the question another one needs.
const TOO_MANY_WAIT: &str =
    "-- Too many people are at the name prompt: closed; connect again and answer sooner";

/// What is said to a program, or about a paste, whose first lines are no names.
const NO_NAME: &str =
    "-- None of these lines is a name: closed; the first line you send is your name";

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
pub(crate) enum Gone {
    /// The connection ended or broke at the question; nobody is told.
    Silently,
    /// With these last bytes.
    Told(Vec<u8>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guest<S> {
    /// Asks for a name until one is accepted.
    pub(crate) async fn answer_question(
        &mut self,
        replay: u64,
    ) -> Result<(Seat, Box<Entered>), Gone> {
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
            self.answerer.has_answered();
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
        if !self.held.is_empty() {
            // Nobody who reads the answers sends more before the last one. What follows is no line for a room.
            self.encoder.line(NO_NAME, &mut words);
            return Err(Gone::Told(words));
        }
        self.encoder.line(
            &format!(
                "-- No usable name in {REFUSALS_MAX} tries: you stay {}; /name NEW takes a name",
                self.address
            ),
            &mut words,
        );
        self.say(&words).await?;
        self.enter_as_address(replay).await
    }

    /// What is typed at the name question.
    async fn hear_name(&mut self) -> Result<Result<Typed, Refusal>, Gone> {
        Ok(match self.hear_line(LineDecoder::hear_name).await? {
            Ok(line) if line.is_blank() => Ok(Typed::Nothing),
            Ok(line) => match line.as_str().trim().strip_prefix('/').map(Command::parse) {
                Some(Ok(Command::Resume(code))) => Ok(Typed::Code(code)),
                Some(_) => Err(Refusal::NameFirst),
                None => Name::parse(line.as_str())
                    .map(Typed::Name)
                    .map_err(Refusal::from),
            },
            Err(refusal) => Err(refusal),
        })
    }

    /// The next line.
    async fn hear_line(
        &mut self,
        next: fn(&mut LineDecoder, &mut &[u8]) -> Option<LineInput>,
    ) -> Result<Result<Line, Refusal>, Gone> {
        loop {
            match self.take_held(next) {
                Some(LineInput::Line(line)) => return Ok(Ok(line)),
                Some(LineInput::TooLong) => {
                    return Ok(Err(Refusal::TooLong(LineMode::Named.line_bytes_max())));
                }
                Some(LineInput::Foreign(farewell)) => return Err(Gone::Told(farewell.into())),
                Some(LineInput::Reply(reply)) => {
                    let mut words = Vec::new();
                    self.encoder.raw(&reply, &mut words);
                    self.say(&words).await?;
                }
                None => self.read_more().await?,
            }
        }
    }

    /// The next secret, whatever it is.
    pub(crate) async fn hear_secret(&mut self) -> Result<Result<Line, Refusal>, Gone> {
        self.hear_line(LineDecoder::hear_secret).await
    }

    /// Takes one thing of what has come.
    pub(crate) fn take_held(
        &mut self,
        next: fn(&mut LineDecoder, &mut &[u8]) -> Option<LineInput>,
    ) -> Option<LineInput> {
        let mut rest = self.held.as_slice();
        let heard = next(&mut self.decoder, &mut rest);
        let used = self.held.len() - rest.len();
        self.held.drain(..used);
        heard
    }

    /// Reads more of the answer.
    async fn read_more(&mut self) -> Result<(), Gone> {
        let read = self
            .answerer
            .read(&mut self.stream, &mut self.held, QUESTION_BYTES_MAX);
        match read.await {
            Some(Ok(1..)) => Ok(()),
            Some(Ok(0)) => Err(match self.decoder.last_words() {
                Some(farewell) => Gone::Told(farewell.into()),
                None => Gone::Silently,
            }),
            Some(Err(_)) => Err(Gone::Silently),
            None => Err(self.last_word(TOO_MANY_WAIT)),
        }
    }

    pub(crate) async fn enter_as_address(
        &mut self,
        replay: u64,
    ) -> Result<(Seat, Box<Entered>), Gone> {
        let name = Name::of_address(&self.address);
        self.enter(name.into(), replay).await.map_err(|answer| {
            let mut words = Vec::new();
            self.encoder.answer(&answer, &mut words);
            Gone::Told(words)
        })
    }

    pub(crate) async fn enter(
        &mut self,
        name: Claim,
        replay: u64,
    ) -> Result<(Seat, Box<Entered>), Answer> {
        let room = RoomName::lobby();
        self.seat(Change::Enter { name, room, replay }).await
    }

    /// Asks for a seat.
    pub(crate) async fn seat(
        &mut self,
        request: impl Into<Request>,
    ) -> Result<(Seat, Box<Entered>), Answer> {
        match self.link.call(request).await {
            Outcome::Entered(seat, entered) => Ok((seat, entered)),
            Outcome::Answer(answer) => Err(answer),
            _ => Err(Refusal::NotThere.into()),
        }
    }

    pub(crate) async fn say(&mut self, words: &[u8]) -> Result<(), Gone> {
        match timeout(WORD_TIME, self.stream.write_all(words)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone::Silently),
        }
    }

    pub(crate) fn last_word(&self, words: &str) -> Gone {
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
        Answer::Refused(refusal) => refusal.is_for_any_name(),
        _ => false,
    }
}
