//! The digests of the ledger, here and on other nodes: whether the ledgers are equal, and which of
//! them is wrong if they are not. A state machine; knows no ledger and no time.
//!
//! Each node computes a digest at the same positions, and its proposals carry the last one. If two
//! digests differ, most nodes are right: a node waits until it knows on which side it is. If neither
//! side has more than half, nobody knows, and the node has to find out. If both sides have found
//! that they are right, the one with the oldest boot goes on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::intent::{Check, Proposal};

/// The number of recent checks with which those of other nodes are compared.
const CHECKS_MAX: usize = 16;

/// A check that is at most this many checks old can be compared by all nodes that follow.
const CHECKS_BEHIND: u64 = CHECKS_MAX as u64 / 2;

/// The ledger of this node differs from that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The position up to which this node has applied everything.
    pub position: u64,
    /// The boot of this node; 0 if there is none.
    pub boot: u32,
    /// Where the difference was found, and the digest of this node there.
    pub own: Check,
    /// The digest of the other node there.
    pub other: u64,
    /// The last check of this node with which another one agreed, while nobody differed.
    pub agreed: Option<Check>,
    /// Whether more than half of the nodes differ from this one.
    pub is_outvoted: bool,
    /// Whether this node and the others have each found before that they are right.
    pub is_again: bool,
    /// The last position at which this node has deleted lines.
    pub deleted: u64,
}

/// The recent checks of this node, and what the others say of them.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// The ledger is compared at each multiple of this position.
    every: u64,
    own: VecDeque<Check>,
    /// The last check of each other boot that could be compared, and whether it was equal.
    heard: BTreeMap<u32, (Check, bool)>,
    agreed: Option<Check>,
    /// The boots that differed when this node found that it is right.
    disputed: BTreeSet<u32>,
    /// The place after that of a proposal with a recent check of this node: who has applied it has
    /// compared that check.
    told: Option<u64>,
}

impl Checks {
    /// No checks yet. There is one at each multiple of a position.
    pub(super) fn new(every: u64) -> Checks {
        Checks { every: every.max(1), ..Checks::default() }
    }

    /// The distance between two checks.
    pub(super) fn every(&self) -> u64 {
        self.every
    }

    /// Adds the digest at a position, if there is a check.
    pub(super) fn add(&mut self, position: u64, digest: impl FnOnce() -> u64) {
        if !position.is_multiple_of(self.every) {
            return;
        }
        self.own.push_back(Check { position, digest: digest() });
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
        self.disputed.remove(&boot);
    }

    /// Notes the place of a proposal of this node.
    pub(super) fn tell(&mut self, check: Check, position: u64) {
        if check.position + CHECKS_BEHIND * self.every >= position {
            self.told.get_or_insert(position);
        }
    }

    /// This node was right. Those who differed have to find that out, too.
    pub(super) fn settle(&mut self) {
        let differing = self.heard.extract_if(.., |_, (_, is_equal)| !*is_equal);
        self.disputed.extend(differing.map(|(boot, _)| boot));
        self.told = None;
    }

    /// Whether the check of a proposal is one that its boot has said before, and that was equal. A
    /// difference is compared again, since other nodes may have ended meanwhile.
    pub(super) fn is_known(&self, Proposal { id, check, .. }: &Proposal) -> bool {
        self.heard.get(&id.boot) == Some(&(*check, true))
    }

    /// Takes the check of a proposal of another boot. `others` are all other boots that live, and
    /// `own` is that of this node, if it has one. Returns the difference, unless this node belongs to
    /// the larger side, or may still belong to it.
    pub(super) fn hear(
        &mut self,
        Proposal { id, check, after, .. }: &Proposal,
        own: u32,
        others: &[u32],
    ) -> Option<Difference> {
        let is_equal = self.digest_at(check.position)? == check.digest;
        let is_unaware = || self.told.is_none_or(|told| *after < told);
        if !is_equal && self.disputed.contains(&id.boot) && is_unaware() {
            return None; // it did not know yet what this node has found
        }
        self.heard.insert(id.boot, (*check, is_equal));
        if is_equal && self.heard.values().all(|(_, is_equal)| *is_equal) {
            self.agreed = Some(*check);
        }
        self.difference(own, others)
    }

