//! Crowds: if many people come or go at once, the first few are announced one by one, the rest
//! together.
//!
//! Knows no clock and no log. The caller reports each arrival and departure, and learns how to
//! announce it.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Entry, Name, Telling, Together, Who};

/// People who come or go within this time are a crowd.
pub(crate) const CROWD_TIME: Duration = Duration::from_secs(1);

/// How many people of a crowd get a line each.
const TOLD_MAX: usize = 8;

/// How many people a summary of arrivals names.
const ARRIVED_NAMED: usize = 2;

/// How many people a summary of departures names.
const LEFT_NAMED: usize = 1;

/// The people who came and went in one room since the window opened.
///
/// A reader of the summaries, in their order, knows who is in the room, even if people who left
/// have come back, or others took their names.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// How many people came or went; 0 while the window is closed.
    count: usize,
    /// People whose departure was not announced, and whose arrival was.
    left: Folded,
    /// People whose arrival was not announced.
    arrived: Folded,
    /// The people in `arrived` who left again, also without an announcement.
    gone: Folded,
}

impl Crowd {
    /// Whether the next arrival or departure opens the window.
    pub(crate) fn is_closed(&self) -> bool {
        self.count == 0
    }

    /// A person comes.
    pub(crate) fn arrive(&mut self, who: &Who) -> Telling {
        let telling = self.count();
        if telling == Telling::Folded {
            self.drop_visit(&who.name);
            self.arrived.push(who);
        }
        telling
    }

    /// A person goes.
    pub(crate) fn leave(&mut self, who: &Who) -> Telling {
        let telling = self.count();
        if telling == Telling::Folded {
            let here = self.arrived.contains(&who.name);
            let list = if here { &mut self.gone } else { &mut self.left };
            list.push(who);
        }
        telling
    }

    /// Folds everybody who comes or goes in this window from now on.
    pub(crate) fn fold_from_now(&mut self) {
        self.count = self.count.max(TOLD_MAX);
    }

    fn count(&mut self) -> Telling {
        self.count += 1;
        if self.count <= TOLD_MAX { Telling::Told } else { Telling::Folded }
    }

    /// Whether somebody may be folded, which is rare.
    pub(crate) fn has_folded(&self) -> bool {
        self.count > TOLD_MAX
    }

    /// The entries that announce a folded arrival or departure, before others read the name.
    pub(crate) fn tell_first(&mut self, name: &Name) -> impl Iterator<Item = Entry> + use<> {
        self.drop_visit(name);
        let telling = Telling::Late;
        let left = self.left.remove(name).map(|who| Entry::Left {
            who: who.into(),
            words: None,
            removal: None,
            is_from_server: false,
            event: None,
            telling,
        });
        let arrived = self.arrived.remove(name);
        let arrived =
            arrived.map(|who| Entry::Arrived { who, is_keeper: false, event: None, telling });
        left.into_iter().chain(arrived)
    }

    /// Forgets a visit under this name if neither its beginning nor its end was announced.
    fn drop_visit(&mut self, name: &Name) {
        if self.gone.remove(name).is_some() {
            self.arrived.remove(name);
        }
    }

    /// Closes the window. Returns the summaries of the people who were folded.
    pub(crate) fn close(&mut self) -> impl Iterator<Item = Entry> + use<> {
        let crowd = std::mem::take(self);
        [
            crowd.left.together(LEFT_NAMED).map(Entry::LeftTogether),
            crowd.arrived.together(ARRIVED_NAMED).map(Entry::ArrivedTogether),
            crowd.gone.together(LEFT_NAMED).map(Entry::LeftTogether),
        ]
        .into_iter()
        .flatten()
    }
}

/// People in the order in which they came or went, found by name.
#[derive(Debug, Default)]
struct Folded {
    /// None if the person has been announced since.
    people: Vec<Option<Who>>,
    places: HashMap<Name, usize>,
}

