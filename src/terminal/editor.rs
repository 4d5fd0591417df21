//! The line editor: editing, history, completion. Knows no terminal: it gets keys, and returns the
//! text to show.
//!
//! It is not a library, because rustyline-async keeps Tab to itself, rustyline and reedline read in
//! a thread that cannot be interrupted, and none of them can remove a line from the screen.

use std::collections::VecDeque;
use std::mem;

use parlor_core::link::Command;
use parlor_wire::keys::Keystroke;

use super::text::{Text, To, last_word};

/// The number of lines that Up brings back: a day of talking.
const HISTORY_LINES_MAX: usize = 1_000;

/// A finished input of the person.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A line, ended with Enter.
    Line(String),
    /// A pasted line. It is posted unchanged, even if it looks like a command.
    Text(String),
    /// A secret, which Up does not bring back.
    Secret(String),
    /// Ctrl-C or Ctrl-D on an empty line.
    Leave,
}

/// The origin of the beginning of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Origin {
    #[default]
    Keys,
    /// A paste without a line end: it may be a copied command.
    Paste,
    /// A paste of several lines, which are all text.
    PastedLines,
}

/// A search for an earlier line by a part of it.
#[derive(Debug, Default)]
struct HistorySearch {
    part: String,
    /// The number of matching lines to skip, from the newest on.
    passed: usize,
}

/// The line being typed, and the history.
#[derive(Default)]
pub(crate) struct Editor {
    text: Text,
    origin: Origin,
    search: Option<HistorySearch>,
    /// The last erased words, for Ctrl-Y.
    erased: String,
    /// Whether the line is a secret, and so not shown.
    is_secret: bool,
    /// Finished lines that are not taken yet; a paste may have many.
    typed: VecDeque<Typed>,
    history: VecDeque<String>,
    /// The number of lines that Up has gone back.
    back: usize,
    /// The line that was being typed before Up.
    draft: String,
    /// While Tab is pressed repeatedly: where the word begins, and its completions in turn.
    offers: Option<(usize, VecDeque<String>)>,
}

impl Editor {
    /// Takes the first finished line.
    pub(crate) fn take(&mut self) -> Option<Typed> {
        self.typed.pop_front()
    }

    /// Puts a line back to be edited or sent again, unless another one has been begun.
    pub(crate) fn put_back(&mut self, line: String) {
        if self.text.is_empty() {
            self.text = Text::new(line);
        }
    }

    /// Hides the next line while it is typed, even if a part of it is typed already.
    pub(crate) fn conceal(&mut self) {
        self.is_secret = true;
    }

    /// Drops the secret that is being typed, if there is one.
    pub(crate) fn drop_secret(&mut self) {
        if mem::take(&mut self.is_secret) {
            self.text.take();
        }
    }

    /// The text for a row of `columns` columns, and the column of the cursor.
    pub(crate) fn view(&self, columns: usize) -> (String, usize) {
        match &self.search {
            _ if self.is_secret => (String::new(), 0),
            Some(search) => {
                let found = self.found(search).map_or("", String::as_str);
                Text::new(format!("(search {:?}) {found}", search.part)).view(columns)
            }
            None => self.text.view(columns),
        }
    }

    /// Handles a key or a paste; `complete` gives the completions of the last word before the
    /// cursor.
    pub(crate) fn handle(&mut self, key: Keystroke, complete: impl Fn(&str) -> Vec<String>) {
        match key {
            Keystroke::Tab => return self.tab(complete),
            Keystroke::Paste(text) => {
                self.end_search();
                self.paste(&text);
            }
            key => self.press(&key),
        }
        if self.text.is_empty() {
            self.origin = Origin::Keys;
        }
        self.offers = None;
    }

    /// Inserts pasted text. Its lines are said one by one, and none of them is a command.
    fn paste(&mut self, text: &str) {
        let is_command = self.text.before().starts_with('/') && self.origin == Origin::Keys;
        match text.split_once('\n') {
            // Drops the other lines: they are not the answer to the question for a secret, and
            // would be posted.
            Some((first, _)) if self.is_secret => self.text.insert_all(first),
            // Keeps a pasted argument together with its command.
            _ if is_command => self.text.insert_all(&text.replace('\n', " ")),
            Some(_) => {
                for c in text.chars() {
                    self.origin = Origin::PastedLines; // a line that ends resets it
                    self.insert(c);
                }
            }
            None => {
                if self.text.is_empty() {
                    self.origin = Origin::Paste;
                }
                self.text.insert_all(text);
            }
        }
    }

