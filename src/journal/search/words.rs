//! Splits lines and searches into words in the same way, and hashes the words. Knows no index.
//!
//! Adjacent letters and digits are a word, in any case and script, without accents and vowel
//! points. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese put no blanks between words: in
//! these, every two neighbouring characters are a word, and so is the last character by itself. So
//! a search finds two or more characters anywhere, and a single one as the beginning of a word.
//!
//! SQLite's full-text search stores words in its own tables, and keeps some of them after their
//! lines are deleted. So the index gets hashes of words.

use std::hash::{DefaultHasher, Hasher};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Adjacent letters.
#[derive(Debug, PartialEq)]
enum Piece {
    /// A word of a script with blanks between words, or a single emoji.
    Word(String),
    /// Letters of a script without blanks.
    Run(Vec<char>),
}

/// The digits of a word's hash. Two words with the same hash count as one word; with 50 bits that
/// never happens in practice.
const WORD_DIGITS: usize = 10;

/// The digits of the hash of one character of a pair. Each character has its own, so that a search
/// finds words that begin with it.
const CHAR_DIGITS: usize = 7;

/// Words that a search looks for in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Phrase {
    pub(super) words: Vec<String>,
    /// The last word may be the beginning of a longer one: it is a single character, which begins a
    /// pair or ends a run.
    pub(super) is_open: bool,
}

/// The words of a line, in their order.
pub(super) fn said(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in pieces(text) {
        piece.put(true, &mut words);
    }
    words
}

/// The phrases of a search: all words, with those in quotes in their order. Empty if the search has
/// no word.
///
/// Words without a blank between them belong together, too: the search `don't` finds exactly that.
pub(super) fn looked_for(typed: &str) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    for (index, part) in typed.split(['"', '“', '”', '„']).enumerate() {
        if index % 2 == 1 {
            phrases.extend(phrase(part));
        } else {
            phrases.extend(part.split_whitespace().filter_map(phrase));
        }
    }
    phrases.sort(); // a word that was typed twice is looked for once
    phrases.dedup();
    phrases
}

fn phrase(typed: &str) -> Option<Phrase> {
    let mut pieces = pieces(typed);
    let last = pieces.pop()?;
    let is_open = matches!(&last, Piece::Run(run) if run.len() == 1);
    let mut words = Vec::new();
    for piece in pieces {
        piece.put(true, &mut words);
    }
    last.put(false, &mut words);
    Some(Phrase { words, is_open })
}

impl Piece {
    /// Adds the words of this piece. In a line, a run `ends` here; in a search, it may continue.
    fn put(self, ends: bool, words: &mut Vec<String>) {
        match self {
            Piece::Word(word) => words.push(word),
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
    if text.is_ascii() {
        return ascii_pieces(text); // most lines, and much quicker
    }
    pieces_of_any_script(text)
}

/// The same for ASCII: it has neither accents nor scripts without blanks.
fn ascii_pieces(text: &str) -> Vec<Piece> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| Piece::Word(word.to_ascii_lowercase())).collect()
}

fn pieces_of_any_script(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut is_apart = true;
    // One half of a flag, which waits for the other one.
    let mut half: Option<char> = None;
    for c in text.nfkc().filter(|c| !is_passed_over(*c)) {
        let c = digit(c).unwrap_or(c);
        let first = half.take();
        if is_half_of_flag(c) {
            match first {
                Some(first) => pieces.push(Piece::Word(String::from_iter([first, c]))),
                None => half = Some(c),
            }
            is_apart = true;
        } else if is_emoji(c) {
            pieces.push(Piece::Word(c.to_string()));
            is_apart = true;
        } else if has_no_blanks(c) {
            match pieces.last_mut() {
                Some(Piece::Run(run)) if !is_apart => run.push(c),
                _ => pieces.push(Piece::Run(vec![c])),
            }
            is_apart = false;
        } else if c.is_alphanumeric() {
            match pieces.last_mut() {
                Some(Piece::Word(word)) if !is_apart => plain(c, word),
                _ => {
                    let mut word = String::new();
                    plain(c, &mut word);
                    pieces.push(Piece::Word(word));
                }
            }
            is_apart = false;
        } else if !is_combining_mark(c) {
            is_apart = true;
        }
    }
    pieces.retain(|piece| !matches!(piece, Piece::Word(word) if word.is_empty()));
    pieces
}

