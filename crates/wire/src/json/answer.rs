//! What the server says to one person, as JSON objects: with fields for programs, and in words for
//! everybody.

use parlor_core::link::{
    Answer, COMMANDS, Entered, Notice, PasswordFor, PeoplePage, Refusal, Resumed, Spec,
};
use parlor_core::model::{Act, Line, Manner, Missed, Name, Verb};
use serde::Serialize;

use super::object::{Object, object, with_act, with_people, with_whom};
use crate::style::{LineMode, LocalClock, Storage, rfc3339};
use crate::words::{self, RefusalDetails};

/// Appends an answer.
pub(crate) fn put(answer: &Answer, keeping: Storage, clock: &LocalClock, out: &mut Vec<u8>) {
    let object = match answer {
        Answer::Help(None) => object("help", out).with("commands", commands(COMMANDS)),
        Answer::Help(Some(spec)) => {
            object("help", out).with("commands", commands(std::slice::from_ref(*spec)))
        }
        Answer::Who { .. } | Answer::Rooms { .. } => put_list(answer, out),
        // A program asks for them, and needs no sentence.
        Answer::People(people) => return put_people(people, out),
        Answer::YouAre(name) => object("you", out).with("name", name.as_str()),
        Answer::Topic { room, text } => object("topic_is", out)
            .with("room", room.as_str())
            .with("topic", text.as_ref().map(Line::as_str)),
        Answer::Private { from, to, text } => object("private", out)
            .with("from", from.name.as_str())
            .with("to", to.as_str())
            .with("words", text.as_str()),
        Answer::Letter { at, from, to, text } => object("letter", out)
            .with("time", rfc3339(*at))
            .with("from", from.as_str())
            .with("to", to.as_str())
            .with("words", text.as_str()),
        Answer::Found { room, said } => object("found", out)
            .with("room", room.as_str())
            .with("seq", said.seq)
            .with("time", rfc3339(said.at))
            .with("name", said.who.name.as_str())
            .with("action", said.manner == Manner::Action)
            .with("words", said.text.as_str()),
        Answer::Password(password) => put_password(password, out),
        Answer::Code(code) => object("code", out).with("code", code.as_str()),
        Answer::Token(token) => object("token", out).with("token", token.as_str()),
        Answer::Refused(refusal) => put_refused(refusal, clock, out),
        Answer::Notice(notice) => put_notice(notice, clock, out),
        Answer::Act(act) => {
            let object = put_about(words::act_row(act, clock).about, out);
            with_whom(object, act).with_some("until", act.until().map(rfc3339))
        }
        _ => put_other(answer, out),
    };
    object.with("text", words(answer, keeping, clock));
}

/// What needs no kind of its own: what it is about, and what is in it. Long lists and what only the operator asks are told in
/// words alone.
fn put_other<'a>(answer: &Answer, out: &'a mut Vec<u8>) -> Object<'a> {
    let names = |names: &[Name]| names.iter().map(Name::to_string).collect::<Vec<_>>();
    match answer {
        Answer::Ignoring(who) => put_about("ignoring", out).with("name", who.name.as_str()),
        Answer::Unignored(name) => put_about("unignored", out).with("name", name.as_str()),
        Answer::Quiet(true) => put_about("quiet", out),
        Answer::Echo(true) => put_about("echo", out),
        Answer::Echo(false) => put_about("no-echo", out),
        Answer::Quiet(false) => put_about("not-quiet", out),
        Answer::FoundMore { lines, is_all } => put_about("found-more", out)
            .with("lines", lines)
            .with("all", is_all),
        Answer::FoundNothing(words) => {
            put_about("found-nothing", out).with("words", words.as_str())
        }
        Answer::SearchBehind(lines) => put_about("search-behind", out).with("lines", lines),
        Answer::PasswordChanged { name, keeps_token } => put_about("password-changed", out)
            .with("name", name.as_str())
            .with("token", keeps_token),
        Answer::Registered(name) => put_about("registered", out).with("name", name.as_str()),
        Answer::TokenRevoked(true) => put_about("token-revoked", out),
        Answer::TokenRevoked(false) => put_about("no-token", out),
        Answer::WelcomeBack(name) => put_about("welcome-back", out).with("name", name.as_str()),
        Answer::KeptFor(name) => put_about("kept-for", out).with("name", name.as_str()),
        Answer::WhileAway(letters) => put_about("while-away", out).with("letters", letters),
        Answer::CanTakeBack(name) => put_about("can-take-back", out).with("name", name.as_str()),
        Answer::TakenBack(lines) => put_about("taken-back", out).with("lines", lines),
        Answer::NothingKept => put_about("nothing-kept", out),
        Answer::Bans { bans, .. } if bans.is_empty() => put_about("nobody-banned", out),
        Answer::Keepers { room, server } => {
            let of_room = room.as_ref();
            put_about("keepers", out)
                .with_some("room", of_room.map(|(room, _)| room.as_str()))
                .with_some("names", of_room.map(|(_, keepers)| names(keepers)))
                .with("server", names(server))
        }
        _ => put_about("order", out),
    }
}

