//! Watching names: a client is told when somebody with such a name comes and goes. Knows no room.

use super::sighting::Sighting;
use crate::model::Line;

/// The largest number of names that one client watches.
pub const WATCHED_MAX: usize = 100;

/// A request of a client about the names that it watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchRequest {
    /// Watches these names, too, as typed.
    Add(Vec<Line>),
    /// Watches these names no longer.
    Remove(Vec<Line>),
    /// Watches no name.
    Clear,
    /// Asks which names it watches.
    List,
    /// Asks who of them is here.
    Status,
}

/// The answer to such a request.
#[derive(Clone, Debug)]
pub enum Watched {
    /// There is nothing to tell.
    Done,
    /// The names, as they were typed.
    Names(Vec<Line>),
    /// The people who have some of the names, and the names for which there was no space.
    Status {
        /// The people.
        people: Vec<Sighting>,
        /// The names that are not watched.
        excess: Vec<Line>,
    },
}

impl Watched {
    /// Its size in memory beside the value itself, in bytes; an estimate.
    pub(super) fn weight(&self) -> usize {
        let lines = |lines: &[Line]| lines.iter().map(|line| size_of::<Line>() + line.len()).sum();
        match self {
            Watched::Done => 0,
            Watched::Names(names) => lines(names),
            Watched::Status { people, excess } => {
                let excess: usize = lines(excess);
                excess + people.iter().map(Sighting::weight).sum::<usize>()
            }
        }
    }
}
