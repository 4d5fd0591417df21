//! The keys that edit a line. Some terminals leave editing to the server: telnet on Windows sends
//! each key by itself, backspaces too. Knows no line ending.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use super::line::is_picture;

/// Applies all keys to the text. Other controls are left out.
///
/// It is for answers that nobody else reads. Lines that are said in a room show their controls as
/// pictures instead.
pub fn apply_keys(typed: &[u8]) -> Cow<'_, [u8]> {
    if !typed.iter().any(u8::is_ascii_control) {
        return Cow::Borrowed(typed);
    }
    let text = String::from_utf8_lossy(typed);
    let mut field = Field::default();
    let mut keys = text.chars().peekable();
    while let Some(key) = keys.next() {
        match key {
            '\x08' | '\x7f' => field.erase(),
            // Ctrl-C and Ctrl-U delete everything; Ctrl-W deletes a word.
            '\x03' | '\x15' => field = Field::default(),
            '\x17' => field.erase_word(),
            '\x1b' => field.escape(&mut keys),
            '\t' => field.insert(key),
            _ if key.is_control() => {}
            _ => field.insert(key),
        }
    }
    Cow::Owned(field.text.into_iter().collect::<String>().into_bytes())
}

/// Like [`apply_keys`], for a line that shows its controls as pictures.
pub(crate) fn apply_shown_keys(text: &str) -> Cow<'_, str> {
    if !text.contains(is_picture) {
        return Cow::Borrowed(text);
    }
    let key = |c: char| match c {
        '\u{2421}' => '\x7f',
        '\u{2400}'..='\u{241f}' => char::from_u32(u32::from(c) - 0x2400).unwrap_or(c),
        c => c,
    };
    let typed: String = text.chars().map(key).collect();
    String::from_utf8_lossy(&apply_keys(typed.as_bytes())).into_owned().into()
}

/// A line being typed.
#[derive(Default)]
struct Field {
    text: Vec<char>,
    /// The index at which the next character goes in; at most the length of the text.
    cursor: usize,
}

impl Field {
    fn insert(&mut self, key: char) {
        self.text.insert(self.cursor, key);
        self.cursor += 1;
    }

    /// Deletes the character before the cursor.
    fn erase(&mut self) {
        if let Some(before) = self.cursor.checked_sub(1) {
            self.text.remove(before);
            self.cursor = before;
        }
    }

    fn erase_word(&mut self) {
        let before = |field: &Field| field.text.get(field.cursor.wrapping_sub(1)).copied();
        while before(self).is_some_and(char::is_whitespace) {
            self.erase();
        }
        while before(self).is_some_and(|key| !key.is_whitespace()) {
            self.erase();
        }
    }

    /// Handles a key that sends a sequence (ECMA-48). Some keys move the cursor, Delete deletes a
    /// character, and all others do nothing.
    fn escape(&mut self, keys: &mut Peekable<Chars<'_>>) {
        let (parameter, key) = match keys.peek() {
            Some('[') => control_sequence(keys),
            Some('O') => {
                keys.next();
                (None, keys.next())
            }
            _ => return, // the key Escape alone
        };
        match (parameter, key) {
            (_, Some('D')) => self.cursor = self.cursor.saturating_sub(1),
            (_, Some('C')) => self.cursor = self.text.len().min(self.cursor + 1),
            (_, Some('H')) | (Some('1' | '7'), Some('~')) => self.cursor = 0,
            (_, Some('F')) | (Some('4' | '8'), Some('~')) => self.cursor = self.text.len(),
            (Some('3'), Some('~')) if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            _ => {}
        }
    }
}

/// Reads the sequence after `ESC [`: the first character of its parameters, and its last character.
fn control_sequence(keys: &mut Peekable<Chars<'_>>) -> (Option<char>, Option<char>) {
    keys.next();
    if keys.next_if_eq(&'[').is_some() {
        keys.next(); // a function key of the Linux console: ESC [ [ A
        return (None, None);
    }
    let mut first = None;
    while let Some(part) = keys.next_if(|key| matches!(key, ' '..='?')) {
        first = first.or(Some(part));
    }
    (first, keys.next_if(|key| matches!(key, '@'..='~')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(typed: &str) -> String {
        String::from_utf8_lossy(&apply_keys(typed.as_bytes())).into_owned()
    }

    #[test]
    fn keys_edit_the_line() {
        for (typed, wanted) in [
            ("alice", "alice"),
            ("alixe\x08\x08ce", "alice"),
            ("alixe\x7f\x7fce", "alice"),
            ("\x08\x08\x7falice", "alice"),
            ("bob\x15alice", "alice"),
            ("bob\x03alice", "alice"),
            ("bob the  \x17\x17alice", "alice"),
            ("\x17\x17alice", "alice"),
            ("Zo\u{eb}\x08e", "Zoe"),
            ("alie\x1b[Dc", "alice"),
            ("alie\x1bODc\x1b[C\x1b[C!", "alice!"),
            ("lic\x1b[Ha\x1b[Fe", "alice"),
            ("lic\x1b[1~a\x1b[4~e", "alice"),
            ("alxice\x1b[D\x1b[D\x1b[D\x1b[D\x1b[3~", "alice"),
            ("\x1b[A\x1b[B\x1b[200~alice\x1b[201~\x1b[[A\x1b[1;5P", "alice"),
            ("\x1balice\x1b", "alice"),
            ("al\x0cice\x07\x01\0", "alice"),
            ("a\tb", "a\tb"),
            ("\x1b[", ""),
            ("\x1b[3", ""),
            ("\x1bO", ""),
        ] {
            assert_eq!(shown(typed), wanted, "{}", typed.escape_debug());
        }
        assert_eq!(&*apply_keys(b"caf\xe9"), b"caf\xe9", "no key, no change");
    }
}