/// Adds a letter in lower case, without accents, in the form that its readers recognise.
fn plain(c: char, word: &mut String) {
    // The capital sharp s becomes two letters only after it has become the small one.
    let small = c.to_lowercase().flat_map(char::to_uppercase);
    let small = small.flat_map(char::to_lowercase);
    for c in small.nfd() {
        match c {
            'ø' => word.push('o'),
            'ł' => word.push('l'),
            'đ' | 'ð' => word.push('d'),
            'ħ' => word.push('h'),
            'ŧ' => word.push('t'),
            'þ' => word.push_str("th"),
            'æ' => word.push_str("ae"),
            'œ' => word.push_str("oe"),
            // Arabic letters in their regional or informal forms: alef, ya, ha and kaf.
            'ٱ' => word.push('ا'),
            'ى' | 'ی' => word.push('ي'),
            'ة' | 'ہ' | 'ھ' | 'ە' | 'ۃ' => word.push('ه'),
            'ک' | 'ڪ' => word.push('ك'),
            c if c.is_alphanumeric() && !is_passed_over(c) => word.push(c),
            _ => {}
        }
    }
}

/// A digit of any script as the digit from 0 to 9.
fn digit(c: char) -> Option<char> {
    /// The zeros of the scripts that have digits; the other nine digits follow each zero.
    const ZEROS: [char; 35] = [
        '٠', '۰', '߀', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '෦', '๐', '໐', '༠', '၀', '႐',
        '០', '᠐', '᥆', '᧐', '᪀', '᪐', '᭐', '᮰', '᱀', '᱐', '꘠', '꣐', '꤀', '꧐', '꧰', '꩐', '꯰',
    ];
    let zero = ZEROS.iter().rfind(|zero| **zero <= c)?;
    char::from_digit(u32::from(c) - u32::from(*zero), 10)
}

/// Whether its script puts no blanks between words: Han, kana and hangul; Thai, Lao, Burmese and
/// Khmer, with their vowels and tones.
fn has_no_blanks(c: char) -> bool {
    matches!(c,
        '\u{E01}'..='\u{E3A}' | '\u{E40}'..='\u{E4E}' | '\u{E81}'..='\u{ECF}' | '\u{EDC}'..='\u{EDF}'
        | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{109A}'..='\u{109D}' | '\u{1780}'..='\u{17D3}'
        | '\u{17D7}' | '\u{17DC}' | '\u{A9E0}'..='\u{A9EF}' | '\u{A9FA}'..='\u{A9FE}' | '\u{AA60}'..='\u{AA7F}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}'
        | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23FA}' | '\u{2600}'..='\u{27BF}' | '\u{2B05}'..='\u{2B07}'
        | '\u{2B1B}' | '\u{2B1C}' | '\u{2B50}' | '\u{2B55}' | '\u{1F004}' | '\u{1F0CF}' | '\u{1F300}'..='\u{1FAFF}')
}

/// Whether this is half of a flag: two of these characters are the flag of a country.
fn is_half_of_flag(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Characters that do not change a word: joiners and soft hyphens, the points and vowel signs of
/// Hebrew and Arabic, the stretcher of words, a lone hamza, skin tones, and emoji selectors.
fn is_passed_over(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{17B4}' | '\u{17B5}'
        | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}' | '\u{5C2}' | '\u{5C4}' | '\u{5C5}' | '\u{5C7}'
        | '\u{610}'..='\u{61A}' | '\u{621}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}'
        | '\u{6D6}'..='\u{6DC}' | '\u{6DF}'..='\u{6E8}' | '\u{6EA}'..='\u{6ED}' | '\u{8CA}'..='\u{8FF}')
}

/// Words as the index has them, one after the other.
pub(super) fn hashed_all(words: &[String]) -> String {
    let mut hashed = String::with_capacity(words.len() * (2 + WORD_DIGITS));
    for word in words {
        if !hashed.is_empty() {
            hashed.push(' ');
        }
        put_hashed(word, &mut hashed);
    }
    hashed
}

