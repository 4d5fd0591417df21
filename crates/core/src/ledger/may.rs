//! Permissions: every check of a person's rights, before anything happens. Changes nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::people::Person;
use super::rules::Subject;
use super::state::Ledger;
use crate::model::{
    Act, Claim, Keeping, Line, Looks, Name, PersonId, Reach, RoomName, WallTime, Who,
};
use crate::refusal::Refusal;

impl Ledger {
    /// The authority of a person in this room, if there is any.
    pub(crate) fn may_keep(&self, person: &Person, room: &RoomName) -> Option<Keeping> {
        let (room, subject) = (Reach::Room(room.clone()), person.subject());
        let for_good = |reach| self.rules.keeps_for_good(reach, subject);
        let (reach, is_for_now) = match () {
            () if for_good(&Reach::Server) => (Reach::Server, false),
            () if for_good(&room) => (room, false),
            () if self.rules.keeps(&room, subject) => (room, true),
            () => return None,
        };
        Some(Keeping { reach, is_for_now })
    }

    /// Whether a person has authority on the whole server.
    pub(crate) fn may_keep_server(&self, person: &Person) -> bool {
        self.rules.keeps(&Reach::Server, person.subject())
    }

    /// Whether a person may read the lines of a room, with or without a seat: the one question that
    /// every door, command and search asks. A room that people outside may not read does not exist
    /// for them.
    pub(crate) fn may_read(
        &self,
        subject: Subject<'_>,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        self.may_read_with(subject, (room, None), at)
    }

    /// Whether a person may read the lines of a room with this password of the room or none. The
    /// password is no invitation.
    pub(crate) fn may_read_with(
        &self,
        subject: Subject<'_>,
        (room, password): (&RoomName, Option<&Line>),
        at: WallTime,
    ) -> Result<(), Refusal> {
        self.may_be_in(subject, room, at)?;
        let rules = &self.rooms.rules(room).now;
        let knows = password.is_some() && rules.password.as_ref() == password;
        let is_open = !rules.is_closed() || knows && !rules.is_invited_only;
        self.is_shown(!is_open, subject, room)
    }

    /// Whether a person may know that a room exists, and who is there. Bans are another question.
    pub(crate) fn may_see(&self, subject: Subject<'_>, room: &RoomName) -> Result<(), Refusal> {
        if *room != RoomName::lobby() && !self.rooms.is_known(room) {
            return Err(Refusal::NoRoom(room.clone()));
        }
        self.is_shown(self.rooms.rules(room).now.is_secret, subject, room)
    }

    /// Whether a person may read who is in a room, and its topic.
    pub(crate) fn may_look_into(
        &self,
        subject: Subject<'_>,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        self.may_be_in(subject, room, at)?;
        self.is_shown(self.rooms.rules(room).now.is_secret, subject, room)
    }

    /// Whether a person is shown a room, which may be hidden from people outside.
    fn is_shown(
        &self,
        is_hidden: bool,
        subject: Subject<'_>,
        room: &RoomName,
    ) -> Result<(), Refusal> {
        match is_hidden && !self.is_inside(subject, room) {
            true => Err(Refusal::NoRoom(room.clone())),
            false => Ok(()),
        }
    }

