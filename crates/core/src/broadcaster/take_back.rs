//! Taking back what was said: in the logs, for everyone. Knows no journal.

use super::Broadcaster;
use super::gather::Happening;
use crate::link::Refusal;
use crate::model::{Manner, PersonId, RoomName, Said, WallTime, Who};

impl Broadcaster {
    /// Takes the words out of all lines that the owner of a name has said under it since then, and tells those rooms in
    /// which there were any, and those in which the owner sits. Where each room ends now, in memory or not, in which
    /// anything was said since then: what is said later stays.
    pub(super) fn take_back(
        &mut self,
        owner: PersonId,
        since: WallTime,
    ) -> Result<Vec<(RoomName, u64)>, Refusal> {
        let person = self.people.get(owner).ok_or(Refusal::NotThere)?;
        if !person.is_owner() {
            return Err(Refusal::NotOwner);
        }
        let name = person.name.clone();
        let is_own =
            |said: &Said| said.manner != Manner::Gone && said.who.name.keys()[0] == name.keys()[0];
        let bygone = self
            .ends
            .iter()
            .flatten()
            .filter(|(_, end)| end.at >= since);
        let mut ends: Vec<_> = bygone.map(|(room, end)| (room.clone(), end.seq)).collect();
        let mut told = Vec::new();
        for room in self.rooms.values() {
            let weight = room.log.weight();
            if room.log.forget(since, is_own) || person.sits_in(room.id) {
                told.push(room.id);
            }
            self.logs_bytes = self.logs_bytes + room.log.weight() - weight;
            ends.push((room.name.clone(), room.log.end().seq));
        }
        for room in told {
            let who = Who {
                id: owner,
                name: name.clone(),
            };
            self.happen(room, Happening::TookBack { who });
        }
        Ok(ends)
    }
}
