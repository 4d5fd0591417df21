//! "Did you mean ...?": finds the known word behind a typing mistake. Knows no commands and no
//! names.

use super::name::fold;

/// A word may have one mistake for every three letters, so a word of two letters suggests nothing.
const LETTERS_PER_SLIP: usize = 3;

/// The limit for long words: with more mistakes, two words have only their length in common.
const SLIPS_MAX: usize = 3;

/// The known word nearest to `word`, if it is near enough; the first of several that are equally
/// near.
///
/// A mistake is a letter missing, added or wrong, or two neighbours swapped. Case does not matter.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    known
        .into_iter()
        .filter_map(|candidate| Some((slips(&word, &fold(candidate))?, candidate)))
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

/// The number of mistakes between two words; none if there are too many.
fn slips(a: &str, b: &str) -> Option<usize> {
    let (a_len, b_len) = (a.chars().count(), b.chars().count());
    let enough = SLIPS_MAX.min(a_len.max(b_len) / LETTERS_PER_SLIP);
    // The cost grows with the product of the lengths, and a word can be a whole line that starts
    // with a slash.
    if a_len.abs_diff(b_len) > enough {
        return None;
    }
    let slips = strsim::damerau_levenshtein(a, b);
    (slips <= enough).then_some(slips)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [&str; 10] =
        ["help", "who", "name", "me", "msg", "rooms", "join", "topic", "ignore", "unignore"];

    #[test]
    fn a_typing_mistake_finds_the_word() {
        for (typed, meant) in [
            ("hlep", "help"),
            ("hel", "help"),
            ("HELP", "help"),
            ("whoo", "who"),
            ("mg", "msg"),
            ("tpoics", "topic"),
            ("ingore", "ignore"),
        ] {
            assert_eq!(nearest(typed, COMMANDS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn a_different_word_finds_nothing() {
        for typed in ["", "x", "mx", "rom", "dance", "shutdown", &"help".repeat(1000)] {
            assert_eq!(nearest(typed, COMMANDS), None, "{typed}");
        }
        assert_eq!(nearest("help", []), None);
    }

    #[test]
    fn the_nearest_wins_and_then_the_first() {
        assert_eq!(nearest("carole", ["carl", "carol", "carola"]), Some("carol"));
        assert_eq!(nearest("Алис", ["боб", "алиса"]), Some("алиса"));
    }
}
