//! A line of text with a cursor. Knows graphemes and columns, but no keys.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The longest line that a server accepts in any mode. Text beyond it is dropped.
const TEXT_BYTES_MAX: usize = 65_535;

/// The target of a movement or of erasing.
#[derive(Clone, Copy)]
pub(crate) enum To {
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
}

/// The text; it has no control characters except for tabs.
#[derive(Default)]
pub(crate) struct Text {
    text: String,
    /// The cursor in bytes, always between two code points.
    cursor: usize,
}

impl Text {
    /// A text with the cursor at its end.
    pub(crate) fn new(text: String) -> Self {
        Self { cursor: text.len(), text }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes the text, and leaves an empty one.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(self).text
    }

    /// The text before the cursor.
    pub(crate) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// The text after the cursor.
    pub(crate) fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, c: char) {
        let fits = self.text.len() + c.len_utf8() <= TEXT_BYTES_MAX;
        if fits && (c == '\t' || !c.is_control()) {
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    pub(crate) fn go(&mut self, to: To) {
        self.cursor = self.find(to);
    }

    /// Inserts text, without its control characters.
    pub(crate) fn insert_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.insert(c));
    }

    /// Erases up to `to`, and returns the erased text.
    pub(crate) fn erase(&mut self, to: To) -> String {
        let other = self.find(to);
        let from = self.cursor.min(other);
        let erased = self.text.drain(from..self.cursor.max(other)).collect();
        self.cursor = from;
        erased
    }

    /// Replaces the text between byte `start` and the cursor with `ending`.
    pub(crate) fn end_with(&mut self, start: usize, ending: &str) {
        let begun = self.before().get(..start).unwrap_or_default().to_owned() + ending;
        self.text = begun.clone() + self.after();
        self.cursor = begun.len();
    }

    fn find(&self, to: To) -> usize {
        let (before, after) = (self.before(), self.after());
        match to {
            To::Start => 0,
            To::End => self.text.len(),
            To::Left => before.len() - before.graphemes(true).next_back().map_or(0, str::len),
            To::Right => before.len() + after.graphemes(true).next().map_or(0, str::len),
            To::WordLeft => {
                let before = before.trim_end();
                before.len() - last_word(before).len()
            }
            To::WordRight => {
                let ahead = after.trim_start();
                let word = ahead.split(char::is_whitespace).next();
                self.text.len() - ahead.len() + word.map_or(0, str::len)
            }
        }
    }

    /// The part of the text that fits into `columns`, and the column of the cursor.
    ///
    /// A longer text scrolls to the left, so the prompt is always one row.
    pub(crate) fn view(&self, columns: usize) -> (String, usize) {
        let mut cursor = 0;
        let behind = self.before().graphemes(true).rev().take_while(|part| {
            // The last column is for the cursor.
            let fits = cursor + width(part) < columns;
            cursor += if fits { width(part) } else { 0 };
            fits
        });
        let start = self.cursor - behind.map(str::len).sum::<usize>();
        let mut end = 0;
        let from_start = self.text.get(start..).unwrap_or_default();
        let shown = from_start.graphemes(true).take_while(|part| {
            end += width(part);
            end <= columns
        });
        (shown.collect::<String>().replace('\t', " "), cursor)
    }
}

/// The text after the last space: the word being typed.
pub(crate) fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

/// The width of one grapheme in columns; a tab is shown as a space while it is typed.
fn width(part: &str) -> usize {
    if part == "\t" { 1 } else { part.width() }
}

#[cfg(test)]
mod tests {
    use super::{Text, To};

    #[test]
    fn wide_characters_take_two_columns() {
        let view = |text: &str, columns| Text::new(text.to_owned()).view(columns);
        assert_eq!(view("日本語", 20), ("日本語".to_owned(), 6));
        assert_eq!(view("a😀", 20), ("a😀".to_owned(), 3));
        assert_eq!(view("日本語", 6), ("本語".to_owned(), 4));
        assert_eq!(view("abcdef", 4), ("def".to_owned(), 3));
        assert_eq!(view("a\tb", 4), ("a b".to_owned(), 3));
        assert_eq!(view("abc", 0), (String::new(), 0));
    }

    #[test]
    fn a_text_slides_no_further_than_the_cursor_needs() {
        let mut text = Text::new("日本語です".to_owned());
        text.go(To::Left);
        assert_eq!(text.view(20), ("日本語です".to_owned(), 8));
        text.go(To::Start);
        assert_eq!(text.view(4), ("日本".to_owned(), 0));
    }

    #[test]
    fn only_text_goes_in() {
        let mut text = Text::default();
        "a\u{1b}\u{9b}\tb\n".chars().for_each(|c| text.insert(c));
        assert_eq!(text.take(), "a\tb");
        (0..70_000).for_each(|_| text.insert('x'));
        assert_eq!(text.take().len(), 65_535);
    }
}
