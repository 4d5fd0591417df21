//! The bytes of a terminal to keys, as xterm and those like it send them. Knows no editor.

use std::str;

const ESC: u8 = 0x1b;

/// The bytes after a paste in xterm's bracketed paste mode; `ESC [ 200 ~` stands before it.
const PASTE_END: &[u8] = b"\x1b[201~";

/// The longest control sequence in bytes, without `ESC [`. Keys have at most six; a longer sequence
/// is no key.
pub const SEQUENCE_BYTES_MAX: usize = 16;

/// The longest paste in bytes that is one keystroke: a whole line. A longer paste is several.
pub const PASTE_BYTES_MAX: usize = 65_536;

/// A key with its modifiers, or a paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keystroke {
    /// A character. In place of a byte that is not UTF-8 it is U+FFFD.
    Char(char),
    /// Control with a small letter. Ctrl-H, Ctrl-J and so on differ from Backspace and Enter.
    Control(char),
    /// Alt with a character.
    Alt(char),
    /// Enter.
    Enter,
    /// Tab, without Shift.
    Tab,
    /// The Escape key alone.
    Escape,
    /// Backspace, which sends DEL.
    Backspace,
    /// Alt with Backspace.
    BackspaceWord,
    /// Delete, to the right of the cursor.
    Delete,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Control with Left.
    WordLeft,
    /// Control with Right.
    WordRight,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Home.
    Home,
    /// End.
    End,
    /// A paste, or a piece of one that is longer than [`PASTE_BYTES_MAX`]. Each line end is a `\n`,
    /// and other control characters are as they came. If a piece ends between two lines, the line
    /// end begins the next piece.
    Paste(String),
}

/// The part of the input to which the next byte belongs.
#[derive(Debug, Default)]
enum Within {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC O, which is one byte for SS3: "single shift 3".
    Shift,
    /// After ESC \[, which is CSI: "control sequence introducer" (ECMA-48).
    Sequence,
    Paste,
}

/// The meaning of a byte.
enum Heard {
    /// A part of a key, or nothing that is a key here.
    Nothing,
    /// The end of this key.
    Key(Keystroke),
    /// The byte ends this key without being a part of it.
    Before(Keystroke),
}

/// The decoder of one terminal. It holds an unfinished character or sequence, and at most
/// [`PASTE_BYTES_MAX`] bytes of a paste.
#[derive(Debug, Default)]
pub struct Keys {
    within: Within,
    /// Whether an ESC stands before the character.
    alt: bool,
    /// The bytes of the unfinished character, sequence or paste.
    held: Vec<u8>,
    /// The number of bytes of [`PASTE_END`] that were heard.
    ended: usize,
}

