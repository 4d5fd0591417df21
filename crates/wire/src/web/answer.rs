//! Messages of the server to one person, as JSON objects: in fields for programs, and in words.

use parlor_core::link::{
    Answer, COMMANDS, Contact, Entered, Misread, Notice, PasswordFor, Present, PrivateMessage,
    Refusal, Resumed, RoomInfo, Spec,
};
use parlor_core::model::{Act, By, ConversationId, Line, Manner, Missed, Name, RoomRules, Verb};

use super::object::{Object, limit_of, object, with_act, with_people, with_whom};
use crate::style::{LineMode, LocalClock, Storage, rfc3339};
use crate::words::{self, PrivateLine};

/// Appends an answer.
pub(crate) fn put(answer: &Answer, storage: Storage, clock: &LocalClock, out: &mut Vec<u8>) {
    let object = put_fields(answer, clock, out);
    if let Answer::People(_) | Answer::Marker { .. } = answer {
        return; // it is for programs, and needs no sentence
    }
    let text = words::answer(answer, LineMode::Named, storage, clock);
    object.with("text", text.lines.join("\n"));
}

/// The table. A new answer does not compile until it has its row. Long lists for the operator have
/// no fields.
#[rustfmt::skip]
fn put_fields<'a>(answer: &Answer, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    match answer {
        // Kinds with their own functions.
        Answer::Notice(notice) => put_notice(notice, clock, out),
        Answer::Refused(refusal) => put_refused(refusal, clock, out),
        Answer::Help(None) => put_help(COMMANDS, out),
        Answer::Help(Some(spec)) => put_help(std::slice::from_ref(*spec), out),
        Answer::Who { room, people, others, listening, as_of } => object("who", out).with("room", room.as_str())
            .with_list("people", people, person).with("others", others).with("listening", listening)
            .with_some("as_of", as_of.map(rfc3339)),
        Answer::People(page) => object("people", out).with("room", page.room.as_str())
            .with("names", page.people.iter().map(|person| person.who.name.as_str()).collect::<Vec<_>>())
            .with("next", page.next),
        Answer::Rooms { rooms, others, as_of } => object("rooms", out).with_list("rooms", rooms, room)
            .with("others", others).with_some("as_of", as_of.map(rfc3339)),
        Answer::Marker { conversation: ConversationId::Room(room), read } => object("read", out)
            .with("room", room.as_str()).with("time", read.map(rfc3339)),
        Answer::Marker { conversation: ConversationId::With(name), read } => object("read", out)
            .with("name", name.as_str()).with("time", read.map(rfc3339)),
        Answer::YouAre(name) => object("you", out).with("name", name.as_str()),
        Answer::Topic { room, text, .. } => object("topic_is", out).with("room", room.as_str())
            .with("topic", text.as_ref().map(Line::as_str)),
        Answer::Rules { room, rules, is_topic_locked, since: _ } => with_rules(object("rules", out).with("room", room.as_str()), rules)
            .with("locked", is_topic_locked),
        Answer::KeptMessage { message, .. } => {
            let line = words::private(message).next(); // each line is a message of its own
            object("letter", out).with("time", rfc3339(message.at))
                .with("from", message.from.name.as_str()).with("to", message.to.as_str())
                .with("words", line.as_ref().map_or("", |line| line.words.as_str()))
                .with_some("notice", line.filter(|line| line.is_notice).map(|_| true))
        }
        Answer::Found { room, said } => object("found", out).with("room", room.as_str()).with("seq", said.seq)
            .with("time", rfc3339(said.at)).with("name", said.who.name.as_str())
            .with("action", said.manner == Manner::Action).with("words", said.text.as_str()),
        Answer::Password(PasswordFor::Of(name)) => password("own", out).with("name", name.as_str()),
        Answer::Password(PasswordFor::Present(name)) => password("present", out).with("name", name.as_str()),
        Answer::Password(PasswordFor::New { name, chars_min }) => password("new", out).with("name", name.as_str())
            .with("chars", chars_min),
        Answer::Password(PasswordFor::Again) => password("again", out),
        Answer::Code(code) => object("code", out).with("code", code.as_str()),
        Answer::Token(token) => object("token", out).with("token", token.as_str()),

        // Plain answers.
        Answer::Invited { who, room } => about("invited", out).with("name", who.as_str()).with("room", room.as_str()),
        Answer::Ignore(who) => about("ignoring", out).with("name", who.name.as_str()),
        Answer::Unignore(name) => about("unignored", out).with("name", name.as_str()),
        Answer::Quiet(true) => about("quiet", out),
        Answer::Quiet(false) => about("not-quiet", out),
        Answer::Echo(true) => about("echo", out),
        Answer::Echo(false) => about("no-echo", out),
        Answer::FoundMore { lines, is_all } => about("found-more", out).with("lines", lines).with("all", is_all),
        Answer::FoundNothing(words) => about("found-nothing", out).with("words", words.as_str()),
        Answer::SearchBehind(lines) => about("search-behind", out).with("lines", lines),
        Answer::PasswordChanged { name, keeps_token } => about("password-changed", out).with("name", name.as_str())
            .with("token", keeps_token),
        Answer::Registered(name) => about("registered", out).with("name", name.as_str()),
        Answer::TokenRevoked(true) => about("token-revoked", out),
        Answer::TokenRevoked(false) => about("no-token", out),
        Answer::WelcomeBack(name) => about("welcome-back", out).with("name", name.as_str()),
        Answer::KeptFor(name) => about("kept-for", out).with("name", name.as_str()),
        Answer::WhileAway(letters) => about("while-away", out).with("letters", letters),
        Answer::Away(Some(text)) => about("away", out).with("words", text.as_str()),
        Answer::Away(None) => about("back", out),
        Answer::CanDelete(name) => about("can-take-back", out).with("name", name.as_str()),
        Answer::Deleted(lines) => about("taken-back", out).with("lines", lines),
        Answer::NothingStored => about("nothing-kept", out),

        // Moderation.
        Answer::Act(act) => with_whom(about(words::act_row(act, clock).about, out), act)
            .with_some("until", act.until().map(rfc3339)).with_some("limit", limit_of(act)),
        Answer::Bans { bans, .. } if bans.is_empty() => about("nobody-banned", out),
        Answer::Keepers { room, server } => about("keepers", out)
            .with_some("room", room.as_ref().map(|of| of.room.as_str()))
            .with_some("names", room.as_ref().map(|of| names(&of.for_good)))
            .with_some("for_now", room.as_ref().map(|of| names(&of.for_now)))
            .with("server", names(server)),
        // Nothing in this dialect asks for these.
        Answer::Whois(_) | Answer::Whowas { .. } | Answer::Present(_) | Answer::AllRooms(_) | Answer::Totals(_)
        | Answer::Findable(_) | Answer::Invitations(_)
        | Answer::LastLines(_) | Answer::Watched(_) | Answer::Modes(_) | Answer::ModesChanged { .. } => about("order", out),
        Answer::Told { .. } | Answer::Unstored(_) | Answer::Everybody(_) | Answer::Bans { .. } => about("order", out),

        // Not sent here, or with its own function.
        Answer::IsAway { name, text } => {
            about("is-away", out).with("name", name.as_str()).with("words", text.as_str())
        }
        Answer::LoggedIn(_) | Answer::Private(_) | Answer::Realname(_) => about("order", out),
    }
}

