//! The size of entries in memory, by which logs are limited. Knows no log.

use super::entry::{Entry, PersonChange};
use super::name::Name;

impl Entry {
    /// Its size in memory with one encoding of it, in bytes; an estimate. A line shares its author
    /// with other lines; what else belongs to a person may outlast them only here.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Entry>() + 2 * self.text_bytes() + self.bytes_beside()
    }

    /// The bytes of its text, which an encoding has, too.
    fn text_bytes(&self) -> usize {
        match self {
            Entry::Said(said) => said.text.len() + said.extras_weight(),
            Entry::Signal { extras, .. } => extras.weight(),
            Entry::Left { words: Some(words), .. } => words.len(),
            Entry::Left { removal: Some(act), .. } => act.weight(),
            Entry::Topic { text: Some(text), .. } => text.len(),
            Entry::ArrivedTogether(_) | Entry::LeftTogether(_) => 256,
            Entry::Act(act) => act.weight(),
            Entry::Changed { change: PersonChange::Away(Some(text)), .. } => text.len(),
            Entry::Changed { who, change: PersonChange::Realname, .. } => {
                who.profile.as_ref().map_or(0, |profile| profile.weight())
            }
            _ => 0,
        }
    }

    /// The bytes of names and of the event that it is about.
    fn bytes_beside(&self) -> usize {
        let name = self.who().map(|who| &who.name);
        let shown = name.map_or(0, |name| name.as_str().len());
        let whole = name.map_or(0, Name::weight);
        let event = self.event().map_or(0, |event| event.weight());
        match self {
            Entry::Arrived { .. } | Entry::Left { .. } | Entry::Changed { .. } => whole + event,
            Entry::Renamed { from, .. } => whole + from.weight() + event,
            Entry::Invited { to, .. } => shown + to.weight(),
            _ => shown,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{
        Act, By, Deed, Line, PersonEvent, PersonId, Profile, Renaming, RoomId, Telling, Verb,
        WallTime, Who, Whom,
    };

    const ROOMS: u64 = 100;

    fn line(bytes: usize) -> Line {
        Line::sanitise("x".repeat(bytes).as_bytes())
    }

    fn who(name: &str) -> Arc<Who> {
        Who::new(PersonId::new(1), Name::parse(name).unwrap()).into()
    }

    /// An event in this many rooms.
    fn event(rooms: u64) -> Arc<PersonEvent> {
        PersonEvent::new(1, (0..rooms).map(RoomId), []).into()
    }

    fn renamed(name: &str, event: Arc<PersonEvent>) -> usize {
        let (from, seen) = (Name::parse("alice").unwrap(), Renaming::default());
        Entry::Renamed { who: who(name), from, seen, event }.weight()
    }

    #[test]
    fn a_new_name_weighs_with_its_keys_and_the_rooms_of_the_event() {
        let list = ROOMS as usize * size_of::<(RoomId, u64)>();
        assert!(renamed("bob", event(ROOMS)) >= renamed("bob", event(0)) + list);
        let long = "Nebukadnezar-von-Babylon";
        let keys = Name::parse(long).unwrap().keys().map(str::len).iter().sum::<usize>();
        assert!(renamed(long, event(1)) >= renamed("b", event(1)) + long.len() + keys - 3);
    }

    #[test]
    fn a_description_of_a_person_weighs() {
        let changed = |who, change| Entry::Changed { who, change, event: event(1) }.weight();
        let away = |bytes| changed(who("bob"), PersonChange::Away(Some(line(bytes))));
        assert!(away(390) >= away(0) + 2 * 390, "the text, and its bytes in an encoding");
        let realname = |bytes| {
            let texts = [line(0), line(bytes), line(0)];
            let profile = Some(Profile::new(texts, false).into());
            let who = Who { profile, ..Who::clone(&who("bob")) };
            changed(who.into(), PersonChange::Realname)
        };
        assert!(realname(390) >= realname(0) + 2 * 390);
    }

    #[test]
    fn a_removal_weighs_with_its_reason() {
        let left = |bytes| {
            let deed = Deed { text: Some(line(bytes)), ..Deed::to(Verb::Kick, Whom::Everybody) };
            let removal = Some(Arc::new(Act::by(By::Operator, deed, WallTime(0)).into()));
            let (who, event) = (who("bob"), Some(event(1)));
            let (words, telling, is_from_server) = (None, Telling::Told, false);
            Entry::Left { who, words, removal, is_from_server, event, telling }.weight()
        };
        assert!(left(390) >= left(0) + 2 * 390);
    }
}
