//! Lines that a client sends together (IRCv3, "Multiline"). Knows no connection.

use std::sync::Arc;

use parlor_core::link::slipped;
use parlor_core::model::{Extras, InGroup, Line, Manner, Spoken};

use super::command_inputs::CommandInputs;
use crate::irc::protocol::{Ctcp, MULTILINE_BYTES_MAX, plain};
use crate::style::{LINE_BYTES_MAX, LINES_MAX};

/// The command that was probably meant by a text that is said as this line: also behind the key of
/// a formatting code, which nobody sees.
pub(super) fn slip(text: &str, line: &Line) -> Option<&'static str> {
    match text.starts_with(char::is_control) {
        true => slipped(&Line::sanitise(format!(" {line}").as_bytes())),
        false => slipped(line),
    }
}

/// The lines of a batch, until all of them have come.
#[derive(Debug)]
pub(crate) struct ClientBatch {
    /// The client's name for the batch.
    reference: String,
    /// The target as typed.
    pub(crate) target: String,
    /// The label of its command; none when it is answered.
    pub(crate) label: Option<Line>,
    /// The tags for other clients.
    tags: Option<Line>,
    manner: Option<Manner>,
    lines: Vec<JoinedLine>,
    /// The number of messages.
    messages: usize,
    bytes: usize,
    /// Whether it was refused, and its other lines are nothing.
    is_refused: bool,
}

/// A line of a batch, joined from one message or several.
#[derive(Debug, Default)]
struct JoinedLine {
    text: String,
    /// Where each message but the first begins in the text.
    breaks: Vec<usize>,
    /// The first character as it came, which may be a formatting code.
    typed: String,
}

impl JoinedLine {
    fn join(&mut self, text: &str) {
        self.breaks.push(self.text.len());
        self.text.push_str(text);
    }

    /// The command that was probably meant.
    fn slip(&self) -> Option<&'static str> {
        slip(&self.typed, &Line::sanitise(self.text.as_bytes()))
    }

    /// The line as a room reads it, and its breaks there: some characters change their length.
    fn finish(&self) -> (Line, Vec<u32>) {
        let len = |end| Line::sanitise(self.text.get(..end).unwrap_or_default().as_bytes()).len();
        let breaks = self.breaks.iter().filter_map(|end| u32::try_from(len(*end)).ok());
        (Line::sanitise(self.text.as_bytes()), breaks.collect())
    }
}

/// A message of a batch.
pub(crate) struct BatchLine<'a> {
    pub(crate) target: &'a str,
    pub(crate) manner: Manner,
    pub(crate) text: &'a str,
    /// Whether it continues the line before it.
    pub(crate) is_concat: bool,
}

impl ClientBatch {
    /// An empty batch.
    pub(crate) fn new(
        reference: &str,
        target: &str,
        label: Option<Line>,
        tags: Option<Line>,
    ) -> ClientBatch {
        ClientBatch {
            reference: reference.to_owned(),
            target: target.to_owned(),
            label,
            tags,
            manner: None,
            lines: Vec::new(),
            messages: 0,
            bytes: 0,
            is_refused: false,
        }
    }

    /// Whether this is the client's name for it.
    pub(crate) fn is_called(&self, reference: &str) -> bool {
        self.reference == reference
    }

    /// Takes a line. A refusal ends the batch.
    pub(crate) fn hear(&mut self, line: &BatchLine<'_>, inputs: &mut CommandInputs<'_>) {
        if self.is_refused {
            return;
        }
        self.messages += 1;
        self.bytes += line.text.len() + usize::from(!line.is_concat);
        let text = plain(line.text);
        if let Some((code, about, why)) = self.wrong(line, text.len()) {
            let about: Vec<_> = about.iter().map(String::as_str).collect();
            return self.refuse(code, &about, why, inputs);
        }
        self.manner = Some(line.manner);
        match self.lines.last_mut().filter(|_| line.is_concat) {
            Some(last) => last.join(&text),
            None => {
                let typed = line.text.chars().take(1).collect();
                let text = text.into_owned();
                self.lines.push(JoinedLine { text, breaks: Vec::new(), typed });
            }
        }
    }

