//! The operator's commands: those of keepers, and a few more. Knows no server.

use parlor_core::link::{Command, Refusal};
use parlor_core::model::{Deed, Line, Name, Verb, Whom};

use super::words::why_not;

/// A command of the operator.
#[derive(Debug)]
pub(crate) enum OperatorCommand {
    /// An act that the broadcaster decides.
    Act(Deed),
    /// Reload the configuration.
    Reload(Deed),
    /// Release a name.
    ReleaseName(Deed),
    /// Set a new password, which is the next line.
    SetPassword(Deed),
    /// Find out whether the server answers.
    Ping,
    /// List the people who are here.
    Everybody,
    /// List the bans.
    Bans,
    /// List the keepers of the server.
    Keepers,
    /// List the registered names.
    Names,
    /// List the nodes.
    Nodes,
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
pub(super) const HELP: [&str; 17] = [
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
    "/nodes: the servers that share these rooms",
    "/log [N]: the log of moderation",
    "/reload: reads the configuration again",
    "/ping: whether the server answers",
];

/// The answer to a line that is no command. Users of an older program, which sends JSON, read it
/// too.
const NO_COMMAND: &str = "this is not a command; /help lists them. If you typed parlor admin, it is of another version \
                          than the server";

const NO_SEAT: &str =
    "that needs a seat in a room, and the operator has none; /help lists the commands";

impl OperatorCommand {
    /// Parses a line.
    ///
    /// # Errors
    /// The line is no command, or none that the operator can use.
    pub(crate) fn parse(line: &Line) -> Result<OperatorCommand, String> {
        let typed = line.as_str().trim();
        let typed = typed.strip_prefix('/').ok_or(NO_COMMAND)?;
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("ping", "") => Ok(OperatorCommand::Ping),
            ("list", "") => Ok(OperatorCommand::Everybody),
            ("nodes", "") => Ok(OperatorCommand::Nodes),
            ("reload", "") => Ok(OperatorCommand::Reload(Deed::to_all(Verb::Reload, None))),
            ("broadcast", "") => Err("type /broadcast TEXT".to_owned()),
            ("broadcast", text) => {
                let text = Line::sanitise(text.as_bytes());
                Ok(OperatorCommand::Act(Deed::to_all(Verb::Broadcast, Some(text))))
            }
            ("log", "") => Ok(OperatorCommand::Log(LOG_ROWS)),
            ("log", rows) => {
                let rows = rows.parse().map(OperatorCommand::Log);
                rows.map_err(|_| "type /log, or /log and how many entries".to_owned())
            }
            ("name", rest) => Ok(name(rest)?),
            _ => match Command::parse(typed) {
                Ok(command) => Ok(for_operator(command).ok_or(NO_SEAT)?),
                Err(misread) => Err(why_not(&Refusal::from(misread))),
            },
        }
    }
}

/// `/name list`, `/name release NAME`, `/name password NAME`
fn name(rest: &str) -> Result<OperatorCommand, &'static str> {
    let (word, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = Whom::Name(Name::stored(name.trim()));
    match word {
        "list" => Ok(OperatorCommand::Names),
        "release" => Ok(OperatorCommand::ReleaseName(Deed::to(Verb::ReleaseName, name))),
        "password" => Ok(OperatorCommand::SetPassword(Deed::to(Verb::SetPassword, name))),
        _ => Err("type /name list, /name release NAME or /name password NAME"),
    }
}

/// A command of every door, if it needs no seat in a room.
fn for_operator(command: Command) -> Option<OperatorCommand> {
    match command {
        Command::Act(deed) if !deed.verb.needs_seat() => Some(OperatorCommand::Act(deed)),
        Command::Bans => Some(OperatorCommand::Bans),
        Command::Keepers => Some(OperatorCommand::Keepers),
        Command::Help(_) => Some(OperatorCommand::Help),
        Command::Quit(_) => Some(OperatorCommand::Quit),
        Command::Act(_)
        | Command::Who(_)
        | Command::Name(_)
        | Command::Say(_)
        | Command::Private { .. }
        | Command::Away(_)
        | Command::Rooms
        | Command::Join { .. }
        | Command::Rules
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
        | Command::Invite(_)
        | Command::Ignore(_)
        | Command::Unignore(_)
        | Command::Quiet(_)
        | Command::Echo(_) => None,
    }
}