    /// Whether no ban keeps a person out of a room. A member may be there: they came behind the end
    /// of a ban, and if the clock went back since, its end is in the future again.
    pub(crate) fn may_be_in(
        &self,
        subject: Subject<'_>,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        if subject.seats.contains(room) {
            return Ok(());
        }
        self.may_be_here(subject, at)?;
        self.is_let_in(subject, &Reach::Room(room.clone()), at)
    }

    /// Whether a person sits in a room, on any connection, or keeps it.
    fn is_inside(&self, subject: Subject<'_>, room: &RoomName) -> bool {
        subject.seats.contains(room)
            || subject.account.is_some_and(|account| self.people.is_logged_in_at(account, room))
            || self.rules.keeps(&Reach::Room(room.clone()), subject)
    }

    /// Whether the rules of a room let a person in, with this password or none.
    pub(super) fn may_pass(
        &self,
        id: PersonId,
        subject: Subject<'_>,
        room: &RoomName,
        password: Option<&Line>,
    ) -> Result<(), Refusal> {
        let rules = self.rooms.rules(room);
        let comes_back = || self.absent.iter().any(|it| it.heir == id && it.room == *room);
        if rules.now.is_nothing()
            || self.is_inside(subject, room)
            || rules.has_invited(id, subject.account)
            || comes_back()
        {
            return Ok(());
        }
        if rules.now.is_invited_only {
            return Err(Refusal::InvitedOnly(room.clone()));
        }
        if rules.now.password.as_ref().is_some_and(|needed| Some(needed) != password) {
            return Err(Refusal::WrongRoomPassword(room.clone()));
        }
        match rules.now.people_max {
            Some(max) if self.people.count_in(room) as u64 >= max => {
                Err(Refusal::RoomFull(room.clone(), max))
            }
            _ => Ok(()),
        }
    }

    /// Whether the rules of a room let in a person who comes to the server, with this password of the
    /// room or none.
    pub(super) fn may_come_to(
        &self,
        id: PersonId,
        from: Option<PersonId>,
        claim: &Claim,
        (room, password): (&RoomName, Option<&Line>),
    ) -> Result<(), Refusal> {
        let subject = self.people.claimant(claim);
        let before = from.and_then(|from| self.people.get(from)).map(Person::subject);
        let subject = Subject { account: subject.account, ..before.unwrap_or(subject) };
        self.may_pass(id, subject, room, password)
    }

    /// The rooms that this person may not read, because of bans or rules, for a search in all rooms.
    pub(crate) fn barred(&self, subject: Subject<'_>, at: WallTime) -> Vec<RoomName> {
        let is_barred = |room: &&RoomName| self.may_read(subject, room, at).is_err();
        let rooms = self.rules.rooms_with_bans().chain(self.rooms.with_rules());
        let barred: BTreeSet<_> = rooms.filter(is_barred).collect();
        barred.into_iter().cloned().collect()
    }

    /// Whether a person may be on the server.
    pub(crate) fn may_be_here(&self, subject: Subject<'_>, at: WallTime) -> Result<(), Refusal> {
        self.is_let_in(subject, &Reach::Server, at)
    }

    /// Whether a person may come to the server, into a first room or without one. A person who
    /// comes back ends the lost connection `from`: the name is free, and what holds for the old
    /// connection holds for the new one.
    pub(super) fn may_come(
        &self,
        id: PersonId,
        from: Option<PersonId>,
        (claim, looks): (&Claim, &Looks),
        room: Option<&RoomName>,
        at: WallTime,
    ) -> Result<(), Refusal> {
        self.is_not_here(id)?;
        let connections = [id, from.unwrap_or(id)];
        self.people.may_claim(&connections, claim, looks)?;
        let before = from.and_then(|from| self.people.get(from));
        let keeps_for_now = before.map_or(&[][..], |person| &person.keeps_for_now);
        let subject = Subject { keeps_for_now, ..self.people.claimant(claim) };
        match room {
            Some(room) => {
                connections.iter().try_for_each(|id| self.may_join(*id, subject, room, at))
            }
            None => self.may_be_here(subject, at),
        }
    }

    /// Whether a person is not here yet: nobody comes twice on one connection.
    pub(super) fn is_not_here(&self, id: PersonId) -> Result<(), Refusal> {
        let Some(person) = self.people.get(id) else {
            return Ok(());
        };
        Err(person.seats.last().cloned().map_or(Refusal::NotThere, Refusal::AlreadyIn))
    }

    /// Whether a person may join a room, as far as it is not about the [rules](Ledger::may_pass) of
    /// the room. A ban forbids it, and so does a mute there under another
    /// name. A muted person may not name a new room, because others read the names of rooms.
    pub(super) fn may_join(
        &self,
        id: PersonId,
        subject: Subject<'_>,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        self.may_be_in(subject, room, at)?;
        self.may_be_renamed_in(id, subject.name, room, at)?;
        self.may_name_room(id, subject, room, at)
    }

    /// Whether a person may be in a room under this name. A person who was muted there under
    /// another name may not: a new name is a way to speak.
    fn may_be_renamed_in(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        unless(self.rules.muted_under_another_name(id, name, room, at), Refusal::Muted)
    }

    /// Whether a person at this address, if it is known, may take a name, wherever they sit.
    pub(crate) fn may_wear(
        &self,
        id: PersonId,
        name: &Name,
        address: Option<SocketAddr>,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let subject = Subject { name, address, ..person.subject() };
        self.may_be_here(subject, at)?;
        let who = person.who(id);
        for room in &person.seats {
            self.is_let_in(subject, &Reach::Room(room.clone()), at)?;
            if *name != person.name {
                self.may_speak(&who, room, at)?; // the others read a new name
            }
        }
        Ok(())
    }

    /// Whether a person may say something about themselves that others read, wherever they sit; or
    /// take it back, which everybody may.
    pub(super) fn may_describe(
        &self,
        id: PersonId,
        has_text: bool,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let who = person.who(id);
        let lobby = RoomName::lobby();
        let nowhere = person.seats.is_empty().then_some(&lobby); // a mute on the server counts
        let mut rooms = person.seats.iter().chain(nowhere).filter(|_| has_text);
        rooms.try_for_each(|room| self.may_speak(&who, room, at))
    }

    /// Whether a person may have an account, wherever they sit.
    pub(super) fn may_log_in(
        &self,
        person: &Person,
        account: &Name,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let subject = Subject { account: Some(account), ..person.subject() };
        self.may_be_here(subject, at)?;
        let rooms = person.seats.iter().cloned().map(Reach::Room);
        rooms.into_iter().try_for_each(|room| self.is_let_in(subject, &room, at))
    }

    fn is_let_in(&self, subject: Subject<'_>, reach: &Reach, at: WallTime) -> Result<(), Refusal> {
        unless(self.rules.banned(reach, subject, at), Refusal::Banned)
    }

    /// Whether a person may say something in a room.
    pub(crate) fn may_speak(
        &self,
        who: &Who,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        unless(self.mute_of(who, room, at), Refusal::Muted)
    }

    fn mute_of(&self, who: &Who, room: &RoomName, at: WallTime) -> Option<&Act> {
        let (name, account) = (&who.name, who.account.as_ref());
        let subject = Subject { account, ..Subject::new(name) };
        self.rules.muted(who.id, subject, room, at)
    }

    /// Whether a person may say something that a room reads as speech: only keepers and people with
    /// a voice do in a moderated room. A voice also ends a mute of that room. `person` is the author,
    /// unless the name is taken only for these words.
    pub(super) fn may_say(
        &self,
        person: Option<&Person>,
        who: &Who,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let has_voice = || person.is_some_and(|person| person.voices.contains(room));
        let mute = self.mute_of(who, room, at);
        unless(mute.filter(|mute| mute.reach == Reach::Server || !has_voice()), Refusal::Muted)?;
        if !self.rooms.is_moderated(room) {
            return Ok(());
        }
        let account = who.account.as_ref();
        let once = Subject { account, ..Subject::new(&who.name) };
        let subject = person.map_or(once, Person::subject);
        match has_voice() || self.rules.keeps(&Reach::Room(room.clone()), subject) {
            true => Ok(()),
            false => Err(Refusal::Moderated(room.clone())),
        }
    }

    /// Whether a person may name a room, if it does not exist.
    fn may_name_room(
        &self,
        id: PersonId,
        subject: Subject<'_>,
        room: &RoomName,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let has_keepers = || !self.rules.keepers(&Reach::Room(room.clone())).is_empty();
        let is_known = |room| !self.rooms.is_new(room) || self.rooms.has_topic(room);
        let mute = self.rules.muted(id, subject, room, at);
        let holds = |mute: &&Act| mute.reach == Reach::Server && !is_known(room) && !has_keepers();
        unless(mute.filter(holds), Refusal::Muted)
    }

    /// The rooms in which a person sits, or sat before coming back and may sit again.
    fn rooms_of(&self, id: PersonId) -> impl Iterator<Item = &RoomName> {
        let seats = self.people.get(id).into_iter().flat_map(|person| &person.seats);
        let absent = self.absent.iter().filter(move |absent| absent.heir == id);
        seats.chain(absent.map(|absent| &absent.room))
    }

    /// Whether a person may write to one other person. In each room of one of them, the writer must
    /// be allowed to speak, or the recipient must be a keeper.
    pub(crate) fn may_write_to(&self, who: &Who, to: &Name, at: WallTime) -> Result<(), Refusal> {
        let is_keeper = |room: &RoomName| {
            let reach = Reach::Room(room.clone());
            self.is_keeper_under(to, &reach) || self.people.is_keeper_for_now(to, room)
        };
        let lobby = RoomName::lobby();
        let people = self.people.wearers(to).chain([who.id]);
        let mut rooms = people.flat_map(|id| self.rooms_of(id)).peekable();
        let nowhere = rooms.peek().is_none().then_some(&lobby); // a mute on the server counts
        rooms.chain(nowhere).try_for_each(|room| match is_keeper(room) {
            true => Ok(()),
            false => self.may_speak(who, room, at),
        })
    }

    /// Whether the owner of this name, or a person who has it now, has authority there that does not
    /// end with the seat.
    pub(super) fn is_keeper_under(&self, name: &Name, reach: &Reach) -> bool {
        let here = self.people.wearers(name).filter_map(|id| self.people.get(id));
        let accounts = here.filter_map(Person::account).chain([name]);
        let mut reaches = accounts.flat_map(|account| {
            [&Reach::Server, reach].map(|reach| self.rules.is_keeper(reach, account))
        });
        reaches.any(|is_keeper| is_keeper)
    }

    /// A person with a seat in a room.
    pub(crate) fn seated(&self, id: PersonId, room: &RoomName) -> Result<&Person, Refusal> {
        let person = self.people.get(id).filter(|person| person.sits_in(room));
        person.ok_or(Refusal::NotThere)
    }

    /// The person, if they may set the topic of a room.
    pub(super) fn may_set_topic(
        &self,
        id: PersonId,
        room: &RoomName,
        at: WallTime,
    ) -> Result<Who, Refusal> {
        let person = self.seated(id, room)?;
        if self.rooms.is_locked(room) && self.may_keep(person, room).is_none() {
            return Err(Refusal::TopicLocked); // a voice would not help
        }
        let who = person.who(id);
        self.may_say(Some(person), &who, room, at)?;
        Ok(who)
    }
}

/// Refuses something because of a rule, if there is one.
fn unless(rule: Option<&Act>, refusal: impl FnOnce(Box<Act>) -> Refusal) -> Result<(), Refusal> {
    rule.map_or(Ok(()), |rule| Err(refusal(Box::new(rule.clone()))))
}