impl Folded {
    fn push(&mut self, who: &Who) {
        self.places.insert(who.name.clone(), self.people.len());
        self.people.push(Some(who.clone()));
    }

    fn contains(&self, name: &Name) -> bool {
        self.places.contains_key(name)
    }

    fn remove(&mut self, name: &Name) -> Option<Who> {
        let place = self.places.remove(name)?;
        self.people.get_mut(place)?.take()
    }

    /// Names `named` of them, or one more if that is the last, because a name is as short as "and 1
    /// other".
    fn together(self, named: usize) -> Option<Together> {
        let mut people: Vec<_> = self.people.into_iter().flatten().map(|w| w.name).collect();
        let others = if people.len() > named + 1 { people.len() - named } else { 0 };
        people.truncate(people.len() - others);
        (!people.is_empty()).then_some(Together { named: people, others })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::{Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::model::PersonId;

    /// The `n`th connection, with the `name`th name.
    fn who(n: u64, name: usize) -> Who {
        Who::new(PersonId(n), Name::of_address(&format!(":{name}")))
    }

    fn names(together: &Together) -> Vec<&str> {
        together.named.iter().map(Name::as_str).collect()
    }

    /// A window in which eight people came and were announced.
    fn crowd() -> Crowd {
        let mut crowd = Crowd::default();
        for n in 0..8 {
            assert_eq!(crowd.arrive(&who(n, n as usize)), Telling::Told);
        }
        crowd
    }

    #[test]
    fn the_first_eight_are_announced_one_by_one_and_the_rest_are_counted() {
        let mut crowd = crowd();
        for n in 8..45 {
            assert_eq!(crowd.arrive(&who(n, n as usize)), Telling::Folded);
        }
        for n in 0..12 {
            assert_eq!(crowd.leave(&who(n, n as usize)), Telling::Folded);
        }
        let told: Vec<_> = crowd.close().collect();
        let [Entry::LeftTogether(left), Entry::ArrivedTogether(arrived), Entry::LeftTogether(gone)] =
            told.as_slice()
        else {
            panic!("{told:?}");
        };
        assert_eq!((names(left), left.others), (vec![":0"], 7));
        assert_eq!((names(arrived), arrived.others), (vec![":8", ":9"], 35));
        assert_eq!((names(gone), gone.others), (vec![":8"], 3));
        assert!(crowd.is_closed());
        assert_eq!(crowd.arrive(&who(99, 99)), Telling::Told);
    }

    #[test]
    fn one_other_person_is_named() {
        let mut crowd = crowd();
        for n in 8..11 {
            crowd.arrive(&who(n, n as usize));
        }
        let told: Vec<_> = crowd.close().collect();
        let [Entry::ArrivedTogether(arrived)] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!((names(arrived), arrived.others), (vec![":8", ":9", ":10"], 0));
    }

    #[test]
    fn a_person_who_speaks_is_announced_once() {
        let mut crowd = crowd();
        crowd.arrive(&who(8, 8));
        crowd.arrive(&who(9, 9));
        let telling = Telling::Late;
        let late = Entry::Arrived { who: who(8, 8), is_keeper: false, event: None, telling };
        assert_eq!(crowd.tell_first(&who(8, 8).name).collect::<Vec<_>>(), [late]);
        assert_eq!(crowd.tell_first(&who(8, 8).name).count(), 0);
        let told: Vec<_> = crowd.close().collect();
        assert!(
            matches!(told.as_slice(), [Entry::ArrivedTogether(arrived)] if names(arrived) == [":9"]),
            "{told:?}"
        );
    }

    #[test]
    fn people_who_come_back_at_once_are_here_in_the_end() {
        let mut crowd = crowd();
        for n in 0..8 {
            crowd.leave(&who(n, n as usize));
            crowd.arrive(&who(n + 100, n as usize));
        }
        let told: Vec<_> = crowd.close().collect();
        assert!(
            matches!(told.as_slice(), [Entry::LeftTogether(left), Entry::ArrivedTogether(arrived)]
                if left.len() == 8 && arrived.len() == 8),
            "{told:?}"
        );
    }

    #[test]
    fn a_name_that_changes_its_wearer_is_announced_before_it_is_heard() {
        let mut crowd = crowd();
        crowd.leave(&who(3, 3));
        crowd.arrive(&who(100, 3));
        let told: Vec<_> = crowd.tell_first(&who(100, 3).name).collect();
        assert!(
            matches!(told.as_slice(), [Entry::Left { who: before, .. }, Entry::Arrived { who: after, .. }]
                if before.id == PersonId(3) && after.id == PersonId(100)),
            "{told:?}"
        );
        assert_eq!(crowd.close().count(), 0);
    }

    /// An event in a crowd, for one of a few names.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        ComeOrGo(usize),
        Speak(usize),
        Close,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            20 => (0..12_usize).prop_map(Step::ComeOrGo),
            4 => (0..12_usize).prop_map(Step::Speak),
            1 => proptest::strategy::Just(Step::Close),
        ];
        vec(step, 0..200)
    }

