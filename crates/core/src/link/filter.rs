//! The filter of one person: it hides lines of ignored people, arrivals and departures. Knows no
//! bytes.

use crate::log::Batch;
use crate::model::{Entry, Name, PersonId, Who, fold};

/// Hides entries from one person.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The person who reads.
    me: PersonId,
    quiet: bool,
    /// Whether the reader has chosen not to read their own lines.
    hides_own: bool,
    /// Whether the dialect shows the reader's own lines and deeds in its own way.
    tells_own: bool,
    /// Usually empty.
    ignored: Vec<Ignored>,
}

/// An ignored person.
#[derive(Debug)]
struct Ignored {
    /// None if they are ignored by a name alone, which an owner has kept with another connection.
    id: Option<PersonId>,
    /// The name seen last.
    name: Name,
}

/// The way in which a person reads an entry.
#[derive(Debug)]
pub(crate) enum Sight<'a> {
    /// As everybody does.
    Shared,
    /// As their own line or deed.
    Own(&'a Entry),
    /// Not at all, or only what a program needs.
    Hidden,
}

/// The number of people that one person can ignore; the list is searched for every line.
const IGNORED_MAX: usize = 100;

impl Filter {
    pub(crate) fn new(me: PersonId) -> Filter {
        Filter { me, quiet: false, hides_own: false, tells_own: false, ignored: Vec::new() }
    }

    /// Whether the filter must check every entry.
    pub(crate) fn is_active(&self) -> bool {
        self.quiet || !self.ignored.is_empty()
    }

    /// Whether the entries of this batch have to be checked. Even without a filter, the reader does
    /// not see their own rename or invitation.
    #[inline]
    pub(crate) fn concerns(&self, batch: &Batch) -> bool {
        let has_own = (self.hides_own || self.tells_own) && batch.may_have_deeds_of(self.me);
        self.is_active() || has_own || batch.may_have_answers_of(self.me)
    }

    pub(crate) fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    pub(crate) fn set_echo(&mut self, echo: bool) {
        self.hides_own = !echo;
    }

    /// Whether the dialect shows the reader's own entries as everybody reads them, from now on.
    pub(crate) fn show_own(&mut self, shows: bool) {
        self.tells_own = !shows;
    }

    /// Hides this person's lines from now on.
    pub(crate) fn ignore(&mut self, who: &Who) {
        self.ignored.retain(|ignored| ignored.id != Some(who.id));
        self.add(Ignored { id: Some(who.id), name: who.name.clone() });
    }

    fn add(&mut self, ignored: Ignored) {
        self.ignored.truncate(IGNORED_MAX - 1);
        self.ignored.push(ignored);
    }

    /// Shows the lines of the person with this name from now on. None if nobody with this name is
    /// ignored.
    pub(crate) fn unignore(&mut self, typed: &str) -> Option<Name> {
        let key = fold(typed);
        let index = self.ignored.iter().position(|ignored| ignored.name.keys()[0] == key)?;
        Some(self.ignored.swap_remove(index).name)
    }

    /// Whether `who` is ignored: the same person, or the same name after that person has returned.
    pub(crate) fn ignores(&self, who: &Who) -> bool {
        let is_it = |it: &Ignored| it.id == Some(who.id) || it.name.is_same(&who.name);
        self.ignored.iter().any(is_it)
    }

    /// The way in which the reader sees an entry. Call this in the order of the entries: the filter
    /// follows ignored people through their renames.
    pub(crate) fn sight<'a>(&mut self, entry: &'a Entry) -> Sight<'a> {
        match entry {
            // Told as an answer.
            Entry::Renamed { who, .. }
            | Entry::Changed { who, .. }
            | Entry::Invited { who, .. }
                if who.id == self.me =>
            {
                Sight::Hidden
            }
            own if own.author() == Some(self.me) => match own {
                Entry::Said(_) if self.hides_own => Sight::Hidden,
                _ if self.tells_own => Sight::Own(own),
                _ => Sight::Shared,
            },
            others if self.shows(others) => Sight::Shared,
            _ => Sight::Hidden,
        }
    }

    /// Whether an entry about others is shown.
    pub(crate) fn shows(&mut self, entry: &Entry) -> bool {
        if let Entry::Renamed { who, seen, .. } = entry {
            self.follow(who, seen.old_name_stays);
        }
        let is_speech = match entry {
            // A topic and last words are typed too. A rename is shown: otherwise nobody could
            // unignore the new name.
            Entry::Said(_) | Entry::Signal { .. } | Entry::Topic { .. } | Entry::Invited { .. } => {
                true
            }
            Entry::Left { words, .. } => words.is_some(),
            _ => false,
        };
        match entry.who() {
            Some(who) if is_speech && self.ignores(who) => false,
            _ => !(self.quiet && entry.is_presence()),
        }
    }

    /// Follows an ignored person to a new name. If another connection of the owner keeps the old one,
    /// both are ignored.
    fn follow(&mut self, renamed: &Who, old_name_stays: bool) {
        let mut ignored = self.ignored.iter_mut();
        let Some(ignored) = ignored.find(|ignored| ignored.id == Some(renamed.id)) else {
            return;
        };
        let old = std::mem::replace(&mut ignored.name, renamed.name.clone());
        if old_name_stays && !old.is_same(&renamed.name) {
            self.add(Ignored { id: None, name: old });
        }
    }
}
