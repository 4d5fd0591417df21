//! Return codes: the place to which a person comes back after a lost connection. Knows only the
//! hashes of codes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    Claim, Hashed, Looks, Name, PersonId, Proof, ProvenAccount, RoomName, WallTime,
};

/// How long a code is valid after its connection, or the server, has ended.
pub const CODE_LIFE: Duration = Duration::from_secs(3_600);

/// The limit of codes whose connections have ended. The oldest are deleted first, those of owners
/// last.
const ENDED_MAX: usize = 10_000;

/// The place to which a return code leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnCode {
    /// The person's name, and the account to which the person was logged in.
    pub claim: Claim,
    /// How that name looks.
    pub looks: Looks,
    /// The room.
    pub room: RoomName,
    /// The number of the last line there that was written to the connection.
    pub seq: u64,
    /// How long the code is valid.
    pub validity: Validity,
}

/// How long a return code is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// While this person's connection lasts.
    Held(PersonId),
    /// Until this time, on a clock that stops while the machine sleeps.
    Until(WallTime),
}

/// All return codes, by their hashes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    pub(super) codes: BTreeMap<Hashed, Arc<ReturnCode>>,
    /// Those whose connections have ended, the first to delete first: whether it is an owner's, the
    /// end, and the hash.
    ended: BTreeSet<(bool, WallTime, Hashed)>,
}

impl Codes {
    /// The codes from a snapshot.
    pub(super) fn restore(codes: BTreeMap<Hashed, Arc<ReturnCode>>) -> Codes {
        let ended = codes.iter().filter_map(|(&hash, code)| ended(hash, code)).collect();
        Codes { codes, ended }
    }

    /// A code, if it is valid at this time.
    pub(super) fn valid(&self, hash: Hashed, now: WallTime) -> Option<&Arc<ReturnCode>> {
        self.codes.get(&hash).filter(|code| match code.validity {
            Validity::Held(_) => true,
            Validity::Until(end) => end >= now,
        })
    }

    /// A code, if this person's connection has it.
    pub(super) fn held_by(&self, hash: Hashed, id: PersonId) -> Option<&Arc<ReturnCode>> {
        self.codes.get(&hash).filter(|code| code.validity == Validity::Held(id))
    }

    /// The codes that connections have, and those people.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Hashed, &ReturnCode, PersonId)> {
        self.codes.iter().filter_map(|(&hash, code)| match code.validity {
            Validity::Held(id) => Some((hash, &**code, id)),
            Validity::Until(_) => None,
        })
    }

    /// Adds a code, or replaces it.
    pub(super) fn put(&mut self, hash: Hashed, code: Arc<ReturnCode>) {
        self.ended.extend(ended(hash, &code));
        if let Some(before) = self.codes.insert(hash, Arc::clone(&code))
            && let Some(end) = ended(hash, &before)
            && Some(end) != ended(hash, &code)
        {
            self.ended.remove(&end);
        }
    }

    /// Notes how far the person with a code has read. Returns whether that is further than before.
    pub(super) fn note_reading(&mut self, hash: Hashed, seq: u64) -> bool {
        let Some(code) = self.codes.get_mut(&hash).filter(|code| code.seq < seq) else {
            return false;
        };
        Arc::make_mut(code).seq = seq;
        true
    }

    /// Removes a code.
    pub(super) fn remove(&mut self, hash: Hashed) -> Option<Arc<ReturnCode>> {
        let code = self.codes.remove(&hash)?;
        if let Some(end) = ended(hash, &code) {
            self.ended.remove(&end);
        }
        Some(code)
    }

    /// Removes the codes of the owner of a name, also those under other names. Returns them.
    pub(super) fn remove_of_owner(&mut self, name: &Name) -> Vec<(Hashed, Arc<ReturnCode>)> {
        let is_theirs = |account: &ProvenAccount| account.name.is_same(name);
        let theirs =
            self.codes.extract_if(.., |_, code| code.claim.account.as_ref().is_some_and(is_theirs));
        let theirs: Vec<_> = theirs.collect();
        for end in theirs.iter().filter_map(|(hash, code)| ended(*hash, code)) {
            self.ended.remove(&end);
        }
        theirs
    }

    /// Replaces an account whose proof was undone, in all codes.
    pub(super) fn replace_account(
        &mut self,
        name: &Name,
        undone: Proof,
        present: Option<&ProvenAccount>,
    ) {
        let is_it = |of: &ProvenAccount| of.proof == undone && of.name.is_same(name);
        let is_meant = |claim: &Claim| claim.account.as_ref().is_some_and(is_it);
        let meant = self.codes.iter().filter(|(_, code)| is_meant(&code.claim));
        let meant: Vec<_> = meant.map(|(hash, code)| (*hash, Arc::clone(code))).collect();
        for (hash, mut code) in meant {
            Arc::make_mut(&mut code).claim.account = present.cloned();
            self.put(hash, code);
        }
    }

    /// Removes the codes that have ended before this time. Returns whether there was one.
    pub(super) fn remove_ended_before(&mut self, time: WallTime) -> bool {
        let gone = self.ended.extract_if(.., |(_, end, _)| *end < time);
        gone.map(|(_, _, hash)| self.codes.remove(&hash)).count() > 0
    }

    /// Removes the first code to delete, if there are too many whose connections have ended.
    pub(super) fn remove_excess(&mut self) -> Option<Hashed> {
        if self.ended.len() <= ENDED_MAX {
            return None;
        }
        let (_, _, hash) = self.ended.pop_first()?;
        self.codes.remove(&hash);
        Some(hash)
    }
}

fn ended(hash: Hashed, code: &ReturnCode) -> Option<(bool, WallTime, Hashed)> {
    match code.validity {
        Validity::Held(_) => None,
        Validity::Until(end) => Some((code.claim.account.is_some(), end, hash)),
    }
}