/// Appends a line of a private message.
pub(crate) fn put_private(message: &PrivateMessage, line: &PrivateLine<'_>, out: &mut Vec<u8>) {
    object("private", out)
        .with("time", rfc3339(message.at))
        .with("from", message.from.name.as_str())
        .with("to", message.to.as_str())
        .with("words", line.words.as_str())
        .with_some("notice", line.is_notice.then_some(true))
        .with("text", line.to_string());
}

/// Appends the first message to a client in a room.
pub(crate) fn put_entered(entered: &Entered, storage: Storage, out: &mut Vec<u8>) {
    let resumed = match entered.resumed {
        Resumed::No => None,
        Resumed::Exactly => Some("exact"),
        Resumed::AnotherLog => Some("another log"),
    };
    let text = words::entered(entered, LineMode::Named, storage);
    let is_owner = entered.who.account.is_some();
    let object = object("entered", out)
        .with("room", entered.room.as_str())
        .with("name", entered.who.name.as_str())
        .with("topic", entered.topic.as_ref().map(Line::as_str))
        .with("seq", entered.view.arrived.seq)
        .with("first", entered.first)
        .with("keeps", entered.keeps.is_some())
        .with("resumed", resumed)
        .with_some("read", is_owner.then(|| entered.read.map(rfc3339)))
        .with_some("away", entered.away.as_ref().map(Line::as_str));
    let object = match entered.rules.is_nothing() {
        true => object,
        false => {
            object.with_put("rules", |out| drop(with_rules(Object::begin(out), &entered.rules)))
        }
    };
    with_people(object, &entered.roster).with("text", text.join("\n"));
}

/// Adds the rules of a room.
fn with_rules<'a>(object: Object<'a>, rules: &RoomRules) -> Object<'a> {
    object
        .with("invited", rules.is_invited_only)
        .with("secret", rules.is_secret)
        .with("moderated", rules.is_moderated)
        .with("password", rules.password.as_ref().map(Line::as_str))
        .with("limit", rules.people_max)
}

