//! The name question and the password question, in lines. Knows no socket and no registered name.

use parlor_core::link::{Answer, Attempt, Command, Decoder, PasswordFor, Refusal};
use parlor_core::model::Line;
use parlor_wire::lines::{LineDecoder, LineEncoder, LineInput};
use parlor_wire::style::LineMode;

use crate::door::handshake::{Arriving, LastWords};
use crate::session::{ATTEMPTS_MAX, Doorway, LinePace, NotEntered, Step, Tell};

/// The message to a client that is closed because others need its place.
const TOO_MANY_WAIT: &str =
    "-- Too many people are at the name prompt: closed; connect again and answer sooner";

/// The message to a program, or a person who pastes, if the first lines are not names.
const NO_NAME: &str =
    "-- None of these lines is a name: closed; the first line you send is your name";

/// The question to a person at a terminal.
type Prompt = Arriving<LineDecoder, LineEncoder>;

/// The function that reads one line.
type Read = fn(&mut LineDecoder, &mut &[u8]) -> Option<LineInput>;

impl Prompt {
    /// Greets the client with the name that it gets if it does not answer.
    pub(super) fn greet(&mut self) {
        self.put_words(&format!("You are {}", self.address));
    }

    fn put_words(&mut self, words: &str) {
        self.encoder.line(words, &mut self.words);
    }

    /// Waits for the next line.
    async fn read_line(&mut self, read: Read) -> Result<Line, NotEntered> {
        loop {
            match self.take(read) {
                Some(LineInput::Line(line)) => return Ok(line),
                Some(LineInput::TooLong) => {
                    return Err(Refusal::TooLong(LineMode::Named.line_bytes_max()).into());
                }
                Some(LineInput::Farewell(farewell)) => {
                    return Err(NotEntered::Farewell(farewell.into()));
                }
                Some(LineInput::Reply(reply)) => {
                    self.put_raw(&reply);
                    self.flush().await?;
                }
                None if self.read_more().await? == 0 => {
                    return Err(match self.decoder.last_words() {
                        Some(farewell) => NotEntered::Farewell(farewell.into()),
                        None => NotEntered::Lost,
                    });
                }
                None => {}
            }
        }
    }

    /// Asks the client to hide the typed text, or to show it again, if the client can do that.
    fn conceal(&mut self, is_hidden: bool) {
        if let Some(bytes) = self.decoder.conceal(is_hidden) {
            self.put_raw(&bytes);
        }
    }
}

impl Doorway for Prompt {
    const ASKS: bool = true;

    async fn next_step(&mut self, _: &mut LinePace<'_>) -> Result<Step, NotEntered> {
        let question = format!("What is your name? (Enter to stay {})", self.address);
        self.put_words(&question);
        self.flush().await?;
        let line = self.read_line(LineDecoder::hear_name).await;
        self.waiter.has_answered();
        let line = line?;
        match line.as_str().trim().strip_prefix('/').map(Command::parse) {
            None if line.is_blank() => Ok(Attempt::default().into()),
            None => Ok(Attempt { name: Some(line), ..Attempt::default() }.into()),
            Some(Ok(Command::Resume(code))) => {
                Ok(Attempt { code: Some(code), ..Attempt::default() }.into())
            }
            Some(_) => Err(Refusal::NameFirst.into()),
        }
    }

    fn refuse(&mut self, refusal: Answer) -> Result<(), NotEntered> {
        match &refusal {
            // Another name would not help.
            Answer::Refused(reason) if reason.is_for_any_name() => {
                Err(NotEntered::Refused(refusal))
            }
            _ => {
                self.tell(&refusal);
                Ok(())
            }
        }
    }

    async fn end_attempts(&mut self) -> Result<(), NotEntered> {
        // A person who reads the answers waits for the last one. So text that is here already is
        // not a line for a room.
        if self.holds_more() {
            return Err(NotEntered::NoName);
        }
        let words = format!(
            "-- No usable name in {ATTEMPTS_MAX} tries: you stay {}; /name NEW takes a name",
            self.address
        );
        self.put_words(&words);
        self.flush().await
    }

    async fn ask_password(
        &mut self,
        question: PasswordFor,
        pace: &mut LinePace<'_>,
    ) -> Result<Line, NotEntered> {
        self.conceal(true);
        self.tell(&Answer::Password(question));
        self.flush().await?;
        self.wait_for_turn(pace).await?; // names have another limit, passwords have none
        let line = self.read_line(LineDecoder::hear_secret).await;
        pace.pay(1);
        self.waiter.has_answered();
        self.conceal(false);
        line
    }

    fn drop_line(&mut self) -> bool {
        matches!(self.take(LineDecoder::hear_secret), Some(LineInput::Line(_)))
    }
}

impl LastWords for Prompt {
    fn tell_why(&mut self, why: NotEntered) {
        match why {
            NotEntered::Refused(answer) => self.tell(&answer),
            NotEntered::Farewell(bytes) => self.words.extend(bytes),
            NotEntered::NoName => self.put_words(NO_NAME),
            NotEntered::TooLate => self.put_words("-- No name given: closed"),
            NotEntered::PushedOut => self.put_words(TOO_MANY_WAIT),
            NotEntered::GoingDown => self.put_words("-- The server is going down"),
            NotEntered::Lost => {}
        }
    }
}
