//! The digest of a ledger: a number that tells two ledgers apart.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::Arc;

use fnv::FnvHasher;

use super::accounts::{Account, Owners};
use super::codes::{ReturnCode, Validity};
use super::kept::{Kept, KeptForOwners};
use super::nodes::{Boot, Nodes};
use super::people::{People, Person};
use super::room_rules::{Invited, RulesOfRoom};
use super::rooms::RoomState;
use super::rules::{Mute, Rules};
use super::seals::{OwnerKeys, Seals};
use super::state::{Absent, Ledger};
use crate::model::{
    Act, Author, By, Deed, End, Erasable, Hashed, Line, Looks, Name, PersonId, Profile,
    ProvenAccount, Reach, RoomName, RoomRules, Topic, WallTime, Who,
};

impl Ledger {
    /// A number over all that a [snapshot](Ledger::snapshot) has. Two ledgers with the same
    /// contents have the same digest, on every machine and in every run. Takes time in proportion
    /// to the contents.
    ///
    /// The function is FNV-1a with 64 bits, over texts with their lengths and over numbers in
    /// little-endian order. A single byte that differs always changes it, and of larger differences
    /// it misses one in 2^64. So it finds ledgers that went apart by an error; it does not stop an
    /// attacker who makes two ledgers with one digest.
    pub fn digest(&self) -> u64 {
        let Ledger { people, rules, rooms, is_stored, codes, kept, nodes, absent, .. } = self;
        let Ledger { events, markers, seals, importing, .. } = self;
        let mut digest = Digest::default();
        digest.people(people);
        digest.rules(rules);
        digest.each(rooms.iter(), Digest::room);
        digest.number(u64::from(*is_stored));
        digest.each(&codes.codes, Digest::code);
        digest.kept(kept);
        digest.each(absent, Digest::absent);
        digest.nodes(nodes);
        digest.number(*events);
        digest.each(&markers.markers, |digest, (owner, markers)| {
            digest.text(owner);
            digest.markers(&markers.0);
        });
        digest.seals(seals);
        digest.each(importing, |digest, parts| digest.number(*parts));
        digest.0.finish()
    }
}

/// A digest of everything that was written so far.
#[derive(Default)]
struct Digest(FnvHasher);

impl Digest {
    fn people(&mut self, people: &People) {
        let People { people, accounts, .. } = people; // the rest follows from them
        self.each(people, Digest::person);
        let Owners { accounts, keys, last_proof } = accounts;
        self.each(accounts, |digest, (_, account)| digest.account(account));
        self.each(keys, |digest, (key, name)| {
            digest.text(key);
            digest.name(name);
        });
        self.number(last_proof.0);
    }

    fn account(&mut self, account: &Account) {
        let Account { name, since, password, token, proof } = account;
        self.name(name);
        self.number(since.0.cast_unsigned());
        self.erasable(password, |digest, password| digest.text(password));
        self.each(token, |digest, token| {
            digest.erasable(token, |digest, token| digest.hash(*token));
        });
        self.number(proof.0);
    }

    fn person(&mut self, (&id, person): (&PersonId, &Person)) {
        let Person {
            name,
            account,
            looks,
            profile,
            seats,
            keeps_for_now,
            voices,
            away,
            boot,
            markers,
            modes,
            lent,
        } = person;
        self.id(id);
        self.claim(name, account.as_ref());
        self.looks(looks);
        self.each(profile, |digest, profile| digest.profile(profile));
        self.each(seats, Digest::room_name);
        self.each(keeps_for_now, Digest::room_name);
        self.each(voices, Digest::room_name);
        self.each(away, Digest::line);
        self.number((*boot).into());
        self.markers(&markers.0);
        self.number(modes.bits().into());
        self.each(lent, Digest::name);
    }

    fn claim(&mut self, name: &Name, account: Option<&ProvenAccount>) {
        self.name(name);
        self.each(account, |digest, ProvenAccount { name, proof }| {
            digest.name(name);
            digest.number(proof.0);
        });
    }

    fn looks(&mut self, looks: &Looks) {
        self.text(looks.shown());
        self.number(looks.others().count() as u64);
        for (look, key) in looks.others_with_keys() {
            self.text(look);
            self.text(key);
        }
    }

    fn profile(&mut self, profile: &Profile) {
        for text in [profile.user(), profile.realname(), profile.host()] {
            self.line(text);
        }
        self.number(profile.is_bot().into());
    }

    fn rules(&mut self, rules: &Rules) {
        let Rules { keepers, makers, bans, mutes } = rules;
        self.each(keepers, |digest, (reach, names)| {
            digest.reach(reach);
            digest.each(names, Digest::name);
        });
        self.each(makers, |digest, (room, maker)| {
            digest.room_name(room);
            digest.name(maker);
        });
        self.each(bans, |digest, (_, bans)| digest.each(bans, Digest::act));
        self.each(mutes, |digest, Mute { people, act }| {
            digest.each(people, |digest, id| digest.id(*id));
            digest.act(act);
        });
    }

    fn room(&mut self, (name, state): (&RoomName, &RoomState)) {
        let RoomState { end: End { seq, at }, topic, is_locked_for_now, rules, seats } = state;
        let Topic { text, is_locked } = topic;
        self.room_name(name);
        self.number(*seq);
        self.number(at.0.cast_unsigned());
        self.each(text, Digest::line);
        self.number((*is_locked).into());
        self.number((*is_locked_for_now).into());
        self.number(*seats as u64);
        let RulesOfRoom { now, lasting, invited } = rules;
        [now, lasting].into_iter().for_each(|rules| self.room_rules(rules));
        self.each(invited, |digest, Invited { name, people, account }| {
            digest.name(name);
            digest.each(people, |digest, id| digest.id(*id));
            digest.each(account, Digest::name);
        });
    }

