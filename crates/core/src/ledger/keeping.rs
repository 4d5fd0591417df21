//! Things that are kept for owners: messages while they are absent, until they are read, and how far
//! they have read. Strangers have the latter until they leave.

use super::event::Happened;
use super::kept::{Kept, SealedMessage};
use super::markers::{AHEAD_MAX, Moved};
use super::record::{Before, KeptMessage, Record};
use super::state::Ledger;
use crate::model::{
    ConversationId, Erasable, Hashed, Line, Name, PersonId, Rank, Reach, Spoken, WallTime,
};
use crate::refusal::Refusal;

impl Ledger {
    /// Keeps a message for the absent owner of a name, unless too many wait.
    pub(super) fn keep_message(
        &mut self,
        from: PersonId,
        to: &Name,
        writer: Hashed,
        spoken: Erasable<Spoken>,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(from).ok_or(Refusal::NotThere)?;
        let nobody = || Refusal::NobodyCalled(Line::sanitise(to.as_str().as_bytes()));
        let owner = self.people.accounts.of(to).ok_or_else(nobody)?.name.clone();
        let rank = match self.rules.keeps(&Reach::Server, person.subject()) {
            true => Rank::Keeper,
            false if person.account.is_some() => Rank::Owner,
            false => Rank::Stranger,
        };
        let from = person.who(from);
        self.may_write_to(&from, &owner, at)?;
        let number = self.kept.last.saturating_add(1);
        let key = spoken.key().unwrap_or(0);
        let sealed = SealedMessage::new(at, (&from.name, Some(writer)), &spoken);
        let kept = Kept { number, writer: Kept::writer(writer), rank, key, sealed };
        self.kept.may_keep(&owner, &kept)?;
        self.kept.add(&owner, kept);
        let before = Before::NotKept { owner: owner.clone(), number };
        let (from, spoken) = (from.name, spoken.value);
        let message = KeptMessage { number, at, owner, from, spoken, writer, rank };
        happened.push(Happened::changed(Record::Kept(message.into()), Some(before)));
        Ok(())
    }

    /// The owner of a name has read the messages up to this number.
    pub(super) fn messages_delivered(
        &mut self,
        id: PersonId,
        last: u64,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get(id).ok_or(Refusal::NotThere)?;
        match person.is_owner() {
            true => self.delete_messages(person.name.clone(), last, happened),
            false => return Err(Refusal::NotOwner),
        }
        Ok(())
    }

    /// Deletes the messages for the owner of a name, up to this number.
    pub(super) fn delete_messages(&mut self, owner: Name, last: u64, happened: &mut Vec<Happened>) {
        let kept = self.kept.remove(&owner, |kept| kept.number <= last);
        kept.iter().filter(|kept| kept.key > 0).for_each(|kept| self.seals.give_up(Some(kept.key)));
        if !kept.is_empty() {
            let record = Record::Delivered { owner: owner.clone(), last };
            let before = Some(Before::Kept { owner, kept });
            happened.push(Happened::changed(record, before));
        }
    }

    /// How far a person has read a conversation.
    pub(crate) fn marker_of(
        &self,
        id: PersonId,
        conversation: &ConversationId,
    ) -> Option<WallTime> {
        let person = self.people.get(id)?;
        let key = conversation.key();
        match person.account() {
            Some(owner) => self.markers.of(owner, &key),
            None => person.markers.of(&key),
        }
    }

    /// A person has read a conversation up to this time. A marker never moves back. It is lost if
    /// it cannot be stored: the next one is later.
    pub(super) fn mark_read(
        &mut self,
        id: PersonId,
        conversation: ConversationId,
        read: WallTime,
        at: WallTime,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        let person = self.people.get_mut(id).ok_or(Refusal::NotThere)?;
        let owner = person.account().cloned();
        let markers = match &owner {
            Some(owner) => self.markers.of_mut(owner),
            None => &mut person.markers,
        };
        let (key, read) = (conversation.key(), read.min(at.after(AHEAD_MAX)));
        let moved = markers.advance(&key, read);
        if let (Some(Moved { given_up }), Some(owner)) = (moved, owner) {
            let gone = given_up.map(|key| Record::Marker { owner: owner.clone(), key, at: None });
            let moved = Record::Marker { owner: owner.clone(), key, at: Some(read) };
            let records = gone.into_iter().chain([moved]);
            happened.extend(records.map(|record| Happened::changed(record, None)));
            happened.push(Happened::Marked { owner, by: id, conversation, at: read });
        }
        Ok(())
    }

    /// Deletes the markers of a name that has no owner any more.
    pub(super) fn delete_markers(&mut self, owner: &Name, happened: &mut Vec<Happened>) {
        if let Some(markers) = self.markers.remove(owner) {
            let record = Record::MarkersGone(owner.clone());
            let before = Before::Markers { owner: owner.clone(), markers };
            happened.push(Happened::changed(record, Some(before)));
        }
    }
}
