//! The authority with which acts are decided: of the operator, or of a person in a room.

use std::sync::Arc;

use super::event::Announcement;
use super::state::Ledger;
use crate::model::{Act, Author, By, Deed, Here, Keeping, Line, Name, PersonId, Reach, RoomName};
use crate::refusal::Refusal;

/// The authority of a person or the operator.
pub(crate) struct Authority {
    pub(crate) by: By,
    /// Its reach.
    pub(crate) reach: Reach,
    /// The name of the person who asks; none for the operator.
    pub(super) name: Option<Name>,
    pub(super) here: Here,
    /// Whether this person sits in the room that it is about.
    has_seat: bool,
}

impl Ledger {
    /// The reach of a person's authority. Only this function decides it: the operator and keepers
    /// of the server have authority everywhere, keepers of a room in that room. None of them needs
    /// a seat.
    pub(crate) fn authority(&self, asker: PersonId, here: &Here) -> Result<Authority, Refusal> {
        if *here == Here::Operator {
            let (here, name) = (here.clone(), None);
            let (by, reach) = (By::Operator, Reach::Server);
            return Ok(Authority { by, reach, name, here, has_seat: false });
        }
        let person = self.people.get(asker).ok_or(Refusal::NotThere)?;
        let has_seat = here.room().is_some_and(|room| person.sits_in(room));
        let of_server = Keeping { reach: Reach::Server, is_for_now: false };
        let keeping = match here.room() {
            Some(room) => self.may_keep(person, room),
            None => self.may_keep_server(person).then_some(of_server),
        };
        let Keeping { reach, is_for_now } =
            keeping.ok_or_else(|| match here.room().filter(|_| !has_seat) {
                Some(room) if self.may_see(person.subject(), room).is_err() => {
                    Refusal::NoRoom(room.clone())
                }
                Some(_) => Refusal::NotThere,
                None => Refusal::NotKeeper,
            })?;
        let by = if is_for_now { By::KeeperForNow } else { By::Keeper };
        let account = self.rules.account_that_keeps(&reach, person.subject());
        let account = account.or(person.account()).cloned();
        let (name, here) = (Some(person.name.clone()), here.clone());
        let by = by(Author { name: person.name.clone(), account, id: asker });
        Ok(Authority { by, reach, name, here, has_seat })
    }

    /// The connections with this name that have a seat in a room.
    pub(super) fn seated_as(&self, name: &Name, room: &RoomName) -> Result<Vec<PersonId>, Refusal> {
        let wearers = self.people.wearers(name);
        let there: Vec<_> = wearers.filter(|id| self.seated(*id, room).is_ok()).collect();
        match there.is_empty() {
            true => Err(self.elsewhere(name)),
            false => Ok(there),
        }
    }

    /// The refusal of an act on a person who is not in the room.
    pub(super) fn elsewhere(&self, name: &Name) -> Refusal {
        let is_shown = |room: &&RoomName| !self.rooms.rules(room).now.is_secret;
        let mut people = self.people.wearers(name).filter_map(|id| self.people.get(id));
        match people.find_map(|person| person.seats.iter().rfind(is_shown)) {
            Some(room) => Refusal::Elsewhere(name.clone(), room.clone()),
            None => Refusal::NobodyCalled(Line::sanitise(name.as_str().as_bytes())),
        }
    }
}

impl Authority {
    /// The room that it is about, if the person who asks sits there.
    pub(super) fn seat(&self) -> Option<&RoomName> {
        self.here.room().filter(|_| self.has_seat)
    }

    /// The reach of the acts that are decided with it: less than its own if they are to concern one
    /// room.
    pub(crate) fn reach_of_acts(&self) -> Reach {
        match &self.here {
            Here::RoomOnly(room) => Reach::Room(room.clone()),
            _ => self.reach.clone(),
        }
    }

    /// The reach of the keepers that a person names: the room, even if that person has authority
    /// everywhere. The operator names keepers of the server.
    pub(super) fn reach_of_keepers(&self) -> Result<Reach, Refusal> {
        match &self.here {
            Here::Operator => Ok(Reach::Server),
            Here::Server => Err(Refusal::NoSeat),
            Here::Room(room) | Here::RoomOnly(room) if *room == RoomName::lobby() => {
                Err(Refusal::LobbyKeepers)
            }
            Here::Room(room) | Here::RoomOnly(room) => Ok(Reach::Room(room.clone())),
        }
    }

    pub(super) fn is_of(&self, name: &Name) -> bool {
        self.name.as_ref().is_some_and(|own| own.is_same(name))
    }

    /// Only the person who asked for the act reads about it.
    pub(super) fn announce(&self, act: Act) -> Announcement {
        Announcement {
            act: Arc::new(act),
            people: Vec::new(),
            room: None,
            here: self.seat().cloned(),
            is_seen: false,
            rules_before: None,
        }
    }

    /// Everybody in the room that the act is about reads about it.
    pub(super) fn shown_here(&self, act: Act) -> Announcement {
        Announcement { room: self.here.room().cloned(), ..self.announce(act) }
    }
}

/// The first key of the name that was typed.
pub(super) fn key(deed: &Deed) -> String {
    let key = |name: &Name| name.keys()[0].to_owned();
    deed.whom.name().map_or_else(|| deed.whom.to_string(), key)
}

/// The name that was typed.
pub(super) fn typed(deed: &Deed) -> Line {
    Line::sanitise(deed.whom.to_string().as_bytes())
}
