//! Words as they stand in the index: as numbers that are made of them. SQLite's full-text search keeps some words to find its
//! way, also when the lines are gone in which they stood; so it is given none. Knows no file.

use std::hash::{DefaultHasher, Hasher};

use super::words::{Phrase, has_no_blanks};

/// Two words with the same number are one; with so many bits that happens to nobody.
const WORD_BITS: u32 = 48;

/// Of the characters of a pair each has its number, so that what begins with one can be found.
const CHAR_BITS: u32 = 32;

/// A word as it stands in the index.
pub(super) fn veiled(word: &str) -> String {
    if !word.starts_with(has_no_blanks) {
        return format!("w{:x}", number(word, WORD_BITS));
    }
    let mut veiled = "c".to_owned();
    for c in word.chars() {
        let number = number(c.encode_utf8(&mut [0; 4]), CHAR_BITS);
        veiled += &format!("{number:08x}");
    }
    veiled
}

/// Words as they stand in the index, one behind the other.
pub(super) fn veiled_all(words: &[String]) -> String {
    let veiled: Vec<_> = words.iter().map(|word| veiled(word)).collect();
    veiled.join(" ")
}

/// What is looked for, in the language of the index: all of these.
pub(super) fn query(phrases: &[Phrase]) -> String {
    let terms = phrases.iter().map(|phrase| {
        let open = if phrase.is_open { " *" } else { "" };
        format!("\"{}\"{open}", veiled_all(&phrase.words))
    });
    terms.collect::<Vec<_>>().join(" AND ")
}

/// The library may make other numbers in another version; then the index is made anew. By this it is seen.
pub(super) fn probe() -> String {
    veiled("probe")
}

fn number(text: &str, bits: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish() >> (u64::BITS - bits)
}