    /// A reader of the named dialect, who follows its notices to know who is here.
    #[derive(Default)]
    struct Screen {
        named: HashSet<String>,
        unnamed: usize,
    }

    impl Screen {
        fn show(&mut self, entry: &Entry) {
            let folded = |telling: &Telling| *telling == Telling::Folded;
            match entry {
                Entry::Arrived { telling, .. } | Entry::Left { telling, .. } if folded(telling) => {
                }
                Entry::Arrived { who, .. } => self.come(who.name.as_str()),
                Entry::Left { who, .. } => self.go(who.name.as_str()),
                Entry::ArrivedTogether(people) => {
                    names(people).into_iter().for_each(|name| self.come(name));
                    self.unnamed += people.others;
                }
                Entry::LeftTogether(people) => {
                    names(people).into_iter().for_each(|name| self.go(name));
                    // Some of the people here have unknown names.
                    self.unnamed += self.named.len();
                    self.named.clear();
                    self.lose(people.others);
                }
                other => panic!("not of a crowd: {other:?}"),
            }
        }

        fn come(&mut self, name: &str) {
            assert!(self.named.insert(name.to_owned()), "{name} came twice");
        }

        /// This many people with unknown names leave.
        fn lose(&mut self, count: usize) {
            assert!(self.unnamed >= count, "more go than have come");
            self.unnamed -= count;
        }

        fn go(&mut self, name: &str) {
            if !self.named.remove(name) {
                self.lose(1);
            }
        }
    }

    proptest! {
        #[test]
        fn readers_of_the_summaries_know_everybody_who_is_here(steps in steps()) {
            let mut crowd = Crowd::default();
            let mut screen = Screen::default();
            let mut here: HashSet<usize> = HashSet::new();
            let mut connections = 0;
            for step in steps.into_iter().chain([Step::Close]) {
                connections += 1;
                match step {
                    Step::ComeOrGo(name) => {
                        let who = who(connections, name);
                        let entry = if here.remove(&name) {
                            let telling = crowd.leave(&who);
                            Entry::Left {
                                who: who.into(),
                                words: None,
                                removal: None,
                                is_from_server: true,
                                event: None,
                                telling,
                            }
                        } else {
                            here.insert(name);
                            let telling = crowd.arrive(&who);
                            Entry::Arrived { who, is_keeper: false, event: None, telling }
                        };
                        screen.show(&entry);
                    }
                    Step::Speak(name) if here.contains(&name) => {
                        let who = who(connections, name);
                        crowd.tell_first(&who.name).for_each(|entry| screen.show(&entry));
                        assert!(screen.named.contains(who.name.as_str()) || screen.unnamed > 0);
                    }
                    Step::Speak(_) => {}
                    Step::Close => {
                        crowd.close().for_each(|entry| screen.show(&entry));
                        prop_assert_eq!(screen.named.len() + screen.unnamed, here.len());
                    }
                }
            }
        }
    }
}
