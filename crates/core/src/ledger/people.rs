//! The people on the server and the names they have. Knows no connection.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::accounts::Owners;
use super::markers::Markers;
use super::rules::Subject;
use crate::model::{
    Claim, Line, Looks, Modes, Name, PersonId, Profile, ProvenAccount, RoomName, WallTime, Who,
};
use crate::refusal::Refusal;

/// A person on the server, on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: Name,
    /// The account to which this person is logged in, under its name or another one.
    pub account: Option<ProvenAccount>,
    /// The spellings of the name.
    pub looks: Looks,
    /// The profile from the person's client.
    pub profile: Option<Arc<Profile>>,
    /// The rooms in which this person sits, in the order in which they were entered.
    pub seats: Vec<RoomName>,
    /// The rooms that this person keeps for the time being, while sitting there.
    pub keeps_for_now: Vec<RoomName>,
    /// The rooms in which this person has a voice, while sitting there.
    pub voices: Vec<RoomName>,
    /// The text with which this connection is away.
    pub away: Option<Line>,
    /// The boot of the node with the connection.
    pub boot: u32,
    /// How far this person has read while they were logged in to no account.
    pub markers: Markers,
    /// The modes that this person has set.
    pub modes: Modes,
    /// The account of the keeper of the server whose authority this connection has.
    pub lent: Option<Name>,
}

impl Person {
    /// The name, with the account.
    pub(crate) fn claim(&self) -> Claim {
        Claim { name: self.name.clone(), account: self.account.clone() }
    }

    /// The name of the account.
    pub(crate) fn account(&self) -> Option<&Name> {
        self.account.as_ref().map(|account| &account.name)
    }

    /// The person, as others read about them.
    pub(crate) fn who(&self, id: PersonId) -> Who {
        let account = self.account().cloned();
        Who { id, name: self.name.clone(), account, profile: self.profile.clone() }
    }

    /// Whether this person owns the name that they have now.
    pub(crate) fn is_owner(&self) -> bool {
        self.account().is_some_and(|account| account.is_same(&self.name))
    }

    /// The person, as the rules know them. The ledger knows no address.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            account: self.account(),
            address: None,
            seats: &self.seats,
            keeps_for_now: &self.keeps_for_now,
            lent: self.lent.as_ref(),
        }
    }

    /// Ends what a person is in a room while sitting there.
    pub(super) fn lose_ranks(&mut self, room: &RoomName) {
        self.keeps_for_now.retain(|kept| kept != room);
        self.voices.retain(|voice| voice != room);
    }

    /// Whether this person has a seat in a room.
    pub(crate) fn sits_in(&self, room: &RoomName) -> bool {
        self.seats.contains(room)
    }
}

/// Everybody on the server. A request to enter claims its name at once. Only one person wears a
/// name: on one connection, or on several if the person owns it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct People {
    pub(super) people: BTreeMap<PersonId, Person>,
    /// Both keys of every name that is worn.
    keys: Wearers,
    /// The spellings of these names in other letters, if they differ from the keys: few names have
    /// any.
    looks: Wearers,
    /// The first keys of the accounts to which people are logged in.
    logged_in: Wearers,
    /// The people who have the authority of another account.
    operators: BTreeSet<PersonId>,
    /// The people whom no mask finds.
    invisible: BTreeSet<PersonId>,
    /// The names that have an owner.
    pub(crate) accounts: Owners,
}

impl People {
    /// The people from a snapshot, under their names.
    pub(super) fn restore(people: BTreeMap<PersonId, Person>, accounts: Owners) -> People {
        let (mut keys, mut looks) = (Wearers::default(), Wearers::default());
        let mut logged_in = Wearers::default();
        for (&id, person) in &people {
            keys.add(id, person.name.keys());
            looks.add(id, person.looks.others());
            logged_in.add(id, key(&person.account));
        }
        let of = |is_so: fn(&Person) -> bool| {
            let people = people.iter().filter(|(_, person)| is_so(person));
            people.map(|(id, _)| *id).collect()
        };
        let operators = of(|person| person.lent.is_some());
        let invisible = of(|person| person.modes.has(Modes::INVISIBLE));
        People { people, keys, looks, logged_in, operators, invisible, accounts }
    }