fn put_about<'a>(about: &str, out: &'a mut Vec<u8>) -> Object<'a> {
    object("answer", out).with("about", about)
}

/// Appends what somebody reads first in a room.
pub(crate) fn put_entered(entered: &Entered, keeping: Storage, out: &mut Vec<u8>) {
    let resumed = match entered.resumed {
        Resumed::No => None,
        Resumed::Exactly => Some("exact"),
        Resumed::AnotherLog => Some("another log"),
    };
    let text = words::entered(entered, LineMode::Named, keeping);
    let object = object("entered", out)
        .with("room", entered.room.as_str())
        .with("name", entered.who.name.as_str())
        .with("topic", entered.topic.as_ref().map(Line::as_str))
        .with("seq", entered.view.arrived.seq)
        .with("first", entered.first)
        .with("keeps", entered.keeps.is_some())
        .with("resumed", resumed);
    with_people(object, &entered.roster).with("text", text.join("\n"));
}

/// The sentences of the line dialect, without the mark that they are the server's.
fn words(answer: &Answer, keeping: Storage, clock: &LocalClock) -> String {
    if let Answer::Found { room, said } = answer {
        let mut line = format!("{}{room} ", clock.stamp(said.at)).into_bytes();
        words::said(said, &mut line);
        return String::from_utf8_lossy(&line).into_owned();
    }
    let lines = words::answer(answer, LineMode::Named, keeping, clock);
    let bare = lines
        .iter()
        .map(|line| line.strip_prefix("-- ").unwrap_or(line));
    bare.collect::<Vec<_>>().join("\n")
}

#[derive(Serialize)]
struct CommandShown {
    name: &'static str,
    aliases: &'static [&'static str],
    arguments: &'static str,
    does: &'static str,
    more: &'static str,
}

fn commands(specs: &'static [Spec]) -> Vec<CommandShown> {
    // Whoever speaks JSON waits for the own lines to come back.
    let specs = specs.iter().filter(|spec| spec.name != "echo");
    specs.map(shown).collect()
}

fn shown(spec: &'static Spec) -> CommandShown {
    CommandShown {
        name: spec.name,
        aliases: spec.aliases,
        arguments: spec.arguments,
        does: spec.does,
        more: spec.more,
    }
}

fn put_people(people: &PeoplePage, out: &mut Vec<u8>) {
    let PeoplePage {
        room, names, next, ..
    } = people;
    let names: Vec<_> = names.iter().map(Name::as_str).collect();
    object("people", out)
        .with("room", room.as_str())
        .with("names", names)
        .with("next", next);
}

#[derive(Serialize)]
struct PersonShown<'a> {
    name: &'a str,
    silent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

