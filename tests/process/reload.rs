//! The server reads its configuration again while it runs.

use std::fs;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::guest::Guest;
use crate::server::Server;

/// A configuration file that changes.
struct File(TempDir);

impl File {
    fn new(text: &str) -> File {
        let file = File(tempfile::tempdir().unwrap());
        file.says(text);
        file
    }

    fn says(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn path(&self) -> String {
        self.0.path().join("parlor.toml").display().to_string()
    }

    fn open(&self, options: &[&str]) -> Server {
        Server::open(&[&["--config", &self.path()], options].concat())
    }
}

#[test]
fn a_signal_rereads_the_file_and_drops_nobody() {
    let file = File::new("rate = '1/s'\nlog = 'info'");
    let server = file.open(&["--rooms", "2"]);
    let mut alice = Guest::enter(server.address, "alice");
    file.says("rate = 'off'\nlog = 'debug'\nreplay = 2\nrooms = 9");
    server.signal(Signal::HUP);
    server.logged("replay is 2 now");
    server.logged("rate is off now");
    for line in 0..200 {
        alice.say(&format!("line {line}")); // at the old rate these would take minutes
    }
    alice.until("alice: line 199");
    let mut bob = Guest::enter(server.address, "bob");
    assert!(bob.line().ends_with("] alice: line 198"));
    assert!(bob.line().ends_with("] alice: line 199"));
    server.logged("connected"); // a debug event
    // Options of the command line override the file, as at the start.
    alice.say("/join one");
    alice.until("In one: nobody else");
    alice.say("/join two");
    alice.until("-- There are 2 rooms, the most allowed here; join one that /rooms lists");
    file.says("rate = 'off'");
    server.signal(Signal::HUP);
    server.logged("log is info now");
    server.close([alice, bob]);
}

#[test]
fn new_limits_of_the_server_apply_to_newcomers() {
    let file = File::new("connections = 1");
    let server = file.open(&[]);
    let alice = Guest::enter(server.address, "alice");
    let turned_away = Guest::connect(server.address).rest_or_reset();
    assert_eq!(turned_away, "-- The server is full; try again in 30 s\n");
    file.says("connections = 2\nconnections-per-address = 1\nlimit-loopback = true\nlog-lines = 5");
    server.signal(Signal::HUP);
    server.logged("limit-loopback is true now");
    // bob's connection counts; alice's, from before the limit applied to loopback, does not.
    let bob = Guest::enter(server.address, "bob");
    server.close([alice, bob]);
}

#[test]
fn a_bad_file_changes_nothing_and_is_one_sentence() {
    let file = File::new("rate = '1/s'");
    let server = file.open(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    file.says("rate = 'off'\nrooms = 'many'");
    server.signal(Signal::HUP);
    let sentence = server.logged("ERROR");
    let why = "rooms = \"many\": write a whole number from 1 to 1000000000; nothing is changed";
    assert!(sentence.ends_with(&format!("{}: {why}", file.path())), "{sentence}");
    alice.say("still here");
    alice.until("alice: still here");
    file.says("rate = '1/s'");
    server.signal(Signal::HUP);
    server.logged("the configuration has not changed");
}

#[test]
fn an_option_that_cannot_change_is_logged_and_stays() {
    let file = File::new("log-format = 'text'");
    let server = file.open(&[]);
    file.says("log-format = 'json'\nkeep = 'written'\nlog-lines = 7");
    server.signal(Signal::HUP);
    let cannot = "cannot change while the server runs: it stays";
    server.logged(&format!("keep {cannot} synced until a restart"));
    server.logged(&format!("log-format {cannot} text until a restart"));
    server.logged("log-lines is 7 now");
    server.signal(Signal::HUP);
    server.logged_times(&format!("keep {cannot} synced until a restart"), 2);
    server.close(());
}
