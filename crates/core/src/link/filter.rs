//! The filter of one person: it hides lines of ignored people, arrivals and departures. Knows no
//! bytes.

use crate::model::{Entry, Name, PersonId, Who, fold};

/// Hides entries from one person.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The person who reads.
    me: PersonId,
    quiet: bool,
    /// Whether the reader's own lines are hidden too.
    hides_own: bool,
    /// Each ignored person, with the name seen last; usually empty.
    ignored: Vec<Who>,
}

/// The number of people that one person can ignore; the list is searched for every line.
const IGNORED_MAX: usize = 100;

impl Filter {
    pub(crate) fn new(me: PersonId) -> Filter {
        Filter { me, quiet: false, hides_own: false, ignored: Vec::new() }
    }

    /// Whether each entry has to be checked. Without a filter, the only hidden entry is the
    /// reader's own rename.
    pub(crate) fn is_active(&self) -> bool {
        self.quiet || self.hides_own || !self.ignored.is_empty()
    }

    pub(crate) fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    pub(crate) fn set_echo(&mut self, echo: bool) {
        self.hides_own = !echo;
    }

    /// Hides this person's lines from now on.
    pub(crate) fn ignore(&mut self, who: &Who) {
        self.ignored.retain(|ignored| ignored.id != who.id);
        self.ignored.truncate(IGNORED_MAX - 1);
        self.ignored.push(who.clone());
    }

    /// Shows the lines of the person with this name from now on. None if nobody with this name is
    /// ignored.
    pub(crate) fn unignore(&mut self, typed: &str) -> Option<Name> {
        let key = fold(typed);
        let index = self.ignored.iter().position(|who| who.name.keys()[0] == key)?;
        Some(self.ignored.swap_remove(index).name)
    }

    /// Whether `who` is ignored: the same person, or the same name after that person has returned.
    pub(crate) fn ignores(&self, who: &Who) -> bool {
        self.ignored.iter().any(|ignored| ignored.id == who.id || ignored.name.is_same(&who.name))
    }

    /// Whether an entry is shown. Call this in the order of the entries: the filter follows ignored
    /// people through their renames.
    pub(crate) fn shows(&mut self, entry: &Entry) -> bool {
        match entry {
            Entry::Renamed { who, .. } if who.id == self.me => return false, // told as an answer
            Entry::Renamed { who, .. } => self.follow(who),
            Entry::Said(said) if self.hides_own && said.who.id == self.me => return false,
            _ => {}
        }
        let is_speech = match entry {
            // A topic and last words are typed too. A rename is shown: otherwise nobody could
            // unignore the new name.
            Entry::Said(_) | Entry::Topic { .. } => true,
            Entry::Left { words, .. } => words.is_some(),
            _ => false,
        };
        match entry.who() {
            Some(who) if is_speech && self.ignores(who) => false,
            _ => !(self.quiet && entry.is_presence()),
        }
    }

    fn follow(&mut self, renamed: &Who) {
        if let Some(ignored) = self.ignored.iter_mut().find(|ignored| ignored.id == renamed.id) {
            ignored.name = renamed.name.clone();
        }
    }
}