    fn press(&mut self, key: &Keystroke) {
        if self.search.is_some() && self.press_in_search(key) {
            return;
        }
        match key {
            Keystroke::Enter => self.enter(),
            Keystroke::BackspaceWord => self.cut(To::WordLeft),
            Keystroke::Backspace => drop(self.text.erase(To::Left)),
            Keystroke::Delete => drop(self.text.erase(To::Right)),
            Keystroke::WordLeft | Keystroke::Alt('b') => self.text.go(To::WordLeft),
            Keystroke::WordRight | Keystroke::Alt('f') => self.text.go(To::WordRight),
            Keystroke::Left => self.text.go(To::Left),
            Keystroke::Right => self.text.go(To::Right),
            Keystroke::Home => self.text.go(To::Start),
            Keystroke::End => self.text.go(To::End),
            Keystroke::Up | Keystroke::Down if self.is_secret => {}
            Keystroke::Up => self.recall(self.back + 1),
            Keystroke::Down => self.recall(self.back.saturating_sub(1)),
            Keystroke::Control(letter) => self.chord(*letter),
            Keystroke::Char(c) => self.insert(*c),
            _ => {}
        }
    }

    /// Handles Control with a letter, as shells do.
    fn chord(&mut self, letter: char) {
        match letter {
            'c' if !self.text.is_empty() => drop(self.text.take()),
            'c' => self.typed.push_back(Typed::Leave),
            'd' if self.text.is_empty() => self.typed.push_back(Typed::Leave),
            'a' => self.text.go(To::Start),
            'b' => self.text.go(To::Left),
            'd' => drop(self.text.erase(To::Right)),
            'e' => self.text.go(To::End),
            'f' => self.text.go(To::Right),
            'h' => drop(self.text.erase(To::Left)),
            'k' => self.cut(To::End),
            'n' => self.recall(self.back.saturating_sub(1)),
            'p' => self.recall(self.back + 1),
            'r' if !self.is_secret => self.search = Some(HistorySearch::default()),
            'u' => self.cut(To::Start),
            'w' => self.cut(To::WordLeft),
            'y' => self.text.insert_all(&self.erased),
            _ => {}
        }
    }

    /// Erases up to `to`, and keeps the erased text for Ctrl-Y unless it is a secret.
    fn cut(&mut self, to: To) {
        let erased = self.text.erase(to);
        if !erased.is_empty() && !self.is_secret {
            self.erased = erased;
        }
    }

    /// The line that the search finds, if any.
    fn found(&self, search: &HistorySearch) -> Option<&String> {
        let lines = self.history.iter().rev();
        let mut fitting = lines.filter(|line| line.contains(&search.part));
        fitting.nth(search.passed)
    }

    /// Handles a key during a search. False if the key has its usual meaning as well.
    fn press_in_search(&mut self, key: &Keystroke) -> bool {
        let Some(mut search) = self.search.take() else {
            return false;
        };
        match key {
            Keystroke::Control('r') => search.passed += 1,
            Keystroke::Control('c' | 'g') | Keystroke::Escape => return true,
            Keystroke::Char(c) => {
                search.part.push(*c);
                search.passed = 0;
            }
            Keystroke::Backspace => {
                search.part.pop();
                search.passed = 0;
            }
            _ => {
                self.search = Some(search);
                self.end_search();
                return false;
            }
        }
        if self.found(&search).is_none() {
            search.passed = 0; // after the oldest match, it starts over
        }
        self.search = Some(search);
        true
    }

