//! Entries: everything that happens in a room, in the order in which it happened. Knows no bytes.

use std::sync::Arc;

use super::act::Act;
use super::line::Line;
use super::name::Name;
use super::time::WallTime;
use super::who::{Manner, Who};

/// One entry of a room's log.
///
/// Only [`Entry::Said`] has a number, and is replayed, counted as skipped and stored; the others
/// stand between two numbers, in order with everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A person said something.
    Said(Said),
    /// A person came.
    Arrived {
        /// Who came.
        who: Who,
        /// Whether this entry is told or folded into a summary.
        telling: Telling,
    },
    /// A person went.
    Left {
        /// Who went.
        who: Who,
        /// The words behind `/quit`.
        words: Option<Line>,
        /// The act that removed the person, if one did.
        removal: Option<Arc<Act>>,
        /// Whether this entry is told or folded into a summary.
        telling: Telling,
    },
    /// The summary of arrivals that were folded and not told since.
    ArrivedTogether(Together),
    /// The summary of departures that were folded.
    LeftTogether(Together),
    /// A person took another name.
    Renamed {
        /// The person, under the new name.
        who: Who,
        /// The name worn until now.
        from: Name,
        /// Whether another connection of its owner wears the old name in the room.
        is_still_worn: bool,
    },
    /// The owner of a name deleted what was said under it before.
    LinesDeleted {
        /// Who did.
        who: Who,
    },
    /// A person set or cleared the topic.
    Topic {
        /// Who did.
        who: Who,
        /// The new topic; none when it was cleared.
        text: Option<Line>,
    },
    /// A keeper or the operator did something.
    Act(Arc<Act>),
}

/// A line, as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The line's number in its room: dense, from 1.
    pub seq: u64,
    /// When it was said; times never decrease in a room.
    pub at: WallTime,
    /// Who said it.
    pub who: Who,
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
}

impl Said {
    /// The same line without its words: only its number is left.
    pub(crate) fn without_words(&self) -> Said {
        Said {
            manner: Manner::Gone,
            text: Line::sanitise(b""),
            ..self.clone()
        }
    }

    /// Whether its words are not deleted.
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
    /// This entry tells of it, at once.
    Told,
    /// A summary tells of it later, because many people come or go at once.
    Folded,
    /// This entry tells of it, after a folded one: the name is heard before the summary is due. The
    /// person came or went with the folded entry, not with this one.
    Late,
    /// Nothing tells of it: another connection of the owner wears the name here.
    Untold,
}

/// Several people; the first few are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The first of them.
    pub named: Vec<Name>,
    /// How many others there are.
    pub others: usize,
}

impl Together {
    /// How many people these are.
    pub fn len(&self) -> usize {
        self.named.len() + self.others
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Entry {
    /// The person who did this; none for a summary.
    pub fn who(&self) -> Option<&Who> {
        match self {
            Entry::Said(Said { who, .. })
            | Entry::Arrived { who, .. }
            | Entry::Left { who, .. }
            | Entry::Renamed { who, .. }
            | Entry::LinesDeleted { who }
            | Entry::Topic { who, .. } => Some(who),
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) | Entry::Act(_) => None,
        }
    }

    /// Whether this is an arrival or a departure, which a quiet client hides.
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
