//! How much one person may fill of what all share. Knows no room and no rule.

/// One person fills no more than this part of what the others leave: so no few of them use up all.
const PART: usize = 10;

/// Whether somebody who holds `own` of the `all` there are may have one more, where `max` are the most. With few places,
/// `at_least` so many are within everybody's share.
pub(super) fn is_within(own: usize, all: usize, max: usize, at_least: usize) -> bool {
    let others = all.saturating_sub(own);
    let share = max.saturating_sub(others) / PART;
    all < max && own < share.max(at_least)
}

#[cfg(test)]
mod tests {
    use super::is_within;

    /// How many one more person gets beside those who hold so many.
    fn gets(all: usize, max: usize) -> usize {
        (0..)
            .take_while(|own| is_within(*own, all + own, max, 1))
            .count()
    }

    #[test]
    fn nobody_and_no_few_use_up_all() {
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
