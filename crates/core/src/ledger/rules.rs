//! The rules that hold on the server: keepers, bans and mutes. Changes nobody's seat.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::share;
use crate::model::{Act, By, Name, PersonId, Reach, RoomName, WallTime, Whom};
use crate::refusal::Refusal;

/// The limit of keepers of a room, or of the server.
const KEEPERS_MAX: usize = 100;

/// The limit of bans in one room, or on the server: an arrival checks each of them.
pub const BANS_MAX: usize = 1_000;

/// The limit of bans in all rooms together, so that a person who makes many rooms does not fill the
/// memory.
const BANS_OF_ROOMS_MAX: usize = 10_000;

/// The limit of mutes on the whole server, and of those in all rooms together: each line checks all
/// of them.
const MUTES_MAX: usize = 1_000;

/// When a mute has this many connections, those that have ended are forgotten. Not before: a person
/// whose node begins another boot is away for a moment, and still muted on coming back.
const MUTED_MAX: usize = 100;

/// A person who made this many rooms, and is their keeper, does not become the keeper of new ones.
const ROOMS_KEPT_MAX: usize = 20;

/// The rules, each with the room where it holds, or the whole server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The oldest first.
    pub(super) keepers: BTreeMap<Reach, Vec<Name>>,
    /// The makers of rooms that have keepers.
    pub(super) makers: BTreeMap<RoomName, Name>,
    /// The oldest first.
    pub(super) bans: BTreeMap<Reach, Vec<Act>>,
    /// The oldest first.
    pub(super) mutes: Vec<Mute>,
}

/// A mute of these connections, of everybody with that name or one that looks like it, and of its
/// owner under any name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// The connections, under any name.
    pub people: Vec<PersonId>,
    /// The act that muted them.
    pub act: Act,
}

impl Mute {
    fn is_of(&self, id: PersonId, Subject { name, account, .. }: Subject<'_>) -> bool {
        let whom = &self.act.deed.whom;
        let is_meant = |account: &Name| whom.is_called(account);
        self.people.contains(&id) || whom.includes(name, None) || account.is_some_and(is_meant)
    }
}

/// The keeper rights of an owner.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Where the owner is a keeper, and the place among the keepers there.
    keepers: Vec<(Reach, usize, Name)>,
    /// The rooms that the owner made.
    makers: Vec<(RoomName, Name)>,
}

/// A person to whom rules may apply.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a Name,
    /// The account to which the person is logged in, under its name or another one.
    pub(crate) account: Option<&'a Name>,
    pub(crate) address: Option<SocketAddr>,
    /// The rooms in which the person sits.
    pub(crate) seats: &'a [RoomName],
    /// The rooms that the person keeps for the time being.
    pub(crate) keeps_for_now: &'a [RoomName],
    /// The account of the keeper of the server whose authority the person has.
    pub(crate) lent: Option<&'a Name>,
}

impl<'a> Subject<'a> {
    /// A person who sits nowhere, and of whom only the name is known.
    pub(crate) fn new(name: &'a Name) -> Subject<'a> {
        Subject { name, account: None, address: None, seats: &[], keeps_for_now: &[], lent: None }
    }
}

impl Rules {
    /// The rules from a snapshot.
    pub(super) fn restore(
        keepers: Vec<(Reach, Name)>,
        makers: BTreeMap<RoomName, Name>,
        bans: Vec<Act>,
        mutes: Vec<Mute>,
    ) -> Rules {
        let mut rules = Rules { makers, mutes, ..Rules::default() };
        for ban in bans {
            rules.bans.entry(ban.reach.clone()).or_default().push(ban);
        }
        for (reach, name) in keepers {
            rules.keepers.entry(reach).or_default().push(name);
        }
        rules
    }

    /// The keepers.
    pub(crate) fn keepers(&self, reach: &Reach) -> &[Name] {
        self.keepers.get(reach).map_or(&[], Vec::as_slice)
    }

