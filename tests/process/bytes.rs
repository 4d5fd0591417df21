//! Input reaches other people's terminals as text: every byte, and every trick of Unicode.

use vte::{Params, Parser, Perform};

use crate::guest::Guest;
use crate::server::{Server, parlor};

/// A terminal that may only print, tab and start new lines.
#[derive(Default)]
struct Terminal {
    printed: String,
    /// Every other action that the bytes asked for.
    control: Vec<String>,
}

impl Perform for Terminal {
    fn print(&mut self, c: char) {
        self.printed.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\t' => self.printed.push(char::from(byte)),
            _ => self.control.push(format!("execute {byte:#x}")),
        }
    }

    fn hook(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.control.push(format!("hook {action:?}"));
    }

    fn csi_dispatch(&mut self, _: &Params, _: &[u8], _: bool, action: char) {
        self.control.push(format!("csi {action:?}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.control.push(format!("esc {byte:#x}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.control.push(format!("osc {params:?}"));
    }
}

/// Shows bytes on a terminal, and fails if any of them control it.
fn shown(bytes: &[u8]) -> String {
    let mut terminal = Terminal::default();
    Parser::new().advance(&mut terminal, bytes);
    assert_eq!(terminal.control, [""; 0], "{:?}", String::from_utf8_lossy(bytes));
    assert!(!bytes.contains(&b'\r'), "nobody here is telnet");
    let steers = |c: char| {
        let is_bidi = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{80}'..='\u{9F}');
        is_bidi || breaks || matches!(c, '\u{E0000}'..='\u{E007F}')
    };
    assert_eq!(terminal.printed.find(steers), None, "{}", terminal.printed);
    terminal.printed
}

/// Every byte alone, in sequences that terminals know, and the characters that steer a terminal
/// without being control characters.
fn hostile_words() -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    words.extend((0..=255).map(|byte| vec![0x1b, byte, b'm']));
    words.extend((0..=255).map(|byte| vec![0xc2, byte]));
    words.extend((0..=255).map(|byte| vec![byte; 9]));
    words.push((0..=255).collect());
    words.push((0..=255).rev().collect());
    words.extend(
        [
            "\x1b[2J\x1b[1;1H\x1b]0;owned\x07\x1bP$q\"p\x1b\\\x1b[?1049h\x1b(0",
            "\u{9b}31m\u{90}x\u{9c}\u{85}",
            "\u{202e}desrever\u{202c}\u{2066}\u{2067}\u{2068}\u{2069}\u{202a}\u{202b}\u{202d}",
            "\u{2028}forged\u{2029}-- forged",
            "\u{e0001}\u{e0041}\u{e007f}",
            "a\rbob: forged",
            "\u{feff}\u{fffe}\u{ffff}\u{10ffff}",
            "👩‍👩‍👧 ﷽ e\u{301}",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    words.push(format!("z{}", "\u{301}\u{489}".repeat(500)).into_bytes());
    words
}

const LAST: &str = "that was all of it";

#[test]
fn all_input_shows_as_text_on_other_peoples_terminals() {
    let server = Server::open(&["--rate", "off"]);
    let mut bob = Guest::enter(server.address, "bob");
    let mut eve = Guest::enter(server.address, "eve");
    let ways: [&[u8]; 6] = [b"x", b"", b"/me ", b"/msg bob ", b"/topic ", b"/name eve"];
    for word in hostile_words() {
        for way in ways {
            eve.send(&[way, &word[..], b"y\n"].concat());
        }
    }
    eve.say("/name eve"); // refused if she has that name already
    eve.say(LAST);
    let end = format!(": {LAST}\n");
    let page = shown(&bob.bytes_until(end.as_bytes()));
    // Bytes that end a line start a new one, which names its speaker like any other.
    for line in page.lines() {
        let by_eve = ["eve", "* eve", "[eve"].iter().any(|start| line.starts_with(start));
        assert!(by_eve, "{line:?}");
    }
    assert!(page.contains(": x\u{241b}[my\n"), "controls show as pictures");
    // The answers to eve repeat what she typed.
    shown(&eve.bytes_until(end.as_bytes()));
    server.close((bob, eve));
}

#[test]
fn a_quit_message_and_a_refused_name_show_as_text_too() {
    let server = Server::open(&[]);
    let mut bob = Guest::enter(server.address, "bob");
    let mut told = 0;
    for word in hostile_words().into_iter().rev().take(9) {
        let mut eve = Guest::connect(server.address);
        eve.send(&[b"\n/quit x", &word[..], b"y\n"].concat());
        eve.end_input();
        loop {
            let line = shown(&bob.bytes_until(b"\n"));
            told += usize::from(line.contains(" has left (x"));
            if line.contains(" has left") {
                break;
            }
        }
    }
    assert!(told > 1, "{told} were told one by one, with their words");
    server.close(bob);
}

#[test]
fn classic_mode_shows_all_input_as_text() {
    let server = Server::run(parlor(), &["--listen", "tcp://127.0.0.1:0?classic"]);
    let mut bob = Guest::connect(server.address);
    bob.line();
    let mut eve = Guest::connect(server.address);
    bob.line();
    for word in hostile_words() {
        eve.send(&[&word[..], b"y\n"].concat());
    }
    eve.say(LAST);
    let page = shown(&bob.bytes_until(format!(": {LAST}\n").as_bytes()));
    assert!(page.lines().all(|line| line.starts_with("127.0.0.1:")), "{page}");
    server.close((bob, eve));
}
