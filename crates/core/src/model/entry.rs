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
    /// A person arrived.
    Arrived {
        /// The person.
        who: Who,
        /// Whether this entry is announced or folded into a summary.
        telling: Telling,
    },
    /// A person left.
    Left {
        /// The person.
        who: Who,
        /// The last words, from `/quit`.
        words: Option<Line>,
        /// The act that removed the person, if one did.
        removal: Option<Arc<Act>>,
        /// Whether this entry is announced or folded into a summary.
        telling: Telling,
    },
    /// The summary of arrivals that were folded and not announced since.
    ArrivedTogether(Together),
    /// The summary of departures that were folded.
    LeftTogether(Together),
    /// A person took another name.
    Renamed {
        /// The person, under the new name.
        who: Who,
        /// The old name.
        from: Name,
        /// Whether another connection of the name's owner still has the old name in the room.
        is_still_worn: bool,
    },
    /// The owner of a name deleted the earlier lines under it.
    LinesDeleted {
        /// The person who did it.
        who: Who,
    },
    /// A person set or cleared the topic.
    Topic {
        /// The person who did it.
        who: Who,
        /// The new topic; none when it was cleared.
        text: Option<Line>,
    },
    /// An act of a keeper or the operator.
    Act(Arc<Act>),
}

/// A line that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The line's number in its room: dense, from 1.
    pub seq: u64,
    /// When it was said; times never decrease in a room.
    pub at: WallTime,
    /// The author.
    pub who: Who,
    /// Whether it is a line or an action.
    pub manner: Manner,
    /// The words.
    pub text: Line,
}

impl Said {
    /// The same line without its words: only its number and time remain.
    pub(crate) fn without_words(&self) -> Said {
        Said { manner: Manner::Gone, text: Line::sanitise(b""), ..self.clone() }
    }

    /// Whether it still has its words.
    pub fn has_words(&self) -> bool {
        self.manner != Manner::Gone
    }

    /// Its size in memory, in bytes; an estimate.
    pub fn weight(&self) -> usize {
        size_of::<Said>() + self.who.name.as_str().len() + self.text.len()
    }
}

/// Whether an arrival or departure is announced by its own entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// This entry announces it, at once.
    Told,
    /// A summary announces it later, because many people come or go at once.
    Folded,
    /// This entry announces it, after a folded one, because the name appears before the summary is
    /// due. The person came or went with the folded entry, not with this one.
    Late,
    /// Nothing announces it: another connection of the owner has the name here.
    Untold,
}

/// Several people; the first few are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The first of them.
    pub named: Vec<Name>,
    /// The number of others.
    pub others: usize,
}

impl Together {
    /// The number of people.
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
    pub(crate) fn is_presence(&self) -> bool {
        matches!(
            self,
            Entry::Arrived { .. }
                | Entry::Left { .. }
                | Entry::ArrivedTogether(_)
                | Entry::LeftTogether(_)
        )
    }

    /// Its size in memory with one encoding of it, in bytes; an estimate.
    pub(crate) fn weight(&self) -> usize {
        let text = match self {
            Entry::Said(said) => said.text.as_str().len(),
            Entry::Left { words: Some(words), .. } => words.as_str().len(),
            Entry::Topic { text: Some(text), .. } => text.as_str().len(),
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) => 256,
            Entry::Act(act) => act.weight(),
            _ => 0,
        };
        let name = self.who().map_or(0, |who| who.name.as_str().len());
        size_of::<Entry>() + 2 * text + name
    }
}
