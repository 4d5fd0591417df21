//! Shares: the part of a common resource that one person may take. Knows no room and no rule.

/// One person gets at most one in this many of the places that the others leave, so a few people
/// cannot use up everything.
const PART: usize = 10;

/// Whether a person who has `own` of `all` places may have one more, if the limit is `max`. A share
/// has at least `at_least` places.
pub(crate) fn is_within(own: usize, all: usize, max: usize, at_least: usize) -> bool {
    let others = all.saturating_sub(own);
    let share = max.saturating_sub(others) / PART;
    all < max && own < share.max(at_least)
}

#[cfg(test)]
mod tests {
    use super::is_within;

    /// The number of places that one more person gets if others have `all`.
    fn gets(all: usize, max: usize) -> usize {
        (0..).take_while(|own| is_within(*own, all + own, max, 1)).count()
    }

    #[test]
    fn neither_one_person_nor_a_few_use_up_everything() {
        let (mut all, mut shares) = (0, Vec::new());
        for _ in 0..20 {
            shares.push(gets(all, 1_000));
            all += shares.last().unwrap_or(&0);
        }
        assert_eq!(shares.first(), Some(&100));
        assert!(shares.is_sorted_by(|more, less| more >= less));
        assert!(shares.last() > Some(&10), "{shares:?}");
        assert_eq!(gets(3, 4), 1, "the last place, too");
        assert_eq!(gets(4, 4), 0);
    }
}
