//! The two keys of a name, which show whether names are too alike, and the look of a name in other
//! letter cases. Does not know which names are allowed.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// Every letter needs at most three rounds; the limit is for hostile names.
const FOLD_ROUNDS_MAX: usize = 8;

/// How each ASCII character looks.
static ASCII_LOOKS: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..128_u8).map(|c| skeleton(&char::from(c).to_string()).collect()).collect());

/// How a name reads in any case, and how it looks in any characters.
pub(crate) fn keys(name: &str) -> [Box<str>; 2] {
    [fold(name).into(), fold(&look(name)).into()]
}

/// How a name looks in its own case: `ALICE` looks like `ALlCE`.
pub(crate) fn look(name: &str) -> String {
    if name.is_ascii() {
        // Most names, and much quicker: no ASCII character looks different beside another.
        let looks = name.bytes().filter_map(|c| ASCII_LOOKS.get(usize::from(c)));
        return looks.map(String::as_str).collect();
    }
    let composed: String = name.nfkc().collect();
    skeleton(&composed).collect()
}

/// How a name looks in lower case, in upper case, and with one capital, if its keys do not include
/// that look.
pub(crate) fn looks_else(name: &str, keys: [&str; 2]) -> Vec<Box<str>> {
    let small = name.to_lowercase();
    let mut rest = small.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let with_capital = first.chain(rest).collect();
    [name.to_uppercase(), with_capital, small]
        .into_iter()
        .filter(|written| written != name)
        .map(|written| look(&written))
        .filter(|look| !keys.contains(&&*fold(look)))
        .map(String::into_boxed_str)
        .collect()
}

/// How a name looks if each of its letters may stand in any case: `N1ckServ`, `NlckServ` and
/// `NickServ` look alike, because a capital i looks like a small L, and so does 1.
pub(crate) fn blind_look(name: &str) -> String {
    fold(&look(&fold(&look(name)).to_uppercase()))
}

/// Text without its case, only to compare and never to show: `Straße`, `STRASSE` and `strasse` fold
/// to one text.
///
/// Each character goes to upper case and back, with the full mappings of Unicode. That joins pairs
/// that lower case alone leaves apart (ß and ẞ, s and ſ, the two lower-case sigmas). Dotless ı,
/// which looks like i, folds to i too. The result is composed (NFC), and folding it again changes
/// nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase(); // most names, and much quicker
    }
    let mut folded: String = text.nfc().collect();
    for _ in 0..FOLD_ROUNDS_MAX {
        let upper = folded.chars().flat_map(char::to_uppercase);
        let next: String = upper.flat_map(char::to_lowercase).nfc().collect();
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_one_word_fold_alike() {
        for (a, b) in [
            ("ALICE", "alice"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("Congreſs", "congress"),
            ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"),
            ("σσ", "ςς"),
            ("\u{13a0}\u{13f0}", "\u{ab70}\u{13f8}"),
            ("\u{1c90}", "\u{10d0}"),
            ("ǅ", "ǆ"),
            ("ﬁ", "FI"),
            ("İ", "i\u{307}"),
            ("\u{212a}\u{212b}", "kå"),
            ("\u{390}", "\u{3aa}\u{301}"),
            ("\u{1fb3}", "ΑΙ"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} and {b}");
        }
        assert_ne!(fold("İ"), fold("i"));
        assert_ne!(fold("å"), fold("a"));
    }

    #[test]
    fn every_letter_folds_in_one_step() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_alphanumeric()) {
            let folded = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&folded), folded, "{c:?}");
            assert_eq!(fold(&c.to_uppercase().to_string()), folded, "{c:?}");
            assert_eq!(fold(&c.to_lowercase().to_string()), folded, "{c:?}");
        }
    }

    #[test]
    fn the_second_key_is_how_the_name_looks() {
        let [read, seen] = keys("Раураl");
        assert_ne!(&*read, "paypal");
        assert_eq!(&*seen, "paypal");
        assert_eq!(&*keys("R00T")[1], "root");
        assert_eq!(keys("mike")[1], keys("rnike")[1]);
    }

    #[test]
    fn the_quick_way_to_a_look_leads_to_the_same_look() {
        let all = || (0..128_u8).map(char::from);
        for pair in all().flat_map(|a| all().map(move |b| String::from_iter([a, b]))) {
            let composed: String = pair.nfkc().collect();
            assert_eq!(look(&pair), skeleton(&composed).collect::<String>(), "{pair:?}");
        }
    }

    #[test]
    fn looks_in_other_letters_are_more_than_the_keys() {
        let looks_else = |name| looks_else(name, keys(name).each_ref().map(|key| &**key));
        assert_eq!(looks_else("bob"), []);
        assert_eq!(looks_else("127.0.0.1:64208"), []);
        assert_eq!(looks_else("alice"), ["ALlCE".into()]);
        assert_eq!(looks_else("ian"), ["lAN".into(), "lan".into()]);
        assert_eq!(look("lan"), look("Ian"));
    }
}