    fn difference(&self, own: u32, others: &[u32]) -> Option<Difference> {
        let differing = self.heard.values().filter(|(_, is_equal)| !is_equal);
        let (first, _) = *differing.min_by_key(|(check, _)| check.position)?;
        let (mut equal, mut different) = (vec![if own == 0 { u32::MAX } else { own }], Vec::new());
        for &other in others {
            match self.heard.get(&other) {
                Some((_, false)) => different.push(other),
                Some((check, true)) if check.position >= first.position => equal.push(other),
                Some(_) | None => {}
            }
        }
        let (all, silent) = (others.len() + 1, others.len() + 1 - equal.len() - different.len());
        let is_outvoted = different.len() * 2 > all;
        let is_again = different.iter().all(|boot| self.disputed.contains(boot));
        let is_elder = is_again && !is_outvoted && equal.iter().min() < different.iter().min();
        let may_be_right = (equal.len() + silent) * 2 > all || is_elder;
        let own = Check { digest: self.digest_at(first.position)?, ..first };
        (!different.is_empty() && !may_be_right).then_some(Difference {
            position: 0,
            boot: 0,
            own,
            other: first.digest,
            agreed: self.agreed,
            is_outvoted,
            is_again,
            deleted: 0,
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
    use crate::intent::{Check, Proposal, ProposalId};

    /// The position of a check that others say, and their digest there.
    fn said(boot: u32, position: u64, digest: u64) -> Proposal {
        let (id, check) = (ProposalId { boot, number: 1 }, Check { position, digest });
        Proposal { id, check, after: position, ..Proposal::default() }
    }

    /// A node with checks of digest 7 at positions 1 to `last`.
    fn checks(last: u64) -> Checks {
        let mut checks = Checks::new(1);
        (1..=last).for_each(|position| checks.add(position, || 7));
        checks
    }

    /// The difference after these boots have said these digests of position 2. The boot of the node
    /// is 9.
    fn after(heard: &[(u32, u64)], others: u32) -> Option<Difference> {
        let others: Vec<u32> = (1..=others).collect();
        let mut checks = checks(2);
        let hear = |&(boot, digest)| checks.hear(&said(boot, 2, digest), 9, &others);
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
        assert_eq!(checks.hear(&said(1, 1, 7), 9, &[1]), None);
        let found = checks.hear(&said(1, 3, 8), 9, &[1]);
        let (own, agreed) = (Check { position: 3, digest: 7 }, Check { position: 1, digest: 7 });
        let is_it = |found: Difference| (found.own, found.other, found.agreed);
        assert_eq!(found.map(is_it), Some((own, 8, Some(agreed))));
    }

    #[test]
    fn a_check_that_cannot_be_compared_says_nothing() {
        let last = CHECKS_MAX as u64 + 1;
        let mut checks = checks(last);
        for (position, digest) in [(0, 0), (1, 8), (last + 1, 8)] {
            assert_eq!(checks.hear(&said(1, position, digest), 9, &[1]), None);
        }
        assert_eq!(checks.last(), Check { position: last, digest: 7 });
        let mut rare = Checks::new(5);
        (1..=12).for_each(|position| rare.add(position, || 7));
        assert_eq!(rare.last().position, 10);
    }

    #[test]
    fn a_boot_that_ended_has_no_side() {
        let mut checks = checks(2);
        assert_eq!(checks.hear(&said(1, 2, 8), 9, &[1, 2]), None);
        checks.forget(1);
        assert_eq!(checks.hear(&said(2, 2, 7), 9, &[2]), None);
        assert!(checks.hear(&said(2, 2, 8), 9, &[2]).is_some());
    }

    #[test]
    fn of_two_nodes_that_are_both_right_the_older_one_goes_on() {
        for (own, goes_on) in [(1, true), (3, false), (0, false)] {
            let mut checks = checks(4);
            assert!(checks.hear(&said(2, 3, 8), own, &[2]).is_some_and(|found| !found.is_again));
            checks.settle();
            assert_eq!(checks.hear(&said(2, 3, 8), own, &[2]), None, "before it can know that");
            checks.tell(checks.last(), 5);
            assert_eq!(checks.hear(&said(2, 4, 8), own, &[2]), None);
            checks.add(6, || 7);
            let found = checks.hear(&said(2, 6, 8), own, &[2]);
            assert_eq!(found.map(|found| found.is_again), (!goes_on).then_some(true));
        }
    }
}
