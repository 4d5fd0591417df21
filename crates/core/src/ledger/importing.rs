//! Takes over the past of a house: what its first node had stored as a server without other nodes.
//! Until all of it has come, nothing else counts. Knows no file.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::{ReturnCode, Validity};
use super::kept::{Kept, SealedMessage};
use super::room_rules::RulesOfRoom;
use super::rules::Mute;
use super::state::Ledger;
use crate::intent::{Import, ImportedLines, ImportedMessage, Intent};
use crate::model::{Act, Claim, End, Erasable, Hashed, Name, ProvenAccount, Verb};
use crate::refusal::Refusal;

/// A part of the past cannot be what was stored: it changes nothing.
const NO_PAST: Refusal = Refusal::NotSent;

impl Ledger {
    /// How many parts of the past these intents have beside lines, which have numbers of their own.
    /// None if there is something else among them.
    pub(super) fn parts_of_past(intents: &[Intent]) -> Option<u64> {
        let mut parts = 0;
        for intent in intents {
            match intent {
                Intent::Import(import) => {
                    parts += u64::from(!matches!(**import, Import::Lines(_)));
                }
                _ => return None,
            }
        }
        (!intents.is_empty()).then_some(parts)
    }

    /// How many parts of the past have come, beside lines; none if no past comes, or all has come.
    pub fn importing(&self) -> Option<u64> {
        self.importing
    }

    /// Says with which keys the erasable parts of the past are to be sealed.
    pub fn plan_seals_of_past(&self, intents: &mut [Intent]) {
        self.plan_seals(intents, |_| None);
    }

    /// Takes over a part of the past.
    pub(super) fn import(&mut self, import: Import) -> Result<(), Refusal> {
        if self.importing.is_none() {
            return Err(NO_PAST);
        }
        match import {
            Import::Account { name, since, password } => {
                self.people.accounts.add(name, since, password).map(drop)
            }
            Import::Token { name, token } => self.import_token(&name, token),
            Import::Keeper { reach, name } => {
                let name = self.owner(&name)?;
                self.rules.add_keeper(&reach, name)
            }
            Import::Maker { room, name } => {
                let name = self.owner(&name)?;
                self.rules.makers.insert(room, name);
                Ok(())
            }
            Import::Ban(act) => self.import_ban(act),
            Import::Mute(act) => self.import_mute(act),
            Import::Topic { room, topic } => {
                self.rooms.set_topic(&room, |now| *now = topic);
                Ok(())
            }
            Import::Rules { room, rules } => {
                self.rooms.set_rules(&room, |now| *now = RulesOfRoom::lasting(rules));
                Ok(())
            }
            Import::Code { code, claim, looks, room, seq, until } => {
                let claim = self.past_claim(claim)?;
                let validity = Validity::Until(until);
                self.codes.put(code, Arc::new(ReturnCode { claim, looks, room, seq, validity }));
                Ok(())
            }
            Import::Marker { owner, key, at } => {
                let owner = self.owner(&owner)?;
                self.markers.of_mut(&owner).advance(&key, at);
                Ok(())
            }
            Import::Message(message) => self.import_message(&message),
            Import::LastMessage(number) => {
                self.kept.last = self.kept.last.max(number);
                Ok(())
            }
            Import::Act(_) | Import::Log(_) => Ok(()), // for the files of nodes
            Import::Lines(lines) => self.import_lines(lines),
            Import::Complete => {
                self.importing = None;
                Ok(())
            }
        }
    }

    fn import_token(&mut self, name: &Name, token: Erasable<Hashed>) -> Result<(), Refusal> {
        let accounts = &mut self.people.accounts;
        let account = accounts.of(name).filter(|account| account.token.is_none()).ok_or(NO_PAST)?;
        let account = Account { token: Some(token), ..Account::clone(account) };
        accounts.put(Arc::new(account));
        Ok(())
    }

    fn import_ban(&mut self, act: Act) -> Result<(), Refusal> {
        if act.deed.verb != Verb::Ban || act.is_for_now() {
            return Err(NO_PAST);
        }
        self.rules.bans.entry(act.reach.clone()).or_default().push(act);
        Ok(())
    }

    fn import_mute(&mut self, act: Act) -> Result<(), Refusal> {
        if act.deed.verb != Verb::Mute || act.is_for_now() {
            return Err(NO_PAST);
        }
        self.rules.mutes.push(Mute { people: Vec::new(), act });
        Ok(())
    }

    fn import_message(&mut self, message: &ImportedMessage) -> Result<(), Refusal> {
        let ImportedMessage { number, at, from, writer, rank, spoken, .. } = message;
        let owner = self.owner(&message.owner)?;
        if *number <= self.kept.last {
            return Err(NO_PAST);
        }
        let sealed = SealedMessage::new(*at, (from, *writer), spoken);
        let writer = writer.map_or(*number, Kept::writer);
        let key = spoken.key().unwrap_or(0);
        self.kept.add(&owner, Kept { number: *number, writer, rank: *rank, key, sealed });
        Ok(())
    }

    /// Takes over lines behind the end of their room. They keep their numbers and times.
    fn import_lines(&mut self, imported: ImportedLines) -> Result<(), Refusal> {
        let ImportedLines { room, first, owner, times, lines, .. } = imported;
        let count = lines.value.len();
        let more = (count as u64).checked_sub(1).ok_or(NO_PAST)?;
        let last = first.checked_add(more).ok_or(NO_PAST)?;
        let at = times.last().copied().ok_or(NO_PAST)?;
        if times.len() != count || first <= self.rooms.end(&room).seq {
            return Err(NO_PAST);
        }
        let owner = owner.map(|owner| self.owner(&owner)).transpose()?;
        self.seals.accept(owner.as_ref(), lines);
        self.rooms.set_end(&room, End { seq: last, at });
        Ok(())
    }

    /// The name of an owner as it is registered.
    fn owner(&self, name: &Name) -> Result<Name, Refusal> {
        self.people.accounts.of(name).map(|account| account.name.clone()).ok_or(NO_PAST)
    }

    /// A claim with the proof of the present password of its account.
    fn past_claim(&self, claim: Claim) -> Result<Claim, Refusal> {
        let Some(account) = &claim.account else {
            return Ok(claim);
        };
        let account = self.people.accounts.of(&account.name).ok_or(NO_PAST)?;
        let account = ProvenAccount { name: account.name.clone(), proof: account.proof };
        Ok(Claim { account: Some(account), ..claim })
    }
}
