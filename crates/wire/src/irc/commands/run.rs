//! One command of a registered client, while it becomes inputs. Knows no command.

use parlor_core::model::Line;

use super::client_state::ClientState;
use super::command_inputs::CommandInputs;
use crate::irc::protocol::{Glob, IrcMessage, Numeric, TEXT_BYTES_MAX, plain};

/// One command, while it becomes inputs.
pub(crate) struct CommandRun<'a> {
    pub(crate) client: &'a mut ClientState,
    pub(crate) message: &'a IrcMessage<'a>,
    pub(crate) inputs: CommandInputs<'a>,
}

impl<'a> CommandRun<'a> {
    /// The parameter with this index, if it is there and not empty.
    pub(crate) fn given(&self, index: usize) -> Option<&'a str> {
        self.message.parameter(index).filter(|given| !given.is_empty())
    }

    /// The words in the parameter with this index, without formatting; none if there are none.
    pub(crate) fn words(&self, index: usize) -> Option<Line> {
        self.given(index).and_then(words)
    }

    /// Whether the words in the parameter with this index are longer than the server repeats; if so,
    /// the client reads that nothing is done.
    pub(crate) fn is_too_long(&mut self, index: usize) -> bool {
        let is_too_long = self.words(index).is_some_and(|words| words.len() > TEXT_BYTES_MAX);
        if is_too_long {
            let word = &self.inputs.word;
            let why =
                format!("The text of {word} has at most {TEXT_BYTES_MAX} bytes: nothing is done");
            self.reply(Numeric::ERR_INPUTTOOLONG, &[], &why);
        }
        is_too_long
    }

    /// Adds a reply or an error.
    pub(crate) fn reply(&mut self, numeric: Numeric, words: &[&str], text: &str) {
        self.inputs.replies.numeric(numeric, words, text);
    }

    /// Refuses the command: it has too few parameters.
    pub(crate) fn need_more(&mut self) {
        let word = self.inputs.word.clone();
        self.reply(Numeric::ERR_NEEDMOREPARAMS, &[&word], "Not enough parameters");
    }

    /// Tells that the command has more targets than it looks at: this one, and those behind it.
    pub(crate) fn too_many_targets(&mut self, first: &str) {
        let why = "Too many targets: this one and those behind it are left out";
        self.reply(Numeric::ERR_TOOMANYTARGETS, &[first], why);
    }

    /// Refuses all but the first of some targets, with commas, of a command that has one target.
    pub(crate) fn refuse_others(&mut self, targets: Option<&str>) {
        let mut targets = targets.into_iter().flat_map(|targets| targets.split(','));
        if let Some(second) = targets.nth(1) {
            self.too_many_targets(second);
        }
    }

    /// Whether the parameter with this index names another server; if so, the client reads that there
    /// is none.
    pub(crate) fn asks_elsewhere(&mut self, index: usize) -> bool {
        let Some(target) = self.given(index) else {
            return false;
        };
        let is_server =
            Glob::new(target).is_some_and(|mask| mask.matches(&self.client.server.name));
        let is_here = is_server || target.eq_ignore_ascii_case(&self.client.nick);
        if !is_here {
            self.reply(Numeric::ERR_NOSUCHSERVER, &[target], "There is no other server");
        }
        !is_here
    }

    /// Whether the command is a NOTICE, for which no error is sent.
    pub(crate) fn is_notice(&self) -> bool {
        self.inputs.word == "NOTICE"
    }
}

/// A text without formatting; none if it has no words.
pub(super) fn words(text: &str) -> Option<Line> {
    Some(Line::sanitise(plain(text).as_bytes())).filter(|line| !line.is_blank())
}