    /// The rule that a line with a text of this length breaks: its code, what it is about, and the
    /// sentence.
    fn wrong(
        &self,
        line: &BatchLine<'_>,
        bytes: usize,
    ) -> Option<(&'static str, Vec<String>, &'static str)> {
        let joined = self.lines.last().filter(|_| line.is_concat).map_or(0, |last| last.text.len());
        if line.target != self.target {
            let targets = vec![self.target.clone(), line.target.to_owned()];
            let why = "All lines of a batch have its target";
            return Some(("MULTILINE_INVALID_TARGET", targets, why));
        }
        if self.bytes > MULTILINE_BYTES_MAX {
            let most = vec![MULTILINE_BYTES_MAX.to_string()];
            return Some(("MULTILINE_MAX_BYTES", most, "The batch has too many bytes"));
        }
        if self.messages > LINES_MAX {
            let most = vec![LINES_MAX.to_string()];
            return Some(("MULTILINE_MAX_LINES", most, "The batch has too many lines"));
        }
        let why = if self.manner.is_some_and(|manner| manner != line.manner) {
            "All lines of a batch have the same command"
        } else if Ctcp::parse(line.text).is_some() {
            "No line of a batch is CTCP"
        } else if line.is_concat && self.lines.is_empty() {
            "The first line of a batch continues no other"
        } else if line.is_concat && line.text.is_empty() {
            "A line that continues another one has words"
        } else if joined + bytes > LINE_BYTES_MAX {
            "A joined line has too many bytes"
        } else {
            return None;
        };
        Some(("MULTILINE_INVALID", Vec::new(), why))
    }

    /// Refuses the batch, which answers it: its other lines are nothing.
    fn refuse(&mut self, code: &str, about: &[&str], why: &str, inputs: &mut CommandInputs<'_>) {
        inputs.answer_to(self.label.take());
        inputs.replies.fail("BATCH", code, about, why);
        self.is_refused = true;
        self.lines = Vec::new();
    }

    /// Refuses the batch, because one of its lines cannot be read.
    pub(crate) fn lose_line(&mut self, inputs: &mut CommandInputs<'_>) {
        if !self.is_refused {
            let why = "A line of the batch was refused, so none is sent";
            self.refuse("MULTILINE_INVALID", &[], why, inputs);
        }
    }

    /// The command that was probably meant by one of the lines.
    pub(crate) fn slip(&self) -> Option<&'static str> {
        self.lines.iter().find_map(JoinedLine::slip)
    }

    /// The lines, all of which have come; none if the batch is refused.
    pub(crate) fn finish(mut self, inputs: &mut CommandInputs<'_>) -> Option<Vec<Spoken>> {
        if self.is_refused {
            return None;
        }
        let lines: Vec<_> = self.lines.iter().map(JoinedLine::finish).collect();
        if lines.iter().all(|(line, _)| line.is_blank()) {
            self.refuse("MULTILINE_INVALID", &[], "The batch has no words", inputs);
            return None;
        }
        let blanks = lines.iter().take_while(|(line, _)| line.is_empty()).count();
        let [count, blanks] = [lines.len(), blanks].map(|count| u32::try_from(count).unwrap_or(0));
        let manner = self.manner.unwrap_or(Manner::Plain);
        let spoken = lines.into_iter().zip(0..).map(|((text, breaks), index)| {
            let group = (count > 1).then_some(InGroup { index, lines: count, blanks });
            let (tags, label) = (self.tags.clone(), self.label.clone());
            let extras = Extras { tags, label, group, breaks, log: None };
            let extras = (extras != Extras::default()).then(|| Arc::new(extras));
            Spoken { manner, text, extras }
        });
        Some(spoken.collect())
    }
}
