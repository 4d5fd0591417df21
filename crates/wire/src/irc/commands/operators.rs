//! The commands of operators: OPER, KILL, WALLOPS; and the modes of people.

use parlor_core::link::{Change, Input, Query};
use parlor_core::model::{Deed, Here, Line, Modes, Verb, Whom};

use super::channels::{name_of, typed};
use super::run::CommandRun;
use crate::irc::protocol::{Numeric, user_modes};

/// OPER: the authority of a keeper of the server, under any nick.
pub(super) fn oper(run: &mut CommandRun<'_>) {
    let [name, password, ..] = run.message.parameters() else {
        return run.need_more();
    };
    let line = |text: &str| Line::sanitise(text.as_bytes());
    run.inputs.about(name);
    run.inputs.add(Input::Oper { name: line(name), password: line(password) });
}

/// KILL: ends the connections of a person.
pub(super) fn kill(run: &mut CommandRun<'_>) {
    let Some(nick) = run.given(0) else {
        return run.need_more();
    };
    if run.is_too_long(1) {
        return;
    }
    let reason = run.words(1);
    let whom = Whom::Name(name_of(nick));
    act(nick, Deed { text: reason, ..Deed::to(Verb::Kick, whom) }, run);
}

/// WALLOPS: tells something to all who want to read what operators say.
pub(super) fn wallops(run: &mut CommandRun<'_>) {
    if run.is_too_long(0) {
        return;
    }
    match run.words(0) {
        Some(text) => act("", Deed::to_all(Verb::Wallops, Some(text)), run),
        None => run.need_more(),
    }
}

/// Adds an act on the whole server.
fn act(target: &str, deed: Deed, run: &mut CommandRun<'_>) {
    run.inputs.about(target);
    run.inputs.add(Input::Ask(Box::new(Change::Act { here: Here::Server, deed }.into())));
}

/// MODE of a person. Only the broadcaster knows whose name it is.
pub(super) fn own_mode(nick: &str, changes: Option<&str>, run: &mut CommandRun<'_>) {
    run.inputs.about(nick);
    let Some(changes) = changes.filter(|changes| !changes.is_empty()) else {
        return run.inputs.add(Input::Ask(Box::new(Query::Modes(typed(nick)).into())));
    };
    let (mut set, mut removed) = (Modes::NONE, Modes::NONE);
    let mut is_unknown = false;
    for (is_set, mode) in user_modes(changes) {
        match mode {
            Ok(mode) if is_set => {
                (set, removed) = (set.with(mode.set()), removed.without(mode.set()));
            }
            Ok(mode) => (set, removed) = (set.without(mode.set()), removed.with(mode.set())),
            Err(_) => is_unknown = true,
        }
    }
    if is_unknown {
        run.reply(Numeric::ERR_UMODEUNKNOWNFLAG, &[], "Unknown mode of a person");
    }
    let change = Change::SetModes { of: typed(nick), set, removed };
    run.inputs.add(Input::Ask(Box::new(change.into())));
}
