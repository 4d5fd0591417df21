//! MODE: keepers, voices, bans, mutes, the lock of a topic and the other rules of a room.

use std::time::Duration;

use parlor_core::link::{Change, Input, Query};
use parlor_core::model::{
    Deed, Here, Line, Name, PEOPLE_LIMIT_MAX, RoomName, Verb, Whom, check_room_password,
};

use super::channels::{name_of, room_of};
use super::operators::own_mode;
use super::run::CommandRun;
use crate::irc::protocol::{
    BanMask, ChannelMode, MaskError, ModeChange, ModeError, ModeRequest, Numeric, channel_modes,
    nick,
};
use crate::irc::reply::BANS;

/// How long a mute lasts: a MODE has no end, and a mute has one.
const MUTE_TIME: Duration = Duration::from_secs(365 * 86_400);

/// MODE of a channel or of a person.
pub(super) fn mode(run: &mut CommandRun<'_>) {
    let Some((target, modes)) = run.message.parameters().split_first() else {
        return run.need_more();
    };
    if !target.starts_with('#') {
        return own_mode(target, modes.first().copied(), run);
    }
    let Some(room) = room_of(target, run) else {
        return;
    };
    if modes.is_empty() {
        run.inputs.about(target);
        return run.inputs.add(Input::Ask(Box::new(Query::Rules(room).into())));
    }
    for request in channel_modes(modes) {
        match request {
            Ok(ModeRequest::Show(_)) => {
                run.inputs.about_with(BANS, target);
                run.inputs.add(Input::ListBans(room.clone()));
            }
            Ok(ModeRequest::Change(change)) => change_mode(&room, target, &change, run),
            Err(ModeError::Unknown(letter)) => {
                let text = "is no mode of a channel here";
                run.reply(Numeric::ERR_UNKNOWNMODE, &[&letter.to_string()], text);
            }
            Err(ModeError::Missing(mode)) => {
                refuse_parameter(target, mode, "*", "The mode needs a parameter", run);
            }
        }
    }
}

fn change_mode(room: &RoomName, channel: &str, change: &ModeChange<'_>, run: &mut CommandRun<'_>) {
    let parameter = change.parameter.unwrap_or_default();
    let deed = match change.mode {
        ChannelMode::NoOutside if change.is_set => return, // it is always so
        ChannelMode::NoOutside => {
            let why = "This mode is fixed: only who is in a room speaks there";
            return refuse_parameter(channel, change.mode, "*", why, run);
        }
        ChannelMode::TopicLock => {
            let verb = if change.is_set { Verb::LockTopic } else { Verb::UnlockTopic };
            Deed::to_all(verb, None)
        }
        ChannelMode::InvitedOnly => flag([Verb::InvitedOnly, Verb::LetEverybodyIn], change),
        ChannelMode::Moderated => flag([Verb::Moderate, Verb::Unmoderate], change),
        ChannelMode::Secret => flag([Verb::Hide, Verb::Unhide], change),
        ChannelMode::Key => match check_room_password(parameter) {
            Err(_) if change.is_set => {
                let why = "A password has up to 32 bytes, and no blanks, commas or colons";
                return refuse_parameter(channel, change.mode, "*", why, run);
            }
            _ => setting([Verb::SetRoomPassword, Verb::RemoveRoomPassword], change),
        },
        ChannelMode::Limit => match parameter.parse() {
            Ok(1..=PEOPLE_LIMIT_MAX) => setting([Verb::Limit, Verb::Unlimit], change),
            _ if change.is_set => {
                let why = format!("The limit is a number of people from 1 to {PEOPLE_LIMIT_MAX}");
                return refuse_parameter(channel, change.mode, parameter, &why, run);
            }
            _ => setting([Verb::Limit, Verb::Unlimit], change),
        },
        ChannelMode::Voice => {
            let verb = if change.is_set { Verb::GiveVoice } else { Verb::TakeVoice };
            Deed::to(verb, Whom::Name(name_of(parameter)))
        }
        ChannelMode::Keeper => {
            let verb = if change.is_set { Verb::AddKeeper } else { Verb::RemoveKeeper };
            Deed::to(verb, Whom::Name(name_of(parameter)))
        }
        ChannelMode::Ban => match BanMask::parse(parameter) {
            Ok(mask) => ban(mask, change.is_set),
            Err(error) => {
                let why = match error {
                    MaskError::Door(name) => by_name(channel, change.is_set, name.as_ref()),
                    error => error.to_string(),
                };
                return refuse_parameter(channel, change.mode, parameter, &why, run);
            }
        },
    };
    run.inputs.about(channel);
    // A keeper of the server has /msg parlor ban and KILL for the whole server.
    let here = match deed.verb {
        Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => Here::RoomOnly(room.clone()),
        _ => Here::Room(room.clone()),
    };
    run.inputs.add(Input::Ask(Box::new(Change::Act { here, deed }.into())));
}

/// The act that gives a mode without a parameter, or takes it away.
fn flag([given, taken]: [Verb; 2], change: &ModeChange<'_>) -> Deed {
    Deed::to_all(if change.is_set { given } else { taken }, None)
}

/// The act that gives a mode with a parameter, or takes it away.
fn setting([given, taken]: [Verb; 2], change: &ModeChange<'_>) -> Deed {
    let parameter = change.parameter.map(|parameter| Line::sanitise(parameter.as_bytes()));
    match change.is_set {
        true => Deed::to_all(given, parameter),
        false => Deed::to_all(taken, None),
    }
}

/// The act that a mask means.
fn ban(mask: BanMask, is_set: bool) -> Deed {
    let verb = if is_set { Verb::Ban } else { Verb::Unban };
    match mask {
        BanMask::Name(name) => Deed::to(verb, Whom::Name(name)),
        BanMask::Net(net) => Deed::to(verb, Whom::Net(net)),
        BanMask::Mute(name) if is_set => {
            let deed = Deed::to(Verb::Mute, Whom::Name(name));
            Deed { time: Some(MUTE_TIME), ..deed }
        }
        BanMask::Mute(name) => Deed::to(Verb::Unmute, Whom::Name(name)),
    }
}

/// The sentence for a mask of a door: what to type, to ban a person by name.
fn by_name(channel: &str, is_set: bool, name: Option<&Name>) -> String {
    let (sign, why) = (if is_set { '+' } else { '-' }, "A host tells only the door here");
    match name.map(nick) {
        Some(name) => format!("{why}: type /mode {channel} {sign}b {name}"),
        None => format!("{why}: type /mode {channel} {sign}b NICK, with the nick of that person"),
    }
}

fn refuse_parameter(
    channel: &str,
    mode: ChannelMode,
    parameter: &str,
    why: &str,
    run: &mut CommandRun<'_>,
) {
    let words = [channel, &mode.letter().to_string(), parameter];
    run.reply(Numeric::ERR_INVALIDMODEPARAM, &words, why);
}
