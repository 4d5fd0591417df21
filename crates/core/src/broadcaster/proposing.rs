//! From requests to intents: makes the checks that only this process can make, and puts the intents
//! in order.

use std::sync::Arc;

use super::owning::account_intent;
use super::rooms::{Connection, Maker};
use super::state::Broadcaster;
use super::tickets::{Ticket, Wanted};
use crate::intent::Intent;
use crate::ledger::{Record, Subject};
use crate::link::{Change, Client, Outcome, Place, Refusal};
use crate::model::{
    AWAY_BYTES_MAX, By, Claim, Deed, Here, Line, Looks, Now, PersonId, RoomId, RoomName, Spoken,
    Verb, Whom,
};

impl Broadcaster {
    /// A person in a room says these lines.
    fn propose_lines(
        &mut self,
        client: &Arc<Client>,
        room: RoomId,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        let room = self.seat_of(client.id, room)?;
        let lines = self.offer_all_but_last(client.id, &room, lines);
        let intent = Intent::Say { person: client.id, room, lines: lines.into() };
        self.propose(intent, client, Wanted::Say, now);
        Ok(())
    }

    /// Proposes a change. The client learns the outcome when the change has its place in the order,
    /// or when the batch is appended.
    ///
    /// # Errors
    /// Nothing is proposed, for this reason.
    pub(super) fn change(
        &mut self,
        client: &Arc<Client>,
        change: Change,
        now: Now,
    ) -> Result<(), Refusal> {
        self.may_propose(&change)?;
        let person = client.id;
        let (intent, wanted) = match change {
            Change::Say { room, lines } => return self.propose_lines(client, room, lines, now),
            Change::Signal { room, extras } => {
                let room = self.seat_of(person, room)?;
                (Intent::Signal { person, room, extras }, Wanted::Signal)
            }
            Change::Come { name, profile } => {
                self.may_be_here(client, &name, now)?;
                let looks = Looks::of(&name.name);
                (Intent::Come { person, name, looks, profile }, Wanted::Presence)
            }
            Change::Enter { name, profile, room, replay } => {
                let maker = self.may_come(client, &name, &room, now)?;
                let looks = Looks::of(&name.name);
                let wanted = Wanted::Seat { replay, is_first: true, maker };
                (Intent::Enter { person, name, looks, profile, room }, wanted)
            }
            Change::ComeBack { code, now: awake, profile, room } => {
                let place = self.place_of_code(code, awake)?;
                let room = room.or_usual(|| place.room.clone());
                let wanted = match &room {
                    Some(room) => {
                        let maker = self.may_come(client, &place.claim, room, now)?;
                        Wanted::Seat { replay: 0, is_first: true, maker }
                    }
                    None => {
                        self.may_be_here(client, &place.claim, now)?;
                        Wanted::Presence
                    }
                };
                client.track_reading();
                (Intent::ComeBack { person, code, now: awake, profile, room }, wanted)
            }
            Change::Join { room, password, replay } => {
                if self.ledger.people.is_lost(person) {
                    return Err(Refusal::NotThere); // it ends in a moment, and the room would list it twice
                }
                let subject = self.subject(person).ok_or(Refusal::NotThere)?;
                let maker = self.may_go(subject, &room, now)?;
                let wanted = Wanted::Seat { replay, is_first: false, maker };
                (Intent::Join { person, room, password }, wanted)
            }
            Change::SpeakOnce { name, profile, room, password, lines } => {
                let maker = self.may_come(client, &name, &room, now)?;
                let looks = Looks::of(&name.name);
                let (wanted, lines) = (Wanted::Once { maker }, lines.into());
                (Intent::SpeakOnce { person, name, looks, profile, room, password, lines }, wanted)
            }
            Change::Rename(name) => {
                self.ledger.may_wear(person, &name.name, client.address(), now.wall)?;
                let (looks, wanted) = (Looks::of(&name.name), Wanted::Rename(name.name.clone()));
                (Intent::Rename { person, name, looks }, wanted)
            }
            Change::SetAway(text) => {
                let text = text.map(|text| text.cut(AWAY_BYTES_MAX));
                let wanted = Wanted::Away(text.clone());
                (Intent::SetAway { person, text }, wanted)
            }
            Change::SetRealname(realname) => {
                let wanted = Wanted::Realname(realname.clone());
                (Intent::SetRealname { person, realname }, wanted)
            }
            Change::Oper(account) => {
                let wanted = Wanted::Modes(self.modes_of(person));
                (Intent::Oper { person, account }, wanted)
            }
            Change::SetModes { of, set, removed } => {
                let wanted = Wanted::Modes(self.own_modes(person, &of)?);
                (Intent::SetModes { person, set, removed }, wanted)
            }
            Change::LogIn(account) => {
                let wanted = Wanted::LogIn(account.name.clone());
                (Intent::LogIn { person, account }, wanted)
            }
            Change::SetTopic { room, text } => {
                let room = self.seat_of(person, room)?;
                (Intent::SetTopic { person, room, text }, Wanted::Topic)
            }
            Change::Account(change) => account_intent(*change),
            Change::Code(change) => self.code_intent(client, change)?,
            Change::Message(change) => self.message_intent(client, *change)?,
            Change::Visited(visit) => {
                self.gathering.store(Record::OwnerVisit(visit), None);
                client.finish(Outcome::Done); // nobody waits for it
                return Ok(());
            }
            Change::MarkRead { conversation, read } => {
                let wanted = Wanted::Marker(conversation.clone());
                (Intent::MarkRead { person, conversation, read }, wanted)
            }
            Change::NoteReadings => {
                self.note_readings(now);
                client.finish(Outcome::Done);
                return Ok(());
            }
            Change::DeleteLines { whose, since } => {
                (Intent::DeleteLines { person: whose, since }, Wanted::Deletion)
            }
            Change::Act { here, deed } => {
                if self.ledger.is_so_already(person, &here, &deed, now.wall) {
                    return Err(Refusal::IsSoAlready);
                }
                self.may_ban(person, &here, &deed)?;
                (Intent::Act { asker: person, here, deed }, Wanted::Act)
            }
            Change::Listen { owner, room, password, waits, replay } => {
                return self.listen(client, (owner, password), (room, waits), replay, now);
            }
            Change::Limit(limits) => {
                self.limit(limits);
                client.finish(Outcome::Done);
                return Ok(());
            }
        };
        self.propose(intent, client, wanted, now);
        Ok(())
    }

