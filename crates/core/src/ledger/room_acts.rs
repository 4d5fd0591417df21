//! Decides acts about the rules of a room, and who has a voice there.

use super::authority::{Authority, key, typed};
use super::state::Ledger;
use crate::model::{
    Act, Name, PEOPLE_LIMIT_MAX, PersonId, Reach, RoomName, RoomRules, Verb, Whom,
    check_room_password,
};
use crate::refusal::Refusal;

impl Ledger {
    /// Changes the rules of a room. A keeper for the time being makes rules that end with the room;
    /// a rule that ends, ends for good. Returns the act and the rules before it.
    pub(super) fn change_rules(
        &mut self,
        authority: &Authority,
        mut act: Act,
    ) -> Result<(Act, RoomRules), Refusal> {
        let room = authority.here.room().cloned().ok_or(Refusal::NoSeat)?;
        let is_about_speech = matches!(act.deed.verb, Verb::Moderate | Verb::Unmoderate);
        if room == RoomName::lobby() && !is_about_speech {
            return Err(Refusal::LobbyIsOpen);
        }
        let before = self.rooms.rules(&room);
        let mut after = before.clone();
        change(&mut after.now, &act)?;
        change_lasting(&mut after.lasting, &act)?;
        if after == *before {
            return Err(Refusal::IsSoAlready);
        }
        let before = before.now.clone();
        self.rooms.set_rules(&room, |rules| *rules = after);
        act.reach = Reach::Room(room);
        Ok((act, before))
    }

    /// Lets a person speak in a room where only keepers do, while they sit there; or ends that.
    pub(super) fn change_voice(
        &mut self,
        authority: &Authority,
        mut act: Act,
    ) -> Result<Act, Refusal> {
        let room = authority.here.room().cloned().ok_or(Refusal::NoSeat)?;
        let found = self.people.find(&key(&act.deed)).map(|who| who.name);
        let name = found.ok_or(Refusal::NobodyCalled(typed(&act.deed)))?;
        let there = self.seated_as(&name, &room)?;
        let gives = act.deed.verb == Verb::GiveVoice;
        let mut people = there.iter().filter_map(|id| self.people.get(*id));
        if people.all(|person| person.voices.contains(&room) == gives) {
            return Err(Refusal::IsSoAlready);
        }
        for id in there {
            self.people.set_voice(id, &room, gives);
        }
        (act.reach, act.deed.whom) = (Reach::Room(room), Whom::Name(name));
        Ok(act)
    }

    /// A keeper of a room invites the person with this name: the rules do not keep them out.
    pub(super) fn invite(
        &mut self,
        by: PersonId,
        to: &Name,
        room: RoomName,
    ) -> Result<(), Refusal> {
        let keeper = self.people.get(by).ok_or(Refusal::NotThere)?;
        self.may_keep(keeper, &room).ok_or(Refusal::NotKeeper)?;
        let people: Vec<_> = self.people.wearers(to).collect();
        let account = people.iter().find_map(|id| self.people.get(*id)?.account()).cloned();
        if self.rooms.rules(&room).now.is_nothing() {
            return Ok(());
        }
        self.rooms.set_rules(&room, |rules| rules.invite(to.clone(), people, account));
        Ok(())
    }
}

/// Changes the lasting rules of a room as an act says, for the ledger and for the journal. A keeper
/// for the time being can only end such rules.
///
/// # Errors
/// The act is not about rules, or has no valid password or limit.
pub fn change_lasting(rules: &mut RoomRules, act: &Act) -> Result<(), Refusal> {
    match is_end_of_rule(act.deed.verb) || !act.is_for_now() {
        true => change(rules, act),
        false => Ok(()),
    }
}

/// Whether an act ends a rule.
fn is_end_of_rule(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::LetEverybodyIn
            | Verb::Unmoderate
            | Verb::Unhide
            | Verb::RemoveRoomPassword
            | Verb::Unlimit
            | Verb::OpenRoom
    )
}

/// Changes rules as an act says.
fn change(rules: &mut RoomRules, act: &Act) -> Result<(), Refusal> {
    match act.deed.verb {
        Verb::InvitedOnly => rules.is_invited_only = true,
        Verb::LetEverybodyIn => rules.is_invited_only = false,
        Verb::Moderate => rules.is_moderated = true,
        Verb::Unmoderate => rules.is_moderated = false,
        Verb::Hide => rules.is_secret = true,
        Verb::Unhide => rules.is_secret = false,
        Verb::MakePrivate => (rules.is_invited_only, rules.is_secret) = (true, true),
        Verb::OpenRoom => *rules = RoomRules::default(),
        Verb::SetRoomPassword => {
            let password = act.deed.text.as_ref().ok_or(Refusal::NoPassword)?;
            check_room_password(password.as_str()).map_err(Refusal::NoRoomPassword)?;
            rules.password = Some(password.clone());
        }
        Verb::RemoveRoomPassword => rules.password = None,
        Verb::Limit => {
            let typed = act.deed.text.as_ref().and_then(|text| text.as_str().parse().ok());
            let limit = typed.filter(|limit| (1..=PEOPLE_LIMIT_MAX).contains(limit));
            rules.people_max = Some(limit.ok_or(Refusal::NoLimit)?);
        }
        Verb::Unlimit => rules.people_max = None,
        _ => return Err(Refusal::NotKeeper), // no act about rules
    }
    Ok(())
}
