//! Which values of intents are sealed in the order of several nodes, and with which keys. Knows no
//! cipher.

use std::collections::BTreeMap;

use super::state::Ledger;
use crate::intent::{ErasableOf, Import, ImportedLines, Intent};
use crate::model::{Name, PersonId, SealKey};

impl Ledger {
    /// Says with which keys the erasable values of these intents are to be sealed, if they were
    /// applied now. `exile` finds the name that somebody owned who is on the way back.
    pub(crate) fn plan_seals<'a>(
        &'a self,
        intents: &mut [Intent],
        exile: impl Fn(PersonId) -> Option<&'a Name>,
    ) {
        let (mut slots, mut of_owners) = (0, BTreeMap::<&str, SealKey>::new());
        let mut next = || {
            slots += 1;
            SealKey::New(slots)
        };
        for intent in intents {
            let owner = self.owner_of_lines(intent);
            let owner = owner.or_else(|| intent.speaker().and_then(&exile));
            match intent.erasable() {
                Some(ErasableOf::Lines(lines)) => {
                    let Some(owner) = owner.map(|owner| owner.keys()[0]) else {
                        continue;
                    };
                    let known = self.seals.lines.get(owner).and_then(|keys| keys.live.last());
                    let key = known.map(|key| SealKey::Number(*key));
                    lines.seal_with(
                        key.unwrap_or_else(|| *of_owners.entry(owner).or_insert_with(&mut next)),
                    );
                }
                Some(ErasableOf::Password(password)) => password.seal_with(next()),
                Some(ErasableOf::Token(token)) => token.seal_with(next()),
                Some(ErasableOf::Message(message)) => message.seal_with(next()),
                None => {}
            }
        }
    }

    /// The owner whose lines an intent says, if it does: the person has the registered name, or had
    /// it when the lines were said.
    fn owner_of_lines(&self, intent: &Intent) -> Option<&Name> {
        match intent {
            Intent::Say { person, .. } => {
                let person = self.people.get(*person)?;
                person.account().filter(|_| person.is_owner())
            }
            Intent::SpeakOnce { name, .. } => {
                let is_proven = self.people.accounts.proves(name);
                self.people.accounts.of(&name.name).filter(|_| is_proven).map(|own| &own.name)
            }
            Intent::Import(import) => match &**import {
                Import::Lines(ImportedLines { owner: Some(owner), .. }) => {
                    self.people.accounts.of(owner).map(|own| &own.name)
                }
                _ => None,
            },
            _ => None,
        }
    }
}