    pub(crate) fn get(&self, id: PersonId) -> Option<&Person> {
        self.people.get(&id)
    }

    /// A person, to change the seats: names and accounts are found by their keys, too.
    pub(crate) fn get_mut(&mut self, id: PersonId) -> Option<&mut Person> {
        self.people.get_mut(&id)
    }

    /// Everybody, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PersonId, &Person)> {
        self.people.iter().map(|(&id, person)| (id, person))
    }

    /// Everybody from this one on, in the order in which they came.
    pub(crate) fn from(&self, first: PersonId) -> impl Iterator<Item = (PersonId, &Person)> {
        self.people.range(first..).map(|(&id, person)| (id, person))
    }

    /// The connections from this one on, in the order in which they came.
    pub(crate) fn ids_from(&self, from: PersonId) -> impl Iterator<Item = PersonId> {
        self.from(from).map(|(id, _)| id)
    }

    pub(crate) fn len(&self) -> usize {
        self.people.len()
    }

    /// The number of claimed keys.
    pub(crate) fn keys_len(&self) -> usize {
        self.keys.0.len() + self.looks.0.len()
    }

    /// The person, under the current name.
    pub(crate) fn who(&self, id: PersonId) -> Option<Who> {
        Some(self.people.get(&id)?.who(id))
    }

    /// The person whose name has this first key.
    pub(crate) fn find(&self, key: &str) -> Option<Who> {
        self.called(key).next().map(|(id, person)| person.who(id))
    }

    /// All connections that wear a name, whatever its case.
    pub(crate) fn wearers(&self, name: &Name) -> impl Iterator<Item = PersonId> {
        self.called(name.keys()[0]).map(|(id, _)| id)
    }

    /// All connections that are logged in to an account, under any name.
    pub(crate) fn of_account(&self, account: &Name) -> impl Iterator<Item = PersonId> {
        self.logged_in.of(account.keys()[0])
    }

    /// The people with this name. The other key of a name only refuses look-alikes, and finds
    /// nobody.
    fn called(&self, key: &str) -> impl Iterator<Item = (PersonId, &Person)> {
        let wearers = self.keys.of(key);
        let people = wearers.filter_map(|id| Some((id, self.people.get(&id)?)));
        people.filter(move |(_, person)| person.name.keys()[0] == key)
    }

    /// The first connection of the person with this name.
    pub(crate) fn wearer(&self, name: &Name) -> Option<PersonId> {
        self.of_person(name).next().map(|(id, _)| id)
    }

    /// Whether the person with this name sits in a room, or will in a moment.
    pub(crate) fn is_worn_in(&self, name: &Name, room: &RoomName) -> bool {
        self.of_person(name).any(|(_, person)| person.sits_in(room))
    }

    /// The other connections of the person with a name.
    pub(super) fn others(&self, name: &Name, id: PersonId) -> impl Iterator<Item = &Person> {
        let others = self.of_person(name).filter(move |(other, _)| *other != id);
        others.map(|(_, person)| person)
    }

    /// Whether the person with this name keeps a room for the time being.
    pub(crate) fn is_keeper_for_now(&self, name: &Name, room: &RoomName) -> bool {
        self.called(name.keys()[0]).any(|(_, person)| person.keeps_for_now.contains(room))
    }

    /// The connections of the person with this name, including those that end because the name was
    /// released. None for an address, which two people may share.
    fn of_person(&self, name: &Name) -> impl Iterator<Item = (PersonId, &Person)> {
        let is_shared = name.is_address();
        let people = self.called(name.keys()[0]);
        people.filter(move |_| !is_shared)
    }

    /// Whether another connection of the same person sits in a room, or will in a moment.
    pub(crate) fn is_accompanied(&self, id: PersonId, room: &RoomName) -> bool {
        let person = self.people.get(&id).filter(|person| person.is_owner());
        person.is_some_and(|person| self.is_worn_in(&person.name, room))
    }

    /// Whether this is one of several connections that end because the name was released, or has
    /// another password. Only owners have several.
    pub(crate) fn is_lost(&self, id: PersonId) -> bool {
        let person = self.people.get(&id).filter(|person| !person.is_owner());
        person.is_some_and(|person| self.others(&person.name, id).next().is_some())
    }

    /// Whether somebody who is logged in to an account sits in a room.
    pub(crate) fn is_logged_in_at(&self, account: &Name, room: &RoomName) -> bool {
        let mut people = self.of_account(account).filter_map(|id| self.people.get(&id));
        people.any(|person| person.sits_in(room))
    }

    /// The number of people in a room. Several connections of an owner are one person.
    pub(crate) fn count_in(&self, room: &RoomName) -> usize {
        let here = self.iter().filter(|(_, person)| person.sits_in(room));
        let key = |(id, person): (PersonId, &Person)| match person.is_owner() {
            true => Err(person.name.keys()[0].to_owned()),
            false => Ok(id),
        };
        here.map(key).collect::<BTreeSet<_>>().len()
    }

    /// The connections of a person in a room: several if the person owns the name.
    pub(crate) fn connections_in(&self, id: PersonId, room: &RoomName) -> Vec<PersonId> {
        let Some(person) = self.people.get(&id).filter(|person| person.is_owner()) else {
            return vec![id];
        };
        let own = self.of_person(&person.name).filter(|(_, own)| own.is_owner());
        own.filter(|(_, own)| own.sits_in(room)).map(|(id, _)| id).collect()
    }

    /// All connections of a person: several if the person owns the name.
    pub(crate) fn connections(&self, id: PersonId) -> Vec<PersonId> {
        let Some(person) = self.people.get(&id).filter(|person| person.is_owner()) else {
            return vec![id];
        };
        let own = self.of_person(&person.name).filter(|(_, own)| own.is_owner());
        own.map(|(id, _)| id).collect()
    }

    /// A connection of the owner of a name who wears it, except this one.
    pub(crate) fn owner_beside(&self, id: PersonId, name: &Name) -> Option<PersonId> {
        let mut own = self.of_person(name).filter(|(_, own)| own.is_owner());
        own.find(|(other, _)| *other != id).map(|(other, _)| other)
    }

    /// The text with which a person is away. An owner is away if all connections are.
    pub(crate) fn away(&self, id: PersonId) -> Option<&Line> {
        let away = self.people.get(&id)?.away.as_ref()?;
        let mut own = self.connections(id).into_iter().filter_map(|id| self.people.get(&id));
        own.all(|person| person.away.is_some()).then_some(away)
    }

    /// Lets a person keep a room for the time being.
    pub(crate) fn keep_for_now(&mut self, id: PersonId, room: &RoomName) {
        let person = self.people.get_mut(&id);
        if let Some(person) = person.filter(|person| !person.keeps_for_now.contains(room)) {
            person.keeps_for_now.push(room.clone());
        }
    }

    /// Gives a person a voice in a room, or takes it.
    pub(crate) fn set_voice(&mut self, id: PersonId, room: &RoomName, has_voice: bool) {
        if let Some(person) = self.people.get_mut(&id) {
            person.voices.retain(|voice| voice != room);
            person.voices.extend(has_voice.then(|| room.clone()));
        }
    }

    /// Adds a new person under this name, which they may claim.
    pub(crate) fn enter(
        &mut self,
        id: PersonId,
        (claim, looks): (Claim, Looks),
        profile: Option<Arc<Profile>>,
        boot: u32,
    ) {
        self.keys.add(id, claim.name.keys());
        self.looks.add(id, looks.others());
        let account = claim.account.and_then(|account| self.accounts.registered(account));
        self.logged_in.add(id, key(&account));
        let (name, [seats, keeps_for_now, voices]) = (claim.name, [const { Vec::new() }; 3]);
        let (away, markers) = (None, Markers::default());
        let is_bot = profile.as_ref().is_some_and(|profile| profile.is_bot());
        let modes = if is_bot { Modes::BOT } else { Modes::NONE };
        let lent = None;
        let person = Person {
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
        };
        self.people.insert(id, person);
    }

    /// Lets a person be logged in to another account, or to none. Returns the account before.
    pub(super) fn set_account(
        &mut self,
        id: PersonId,
        account: Option<ProvenAccount>,
    ) -> Option<ProvenAccount> {
        let person = self.people.get_mut(&id)?;
        self.logged_in.remove(id, key(&person.account));
        self.logged_in.add(id, key(&account));
        std::mem::replace(&mut person.account, account)
    }

    /// Gives a person another name, and frees the old one. Returns the old one. The person stays
    /// logged in, or is logged in to the account of the claim from now on.
    pub(crate) fn rename(
        &mut self,
        id: PersonId,
        claim: Claim,
        looks: Looks,
    ) -> Result<Name, Refusal> {
        let person = self.people.get(&id).ok_or(Refusal::NotThere)?;
        let account = claim.account.or_else(|| person.account.clone());
        let claim = Claim { account, ..claim };
        self.may_claim(&[id], &claim, &looks)?;
        let account = claim.account.and_then(|account| self.accounts.registered(account));
        self.set_account(id, account);
        let person = self.people.get_mut(&id).ok_or(Refusal::NotThere)?;
        let from = std::mem::replace(&mut person.name, claim.name.clone());
        let looked = std::mem::replace(&mut person.looks, looks);
        let kept = claim.name.keys();
        let gone = from.keys().into_iter().filter(|key| !kept.contains(key));
        self.keys.add(id, kept);
        self.keys.remove(id, gone);
        self.looks.remove(id, looked.others());
        self.looks.add(id, person.looks.others()); // some may belong to both names
        Ok(from)
    }

    /// Frees the name of a person who leaves the server.
    pub(crate) fn leave(&mut self, id: PersonId) {
        if let Some(person) = self.people.remove(&id) {
            self.keys.remove(id, person.name.keys());
            self.looks.remove(id, person.looks.others());
            self.logged_in.remove(id, key(&person.account));
            self.operators.remove(&id);
            self.invisible.remove(&id);
        }
    }

    /// Gives a person these modes. A person who is a program by them has that in the profile.
    pub(super) fn set_modes(&mut self, id: PersonId, modes: Modes) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        person.modes = modes;
        let is_bot = modes.has(Modes::BOT);
        let profile = person.profile.take();
        person.profile = profile.map(|profile| match profile.is_bot() == is_bot {
            true => profile,
            false => Arc::new(profile.as_bot(is_bot)),
        });
        match modes.has(Modes::INVISIBLE) {
            true => self.invisible.insert(id),
            false => self.invisible.remove(&id),
        };
    }

    /// Sets how far a person has read who is logged in to no account.
    pub(super) fn set_markers(&mut self, id: PersonId, markers: BTreeMap<Box<str>, WallTime>) {
        let person = self.people.get_mut(&id).filter(|person| person.account.is_none());
        if let Some(person) = person {
            person.markers = Markers(markers);
        }
    }

    /// Gives a person the authority of this account, or of none.
    pub(super) fn set_lent(&mut self, id: PersonId, lent: Option<Name>) {
        let Some(person) = self.people.get_mut(&id) else {
            return;
        };
        match lent.is_some() {
            true => self.operators.insert(id),
            false => self.operators.remove(&id),
        };
        person.lent = lent;
    }

    /// The people who have the authority of this account.
    pub(super) fn with_lent(&self, account: &Name) -> Vec<PersonId> {
        let is_theirs = |(_, lent): &(PersonId, &Name)| lent.is_same(account);
        self.operators().filter(is_theirs).map(|(id, _)| id).collect()
    }

    /// The people who have the authority of another account, which may be a keeper's no longer.
    pub(crate) fn operators(&self) -> impl Iterator<Item = (PersonId, &Name)> {
        let operators = self.operators.iter();
        operators.filter_map(|id| Some((*id, self.people.get(id)?.lent.as_ref()?)))
    }

    /// The number of people whom no mask finds.
    pub(crate) fn invisible(&self) -> usize {
        self.invisible.len()
    }

    /// A person who wants to have a name, as the rules know them.
    pub(crate) fn claimant<'a>(&self, claim: &'a Claim) -> Subject<'a> {
        let account = claim.account.as_ref().filter(|account| self.accounts.has_proof(account));
        let account = account.map(|account| &account.name);
        Subject { account, ..Subject::new(&claim.name) }
    }

    /// Whether a person may claim a name. If so, nobody else can have it, or a name that looks like
    /// it, from then on. `own` are the connections of this person.
    pub(super) fn may_claim(
        &self,
        own: &[PersonId],
        claim: &Claim,
        looks: &Looks,
    ) -> Result<(), Refusal> {
        let (name, is_proven) = (&claim.name, self.accounts.proves(claim));
        // Each key is checked by itself: in other letters a name may look like a third one.
        for owned in name.keys().iter().filter_map(|key| self.accounts.holder(key)) {
            if !owned.is_same(name) {
                return Err(Refusal::NameTaken(name.clone()));
            }
            if !is_proven {
                return Err(Refusal::NameOwned(owned.clone()));
            }
        }
        if let Some(account) = &claim.account
            && !self.accounts.has_proof(account)
        {
            return Err(Refusal::NameReleased(account.name.clone())); // not as a stranger, unnoticed
        }
        // An owner may come in even if another name looks like theirs in other letters.
        let is_taken = self.is_taken(own, claim) || !is_proven && self.is_mistakable(own, looks);
        // Two listeners may see two connections from one address: they share it as their name.
        match is_taken && !name.is_address() {
            true => Err(Refusal::NameTaken(name.clone())),
            false => Ok(()),
        }
    }

    /// Whether others wear this name or a similar one. They may have worn it before it had an
    /// owner.
    fn is_taken(&self, own: &[PersonId], claim: &Claim) -> bool {
        let (name, is_proven) = (&claim.name, self.accounts.proves(claim));
        let is_own = |wearer: &Person| wearer.is_owner() && wearer.name.is_same(name);
        let wearers = name.keys().into_iter().flat_map(|key| self.keys.of(key));
        let mut others = wearers.filter(|wearer| !own.contains(wearer));
        others.any(|wearer| !(is_proven && self.get(wearer).is_some_and(is_own)))
    }

    /// Whether a name looks like another person's name in other letters, or the other way round.
    fn is_mistakable(&self, own: &[PersonId], looks: &Looks) -> bool {
        let looked_for = self.looks.of(looks.shown());
        let shown = looks.others_with_keys().flat_map(|(look, key)| {
            let is_shown_so = move |person: &Person| person.looks.shown() == look;
            self.keys.of(key).filter(move |wearer| self.get(*wearer).is_some_and(is_shown_so))
        });
        looked_for.chain(shown).any(|wearer| !own.contains(&wearer))
    }
}

/// The key by which people of an account are found.
fn key(account: &Option<ProvenAccount>) -> Option<&str> {
    account.as_ref().map(|account| account.name.keys()[0])
}

/// Keys of names, each with the people who wear it: one person, or an owner's connections, the
/// earliest connection first.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wearers(BTreeMap<Box<str>, SmallVec<[PersonId; 1]>>);

impl Wearers {
    fn of(&self, key: &str) -> impl Iterator<Item = PersonId> + use<'_> {
        self.0.get(key).into_iter().flatten().copied()
    }

    fn add(&mut self, id: PersonId, keys: impl IntoIterator<Item = impl AsRef<str>>) {
        for key in keys {
            let wearers = self.0.entry(key.as_ref().into()).or_default();
            if let Err(place) = wearers.binary_search(&id) {
                wearers.insert(place, id);
            }
        }
    }

    fn remove(&mut self, id: PersonId, keys: impl IntoIterator<Item = impl AsRef<str>>) {
        for key in keys {
            let key = key.as_ref();
            if let Some(wearers) = self.0.get_mut(key) {
                wearers.retain(|wearer| *wearer != id);
                if wearers.is_empty() {
                    self.0.remove(key);
                }
            }
        }
    }
}