#[derive(Serialize)]
struct RoomShown<'a> {
    room: &'a str,
    people: usize,
    topic: Option<&'a str>,
}

/// People or rooms.
fn put_list<'a>(answer: &Answer, out: &'a mut Vec<u8>) -> Object<'a> {
    match answer {
        Answer::Who {
            room,
            people,
            others,
            listening,
        } => {
            let people = people.iter().map(|person| PersonShown {
                name: person.name.as_str(),
                silent: person.silent.as_secs(),
                address: person.address.map(|address| address.to_string()),
            });
            object("who", out)
                .with("room", room.as_str())
                .with("people", people.collect::<Vec<_>>())
                .with("others", others)
                .with("listening", listening)
        }
        Answer::Rooms { rooms, others } => {
            let rooms = rooms.iter().map(|room| RoomShown {
                room: room.room.as_str(),
                people: room.people,
                topic: room.topic.as_ref().map(Line::as_str),
            });
            object("rooms", out)
                .with("rooms", rooms.collect::<Vec<_>>())
                .with("others", others)
        }
        _ => put_other(answer, out),
    }
}

fn put_password<'a>(password: &PasswordFor, out: &'a mut Vec<u8>) -> Object<'a> {
    let (what, name) = match password {
        PasswordFor::Of(name) => ("own", Some(name)),
        PasswordFor::Present(name) => ("present", Some(name)),
        PasswordFor::New(name) => ("new", Some(name)),
        PasswordFor::Again => ("again", None),
    };
    object("password", out)
        .with("for", what)
        .with_some("name", name.map(|name| name.as_str()))
}

fn put_notice<'a>(notice: &Notice, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    match notice {
        Notice::Skipped(missed) | Notice::PassedOver(missed) | Notice::NotKeptAnyMore(missed) => {
            let Missed { room, first, last } = missed;
            object("skipped", out)
                .with("room", room.as_str())
                .with("lines", missed.lines())
                .with("first", first)
                .with("last", last)
        }
        Notice::Act(act) => put_act(act, clock, out),
        _ => object("notice", out).with("about", about(notice)),
    }
}

fn about(notice: &Notice) -> &'static str {
    match notice {
        Notice::Damaged(_) => "damaged",
        Notice::DiskSlow => "disk-slow",
        Notice::Idle { .. } | Notice::IdleClosed(_) => "silent",
        Notice::GoingDown => "going-down",
        _ => "order",
    }
}

/// What somebody is told of an act that concerns them.
fn put_act<'a>(act: &Act, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    let reach = Some(&act.reach);
    let notice = |out| object("notice", out).with("about", words::act_row(act, clock).about);
    match act.deed.verb {
        Verb::Kick | Verb::Ban => {
            let removed = object("removed", out).with("banned", act.deed.verb == Verb::Ban);
            with_act(removed, reach, act)
        }
        Verb::Mute => with_act(notice(out), reach, act),
        Verb::Unmute => with_act(notice(out), None, act),
        Verb::Broadcast
        | Verb::Unban
        | Verb::LockTopic
        | Verb::UnlockTopic
        | Verb::SetTopic
        | Verb::MakeRoom
        | Verb::AddKeeper
        | Verb::RemoveKeeper
        | Verb::ReleaseName
        | Verb::SetPassword
        | Verb::Reload => {
            let text = act.deed.text.as_ref();
            notice(out).with_some("words", text.map(Line::as_str))
        }
    }
}

fn put_refused<'a>(refusal: &Refusal, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    let row = words::refusal_row(refusal, clock);
    let object = object("refused", out).with("why", row.code);
    match row.details {
        RefusalDetails::None => object,
        RefusalDetails::Command(spec) => object.with("command", shown(spec)),
        RefusalDetails::NameRule(rule) => object.with("rule", rule),
        RefusalDetails::Act(act) => with_act(object, Some(&act.reach), act),
    }
}
