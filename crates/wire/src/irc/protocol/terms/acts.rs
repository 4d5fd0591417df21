//! Acts as IRC shows them: changes of a channel's mode, and words for a removal. Knows no message.

use std::borrow::Cow;

use parlor_core::model::{Act, ActOf, By, RoomRules, Verb, Whom};

use super::masks::BanMask;
use super::modes::{ChannelMode, letters};
use super::name::nick;
use crate::words::name_of;

/// The letters of the change of a mode that an act is, with the parameter; none if it is no such
/// change.
pub(crate) fn mode(act: &ActOf) -> Option<(Cow<'static, str>, Option<String>)> {
    match act.deed.verb {
        Verb::OpenRoom | Verb::MakePrivate => {
            let (letters, has_password) = changed(act);
            Some((letters.into(), has_password.then(|| "*".to_owned())))
        }
        _ => mode_of_one(act).map(|(letters, parameter)| (letters.into(), parameter)),
    }
}

/// The letters of the modes that an act about several rules changes, and whether one of them is the
/// password. All of them are named if the rules before it are not known.
fn changed(act: &ActOf) -> (String, bool) {
    let is_set = act.deed.verb == Verb::MakePrivate;
    let before = act.rules_before.as_deref();
    let had = |rule: fn(&RoomRules) -> bool| before.is_none_or(|rules| rule(rules) != is_set);
    let changed = [
        (had(|rules| rules.is_invited_only), ChannelMode::InvitedOnly),
        (had(|rules| rules.is_secret), ChannelMode::Secret),
        (!is_set && had(|rules| rules.people_max.is_some()), ChannelMode::Limit),
        (!is_set && had(|rules| rules.is_moderated), ChannelMode::Moderated),
        (!is_set && had(|rules| rules.password.is_some()), ChannelMode::Key),
    ];
    let modes = changed.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, mode)| mode);
    let modes: Vec<_> = modes.collect();
    let letters = letters(modes.iter().map(|mode| (is_set, mode.letter())));
    (letters, modes.contains(&ChannelMode::Key))
}

/// The same for an act that changes one mode.
fn mode_of_one(act: &Act) -> Option<(&'static str, Option<String>)> {
    let whom = &act.deed.whom;
    let mask = |mask: Option<BanMask>| Some(mask?.to_string());
    let muted = || mask(whom.name().cloned().map(BanMask::Mute));
    let keeper = || whom.name().map(|name| nick(name).into_owned());
    let text = || act.deed.text.as_ref().map(ToString::to_string);
    let (letters, parameter) = match act.deed.verb {
        Verb::Ban => ("+b", mask(ban(whom))),
        Verb::Unban => ("-b", mask(ban(whom))),
        Verb::Mute => ("+b", muted()),
        Verb::Unmute => ("-b", muted()),
        Verb::AddKeeper | Verb::AddKeeperForNow => ("+o", keeper()),
        Verb::RemoveKeeper => ("-o", keeper()),
        Verb::GiveVoice => ("+v", keeper()),
        Verb::TakeVoice => ("-v", keeper()),
        Verb::SetRoomPassword => ("+k", text()),
        Verb::Limit => ("+l", text()),
        Verb::RemoveRoomPassword => ("-k", Some("*".to_owned())),
        Verb::InvitedOnly => return Some(("+i", None)),
        Verb::LetEverybodyIn => return Some(("-i", None)),
        Verb::Moderate => return Some(("+m", None)),
        Verb::Unmoderate => return Some(("-m", None)),
        Verb::Hide => return Some(("+s", None)),
        Verb::Unhide => return Some(("-s", None)),
        Verb::Unlimit => return Some(("-l", None)),
        Verb::LockTopic => return Some(("+t", None)),
        Verb::UnlockTopic => return Some(("-t", None)),
        Verb::MakePrivate
        | Verb::OpenRoom
        | Verb::Broadcast
        | Verb::Kick
        | Verb::SetTopic
        | Verb::MakeRoom
        | Verb::ReleaseName
        | Verb::SetPassword
        | Verb::Wallops
        | Verb::Reload => return None,
    };
    parameter.map(|parameter| (letters, Some(parameter)))
}

/// The mask of a ban or a mute.
pub(crate) fn listed(act: &Act) -> Option<BanMask> {
    match act.deed.verb {
        Verb::Mute => act.deed.whom.name().cloned().map(BanMask::Mute),
        _ => ban(&act.deed.whom),
    }
}

/// The mask of a ban.
pub(crate) fn ban(whom: &Whom) -> Option<BanMask> {
    match whom {
        Whom::Name(name) => Some(BanMask::Name(name.clone())),
        Whom::Net(net) => Some(BanMask::Net(*net)),
        Whom::Everybody => None,
    }
}

/// The words about a person whom an act removes from the server: `Removed by alice: spam`.
pub(crate) fn removed(act: &Act) -> String {
    if act.by == By::NewPassword {
        return "Removed: the name has a new password".to_owned();
    }
    let verb = if act.deed.verb == Verb::Ban { "Banned" } else { "Removed" };
    let why = act.deed.text.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{verb} by {}{why}", name_of(&act.by))
}
