//! The rules of the house: who keeps what, who is not let in, who may not speak. Changes nobody's seat.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::share;
use crate::link::Refusal;
use crate::model::{Ban, By, Mute, Name, PersonId, Reach, RoomName, WallTime, Whom};

/// So many keepers has a room, or the server.
const KEEPERS_MAX: usize = 100;

/// So many bans hold in one room, or at the door: each is looked at when somebody comes.
const BANS_MAX: usize = 1_000;

/// So many bans hold in all rooms together: whoever makes many rooms does not fill the memory with them.
const BANS_OF_ROOMS_MAX: usize = 10_000;

/// So many people are muted at once on the whole server, and as many in all rooms together: each is looked at when somebody
/// speaks.
const MUTES_MAX: usize = 1_000;

/// Whoever keeps so many rooms does not keep those made in addition.
const ROOMS_KEPT_MAX: usize = 20;

/// What holds, and where.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Those of former times first.
    keepers: HashMap<Reach, Vec<Name>>,
    /// Who has made which rooms that have keepers.
    makers: HashMap<RoomName, Name>,
    /// Those of former times first.
    bans: HashMap<Reach, Vec<Ban>>,
    mutes: Vec<(Muted, Mute)>,
}

/// Who is muted: these connections, and everybody who wears that name or one that looks like it.
#[derive(Debug)]
pub(super) struct Muted {
    pub(super) name: Name,
    pub(super) people: Vec<PersonId>,
}

/// Somebody of whom is asked what holds for them.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a Name,
    /// Whether the name has been shown to be their own.
    pub(crate) is_owner: bool,
    pub(crate) address: Option<SocketAddr>,
}

impl Rules {
    /// The rules of former times.
    pub(super) fn resume(
        keepers: Vec<(Reach, Name)>,
        makers: HashMap<RoomName, Name>,
        bans: Vec<Ban>,
        mutes: Vec<(Name, Mute)>,
    ) -> Rules {
        let mut rules = Rules {
            makers,
            ..Rules::default()
        };
        for (name, mute) in mutes {
            let people = Vec::new(); // who they were, only the name says
            rules.mutes.push((Muted { name, people }, mute));
        }
        for ban in bans {
            rules.bans.entry(ban.reach.clone()).or_default().push(ban);
        }
        for (reach, name) in keepers {
            rules.keepers.entry(reach).or_default().push(name);
        }
        rules
    }

    /// The keepers.
    pub(super) fn keepers(&self, reach: &Reach) -> &[Name] {
        self.keepers.get(reach).map_or(&[], Vec::as_slice)
    }

    /// Whether the owner of a name keeps this very room, or the server.
    pub(super) fn is_keeper(&self, reach: &Reach, name: &Name) -> bool {
        self.keepers(reach)
            .iter()
            .any(|keeper| keeper.is_same(name))
    }

    /// Whether somebody keeps order there: a keeper of the server does so everywhere.
    pub(super) fn keeps(&self, reach: &Reach, subject: Subject<'_>) -> bool {
        let Subject { name, is_owner, .. } = subject;
        is_owner && (self.is_keeper(&Reach::Server, name) || self.is_keeper(reach, name))
    }

