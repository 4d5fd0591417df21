//! Sessions recorded from the original program. A classic listener and `examples/chat` repeat them
//! exactly.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::support::{Chat, Guest, TestServer};

/// The mark for the end of the connection, among the lines.
const END: &str = "<EOF>";

#[test]
fn every_recorded_session_comes_out_alike() {
    replay_all(|steps| replay(steps, TestServer::classic().addresses()[0]));
}

#[test]
fn every_recorded_session_comes_out_alike_at_the_books_chat() {
    replay_all(|steps| replay(steps, Chat::start().address));
}

#[expect(clippy::print_stdout, reason = "a failed test shows which session it was")]
fn replay_all(replay: impl Fn(&[Value])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/classic");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recorded: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        println!("{}: {}", path.display(), recorded["about"]);
        replay(recorded["steps"].as_array().unwrap());
        replayed += 1;
    }
    assert!(replayed >= 7, "only {replayed} sessions were found");
}

fn replay(steps: &[Value], address: SocketAddr) {
    let mut session = Session::default();
    for step in steps {
        session.take(step, address);
    }
    session.nobody_has_seen_more(address);
}

/// The clients of a session, by their names in it.
#[derive(Default)]
struct Session {
    present: BTreeMap<String, Guest>,
    addresses: BTreeMap<String, String>,
}

impl Session {
    fn take(&mut self, step: &Value, address: SocketAddr) {
        let (verb, what) = step
            .as_object()
            .and_then(|step| {
                ["connect", "send", "shut", "close", "reset", "see"]
                    .iter()
                    .find_map(|verb| Some((*verb, step.get(*verb)?)))
            })
            .unwrap();
        if verb == "see" {
            return self.see(what);
        }
        let name = what.as_str().unwrap();
        match verb {
            "connect" => {
                let mut guest = Guest::connect(address);
                guest.is_answered(); // so that clients arrive in the order in which they connect
                self.addresses.insert(name.to_owned(), guest.address());
                self.present.insert(name.to_owned(), guest);
            }
            "send" => self.guest(name).send(step["text"].as_str().unwrap()),
            "shut" => self.guest(name).shut(),
            "close" => drop(self.present.remove(name)),
            "reset" => self.present.remove(name).unwrap().reset(),
            _ => unreachable!("{verb}"),
        }
    }

    fn see(&mut self, seen: &Value) {
        for (name, lines) in seen.as_object().unwrap() {
            for line in lines.as_array().unwrap() {
                let line = self.with_addresses(line.as_str().unwrap());
                if line == END {
                    self.guest(name).sees_end();
                    self.present.remove(name);
                } else {
                    self.guest(name).sees(&line);
                }
            }
        }
    }

    fn guest(&mut self, name: &str) -> &mut Guest {
        self.present.get_mut(name).unwrap()
    }

    fn with_addresses(&self, line: &str) -> String {
        self.addresses.iter().fold(line.to_owned(), |line, (name, address)| {
            line.replace(&format!("{{{name}}}"), address)
        })
    }

    /// If a step does not name a client, the client must receive nothing, or the next step that
    /// names it fails. After the last step, a stranger's arrival is the next line.
    fn nobody_has_seen_more(mut self, address: SocketAddr) {
        let stranger = Guest::connect(address);
        for guest in self.present.values_mut() {
            guest.sees(&format!("{} has arrived", stranger.address()));
        }
    }
}
