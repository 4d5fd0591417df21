//! The commands of the operator's socket: those of keepers, and a few more. Knows no server.

use parlor_core::link::{Command, Misread};
use parlor_core::model::{Deed, Line, Name, Verb, Whom};

/// A command of the operator.
#[derive(Debug)]
pub(super) enum OperatorCommand {
    /// An act that the broadcaster decides.
    Act(Deed),
    /// Reload the configuration.
    Reload(Deed),
    /// Release a name.
    ReleaseName(Deed),
    /// Set a new password, which is the next line.
    SetPassword(Deed),
    /// List the people who are here.
    Everybody,
    /// List the bans.
    Bans,
    /// List the keepers of the server.
    Keepers,
    /// List the registered names.
    Names,
    /// Show the latest entries of the log of moderation.
    Log(usize),
    /// Show the commands.
    Help,
    /// End the conversation.
    Quit,
}

/// The number of log entries that are shown if the command gives none.
const LOG_ROWS: usize = 100;

/// The answer to `/help`.
pub(super) const HELP: [&str; 15] = [
    "/list: everybody, with address and rooms",
    "/broadcast TEXT: a notice to everybody",
    "/kick NAME [REASON]",
    "/ban WHOM [TIME] [REASON]",
    "/ban: the bans",
    "/unban WHOM",
    "/mute NAME [TIME]",
    "/unmute NAME",
    "/keeper: the keepers of the server",
    "/keeper NAME, /keeper -NAME: adds or removes one",
    "/name list: the registered names",
    "/name release NAME: makes a name free again",
    "/name password NAME: sets a new password; the next line is the password",
    "/log [N]: the log of moderation",
    "/reload: reads the configuration again",
];

/// The answer to a line that is no command. Users of an older program, which sends JSON, read it
/// too.
const NO_COMMAND: &str = "This is not a command; /help lists them. If you typed parlor admin, it is of another version \
                          than the server";

const NO_SEAT: &str =
    "That needs a seat in a room, and the operator has none; /help lists the commands";

impl OperatorCommand {
    /// Parses a line.
    ///
    /// # Errors
    /// The line is no command, or none that the operator can use.
    pub(super) fn parse(line: &Line) -> Result<OperatorCommand, NoCommand> {
        let typed = line.as_str().trim();
        let typed = typed.strip_prefix('/').ok_or(NoCommand::Here(NO_COMMAND))?;
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("list", "") => Ok(OperatorCommand::Everybody),
            ("reload", "") => Ok(OperatorCommand::Reload(Deed::to_all(Verb::Reload, None))),
            ("broadcast", "") => Err(NoCommand::Here("Type /broadcast TEXT")),
            ("broadcast", text) => {
                let text = Line::sanitise(text.as_bytes());
                Ok(OperatorCommand::Act(Deed::to_all(Verb::Broadcast, Some(text))))
            }
            ("log", "") => Ok(OperatorCommand::Log(LOG_ROWS)),
            ("log", rows) => match rows.parse() {
                Ok(rows) => Ok(OperatorCommand::Log(rows)),
                Err(_) => Err(NoCommand::Here("Type /log, or /log and how many entries")),
            },
            ("name", rest) => name(rest),
            _ => Command::parse(typed)?.try_into(),
        }
    }
}

/// `/name list`, `/name release NAME`, `/name password NAME`
fn name(rest: &str) -> Result<OperatorCommand, NoCommand> {
    let (word, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = Whom::Name(Name::stored(name.trim()));
    match word {
        "list" => Ok(OperatorCommand::Names),
        "release" => Ok(OperatorCommand::ReleaseName(Deed::to(Verb::ReleaseName, name))),
        "password" => Ok(OperatorCommand::SetPassword(Deed::to(Verb::SetPassword, name))),
        _ => Err(NoCommand::Here("Type /name list, /name release NAME or /name password NAME")),
    }
}

impl TryFrom<Command> for OperatorCommand {
    type Error = NoCommand;

    fn try_from(command: Command) -> Result<OperatorCommand, NoCommand> {
        match command {
            Command::Act(deed) if matches!(deed.verb, Verb::LockTopic | Verb::UnlockTopic) => {
                Err(NoCommand::Here(NO_SEAT))
            }
            Command::Act(deed) => Ok(OperatorCommand::Act(deed)),
            Command::Bans => Ok(OperatorCommand::Bans),
            Command::Keepers => Ok(OperatorCommand::Keepers),
            Command::Help(_) => Ok(OperatorCommand::Help),
            Command::Quit(_) => Ok(OperatorCommand::Quit),
            Command::Who(_)
            | Command::Name(_)
            | Command::Say(_)
            | Command::Private { .. }
            | Command::Rooms
            | Command::Join(_)
            | Command::Topic
            | Command::SetTopic(_)
            | Command::Last(_)
            | Command::Since(_)
            | Command::Search { .. }
            | Command::Missed(_)
            | Command::Register { .. }
            | Command::Forget { .. }
            | Command::Resume(_)
            | Command::Code(_)
            | Command::Token { .. }
            | Command::Ignore(_)
            | Command::Unignore(_)
            | Command::Quiet(_)
            | Command::Echo(_) => Err(NoCommand::Here(NO_SEAT)),
        }
    }
}

/// The reason why a line is no command.
pub(super) enum NoCommand {
    /// No door has such a command.
    Anywhere(Misread),
    /// Other doors have this command; the sentence says what to do instead.
    Here(&'static str),
}

impl From<Misread> for NoCommand {
    fn from(misread: Misread) -> NoCommand {
        NoCommand::Anywhere(misread)
    }
}
