//! Keeping messages for absent owners, until they are read.

use super::event::Happened;
use super::kept::{Kept, Rank};
use super::record::{Before, KeptMessage, Record};
use super::state::Ledger;
use crate::model::{Hashed, Line, Name, PersonId, Reach, WallTime};
use crate::refusal::Refusal;

impl Ledger {
    /// Keeps a message for the absent owner of a name, unless too many wait.
    pub(super) fn keep_message(
        &mut self,
        from: PersonId,
        to: &Name,
        writer: Hashed,
        text: Line,
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
        let kept = Kept { number, writer: Kept::writer(writer), rank };
        self.kept.may_keep(&owner, kept)?;
        self.kept.add(&owner, kept);
        let before = Before::NotKept { owner: owner.clone(), number };
        let from = from.name;
        let message = KeptMessage { number, at, owner, from, text, writer, rank };
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
        if !kept.is_empty() {
            let record = Record::Delivered { owner: owner.clone(), last };
            let before = Some(Before::Kept { owner, kept });
            happened.push(Happened::changed(record, before));
        }
    }
}
