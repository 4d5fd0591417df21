//! What a command is: what it means, how help shows it, and why typed words are none. Knows no single command.

use crate::model::{Deed, Line, NameError, RoomName, Spoken};

/// Something a person wants done.
#[derive(Clone, Debug)]
pub enum Command {
    /// To read about the commands, or about one.
    Help(Option<&'static Spec>),
    /// To know who is here, or in another room.
    Who(Option<RoomName>),
    /// To take another name; as typed.
    Name(Line),
    /// To say something.
    Say(Spoken),
    /// To write to one person alone.
    Private {
        /// The name, as typed.
        to: Line,
        /// The words.
        text: Line,
    },
    /// To know the rooms.
    Rooms,
    /// To move to another room.
    Join(RoomName),
    /// To know the topic.
    Topic,
    /// To set the topic, or to clear it.
    SetTopic(Option<Line>),
    /// To read the last lines.
    Last(u64),
    /// To read what was said since then, as typed: whoever knows the calendar knows when that was.
    Since(Line),
    /// To find lines with these words.
    Search {
        /// The words, as typed.
        words: Line,
        /// So many of the newest have been shown already.
        skip: u64,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// To read the lines that were skipped.
    Missed(&'static Spec),
    /// To own the name that one wears, with a password.
    Register {
        /// Whether the token stays when the password is changed.
        keeps_token: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// To take back what one has said.
    Forget {
        /// Whether it is to be done, and not only explained.
        all: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// To come back with a code; at the name question alone.
    Resume(Line),
    /// To know the code to come back with.
    Code(&'static Spec),
    /// To have a token for scripts, or to have it end.
    Token {
        /// Whether it is to end.
        revoke: bool,
        /// The command, for its name.
        spec: &'static Spec,
    },
    /// To hide a person's lines; as typed.
    Ignore(Line),
    /// To see them again; as typed.
    Unignore(Line),
    /// To hide, or see, arrivals and departures.
    Quiet(bool),
    /// To see, or not to see, the own lines.
    Echo(bool),
    /// To have something done with authority.
    Act(Deed),
    /// To know the bans.
    Bans,
    /// To know the keepers: anybody may.
    Keepers,
    /// To leave with these words.
    Quit(Option<Line>),
}

/// A command as the table has it.
#[derive(Debug)]
pub struct Spec {
    /// What is typed behind the slash.
    pub name: &'static str,
    /// What may be typed instead.
    pub aliases: &'static [&'static str],
    /// Beside which others help lists it.
    pub group: CommandGroup,
    /// What follows, as it is shown: `NAME TEXT`.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// What else there is to know, in a sentence; empty where there is nothing.
    pub more: &'static str,
    /// From the words behind the name to the command; none where they make no sense.
    pub(super) parse: fn(&'static Spec, &str) -> Result<Command, Misread>,
}

/// Commands that are listed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandGroup {
    /// What is said, and what is shown.
    Talk,
    /// Where, and with whom.
    Rooms,
    /// What was said before.
    Back,
    /// Who one is.
    Name,
    /// For those who keep order.
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

    /// What help calls it.
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

/// Words that may be left out, and are where nobody sees them.
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
