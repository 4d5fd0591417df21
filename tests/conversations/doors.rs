//! Several doors of one server, and the text that passes through them.

use vte::{Params, Parser, Perform};

use crate::support::{Guest, TestServer};

const NAMED_AND_CLASSIC: [&str; 2] = ["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"];

/// Alice at a named door, and a stranger at a classic one.
fn alice_and_stranger(server: &TestServer) -> (Guest, Guest) {
    let mut alice = server.enter("alice");
    let mut stranger = server.guest_at(1);
    stranger.sees(&format!("You are {}", stranger.address()));
    alice.sees(&format!("{} has arrived", stranger.address()));
    (alice, stranger)
}

#[test]
fn all_doors_lead_to_the_same_rooms() {
    let server = TestServer::open(&NAMED_AND_CLASSIC, |_| {});
    let (mut alice, mut stranger) = alice_and_stranger(&server);
    let address = stranger.address();
    alice.say("Hi!");
    alice.say("/me waves");
    stranger.sees_all(["alice: Hi!", "* alice waves"]);
    alice.sees_all(["alice: Hi!", "* alice waves"]);
    stranger.send("hello\n\n");
    for guest in [&mut alice, &mut stranger] {
        guest.sees(&format!("{address}: hello"));
        guest.sees(&format!("{address}: "));
    }
    alice.say("/name al");
    alice.sees("You are al");
    stranger.sees("alice is now known as al");
    alice.say(&format!("/msg {address} psst"));
    for guest in [&mut alice, &mut stranger] {
        guest.sees(&format!("[al -> {address}] psst"));
    }
    let mut bob = server.guest();
    bob.sees_question();
    bob.say("bob");
    bob.sees_all(["You are bob", &format!("In lobby: al, {address}")]);
    for guest in [&mut alice, &mut stranger] {
        guest.sees("bob has arrived");
    }
    alice.say("/quit good night");
    stranger.sees("al has left (good night)");
    drop(stranger);
    bob.sees("-- /help lists what you can type");
    bob.sees("-- Lines here are not stored: they are gone when the server stops");
    bob.sees_replayed("alice: Hi!");
    bob.sees_replayed("* alice waves");
    bob.sees_replayed(&format!("{address}: hello"));
    bob.sees_replayed(&format!("{address}: "));
    bob.sees("al has left (good night)");
    bob.sees(&format!("{address} has left"));
}

#[test]
fn localhost_is_every_loopback_address_of_the_machine() {
    let server = TestServer::open(&["tcp://localhost:0"], |_| {});
    let mut ports: Vec<u16> = server.addresses().iter().map(|a| a.port()).collect();
    ports.dedup();
    assert_eq!(ports.len(), 1, "they share a port");
    let mut alice = server.enter("alice");
    for &address in server.addresses() {
        assert!(address.ip().is_loopback());
        let mut guest = Guest::connect(address);
        guest.sees_question();
        guest.say("");
        alice.sees(&format!("{} has arrived", guest.address()));
        guest.say("/quit");
        alice.sees(&format!("{} has left", guest.address()));
    }
}

/// The typed bytes, and the text that others read.
const SHOWN: [(&str, &str); 12] = [
    ("tab\there", "tab\there"),
    ("\x1b[31mred\x1b[2J", "␛[31mred␛[2J"),
    ("\x1b]0;title\x07", "␛]0;title␇"),
    ("\x1b_secret\x1b\\", "␛_secret␛\\"),
    ("one\rtwo\x08three\0four\x7f", "one␍two␈three␀four␡"),
    ("\u{9b}2J\u{85}", "\u{fffd}2J\u{fffd}"),
    ("\u{202e}evil\u{202c} \u{2066}x\u{2069}", "evil x"),
    ("a\u{2028}b\u{2029}c", "a␤b␤c"),
    ("hidden\u{e0041}\u{e007f}", "hidden"),
    (
        "z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    ),
    ("👩\u{200d}👩 聊天 שלום", "👩\u{200d}👩 聊天 שלום"),
    ("-- not the server", "-- not the server"),
];

#[test]
fn no_line_controls_the_terminal_of_a_reader() {
    let server = TestServer::open(&NAMED_AND_CLASSIC, |config| {
        config.rate = parlor::config::RateLimit::Off;
    });
    let (mut alice, mut stranger) = alice_and_stranger(&server);
    let address = stranger.address();
    for (typed, shown) in SHOWN {
        alice.say(typed);
        stranger.say(typed);
        alice.say(&format!("/me {typed}"));
        let mut expected = vec![
            format!("alice: {shown}"),
            format!("{address}: {shown}"),
            format!("* alice {shown}"),
        ];
        expected.sort();
        for guest in [&mut alice, &mut stranger] {
            let mut seen: Vec<String> = (0..3).map(|_| guest.line()).collect();
            seen.iter().for_each(|line| assert_prints(line));
            seen.sort();
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn every_byte_is_shown_as_text() {
    let server = TestServer::open(&NAMED_AND_CLASSIC, |config| {
        config.rate = parlor::config::RateLimit::Off;
    });
    let (mut alice, mut stranger) = alice_and_stranger(&server);
    // LF ends a line, and 255 belongs to telnet.
    for byte in (0..=254_u8).filter(|&byte| byte != b'\n') {
        let shown = match byte {
            b'\t' => '\t',
            0..0x20 => char::from_u32(0x2400 + u32::from(byte)).unwrap(),
            0x7f => '␡',
            0x80.. => '\u{fffd}',
            _ => char::from(byte),
        };
        alice.send([b'x', byte, b'y', b'\n']);
        for guest in [&mut alice, &mut stranger] {
            let line = guest.line();
            assert_eq!(line, format!("alice: x{shown}y"), "byte {byte}");
            assert_prints(&line);
        }
    }
}

#[test]
fn topics_private_messages_and_last_words_are_shown_as_text_too() {
    let server = TestServer::named();
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    alice.say("/topic \x1b[5mblink");
    alice.say("/msg bob \x1b[5mblink");
    alice.say("/quit \x1b[5mblink");
    bob.sees_all([
        "alice changed the topic to: ␛[5mblink",
        "[alice -> bob] ␛[5mblink",
        "alice has left (␛[5mblink)",
    ]);
}

/// A terminal prints this line and does nothing else.
#[track_caller]
fn assert_prints(line: &str) {
    let mut terminal = Terminal::default();
    Parser::new().advance(&mut terminal, line.as_bytes());
    assert_eq!(terminal.done, Vec::<String>::new(), "{line:?}");
    assert_eq!(terminal.printed, line.replace('\t', ""));
}

/// A terminal that prints, and records every other action.
#[derive(Default)]
struct Terminal {
    printed: String,
    done: Vec<String>,
}

impl Perform for Terminal {
    fn print(&mut self, c: char) {
        self.printed.push(c);
    }

    fn execute(&mut self, byte: u8) {
        if byte != b'\t' {
            self.done.push(format!("execute {byte}"));
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.done.push(format!("hook {action}"));
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.done.push("osc".to_owned());
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.done.push(format!("csi {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.done.push(format!("esc {byte}"));
    }
}
