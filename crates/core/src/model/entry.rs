//! Entries: everything that happens in a room, in the order in which it happened. Knows no bytes.

use std::sync::Arc;

use super::act::Act;
use super::line::Line;
use super::name::Name;
use super::time::WallTime;
use super::who::{Manner, Who};

/// One entry of a room's log.
///
/// Only [`Entry::Said`] is numbered, replayed, counted as skipped and journaled; the others stand
/// between numbers, ordered with everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Somebody said something.
    Said(Said),
    /// Somebody came.
    Arrived {
        /// Who came.
        who: Who,
        /// Whether this entry is told or folded into a summary.
        telling: Telling,
    },
    /// Somebody went.
    Left {
        /// Who went.
        who: Who,
        /// What they typed after `/quit`.
        words: Option<Line>,
        /// By whom they were removed, if they were.
        removal: Option<Arc<Act>>,
        /// Whether this entry is told or folded into a summary.
        telling: Telling,
    },
    /// The summary of those whose arrival was folded and not told since.
    ArrivedTogether(Together),
    /// The summary of those whose departure was folded.
    LeftTogether(Together),
    /// Somebody took another name.
    Renamed {
        /// The person, under the new name.
        who: Who,
        /// The name worn until now.
        from: Name,
        /// Whether another connection of its owner wears the old name in the room.
        is_still_worn: bool,
    },
    /// The owner of a name has taken back what was said under it before.
    TookBack {
        /// Who did.
        who: Who,
    },
    /// Somebody set or cleared the topic.
    Topic {
        /// Who did.
        who: Who,
        /// The new topic; none when it was cleared.
        text: Option<Line>,
    },
    /// Something was done with authority.
    Act(Arc<Act>),
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The line's number in its room: dense, from 1.
    pub seq: u64,
    /// When it was said; never decreasing in a room.
    pub at: WallTime,
    /// Who said it.
    pub who: Who,
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
}

impl Said {
    /// The place where it was.
    pub(crate) fn without_words(&self) -> Said {
        Said {
            manner: Manner::Gone,
            text: Line::sanitise(b""),
            ..self.clone()
        }
    }

    /// Whether it has not been taken back.
    pub fn has_words(&self) -> bool {
        self.manner != Manner::Gone
    }

    /// What it takes in memory, in bytes; an estimate.
    pub fn weight(&self) -> usize {
        size_of::<Said>() + self.who.name.as_str().len() + self.text.len()
    }
}

/// Whether an arrival or departure is told by its own entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// At once, by this entry.
    Told,
    /// By the summary that follows, because many come or go at once.
    Folded,
    /// By this entry, after having been folded: the name is heard before the summary is due. It
    /// comes or goes with the folded entry before it, not with this one.
    Late,
    /// To nobody: the name is worn here by another connection of its owner.
    Untold,
}

/// Several people, of whom the first few are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The first of them.
    pub named: Vec<Name>,
    /// How many there are beyond those named.
    pub others: usize,
}

impl Together {
    /// How many they are.
    pub fn len(&self) -> usize {
        self.named.len() + self.others
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Entry {
    /// The person whose doing this is; none for a summary.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Entry::Said(Said { who, .. })
            | Entry::Arrived { who, .. }
            | Entry::Left { who, .. }
            | Entry::Renamed { who, .. }
            | Entry::TookBack { who }
            | Entry::Topic { who, .. } => Some(who),
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) | Entry::Act(_) => None,
        }
    }

    /// Whether this tells of coming or going, which a quiet client leaves out.
    pub fn is_presence(&self) -> bool {
        matches!(
            self,
            Entry::Arrived { .. }
                | Entry::Left { .. }
                | Entry::ArrivedTogether(_)
                | Entry::LeftTogether(_)
        )
    }

    /// What it takes in memory, in bytes, with one encoding of it beside it; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let text = match self {
            Entry::Said(said) => said.text.as_str().len(),
            Entry::Left {
                words: Some(words), ..
            } => words.as_str().len(),
            Entry::Topic {
                text: Some(text), ..
            } => text.as_str().len(),
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) => 256,
            Entry::Act(act) => act.weight(),
            _ => 0,
        };
        let name = self.who().map_or(0, |who| who.name.as_str().len());
        size_of::<Entry>() + 2 * text + name
    }
}