    /// Makes the owner of a name a keeper.
    pub(super) fn add_keeper(&mut self, reach: &Reach, name: Name) -> Result<(), Refusal> {
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

    /// Has the owner of a name be a keeper no longer.
    pub(super) fn remove_keeper(&mut self, reach: &Reach, name: &Name) {
        if let Some(keepers) = self.keepers.get_mut(reach) {
            keepers.retain(|keeper| !keeper.is_same(name));
        }
    }

    /// Has whoever owned a name keep nothing any more.
    pub(super) fn remove_keeper_everywhere(&mut self, name: &Name) {
        for keepers in self.keepers.values_mut() {
            keepers.retain(|keeper| !keeper.is_same(name));
        }
        self.makers.retain(|_, maker| !maker.is_same(name));
    }

    /// Somebody makes a room that never was: whether they keep it. Rooms of others, of which one was made a keeper, do not
    /// count: nobody uses up the share of somebody else.
    pub(super) fn make_room(&mut self, room: &RoomName, maker: &Name) -> bool {
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

    /// The ban by which somebody is not let in. None is for a keeper.
    pub(super) fn banned(
        &self,
        reach: &Reach,
        subject: Subject<'_>,
        now: WallTime,
    ) -> Option<&Ban> {
        let Subject { name, address, .. } = subject;
        let ban = self
            .bans(reach, now)
            .find(|ban| ban.is_for(name, address))?;
        (!self.keeps(reach, subject)).then_some(ban)
    }

    /// The bans that hold.
    pub(super) fn bans(&self, reach: &Reach, now: WallTime) -> impl Iterator<Item = &Ban> {
        let bans = self.bans.get(reach).map_or(&[][..], Vec::as_slice);
        bans.iter().filter(move |ban| !ban.is_over(now))
    }

    /// The rooms that have any.
    pub(super) fn rooms_with_bans(&self) -> impl Iterator<Item = &RoomName> {
        self.bans.keys().filter_map(|reach| match reach {
            Reach::Server => None,
            Reach::Room(room) => Some(room),
        })
    }

    /// From now on this ban holds, in place of one for the same.
    pub(super) fn ban(&mut self, ban: Ban) -> Result<(), Refusal> {
        self.bans.retain(|reach, bans| {
            let is_old = |old: &Ban| *reach == ban.reach && old.whom.is_same(&ban.whom);
            bans.retain(|old| !old.is_over(ban.at) && !is_old(old));
            !bans.is_empty()
        });
        if ban.reach != Reach::Server {
            let of_rooms = self.bans.iter().filter(|(at, _)| **at != Reach::Server);
            let of_rooms = of_rooms.flat_map(|(_, bans)| bans);
            has_share(&ban.by, of_rooms.map(|other| &other.by), BANS_OF_ROOMS_MAX)?;
        }
        let here = self.bans.entry(ban.reach.clone()).or_default();
        match ban.reach {
            Reach::Server => has_share(&ban.by, here.iter().map(|other| &other.by), BANS_MAX)?,
            Reach::Room(_) if here.len() >= BANS_MAX => {
                return Err(Refusal::TooManyRules(BANS_MAX));
            }
            Reach::Room(_) => {}
        }
        here.push(ban);
        Ok(())
    }

    /// Lifts a ban. The word that was used for it; none where there is none.
    pub(super) fn unban(&mut self, reach: &Reach, whom: &Whom) -> Option<Whom> {
        let is_it = |ban: &mut Ban| ban.whom.is_same(whom);
        let bans = self.bans.get_mut(reach)?;
        bans.extract_if(.., is_it).last().map(|ban| ban.whom)
    }

    /// Has somebody say nothing, as it was said last.
    pub(super) fn mute(&mut self, muted: Muted, mute: Mute, now: WallTime) -> Result<(), Refusal> {
        self.unmute(&mute.reach, &muted.name);
        self.mutes.retain(|(_, mute)| mute.until > now);
        let is_of_server = |reach: &Reach| *reach == Reach::Server;
        let alike = self.mutes.iter().map(|(_, other)| other);
        let alike = alike.filter(|other| is_of_server(&other.reach) == is_of_server(&mute.reach));
        has_share(&mute.by, alike.map(|other| &other.by), MUTES_MAX)?;
        self.mutes.push((muted, mute));
        Ok(())
    }

    /// Lets somebody speak again. Whether they might not.
    pub(super) fn unmute(&mut self, reach: &Reach, name: &Name) -> bool {
        let before = self.mutes.len();
        self.mutes
            .retain(|(muted, mute)| mute.reach != *reach || !muted.name.is_same(name));
        self.mutes.len() < before
    }

    /// Somebody goes on with another connection: what holds for the one holds for the other.
    pub(super) fn follow(&mut self, from: PersonId, to: PersonId) {
        let muted = self
            .mutes
            .iter_mut()
            .flat_map(|(muted, _)| &mut muted.people);
        muted.filter(|id| **id == from).for_each(|id| *id = to);
    }

    /// Somebody takes another name: where they could not speak under the one before, they cannot under this one. Of the
    /// connections noted before, those remain that are still there.
    pub(super) fn rename(
        &mut self,
        id: PersonId,
        from: &Name,
        is_there: impl Fn(PersonId) -> bool,
    ) {
        for (muted, _) in &mut self.mutes {
            if muted.name.looks_like(from) && !muted.people.contains(&id) {
                muted.people.retain(|&id| is_there(id));
                muted.people.push(id);
            }
        }
    }

    /// Whether there is nothing to ask before somebody speaks.
    pub(super) fn nobody_is_muted(&self) -> bool {
        self.mutes.is_empty()
    }

    /// Why somebody may not speak in a room who had another name when they were muted there.
    pub(super) fn muted_under_another_name(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        now: WallTime,
    ) -> Option<&Mute> {
        let is_meant = |(muted, mute): &&(Muted, Mute)| {
            let is_here = matches!(&mute.reach, Reach::Room(muted) if muted == room);
            is_here && mute.until > now && muted.people.contains(&id) && !muted.name.is_same(name)
        };
        self.mutes.iter().find(is_meant).map(|(_, mute)| mute)
    }

    /// Why somebody may not speak in a room.
    pub(super) fn muted(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        now: WallTime,
    ) -> Option<&Mute> {
        let is_here = |reach: &Reach| match reach {
            Reach::Server => true,
            Reach::Room(muted) => muted == room,
        };
        let is_meant = |muted: &Muted| muted.people.contains(&id) || muted.name.looks_like(name);
        self.mutes
            .iter()
            .find(|(muted, mute)| mute.until > now && is_here(&mute.reach) && is_meant(muted))
            .map(|(_, mute)| mute)
    }
}

/// Whether there is one more for somebody, where these have those that there are. The operator has all that is left, and
/// each keeper a share of it.
fn has_share<'a>(
    by: &By,
    holders: impl Iterator<Item = &'a By>,
    max: usize,
) -> Result<(), Refusal> {
    let (mut own, mut all) = (0, 0);
    for holder in holders {
        all += 1;
        own += usize::from(holder == by);
    }
    match by {
        _ if all >= max => Err(Refusal::TooManyRules(max)),
        By::Keeper(_) if !share::is_within(own, all, max, 1) => Err(Refusal::TooManyRules(own)),
        _ => Ok(()),
    }
}
