//! A set of people in a few bits. Knows no entry.

use crate::model::PersonId;

/// Some people, as bits: a bit is set if one of the people who share it is among them. So most
/// readers learn from one bit that none of the entries is their own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PersonBits(u64);

impl PersonBits {
    pub(super) fn add(&mut self, person: PersonId) {
        self.0 |= 1 << (person.number() % u64::from(u64::BITS));
    }

    #[inline]
    pub(super) fn may_have(self, person: PersonId) -> bool {
        self.0 & 1 << (person.number() % u64::from(u64::BITS)) != 0
    }
}