/// Adds a word as the index has it.
fn put_hashed(word: &str, hashed: &mut String) {
    if !word.starts_with(has_no_blanks) {
        hashed.push('w');
        return put_hash(word, WORD_DIGITS, hashed);
    }
    hashed.push('c');
    for c in word.chars() {
        put_hash(c.encode_utf8(&mut [0; 4]), CHAR_DIGITS, hashed);
    }
}

/// Adds a hash with this many digits of five bits.
fn put_hash(text: &str, digits: usize, hashed: &mut String) {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    let mut hash = hasher.finish();
    for _ in 0..digits {
        hashed.extend(char::from_digit((hash % 32) as u32, 32));
        hash /= 32;
    }
}

/// The query for all of these phrases, in the syntax of the index.
pub(super) fn query(phrases: &[Phrase]) -> String {
    let terms = phrases.iter().map(|phrase| {
        let open = if phrase.is_open { " *" } else { "" };
        format!("\"{}\"{open}", hashed_all(&phrase.words))
    });
    terms.collect::<Vec<_>>().join(" AND ")
}

/// A sample of the hashes. Another version of the standard library may make other hashes; then this
/// differs, and the index is rebuilt.
pub(super) fn probe() -> String {
    hashed_all(&["probe".to_owned()])
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::{ascii_pieces, looked_for, pieces_of_any_script, said};

    proptest! {
        #[test]
        fn ascii_has_the_same_words_by_both_ways(text in "[\\x00-\\x7f]{0,80}") {
            prop_assert_eq!(ascii_pieces(&text), pieces_of_any_script(&text));
        }
    }

    #[test]
    fn words_are_letters_in_lower_case_without_accents() {
        for (text, words) in [
            ("Hello, World!", "hello world"),
            ("don't foo_bar 3.14", "don t foo bar 3 14"),
            ("Çà et là: CAFÉ cafe\u{301}", "ca et la cafe cafe"),
            ("Straße ΣΊΣΥΦΟΣ σίσυφος İı", "strasse σισυφοσ σισυφοσ ii"),
            ("ﬁne ① ２", "fine 1 2"),
            ("हिन्दी", "हिनदी"),
            ("STRAẞE Øl Łódź Æsir", "strasse ol lodz aesir"),
            ("مُحَمَّد محمد شـــكرا", "محمد محمد شكرا"),
            ("أحمد إيمان آمال ٱلله ﷲ", "احمد ايمان امال الله الله"),
            ("مكتبة مكتبه على علي شيء", "مكتبه مكتبه علي علي شي"),
            ("کتاب كتاب یک يك", "كتاب كتاب يك يك"),
            ("שָׁלוֹם שלום", "שלום שלום"),
            ("٢٠٢٦ ۲۰۲۶ २०२६ ２０２６ ๒๐๒๖", "2026 2026 2026 2026 2026"),
            ("👍🏽 👍 ❤\u{fe0f} ❤", "👍 👍 ❤ ❤"),
            ("🇩🇪🇫🇷 🇩🇪 🇩", "🇩🇪 🇫🇷 🇩🇪"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("tea🍵time 🍵🍵", "tea 🍵 time 🍵 🍵"),
            ("\u{0}\"*()-^:' ..", ""),
        ] {
            assert_eq!(said(text).join(" "), words, "{text:?}");
        }
    }

    #[test]
    fn without_blanks_two_characters_are_a_word() {
        for (text, words) in [
            ("今天天气", "今天 天天 天气 气"),
            ("好", "好"),
            ("用Rust写。好!", "用 rust 写 好"),
            ("が ｶﾞｷﾞ か\u{3099}く", "が ガギ ギ がく く"),
            ("안녕 하세요", "안녕 녕 하세 세요 요"),
            ("ชื่อ", "ชื ื่ ่อ อ"),
            ("ພາສາ", "ພາ າສ ສາ າ"),
            ("ខ្មែរ", "ខ្ ្ម មែ ែរ រ"),
            ("မြန်မာ", "မြ ြန န် ်မ မာ ာ"),
        ] {
            assert_eq!(said(text).join(" "), words, "{text:?}");
        }
    }

    #[test]
    fn a_search_has_all_words_and_those_in_quotes_together() {
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
