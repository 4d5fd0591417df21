//! The words for refusals: one row for each refusal, which every dialect reads.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use parlor_core::link::{Misread, Refusal, Spec};
use parlor_core::model::{
    Line, NameError, PEOPLE_LIMIT_MAX, ROOM_PASSWORD_BYTES_MAX, RoomPasswordError, WallTime,
};

use super::act::{you_are_banned, you_are_muted};
use super::help::usage;
use crate::style::{LocalClock, span};

/// A refusal as the dialects and the metrics read it.
#[derive(Clone, Debug)]
pub struct RefusalRow {
    /// The reason as programs read it: `why` in JSON. docs/web-protocol.md lists all reasons.
    pub code: &'static str,
    /// The status of an answer in HTTP (RFC 9110, section 15).
    pub status: u16,
    /// The numeric of IRC, if it has one for this reason.
    pub numeric: Option<u16>,
    /// The event and the advice, for people.
    pub sentence: Cow<'static, str>,
    /// The sentence for curl, if its user must do something else.
    pub for_curl: Option<String>,
    /// The sentence for IRC clients, if their users type something else.
    pub for_irc: Option<String>,
    /// The sentence for the operator, if it differs: it names the commands of parlor admin.
    pub for_operator: Option<String>,
    /// When to try again, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the sentences begin with a name or an address, whose letters stay as they are.
    pub is_named: bool,
    /// The name of the reached limit in the metrics.
    pub limit: Option<&'static str>,
}

impl RefusalRow {
    fn for_curl(self, sentence: String) -> RefusalRow {
        RefusalRow { for_curl: Some(sentence), ..self }
    }

    fn for_irc(self, sentence: String) -> RefusalRow {
        RefusalRow { for_irc: Some(sentence), ..self }
    }

    fn for_operator(self, sentence: String) -> RefusalRow {
        RefusalRow { for_operator: Some(sentence), ..self }
    }

    /// The sentences begin with a name or an address.
    fn named(self) -> RefusalRow {
        RefusalRow { is_named: true, ..self }
    }

    fn retry_after(self, seconds: u64) -> RefusalRow {
        RefusalRow { retry_after: Some(seconds), ..self }
    }

    fn limit(self, limit: &'static str) -> RefusalRow {
        RefusalRow { limit: Some(limit), ..self }
    }
}

fn row(
    code: &'static str,
    status: u16,
    numeric: impl Into<Option<u16>>,
    sentence: impl Into<Cow<'static, str>>,
) -> RefusalRow {
    RefusalRow {
        code,
        status,
        numeric: numeric.into(),
        sentence: sentence.into(),
        for_curl: None,
        for_irc: None,
        for_operator: None,
        retry_after: None,
        is_named: false,
        limit: None,
    }
}

/// The name in the metrics of the limit that causes a refusal.
pub fn limit_of(refusal: &Refusal) -> Option<&'static str> {
    // No limit depends on the time of day, which only sentences need.
    const ANY_TIME: LocalClock = LocalClock { zone: TimeZone::UTC, now: || WallTime(0) };
    refusal_row(refusal, &ANY_TIME).limit
}