    fn room_rules(&mut self, rules: &RoomRules) {
        let RoomRules { is_invited_only, is_moderated, is_secret, password, people_max } = rules;
        for flag in [*is_invited_only, *is_moderated, *is_secret] {
            self.number(flag.into());
        }
        self.each(password, Digest::line);
        self.each(people_max, |digest, max| digest.number(*max));
    }

    fn code(&mut self, (hash, code): (&Hashed, &Arc<ReturnCode>)) {
        let ReturnCode { claim, looks, room, seq, validity } = &**code;
        self.hash(*hash);
        self.claim(&claim.name, claim.account.as_ref());
        self.looks(looks);
        self.room_name(room);
        self.number(*seq);
        match validity {
            Validity::Held(id) => {
                self.number(0);
                self.id(*id);
            }
            Validity::Until(end) => {
                self.number(1);
                self.number(end.0.cast_unsigned());
            }
        }
    }

    fn kept(&mut self, kept: &KeptForOwners) {
        let KeptForOwners { waiting, last } = kept;
        self.each(waiting, |digest, (key, kept)| {
            digest.text(key);
            // The rest is sealed with that key. Not every node has it, as some began with a snapshot
            // without it.
            digest.each(kept, |digest, Kept { number, writer, rank, key, sealed: _ }| {
                digest.number(*number);
                digest.number(*writer);
                digest.number(*key);
                digest.number(*rank as u64);
            });
        });
        self.number(*last);
    }

    /// A value that not every node can open: its seal is the same everywhere.
    fn erasable<T>(&mut self, erasable: &Erasable<T>, write: impl Fn(&mut Digest, &T)) {
        match erasable.key() {
            Some(key) => self.number(key),
            None => write(self, &erasable.value),
        }
    }

    fn seals(&mut self, seals: &Seals) {
        let Seals { lines, in_use, to_erase } = seals;
        self.each(lines, |digest, (owner, OwnerKeys { live, given_up })| {
            digest.text(owner);
            digest.each(live, |digest, key| digest.number(*key));
            digest.number(*given_up);
        });
        for keys in [in_use, to_erase] {
            self.each(keys, |digest, key| digest.number(*key));
        }
    }

    fn markers(&mut self, markers: &BTreeMap<Box<str>, WallTime>) {
        self.each(markers, |digest, (key, at)| {
            digest.text(key);
            digest.number(at.0.cast_unsigned());
        });
    }

    fn absent(&mut self, absent: &Absent) {
        let Absent { who: Who { id, name, account, profile }, heir, room } = absent;
        self.id(*id);
        self.name(name);
        self.each(account, Digest::name);
        self.each(profile, |digest, profile| digest.profile(profile));
        self.id(*heir);
        self.room_name(room);
    }

    fn nodes(&mut self, nodes: &Nodes) {
        let Nodes { format, boots, last_boot, at } = nodes;
        self.number(format.0);
        self.each(boots, |digest, (&number, boot)| {
            let Boot { node, nonce, program, last, is_live } = boot;
            digest.number(number.into());
            [node.as_str(), program.version()].into_iter().for_each(|text| digest.text(text));
            let numbers = [*nonce, program.newest.0, *last, (*is_live).into()];
            numbers.into_iter().for_each(|n| digest.number(n));
        });
        self.number((*last_boot).into());
        self.number(at.0.cast_unsigned());
    }

    fn act(&mut self, act: &Act) {
        let Act { deed: Deed { verb, whom, time, text }, by, reach, at } = act;
        self.number(*verb as u64);
        self.text(&whom.to_string());
        self.each(time, |digest, time| {
            digest.number(time.as_secs());
            digest.number(time.subsec_nanos().into());
        });
        self.each(text, Digest::line);
        self.number(match by {
            By::Operator => 0,
            By::Oneself => 1,
            By::NewPassword => 2,
            By::Keeper(_) => 3,
            By::KeeperForNow(_) => 4,
            By::NoKeeper => 5,
            By::Node => 6,
        });
        self.each(by.author(), Digest::author);
        self.reach(reach);
        self.number(at.0.cast_unsigned());
    }

    fn author(&mut self, author: &Author) {
        let Author { name, account, id } = author;
        self.name(name);
        self.each(account, Digest::name);
        self.id(*id);
    }

    fn reach(&mut self, reach: &Reach) {
        self.each(reach.room(), Digest::room_name);
    }

    /// A name with its keys, which decide who else may have it.
    fn name(&mut self, name: &Name) {
        self.text(name.as_str());
        name.keys().into_iter().for_each(|key| self.text(key));
    }

    fn room_name(&mut self, room: &RoomName) {
        self.text(room.as_str());
    }

    fn line(&mut self, line: &Line) {
        self.text(line.as_str());
    }

    fn hash(&mut self, hash: Hashed) {
        self.0.write(&hash.0);
    }

    fn id(&mut self, id: PersonId) {
        self.number(id.number());
    }

    /// The number of values, and each of them.
    fn each<I: IntoIterator<IntoIter: ExactSizeIterator>>(
        &mut self,
        values: I,
        write: impl Fn(&mut Digest, I::Item),
    ) {
        let values = values.into_iter();
        self.number(values.len() as u64);
        values.for_each(|value| write(self, value));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.write(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.write(&number.to_le_bytes());
    }
}
