//! CHATHISTORY: earlier lines of a room (IRCv3, "Chat History").

use parlor_core::link::{Excerpt, Input};
use parlor_core::model::RoomName;

use super::run::CommandRun;
use crate::irc::protocol::{HISTORY_MAX, MsgId, MsgPlace, Selector, name};

/// CHATHISTORY
pub(super) fn chathistory(run: &mut CommandRun<'_>) {
    let Some((subcommand, rest)) = run.message.parameters().split_first() else {
        return run.need_more();
    };
    let subcommand = subcommand.to_ascii_uppercase();
    let (target, selectors, limit) = match rest {
        [target, selectors @ .., limit] if !selectors.is_empty() => (*target, selectors, *limit),
        _ => return fail("INVALID_PARAMS", &subcommand, "", "Parameters are missing", run),
    };
    let Some(Ok(room)) = name::room(target) else {
        let why = "Only rooms have a history";
        return fail("INVALID_TARGET", &subcommand, target, why, run);
    };
    let lines = match limit.parse() {
        Ok(lines @ 1..) => u64::min(lines, HISTORY_MAX),
        _ => return fail("INVALID_PARAMS", &subcommand, target, "The limit is no number", run),
    };
    let places: Option<Vec<_>> =
        selectors.iter().map(|selector| place(&run.client.server.log, &room, selector)).collect();
    let excerpts = match (subcommand.as_str(), places.as_deref()) {
        (_, None) => {
            let why = "The place is neither * nor the msgid of a line in the room";
            return fail("INVALID_PARAMS", &subcommand, target, why, run);
        }
        ("LATEST", Some([None])) => (vec![before(u64::MAX, lines)], String::new()),
        ("LATEST", Some([Some(seq)])) => (vec![before(u64::MAX, lines)], format!(" >{seq}")),
        ("BEFORE", Some([Some(seq)])) => (vec![before(*seq, lines)], String::new()),
        ("AFTER", Some([Some(seq)])) => (vec![after(*seq, lines)], String::new()),
        ("AROUND", Some([Some(seq)])) => {
            let earlier = lines / 2;
            let later = after(seq.saturating_sub(1), lines - earlier);
            let excerpts = [before(*seq, earlier), later];
            (excerpts.into_iter().skip(usize::from(earlier == 0)).collect(), String::new())
        }
        ("BETWEEN", Some([Some(first), Some(last)])) if first <= last => {
            (vec![after(*first, lines)], format!(" <{last}"))
        }
        ("BETWEEN", Some([Some(last), Some(first)])) => {
            (vec![before(*last, lines)], format!(" >{first}"))
        }
        _ => {
            let why = "There is no such subcommand with these parameters";
            return fail("INVALID_PARAMS", &subcommand, target, why, run);
        }
    };
    let (excerpts, limits) = excerpts;
    run.inputs.about_with(&format!("{subcommand}{limits}"), target);
    for excerpt in excerpts {
        run.inputs.add(Input::In(room.clone(), Box::new(Input::Read(excerpt))));
    }
}

fn before(seq: u64, lines: u64) -> Excerpt {
    Excerpt::Before { seq, lines }
}

fn after(seq: u64, lines: u64) -> Excerpt {
    Excerpt::After { seq, lines }
}

/// The number of the line that a selector names, or none for the end of history. Nothing if the
/// selector names no place in the room.
fn place(own: &str, room: &RoomName, selector: &str) -> Option<Option<u64>> {
    match Selector::parse(selector)? {
        Selector::Any => Some(None),
        Selector::Id(MsgId { log, place: MsgPlace::Line { room: named, seq } }) => {
            let is_here = log == own && named == room.as_str();
            is_here.then_some(Some(seq))
        }
        Selector::Id(_) | Selector::Time(_) => None,
    }
}

fn fail(code: &str, subcommand: &str, target: &str, why: &str, run: &mut CommandRun<'_>) {
    let about = [subcommand, target];
    let about = if target.is_empty() { &about[..1] } else { &about[..] };
    run.inputs.replies.fail("CHATHISTORY", code, about, why);
}
