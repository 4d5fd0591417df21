//! Parlor as the measured server: its door, its mode, and its storage. Its limits are lifted.

use super::protocol::Protocol;
use super::target::{THIS_PROGRAM, Target};

/// The door through which the load connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LoadDoor {
    /// Lines, as with netcat
    Lines,
    /// The web door, over WebSockets
    Ws,
    /// The door for IRC, with clients of three classes: without tags, with times, with all tags
    Irc,
}

const MEMORY: &[&str] = &["--memory"];

/// The directory of its files, in the folder in which it runs.
const DATA: [&str; 2] = ["--data", "data"];

/// The place of a server among others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodePlace<'a> {
    /// It is alone.
    Alone,
    /// It is this node, of this house, at these servers of NATS.
    Node { urls: &'a str, house: &'a str, node: &'a str },
}

/// The measured Parlor.
#[derive(Debug, Clone)]
pub(crate) struct Parlor {
    /// None for the one that is built into this program.
    pub(crate) program: Option<String>,
    pub(crate) door: LoadDoor,
}

impl Parlor {
    /// In named mode, without a file.
    pub(crate) fn named(&self) -> Target {
        self.at(self.door)
    }

    /// With its defaults: in named mode, with each line on disk before it is shown.
    pub(crate) fn on_disk(&self) -> Target {
        self.through(self.door, "on disk", &DATA)
    }

    /// Alone or as a node, through the door for lines; its lines are written to a file, but not synced,
    /// as those of a node are.
    pub(crate) fn written(&self, place: NodePlace<'_>) -> Target {
        self.placed(place, "on disk", &[&DATA[..], &["--keep", "written"]].concat())
    }

    /// Alone or as a node, in named mode and without a file.
    pub(crate) fn in_memory(&self, place: NodePlace<'_>) -> Target {
        self.placed(place, "in memory", MEMORY)
    }

    fn placed(&self, place: NodePlace<'_>, kept: &str, storage: &[&str]) -> Target {
        match place {
            NodePlace::Alone => self.through(self.door, &format!("alone {kept}"), storage),
            NodePlace::Node { urls, house, node } => {
                let among = ["--nats", urls, "--house", house, "--node", node];
                self.through(self.door, &format!("node {kept}"), &[storage, &among].concat())
            }
        }
    }

    /// Two targets to compare: named mode over lines, and beside it classic mode, which only the
    /// door for lines has, or the other door.
    pub(crate) fn pair(&self) -> [Target; 2] {
        let other = match self.door {
            LoadDoor::Lines => self.classic(),
            LoadDoor::Ws | LoadDoor::Irc => self.named(),
        };
        [self.at(LoadDoor::Lines), other]
    }

    /// In classic mode, through the door for lines.
    pub(crate) fn classic(&self) -> Target {
        self.target("classic", "tcp://127.0.0.1:{port}?classic", Protocol::Lines, MEMORY)
    }

    /// A remark on the door for a note, if it is not the usual one.
    pub(crate) fn note(&self) -> &'static str {
        match self.door {
            LoadDoor::Lines => "",
            LoadDoor::Ws => " All clients use WebSockets.",
            LoadDoor::Irc => {
                " All clients use IRC: a third has no tags, a third times, and a third all tags."
            }
        }
    }

    /// In named mode, through this door and without a file.
    pub(crate) fn at(&self, door: LoadDoor) -> Target {
        self.through(door, "named", MEMORY)
    }

    fn through(&self, door: LoadDoor, mode: &str, storage: &[&str]) -> Target {
        let (mode, scheme, protocol) = match door {
            LoadDoor::Lines => (mode.to_owned(), "tcp", Protocol::NamedLines),
            LoadDoor::Ws => (format!("{mode} ws"), "http", Protocol::WebSocket),
            LoadDoor::Irc => (format!("{mode} irc"), "irc", Protocol::IrcClasses),
        };
        self.target(&mode, &format!("{scheme}://127.0.0.1:{{port}}"), protocol, storage)
    }

    fn target(&self, mode: &str, listen: &str, protocol: Protocol, storage: &[&str]) -> Target {
        let program = match &self.program {
            Some(program) => vec![program.as_str()],
            None => vec![THIS_PROGRAM, "parlor"],
        };
        // A node warns of the faults that the scenario makes.
        let log = if storage.contains(&"--nats") { "error" } else { "warn" };
        let lifted = ["serve", "--rate", "off", "--log", log, "--listen", listen];
        let words = program.into_iter().chain(lifted).chain(storage.iter().copied());
        Target::new(&format!("parlor {mode}"), protocol, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_is_told_where_the_others_are() {
        let parlor = Parlor { program: Some("parlor".into()), door: LoadDoor::Lines };
        let place = NodePlace::Node { urls: "nats://a,nats://b", house: "h", node: "n" };
        let target = parlor.written(place);
        assert_eq!(target.name, "parlor node on disk");
        assert_eq!(
            target.command.join(" "),
            "parlor serve --rate off --log error --listen tcp://127.0.0.1:{port} \
             --data data --keep written --nats nats://a,nats://b --house h --node n"
        );
        let alone = parlor.in_memory(NodePlace::Alone);
        assert_eq!(
            (alone.name.as_str(), alone.protocol),
            ("parlor alone in memory", Protocol::NamedLines)
        );
        assert!(alone.command.ends_with(&["--memory".to_owned()]));
    }
}
