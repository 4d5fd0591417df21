//! The word that was probably meant. Knows no option and no scheme.

/// With more than half of the letters wrong, a guess confuses more than it helps.
const LIKENESS_MIN: f64 = 0.5;

/// Returns the candidate most like `word`, or none when nothing comes near.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(word, candidate),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["listen", "log-lines", "log-size"];
        assert_eq!(nearest("log_lines", known), Some("log-lines"));
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("size", known), Some("log-size"));
        assert_eq!(nearest("zzz", known), None);
    }
}
