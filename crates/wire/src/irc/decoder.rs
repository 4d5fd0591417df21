//! From lines to inputs. Knows no connection.

use std::collections::VecDeque;
use std::sync::Arc;

use parlor_core::link::{Decoder, Input};
use parlor_core::model::{Line, Name, Profile};

use super::commands::{self, ClientState, CommandInputs, CommandRun};
use super::protocol::{Cap, Caps, IrcFrame, IrcFramer, IrcMessage, IrcServer, Numeric, Tags};
use super::registration::{Registration, RegistrationStep};

/// The longest label, in bytes (IRCv3, "Labeled Responses").
const LABEL_BYTES_MAX: usize = 64;

/// From lines to their meaning.
pub struct IrcDecoder {
    framer: IrcFramer,
    /// The client before its welcome.
    registration: Option<Box<Registration>>,
    client: ClientState,
    /// The inputs of the last line that were not taken yet.
    waiting: VecDeque<Input>,
}

impl IrcDecoder {
    /// A decoder for a new connection, on which passwords are accepted or not.
    pub fn new(server: Arc<IrcServer>, takes_passwords: bool) -> IrcDecoder {
        let registration = Registration::new(Arc::clone(&server), takes_passwords);
        IrcDecoder {
            framer: IrcFramer::default(),
            registration: Some(Box::new(registration)),
            client: ClientState::new(server, takes_passwords),
            waiting: VecDeque::new(),
        }
    }

    /// The same, for a server where people with netcat are welcome at another port.
    pub fn with_lines_at(mut self, line_port: Option<u16>) -> IrcDecoder {
        if let Some(registration) = &mut self.registration {
            registration.line_port = line_port;
        }
        self
    }

    /// Tells the client about TLS in its list of capabilities: this value of `sts`.
    pub fn with_sts(mut self, sts: Option<String>) -> IrcDecoder {
        if let Some(registration) = &mut self.registration {
            registration.sts = sts;
        }
        self
    }

    /// Takes a line of a client that registers from the front of `bytes`, appends the answers, and
    /// returns its step; or takes all bytes and returns none, as no line is whole.
    pub fn register(&mut self, bytes: &mut &[u8], out: &mut Vec<u8>) -> Option<RegistrationStep> {
        let registration = self.registration.as_mut()?;
        match self.framer.next(bytes) {
            Some(frame) => Some(registration.hear(&frame, out)),
            None => registration.hear_unfinished(self.framer.tail(), out),
        }
    }

    /// The client before its welcome.
    pub fn registration(&mut self) -> Option<&mut Registration> {
        self.registration.as_deref_mut()
    }

    /// Goes on with a client that has come in under this name. Its first inputs are the welcome.
    /// Returns its capabilities.
    pub fn welcome(&mut self, name: &Name, profile: &Profile) -> Caps {
        if let Some(registration) = self.registration.take() {
            self.client.negotiation = registration.negotiation();
        }
        self.client.come_in(name, profile);
        let wants_names = !self.client.caps().has_no_implicit_names();
        self.waiting.push_back(Input::WantRoster(wants_names));
        if let Some(message) = IrcMessage::parse("MOTD") {
            let inputs = CommandInputs::new(&mut self.waiting, "MOTD".to_owned(), None);
            let client = &mut self.client;
            commands::welcome(CommandRun { client, message: &message, inputs });
        }
        self.client.caps()
    }

    /// Adds the inputs of a line.
    fn hear(&mut self, frame: &IrcFrame<'_>) {
        match frame {
            IrcFrame::Line(line) => {
                if let Some(message) = IrcMessage::parse(line) {
                    self.obey(&message);
                }
            }
            IrcFrame::InvalidUtf8(bytes) => {
                let tags = tags_of(bytes);
                let label = self.label(tags);
                let mut inputs = CommandInputs::new(&mut self.waiting, "*".to_owned(), label);
                let text = "Message rejected: it is not UTF-8";
                inputs.replies.fail("*", "INVALID_UTF8", &[], text);
                let reference = tags.get("batch").unwrap_or_default();
                let batch = self.client.batch.as_mut();
                if let Some(batch) = batch.filter(|batch| batch.is_called(&reference)) {
                    batch.lose_line(&mut inputs);
                }
                inputs.finish();
            }
            IrcFrame::TooLong => {
                let mut inputs = CommandInputs::new(&mut self.waiting, "*".to_owned(), None);
                let text = "Input line was too long";
                inputs.replies.numeric(Numeric::ERR_INPUTTOOLONG, &[], text);
                if let Some(batch) = &mut self.client.batch {
                    batch.lose_line(&mut inputs); // nearly always it is one of its lines
                }
                inputs.finish();
            }
        }
    }

    fn obey(&mut self, message: &IrcMessage<'_>) {
        let label = self.label(message.tags);
        let word = message.command.to_ascii_uppercase();
        let inputs = CommandInputs::new(&mut self.waiting, word, label);
        commands::run(CommandRun { client: &mut self.client, message, inputs });
    }

    /// The label of a message, if the client gets labelled responses.
    fn label(&self, tags: Tags<'_>) -> Option<Line> {
        if !self.client.caps().has(Cap::LabeledResponse) {
            return None;
        }
        let label = tags.get("label")?;
        let is_valid = (1..=LABEL_BYTES_MAX).contains(&label.len());
        is_valid.then(|| Line::sanitise(label.as_bytes()))
    }
}

/// The tags of a line that is not UTF-8, if they are.
fn tags_of(line: &[u8]) -> Tags<'_> {
    let tags = line.strip_prefix(b"@").and_then(|line| line.split(|byte| *byte == b' ').next());
    Tags::new(tags.and_then(|tags| str::from_utf8(tags).ok()).unwrap_or_default())
}

impl Decoder for IrcDecoder {
    fn next(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        if let Some(input) = self.waiting.pop_front() {
            return Some(input);
        }
        let frame = self.framer.next(bytes)?;
        self.hear(&frame);
        let input = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // an idle connection holds no memory for it
        }
        Some(input.unwrap_or(Input::Nothing))
    }

    fn has_more(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// No question is asked at this door.
    fn next_secret(&mut self, bytes: &mut &[u8]) -> Option<Input> {
        self.next(bytes)
    }

    fn conceal(&mut self, _: bool) -> Option<Box<[u8]>> {
        None
    }

    fn finish(&mut self) -> Option<Input> {
        None // a part of a message means nothing
    }

    fn chooses_rooms(&self) -> bool {
        true
    }

    fn says_goodbye(&self) -> bool {
        true
    }
}
