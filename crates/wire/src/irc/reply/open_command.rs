//! The command that is being answered, as answers quote it. Knows no answer.

use parlor_core::link::Asked;
use parlor_core::model::Line;

use super::labels::LabelledResponse;
use crate::irc::protocol::Service;

/// The word behind MODE for a list of bans.
pub(crate) const BANS: &str = "b";

/// The command that is being answered.
#[derive(Debug, Default)]
pub(crate) struct OpenCommand {
    /// The command, in upper case.
    pub(crate) word: String,
    /// The words of the decoder for the encoder, behind the command.
    pub(crate) arguments: String,
    /// The target as typed; empty if there is none.
    pub(crate) target: String,
    /// The answers, if the command has a label.
    pub(crate) response: Option<LabelledResponse>,
    /// Whether it was refused.
    pub(crate) is_refused: bool,
    /// Whether its last answer has had its ending with it.
    pub(crate) is_ended: bool,
}

impl OpenCommand {
    /// The command of a client, or a post.
    pub(crate) fn new(asked: &Asked) -> OpenCommand {
        let mut command = OpenCommand::default();
        command.turn_to(asked);
        command
    }

    /// Goes on with another target of the same command.
    pub(crate) fn turn_to(&mut self, asked: &Asked) {
        let target = asked.target.as_ref().map_or("", Line::as_str);
        let Some(command) = &asked.command else {
            self.word = "PRIVMSG".to_owned();
            self.target = format!("#{target}");
            return;
        };
        let (word, arguments) = command.as_str().split_once(' ').unwrap_or((command.as_str(), ""));
        self.word = word.to_ascii_uppercase();
        self.arguments = arguments.to_owned();
        self.target = target.to_owned();
        (self.is_refused, self.is_ended) = (false, false);
    }

    /// The service to which the command goes, if it goes to one.
    pub(crate) fn service(&self) -> Option<Service> {
        Service::of(&self.target).filter(|_| self.word == "PRIVMSG")
    }
}