    /// Ends the search, and takes the found line for editing.
    fn end_search(&mut self) {
        if let Some(search) = self.search.take()
            && let Some(found) = self.found(&search).cloned()
        {
            self.text = Text::new(found);
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
        let origin = mem::take(&mut self.origin);
        self.back = 0;
        if mem::take(&mut self.is_secret) {
            return self.typed.push_back(Typed::Secret(line));
        }
        if !line.is_empty() && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            let surplus = self.history.len().saturating_sub(HISTORY_LINES_MAX);
            self.history.drain(..surplus);
        }
        let is_text = match origin {
            Origin::Keys => false,
            Origin::Paste => Command::named(&line).is_none(),
            Origin::PastedLines => true,
        };
        self.typed.push_back(match is_text {
            true => Typed::Text(line),
            false => Typed::Line(line),
        });
    }

    /// Shows the line `back` steps back in the history; 0 is the line being typed.
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

    /// Completes the word before the cursor with the first completion; the next Tab replaces it
    /// with the next one.
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
    use parlor_wire::keys::Keystroke;
    use proptest::prelude::{Strategy, any, prop_oneof, proptest};

    fn offers(typed: &str) -> Vec<String> {
        let names = ["bob", "bea", "日本"].into_iter();
        let word = typed.rsplit(' ').next().unwrap_or_default();
        names.filter(|name| name.starts_with(word)).map(|name| format!("{name} ")).collect()
    }

    fn press(editor: &mut Editor, key: Keystroke) {
        editor.handle(key, offers);
    }

    /// `^X` is a chord, `<` and `>` are Left and Right, `+` and `-` are Up and Down, `|` is Tab, `$` is Enter, `~` is Backspace.
    fn typed(keys: &str) -> Editor {
        let mut editor = Editor::default();
        let mut keys = keys.chars();
        while let Some(key) = keys.next() {
            let key = match key {
                '^' => Keystroke::Control(keys.next().unwrap_or_default()),
                '<' => Keystroke::Left,
                '>' => Keystroke::Right,
                '+' => Keystroke::Up,
                '-' => Keystroke::Down,
                '|' => Keystroke::Tab,
                '$' => Keystroke::Enter,
                '~' => Keystroke::Backspace,
                key => Keystroke::Char(key),
            };
            press(&mut editor, key);
        }
        editor
    }