    fn propose(&mut self, intent: Intent, client: &Arc<Client>, wanted: Wanted, now: Now) {
        self.put_in_order(intent, Some(Ticket::new(client, wanted)), now);
    }

    /// Whether a person may come to a room under this name: the ledger knows neither addresses nor
    /// the limit of rooms. Returns the share in which the room counts, if it is made.
    fn may_come(
        &self,
        client: &Client,
        claim: &Claim,
        room: &RoomName,
        now: Now,
    ) -> Result<Option<Maker>, Refusal> {
        match self.newcomer(client, claim) {
            Some(subject) => self.may_go(subject, room, now),
            None => Ok(None),
        }
    }

    /// Whether a person may come to the server under this name.
    fn may_be_here(&self, client: &Client, claim: &Claim, now: Now) -> Result<(), Refusal> {
        let subject = self.newcomer(client, claim);
        subject.map_or(Ok(()), |subject| self.ledger.may_be_here(subject, now.wall))
    }

    /// A person who wants to come under this name. None if the ledger refuses it, as the owner has
    /// to prove the name first.
    fn newcomer<'a>(&self, client: &Client, claim: &'a Claim) -> Option<Subject<'a>> {
        let is_owner = self.ledger.people.accounts.proves(claim);
        let is_refused = !is_owner && self.ledger.people.accounts.has(&claim.name);
        let subject = Subject { address: client.address(), ..self.ledger.people.claimant(claim) };
        (!is_refused).then_some(subject)
    }

    /// Whether a person with a name may come to a room.
    fn may_go(
        &self,
        subject: Subject<'_>,
        room: &RoomName,
        now: Now,
    ) -> Result<Option<Maker>, Refusal> {
        self.ledger.may_be_in(subject, room, now.wall)?;
        self.may_make(subject, room)?;
        Ok(Maker::of(subject))
    }

    /// Whether a ban of addresses leaves every keeper in.
    fn may_ban(&self, asker: PersonId, here: &Here, deed: &Deed) -> Result<(), Refusal> {
        let (Verb::Ban, Whom::Net(net)) = (deed.verb, &deed.whom) else {
            return Ok(());
        };
        if net.is_here() {
            return Ok(()); // refused for another reason
        }
        let reach = self.ledger.authority(asker, here)?.reach_of_acts();
        let subjects = self.connections.keys().filter_map(|id| self.subject(*id));
        let mut meant = subjects.filter(|who| deed.whom.includes(who.name, who.address));
        match meant.find(|who| self.ledger.rules.keeps(&reach, *who)) {
            Some(keeper) => Err(Refusal::LocksOutKeeper(keeper.name.clone())),
            None => Ok(()),
        }
    }

    /// A connection gives up a seat: the person leaves the room.
    pub(super) fn leave_room(&mut self, place: &Arc<Place>, words: Option<Line>, now: Now) {
        let connection = self.connections.get(&place.person);
        let mut places = connection.iter().flat_map(|connection| &connection.places);
        if !places.any(|own| Arc::ptr_eq(own, place)) {
            return; // an act ended this seat before; the person may have another in the room
        }
        let (person, room) = (place.person, place.name.clone());
        self.put_in_order(Intent::Leave { person, room, words }, None, now);
    }

    /// A connection ends: the person leaves all rooms and the server.
    pub(super) fn leave_server(&mut self, person: PersonId, words: Option<Line>, now: Now) {
        let Some(Connection { client, .. }) = self.connections.get(&person) else {
            return; // an act ended it before
        };
        // After a change of password the others read no reason: it concerns only this person.
        let removal = client.removed().filter(|act| act.by != By::NewPassword).cloned();
        let words = words.filter(|_| removal.is_none()); // the others read the reason of the removal
        let client = Arc::clone(client);
        self.put_in_order(Intent::LeaveServer { person, words, removal }, None, now);
        client.forget();
    }

    /// Gives up the seats that people did not take again in time.
    pub(super) fn give_up_returns(&mut self, now: Now) {
        while let Some(late) = self.returns.pop_front_if(|late| late.until <= now.monotonic) {
            self.put_in_order(Intent::GiveUp { heir: late.heir, room: late.room }, None, now);
        }
    }

    /// Ends rooms that left memory and are not stored.
    pub(super) fn end_rooms(&mut self, now: Now) {
        while let Some((room, last)) = self.ended.pop() {
            self.put_in_order(Intent::EndRoom { room, last }, None, now);
        }
    }
}
