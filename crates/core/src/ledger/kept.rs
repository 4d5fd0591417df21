//! Messages that are kept for absent owners: how many, and from whom. Their texts are here only as
//! the order of several nodes has them: sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Blank, Erasable, Hashed, Name, Rank, Spoken, WallTime};
use crate::refusal::Refusal;

/// The limit of messages for one person from authors of this rank and below. So strangers leave
/// places for owners, and these for keepers of the server.
const KEPT_MAX: [(Rank, usize); 3] = [(Rank::Stranger, 60), (Rank::Owner, 90), (Rank::Keeper, 100)];

/// How many messages for one person one author may write, under any names.
const KEPT_FROM_ONE_MAX: usize = 20;

/// A message that waits for the owner of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The number of the message, in the order of writing.
    pub number: u64,
    /// The first bytes of the hash of the author.
    pub writer: u64,
    /// The author's rank.
    pub rank: Rank,
    /// The number of the key with which the text is sealed in the order; 0 if it is not.
    pub key: u64,
    /// The rest of the message. None without other nodes, and for a message from before a snapshot
    /// that does not have it.
    pub sealed: Option<Arc<SealedMessage>>,
}

/// The parts of a waiting message that the file of a node lacks, if the node begins behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedMessage {
    /// The time of writing.
    pub at: WallTime,
    /// The name of the author.
    pub from: Name,
    /// The hash of the author, if it is known.
    pub writer: Option<Hashed>,
    /// The words, and how they are meant: a blank with a seal, until somebody opens it for a file.
    pub spoken: Erasable<Spoken>,
}

/// The messages that wait.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptForOwners {
    /// By the first key of the owner's name; the oldest message first.
    pub(super) waiting: BTreeMap<Box<str>, Vec<Kept>>,
    /// The number of the latest message.
    pub(super) last: u64,
}

impl Kept {
    /// The first bytes of the hash of an author.
    pub fn writer(hash: Hashed) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = hash.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SealedMessage {
    /// The rest of a message without its words; none if they are not sealed, so that nobody could
    /// delete them.
    pub(super) fn new(
        at: WallTime,
        (from, writer): (&Name, Option<Hashed>),
        spoken: &Erasable<Spoken>,
    ) -> Option<Arc<SealedMessage>> {
        spoken.key()?;
        let spoken = Erasable { value: spoken.value.blank(), seal: spoken.seal.clone() };
        Some(Arc::new(SealedMessage { at, from: from.clone(), writer, spoken }))
    }
}

impl KeptForOwners {
    /// The number of the latest message.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Adds a message.
    pub(super) fn add(&mut self, owner: &Name, kept: Kept) {
        self.last = self.last.max(kept.number);
        self.waiting.entry(owner.keys()[0].into()).or_default().push(kept);
    }

    /// Whether this message may wait for the owner of a name, too.
    pub(super) fn may_keep(&self, owner: &Name, new: &Kept) -> Result<(), Refusal> {
        let waiting = self.waiting.get(owner.keys()[0]).map_or(&[][..], Vec::as_slice);
        let count = |is_it: &dyn Fn(&&Kept) -> bool| waiting.iter().filter(is_it).count();
        let is_full = KEPT_MAX.iter().filter(|(max, _)| *max >= new.rank);
        let mut is_full = is_full.map(|(max, limit)| count(&|kept| kept.rank <= *max) >= *limit);
        let is_share_used = count(&|kept| kept.writer == new.writer) >= KEPT_FROM_ONE_MAX;
        match is_share_used || is_full.any(|is_full| is_full) {
            true => Err(Refusal::MessagesFull(owner.clone())),
            false => Ok(()),
        }
    }

    /// Removes the messages that `is_meant` chooses. Returns them.
    pub(super) fn remove(&mut self, owner: &Name, is_meant: impl Fn(&Kept) -> bool) -> Vec<Kept> {
        let Some(waiting) = self.waiting.get_mut(owner.keys()[0]) else {
            return Vec::new();
        };
        let removed = waiting.extract_if(.., |kept| is_meant(kept)).collect();
        if waiting.is_empty() {
            self.waiting.remove(owner.keys()[0]);
        }
        removed
    }

    /// Puts removed messages back, before later ones.
    pub(super) fn put_back(&mut self, owner: &Name, kept: &[Kept]) {
        let waiting = self.waiting.entry(owner.keys()[0].into()).or_default();
        waiting.splice(0..0, kept.iter().cloned());
        waiting.sort_by_key(|kept| kept.number);
    }
}
