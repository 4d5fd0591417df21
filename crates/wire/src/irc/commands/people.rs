//! Questions about people: WHO, WHOIS, WHOWAS, ISON, USERHOST.

use parlor_core::link::{Input, Query};

use super::channels::typed;
use super::run::CommandRun;
use crate::irc::protocol::{Numeric, USERHOSTS_MAX, WhoTargets, name};

/// The largest number of nicks that one ISON looks for.
const NICKS_MAX: usize = 100;

fn ask(query: Query, run: &mut CommandRun<'_>) {
    run.inputs.add(Input::Ask(Box::new(query.into())));
}

/// Looks for people in channels, with nicks and by masks, for WHO. The options are for the encoder.
pub(super) fn who(run: &mut CommandRun<'_>) {
    let Some(target) = run.given(0) else {
        return run.need_more();
    };
    let options = run.given(1).unwrap_or_default();
    let WhoTargets { channels, nicks, masks, excess } = WhoTargets::parse(target, options);
    run.inputs.about_with(options, target);
    for room in channels.into_iter().filter_map(name::room).flatten() {
        run.inputs.add(Input::ListPeople(room));
    }
    if !nicks.is_empty() {
        ask(Query::Present(nicks.into_iter().map(typed).collect()), run);
    }
    if !masks.is_empty() {
        run.inputs.add(Input::FindPeople(masks.len()));
    }
    if let Some(excess) = excess {
        run.too_many_targets(excess);
    }
}

/// WHOIS, with or without a server before the nick. By the dot in it, a server is none of the nicks
/// that clients put there, too.
pub(super) fn whois(run: &mut CommandRun<'_>) {
    let server = run.given(0).filter(|server| server.contains('.'));
    if server.is_some_and(|server| run.given(1).is_some_and(|nick| nick != server))
        && run.asks_elsewhere(0)
    {
        return;
    }
    let nicks = run.given(1).or(run.given(0));
    if let Some(nick) = first_nick(nicks, run) {
        run.inputs.about(nick);
        ask(Query::Whois(typed(nick)), run);
        run.refuse_others(nicks);
    }
}

/// WHOWAS. The number of people is for the encoder.
pub(super) fn whowas(run: &mut CommandRun<'_>) {
    if let Some(nick) = first_nick(run.given(0), run) {
        run.inputs.about_with(run.given(1).unwrap_or_default(), nick);
        ask(Query::Whowas(typed(nick)), run);
        run.refuse_others(run.given(0));
    }
}

/// The first of some nicks; if there is none, the client reads so.
fn first_nick<'a>(nicks: Option<&'a str>, run: &mut CommandRun<'_>) -> Option<&'a str> {
    let first = nicks.and_then(|nicks| nicks.split(',').next()).filter(|nick| !nick.is_empty());
    if first.is_none() {
        run.reply(Numeric::ERR_NONICKNAMEGIVEN, &[], "No nickname given");
    }
    first
}

/// ISON
pub(super) fn ison(run: &mut CommandRun<'_>) {
    look_for(NICKS_MAX, run);
}

/// USERHOST
pub(super) fn userhost(run: &mut CommandRun<'_>) {
    look_for(USERHOSTS_MAX, run);
}

/// Looks for the people whose nicks are the parameters.
fn look_for(nicks_max: usize, run: &mut CommandRun<'_>) {
    let parameters = run.message.parameters().iter();
    let nicks: Vec<_> =
        parameters.flat_map(|nicks| nicks.split_whitespace()).take(nicks_max).map(typed).collect();
    match nicks.is_empty() {
        true => run.need_more(),
        false => ask(Query::Present(nicks), run),
    }
}
