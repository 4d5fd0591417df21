//! Crowds: when many come or go at once, the first are told one by one, the rest together.
//!
//! Knows no clock and no log: it is told of everybody who comes and goes, and says how to tell it.

use std::collections::HashSet;
use std::time::Duration;

use crate::entry::{Entry, PersonId, Telling, Together, Who};
use crate::name::Name;

/// Those who come or go within this time are a crowd.
pub(crate) const CROWD_TIME: Duration = Duration::from_secs(1);

/// So many of a crowd are told at once, one line each.
const TOLD_MAX: usize = 8;

/// A summary names the first two who came.
const ARRIVED_NAMED: usize = 2;

/// A summary names the first one who left.
const LEFT_NAMED: usize = 1;

/// Those who came and went in one room since the window opened.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// How many came or went; 0 while the window is closed.
    count: usize,
    arrived: Vec<Who>,
    /// Those of `arrived` of whom nobody has been told yet.
    untold: HashSet<PersonId>,
    left: Vec<Name>,
}

impl Crowd {
    /// Whether the next to come or go opens the window.
    pub(crate) fn is_closed(&self) -> bool {
        self.count == 0
    }

    /// Somebody comes.
    pub(crate) fn arrive(&mut self, who: &Who) -> Telling {
        let telling = self.count();
        if telling == Telling::Folded {
            self.arrived.push(who.clone());
            self.untold.insert(who.id);
        }
        telling
    }

    /// Somebody goes.
    pub(crate) fn leave(&mut self, who: &Who) -> Telling {
        let telling = self.count();
        if telling == Telling::Folded {
            self.left.push(who.name.clone());
        }
        telling
    }

    fn count(&mut self) -> Telling {
        self.count += 1;
        if self.count <= TOLD_MAX {
            Telling::Told
        } else {
            Telling::Folded
        }
    }

    /// Somebody is about to be heard: whether that arrival has yet to be told.
    pub(crate) fn tell_first(&mut self, person: PersonId) -> bool {
        !self.untold.is_empty() && self.untold.remove(&person)
    }

    /// The window closes: the summaries of those who were folded.
    pub(crate) fn close(&mut self) -> impl Iterator<Item = Entry> + use<> {
        let crowd = std::mem::take(self);
        let arrived = crowd
            .arrived
            .into_iter()
            .filter(|who| crowd.untold.contains(&who.id));
        let arrived = together(arrived.map(|who| who.name).collect(), ARRIVED_NAMED);
        let left = together(crowd.left, LEFT_NAMED);
        [
            arrived.map(Entry::ArrivedTogether),
            left.map(Entry::LeftTogether),
        ]
        .into_iter()
        .flatten()
    }
}

/// Names `named` of them; one more is named too, being no longer than "and 1 other".
fn together(mut people: Vec<Name>, named: usize) -> Option<Together> {
    let others = if people.len() > named + 1 {
        people.len() - named
    } else {
        0
    };
    people.truncate(people.len() - others);
    (!people.is_empty()).then_some(Together {
        named: people,
        others,
    })
}
