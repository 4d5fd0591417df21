//! CHATHISTORY: earlier lines of a room (IRCv3, "Chat History").

use parlor_core::link::{Input, Recall, Spot};
use parlor_core::model::{RoomName, WallTime};

use super::run::CommandRun;
use crate::irc::protocol::{HISTORY_MAX, MsgId, MsgPlace, Selector, name};

/// CHATHISTORY
pub(super) fn chathistory(run: &mut CommandRun<'_>) {
    let Some((subcommand, rest)) = run.message.parameters().split_first() else {
        return run.need_more();
    };
    let subcommand = subcommand.to_ascii_uppercase();
    let [target, selectors @ .., limit] = rest else {
        return fail("INVALID_PARAMS", &subcommand, "", "Insufficient parameters", run);
    };
    if selectors.is_empty() {
        return fail("INVALID_PARAMS", &subcommand, "", "Insufficient parameters", run);
    }
    let count = match limit.parse() {
        Ok(count @ 1..) => u64::min(count, HISTORY_MAX),
        _ => {
            return fail(
                "INVALID_PARAMS",
                &subcommand,
                limit,
                "The limit is a number from 1 on",
                run,
            );
        }
    };
    if subcommand == "TARGETS" {
        return targets(target, selectors, count, run);
    }
    let Some(Ok(room)) = name::room(target) else {
        let why = "Only rooms have a history";
        return fail("INVALID_TARGET", &subcommand, target, why, run);
    };
    let spots: Option<Vec<_>> = selectors.iter().map(|selector| spot(&room, selector)).collect();
    let Some(spots) = spots else {
        let why = "The place is neither a time nor the msgid of a line in the room";
        return fail("INVALID_PARAMS", &subcommand, target, why, run);
    };
    let recall = match (subcommand.as_str(), spots.as_slice()) {
        ("LATEST", [spot]) => Recall::Latest(spot.clone()),
        ("BEFORE", [Some(spot)]) => Recall::Before(spot.clone()),
        ("AFTER", [Some(spot)]) => Recall::After(spot.clone()),
        ("AROUND", [Some(spot)]) => Recall::Around(spot.clone()),
        ("BETWEEN", [Some(first), Some(last)]) => Recall::Between(first.clone(), last.clone()),
        _ => {
            let why = "There is no such subcommand with these parameters";
            return fail("INVALID_PARAMS", &subcommand, target, why, run);
        }
    };
    run.inputs.about_with(&subcommand, target);
    run.inputs.add(Input::In(room, Box::new(Input::Recall(recall, count))));
}

/// TARGETS: the rooms whose last lines were said between two times.
fn targets(first: &str, rest: &[&str], count: u64, run: &mut CommandRun<'_>) {
    let [Some(first), Some(last)] = [Some(first), rest.first().copied()].map(|at| time(at?)) else {
        let why = "The rooms between two times are listed: timestamp=...";
        return fail("INVALID_PARAMS", "TARGETS", "", why, run);
    };
    run.inputs.about_with("TARGETS", "");
    run.inputs.add(Input::RecallRooms([first, last], count));
}

/// The place that a selector names in a room, or none for the end of history. Nothing if it names
/// no place in the room.
fn spot(room: &RoomName, selector: &str) -> Option<Option<Spot>> {
    match Selector::parse(selector)? {
        Selector::Any => Some(None),
        Selector::Id(MsgId { log, place: MsgPlace::Line { room: named, seq } }) => {
            let log = log.to_owned();
            (named == room.as_str()).then_some(Some(Spot::Line { log, seq }))
        }
        Selector::Id(_) => None,
        Selector::Time(at) => Some(Some(Spot::Time(at))),
    }
}

fn time(selector: &str) -> Option<WallTime> {
    match Selector::parse(selector)? {
        Selector::Time(at) => Some(at),
        Selector::Any | Selector::Id(_) => None,
    }
}

fn fail(code: &str, subcommand: &str, target: &str, why: &str, run: &mut CommandRun<'_>) {
    let about = [subcommand, target];
    let about = if target.is_empty() { &about[..1] } else { &about[..] };
    run.inputs.replies.fail("CHATHISTORY", code, about, why);
}
