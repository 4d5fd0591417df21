//! Ends a rule of a room that nobody there can end any more. Does not know why a keeper is gone.

use super::event::Happened;
use super::people::Person;
use super::state::Ledger;
use crate::model::{Act, By, Deed, PersonChange, RankChange, Reach, RoomName, Verb, WallTime};

impl Ledger {
    /// Lets everybody speak in a moderated room that has lost its last keeper, if the rule holds
    /// only as long as somebody sits there: otherwise these people could not speak any more. The
    /// results from number `first` on say which rooms have lost a person or a keeper.
    ///
    /// Other rules stay: the people in a closed room trust that it is closed.
    pub(super) fn end_unkept(&mut self, first: usize, at: WallTime, happened: &mut Vec<Happened>) {
        let events = happened.get(first..).unwrap_or_default();
        let rooms = events.iter().flat_map(|event| self.deserted(event));
        let mut unkept: Vec<_> = rooms.filter(|room| self.is_unkept(room)).cloned().collect();
        unkept.sort();
        unkept.dedup();
        for room in unkept {
            self.rooms.set_rules(&room, |rules| rules.now.is_moderated = false);
            let (deed, reach) = (Deed::to_all(Verb::Unmoderate, None), Reach::Room(room));
            happened.push(Happened::RuleEnded(Act { deed, by: By::NoKeeper, reach, at }.into()));
        }
    }

    /// Whether a room is moderated for the time being, and no keeper is there.
    fn is_unkept(&self, room: &RoomName) -> bool {
        let rules = self.rooms.rules(room);
        if !rules.now.is_moderated || rules.lasting.is_moderated {
            return false;
        }
        let keeps = |person: &Person| self.may_keep(person, room).is_some();
        let is_back = |heir| self.people.get(heir).is_some_and(keeps);
        let mut seated = self.people.iter().filter(|(_, person)| person.sits_in(room));
        let mut absent = self.absent.iter().filter(|absent| absent.room == *room);
        !seated.any(|(_, person)| keeps(person)) && !absent.any(|absent| is_back(absent.heir))
    }

    /// The rooms in which somebody is no longer, or perhaps no longer a keeper. A keeper of the
    /// server keeps all rooms.
    fn deserted<'a>(&'a self, event: &'a Happened) -> Vec<&'a RoomName> {
        match event {
            Happened::Left { parting, .. } => vec![&parting.room],
            Happened::LeftServer { rooms, .. } => {
                rooms.iter().map(|parting| &parting.room).collect()
            }
            Happened::Ranked { room, change: RankChange::Keeper(false), .. } => vec![room],
            Happened::Act(announcement) if announcement.act.deed.verb == Verb::RemoveKeeper => {
                match announcement.act.reach.room() {
                    Some(room) => vec![room],
                    None => self.rooms.with_rules().collect(),
                }
            }
            Happened::NameLost { .. }
            | Happened::ServerRanked { is_keeper: false, .. }
            | Happened::PersonChanged {
                change: PersonChange::Account { before: Some(_) }, ..
            } => self.rooms.with_rules().collect(),
            Happened::BootEnded { people, .. } => {
                people.values().flat_map(|exile| &exile.person.seats).collect()
            }
            _ => Vec::new(),
        }
    }
}
