//! What counts as a word in a search, in what was said and in what is looked for alike. Knows no index.
//!
//! Letters and digits that stand together are a word, in whatever case and without its accents. Chinese, Japanese and
//! Korean put no blanks between words: there every two characters that stand side by side are one, and the last by
//! itself. So two characters or more are found wherever they stand, and one by what begins with it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that stand together.
enum Piece {
    /// Of a script with blanks between its words; and emoji, each by itself.
    Word(String),
    /// Of a script without.
    Run(Vec<char>),
}

/// Words that are looked for as they follow each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Phrase {
    pub(super) words: Vec<String>,
    /// The last word may be the beginning of one: it is a single character, which begins a pair or ends a run.
    pub(super) is_open: bool,
}

/// The words of what was said, in their order.
pub(super) fn said(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in pieces(text) {
        piece.put(true, &mut words);
    }
    words
}

/// What is looked for: all words, and those in quotes as they stand there. Nothing if no word is in it.
///
/// What was typed without a blank belongs together, too: `don't` is found as it stands there.
pub(super) fn looked_for(typed: &str) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    for (index, part) in typed.split(['"', '“', '”', '„']).enumerate() {
        if index % 2 == 1 {
            phrases.extend(phrase(part));
        } else {
            phrases.extend(part.split_whitespace().filter_map(phrase));
        }
    }
    phrases.sort(); // what is typed twice is looked for once
    phrases.dedup();
    phrases
}

fn phrase(typed: &str) -> Option<Phrase> {
    let pieces = pieces(typed);
    let mut words = Vec::new();
    let last = pieces.len().checked_sub(1)?;
    for (index, piece) in pieces.iter().enumerate() {
        piece.put(index < last, &mut words);
    }
    let is_open = matches!(pieces.last(), Some(Piece::Run(run)) if run.len() == 1);
    Some(Phrase { words, is_open })
}

impl Piece {
    /// Puts its words behind the others. Whether a run ends here for sure is known of what was said, and not of what is
    /// looked for.
    fn put(&self, ends: bool, words: &mut Vec<String>) {
        match self {
            Piece::Word(word) => words.push(word.clone()),
            Piece::Run(run) => {
                words.extend(run.windows(2).map(|pair| pair.iter().collect()));
                if ends || run.len() == 1 {
                    words.extend(run.last().map(char::to_string));
                }
            }
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut is_apart = true;
    for c in text.nfkc() {
        if is_emoji(c) {
            pieces.push(Piece::Word(c.to_string()));
            is_apart = true;
        } else if has_no_blanks(c) {
            match pieces.last_mut() {
                Some(Piece::Run(run)) if !is_apart => run.push(c),
                _ => pieces.push(Piece::Run(vec![c])),
            }
            is_apart = false;
        } else if c.is_alphanumeric() {
            let plain = plain(c);
            match pieces.last_mut() {
                Some(Piece::Word(word)) if !is_apart => word.extend(plain),
                _ => pieces.push(Piece::Word(plain.collect())),
            }
            is_apart = false;
        } else if !is_combining_mark(c) && !is_invisible(c) {
            is_apart = true;
        }
    }
    pieces.retain(|piece| !matches!(piece, Piece::Word(word) if word.is_empty()));
    pieces
}

/// A letter in lower case, without what stands above or below it.
fn plain(c: char) -> impl Iterator<Item = char> {
    let folded = c.to_uppercase().flat_map(char::to_lowercase);
    folded.nfd().filter(|c| c.is_alphanumeric())
}

/// Whether it is written without blanks between words: Han, kana and hangul.
pub(super) fn has_no_blanks(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}'
        | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F300}'..='\u{1FAFF}')
}

/// Joiners and soft hyphens: they stand in the middle of a word.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::{looked_for, said};

    #[test]
    fn words_are_letters_in_lower_case_without_accents() {
        for (text, words) in [
            ("Hello, World!", "hello world"),
            ("don't foo_bar 3.14", "don t foo bar 3 14"),
            ("Çà et là: CAFÉ cafe\u{301}", "ca et la cafe cafe"),
            ("Straße ΣΊΣΥΦΟΣ σίσυφος İı", "strasse σισυφοσ σισυφοσ ii"),
            ("ﬁne ① ２", "fine 1 2"),
            ("हिन्दी ไทย", "हिनदी ไทย"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("tea🍵time 🍵🍵", "tea 🍵 time 🍵 🍵"),
            ("\u{0}\"*()-^:' ..", ""),
        ] {
            assert_eq!(said(text).join(" "), words, "{text:?}");
        }
    }

    #[test]
    fn where_no_blanks_are_written_two_characters_are_a_word() {
        for (text, words) in [
            ("今天天气", "今天 天天 天气 气"),
            ("好", "好"),
            ("用Rust写。好!", "用 rust 写 好"),
            ("が ｶﾞｷﾞ か\u{3099}く", "が ガギ ギ がく く"),
            ("안녕 하세요", "안녕 녕 하세 세요 요"),
        ] {
            assert_eq!(said(text).join(" "), words, "{text:?}");
        }
    }

    #[test]
    fn all_words_are_looked_for_and_those_in_quotes_together() {
        let shown = |typed: &str| {
            let phrases = looked_for(typed).into_iter().map(|phrase| {
                let open = if phrase.is_open { "*" } else { "" };
                phrase.words.join("-") + open
            });
            phrases.collect::<Vec<_>>().join(" ")
        };
        for (typed, phrases) in [
            ("tea Time tea", "tea time"),
            ("\"tea time\" don't", "don-t tea-time"),
            ("\"tea time", "tea-time"),
            ("a“b c”d", "a b-c d"),
            ("天气", "天气"),
            ("天", "天*"),
            ("天气,好 rust语言学", "rust-语言-言学 天气-气-好*"),
            ("NOT NEAR(a OR b)", "b near-a not or"),
        ] {
            assert_eq!(shown(typed), phrases, "{typed:?}");
        }
        for typed in ["", " ", "\"\"", "*", "\"*\" - \u{0}", "..."] {
            assert_eq!(looked_for(typed), [], "{typed:?}");
        }
    }
}
