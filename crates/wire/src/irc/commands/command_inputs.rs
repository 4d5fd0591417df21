//! The inputs that one command of a client becomes. Knows no command.

use std::collections::VecDeque;

use parlor_core::link::{Asked, Input};
use parlor_core::model::Line;

use crate::irc::reply::Replies;

/// The inputs that one command becomes, at the end of those that wait. Answers that need the
/// session stand between a beginning, which says what is asked, and an end.
pub(crate) struct CommandInputs<'a> {
    waiting: &'a mut VecDeque<Input>,
    /// The command, in upper case.
    pub(crate) word: String,
    label: Option<Line>,
    /// The capabilities from here on, if they change.
    pub(crate) caps_changed: Option<u64>,
    has_begun: bool,
    /// Answers that need no session, and are not yet among the inputs.
    pub(crate) replies: Replies,
}

impl<'a> CommandInputs<'a> {
    /// No inputs yet.
    pub(crate) fn new(
        waiting: &'a mut VecDeque<Input>,
        word: String,
        label: Option<Line>,
    ) -> CommandInputs<'a> {
        let (caps_changed, replies) = (None, Replies::default());
        CommandInputs { waiting, word, label, caps_changed, has_begun: false, replies }
    }

    /// The label of the command.
    pub(crate) fn label(&self) -> Option<&Line> {
        self.label.as_ref()
    }

    /// Takes the label away: a later command is answered.
    pub(crate) fn take_label(&mut self) -> Option<Line> {
        self.label.take()
    }

    /// The answers belong to an earlier command with this label.
    pub(crate) fn answer_to(&mut self, label: Option<Line>) {
        self.label = label;
    }

    /// Ends the answer to the command, if it has a label. From here on, an earlier command with this
    /// label is answered.
    pub(crate) fn turn_to(&mut self, label: Line) {
        self.end();
        self.label = Some(label);
    }

    /// The inputs from here on are about this target.
    pub(crate) fn about(&mut self, target: &str) {
        self.about_with("", target);
    }

    /// The same, with words for the encoder.
    pub(crate) fn about_with(&mut self, arguments: &str, target: &str) {
        self.flush();
        let command = match arguments {
            "" => self.word.clone(),
            arguments => format!("{} {arguments}", self.word),
        };
        let line = |text: &str| Line::sanitise(text.as_bytes());
        let asked = Asked {
            command: Some(line(&command)),
            target: (!target.is_empty()).then(|| line(target)),
            label: self.label.clone(), // the first target opens the answer to it
            mode: self.caps_changed.take(),
        };
        self.waiting.push_back(Input::Begin(Box::new(asked)));
        self.has_begun = true;
    }

    /// Adds an input whose answer the session gives.
    pub(crate) fn add(&mut self, input: Input) {
        if !self.has_begun {
            self.about("");
        }
        self.flush();
        self.waiting.push_back(input);
    }

    /// Adds an input that has no answer of its own, or that the session puts into a command itself.
    pub(crate) fn add_alone(&mut self, input: Input) {
        self.flush();
        self.waiting.push_back(input);
    }

    /// Moves the replies so far among the inputs.
    fn flush(&mut self) {
        if self.replies.is_empty() {
            return;
        }
        if !self.has_begun && (self.label.is_some() || self.caps_changed.is_some()) {
            let replies = std::mem::take(&mut self.replies);
            self.about("");
            self.replies = replies;
        }
        let replies = std::mem::take(&mut self.replies);
        self.waiting.push_back(Input::Raw(replies.into_bytes()));
    }

    /// Ends the command.
    pub(crate) fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.flush();
        if !self.has_begun && (self.label.is_some() || self.caps_changed.is_some()) {
            self.about("");
        }
        if std::mem::take(&mut self.has_begun) {
            self.waiting.push_back(Input::End);
        }
    }
}