impl Keys {
    /// Takes bytes from `input` up to the end of a key. `None` if there is none: then `input` is
    /// empty. The bytes mean the same in any pieces.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Keystroke> {
        while let Some((&byte, rest)) = input.split_first() {
            match self.hear(byte) {
                Heard::Nothing => *input = rest,
                Heard::Key(key) => {
                    *input = rest;
                    return Some(key);
                }
                Heard::Before(key) => return Some(key),
            }
        }
        None
    }

    /// Whether an ESC came last. It is the Escape key, unless more of a sequence follows at once.
    pub fn has_escape(&self) -> bool {
        matches!(self.within, Within::Escape)
    }

    /// The Escape key, if an ESC came last. Call it when nothing follows for a while; without it
    /// Escape and a letter are Alt with the letter.
    pub fn pause(&mut self) -> Option<Keystroke> {
        self.has_escape().then(|| {
            self.within = Within::Text;
            Keystroke::Escape
        })
    }

    fn hear(&mut self, byte: u8) -> Heard {
        match self.within {
            Within::Text => self.hear_text(byte),
            Within::Escape => self.hear_after_escape(byte),
            Within::Shift => self.hear_shifted(byte),
            Within::Sequence => self.hear_in_sequence(byte),
            Within::Paste => self.hear_pasted(byte),
        }
    }

    fn hear_after_escape(&mut self, byte: u8) -> Heard {
        match byte {
            ESC => return Heard::Key(Keystroke::Escape), // the second one may begin a sequence
            b'[' => self.within = Within::Sequence,
            b'O' => self.within = Within::Shift,
            _ => {
                self.within = Within::Text;
                self.alt = true;
                return self.hear_text(byte);
            }
        }
        Heard::Nothing
    }

    fn hear_text(&mut self, byte: u8) -> Heard {
        self.held.push(byte);
        let c = match str::from_utf8(&self.held) {
            Ok(text) => text.chars().next(),
            Err(error) if error.error_len().is_none() => return Heard::Nothing, // more follows
            Err(_) => None,
        };
        let length = self.held.len();
        self.held.clear();
        let alt = std::mem::take(&mut self.alt);
        match c {
            Some('\x1b') => {
                self.within = Within::Escape;
                Heard::Nothing
            }
            Some(c) => character(c, alt).map_or(Heard::Nothing, Heard::Key),
            None if length > 1 => Heard::Before(Keystroke::Char(char::REPLACEMENT_CHARACTER)),
            None => Heard::Key(Keystroke::Char(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn hear_shifted(&mut self, byte: u8) -> Heard {
        self.within = Within::Text;
        match byte {
            b'M' => Heard::Key(Keystroke::Enter), // of the keypad
            b' '..=b'~' => movement(byte, false).map_or(Heard::Nothing, Heard::Key),
            _ => self.hear_text(byte),
        }
    }

    fn hear_in_sequence(&mut self, byte: u8) -> Heard {
        if !matches!(byte, b' '..=b'~') {
            self.within = Within::Text;
            self.held.clear();
            return self.hear_text(byte);
        }
        // The console of Linux sends ESC [ [ A for F1.
        let is_last = matches!(byte, b'@'..=b'~') && (byte != b'[' || !self.held.is_empty());
        if self.held.len() <= SEQUENCE_BYTES_MAX {
            self.held.push(byte);
        }
        if !is_last {
            return Heard::Nothing;
        }
        let held = std::mem::take(&mut self.held);
        self.within = match &held[..] {
            b"200~" => Within::Paste,
            _ => Within::Text,
        };
        sequence(&held).map_or(Heard::Nothing, Heard::Key)
    }

    fn hear_pasted(&mut self, byte: u8) -> Heard {
        if PASTE_END.get(self.ended) == Some(&byte) {
            self.ended += 1;
        } else {
            let begun = std::mem::replace(&mut self.ended, usize::from(byte == ESC));
            self.held.extend(PASTE_END.get(..begun).unwrap_or_default());
            match (self.held.last_mut(), byte) {
                (_, ESC) => {}
                (Some(last @ b'\r'), b'\n') => *last = b'\n',
                _ => self.held.push(byte),
            }
        }
        if self.ended == PASTE_END.len() {
            (self.within, self.ended) = (Within::Text, 0);
            return Heard::Key(paste(&std::mem::take(&mut self.held)));
        }
        if self.held.len() < PASTE_BYTES_MAX {
            return Heard::Nothing;
        }
        let next = self.held.split_off(end_of_piece(&self.held));
        Heard::Key(paste(&std::mem::replace(&mut self.held, next)))
    }
}

/// The key of a character, which Alt puts an ESC before; `None` if it has no use.
fn character(c: char, alt: bool) -> Option<Keystroke> {
    Some(match c {
        '\r' => Keystroke::Enter,
        '\t' => Keystroke::Tab,
        '\x08' | '\x7f' if alt => Keystroke::BackspaceWord,
        '\x7f' => Keystroke::Backspace,
        '\x01'..='\x1a' => Keystroke::Control(char::from(c as u8 + b'a' - 1)),
        '\0'..='\x1f' => return None,
        c if alt => Keystroke::Alt(c),
        c => Keystroke::Char(c),
    })
}

/// The key of a control sequence, given without ESC \[.
fn sequence(bytes: &[u8]) -> Option<Keystroke> {
    let (last, parameters) = bytes.split_last().filter(|_| bytes.len() <= SEQUENCE_BYTES_MAX)?;
    let mut numbers = parameters
        .split(|byte| *byte == b';')
        .map(|number| str::from_utf8(number).ok()?.parse::<u8>().ok());
    let first = numbers.next().flatten();
    // xterm adds 1 to the sum of Shift (1), Alt (2) and Control (4).
    let modifiers = numbers.next().flatten().unwrap_or(1).saturating_sub(1);
    match (last, first) {
        (b'~', Some(1 | 7)) => Some(Keystroke::Home),
        (b'~', Some(3)) => Some(Keystroke::Delete),
        (b'~', Some(4 | 8)) => Some(Keystroke::End),
        (_, Some(1)) => movement(*last, modifiers & 4 != 0),
        _ if parameters.is_empty() => movement(*last, false),
        _ => None,
    }
}

/// The key that moves the cursor, by the last byte of its sequence.
fn movement(last: u8, control: bool) -> Option<Keystroke> {
    Some(match last {
        b'A' => Keystroke::Up,
        b'B' => Keystroke::Down,
        b'C' if control => Keystroke::WordRight,
        b'C' => Keystroke::Right,
        b'D' if control => Keystroke::WordLeft,
        b'D' => Keystroke::Left,
        b'F' => Keystroke::End,
        b'H' => Keystroke::Home,
        _ => return None,
    })
}

fn paste(bytes: &[u8]) -> Keystroke {
    Keystroke::Paste(String::from_utf8_lossy(bytes).replace('\r', "\n"))
}

/// The place where a paste is cut: before its last character, which may not be whole, and before a
/// line end that stands there.
fn end_of_piece(bytes: &[u8]) -> usize {
    let starts = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80);
    let last = (bytes.len().saturating_sub(4)..bytes.len()).rev().find(starts);
    let end = last.unwrap_or(bytes.len()); // four bytes without a beginning are no character
    match bytes.get(..end) {
        Some([.., b'\r' | b'\n']) => end - 1,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::{Keys, Keystroke, PASTE_BYTES_MAX};

    fn keys(bytes: &[u8]) -> Vec<Keystroke> {
        let mut keys = Keys::default();
        let mut input = bytes;
        let mut heard: Vec<_> = std::iter::from_fn(|| keys.next(&mut input)).collect();
        heard.extend(keys.pause());
        heard
    }

    #[test]
    fn characters_and_chords() {
        use Keystroke::{Backspace, Char, Control, Enter, Tab};
        let heard = keys("aÉ日😀\r\t\x7f\x01\x08\n\x1a\0\x1f".as_bytes());
        let characters = [Char('a'), Char('É'), Char('日'), Char('😀'), Enter, Tab, Backspace];
        let chords = ['a', 'h', 'j', 'z'].map(Control);
        assert_eq!(heard, [&characters[..], &chords].concat());
    }

    #[test]
    fn each_terminal_has_its_sequences() {
        for (key, sequences) in [
            (Keystroke::Up, &["\x1b[A", "\x1bOA", "\x1b[1;5A"][..]),
            (Keystroke::Down, &["\x1b[B", "\x1bOB"]),
            (Keystroke::Right, &["\x1b[C", "\x1bOC", "\x1b[1;2C"]),
            (Keystroke::Left, &["\x1b[D", "\x1bOD", "\x1b[1;3D"]),
            (Keystroke::WordRight, &["\x1b[1;5C", "\x1b[1;6C"]),
            (Keystroke::WordLeft, &["\x1b[1;5D", "\x1b[1;8D"]),
            (Keystroke::Home, &["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x1b[1;2H"]),
            (Keystroke::End, &["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"]),
            (Keystroke::Delete, &["\x1b[3~", "\x1b[3;5~"]),
            (Keystroke::Enter, &["\r", "\x1bOM", "\x1b\r"]),
            (Keystroke::BackspaceWord, &["\x1b\x7f", "\x1b\x08"]),
            (Keystroke::Alt('b'), &["\x1bb"]),
            (Keystroke::Alt('é'), &["\x1bé"]),
        ] {
            for sequence in sequences {
                assert_eq!(keys(sequence.as_bytes()), slice::from_ref(&key), "{sequence:?}");
            }
        }
    }

    #[test]
    fn other_sequences_are_swallowed_whole() {
        for sequence in [
            "\x1b[Z",          // Shift with Tab
            "\x1bOP",          // F1
            "\x1b[[A",         // F1, at the console of Linux
            "\x1b[24~",        // F12
            "\x1b[5~",         // PageUp
            "\x1b[I",          // the window has the focus
            "\x1b[<0;10;10M",  // a mouse
            "\x1b[?62;1;2;4c", // the terminal's description
            "\x1b[201~",       // the end of no paste
            "\x1b[1;1;1;1;1;1;1;1;1;1;1A",
            "\x1b[99999999999999999999999999999999A",
        ] {
            assert_eq!(keys(format!("{sequence}x").as_bytes()), [Keystroke::Char('x')]);
        }
        assert_eq!(keys(b"\x1b[1;\rx"), [Keystroke::Enter, Keystroke::Char('x')]);
        assert_eq!(keys(b"\x1bO\x03"), [Keystroke::Control('c')]);
    }

    #[test]
    fn escape_is_a_key_if_nothing_follows() {
        use Keystroke::{Char, Escape, Up};
        assert_eq!(keys(b"a\x1b"), [Char('a'), Escape]);
        assert_eq!(keys(b"\x1b\x1b[A"), [Escape, Up]);
        let mut decoder = Keys::default();
        assert_eq!(decoder.next(&mut &b"\x1b"[..]), None);
        assert!(decoder.has_escape());
        assert_eq!(decoder.pause(), Some(Escape));
        assert_eq!(decoder.next(&mut &b"["[..]), Some(Char('[')));
        assert_eq!(decoder.pause(), None);
    }

    #[test]
    fn wrong_utf8_is_shown_and_takes_no_other_byte() {
        let wrong = Keystroke::Char('\u{fffd}');
        assert_eq!(keys(b"\xff\xe6\x97a"), [wrong.clone(), wrong.clone(), Keystroke::Char('a')]);
        assert_eq!(keys(b"\xe6\x1b[A"), [wrong.clone(), Keystroke::Up]);
        assert_eq!(keys(b"\xe6\x97\r"), [wrong, Keystroke::Enter]);
    }

    #[test]
    fn a_paste_is_text_up_to_its_end() {
        let heard = keys("\x1b[200~a\r\nb\rc\n\n\x1b[A日\x1b[20\x1b\x1b[201~x".as_bytes());
        let pasted = "a\nb\nc\n\n\x1b[A日\x1b[20\x1b".to_owned();
        assert_eq!(heard, [Keystroke::Paste(pasted), Keystroke::Char('x')]);
        assert_eq!(keys(b"\x1b[200~\x1b[201~"), [Keystroke::Paste(String::new())]);
    }

    #[test]
    fn a_long_paste_comes_in_pieces_that_break_no_character_and_end_no_line() {
        for (line, end) in [("日本", "\n"), ("", "\r\n"), ("x", "\r"), ("xx", "\r\n")] {
            let text = format!("{line}{end}").repeat(PASTE_BYTES_MAX);
            let heard = keys(format!("\x1b[200~{text}\x1b[201~").as_bytes());
            let pieces: Vec<&str> = heard
                .iter()
                .map(|key| match key {
                    Keystroke::Paste(piece) => piece.as_str(),
                    key => panic!("{key:?}"),
                })
                .collect();
            assert!(pieces.len() > 1);
            assert!(pieces.iter().all(|piece| piece.len() <= PASTE_BYTES_MAX));
            assert_eq!(pieces.concat(), text.replace("\r\n", "\n").replace('\r', "\n"));
            let cut = |pair: &[&str]| !pair[0].ends_with('\n') || pair[1].starts_with('\n');
            assert!(pieces.windows(2).all(cut));
        }
        let junk = [&b"\x1b[200~a"[..], &[0x80; 3 * PASTE_BYTES_MAX], b"\x1b[201~"].concat();
        assert_eq!(keys(&junk).len(), 4);
    }
}
