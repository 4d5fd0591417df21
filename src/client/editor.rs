//! What keys do to the line being typed: editing, history, Tab. Knows no terminal; it is told keys and asked what to show.

use std::collections::VecDeque;
use std::mem;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::text::{Text, To, last_word};

/// Lines that Up brings back; a day's talking.
const HISTORY_LINES_MAX: usize = 1_000;

/// What the person did that is more than editing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line, ended with Enter.
    Line(String),
    /// A line that is for nobody to read, and that Up does not bring back.
    Secret(String),
    /// Ctrl-C, or Ctrl-D on an empty line.
    Leave,
}

/// The line being typed and those before it.
#[derive(Default)]
pub(super) struct Editor {
    text: Text,
    /// What is being typed is not shown.
    is_secret: bool,
    /// Typed and not yet taken: a paste may hold many lines.
    typed: VecDeque<Typed>,
    history: VecDeque<String>,
    /// How many lines Up has gone back.
    back: usize,
    /// What was being typed before that.
    draft: String,
    /// While Tab is pressed again and again: where the word begins, and what it may become, in turn.
    offers: Option<(usize, VecDeque<String>)>,
}

impl Editor {
    /// What was typed first and is not yet taken.
    pub(super) fn take(&mut self) -> Option<Typed> {
        self.typed.pop_front()
    }

    /// Puts a line back to be edited or sent again, unless another is being typed already.
    pub(super) fn put_back(&mut self, line: String) {
        if self.text.is_empty() {
            self.text = Text::new(line);
        }
    }

    /// The next line is not shown while it is typed; one that has been begun, neither.
    pub(super) fn conceal(&mut self) {
        self.is_secret = true;
    }

    /// Nobody asks for a secret any more: what has been typed of it is gone.
    pub(super) fn forget_secret(&mut self) {
        if mem::take(&mut self.is_secret) {
            self.text.take();
        }
    }

    /// What to show in a row of `columns`, and in which of them the cursor stands.
    pub(super) fn view(&self, columns: usize) -> (String, usize) {
        match self.is_secret {
            true => (String::new(), 0),
            false => self.text.view(columns),
        }
    }

    /// Does what a key or a paste means; `complete` tells what the last word of the text before the cursor may become.
    pub(super) fn handle(&mut self, event: Event, complete: impl Fn(&str) -> Vec<String>) {
        match event {
            Event::Paste(text) => text
                .replace("\r\n", "\n")
                .chars()
                .for_each(|c| self.insert(c)),
            Event::Key(KeyEvent {
                code: KeyCode::Tab, ..
            }) => return self.tab(complete),
            Event::Key(key) if key.kind != KeyEventKind::Release => self.press(key),
            _ => return,
        }
        self.offers = None;
    }

