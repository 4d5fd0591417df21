//! MONITOR: the names whose people the client wants to know of (IRCv3, "Monitor").

use parlor_core::link::{Input, Query, WatchRequest};

use super::channels::typed;
use super::run::CommandRun;
use crate::irc::protocol::{Numeric, name};

/// MONITOR
pub(super) fn monitor(run: &mut CommandRun<'_>) {
    let watch = match (run.given(0).map(str::to_ascii_uppercase).as_deref(), run.given(1)) {
        (Some("+"), Some(targets)) => {
            let (names, others): (Vec<_>, Vec<_>) =
                nicks(targets).partition(|nick| name::named(nick).is_ok());
            for nick in others {
                run.reply(Numeric::RPL_MONOFFLINE, &[], nick); // nobody ever has it
            }
            if names.is_empty() {
                return;
            }
            WatchRequest::Add(names.into_iter().map(typed).collect())
        }
        (Some("-"), Some(targets)) => WatchRequest::Remove(nicks(targets).map(typed).collect()),
        (Some("C"), _) => WatchRequest::Clear,
        (Some("L"), _) => WatchRequest::List,
        (Some("S"), _) => WatchRequest::Status,
        _ => return run.need_more(),
    };
    run.inputs.add(Input::Ask(Box::new(Query::Watch(watch).into())));
}

fn nicks(targets: &str) -> impl Iterator<Item = &str> {
    targets.split(',').filter(|nick| !nick.is_empty())
}