/// The table. A new refusal does not compile until it has its row.
#[rustfmt::skip]
pub fn refusal_row(refusal: &Refusal, clock: &LocalClock) -> RefusalRow {
    match refusal {
        // Names and their owners.
        Refusal::Misread(Misread::Name(error)) => row("no-name", 400, 432, error.to_string()),
        Refusal::NameFirst => row("name-first", 400, None,
            "Type a name first, then commands; Enter alone enters without a name"),
        Refusal::NameTaken(name) => row("name-taken", 409, 433,
            format!("{name} is taken, or looks like a name that is taken; choose another name")).named(),
        Refusal::NameOwned(name) => row("name-owned", 401, 433,
            format!("{name} is registered; choose another name")).named()
            .for_curl(format!("{name} is registered; choose another name, or, if it is yours, use curl -u {name}:TOKEN \
                with the token that /token gives you in any client")),
        Refusal::NameReleased(name) => row("name-released", 409, 464,
            format!("{name} is no longer registered and needs no password: choose it again, or another name")).named()
            .for_curl(format!("{name} is no longer registered: leave out -u, or choose another name")),
        Refusal::LoggedIn(name) => row("logged-in", 409, 907,
            format!("You are {name}, and {name} is registered: take another name first, then log in to another account")),
        Refusal::HasAccount(name) => row("logged-in", 409, 907,
            format!("You are logged in as {name}: to register another name, take that name without logging in")),
        Refusal::NoAccount(name) => row("wrong-password", 401, 464,
            format!("{name} is not a registered name; log in with one that is")).named(),
        Refusal::NoNameToOwn => row("no-name-to-own", 400, None,
            "You have no name to register; /name NEW takes one")
            .for_irc("You have no name to register; /nick NEW takes one".to_owned()),
        Refusal::TooManyNamesFromHere => row("too-many-names", 400, None,
            "Too many names are registered from your address; use one of them").limit("names"),
        Refusal::TooManyNames => row("too-many-names", 400, None,
            "This server can register no more names; ask its operator").limit("names"),
        Refusal::NotOwner => row("not-owner", 400, None,
            "Only the owner of a registered name can do that; /register registers yours")
            .for_irc("Only the owner of a registered name can do that; /msg NickServ help says how to register yours"
                .to_owned()),

        // Passwords and codes.
        Refusal::PasswordTooShort(chars) => row("password-too-short", 400, None,
            format!("A password needs at least {chars} characters: try again")),
        Refusal::PasswordIsCommand => row("password-is-command", 400, None,
            "A command cannot be a password: try again, or press Enter to cancel"),
        Refusal::PasswordNotText => row("password-not-text", 400, None,
            "That password is not in UTF-8: set your terminal to UTF-8, or type it without such letters"),
        Refusal::AnswerFirst => row("answer-first", 400, None,
            "First answer the question for the password"),
        Refusal::AnswersDropped(1) => row("answers-dropped", 400, None,
            "The line after it may hold a password, so it was not sent; send it again if it does not"),
        Refusal::AnswersDropped(lines) => row("answers-dropped", 400, None,
            format!("The {lines} lines after it may hold a password, so they were not sent; send them again if they do \
                not")),
        Refusal::NoPassword => row("no-password", 400, None, "No password typed; nothing is changed"),
        Refusal::PasswordsDiffer => row("passwords-differ", 400, None,
            "The two passwords differ: try again"),
        Refusal::WrongPassword(name) => row("wrong-password", 401, 464,
            format!("That is not the password of {name}"))
            .for_curl(format!("That is not the token of {name}, nor a password that is accepted from your address; \
                /token in any client gives its owner a new token, and a name that is not registered needs no -u")),
        Refusal::TooManyTries(wait) => row("too-many-tries", 429, 464,
            format!("Too many tries; try again in {}", span(*wait))).retry_after(wait.as_secs().max(1)).limit("tries"),
        Refusal::Busy => row("busy", 429, 464,
            "The server is checking too many passwords; try again in a moment").retry_after(1).limit("tries"),
        Refusal::PlainPassword => row("plain-password", 403, None,
            "This connection is not encrypted and others could read a password, so none is asked for; the operator can \
            allow that with --allow-plain-passwords"),
        Refusal::NoSuchCode => row("no-such-code", 400, None,
            "That return code is wrong, or its hour is over; enter with a name"),
        Refusal::TooLateToResume => row("too-late-to-resume", 400, None,
            "You have entered already; type /resume at the name prompt of a new connection"),

        // Other people.
        Refusal::NobodyCalled(typed) => row("nobody-called", 400, 401,
            format!("Nobody here is called {typed}; /who lists the people in this room"))
            .for_irc(format!("Nobody here is called {typed}; /names #ROOM lists the people in a room"))
            .for_operator(format!("Nobody is here as {typed}; parlor admin list shows everybody")),
        Refusal::ListOutdated => row("list-outdated", 409, 263,
            "People came or left while the list was on its way; ask for it again"),
        Refusal::Away(name) => row("away", 400, 401,
            format!("{name} is away; the message was not delivered")).named(),
        Refusal::MessagesFull(name) => row("letters-full", 400, 401,
            format!("{name} is away and has too many messages waiting; yours was not delivered")).named().limit("letters"),
        Refusal::NotReading(name) => row("not-reading", 400, 401,
            format!("{name} is not reading; the message was not delivered")).named().limit("mailbox"),
        Refusal::IsThere(name, room) => row("is-there", 400, 443,
            format!("{name} is already in {room}")).named(),
        Refusal::InvitedBefore(name, wait) => row("invited-before", 429, None,
            format!("{name} was invited a moment ago; invite again in {}", span(*wait))).named()
            .retry_after(wait.as_secs().max(1)).limit("rate"),
        Refusal::TooManyInvitations(wait) => row("too-many-invitations", 429, None,
            format!("Too many invitations; invite the next one in {}", span(*wait)))
            .retry_after(wait.as_secs().max(1)).limit("rate"),
        Refusal::Yourself => row("yourself", 400, None, "That is you; choose somebody else"),
        Refusal::NotIgnored(typed) => row("not-ignored", 400, None,
            format!("You are not ignoring {typed}")),

        // Keepers and their decisions.
        Refusal::NotKeeper => row("no-keeper", 403, 482, "Only keepers can do that; /keeper lists them"),
        Refusal::NoServerKeeper(name) => row("forbidden", 403, 491,
            format!("{name} is not a keeper of the server")).named(),
        Refusal::NotOwnModes => row("forbidden", 403, 502, "You can change only your own modes"),
        Refusal::IsKeeper(name) => row("forbidden", 403, 482,
            format!("{name} is a keeper; only the operator can remove a keeper")).named(),
        Refusal::KeepsRoom(name) => row("forbidden", 403, 482,
            format!("{name} keeps this room, too; first end that with /keeper -{name}")).named(),
        Refusal::KeeperForGood(name) => row("forbidden", 403, 482,
            format!("{name} keeps this room for good, and you only while you are here")).named(),
        Refusal::IsServerKeeper(name) => row("forbidden", 403, 482,
            format!("{name} is a keeper of the server; first run: parlor admin keeper remove {name}")).named(),
        Refusal::LocksOutKeeper(name) => row("forbidden", 403, 482,
            format!("{name} is a keeper and connects from there")).named(),
        Refusal::Misread(Misread::NoAddress(typed)) => row("forbidden", 403, None,
            format!("{typed} is not an address; write it as 192.0.2.7 or 192.0.2.0/24")).named(),
        Refusal::OwnMachine => row("forbidden", 403, 482,
            "That is the server's own machine, which cannot be banned"),
        Refusal::Elsewhere(name, room) => row("forbidden", 403, 441,
            format!("{name} is in {room}, not here")).named(),
        Refusal::Banned(act) => row("banned", 403, 474, you_are_banned(act, clock)),
        Refusal::Muted(act) => row("muted", 403, 404, you_are_muted(act, clock)),
        Refusal::InvitedOnly(room) => row("invited-only", 403, 473,
            format!("{room} is for invited people only; ask a keeper there to type /invite with your name")).named(),
        Refusal::WrongRoomPassword(room) => row("room-password", 403, 475,
            format!("{room} has a password, and it is another one; type /join {room} PASSWORD")).named()
            .for_irc(format!("{room} has a password, and it is another one; type /join #{room} PASSWORD"))
            .for_curl(format!("{room} has a password, and it is another one; give it with -H 'Room-Password: PASSWORD'")),
        Refusal::RoomFull(room, max) => row("room-full", 403, 471,
            format!("{room} is full: {max} people are the most that its keepers let in")).named(),
        Refusal::Moderated(room) => row("moderated", 403, 404,
            format!("Only keepers and people with a voice can speak in {room}; ask a keeper for /voice")),
        Refusal::LobbyIsOpen => row("forbidden", 403, 482,
            "The lobby is open to everybody; only /room moderated is possible here")
            .for_irc("The lobby is open to everybody; only /mode #lobby +m is possible here".to_owned()),
        Refusal::IsSoAlready => row("forbidden", 403, None, "It is so already"),
        Refusal::NoRoomPassword(error) => row("forbidden", 400, 696, no_room_password(*error)),
        Refusal::NoLimit => row("forbidden", 400, 696,
            format!("The limit of a room is a number of people from 1 to {PEOPLE_LIMIT_MAX}")),
        Refusal::TopicLocked => row("topic-locked", 403, 482,
            "Only keepers can change the topic of this room"),
        Refusal::NotRegistered(typed) => row("forbidden", 403, 482,
            format!("{typed} is not a registered name, and a keeper needs one; /help register")).named()
            .for_irc(format!("{typed} is not a registered name, and a keeper needs one; /msg NickServ help"))
            .for_operator(format!("{typed} is not a registered name, and a keeper needs one: ask {typed} to type /register")),
        Refusal::AlreadyKeeper(name) => row("forbidden", 403, None,
            format!("{name} is already a keeper")).named(),
        Refusal::NoSuchKeeper(typed) => row("forbidden", 403, 482,
            format!("{typed} is not a keeper here; /keeper lists the keepers")).named()
            .for_operator(format!("{typed} is not a keeper of the server; parlor admin keeper list shows them")),
        Refusal::LastKeeper(name) => row("forbidden", 403, 482,
            format!("{name} is the last keeper of this room; first make another with /keeper NAME")).named(),
        Refusal::LobbyKeepers => row("forbidden", 403, 482,
            "The lobby has the server's keepers; only the operator can name them"),
        Refusal::NotBanned(whom) => row("forbidden", 403, None,
            format!("{whom} is not banned")).named()
            .for_operator(format!("{whom} is not banned; parlor admin bans lists the bans")),
        Refusal::NotMuted(name) => row("forbidden", 403, None,
            format!("{name} is not muted")).named()
            .for_operator(format!("{name} is not muted on the whole server")),
        Refusal::TooManyRules(max) => row("forbidden", 503, None,
            format!("There are already {max} of these, the most allowed; remove one first")),

        // Rooms.
        Refusal::NoRoom(room) => row("no-room", 404, 403,
            format!("There is no room {room}; /rooms lists the rooms, /join {room} creates it"))
            .for_irc(format!("There is no room {room}; /list lists the rooms, /join #{room} creates it"))
            .for_curl(format!("There is no room {room}; the first line sent there creates it")),
        Refusal::TooManyRooms(1) => row("too-many-rooms", 503, 405,
            "There is 1 room, the most allowed here: the lobby").limit("rooms"),
        Refusal::TooManyRooms(max) => row("too-many-rooms", 503, 405,
            format!("There are {max} rooms, the most allowed here; join one that /rooms lists")).limit("rooms")
            .for_irc(format!("There are {max} rooms, the most allowed here; join one that /list shows")),
        Refusal::RoomsShare(own) => row("too-many-rooms", 503, 405,
            format!("You, or others at your address, opened {own} of the rooms, the most for one person; join one that \
                /rooms lists")).limit("rooms")
            .for_irc(format!("You, or others at your address, opened {own} of the rooms, the most for one person; join \
                one that /list shows")),
        Refusal::AlreadyIn(room) => row("already-in", 400, None, format!("You are already in {room}")),
        Refusal::NotThere => row("not-there", 503, 442,
            "You are not in that room")
            .for_operator("They have left; parlor admin list shows everybody".to_owned()),
        Refusal::TooManySeats(seats) => row("too-many-seats", 400, 405,
            format!("You are in {seats} rooms, the most allowed; leave one first")).limit("rooms"),
        Refusal::NoSeat => row("no-seat", 400, None,
            "You are in no room; /join ROOM enters one")
            .for_irc("You are in no room; /join #ROOM enters one".to_owned()),

        // Commands, lines and searches.
        Refusal::Misread(Misread::NoCommand { typed, nearest }) => row("no-command", 400, 421,
            no_command(typed, "/help", *nearest))
            .for_irc(no_command(typed, "/msg parlor help", *nearest)),
        Refusal::Slipped(name) => row("slipped", 400, 404,
            format!("Did you mean /{name}? A line that begins with a blank is said as it is only if it is no command; \
                this one was not said")),
        Refusal::Misread(Misread::Usage(spec)) => row("usage", 400, 461,
            format!("Type {}: it {}", usage(spec), spec.does)),
        Refusal::NothingToFind => row("nothing-to-find", 400, None,
            "Type a word to search for: letters or digits"),
        Refusal::TooManyWords(words) => row("too-many-words", 400, None,
            format!("Too many words to search for: {words} at most; type fewer")),
        Refusal::NoSuchTime => row("no-such-time", 400, None,
            "That is not a time; type 14:00, 2026-11-20, 2026-11-20 12:01, yesterday or 2h"),
        Refusal::NoSuchLine => row("no-such-line", 404, None, "There is no such line in this room"),
        Refusal::TooManyLines(lines) => row("too-many-lines", 413, None,
            format!("More than {lines} lines at once; nothing was sent, send fewer")).limit("line"),
        Refusal::TooLong(bytes) => row("too-long", 413, 417,
            format!("Line too long ({bytes} bytes at most): not sent")).limit("line"),
        Refusal::NoRequest(why) => row("no-request", 400, None, format!("Bad request: {why}")),

        // Storage.
        Refusal::NotStored(why) => row("not-kept", 503, 404,
            format!("Not sent: {why}; try again later")).retry_after(5),
        Refusal::NotSent => row("no-contact", 503, 404,
            "Not sent: no contact with the other nodes. Send it again later").retry_after(5),
        Refusal::MaybeSent => row("maybe-sent", 504, 404,
            "It is not known whether this was sent: the node begins again"),
        Refusal::OutOfTouch => row("out-of-touch", 503, None,
            "No contact with the other nodes; use another one, or try again in 10 s").retry_after(10),
        Refusal::StoreFull => row("store-full", 507, 404,
            "Not sent: the message store is full. Send it again later").retry_after(60),
        Refusal::NoAnswer(name) => row("no-answer", 504, 404,
            format!("No answer from {name}'s node; your message may not have arrived")).retry_after(5),
        Refusal::NotWritten => row("not-written", 503, None,
            "The disk cannot be written right now; nothing is changed, try again later").retry_after(5),
        Refusal::Unreadable => row("unreadable", 503, None,
            "Stored lines cannot be read right now; the operator's log says why").retry_after(5),
        Refusal::NeedsDisk(spec) => row("needs-disk", 400, None, needs_disk(spec)),
        Refusal::NothingMissed => row("nothing-missed", 400, None, "You missed nothing"),
        Refusal::Deleting => row("taking-back", 400, None,
            "Your lines are already being deleted; this takes a while in a large file"),
        Refusal::NotAllDeleted => row("not-all-taken-back", 400, None,
            "Some of your lines could not be deleted and may still be read; the server tries again every minute"),
    }
}

