//! Parlor as it is measured: through which door, in which mode, and what it keeps. Its limits are lifted.

use crate::target::{Dialect, Target, this_program};

/// The door through which the load comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Door {
    /// Lines, as with netcat
    Lines,
    /// The web door, over WebSockets
    Ws,
}

/// The Parlor that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parlor<'a> {
    /// None for the one that is built into this program.
    pub(crate) program: Option<&'a str>,
    pub(crate) door: Door,
}

impl Parlor<'_> {
    /// In named mode, keeping nothing.
    pub(crate) fn named(self) -> anyhow::Result<Target> {
        let mode = match self.door {
            Door::Lines => "named",
            Door::Ws => "ws",
        };
        self.target(mode, &["--memory"])
    }

    /// As it is by default: in named mode, each line on disk before it is shown.
    pub(crate) fn on_disk(self) -> anyhow::Result<Target> {
        let mode = match self.door {
            Door::Lines => "on disk",
            Door::Ws => "ws on disk",
        };
        self.target(mode, &["--data", "data"]) // in the folder in which it runs
    }

    /// In classic mode, which only lines have.
    pub(crate) fn classic(self) -> anyhow::Result<Target> {
        self.listening(
            "classic",
            "tcp://127.0.0.1:{port}?classic",
            Dialect::Lines,
            &["--memory"],
        )
    }

    /// Two to be measured beside each other: named mode, and with lines the classic one, or with WebSockets those.
    pub(crate) fn pair(self) -> anyhow::Result<[Target; 2]> {
        let plain = self.with_lines().named()?;
        Ok(match self.door {
            Door::Lines => [plain, self.classic()?],
            Door::Ws => [plain, self.named()?],
        })
    }

    /// The same, through the door for lines.
    pub(crate) fn with_lines(self) -> Self {
        let door = Door::Lines;
        Parlor { door, ..self }
    }

    /// What a table has to say of the door, if it is not the usual one.
    pub(crate) fn note(self) -> &'static str {
        match self.door {
            Door::Lines => "",
            Door::Ws => " All of it over WebSockets.",
        }
    }

    fn target(self, mode: &str, keep: &[&str]) -> anyhow::Result<Target> {
        let (listen, dialect) = match self.door {
            Door::Lines => ("tcp://127.0.0.1:{port}", Dialect::NamedLines),
            Door::Ws => ("http://127.0.0.1:{port}", Dialect::WebSocket),
        };
        self.listening(mode, listen, dialect, keep)
    }

    fn listening(
        self,
        mode: &str,
        listen: &str,
        dialect: Dialect,
        keep: &[&str],
    ) -> anyhow::Result<Target> {
        let program = match self.program {
            Some(program) => vec![program.to_owned()],
            None => vec![this_program()?, "parlor".into()],
        };
        let lifted = ["--rate", "off", "--log", "warn", "--listen", listen];
        let arguments = [&["serve"], keep, &lifted].concat();
        let arguments = arguments.into_iter().map(str::to_owned);
        Ok(Target {
            name: format!("parlor {mode}"),
            dialect,
            command: program.into_iter().chain(arguments).collect(),
            config: String::new(),
        })
    }
}
