//! The promises of the sanitiser, for random bytes and for the worst of Unicode.

use parlor_core::model::Line;
use proptest::{collection::vec, prelude::*};
use unicode_normalization::char::is_combining_mark;

/// The actions of a terminal on a line: it prints characters, or does something that must never
/// happen.
#[derive(Default)]
struct Terminal {
    printed: String,
    obeyed: Vec<String>,
}

impl vte::Perform for Terminal {
    fn print(&mut self, c: char) {
        self.printed.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.printed.push('\t'),
            _ => self.obeyed.push(format!("control {byte:#x}")),
        }
    }

    fn csi_dispatch(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.obeyed.push(format!("CSI {action}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.obeyed.push(format!("ESC {byte:#x}"));
    }

    fn osc_dispatch(&mut self, _: &[&[u8]], _: bool) {
        self.obeyed.push("OSC".into());
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.obeyed.push(format!("DCS {action}"));
    }
}

fn terminal(bytes: &[u8]) -> Terminal {
    let mut terminal = Terminal::default();
    vte::Parser::new().advance(&mut terminal, bytes);
    terminal
}

/// Harmful characters, in long rows, between ordinary ones.
fn nasty_text() -> impl Strategy<Value = String> {
    let c = prop_oneof![
        any::<char>(),
        proptest::char::range(' ', '~'),
        proptest::char::range('\0', '\u{9f}'),
        proptest::char::range('\u{300}', '\u{36f}'),
        proptest::char::range('\u{2000}', '\u{206f}'),
        proptest::char::range('\u{e0000}', '\u{e01ff}'),
        proptest::char::ranges(
            vec!['\u{fe00}'..='\u{fe0f}', '\u{900}'..='\u{903}', '\u{feff}'..='\u{feff}'].into()
        ),
    ];
    let row = prop_oneof![3 => Just(1_usize), 1 => 2..20_usize];
    vec((c, row), 0..60)
        .prop_map(|rows| rows.into_iter().flat_map(|(c, n)| std::iter::repeat_n(c, n)).collect())
}

/// Bytes as they arrive: some are commands for a terminal, some end in the middle of a character.
fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..40),
        nasty_text().prop_map(String::into_bytes),
        proptest::sample::select(vec![
            "\x1b[31m",
            "\x1b]0;title\x07",
            "\x1bP1$r",
            "\u{9b}2J",
            "\x1bc",
            "\r\n"
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
        (nasty_text(), any::<prop::sample::Index>()).prop_map(|(text, cut)| {
            let mut bytes = text.into_bytes();
            bytes.truncate(cut.index(bytes.len() + 1));
            bytes
        }),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn longest_row_of_marks(text: impl Iterator<Item = char>) -> usize {
    text.fold((0, 0), |(row, longest), c| {
        let row = if is_combining_mark(c) { row + 1 } else { 0 };
        (row, longest.max(row))
    })
    .1
}

proptest! {
    #[test]
    fn a_sanitised_line_does_nothing_but_print(bytes in nasty_bytes()) {
        let line = Line::sanitise(&bytes);
        let terminal = terminal(line.as_str().as_bytes());
        prop_assert_eq!(terminal.obeyed, Vec::<String>::new());
        prop_assert_eq!(terminal.printed, line.as_str());
    }

    #[test]
    fn no_control_and_no_change_of_direction_is_left(bytes in nasty_bytes()) {
        let line = Line::sanitise(&bytes);
        let bad = line.as_str().chars().find(|&c| c.is_control() && c != '\t' || matches!(c,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}'));
        prop_assert_eq!(bad, None);
    }

    #[test]
    fn marks_never_pile_up(bytes in nasty_bytes()) {
        let line = Line::sanitise(&bytes);
        prop_assert!(longest_row_of_marks(line.as_str().chars()) <= 8);
        let joiners = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];
        let seen = line.as_str().chars().filter(|c| !joiners.contains(c));
        prop_assert!(longest_row_of_marks(seen) <= 8);
    }

    #[test]
    fn sanitising_twice_changes_nothing(bytes in nasty_bytes()) {
        let line = Line::sanitise(&bytes);
        prop_assert_eq!(&Line::sanitise(line.as_str().as_bytes()), &line);
        prop_assert!(line.len() <= 3 * bytes.len());
    }

    #[test]
    fn plain_text_stays_as_it_is(text in "[\t -~]{0,300}") {
        let line = Line::sanitise(text.as_bytes());
        prop_assert_eq!(line.as_str(), text);
    }

    #[test]
    fn characters_without_a_rule_pass(text in "[\\p{L}\\p{N}\\p{P}\\p{S}\\p{Zs}]{0,100}") {
        let line = Line::sanitise(text.as_bytes());
        prop_assert_eq!(line.as_str(), text);
    }
}

#[test]
fn the_terminal_of_these_tests_obeys_raw_bytes() {
    for bytes in [&b"\x1b[31m"[..], b"\x1b]0;title\x07", b"\x1bP1$r", b"\x1bc", b"\r", b"\n"] {
        assert_ne!(terminal(bytes).obeyed, Vec::<String>::new(), "{bytes:?}");
    }
}
