//! MARKREAD: how far the client has read (IRCv3, "read-marker").

use parlor_core::link::{Change, Input, Query, Request};
use parlor_core::model::ConversationId;

use super::run::CommandRun;
use crate::irc::protocol::{Selector, name};

/// MARKREAD
pub(super) fn markread(run: &mut CommandRun<'_>) {
    let Some(target) = run.given(0) else {
        let why = "MARKREAD needs a channel or a nick";
        return run.inputs.replies.fail("MARKREAD", "NEED_MORE_PARAMS", &[], why);
    };
    let conversation = match name::room(target) {
        Some(Ok(room)) => Some(ConversationId::Room(room)),
        Some(Err(_)) => None,
        None => name::named(target).ok().map(ConversationId::With),
    };
    let Some(conversation) = conversation else {
        let why = "There is no such channel, and no such nick";
        return run.inputs.replies.fail("MARKREAD", "INVALID_PARAMS", &[target], why);
    };
    let asked: Request = match run.message.parameter(1).map(Selector::parse) {
        None => Query::Marker(conversation).into(),
        Some(Some(Selector::Time(read))) => Change::MarkRead { conversation, read }.into(),
        Some(_) => {
            let why = "The second parameter is timestamp=YYYY-MM-DDThh:mm:ss.sssZ";
            return run.inputs.replies.fail("MARKREAD", "INVALID_PARAMS", &[target], why);
        }
    };
    run.inputs.about(target);
    run.inputs.add(Input::Ask(Box::new(asked)));
}
