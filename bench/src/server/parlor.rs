//! Parlor as the measured server: its door, its mode, and its storage. Its limits are lifted.

use std::net::Ipv4Addr;

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
    /// Lines over TLS
    Tls,
    /// The web door with TLS, over WebSockets
    Https,
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
    /// The certificate at doors with TLS, and its key.
    pub(crate) pair: String,
}

/// A certificate of this machine and its key, one after the other, as PEM.
pub(crate) fn make_pair() -> anyhow::Result<String> {
    let names = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok(made.cert.pem() + &made.signing_key.serialize_pem())
}

impl LoadDoor {
    /// The same door without TLS.
    pub(crate) fn plain(self) -> LoadDoor {
        match self {
            LoadDoor::Tls => LoadDoor::Lines,
            LoadDoor::Https => LoadDoor::Ws,
            LoadDoor::Lines | LoadDoor::Ws | LoadDoor::Irc => self,
        }
    }

    pub(crate) fn is_encrypted(self) -> bool {
        self.plain() != self
    }
}

impl Parlor {
    /// In named mode, without a file.
    pub(crate) fn named(&self) -> Target {
        self.at(self.door)
    }

    /// With its defaults: in named mode, with each line on disk before it is shown.
    pub(crate) fn on_disk(&self) -> Target {
        self.on_disk_at(self.door)
    }

    /// The same at this door.
    pub(crate) fn on_disk_at(&self, door: LoadDoor) -> Target {
        self.through(door, "on disk", &DATA)
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
    /// door for lines has, or the other door. A door with TLS is compared with the same one without.
    pub(crate) fn pair(&self) -> [Target; 2] {
        match self.door {
            LoadDoor::Lines => [self.named(), self.classic()],
            LoadDoor::Ws | LoadDoor::Irc => [self.at(LoadDoor::Lines), self.named()],
            LoadDoor::Tls | LoadDoor::Https => [self.at(self.door.plain()), self.named()],
        }
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
            LoadDoor::Tls => " All clients use TLS 1.3.",
            LoadDoor::Https => " All clients use WebSockets over TLS 1.3.",
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
            LoadDoor::Tls => (format!("{mode} tls"), "tls", Protocol::NamedLines),
            LoadDoor::Https => (format!("{mode} https"), "https", Protocol::WebSocket),
        };
        let listen = format!("{scheme}://127.0.0.1:{{port}}");
        if !door.is_encrypted() {
            return self.target(&mode, &listen, protocol, storage);
        }
        let storage = [storage, &["--tls-cert", "{config}"]].concat();
        let target = self.target(&mode, &listen, protocol, &storage);
        Target { config: self.pair.clone(), is_encrypted: true, ..target }
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

    fn parlor(door: LoadDoor) -> Parlor {
        Parlor { program: Some("parlor".into()), door, pair: "PAIR".into() }
    }

    #[test]
    fn door_with_tls_is_compared_with_the_same_one_without() {
        for (door, plain, scheme) in
            [(LoadDoor::Tls, "tcp", "tls"), (LoadDoor::Https, "http", "https")]
        {
            let [plain_target, target] = parlor(door).pair();
            assert_eq!(
                target.command.join(" "),
                format!(
                    "parlor serve --rate off --log warn --listen {scheme}://127.0.0.1:{{port}} --memory \
                     --tls-cert {{config}}"
                )
            );
            assert!(target.is_encrypted && target.config == "PAIR");
            assert!(!plain_target.is_encrypted && plain_target.config.is_empty());
            let listen = format!("{plain}://127.0.0.1:{{port}}");
            assert!(plain_target.command.contains(&listen), "{plain_target:?}");
            assert_eq!(plain_target.protocol, target.protocol);
        }
    }

    #[test]
    fn node_is_told_where_the_others_are() {
        let parlor = parlor(LoadDoor::Lines);
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