    /// The text of the prompt, with `|` for the cursor.
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
            press(&mut editor, Keystroke::Char(c));
            assert_eq!(editor.view(60), (String::new(), 0));
        }
        press(&mut editor, Keystroke::Up);
        press(&mut editor, Keystroke::Enter);
        assert_eq!(editor.take(), Some(Typed::Secret("s3cret".to_owned())));
        press(&mut editor, Keystroke::Up);
        assert_eq!(editor.view(60).0, "before");
        editor.conceal();
        editor.drop_secret();
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
    fn up_and_down_walk_through_earlier_lines() {
        assert_eq!(shown("one$two$new+"), "two|");
        assert_eq!(shown("one$two$new++"), "one|");
        assert_eq!(shown("one$two$new+++"), "one|");
        assert_eq!(shown("one$two$new++---"), "new|");
        assert_eq!(shown("same$same$+"), "same|");
        assert_eq!(shown("+-"), "|");
        assert!(typed(&"a$b$".repeat(HISTORY_LINES_MAX)).history.len() <= HISTORY_LINES_MAX);
    }

    #[test]
    fn tab_offers_completions_in_turn() {
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
        editor.handle(Keystroke::Paste("one\ntwo\nthree\n\x1bfour".to_owned()), offers);
        let lines: Vec<_> = std::iter::from_fn(|| editor.take()).collect();
        assert_eq!(lines, ["one", "two", "three"].map(|line| Typed::Text(line.to_owned())));
        assert_eq!(editor.view(60).0, "four");
        press(&mut editor, Keystroke::Enter);
        assert_eq!(editor.take(), Some(Typed::Text("four".to_owned())));
        press(&mut editor, Keystroke::Char('/'));
        press(&mut editor, Keystroke::Enter);
        assert_eq!(editor.take(), Some(Typed::Line("/".to_owned())));
    }

    fn pasted(editor: &mut Editor, text: &str) -> Vec<Typed> {
        editor.handle(Keystroke::Paste(text.to_owned()), offers);
        std::iter::from_fn(|| editor.take()).collect()
    }

    #[test]
    fn a_pasted_command_of_one_line_is_a_command_and_anything_else_is_text() {
        for (text, typed) in [
            ("/resume ab-cd", Typed::Line("/resume ab-cd".to_owned())),
            ("/usr/bin/env", Typed::Text("/usr/bin/env".to_owned())),
            ("// no", Typed::Text("// no".to_owned())),
        ] {
            let mut editor = Editor::default();
            assert_eq!(pasted(&mut editor, text), []);
            press(&mut editor, Keystroke::Enter);
            assert_eq!(editor.take(), Some(typed));
        }
        let lines = pasted(&mut Editor::default(), "/quit\n/msg bob psst\n");
        assert_eq!(lines, ["/quit", "/msg bob psst"].map(|line| Typed::Text(line.to_owned())));
    }

    #[test]
    fn lines_pasted_into_a_command_stay_with_it_and_into_a_secret_none_follows() {
        let mut editor = typed("/msg bob ");
        assert_eq!(pasted(&mut editor, "one\ntwo\n"), []);
        assert_eq!(editor.view(60).0, "/msg bob one two ");
        let mut editor = Editor::default();
        editor.conceal();
        assert_eq!(pasted(&mut editor, "horse\nhorse\n"), []);
        press(&mut editor, Keystroke::Enter);
        assert_eq!(editor.take(), Some(Typed::Secret("horse".to_owned())));
        assert_eq!(editor.view(60).0, "");
    }

    #[test]
    fn a_line_typed_before_is_found_by_a_part_of_it() {
        let shown = |keys: &str| typed(keys).view(60).0;
        assert_eq!(shown("tea at one$coffee$^rat"), "(search \"at\") tea at one");
        assert_eq!(shown("one a$one b$^rone^r"), "(search \"one\") one a");
        assert_eq!(shown("one a$one b$^rone^r^r"), "(search \"one\") one b");
        assert_eq!(shown("one a$^rone<X"), "one Xa");
        assert_eq!(shown("one a$draft^rone^g"), "draft");
        let mut editor = typed("one a$^rone$");
        editor.take();
        assert_eq!(editor.take(), Some(Typed::Line("one a".to_owned())));
    }

    #[test]
    fn erased_text_comes_back() {
        assert_eq!(shown("one two^w^a^y"), "two|one ");
        assert_eq!(shown("hello^u^y^y"), "hellohello|");
    }

    #[test]
    fn control_c_and_control_d_leave_on_an_empty_line() {
        assert_eq!(typed("half^c").take(), None);
        assert_eq!(shown("half^c"), "|");
        assert_eq!(typed("half^c^c").take(), Some(Typed::Leave));
        assert_eq!(typed("^d").take(), Some(Typed::Leave));
        assert_eq!(typed("half^d").take(), None);
    }

    fn key() -> impl Strategy<Value = Keystroke> {
        prop_oneof![
            any::<char>().prop_map(Keystroke::Char),
            "[a-z日/\n]{0,6}".prop_map(Keystroke::Paste),
            proptest::char::range('a', 'z').prop_map(Keystroke::Control),
            proptest::sample::select(vec![
                Keystroke::Char('日'),
                Keystroke::Char('\u{301}'),
                Keystroke::Alt('b'),
                Keystroke::Alt('f'),
                Keystroke::Enter,
                Keystroke::Tab,
                Keystroke::Escape,
                Keystroke::Backspace,
                Keystroke::BackspaceWord,
                Keystroke::Delete,
                Keystroke::Left,
                Keystroke::Right,
                Keystroke::WordLeft,
                Keystroke::WordRight,
                Keystroke::Up,
                Keystroke::Down,
            ]),
        ]
    }

    proptest! {
        #[test]
        fn the_cursor_stays_in_the_row_for_any_keys(
            keys in proptest::collection::vec(key(), 0..60),
            columns in 0_usize..30,
        ) {
            let mut editor = Editor::default();
            for key in keys {
                press(&mut editor, key);
                let (text, cursor) = editor.view(columns);
                assert!(cursor <= columns.saturating_sub(1));
                assert!(text.chars().all(|c| !c.is_control()));
            }
        }
    }
}
