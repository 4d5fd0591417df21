//! Boots begin and end. When the boot of this node ends while the node lives, its people leave for
//! everybody else. Here they keep their connections, read on, and enter again in the next boot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pending::{Happening, Sequel};
use super::rooms::Seated;
use super::state::Broadcaster;
use crate::intent::{Intent, Reentry};
use crate::ledger::{Exile, Person};
use crate::link::{Notice, Refusal, address_name};
use crate::model::{Claim, Looks, Name, NodeName, Now, PersonId, RoomName, Who};

impl Broadcaster {
    /// A boot has begun. If it is that of this node, people enter again before anything else
    /// happens.
    pub(super) fn boot_began(&mut self, boot: u32, name: &NodeName, nonce: u64, now: Now) {
        self.note_live();
        let Some(node) = self.node_mut() else {
            return;
        };
        node.hear(boot, now.monotonic);
        if node.name != *name {
            return;
        }
        if node.begin(boot, nonce) {
            self.inbox.begin_boot(boot);
            self.bring_back_exiles();
        }
    }

    fn bring_back_exiles(&mut self) {
        let exiles = self.node.iter().flat_map(|node| &node.exiles);
        let returns: Vec<_> = exiles.map(|(&id, person)| self.return_of(id, person)).collect();
        returns.into_iter().rev().for_each(|intent| self.offer_first(intent, None));
    }

    fn return_of(&self, person: PersonId, exile: &Exile) -> Intent {
        let Exile { person: before, codes, lent } = exile.clone();
        let Person { name, account, looks, profile, seats, away, modes, markers, .. } = before;
        let connection = self.connections.get(&person);
        let address = connection.and_then(|connection| connection.client.address());
        let address = address_name(person, address);
        let name = Claim { name, account };
        let otherwise = (address.clone(), Looks::of(&address));
        Intent::Return(Box::new(Reentry {
            person,
            name,
            looks,
            otherwise,
            profile,
            away,
            modes,
            lent,
            markers: markers.0,
            rooms: seats,
            codes,
        }))
    }

    /// Tells the sequencer which nodes live.
    pub(super) fn note_live(&mut self) {
        let live = self.ledger.nodes.live().map(|(_, boot)| boot.node.clone()).collect();
        self.sequencer.note_live(live);
    }

    /// A boot has ended, and its people leave now: as a crowd, if there are several.
    pub(super) fn boot_ended(&mut self, boot: u32, people: BTreeMap<PersonId, Exile>) {
        let mut rooms: BTreeMap<&RoomName, usize> = BTreeMap::new();
        for room in people.values().flat_map(|exile| &exile.person.seats) {
            *rooms.entry(room).or_default() += 1;
        }
        for (room, _) in rooms.into_iter().filter(|(_, people)| *people > 1) {
            self.happen_in(room, Happening::Crowd);
        }
        self.note_live();
        let Some(node) = self.node_mut() else {
            return;
        };
        node.forget(boot);
        if node.boot != boot {
            return;
        }
        node.end_boot();
        if node.is_leaving() {
            node.note_left();
            return self.refuse(Refusal::NotSent, |_| false);
        }
        // Everybody who has to return gets a new intent, and no other boot is accused for the past.
        self.sift(|intent| {
            !matches!(intent, Intent::Return(_) | Intent::Down { .. } | Intent::Alive)
        });
        let people = people.into_iter().filter(|(id, _)| self.connections.contains_key(id));
        let people: Vec<_> = people.collect();
        if let Some(node) = self.node_mut() {
            node.exiles.extend(people);
        }
    }

    /// Whether this person's boot has ended, while the connection stays here.
    pub(super) fn is_exile(&self, id: PersonId) -> bool {
        self.node.as_ref().is_some_and(|node| node.exiles.contains_key(&id))
    }

    /// A person has entered again.
    pub(super) fn returned(&mut self, who: &Who, from: Name, refused: Vec<(RoomName, Refusal)>) {
        if self.node_mut().and_then(|node| node.exiles.remove(&who.id)).is_none() {
            return; // on another node
        }
        if who.name != from {
            self.tell_one(who.id, Notice::NameGone { from, now: who.name.clone() });
        }
        for (room, refusal) in refused {
            let Some(place) = self.take_place(&room, who.id) else {
                continue;
            };
            let Some(connection) = self.connections.get(&who.id) else {
                continue;
            };
            let client = Arc::clone(&connection.client);
            if let Refusal::Banned(act) | Refusal::Muted(act) = refusal {
                let (client, place) = (Arc::clone(&client), Some(Arc::clone(&place)));
                let act = self.with_author(Arc::from(act)).into();
                self.gathering.sequels.push(Sequel::Removal { client, place, act });
            }
            self.happen(place.room, Happening::SeatLost(Seated { client, place }));
        }
    }
}
