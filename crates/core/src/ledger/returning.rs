//! Coming back: return codes are made, follow their people, and end; a person comes back with one.

use std::sync::Arc;

use super::codes::{CODE_LIFE, ReturnCode, Validity};
use super::event::Happened;
use super::record::{Before, Record};
use super::state::Ledger;
use crate::intent::{Reentry, Stamp};
use crate::model::{Claim, Hashed, Name, PersonId, Profile, ProvenAccount, RoomName, WallTime};
use crate::refusal::Refusal;

impl Ledger {
    /// A code, if it is valid at this time.
    pub(crate) fn valid_code(&self, hash: Hashed, now: WallTime) -> Option<Arc<ReturnCode>> {
        self.codes.valid(hash, now).map(|code| self.with_present_name(code))
    }

    /// A code, under the name of the person whose connection has it. The person may have taken that
    /// name a moment ago, and the code is not moved to it yet.
    fn with_present_name(&self, code: &Arc<ReturnCode>) -> Arc<ReturnCode> {
        let mut code = Arc::clone(code);
        if let Validity::Held(id) = code.validity
            && let Some(person) = self.people.get(id)
            && person.claim() != code.claim
        {
            let code = Arc::make_mut(&mut code);
            (code.claim, code.looks) = (person.claim(), person.looks.clone());
        }
        code
    }

    /// Makes a code for a person in a room.
    pub(super) fn make_code(
        &mut self,
        id: PersonId,
        hash: Hashed,
        (room, seq): (RoomName, u64),
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        if self.codes.codes.contains_key(&hash) {
            return Err(Refusal::NoSuchCode); // it was made before, and may be another person's
        }
        let code = self.code_of(id, (room, seq))?;
        self.put_code(hash, code, Some(Before::NoCode(hash)), happened);
        Ok(())
    }

    /// Notes the present name and place of the person with a code. If the code has ended, or has
    /// moved to another connection, nothing happens.
    pub(super) fn move_code(
        &mut self,
        id: PersonId,
        hash: Hashed,
        place: (RoomName, u64),
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        if self.codes.held_by(hash, id).is_some() {
            let code = self.code_of(id, place)?;
            self.put_code(hash, code, None, happened);
        }
        Ok(())
    }

    /// The connection with a code has ended. `seq` is the last line that was written to it, if that
    /// is known.
    pub(super) fn end_code(
        &mut self,
        id: PersonId,
        hash: Hashed,
        seq: Option<u64>,
        until: WallTime,
        happened: &mut Vec<Happened>,
    ) {
        let Some(code) = self.codes.held_by(hash, id) else {
            return; // it has ended before, or has moved to another connection
        };
        let (seq, validity) = (seq.unwrap_or(code.seq), Validity::Until(until));
        let code = ReturnCode { seq, validity, ..ReturnCode::clone(&self.with_present_name(code)) };
        self.put_code(hash, code, None, happened);
        if let Some(gone) = self.codes.remove_excess() {
            let record = Record::CodesGone([gone].into());
            happened.push(Happened::changed(record, None));
        }
    }

    /// The connections of these people, in the order of their numbers, have ended with their boot.
    pub(super) fn end_codes_of_people(
        &mut self,
        people: &[PersonId],
        happened: &mut Vec<Happened>,
    ) {
        let held = self.codes.held().filter(|(_, _, id)| people.binary_search(id).is_ok());
        let held: Vec<_> = held.map(|(hash, _, id)| (hash, id)).collect();
        let until = self.nodes.at.after(CODE_LIFE);
        for (hash, id) in held {
            self.end_code(id, hash, None, until, happened);
        }
    }

    /// A person enters again whose boot has ended while the connection was still there: under the
    /// same name, or if that is taken, under another one; in the same rooms, as far as the rules
    /// allow it now.
    pub(super) fn enter_again(
        &mut self,
        reentry: Reentry,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let Reentry { person: id, name: claim, looks, otherwise, profile, away, .. } = reentry;
        let Reentry { modes, lent, markers, rooms, codes, .. } = reentry;
        self.is_not_here(id)?;
        let from = claim.name.clone();
        let is_valid = |account: &ProvenAccount| self.people.accounts.has_proof(account);
        let account = claim.account.clone().filter(is_valid);
        // A new password ends the log-in of a person under another name, and nothing else.
        let claim = match claim.is_proven() {
            true => claim,
            false => Claim { account: account.clone(), ..claim },
        };
        if self.people.may_claim(&[id], &claim, &looks).is_ok() {
            self.add_person(id, (claim, looks), (profile, away), boot, happened);
        } else {
            let (claim, looks) = (Claim { name: otherwise.0, account }, otherwise.1);
            self.people.may_claim(&[id], &claim, &looks)?;
            self.add_person(id, (claim, looks), (profile, away), boot, happened);
            self.rules.rename(id, &from, |id| self.people.get(id).is_some());
        }
        self.people.set_modes(id, modes);
        let lent = lent.filter(|lent| self.may_lend(lent)).map(|lent| lent.name);
        self.people.set_lent(id, lent); // before anybody reads of the person
        self.people.set_markers(id, markers);
        let who = self.people.who(id).ok_or(Refusal::NotThere)?;
        let mut refused = Vec::new();
        for room in rooms {
            if let Err(refusal) = self.sit_down(id, room.clone(), at, happened) {
                refused.push((room, refusal));
            }
        }
        happened.push(Happened::Returned { who, from: from.clone(), refused });
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        if let Err(Refusal::Banned(ban)) = self.may_be_here(person.subject(), at) {
            self.leave_server(id, (None, Some((*ban).into())), at, happened);
        }
        self.hold_codes_again(id, &from, codes, happened);
        Ok(())
    }

