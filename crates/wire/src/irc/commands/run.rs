//! One command of a registered client, while it becomes inputs. Knows no command.

use super::client_state::ClientState;
use super::command_inputs::CommandInputs;
use crate::irc::protocol::{IrcMessage, Numeric};

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

    /// Adds a reply or an error.
    pub(crate) fn reply(&mut self, numeric: Numeric, words: &[&str], text: &str) {
        self.inputs.replies.numeric(numeric, words, text);
    }

    /// Refuses the command: it has too few parameters.
    pub(crate) fn need_more(&mut self) {
        let word = self.inputs.word.clone();
        self.reply(Numeric::ERR_NEEDMOREPARAMS, &[&word], "Not enough parameters");
    }

    /// Whether the command is a NOTICE, for which no error is sent.
    pub(crate) fn is_notice(&self) -> bool {
        self.inputs.word == "NOTICE"
    }
}
