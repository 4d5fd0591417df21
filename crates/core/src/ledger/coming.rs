//! Coming and leaving: seats, and those of people who come back on another connection.

use std::sync::Arc;

use super::event::{Happened, Parting};
use super::state::{Absent, Ledger};
use crate::intent::Stamp;
use crate::model::{
    Act, Author, By, Claim, Deed, Line, Looks, Name, PersonChange, PersonId, Profile, Reach,
    RoomName, Verb, WallTime, Who,
};
use crate::refusal::Refusal;

impl Ledger {
    /// A person comes to the server.
    pub(super) fn come(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        profile: Option<Arc<Profile>>,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_come(id, None, (&claim, &looks), None, at)?;
        self.add_person(id, (claim, looks), (profile, None), boot, happened);
        happened.extend(self.people.who(id).map(Happened::Came));
        Ok(())
    }

    /// Adds a person, who may be away.
    pub(super) fn add_person(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        (profile, away): (Option<Arc<Profile>>, Option<Line>),
        boot: u32,
        happened: &mut Vec<Happened>,
    ) {
        let companion = self.companion(id, &claim.name);
        self.people.enter(id, (claim, looks), profile, boot);
        if let Some(person) = self.people.get_mut(id) {
            person.away = away;
        }
        self.tell_companion(companion, happened);
    }

    /// A person comes to the server, into a first room.
    pub(super) fn enter(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        profile: Option<Arc<Profile>>,
        room: RoomName,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        self.may_come(id, None, (&claim, &looks), Some(&room), at)?;
        self.may_come_to(id, None, &claim, (&room, None))?;
        self.add_person(id, (claim, looks), (profile, None), boot, happened);
        happened.extend(self.people.who(id).map(Happened::Came));
        self.take_seat(id, room, at, happened);
        Ok(())
    }

    /// A person takes another seat, with this password of the room or none.
    pub(super) fn join(
        &mut self,
        id: PersonId,
        room: RoomName,
        password: Option<&Line>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        self.may_be_in(person.subject(), &room, at)?; // a ban is told first
        self.may_pass(id, person.subject(), &room, password)?;
        self.sit_down(id, room, at, happened)
    }

    /// A person takes another seat, whatever the rules of the room are.
    pub(super) fn sit_down(
        &mut self,
        id: PersonId,
        room: RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        if person.sits_in(&room) {
            return Err(Refusal::AlreadyIn(room));
        }
        self.may_join(id, person.subject(), &room, at)?;
        self.take_seat(id, room, at, happened);
        Ok(())
    }

    pub(super) fn take_seat(
        &mut self,
        id: PersonId,
        room: RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        let who = person.who(id);
        // A room is not new for a person who comes back to it.
        let is_known = self.rooms.is_known(&room);
        self.make_room(who.account.as_ref(), &room, at, happened);
        self.rooms.add_seat(&room); // first: the room must not end with the absent seat
        let is_back = self.is_back_in(id, &room, happened);
        let is_untold = is_back || self.people.is_accompanied(id, &room);
        if let Some(person) = self.people.get_mut(id) {
            person.seats.push(room.clone());
        }
        if !self.rooms.rules(&room).invited.is_empty() {
            let account = who.account.as_ref();
            self.rooms.set_rules(&room, |rules| rules.come(id, account));
        }
        if !is_known {
            self.keep_new_room(id, &room);
        }
        self.share_ranks(id, &room);
        let person = self.people.get(id);
        let is_keeper = person.is_some_and(|person| self.may_keep(person, &room).is_some());
        let away = self.people.away(id).filter(|_| !is_untold).cloned();
        let told = (room.clone(), who.clone());
        let event = self.next_event();
        happened.push(Happened::Arrived { event, room, who, is_keeper, is_untold });
        if away.is_some() {
            let ((room, who), event) = (told, self.next_event());
            let (change, rooms) = (PersonChange::Away(away), vec![room]);
            happened.push(Happened::PersonChanged { event, who, change, rooms });
        }
    }

    /// A person who is the first in a new room keeps it for the time being, if nobody keeps it.
    fn keep_new_room(&mut self, id: PersonId, room: &RoomName) {
        let is_kept = !self.rules.keepers(&Reach::Room(room.clone())).is_empty();
        if !is_kept && *room != RoomName::lobby() {
            self.people.keep_for_now(id, room);
        }
    }

    /// The first person in a new room becomes its keeper, if that person is logged in to an account.
    pub(super) fn make_room(
        &mut self,
        account: Option<&Name>,
        room: &RoomName,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let is_new = self.rooms.is_new(room) && *room != RoomName::lobby();
        if let Some(name) = account.filter(|_| is_new)
            && self.rules.make_room(room, name)
        {
            let deed = Deed::to_all(Verb::MakeRoom, None);
            let by = By::Keeper(Author::owner(name.clone()));
            let reach = Reach::Room(room.clone());
            happened.push(Happened::RoomMade(Arc::new(Act { deed, by, reach, at })));
        }
    }

    /// A connection gives up a seat. It may have lost the seat before, because an act removed the
    /// person.
    pub(super) fn leave(
        &mut self,
        id: PersonId,
        room: RoomName,
        words: Option<Line>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        if let Some((who, parting)) = self.part(id, room, words, at) {
            let event = self.next_event();
            happened.push(Happened::Left { event, who, parting, removal: None });
        }
    }

