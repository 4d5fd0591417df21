//! The rules of the house: who keeps what, who is not let in, who may not speak. Changes nobody's seat.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::share;
use crate::link::Refusal;
use crate::model::{Act, By, Name, PersonId, Reach, RoomName, WallTime, Whom};

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
    bans: HashMap<Reach, Vec<Act>>,
    mutes: Vec<Mute>,
}

/// A mute of these connections, and of everybody who wears that name or one that looks like it.
#[derive(Debug)]
struct Mute {
    people: Vec<PersonId>,
    act: Act,
}

impl Mute {
    fn is_of(&self, id: PersonId, name: &Name) -> bool {
        self.people.contains(&id) || self.act.deed.whom.includes(name, None)
    }
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
        bans: Vec<Act>,
        mutes: Vec<Act>,
    ) -> Rules {
        let mut rules = Rules {
            makers,
            ..Rules::default()
        };
        for act in mutes {
            let people = Vec::new(); // who they were, only the name says
            rules.mutes.push(Mute { people, act });
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
    ) -> Option<&Act> {
        self.bans(reach, now).find(|ban| self.bars(ban, subject))
    }

    /// Whether a ban is for somebody.
    pub(super) fn bars(&self, ban: &Act, subject: Subject<'_>) -> bool {
        let Subject { name, address, .. } = subject;
        ban.deed.whom.includes(name, address) && !self.keeps(&ban.reach, subject)
    }

    /// The bans that hold.
    pub(super) fn bans(&self, reach: &Reach, now: WallTime) -> impl Iterator<Item = &Act> {
        let bans = self.bans.get(reach).map_or(&[][..], Vec::as_slice);
        bans.iter().filter(move |ban| !ban.is_over(now))
    }

    /// The rooms that have any.
    pub(super) fn rooms_with_bans(&self) -> impl Iterator<Item = &RoomName> {
        self.bans.keys().filter_map(Reach::room)
    }

    /// From now on this ban holds, in place of one for the same.
    pub(super) fn ban(&mut self, ban: Act) -> Result<(), Refusal> {
        self.bans.retain(|reach, bans| {
            let is_old = |old: &Act| *reach == ban.reach && old.deed.whom.is_same(&ban.deed.whom);
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
        let is_it = |ban: &mut Act| ban.deed.whom.is_same(whom);
        let bans = self.bans.get_mut(reach)?;
        bans.extract_if(.., is_it).last().map(|ban| ban.deed.whom)
    }

    /// Has somebody say nothing, as it was said last.
    pub(super) fn mute(&mut self, people: Vec<PersonId>, act: Act) -> Result<(), Refusal> {
        let is_old = |old: &Act| old.reach == act.reach && old.deed.whom.is_same(&act.deed.whom);
        self.mutes
            .retain(|old| !old.act.is_over(act.at) && !is_old(&old.act));
        let is_of_server = |act: &Act| act.reach == Reach::Server;
        let others = self.mutes.iter().map(|other| &other.act);
        let alike = others.filter(|other| is_of_server(other) == is_of_server(&act));
        has_share(&act.by, alike.map(|other| &other.by), MUTES_MAX)?;
        self.mutes.push(Mute { people, act });
        Ok(())
    }

    /// Lets somebody speak again. Whether they might not.
    pub(super) fn unmute(&mut self, reach: &Reach, name: &Name) -> bool {
        let before = self.mutes.len();
        self.mutes
            .retain(|mute| mute.act.reach != *reach || !mute.act.deed.whom.is_called(name));
        self.mutes.len() < before
    }

    /// Somebody goes on with another connection: what holds for the one holds for the other.
    pub(super) fn follow(&mut self, from: PersonId, to: PersonId) {
        let muted = self.mutes.iter_mut().flat_map(|mute| &mut mute.people);
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
        for Mute { people, act } in &mut self.mutes {
            if act.deed.whom.includes(from, None) && !people.contains(&id) {
                people.retain(|&id| is_there(id));
                people.push(id);
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
    ) -> Option<&Act> {
        let is_meant = |Mute { people, act }: &&Mute| {
            let is_other = people.contains(&id) && !act.deed.whom.is_called(name);
            is_other && act.reach.room() == Some(room) && !act.is_over(now)
        };
        self.mutes.iter().find(is_meant).map(|mute| &mute.act)
    }

    /// Why somebody may not speak in a room.
    pub(super) fn muted(
        &self,
        id: PersonId,
        name: &Name,
        room: &RoomName,
        now: WallTime,
    ) -> Option<&Act> {
        let is_meant = |mute: &&Mute| {
            mute.act.reach.has(room) && !mute.act.is_over(now) && mute.is_of(id, name)
        };
        self.mutes.iter().find(is_meant).map(|mute| &mute.act)
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
    let has_all = *by == By::Operator;
    match has_all || share::is_within(own, all, max, 1) {
        _ if all >= max => Err(Refusal::TooManyRules(max)),
        true => Ok(()),
        false => Err(Refusal::TooManyRules(own)),
    }
}
