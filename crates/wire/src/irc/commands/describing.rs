//! Descriptions of the own person: AWAY and SETNAME.

use parlor_core::link::{Change, Input};

use super::run::CommandRun;
use crate::irc::protocol::REALNAME_BYTES_MAX;

/// AWAY with a text, or without one to be back.
pub(super) fn away(run: &mut CommandRun<'_>) {
    if run.is_too_long(0) {
        return;
    }
    let text = run.words(0);
    run.inputs.add(Input::Ask(Box::new(Change::SetAway(text).into())));
}

/// SETNAME
pub(super) fn setname(run: &mut CommandRun<'_>) {
    let why = match run.words(0) {
        None => "A real name has at least one character",
        Some(realname) if realname.len() <= REALNAME_BYTES_MAX => {
            let change = Change::SetRealname(realname);
            return run.inputs.add(Input::Ask(Box::new(change.into())));
        }
        Some(_) => "The real name is too long; type a shorter one",
    };
    run.inputs.replies.fail("SETNAME", "INVALID_REALNAME", &[], why);
}
