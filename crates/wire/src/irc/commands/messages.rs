//! PRIVMSG, NOTICE, TAGMSG and BATCH: lines and tags to rooms and to people.

use std::sync::Arc;

use parlor_core::link::{Input, Refusal};
use parlor_core::model::{Extras, Line, Manner, Spoken};

use super::channels::{name_of, room_of};
use super::multiline::{BatchLine, ClientBatch, slip};
use super::run::CommandRun;
use super::services;
use crate::irc::protocol::{Cap, Ctcp, MESSAGE_BYTES_MAX, Numeric, Service, TARGETS_MAX, plain};

/// The type of a batch of lines.
const MULTILINE: &str = "draft/multiline";

/// The tag of a line that continues the line before it.
const CONCAT: &str = "draft/multiline-concat";

/// PRIVMSG and NOTICE
pub(super) fn message(run: &mut CommandRun<'_>) {
    let Some(targets) = run.given(0) else {
        return refuse(Numeric::ERR_NORECIPIENT, &[], "No recipient given", run);
    };
    let text = run.message.parameter(1).unwrap_or_default();
    if run.message.tags.get("batch").is_some() && run.client.caps().has(Cap::Multiline) {
        return add_to_batch(targets, text, run);
    }
    for_each_target(targets, run, |target, run| say(target, text, run));
}

/// TAGMSG
pub(super) fn tagmsg(run: &mut CommandRun<'_>) {
    let Some(targets) = run.given(0) else {
        return run.need_more();
    };
    if !run.client.caps().has(Cap::MessageTags) {
        let why = "TAGMSG needs the capability message-tags";
        return run.reply(Numeric::ERR_UNKNOWNCOMMAND, &["TAGMSG"], why);
    }
    let Some(tags) = client_tags(run) else {
        return; // nothing is left that others may read
    };
    let label = run.inputs.label().cloned();
    let extras = Arc::new(Extras { tags: Some(tags), label, ..Extras::default() });
    for_each_target(targets, run, |target, run| signal(target, Arc::clone(&extras), run));
}

/// Sends tags without words to one target.
fn signal(target: &str, extras: Arc<Extras>, run: &mut CommandRun<'_>) {
    if service_of(target, run).is_some() {
        return; // it reads none
    }
    let input = match target.starts_with('#') {
        true => {
            let Some(room) = room_of(target, run) else {
                return;
            };
            Input::In(room, Box::new(Input::Signal(extras)))
        }
        false => {
            let text = Line::sanitise(b"");
            let lines = vec![Spoken { manner: Manner::Plain, text, extras: Some(extras) }];
            Input::Private { to: person_of(target), lines, is_for_programs: true }
        }
    };
    run.inputs.about(target);
    run.inputs.add(input);
}

