//! What a command is: what it means, how help shows it, and why typed words are none. Knows no
//! single command.

use crate::model::{Deed, Line, NameError, RoomName, Spoken};

/// What a person wants to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// Explains the commands, or one of them.
    Help(Option<&'static Spec>),
    /// Lists the people here, or in another room.
    Who(Option<RoomName>),
    /// Takes another name; as typed.
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
    /// Lists the rooms.
    Rooms,
    /// Moves to another room.
    Join(RoomName),
    /// Shows the topic.
    Topic,
    /// Sets the topic, or clears it.
    SetTopic(Option<Line>),
    /// Shows the last lines.
    Last(u64),
    /// Shows the lines since a time, as typed: only the clock can tell when that was.
    Since(Line),
    /// Finds lines with these words.
    Search {
        /// The words, as typed.
        words: Line,
        /// How many of the newest were shown already.
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
    /// Deletes what the person said.
    Forget {
        /// Whether it is done, and not only explained.
        all: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Comes back with a code; only at the name question.
    Resume(Line),
    /// Shows the code that brings the person back.
    Code(&'static Spec),
    /// Makes a token for scripts, or ends it.
    Token {
        /// Whether it ends.
        revoke: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// Hides a person's lines; as typed.
    Ignore(Line),
    /// Shows a person's lines again; as typed.
    Unignore(Line),
    /// Hides arrivals and departures, or shows them.
    Quiet(bool),
    /// Shows the person's own lines, or hides them.
    Echo(bool),
    /// To have something done with authority.
    Act(Deed),
    /// To know the bans.
    Bans,
    /// To know the keepers: anybody may.
    Keepers,
    /// Leaves with these words.
    Quit(Option<Line>),
}

/// A command in the table.
#[derive(Debug)]
pub struct Spec {
    /// What is typed behind the slash.
    pub name: &'static str,
    /// What may be typed instead.
    pub aliases: &'static [&'static str],
    /// The group in which help lists it.
    pub group: CommandGroup,
    /// What follows the name, as help shows it: `NAME TEXT`.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// More about it, in sentences; may be empty.
    pub more: &'static str,
    /// Makes the command of the words behind the name.
    pub(super) parse: fn(&'static Spec, &str) -> Result<Command, Misread>,
}

/// Commands that help lists together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandGroup {
    /// Speaking, and what is shown.
    Talk,
    /// Rooms, and who is there.
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

/// Why what was typed is no command.
#[derive(Clone, Debug)]
pub enum Misread {
    /// There is no such command.
    NoCommand {
        /// What was typed, without the slash.
        typed: Line,
        /// The nearest command, if one is near.
        nearest: Option<&'static str>,
    },
    /// The command lacks something.
    Usage(&'static Spec),
    /// It needs a name, and this is none.
    Name(NameError),
    /// It needs an address, and this is none.
    NoAddress(Line),
}

/// Words that may be left out; invisible words count as left out.
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
