//! Boots begin and end, and only proposals of live boots count. Knows no clock: the nodes propose
//! which of them is down.

use std::collections::BTreeMap;

use super::event::{Exile, Happened};
use super::nodes::{Boot, Skipped};
use super::people::Person;
use super::state::Ledger;
use crate::intent::{Intent, Proposal, ProposalId, Stamp};
use crate::model::{Format, PersonId, ProvenAccount, WallTime};

impl Ledger {
    /// Whether a proposal with a place in the order counts. Its intents are then
    /// [applied](Ledger::apply). Each proposal of a node counts once, and time does not go back.
    ///
    /// # Errors
    /// It does not count, on any node.
    pub fn admit(&mut self, proposal: &Proposal, at: WallTime) -> Result<Stamp, Skipped> {
        if proposal.format > self.nodes.format {
            return Err(Skipped::NotInForce); // without a trace, as on nodes that cannot read it
        }
        let id = proposal.id;
        if let Some(parts) = self.importing {
            let more = Ledger::parts_of_past(&proposal.intents);
            let more = more.filter(|_| id == ProposalId { boot: 0, number: parts });
            let more = more.ok_or_else(|| self.skip(proposal, Skipped::Fenced))?;
            self.importing = Some(parts + more);
            self.nodes.at = self.nodes.at.max(at);
            return Ok(Stamp { boot: 0, at: self.nodes.at });
        }
        match (self.nodes.boots.get_mut(&id.boot), &proposal.intents[..]) {
            (Some(boot), _) if boot.is_live && id.number > boot.last => boot.last = id.number,
            (Some(boot), _) if boot.is_live => return Err(self.skip(proposal, Skipped::Repeated)),
            (None, [Intent::Up { .. }]) if id.boot == 0 => {} // its intent says if it counts
            _ => return Err(self.skip(proposal, Skipped::Fenced)),
        }
        self.nodes.at = self.nodes.at.max(at);
        Ok(Stamp { boot: id.boot, at: self.nodes.at })
    }

    /// The format in force.
    pub fn format(&self) -> Format {
        self.nodes.format
    }

    /// Skips a proposal. What is sealed in it is given up, unless an earlier copy has counted.
    fn skip(&mut self, proposal: &Proposal, why: Skipped) -> Skipped {
        let keys = proposal.intents.iter().map(Intent::seal_key);
        keys.for_each(|key| self.seals.give_up_unused(key));
        why
    }

    /// Begins a boot, if `after` is the last one of its node. That one ends. A program that cannot
    /// read what the others write begins none.
    pub(super) fn begin_boot(
        &mut self,
        boot: Boot,
        after: Option<u32>,
        happened: &mut Vec<Happened>,
    ) {
        let before = self.nodes.last_of(&boot.node).map(|(number, _)| number);
        if before != after {
            return; // it came before, or the node has begun another one
        }
        let (node, nonce) = (boot.node.clone(), boot.nonce);
        if boot.program.newest < self.nodes.format {
            return happened.push(Happened::BootRefused { node, nonce });
        }
        if let Some(before) = before {
            self.end_boot(before, happened);
        }
        happened.push(match self.nodes.begin(boot, before) {
            Some(boot) => Happened::BootBegan { boot, node, nonce },
            None => Happened::BootRefused { node, nonce },
        });
    }

    /// Ends a boot that was silent since its proposal with the number `last`.
    pub(super) fn end_silent_boot(&mut self, boot: u32, last: u64, happened: &mut Vec<Happened>) {
        if self.nodes.boots.get(&boot).is_some_and(|boot| boot.last == last) {
            self.end_boot(boot, happened);
        }
    }

    /// Ends a boot: its people leave the server, and its proposals no longer count.
    pub(super) fn end_boot(&mut self, boot: u32, happened: &mut Vec<Happened>) {
        match self.nodes.boots.get_mut(&boot) {
            Some(boot) if boot.is_live => boot.is_live = false,
            _ => return,
        }
        let people = self.people.iter().filter(|(_, person)| person.boot == boot);
        let exile = |(id, person): (PersonId, &Person)| {
            let lent = person.lent.as_ref().and_then(|name| self.people.accounts.of(name));
            let lent =
                lent.map(|lent| ProvenAccount { name: lent.name.clone(), proof: lent.proof });
            (id, Exile { person: person.clone(), codes: Vec::new(), lent })
        };
        let mut people: BTreeMap<_, _> = people.map(exile).collect();
        for (hash, _, id) in self.codes.held() {
            people.entry(id).and_modify(|exile| exile.codes.push(hash));
        }
        let ids: Vec<PersonId> = people.keys().copied().collect();
        happened.push(Happened::BootEnded { boot, people });
        self.end_codes_of_people(&ids, happened);
        for id in ids {
            self.leave_server(id, (None, None), self.nodes.at, happened);
        }
    }
}
