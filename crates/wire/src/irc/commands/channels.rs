//! Commands about channels and the people in them.

use parlor_core::link::{Change, Command, Input, Query, Start};
use parlor_core::model::{Deed, Here, Line, Name, RoomName, Verb, Whom};

use super::run::{CommandRun, words};
use crate::irc::protocol::{Cap, LIST_TARGETS_MAX, Numeric, name};

/// The room of a channel; if there can be none, the client reads why.
pub(super) fn room_of(channel: &str, run: &mut CommandRun<'_>) -> Option<RoomName> {
    // Nearly always this is the room of the command before, which is compared first because
    // checking a name takes longer than all other steps.
    let last = run.client.last_room.as_ref();
    if let Some(last) = last.filter(|last| channel.strip_prefix('#') == Some(last.as_str())) {
        return Some(last.clone());
    }
    let sentence = match name::room(channel) {
        Some(Ok(room)) => {
            run.client.last_room = Some(room.clone());
            return Some(room);
        }
        Some(Err(error)) => error.to_string(),
        None => "No such channel; a channel begins with #".to_owned(),
    };
    if !run.is_notice() {
        run.reply(Numeric::ERR_NOSUCHCHANNEL, &[channel], &sentence);
    }
    None
}

/// The name that a nick stands for, also one that nobody can have.
pub(super) fn name_of(nick: &str) -> Name {
    name::named(nick).unwrap_or_else(|_| Name::stored(nick))
}

/// A nick as the broadcaster looks for it.
pub(super) fn typed(nick: &str) -> Line {
    Line::sanitise(name_of(nick).as_str().as_bytes())
}

/// JOIN; `JOIN 0` leaves all rooms.
pub(super) fn join(run: &mut CommandRun<'_>) {
    let Some(channels) = run.given(0) else {
        return run.need_more();
    };
    if channels == "0" {
        return run.inputs.add(Input::LeaveAll);
    }
    // A client that can ask for earlier lines gets none unasked.
    let start = match run.client.caps().has(Cap::Chathistory) {
        true => Start::Last(0),
        false => Start::Usual,
    };
    let mut keys = run.given(1).unwrap_or_default().split(',');
    for channel in channels.split(',') {
        let key = keys.next().filter(|key| !key.is_empty());
        if let Some(room) = room_of(channel, run) {
            run.inputs.about(channel);
            let password = key.map(|key| Line::sanitise(key.as_bytes()));
            run.inputs.add(Input::Enter { room, password, start: start.clone() });
        }
    }
}

/// PART
pub(super) fn part(run: &mut CommandRun<'_>) {
    let Some(channels) = run.given(0) else {
        return run.need_more();
    };
    if run.is_too_long(1) {
        return;
    }
    let last_words = run.words(1);
    for channel in channels.split(',') {
        if let Some(room) = room_of(channel, run) {
            run.inputs.about(channel);
            run.inputs.add(Input::Leave(room, last_words.clone()));
        }
    }
}

/// TOPIC
pub(super) fn topic(run: &mut CommandRun<'_>) {
    let Some(channel) = run.given(0) else {
        return run.need_more();
    };
    if run.is_too_long(1) {
        return;
    }
    if let Some(room) = room_of(channel, run) {
        run.inputs.about(channel);
        run.inputs.add(match run.message.parameter(1) {
            None => Input::Ask(Box::new(Query::Topic(room).into())),
            Some(text) => {
                let command = Command::SetTopic(words(text));
                Input::In(room, Box::new(Input::Command(command)))
            }
        });
    }
}

/// INVITE; without parameters, the rooms to which the client is invited.
pub(super) fn invite(run: &mut CommandRun<'_>) {
    let (nick, channel) = match run.message.parameters() {
        [] => return run.inputs.add(Input::Ask(Box::new(Query::Invitations.into()))),
        [nick, channel, ..] => (nick, channel),
        _ => return run.need_more(),
    };
    if let Some(room) = room_of(channel, run) {
        run.inputs.about(channel);
        run.inputs.add(Input::Ask(Box::new(Query::Invite { to: typed(nick), room }.into())));
    }
}

/// NAMES. No channel is wrong: it has no names. Clients take a list as whole at its end, which stands
/// right behind the names, so there is one channel in a NAMES.
pub(super) fn names(run: &mut CommandRun<'_>) {
    let targets = run.given(0);
    let first = targets.and_then(|targets| targets.split(',').next()).unwrap_or("*");
    run.inputs.about(first);
    if let Some(Ok(room)) = name::room(first) {
        run.inputs.add(Input::ListPeople(room));
    }
    run.refuse_others(targets);
}

/// LIST
pub(super) fn list(run: &mut CommandRun<'_>) {
    let filter = run.given(0).unwrap_or_default();
    run.inputs.about(filter);
    match filter.split(',').nth(LIST_TARGETS_MAX) {
        None => run.inputs.add(Input::ListRooms),
        Some(excess) => run.too_many_targets(excess), // a part of a filter would show other rooms
    }
}

/// KICK: people from a channel, or each from their own of several channels.
pub(super) fn kick(run: &mut CommandRun<'_>) {
    let [channels, people, ..] = run.message.parameters() else {
        return run.need_more();
    };
    if run.is_too_long(2) {
        return;
    }
    let reason = run.words(2);
    let channels: Vec<_> = channels.split(',').collect();
    for (index, person) in people.split(',').enumerate() {
        let channel = match channels.as_slice() {
            [only] => only,
            several => several.get(index).unwrap_or(&""),
        };
        if let Some(room) = room_of(channel, run) {
            let whom = Whom::Name(name_of(person));
            let deed = Deed { text: reason.clone(), ..Deed::to(Verb::Kick, whom) };
            run.inputs.about(channel);
            let here = Here::RoomOnly(room);
            run.inputs.add(Input::Ask(Box::new(Change::Act { here, deed }.into())));
        }
    }
}