fn about<'a>(what: &str, out: &'a mut Vec<u8>) -> Object<'a> {
    object("answer", out).with("about", what)
}

fn password<'a>(purpose: &str, out: &'a mut Vec<u8>) -> Object<'a> {
    object("password", out).with("for", purpose)
}

fn names(names: &[Name]) -> Vec<&str> {
    names.iter().map(Name::as_str).collect()
}

fn person(object: Object<'_>, person: &Present) {
    let object = object.with("name", person.name.as_str());
    object.with("silent", person.silent.as_secs()).with_some("address", person.address);
}

fn room(object: Object<'_>, info: &RoomInfo) {
    let object = object.with("room", info.room.as_str()).with("people", info.people);
    object.with("topic", info.topic.as_ref().map(Line::as_str));
}

fn command(object: Object<'_>, spec: &Spec) {
    let object = object.with("name", spec.name).with("aliases", spec.aliases);
    object.with("arguments", spec.arguments).with("does", spec.does).with("more", spec.more);
}

/// Help on all of these commands but /echo: JSON clients wait for their own lines.
fn put_help<'a>(specs: &[Spec], out: &'a mut Vec<u8>) -> Object<'a> {
    let specs = specs.iter().filter(|spec| spec.name != "echo");
    object("help", out).with_list("commands", specs, command)
}

fn put_notice<'a>(notice: &Notice, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    let about = |what, out| object("notice", out).with("about", what);
    match notice {
        Notice::Skipped(missed) | Notice::PassedOver(missed) | Notice::LeftTheLog(missed) => {
            let Missed { room, first, last } = missed;
            object("skipped", out)
                .with("room", room.as_str())
                .with("lines", missed.lines())
                .with("first", first)
                .with("last", last)
        }
        Notice::Act(act) if act.by == By::Node => about("node-begins-again", out),
        Notice::Act(act) => put_act(act, clock, out),
        Notice::Came(_) | Notice::Went(_) | Notice::Apart(_) => about("order", out),
        Notice::Wallops { by, text } => {
            about("order", out).with("by", by.name.as_str()).with("words", text.as_str())
        }
        Notice::Invited { by, room } => {
            about("invitation", out).with("by", by.name.as_str()).with("room", room.as_str())
        }
        Notice::Damaged(_) => about("damaged", out),
        Notice::DiskSlow => about("disk-slow", out),
        Notice::Idle { .. } | Notice::IdleClosed(_) => about("silent", out),
        Notice::GoingDown => about("going-down", out),
        Notice::Contact(Contact::Waiting) => about("contact-waits", out),
        Notice::Contact(Contact::Lost) => about("contact-lost", out),
        Notice::Contact(Contact::Astray) => about("node-differs", out),
        Notice::Contact(Contact::Unknown) => about("not-known", out),
        Notice::Contact(Contact::Sent) => about("sent", out),
        Notice::Contact(Contact::Back { lines }) => about("contact-back", out).with("lines", lines),
        Notice::LoggedOut(account) => about("logged-out", out).with("name", account.as_str()),
        Notice::ServerRanked { .. } => about("order", out),
        Notice::RulesEnd(room) => about("rules-end", out).with("room", room.as_str()),
        Notice::NameGone { from, now } => {
            about("name-gone", out).with("from", from.as_str()).with("name", now.as_str())
        }
    }
}

/// An act, for the person it concerns: a broadcast has only its words.
fn put_act<'a>(act: &Act, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    let verb = act.deed.verb;
    let row = words::act_row(act, clock);
    let object = match matches!(verb, Verb::Kick | Verb::Ban) {
        true => object("removed", out).with("banned", verb == Verb::Ban),
        false => object("notice", out).with("about", row.about),
    };
    match row.personal {
        Some(_) => with_act(object, (verb != Verb::Unmute).then_some(&act.reach), act),
        None => object.with_some("words", act.deed.text.as_ref().map(Line::as_str)),
    }
}

fn put_refused<'a>(refusal: &Refusal, clock: &LocalClock, out: &'a mut Vec<u8>) -> Object<'a> {
    let object = object("refused", out).with("why", words::refusal_row(refusal, clock).code);
    match refusal {
        Refusal::Misread(Misread::Usage(spec)) => {
            object.with_put("command", |out| command(Object::begin(out), spec))
        }
        Refusal::Misread(Misread::Name(error)) => object.with("rule", words::name_rule(error)),
        Refusal::Banned(act) | Refusal::Muted(act) => with_act(object, Some(&act.reach), act),
        _ => object, // its reason says all
    }
}