fn no_room_password(why: RoomPasswordError) -> String {
    match why {
        RoomPasswordError::Empty => "Type a password after /room password".to_owned(),
        RoomPasswordError::TooLong => {
            format!("The password of a room has at most {ROOM_PASSWORD_BYTES_MAX} bytes")
        }
        RoomPasswordError::Sign => {
            "The password of a room has no blanks, no commas, and no colon at its beginning"
                .to_owned()
        }
    }
}

/// The rule that a name breaks, for programs. docs/web-protocol.md lists them.
pub(crate) fn name_rule(error: &NameError) -> &'static str {
    match error {
        NameError::Empty => "empty",
        NameError::TooLong { .. } => "too-long",
        NameError::Blank => "blank",
        NameError::Sign(_) => "sign",
        NameError::Rare(_) => "rare",
        NameError::Start(_) => "start",
        NameError::NoLetter => "no-letter",
        NameError::LooseMark(_) => "loose-mark",
        NameError::TooManyMarks => "too-many-marks",
        NameError::MixedScripts => "mixed-scripts",
        NameError::Reserved(_) => "reserved",
    }
}

fn no_command(typed: &Line, help: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|nearest| format!(" (did you mean /{nearest}?)"));
    format!("No command /{typed}; {help} lists them{}", hint.unwrap_or_default())
}

fn needs_disk(spec: &Spec) -> String {
    let has_other = ["search", "missed"].contains(&spec.name);
    let instead = if has_other { "; /last shows the latest" } else { "" };
    format!("/{} needs lines stored on disk, and this server stores none{instead}", spec.name)
}