    fn press(&mut self, key: KeyEvent) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter => self.enter(),
            KeyCode::Backspace if alt => self.text.erase(To::WordLeft),
            KeyCode::Backspace => self.text.erase(To::Left),
            KeyCode::Delete => self.text.erase(To::Right),
            KeyCode::Left if control => self.text.go(To::WordLeft),
            KeyCode::Right if control => self.text.go(To::WordRight),
            KeyCode::Left => self.text.go(To::Left),
            KeyCode::Right => self.text.go(To::Right),
            KeyCode::Home => self.text.go(To::Start),
            KeyCode::End => self.text.go(To::End),
            KeyCode::Up | KeyCode::Down if self.is_secret => {}
            KeyCode::Up => self.recall(self.back + 1),
            KeyCode::Down => self.recall(self.back.saturating_sub(1)),
            KeyCode::Char(c) if control => self.chord(c),
            KeyCode::Char('b') if alt => self.text.go(To::WordLeft),
            KeyCode::Char('f') if alt => self.text.go(To::WordRight),
            KeyCode::Char(c) if !alt => self.insert(c),
            _ => {}
        }
    }

    /// Control and a letter: what shells have taught people's fingers.
    fn chord(&mut self, letter: char) {
        match letter {
            'c' => self.typed.push_back(Typed::Leave),
            'd' if self.text.is_empty() => self.typed.push_back(Typed::Leave),
            'a' => self.text.go(To::Start),
            'b' => self.text.go(To::Left),
            'd' => self.text.erase(To::Right),
            'e' => self.text.go(To::End),
            'f' => self.text.go(To::Right),
            'h' => self.text.erase(To::Left),
            'k' => self.text.erase(To::End),
            'n' => self.recall(self.back.saturating_sub(1)),
            'p' => self.recall(self.back + 1),
            'u' => self.text.erase(To::Start),
            'w' => self.text.erase(To::WordLeft),
            _ => {}
        }
    }

    fn insert(&mut self, c: char) {
        match c {
            '\n' | '\r' => self.enter(),
            c => self.text.insert(c),
        }
    }

    fn enter(&mut self) {
        let line = self.text.take();
        self.back = 0;
        if mem::take(&mut self.is_secret) {
            return self.typed.push_back(Typed::Secret(line));
        }
        if !line.is_empty() && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            let surplus = self.history.len().saturating_sub(HISTORY_LINES_MAX);
            self.history.drain(..surplus);
        }
        self.typed.push_back(Typed::Line(line));
    }

    /// Shows the line typed `back` lines ago; 0 is the one that was being typed.
    fn recall(&mut self, back: usize) {
        let Some(at) = self.history.len().checked_sub(back) else {
            return;
        };
        if self.back == 0 {
            self.draft = self.text.take();
        }
        let recalled = self.history.get(at).cloned();
        self.text = Text::new(recalled.unwrap_or_else(|| mem::take(&mut self.draft)));
        self.back = back;
    }

    /// Ends the word before the cursor with the first offer; pressed again, puts the next one in its place.
    fn tab(&mut self, complete: impl Fn(&str) -> Vec<String>) {
        let pressed_again = self.offers.take();
        let before = self.text.before();
        let (start, mut offers) = pressed_again.unwrap_or_else(|| {
            let start = before.len() - last_word(before).len();
            (start, complete(before).into())
        });
        if let Some(offer) = offers.front() {
            self.text.end_with(start, offer);
            offers.rotate_left(1);
            self.offers = Some((start, offers));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Editor, HISTORY_LINES_MAX, Typed};
    use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
    use proptest::prelude::{Strategy, any, prop_oneof, proptest};

    fn offers(typed: &str) -> Vec<String> {
        let names = ["bob", "bea", "日本"].into_iter();
        let word = typed.rsplit(' ').next().unwrap_or_default();
        names
            .filter(|name| name.starts_with(word))
            .map(|name| format!("{name} "))
            .collect()
    }

    fn press(editor: &mut Editor, code: KeyCode, modifiers: KeyModifiers) {
        editor.handle(Event::Key(KeyEvent::new(code, modifiers)), offers);
    }

    /// `^X` is a chord, `<` and `>` are Left and Right, `+` and `-` are Up and Down, `|` is Tab, `$` is Enter, `~` is Backspace.
    fn typed(keys: &str) -> Editor {
        let mut editor = Editor::default();
        let mut keys = keys.chars();
        while let Some(key) = keys.next() {
            let (code, modifiers) = match key {
                '^' => (
                    KeyCode::Char(keys.next().unwrap_or_default()),
                    KeyModifiers::CONTROL,
                ),
                '<' => (KeyCode::Left, KeyModifiers::NONE),
                '>' => (KeyCode::Right, KeyModifiers::NONE),
                '+' => (KeyCode::Up, KeyModifiers::NONE),
                '-' => (KeyCode::Down, KeyModifiers::NONE),
                '|' => (KeyCode::Tab, KeyModifiers::NONE),
                '$' => (KeyCode::Enter, KeyModifiers::NONE),
                '~' => (KeyCode::Backspace, KeyModifiers::NONE),
                key => (KeyCode::Char(key), KeyModifiers::NONE),
            };
            press(&mut editor, code, modifiers);
        }
        editor
    }

    /// What stands in the prompt, with `|` for the cursor.
    fn shown(keys: &str) -> String {
        let editor = typed(keys);
        format!("{}|{}", editor.text.before(), editor.text.after())
    }

    #[test]
    fn a_secret_is_neither_shown_nor_remembered() {
        let mut editor = typed("before$");
        assert_eq!(editor.take(), Some(Typed::Line("before".to_owned())));
        editor.conceal();
        for c in "s3cret".chars() {
            press(&mut editor, KeyCode::Char(c), KeyModifiers::NONE);
            assert_eq!(editor.view(60), (String::new(), 0));
        }
        press(&mut editor, KeyCode::Up, KeyModifiers::NONE);
        press(&mut editor, KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!(editor.take(), Some(Typed::Secret("s3cret".to_owned())));
        press(&mut editor, KeyCode::Up, KeyModifiers::NONE);
        assert_eq!(editor.view(60).0, "before");
        editor.conceal();
        editor.forget_secret();
        assert_eq!(editor.view(60), (String::new(), 0));
    }

    #[test]
    fn keys_move_and_erase() {
        assert_eq!(shown("abc<<X>~"), "aX|c");
        assert_eq!(shown("one two^w"), "one |");
        assert_eq!(shown("日本 語です^w"), "日本 |");
        assert_eq!(shown("e\u{301}a👨‍👩‍👧~~"), "e\u{301}|");
        assert_eq!(shown("e\u{301}<"), "|e\u{301}");
        assert_eq!(shown("hello^a^k"), "|");
        assert_eq!(shown("hello<<^u"), "|lo");
        assert_eq!(shown("ab<^d"), "a|");
    }

    #[test]
    fn up_and_down_walk_through_what_was_typed() {
        assert_eq!(shown("one$two$new+"), "two|");
        assert_eq!(shown("one$two$new++"), "one|");
        assert_eq!(shown("one$two$new+++"), "one|");
        assert_eq!(shown("one$two$new++---"), "new|");
        assert_eq!(shown("same$same$+"), "same|");
        assert_eq!(shown("+-"), "|");
        assert!(typed(&"a$b$".repeat(HISTORY_LINES_MAX)).history.len() <= HISTORY_LINES_MAX);
    }

    #[test]
    fn tab_offers_in_turn() {
        assert_eq!(shown("b|"), "bob |");
        assert_eq!(shown("b||"), "bea |");
        assert_eq!(shown("b|||"), "bob |");
        assert_eq!(shown("hi 日|"), "hi 日本 |");
        assert_eq!(shown("x|"), "x|");
        assert_eq!(shown("b|x|"), "bob x|");
    }

    #[test]
    fn a_paste_of_lines_is_typed_in_order() {
        let mut editor = Editor::default();
        editor.handle(
            Event::Paste("one\r\ntwo\rthree\n\x1bfour".to_owned()),
            offers,
        );
        let lines: Vec<_> = std::iter::from_fn(|| editor.take()).collect();
        assert_eq!(
            lines,
            ["one", "two", "three"].map(|line| Typed::Line(line.to_owned()))
        );
        assert_eq!(editor.text.take(), "four");
    }

    #[test]
    fn control_c_leaves_and_control_d_on_an_empty_line() {
        assert_eq!(typed("half^c").take(), Some(Typed::Leave));
        assert_eq!(typed("^d").take(), Some(Typed::Leave));
        assert_eq!(typed("half^d").take(), None);
    }

    fn key() -> impl Strategy<Value = (KeyCode, KeyModifiers)> {
        let code = prop_oneof![
            any::<char>().prop_map(KeyCode::Char),
            "[a-f hknpuw日\u{301}]"
                .prop_map(|c| KeyCode::Char(c.chars().next().unwrap_or_default())),
            proptest::sample::select(vec![
                KeyCode::Enter,
                KeyCode::Tab,
                KeyCode::Backspace,
                KeyCode::Delete,
                KeyCode::Left,
                KeyCode::Right,
                KeyCode::Up,
                KeyCode::Down,
            ]),
        ];
        let modifiers = proptest::sample::select(vec![
            KeyModifiers::NONE,
            KeyModifiers::CONTROL,
            KeyModifiers::ALT,
        ]);
        (code, modifiers)
    }

    proptest! {
        #[test]
        fn whatever_is_pressed_the_cursor_stays_in_the_row(
            keys in proptest::collection::vec(key(), 0..60),
            columns in 0_usize..30,
        ) {
            let mut editor = Editor::default();
            for (code, modifiers) in keys {
                press(&mut editor, code, modifiers);
                let (text, cursor) = editor.view(columns);
                assert!(cursor <= columns.saturating_sub(1));
                assert!(text.chars().all(|c| !c.is_control()));
            }
        }
    }
}
