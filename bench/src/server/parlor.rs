//! Parlor as the measured server: its door, its mode, and its storage. Its limits are lifted.

use super::protocol::Protocol;
use super::target::{Target, this_program};

/// The door through which the load connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LoadDoor {
    /// Lines, as with netcat
    Lines,
    /// The web door, over WebSockets
    Ws,
}

/// The name of named mode in the tables: through the door for lines, and over WebSockets.
const NAMED: [&str; 2] = ["named", "ws"];

const MEMORY: [&str; 1] = ["--memory"];

/// The measured Parlor.
#[derive(Debug, Clone)]
pub(crate) struct Parlor {
    /// None for the one that is built into this program.
    pub(crate) program: Option<String>,
    pub(crate) door: LoadDoor,
}

impl Parlor {
    /// In named mode, without a file.
    pub(crate) fn named(&self) -> anyhow::Result<Target> {
        self.through(self.door, NAMED, &MEMORY)
    }

    /// With its defaults: in named mode, with each line on disk before it is shown.
    pub(crate) fn on_disk(&self) -> anyhow::Result<Target> {
        let storage = ["--data", "data"]; // in the folder in which it runs
        self.through(self.door, ["on disk", "ws on disk"], &storage)
    }

    /// In classic mode, which only the door for lines has.
    pub(crate) fn classic(&self) -> anyhow::Result<Target> {
        let listen = "tcp://127.0.0.1:{port}?classic";
        self.target("classic", listen, Protocol::Lines, &MEMORY)
    }

    /// Two targets to compare: named mode over lines, and beside it classic mode or WebSockets.
    pub(crate) fn pair(&self) -> anyhow::Result<[Target; 2]> {
        let lines = self.through(LoadDoor::Lines, NAMED, &MEMORY)?;
        let other = match self.door {
            LoadDoor::Lines => self.classic()?,
            LoadDoor::Ws => self.named()?,
        };
        Ok([lines, other])
    }

    /// A remark on the door for a note, if it is not the usual one.
    pub(crate) fn note(&self) -> &'static str {
        match self.door {
            LoadDoor::Lines => "",
            LoadDoor::Ws => " All clients use WebSockets.",
        }
    }

    fn through(
        &self,
        door: LoadDoor,
        modes: [&str; 2],
        storage: &[&str],
    ) -> anyhow::Result<Target> {
        let [lines, web] = modes;
        match door {
            LoadDoor::Lines => {
                let listen = "tcp://127.0.0.1:{port}";
                self.target(lines, listen, Protocol::NamedLines, storage)
            }
            LoadDoor::Ws => {
                let listen = "http://127.0.0.1:{port}";
                self.target(web, listen, Protocol::WebSocket, storage)
            }
        }
    }

    fn target(
        &self,
        mode: &str,
        listen: &str,
        protocol: Protocol,
        storage: &[&str],
    ) -> anyhow::Result<Target> {
        let mut command = match &self.program {
            Some(program) => vec![program.clone()],
            None => vec![this_program()?, "parlor".into()],
        };
        let lifted = ["serve", "--rate", "off", "--log", "warn", "--listen", listen];
        command.extend(lifted.iter().chain(storage).map(|&word| word.to_owned()));
        Ok(Target::new(&format!("parlor {mode}"), protocol, command))
    }
}
