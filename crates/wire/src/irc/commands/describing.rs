//! Descriptions of the own person: AWAY and SETNAME.

use parlor_core::link::{Change, Input};
use parlor_core::model::Line;

use super::run::CommandRun;
use crate::irc::protocol::{Cap, REALNAME_BYTES_MAX, plain};

/// AWAY with a text, or without one to be back.
pub(super) fn away(run: &mut CommandRun<'_>) {
    let text = Line::sanitise(plain(run.given(0).unwrap_or_default()).as_bytes());
    let text = Some(text).filter(|text| !text.is_blank());
    run.inputs.add(Input::Ask(Box::new(Change::SetAway(text).into())));
}

/// SETNAME
pub(super) fn setname(run: &mut CommandRun<'_>) {
    let realname = Line::sanitise(plain(run.given(0).unwrap_or_default()).as_bytes());
    let why = match realname.len() {
        _ if realname.is_blank() => "A real name has at least one character",
        ..=REALNAME_BYTES_MAX => {
            let change = Change::SetRealname(realname);
            return run.inputs.add(Input::Ask(Box::new(change.into())));
        }
        _ => "The real name is too long; type a shorter one",
    };
    match run.client.caps().has(Cap::StandardReplies) || run.client.caps().has(Cap::Setname) {
        true => run.inputs.replies.fail("SETNAME", "INVALID_REALNAME", &[], why),
        false => run.inputs.replies.notice(why),
    }
}