    /// A person leaves all rooms and the server, and gives up seats that they have not taken again
    /// yet.
    pub(super) fn leave_server(
        &mut self,
        id: PersonId,
        (words, removal): (Option<Line>, Option<Arc<Act>>),
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let Some((who, seats)) = self.people.who(id).zip(self.seats_within(id, &Reach::Server))
        else {
            return;
        };
        let parted = seats.into_iter().filter_map(|room| self.part(id, room, words.clone(), at));
        let rooms = parted.map(|(_, parting)| parting).collect();
        let companion = self.companion(id, &who.name);
        self.people.leave(id);
        let event = self.next_event();
        let (stays, removed) = (self.people.wearer(&who.name), removal.clone());
        let left = Happened::LeftServer { event, who, rooms, removal: removed, companion: stays };
        happened.push(left);
        self.tell_companion(companion, happened);
        self.give_up_absent(|heir, _| heir == id, removal.as_ref(), happened);
    }

    /// Removes people from the reach of an act, also from seats that they have not taken again yet.
    pub(super) fn remove(
        &mut self,
        people: &[PersonId],
        act: &Arc<Act>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        for &id in people {
            let removal = Some(Arc::clone(act));
            let Reach::Room(room) = &act.reach else {
                self.leave_server(id, (None, removal), at, happened);
                continue;
            };
            if let Some((who, parting)) = self.part(id, room.clone(), None, at) {
                let event = self.next_event();
                happened.push(Happened::Left { event, who, parting, removal });
            }
            self.give_up_absent(|heir, of| heir == id && of == room, Some(act), happened);
        }
    }

    /// Frees a person's seat. None if the person has no seat in the room.
    fn part(
        &mut self,
        id: PersonId,
        room: RoomName,
        words: Option<Line>,
        at: WallTime,
    ) -> Option<(Who, Parting)> {
        let person = self.people.get(id)?;
        let who = person.who(id);
        let words = words.filter(|_| self.may_say(Some(person), &who, &room, at).is_ok());
        let person = self.people.get_mut(id).filter(|person| person.sits_in(&room))?;
        person.seats.retain(|seat| *seat != room);
        person.lose_ranks(&room);
        self.free_seat(&room);
        let is_untold = self.people.is_worn_in(&who.name, &room);
        Some((who, Parting { room, words, is_untold }))
    }

    /// Frees a seat. With the last one ends what holds in the room for the time being.
    fn free_seat(&mut self, room: &RoomName) {
        if self.rooms.remove_seat(room) {
            self.rules.end_for_now(room);
        }
    }

    /// The seats that a person has within reach.
    pub(super) fn seats_within(&self, id: PersonId, reach: &Reach) -> Option<Vec<RoomName>> {
        let seats = self.people.get(id)?.seats.iter();
        Some(seats.filter(|room| reach.has(room)).cloned().collect())
    }

    /// Whether a person came back on this connection, and has not taken a seat again within reach.
    pub(super) fn is_absent_within(&self, heir: PersonId, reach: &Reach) -> bool {
        self.absent.iter().any(|absent| absent.heir == heir && reach.has(&absent.room))
    }

    /// Ends a connection whose person comes back on another one. The new connection gets the same
    /// seats in a moment, so the others are told nothing.
    pub(super) fn move_seats(
        &mut self,
        from: PersonId,
        heir: PersonId,
        happened: &mut Vec<Happened>,
    ) {
        let Some(who) = self.people.who(from) else {
            return;
        };
        let person = self.people.get_mut(from);
        let seats = person.map(|person| std::mem::take(&mut person.seats)).unwrap_or_default();
        self.people.leave(from);
        for absent in self.absent.iter_mut().filter(|absent| absent.heir == from) {
            absent.heir = heir;
        }
        let absent = |room: RoomName| Absent { who: who.clone(), heir, room };
        self.absent.extend(seats.into_iter().map(absent));
        let absent = self.absent.iter().filter(|absent| absent.heir == heir);
        let rooms = absent.map(|absent| absent.room.clone()).collect();
        happened.push(Happened::Moved { who, heir, rooms });
    }

    /// Takes the seat again that this person had a moment ago on another connection. Returns
    /// whether there was one. If so, no departure is announced.
    fn is_back_in(
        &mut self,
        heir: PersonId,
        room: &RoomName,
        happened: &mut Vec<Happened>,
    ) -> bool {
        let mut absent = self.absent.iter();
        let place = absent.position(|absent| absent.heir == heir && absent.room == *room);
        let absent = place.map(|place| self.absent.remove(place));
        let is_back = absent.is_some();
        if let Some(absent) = absent {
            self.depart_absent(absent, true, None, happened);
        }
        is_back
    }

    /// Gives up seats that were not taken again, and tells the others. `is_meant` gets the new
    /// connection and the room; an act may be the reason.
    pub(super) fn give_up_absent(
        &mut self,
        is_meant: impl Fn(PersonId, &RoomName) -> bool,
        removal: Option<&Arc<Act>>,
        happened: &mut Vec<Happened>,
    ) {
        let is_meant = |absent: &mut Absent| is_meant(absent.heir, &absent.room);
        let gone: Vec<_> = self.absent.extract_if(.., is_meant).collect();
        for absent in gone {
            if let Some(heir) = self.people.get_mut(absent.heir) {
                heir.lose_ranks(&absent.room);
            }
            let is_untold = self.people.is_worn_in(&absent.who.name, &absent.room);
            self.depart_absent(absent, is_untold, removal, happened);
        }
    }

    fn depart_absent(
        &mut self,
        absent: Absent,
        is_untold: bool,
        removal: Option<&Arc<Act>>,
        happened: &mut Vec<Happened>,
    ) {
        let Absent { who, room, .. } = absent;
        self.free_seat(&room);
        let parting = Parting { room, words: None, is_untold };
        let (event, removal) = (self.next_event(), removal.cloned());
        happened.push(Happened::Left { event, who, parting, removal });
    }
}