/// Sends something to each target, up to the largest number of them.
fn for_each_target(
    targets: &str,
    run: &mut CommandRun<'_>,
    send: impl Fn(&str, &mut CommandRun<'_>),
) {
    for (index, target) in targets.split(',').enumerate() {
        if index == TARGETS_MAX {
            let why = "Too many targets: no more are told";
            return refuse(Numeric::ERR_TOOMANYTARGETS, &[target], why, run);
        }
        send(target, run);
    }
}

/// The name of a person, as typed.
fn person_of(target: &str) -> Line {
    Line::sanitise(name_of(target).as_str().as_bytes())
}

/// Says a text to one target.
fn say(target: &str, text: &str, run: &mut CommandRun<'_>) {
    let parts = [": ", run.inputs.word.as_str(), " ", target, " :", text];
    let bytes = run.client.source_bytes + parts.iter().map(|part| part.len()).sum::<usize>();
    let plain_manner = if run.is_notice() { Manner::Notice } else { Manner::Plain };
    let ctcp = Ctcp::parse(text);
    let is_for_programs = ctcp.is_some_and(|ctcp| run.is_notice() || !ctcp.is_action());
    let (manner, words) = match ctcp {
        Some(_) if is_for_programs => (plain_manner, text.trim_matches('\u{1}')),
        Some(ctcp) => (Manner::Action, ctcp.text),
        None => (plain_manner, text),
    };
    if is_for_programs && target.starts_with('#') {
        let why = "Only ACTION is passed on";
        return refuse(Numeric::ERR_CANNOTSENDTOCHAN, &[target], why, run);
    }
    let line = Line::sanitise(plain(words).as_bytes());
    if line.is_blank() {
        return refuse(Numeric::ERR_NOTEXTTOSEND, &[], "No text to send", run);
    }
    if bytes > MESSAGE_BYTES_MAX {
        return refuse(Numeric::ERR_INPUTTOOLONG, &[], "Input line was too long", run);
    }
    match service_of(target, run) {
        Some(_) if run.is_notice() || is_for_programs => return, // it is no command
        Some(service) => return services::command(service, words, run),
        None => {}
    }
    if let Some(name) = slip(text, &line).filter(|_| manner != Manner::Action) {
        return refuse_slip(name, target, run);
    }
    let (tags, label) = (client_tags(run), run.inputs.label().cloned());
    let extras = Extras { tags, label, ..Extras::default() };
    let extras = (extras != Extras::default()).then(|| Arc::new(extras));
    post(target, vec![Spoken { manner, text: line, extras }], is_for_programs, run);
}

/// The service that a target means, also as `NickServ@SERVER`.
fn service_of(target: &str, run: &CommandRun<'_>) -> Option<Service> {
    let here = target.split_once('@');
    let here = here.filter(|(_, server)| server.eq_ignore_ascii_case(&run.client.server.name));
    Service::of(here.map_or(target, |(nick, _)| nick))
}

/// Refuses a text that was probably meant as a command: it may have a password.
fn refuse_slip(name: &'static str, target: &str, run: &mut CommandRun<'_>) {
    run.inputs.about(target);
    run.inputs.add(Input::Refused(Refusal::Slipped(name)));
}

/// Posts lines in a room, or sends them to a person.
fn post(target: &str, mut lines: Vec<Spoken>, is_for_programs: bool, run: &mut CommandRun<'_>) {
    if !target.starts_with('#') {
        let to = person_of(target);
        run.inputs.about(target);
        return run.inputs.add(Input::Private { to, lines, is_for_programs });
    }
    let Some(room) = room_of(target, run) else {
        return;
    };
    let post = match lines.len() {
        1 => lines.pop().map_or(Input::Nothing, Input::Say),
        _ => Input::SayAll(lines),
    };
    let post = Input::In(room, Box::new(post));
    match run.inputs.label().is_some() {
        true => {
            run.inputs.about(target);
            run.inputs.add(post);
        }
        false => run.inputs.add_alone(post),
    }
}

/// The tags that other clients get.
fn client_tags(run: &CommandRun<'_>) -> Option<Line> {
    if !run.client.caps().has_tags() {
        return None;
    }
    let tags = run.message.tags.client_only();
    (!tags.is_empty()).then(|| Line::sanitise(tags.as_bytes()))
}

/// Refuses a message, but not a notice.
fn refuse(numeric: Numeric, words: &[&str], why: &str, run: &mut CommandRun<'_>) {
    if !run.is_notice() {
        run.reply(numeric, words, why);
    }
}

fn add_to_batch(target: &str, text: &str, run: &mut CommandRun<'_>) {
    let reference = run.message.tags.get("batch").unwrap_or_default();
    let manner = if run.is_notice() { Manner::Notice } else { Manner::Plain };
    let is_concat = run.message.tags.get(CONCAT).is_some();
    match &mut run.client.batch {
        Some(batch) if batch.is_called(&reference) => {
            batch.hear(&BatchLine { target, manner, text, is_concat }, &mut run.inputs);
        }
        _ => give_up_batch("There is no open batch with this name", run),
    }
}

/// Refuses a command, and gives up the batch that is open, if there is one: each label is answered.
fn give_up_batch(why: &str, run: &mut CommandRun<'_>) {
    if let Some(label) = run.client.batch.take().and_then(|batch| batch.label) {
        if run.inputs.label().is_some() {
            refuse_batch(why, run);
        }
        run.inputs.turn_to(label);
    }
    refuse_batch(why, run);
}

fn refuse_batch(why: &str, run: &mut CommandRun<'_>) {
    run.inputs.replies.fail("BATCH", "MULTILINE_INVALID", &[], why);
}

/// BATCH
pub(super) fn batch(run: &mut CommandRun<'_>) {
    let Some(name) = run.given(0) else {
        return run.need_more();
    };
    match (name.split_at_checked(1), run.message.parameters()) {
        _ if !run.client.caps().has(Cap::Multiline) => {
            give_up_batch("Batches need the capability draft/multiline", run);
        }
        (Some(("+", reference)), [_, kind, target, ..]) if *kind == MULTILINE => {
            if run.client.batch.is_some() {
                return give_up_batch("Another batch was open: both are given up", run);
            }
            let (tags, label) = (client_tags(run), run.inputs.take_label());
            let batch = ClientBatch::new(reference, target, label, tags);
            run.client.batch = Some(Box::new(batch));
        }
        (Some(("-", reference)), _) => {
            match run.client.batch.take_if(|batch| batch.is_called(reference)) {
                Some(batch) => end_batch(*batch, run),
                None => give_up_batch("There is no open batch with this name", run),
            }
        }
        _ => refuse_batch("This is no batch of draft/multiline", run),
    }
}

fn end_batch(batch: ClientBatch, run: &mut CommandRun<'_>) {
    let target = batch.target.clone();
    run.inputs.answer_to(batch.label.clone());
    let slip = batch.slip();
    if let Some(lines) = batch.finish(&mut run.inputs) {
        match slip {
            Some(name) => refuse_slip(name, &target, run),
            None => post(&target, lines, false, run),
        }
    }
}