    /// Whether the owner of a name is a keeper of exactly this room, or of the server.
    pub(crate) fn is_keeper(&self, reach: &Reach, name: &Name) -> bool {
        self.keepers(reach).iter().any(|keeper| keeper.is_same(name))
    }

    /// Whether a person has authority there, whatever name they have now. A keeper of the server has
    /// it everywhere.
    pub(crate) fn keeps(&self, reach: &Reach, subject: Subject<'_>) -> bool {
        let is_for_now = |room| subject.keeps_for_now.contains(room);
        self.keeps_for_good(reach, subject) || reach.room().is_some_and(is_for_now)
    }

    /// Whether a person has authority there that does not end with the seat.
    pub(crate) fn keeps_for_good(&self, reach: &Reach, subject: Subject<'_>) -> bool {
        self.account_that_keeps(&Reach::Server, subject).is_some()
            || self.account_that_keeps(reach, subject).is_some()
    }

    /// The account through which a person has authority in exactly this room, or on the server, that
    /// does not end with the seat: their own, or for the server one that has lent it.
    pub(crate) fn account_that_keeps<'a>(
        &self,
        reach: &Reach,
        subject: Subject<'a>,
    ) -> Option<&'a Name> {
        let lent = subject.lent.filter(|_| *reach == Reach::Server);
        let mut accounts = [subject.account, lent].into_iter().flatten();
        accounts.find(|account| self.is_keeper(reach, account))
    }

    /// Makes the owner of a name a keeper.
    pub(crate) fn add_keeper(&mut self, reach: &Reach, name: Name) -> Result<(), Refusal> {
        if self.is_keeper(reach, &name) {
            return Err(Refusal::AlreadyKeeper(name));
        }
        let keepers = self.keepers.entry(reach.clone()).or_default();
        if keepers.len() >= KEEPERS_MAX {
            return Err(Refusal::TooManyRules(KEEPERS_MAX));
        }
        keepers.push(name);
        Ok(())
    }

    /// Removes a keeper.
    pub(crate) fn remove_keeper(&mut self, reach: &Reach, name: &Name) {
        if let Some(keepers) = self.keepers.get_mut(reach) {
            keepers.retain(|keeper| !keeper.is_same(name));
        }
        self.keepers.retain(|_, keepers| !keepers.is_empty());
    }

    /// Removes all keeper rights of a former owner of a name. Returns them.
    pub(crate) fn remove_keeper_everywhere(&mut self, name: &Name) -> Rights {
        let mut rights = Rights::default();
        for (reach, keepers) in &mut self.keepers {
            if let Some(place) = keepers.iter().position(|keeper| keeper.is_same(name)) {
                rights.keepers.push((reach.clone(), place, keepers.remove(place)));
            }
        }
        self.keepers.retain(|_, keepers| !keepers.is_empty());
        rights.makers.extend(self.makers.extract_if(.., |_, maker| maker.is_same(name)));
        rights
    }

    /// Gives removed rights back.
    pub(crate) fn put_back(&mut self, rights: &Rights) {
        for (reach, place, name) in &rights.keepers {
            let keepers = self.keepers.entry(reach.clone()).or_default();
            keepers.insert((*place).min(keepers.len()), name.clone());
        }
        self.makers.extend(rights.makers.iter().cloned());
    }

    /// Makes the first person in a new room its keeper, unless that person has reached the limit.
    /// Returns whether the person became the keeper. Rooms of other makers do not count, so nobody
    /// can use up another person's share.
    pub(crate) fn make_room(&mut self, room: &RoomName, maker: &Name) -> bool {
        let of_room = |room: &RoomName| Reach::Room(room.clone());
        let is_theirs = |(room, name): &(&RoomName, &Name)| {
            name.is_same(maker) && self.is_keeper(&of_room(room), maker)
        };
        let made = self.makers.iter().filter(is_theirs).count();
        let reach = of_room(room);
        if !self.keepers(&reach).is_empty() || made >= ROOMS_KEPT_MAX {
            return false;
        }
        self.makers.insert(room.clone(), maker.clone());
        self.add_keeper(&reach, maker.clone()).is_ok()
    }

    /// Takes a room from its maker, who does not keep it any more.
    pub(crate) fn unmake_room(&mut self, room: &RoomName, maker: &Name) {
        self.makers.remove(room);
        self.remove_keeper(&Reach::Room(room.clone()), maker);
    }

    /// The ban that keeps a person out. No ban applies to a keeper.
    pub(crate) fn banned(
        &self,
        reach: &Reach,
        subject: Subject<'_>,
        now: WallTime,
    ) -> Option<&Act> {
        self.bans(reach, now).find(|ban| self.bars(ban, subject))
    }

    /// Whether a ban applies to a person. A ban of an owner applies under any name.
    pub(crate) fn bars(&self, ban: &Act, subject: Subject<'_>) -> bool {
        let Subject { name, account, address, .. } = subject;
        let whom = &ban.deed.whom;
        let is_meant = |account: &Name| whom.is_called(account);
        (whom.includes(name, address) || account.is_some_and(is_meant))
            && !self.keeps(&ban.reach, subject)
    }

    /// The bans that hold.
    pub(crate) fn bans(&self, reach: &Reach, now: WallTime) -> impl Iterator<Item = &Act> {
        let bans = self.bans.get(reach).map_or(&[][..], Vec::as_slice);
        bans.iter().filter(move |ban| !ban.is_over(now))
    }

    /// The mutes that hold in exactly this room, or on the server.
    pub(crate) fn mutes(&self, reach: &Reach, now: WallTime) -> impl Iterator<Item = &Act> {
        let acts = self.mutes.iter().map(|mute| &mute.act);
        acts.filter(move |act| act.reach == *reach && !act.is_over(now))
    }

    /// The rooms with bans.
    pub(crate) fn rooms_with_bans(&self) -> impl Iterator<Item = &RoomName> {
        self.bans.keys().filter_map(Reach::room)
    }

    /// Adds a ban. It replaces one for the same name or address.
    pub(crate) fn ban(&mut self, ban: Act) -> Result<(), Refusal> {
        self.may_ban(&ban)?;
        self.bans.retain(|_, bans| {
            bans.retain(|old| !gives_way(old, &ban));
            !bans.is_empty()
        });
        self.bans.entry(ban.reach.clone()).or_default().push(ban);
        Ok(())
    }

    fn may_ban(&self, ban: &Act) -> Result<(), Refusal> {
        let others = || self.bans.values().flatten().filter(|old| !gives_way(old, ban));
        let mut here = others().filter(|other| other.reach == ban.reach).map(|other| &other.by);
        if ban.reach == Reach::Server {
            return has_share(&ban.by, here, BANS_MAX);
        }
        let of_rooms = others().filter(|other| other.reach != Reach::Server);
        has_share(&ban.by, of_rooms.map(|other| &other.by), BANS_OF_ROOMS_MAX)?;
        match here.nth(BANS_MAX - 1) {
            Some(_) => Err(Refusal::TooManyRules(BANS_MAX)),
            None => Ok(()),
        }
    }

    /// Lifts a ban. Returns the name or address as it was typed for the ban; none if there is no
    /// such ban.
    pub(crate) fn unban(&mut self, reach: &Reach, whom: &Whom) -> Option<Whom> {
        let is_it = |ban: &mut Act| ban.deed.whom.is_same(whom);
        let lifted = self.bans.get_mut(reach)?.extract_if(.., is_it).last();
        self.bans.retain(|_, bans| !bans.is_empty());
        lifted.map(|ban| ban.deed.whom)
    }

    /// Mutes a person. The mute replaces an earlier one.
    pub(crate) fn mute(&mut self, people: Vec<PersonId>, act: Act) -> Result<(), Refusal> {
        let is_of_server = |act: &Act| act.reach == Reach::Server;
        let others = self.mutes.iter().map(|other| &other.act).filter(|old| !gives_way(old, &act));
        let alike = others.filter(|other| is_of_server(other) == is_of_server(&act));
        has_share(&act.by, alike.map(|other| &other.by), MUTES_MAX)?;
        self.mutes.retain(|old| !gives_way(&old.act, &act));
        self.mutes.push(Mute { people, act });
        Ok(())
    }

    /// Lifts a mute. Returns whether there was one.
    pub(crate) fn unmute(&mut self, reach: &Reach, name: &Name) -> bool {
        let before = self.mutes.len();
        self.mutes.retain(|mute| mute.act.reach != *reach || !mute.act.deed.whom.is_called(name));
        self.mutes.len() < before
    }

    /// Ends the bans and mutes that hold in a room as long as somebody sits there.
    pub(super) fn end_for_now(&mut self, room: &RoomName) {
        let is_for_now = |act: &Act| act.is_for_now() && act.reach.room() == Some(room);
        let reach = Reach::Room(room.clone());
        if let Some(bans) = self.bans.get_mut(&reach) {
            bans.retain(|ban| !is_for_now(ban));
            if bans.is_empty() {
                self.bans.remove(&reach);
            }
        }
        self.mutes.retain(|mute| !is_for_now(&mute.act));
    }

    /// Moves mutes to the new connection of a person, and what that person has forbidden.
    pub(crate) fn follow(&mut self, from: PersonId, to: PersonId) {
        let muted = self.mutes.iter_mut().flat_map(|mute| &mut mute.people);
        muted.filter(|id| **id == from).for_each(|id| *id = to);
        let bans = self.bans.values_mut().flatten();
        let acts = bans.chain(self.mutes.iter_mut().map(|mute| &mut mute.act));
        acts.for_each(|act| act.by.follow(from, to));
    }

    /// Notes that a person takes another name, so that mutes of the old one still hold. If a mute has
    /// many connections, it forgets those that have ended.
    pub(crate) fn rename(
        &mut self,
        id: PersonId,
        from: &Name,
        is_there: impl Fn(PersonId) -> bool,
    ) {
        for Mute { people, act } in &mut self.mutes {
            if act.deed.whom.includes(from, None) && !people.contains(&id) {
                if people.len() >= MUTED_MAX {
                    people.retain(|&id| is_there(id));
                }
                people.push(id);
            }
        }
    }

    /// The mute that keeps a person from speaking in a room because they had another name when they
    /// were muted there.
    pub(crate) fn muted_under_another_name(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        now: WallTime,
    ) -> Option<&Act> {
        let is_meant = |Mute { people, act }: &&Mute| {
            let is_other = people.contains(&id) && !act.deed.whom.is_called(name);
            is_other && act.reach.room() == Some(room) && !act.is_over(now)
        };
        self.mutes.iter().find(is_meant).map(|mute| &mute.act)
    }

    /// The mute that keeps a person from speaking in a room.
    pub(crate) fn muted(
        &self,
        id: PersonId,
        subject: Subject<'_>,
        room: &RoomName,
        now: WallTime,
    ) -> Option<&Act> {
        let is_meant = |mute: &&Mute| {
            mute.act.reach.has(room) && !mute.act.is_over(now) && mute.is_of(id, subject)
        };
        self.mutes.iter().find(is_meant).map(|mute| &mute.act)
    }
}

/// Whether an old ban or mute gives way to a new one: it has ended, or is for the same name or
/// address at the same place.
fn gives_way(old: &Act, new: &Act) -> bool {
    old.is_over(new.at) || old.reach == new.reach && old.deed.whom.is_same(&new.deed.whom)
}

/// Checks that `by` may add one more rule to those of `holders`. The operator may use all free
/// places, each keeper a share of them.
fn has_share<'a>(
    by: &By,
    holders: impl Iterator<Item = &'a By>,
    max: usize,
) -> Result<(), Refusal> {
    let (mut own, mut all) = (0, 0);
    for holder in holders {
        all += 1;
        own += usize::from(holder.is_same(by));
    }
    let has_all = *by == By::Operator;
    match has_all || share::is_within(own, all, max, 1) {
        _ if all >= max => Err(Refusal::TooManyRules(max)),
        true => Ok(()),
        false => Err(Refusal::TooManyRules(own)),
    }
}
