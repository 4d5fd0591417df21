//! The digests of the ledger, here and on other nodes: whether the ledgers are equal, and which of
//! them is wrong if they are not. A state machine; knows no ledger and no time.
//!
//! Each node computes a digest at the same positions, and its proposals carry the last one. If two
//! digests differ, most nodes are right: a node waits until it knows on which side it is. If neither
//! side has more than half, nobody knows, and every node has to find out.

use std::collections::{BTreeMap, VecDeque};

use crate::intent::Check;

/// The number of recent checks with which those of other nodes are compared.
const CHECKS_MAX: usize = 16;

/// The ledger of this node differs from that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where it was found, and the digest of this node there.
    pub own: Check,
    /// The digest of the other node there.
    pub other: u64,
    /// The last check of this node with which another one agreed, while nobody differed.
    pub agreed: Option<Check>,
    /// Whether more than half of the nodes differ from this one.
    pub is_outvoted: bool,
}

/// The recent checks of this node, and what the others say of them.
#[derive(Debug, Default)]
pub(super) struct Checks {
    own: VecDeque<Check>,
    /// The last check of each other boot that could be compared, and whether it was equal.
    heard: BTreeMap<u32, (Check, bool)>,
    agreed: Option<Check>,
}

impl Checks {
    /// Adds a check of this node.
    pub(super) fn add(&mut self, check: Check) {
        self.own.push_back(check);
        if self.own.len() > CHECKS_MAX {
            self.own.pop_front();
        }
    }

    /// The last check of this node; one of position 0 if there is none.
    pub(super) fn last(&self) -> Check {
        self.own.back().copied().unwrap_or_default()
    }

    /// Forgets a boot that has ended.
    pub(super) fn forget(&mut self, boot: u32) {
        self.heard.remove(&boot);
    }

    /// Takes the check of another boot. `others` are all other boots that live. Returns the
    /// difference, unless this node belongs to the larger side, or may still belong to it.
    pub(super) fn hear(
        &mut self,
        boot: u32,
        check: Check,
        others: impl Iterator<Item = u32>,
    ) -> Option<Difference> {
        let own = self.digest_at(check.position)?;
        let is_equal = own == check.digest;
        self.heard.insert(boot, (check, is_equal));
        if is_equal && self.heard.values().all(|(_, is_equal)| *is_equal) {
            self.agreed = Some(check);
        }
        let differing = self.heard.values().filter(|(_, is_equal)| !is_equal);
        let (first, _) = *differing.min_by_key(|(check, _)| check.position)?;
        let (mut equal, mut different, mut silent) = (1, 0, 0); // this node is one of them
        for other in others {
            match self.heard.get(&other) {
                Some((_, false)) => different += 1,
                Some((check, true)) if check.position >= first.position => equal += 1,
                Some(_) | None => silent += 1,
            }
        }
        let half = (equal + different + silent) / 2;
        let own = Check { digest: self.digest_at(first.position)?, ..first };
        (different > 0 && equal + silent <= half).then_some(Difference {
            own,
            other: first.digest,
            agreed: self.agreed,
            is_outvoted: different > half,
        })
    }

    /// The digest of this node at a position.
    fn digest_at(&self, position: u64) -> Option<u64> {
        self.own.iter().find(|own| own.position == position).map(|own| own.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECKS_MAX, Checks, Difference};
    use crate::intent::Check;

    fn check(position: u64, digest: u64) -> Check {
        Check { position, digest }
    }

    /// A node with checks of digest 7 at positions 1 to `last`.
    fn checks(last: u64) -> Checks {
        let mut checks = Checks::default();
        (1..=last).for_each(|position| checks.add(check(position, 7)));
        checks
    }

    /// The difference after these boots have said these digests of position 2.
    fn after(heard: &[(u32, u64)], others: u32) -> Option<Difference> {
        let mut checks = checks(2);
        let hear = |&(boot, digest)| checks.hear(boot, check(2, digest), 1..others + 1);
        heard.iter().filter_map(hear).last()
    }

    #[test]
    fn the_smaller_side_differs_and_the_larger_one_goes_on() {
        let outvoted = |heard: &[_], others| after(heard, others).map(|found| found.is_outvoted);
        assert_eq!(outvoted(&[(1, 7)], 1), None);
        assert_eq!(outvoted(&[(1, 8)], 1), Some(false), "of two, nobody knows which is wrong");
        assert_eq!(outvoted(&[(1, 8)], 2), None, "the third one decides");
        assert_eq!(outvoted(&[(1, 8), (2, 7)], 2), None);
        assert_eq!(outvoted(&[(1, 8), (2, 8)], 2), Some(true));
        assert_eq!(outvoted(&[(1, 8), (2, 8), (3, 7)], 3), Some(false));
        assert_eq!(outvoted(&[(1, 8), (2, 8), (3, 8)], 3), Some(true));
        assert_eq!(outvoted(&[(1, 8), (2, 8)], 4), None);
    }

    #[test]
    fn a_difference_says_where_it_was_found_and_where_all_agreed_before() {
        let mut checks = checks(3);
        assert_eq!(checks.hear(1, check(1, 7), 1..2), None);
        let found = checks.hear(1, check(3, 9), 1..2);
        let (own, agreed) = (check(3, 7), Some(check(1, 7)));
        assert_eq!(found, Some(Difference { own, other: 9, agreed, is_outvoted: false }));
    }

    #[test]
    fn a_check_that_cannot_be_compared_says_nothing() {
        let mut checks = checks(CHECKS_MAX as u64 + 1);
        for (position, digest) in [(0, 0), (1, 8), (CHECKS_MAX as u64 + 2, 8)] {
            assert_eq!(checks.hear(1, check(position, digest), 1..2), None);
        }
        assert_eq!(checks.last(), check(CHECKS_MAX as u64 + 1, 7));
    }

    #[test]
    fn a_boot_that_ended_has_no_side() {
        let mut checks = checks(2);
        assert_eq!(checks.hear(1, check(2, 8), 1..3), None);
        checks.forget(1);
        assert_eq!(checks.hear(2, check(2, 7), 2..3), None);
        assert!(checks.hear(2, check(2, 8), 2..3).is_some());
    }
}
