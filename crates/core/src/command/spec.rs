//! A command: its meaning, its help, and the reasons why input is no command. Knows no single
//! command.

use crate::model::{Deed, Line, NameError, RoomName, Spoken};

/// The meaning of a command.
#[derive(Clone, Debug)]
pub enum Command {
    /// Explains the commands, or one of them.
    Help(Option<&'static Spec>),
    /// Lists the people here, or in another room.
    Who(Option<RoomName>),
    /// Takes another name, as typed.
    Name(Line),
    /// Says something.
    Say(Spoken),
    /// Writes to one person alone.
    Private {
        /// The name, as typed.
        to: Line,
        /// The words.
        text: Line,
    },
    /// Is away with this text, or back.
    Away(Option<Line>),
    /// Lists the rooms.
    Rooms,
    /// Moves to another room.
    Join {
        /// The room.
        room: RoomName,
        /// The password of the room, as typed.
        password: Option<Line>,
    },
    /// Shows the rules of the room.
    Rules,
    /// Shows the topic.
    Topic,
    /// Sets the topic, or clears it.
    SetTopic(Option<Line>),
    /// Shows the last lines.
    Last(u64),
    /// Shows the lines since a time, as typed: only the clock can interpret it.
    Since(Line),
    /// Finds lines with these words.
    Search {
        /// The words, as typed.
        words: Line,
        /// The number of newest lines that were shown already.
        skip: u64,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Shows the lines that were skipped.
    Missed(&'static Spec),
    /// Registers the person's name with a password.
    Register {
        /// Whether the token stays when the password is changed.
        keeps_token: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Deletes the person's lines.
    Forget {
        /// Whether to delete the lines now, and not only to explain it.
        all: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Returns with a code; only at the name question.
    Resume(Line),
    /// Shows the code to return with.
    Code(&'static Spec),
    /// Makes a token for scripts, or revokes it.
    Token {
        /// Whether to revoke it.
        revoke: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Invites a person, whose name is as typed, to this room.
    Invite(Line),
    /// Hides the lines of a person, whose name is as typed.
    Ignore(Line),
    /// Shows the lines of a person again, whose name is as typed.
    Unignore(Line),
    /// Hides arrivals and departures, or shows them.
    Quiet(bool),
    /// Shows the person's own lines, or hides them.
    Echo(bool),
    /// Does something with authority.
    Act(Deed),
    /// Lists the bans.
    Bans,
    /// Lists the keepers, for anybody.
    Keepers,
    /// Leaves with these words.
    Quit(Option<Line>),
}

/// A command in the table.
#[derive(Debug)]
pub struct Spec {
    /// The name, without the slash.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The group in which help lists it.
    pub group: CommandGroup,
    /// The arguments after the name, as help shows them: `NAME TEXT`.
    pub arguments: &'static str,
    /// Its effect, in a few words.
    pub does: &'static str,
    /// More about it, in sentences; may be empty.
    pub more: &'static str,
    /// Makes the command from the words after the name.
    pub(super) parse: fn(&'static Spec, &str) -> Result<Command, Misread>,
}

/// Commands that help lists together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandGroup {
    /// Speaking, and the display of lines.
    Talk,
    /// Rooms, and the people in them.
    Rooms,
    /// Earlier lines.
    Back,
    /// The person's name.
    Name,
    /// Commands of keepers.
    Keepers,
}

impl CommandGroup {
    /// All of them, in the order in which help lists them.
    pub const ALL: [CommandGroup; 5] = [
        CommandGroup::Talk,
        CommandGroup::Rooms,
        CommandGroup::Back,
        CommandGroup::Name,
        CommandGroup::Keepers,
    ];

    /// Its title in help.
    pub fn title(self) -> &'static str {
        match self {
            CommandGroup::Talk => "Talk",
            CommandGroup::Rooms => "Rooms",
            CommandGroup::Back => "Read back",
            CommandGroup::Name => "Your name",
            CommandGroup::Keepers => "Keepers",
        }
    }
}

/// The reason why input is no command.
#[derive(Clone, Debug)]
pub enum Misread {
    /// There is no such command.
    NoCommand {
        /// The input, without the slash.
        typed: Line,
        /// The nearest command, if one is near.
        nearest: Option<&'static str>,
    },
    /// The command has missing or wrong arguments.
    Usage(&'static Spec),
    /// An argument is not a valid name.
    Name(NameError),
    /// An argument is not a valid address.
    NoAddress(Line),
}

/// Optional words; invisible words count as left out.
pub(super) fn seen(text: &str) -> Option<Line> {
    Some(line(text)).filter(|line| !line.is_blank())
}

pub(super) fn line(text: &str) -> Line {
    Line::sanitise(text.as_bytes())
}

pub(super) fn needed(spec: &'static Spec, text: &str) -> Result<Line, Misread> {
    let text = line(text.trim());
    match text.is_blank() {
        true => Err(Misread::Usage(spec)),
        false => Ok(text),
    }
}
