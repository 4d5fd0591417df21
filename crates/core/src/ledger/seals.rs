//! The keys of seals, by their numbers: which are in use, and which are to be deleted, so that
//! nobody opens the seals any more. Knows no key itself, and no cipher.
//!
//! The lines of an owner share a key until the owner deletes them all. Each secret has its own key.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Blank, Erasable, Name, Spoken};

/// The keys of all seals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seals {
    /// The keys of the lines of owners, by the first key of the name.
    pub lines: BTreeMap<Box<str>, OwnerKeys>,
    /// All keys that are needed to open something.
    pub in_use: BTreeSet<u64>,
    /// Keys that are to be deleted.
    pub to_erase: BTreeSet<u64>,
}

/// The keys of the lines of one owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerKeys {
    /// Those of the lines that are not deleted. There are several if several nodes made the first
    /// one at the same time.
    pub live: Vec<u64>,
    /// The largest number of those that were given up: keys with larger ones are new.
    pub given_up: u64,
}

impl Seals {
    /// The largest number of a key that is known.
    pub fn last(&self) -> u64 {
        let given_up = self.lines.values().map(|keys| keys.given_up);
        let others = self.in_use.last().into_iter().chain(self.to_erase.last());
        given_up.chain(others.copied()).max().unwrap_or(0)
    }

    /// Notes that a key is needed.
    pub(super) fn hold(&mut self, key: u64) {
        self.to_erase.remove(&key);
        self.in_use.insert(key);
    }

    /// Gives up a key that is not needed any more.
    pub(super) fn give_up(&mut self, key: Option<u64>) {
        if let Some(key) = key {
            self.in_use.remove(&key);
            self.to_erase.insert(key);
        }
    }

    /// Gives up a key, unless it is needed for something.
    pub(super) fn give_up_unused(&mut self, key: Option<u64>) {
        self.give_up(key.filter(|key| !self.in_use.contains(key)));
    }

    /// Notes that keys are deleted.
    pub(super) fn erased(&mut self, keys: &[u64]) {
        self.to_erase.retain(|key| !keys.contains(key));
    }

    /// Gives up the keys of all lines of an owner.
    pub(super) fn give_up_lines(&mut self, owner: &Name) {
        let Some(keys) = self.lines.get_mut(owner.keys()[0]) else {
            return;
        };
        let live = std::mem::take(&mut keys.live);
        keys.given_up = live.iter().copied().fold(keys.given_up, u64::max);
        live.into_iter().for_each(|key| self.give_up(Some(key)));
    }

    /// The name has no owner any more. Nobody deletes its lines, so everybody may open them.
    pub(super) fn release_lines(&mut self, owner: &Name) {
        self.lines.remove(owner.keys()[0]);
    }

    /// The words of lines that somebody says, as this owner or without a registered name. Lines
    /// that are sealed with another key than the owner's were on their way while the owner deleted
    /// all lines, or lost the name: they are deleted, too.
    pub(super) fn accept(
        &mut self,
        owner: Option<&Name>,
        lines: Erasable<Vec<Spoken>>,
    ) -> Vec<Spoken> {
        let Some(key) = lines.key() else {
            return lines.value;
        };
        let Some(owner) = owner else {
            return lines.value.blank();
        };
        let keys = self.lines.entry(owner.keys()[0].into()).or_default();
        if !keys.live.contains(&key) {
            if key <= keys.given_up || self.in_use.contains(&key) {
                return lines.value.blank();
            }
            keys.live.push(key);
            self.hold(key);
        }
        lines.value
    }
}