    /// The connection of a person who has entered again has these codes again, unless the person has
    /// used them elsewhere.
    fn hold_codes_again(
        &mut self,
        id: PersonId,
        from: &Name,
        codes: Vec<Hashed>,
        happened: &mut Vec<Happened>,
    ) {
        for hash in codes {
            let code = self.codes.codes.get(&hash);
            let is_theirs = |code: &&Arc<ReturnCode>| {
                matches!(code.validity, Validity::Until(_)) && code.claim.name == *from
            };
            let ended = code.filter(is_theirs);
            let place = ended.map(|code| (code.room.clone(), code.seq));
            if let Some(Ok(code)) = place.map(|place| self.code_of(id, place)) {
                self.put_code(hash, code, None, happened);
            }
        }
    }

    /// Notes how far people with codes have read.
    pub(super) fn note_readings(
        &mut self,
        mut readings: Vec<(Hashed, u64)>,
        happened: &mut Vec<Happened>,
    ) {
        readings.retain(|(hash, seq)| self.codes.note_reading(*hash, *seq));
        if !readings.is_empty() {
            let record = Record::Readings(readings.into());
            happened.push(Happened::changed(record, None));
        }
    }

    /// Ends the codes of the owner of a name, whose password has changed or who has lost the name.
    pub(super) fn end_codes_of_owner(&mut self, name: &Name, happened: &mut Vec<Happened>) {
        let codes = self.codes.remove_of_owner(name);
        if !codes.is_empty() {
            let record = Record::CodesGone(codes.iter().map(|(hash, _)| *hash).collect());
            happened.push(Happened::changed(record, Some(Before::Codes(codes))));
        }
    }

    /// Deletes the codes that were valid until this time.
    pub(super) fn expire_codes(&mut self, time: WallTime, happened: &mut Vec<Happened>) {
        if self.codes.remove_ended_before(time) {
            happened.push(Happened::changed(Record::CodesExpired(time), None));
        }
    }

    /// A person comes back with a code, on another connection: into this room, or without a seat.
    /// `now` is the time by which the life of codes is measured. The profile is for a person who has
    /// none on the lost connection.
    pub(super) fn come_back(
        &mut self,
        id: PersonId,
        (hash, now): (Hashed, WallTime),
        profile: Option<Arc<Profile>>,
        room: Option<RoomName>,
        Stamp { boot, at }: Stamp,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let code = self.valid_code(hash, now).ok_or(Refusal::NoSuchCode)?;
        let from = match code.validity {
            Validity::Held(from) => Some(from),
            Validity::Until(_) => None,
        };
        self.may_come(id, from, (&code.claim, &code.looks), room.as_ref(), at)?;
        if let Some(room) = room.as_ref().filter(|room| **room != code.room) {
            // A code leads to the room in which the person sat, whatever its rules are.
            self.may_come_to(id, from, &code.claim, (room, None))?;
        }
        let before = from.and_then(|from| self.people.get(from));
        let profile = before.and_then(|person| person.profile.clone()).or(profile);
        let away = before.and_then(|person| person.away.clone());
        let ranks = before.map(|person| (person.keeps_for_now.clone(), person.voices.clone()));
        let (keeps, voices) = ranks.unwrap_or_default();
        if let Some(from) = from {
            self.rules.follow(from, id);
            self.rooms.follow(from, id);
            self.move_seats(from, id, happened);
        }
        let name = (code.claim.clone(), code.looks.clone());
        self.add_person(id, name, (profile, away), boot, happened);
        keeps.iter().for_each(|room| self.people.keep_for_now(id, room));
        voices.iter().for_each(|room| self.people.set_voice(id, room, true));
        happened.extend(self.people.who(id).map(Happened::Came));
        if let Some(room) = room.clone() {
            self.take_seat(id, room, at, happened);
        }
        let room = room.unwrap_or_else(RoomName::lobby); // a code leads to a room
        let seq = match room == code.room {
            true => code.seq,
            false => self.rooms.end(&room).seq,
        };
        let validity = Validity::Held(id);
        let code = ReturnCode { room, seq, validity, ..ReturnCode::clone(&code) };
        self.put_code(hash, code, None, happened);
        Ok(())
    }

    /// The code of a person for a place: the room, and the last line read there.
    fn code_of(&self, id: PersonId, (room, seq): (RoomName, u64)) -> Result<ReturnCode, Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        let (claim, looks) = (person.claim(), person.looks.clone());
        Ok(ReturnCode { claim, looks, room, seq, validity: Validity::Held(id) })
    }

    /// Keeps a code. Without a state before, the ledger keeps it even if it cannot be stored: the
    /// file has an earlier place then, which is better than none.
    fn put_code(
        &mut self,
        hash: Hashed,
        code: ReturnCode,
        before: Option<Before>,
        happened: &mut Vec<Happened>,
    ) {
        let code = Arc::new(code);
        self.codes.put(hash, Arc::clone(&code));
        happened.push(Happened::changed(Record::Code(hash, code), before));
    }
}
