//! The sentences of the server to one person. Knows no line ending and no connection.

use std::fmt;

use parlor_core::link::{
    Answer, Contact, Notice, PasswordFor, Present, PrivateMessage, RoomInfo, Sighting, Watched,
    Whois,
};
use parlor_core::model::{Damage, Flaw, Line, Manner, Missed, RoomName, Said, WallTime};

use super::{act, event, help, refusal};
use crate::style::{LineMode, LocalClock, Storage, counted, silence, span};

/// The words of an answer.
pub(crate) struct AnswerText {
    /// The text before each line in the line dialect: most lines have the mark of the server.
    pub(crate) mark: &'static str,
    /// The lines.
    pub(crate) lines: Vec<String>,
}

fn list(lines: Vec<String>) -> AnswerText {
    AnswerText { mark: "-- ", lines }
}

fn sentence(words: impl Into<String>) -> AnswerText {
    list(vec![words.into()])
}

fn unmarked(words: String) -> AnswerText {
    AnswerText { mark: "", lines: vec![words] }
}

/// The table. A new answer does not compile until it has its row.
#[rustfmt::skip]
pub(crate) fn answer(answer: &Answer, mode: LineMode, storage: Storage, clock: &LocalClock) -> AnswerText {
    match answer {
        Answer::Notice(notice) =>
            list(self::notice(notice, mode, storage, clock).into_iter().collect()),
        Answer::Refused(refusal) => sentence(refusal::refusal_row(refusal, clock).sentence),

        // Lists.
        Answer::Help(None) => list(help::overview()),
        Answer::Help(Some(spec)) => list(help::help(spec)),
        Answer::Who { room, people, others, listening, as_of } =>
            list(dated(who(room, people, *others, *listening), *as_of, clock)),
        Answer::People(page) =>
            list(page.people.iter().map(|person| person.who.name.to_string()).collect()),
        Answer::Whois(whois) => sentence(self::whois(whois)),
        Answer::Whowas { name, people } if people.is_empty() =>
            sentence(format!("Nobody called {name} was here lately")),
        Answer::Whowas { name, people } => sentence(format!(
            "{name} was here lately, {}", counted(people.len(), "time", "times"))),
        Answer::Present(sightings) => sentence(present_of(sightings)),
        Answer::Findable(page) =>
            list(page.people.iter().map(|person| person.who.name.to_string()).collect()),
        Answer::Invitations(rooms) => list(rooms.iter().map(RoomName::to_string).collect()),
        Answer::Rooms { rooms, others, as_of } =>
            list(dated(self::rooms(rooms, *others), *as_of, clock)),
        Answer::AllRooms(page) => list(self::rooms(&page.rooms, 0)),
        Answer::Totals(totals) => sentence(format!(
            "{} in {}", counted(totals.people, "person is", "people are"), counted(totals.rooms, "room", "rooms"))),
        Answer::Everybody(page) => list(act::everybody(&page.people)),
        Answer::Bans { bans, others } => list(act::bans(bans, *others, clock)),
        Answer::Rules { room, rules, is_topic_locked, since: _ } => {
            list(act::rules_of(room, rules, *is_topic_locked))
        }
        Answer::Keepers { room, server } => list(act::keepers(room.as_ref(), server)),

        // The person.
        Answer::Modes(_) | Answer::ModesChanged { .. } => list(Vec::new()), // clients of IRC show it
        Answer::YouAre(name) => unmarked(format!("You are {name}")),
        Answer::Quiet(true) =>
            sentence("You no longer see arrivals and departures; /quiet off shows them again"),
        Answer::Quiet(false) => sentence("You see arrivals and departures again"),
        Answer::Echo(true) => sentence("Your own lines are sent back to you again"),
        Answer::Echo(false) =>
            sentence("Your own lines are no longer sent back to you; /echo on undoes this"),

        // Names and their owners.
        Answer::Password(PasswordFor::Of(name)) => sentence(format!(
            "{name} is registered: type its password (Enter to go without this name)")),
        Answer::Password(PasswordFor::Present(name)) =>
            sentence(format!("Type the present password of {name} (Enter to cancel)")),
        Answer::Password(PasswordFor::New { name, .. }) =>
            sentence(format!("Type a password for {name}; nobody else sees it (Enter to cancel)")),
        Answer::Password(PasswordFor::Again) => sentence("Type the password again"),
        Answer::LoggedIn(name) => sentence(format!("You are logged in as {name}")),
        Answer::Registered(name) =>
            sentence(format!("{name} is registered: this name needs your password from now on")),
        Answer::PasswordChanged { name, keeps_token: true } => sentence(format!(
            "{name} has a new password: your other connections and return codes end; your token stays")),
        Answer::PasswordChanged { name, keeps_token: false } => sentence(format!(
            "{name} has a new password: your other connections, return codes and token end")),
        Answer::Code(code) => sentence(format!(
            "Your return code is {code}: if you lose the connection, type /resume {code} at the name prompt within an \
            hour")),
        Answer::Token(token) => sentence(format!(
            "Your token is {token}: scripts use it to speak under your name, as in curl -u NAME:TOKEN; /token revoke \
            revokes it")),
        Answer::TokenRevoked(true) => sentence("Your token is revoked"),
        Answer::TokenRevoked(false) => sentence("You have no token; /token makes one"),
        Answer::WelcomeBack(name) => sentence(format!(
            "Welcome back, {name}: here is what you missed; a few lines may come twice")),

        // Other people.
        Answer::Private(message) => AnswerText { mark: "", lines: private(message).map(|line| line.to_string()).collect() },
        Answer::KeptMessage { message, .. } => {
            let stamp = clock.stamp(message.at);
            AnswerText { mark: "", lines: private(message).map(|line| format!("{stamp}{line}")).collect() }
        }
        Answer::Marker { .. } => list(Vec::new()), // for programs
        Answer::Away(Some(text)) => sentence(event::you_are_away(text)),
        Answer::Away(None) => sentence("You are back".to_owned()),
        Answer::Realname(realname) => sentence(format!("Your real name is {realname}")),
        Answer::IsAway { name, text } => sentence(format!("{name} is away: {text}")),
        Answer::KeptFor(name) => sentence(format!("{name} is away and gets your message on return")),
        Answer::WhileAway(count) =>
            sentence(format!("{} while you were away", counted(*count, "message", "messages"))),
        Answer::Watched(Watched::Done) => list(Vec::new()),
        Answer::Watched(Watched::Names(names)) => list(names.iter().map(Line::to_string).collect()),
        Answer::Watched(Watched::Status { people, .. }) => sentence(present_of(people)),
        Answer::Invited { who, room } => sentence(format!("{who} is invited to {room}")),
        Answer::Ignore(who) => sentence(format!(
            "You no longer see lines from {0}; /unignore {0} shows them again", who.name)),
        Answer::Unignore(name) => sentence(format!("You see lines from {name} again")),

        // Rooms and moderation.
        Answer::Topic { room, text: Some(text), .. } => sentence(format!("Topic of {room}: {text}")),
        Answer::Topic { room, text: None, .. } =>
            sentence(format!("{room} has no topic; /topic TEXT sets one")),
        Answer::Act(act) => sentence(act::act_row(act, clock).answer),
        Answer::Told { people, deaf } => sentence(act::told(*people, *deaf)),
        Answer::Unstored(done) => {
            let AnswerText { mark, mut lines } = self::answer(done, mode, storage, clock);
            lines.push("This could not be stored; it holds until the server stops".to_owned());
            AnswerText { mark, lines }
        }

        // Storage.
        Answer::Found { room, said } => sentence(found(room, said, clock)),
        Answer::FoundMore { lines: 0, .. } =>
            sentence("The search took too long; type more words to narrow it"),
        Answer::FoundMore { lines, is_all } => {
            let and = if *is_all { "and" } else { "and more than" };
            sentence(format!("{and} {} more; type more words to narrow the search", grouped(*lines)))
        }
        Answer::FoundNothing(words) => sentence(format!("Nothing found for {words}")),
        Answer::SearchBehind(1) =>
            sentence("Search is 1 line behind: the newest lines may be missing"),
        Answer::SearchBehind(lines) => sentence(format!(
            "Search is {} lines behind: the newest lines may be missing", grouped(*lines))),
        Answer::NothingStored => sentence("There are no such lines here"),
        Answer::LastLines(lines) => list(lines.iter().map(|(room, at)|
            format!("{}: the last line was said at {}", room, clock.moment(*at))).collect()),
        Answer::CanDelete(name) => sentence(format!(
            "/forget all deletes everything you said as {name}, in all rooms and for everybody; this cannot be undone")),
        Answer::Deleted(1) => sentence("1 line that you said is deleted, for everybody"),
        Answer::Deleted(lines) => sentence(format!(
            "{} lines that you said are deleted, for everybody", grouped(*lines))),
    }
}

/// The lines of a message from one person to another, as people read them: what one program sends
/// to another has none.
pub(crate) fn private(message: &PrivateMessage) -> impl Iterator<Item = PrivateLine<'_>> {
    let lines = message.lines.iter().filter(|_| !message.is_for_programs);
    lines.map(|spoken| PrivateLine {
        message,
        words: spoken.written_out(&message.from.name),
        is_notice: spoken.manner == Manner::Notice,
    })
}

/// A line of a message from one person to another.
pub(crate) struct PrivateLine<'a> {
    message: &'a PrivateMessage,
    /// The words; an action is written out.
    pub(crate) words: Line,
    pub(crate) is_notice: bool,
}

impl fmt::Display for PrivateLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrivateMessage { from, to, .. } = self.message;
        write!(f, "[{} -> {to}] {}", from.name, self.words)
    }
}

/// A notice, if it exists in this mode: classic mode has only two notices.
fn notice(notice: &Notice, mode: LineMode, storage: Storage, clock: &LocalClock) -> Option<String> {
    let is_classic = mode == LineMode::Classic;
    if is_classic && !matches!(notice, Notice::Skipped(_) | Notice::Act(_)) {
        return None;
    }
    let lines = |missed: &Missed| counted(missed.lines() as usize, "line", "lines");
    Some(match notice {
        Notice::Skipped(missed) => {
            let hint = match storage {
                _ if is_classic => "",
                Storage::Memory => ": you were reading too slowly",
                Storage::Disk { .. } => ": you were reading too slowly (/missed shows them)",
            };
            format!("{} skipped{hint}", lines(missed))
        }
        Notice::Act(act) => {
            let row = act::act_row(act, clock);
            row.personal.unwrap_or(row.event)
        }
        Notice::Came(who) => format!("{} has come", who.name),
        Notice::Went(name) => format!("{name} has gone"),
        Notice::Apart(entry) => event::happening(entry, mode, clock)?,
        Notice::Wallops { by, text } => {
            format!("{} says to all who want to read it: {text}", by.name)
        }
        Notice::Invited { by, room } => format!("{} invites you to {room}: /join {room}", by.name),
        Notice::PassedOver(missed) => format!("{} before these not shown", lines(missed)),
        Notice::LeftTheLog(missed) => format!("{} no longer stored", lines(missed)),
        Notice::Damaged(damaged) => self::damaged(damaged),
        Notice::DiskSlow => "The disk is slow; lines arrive late".to_owned(),
        Notice::Idle { silent, left } => {
            let (silent, left) = (span(*silent), span(*left));
            format!("Silent for {silent}: closing in {left}; press Enter to stay")
        }
        Notice::IdleClosed(silent) => format!("Silent for {}: closed", span(*silent)),
        Notice::GoingDown => "The server is going down".to_owned(),
        Notice::Contact(contact) => self::contact(*contact),
        Notice::LoggedOut(account) => format!(
            "You are not logged in to {account} any more: it has a new password, or is no longer registered"
        ),
        Notice::ServerRanked { is_keeper: true } => {
            "You have the authority of a keeper of the server now".to_owned()
        }
        Notice::ServerRanked { is_keeper: false } => {
            "You have the authority of a keeper of the server no longer".to_owned()
        }
        Notice::RulesEnd(room) => format!(
            "This holds until nobody is in {room} any more: then everybody can enter and read what was said; a keeper with a registered name closes a room for good"
        ),
        Notice::NameGone { from, now } => {
            format!("Somebody else is called {from} now; you are {now}. Choose a name with /name")
        }
    })
}

fn contact(contact: Contact) -> String {
    match contact {
        Contact::Waiting => "No contact with the other nodes; your messages are waiting",
        Contact::Lost => {
            "Contact with the other nodes is lost. You can read history; messages wait"
        }
        Contact::Astray => {
            "This node has come to another state than the others, and stops until it knows which is right; messages wait"
        }
        Contact::Unknown => "It is not known yet whether your last message was sent",
        Contact::Sent => "Your last message was sent",
        Contact::Back { lines: 0 } => "Contact is back; nothing was said meanwhile",
        Contact::Back { lines: 1 } => "Contact is back; 1 line was said meanwhile",
        Contact::Back { lines } => {
            return format!("Contact is back; {} lines were said meanwhile", grouped(lines));
        }
    }
    .to_owned()
}

fn damaged(Damage { room, first, last, flaw }: &Damage) -> String {
    let lines = match first == last {
        true => format!("Line {first} of {room} is"),
        false => format!("Lines {first} to {last} of {room} are"),
    };
    match flaw {
        Flaw::Changed | Flaw::Missing => {
            format!("{lines} damaged: the operator's log has the details")
        }
        Flaw::NotYet => format!(
            "{lines} not in the history of this node yet, which ends before; it catches up by itself"
        ),
    }
}

/// A line that a search has found, with its place.
fn found(room: &RoomName, said: &Said, clock: &LocalClock) -> String {
    let mut line = format!("{}{room} ", clock.stamp(said.at)).into_bytes();
    event::said(said, &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// A number as people read it: `1,234`.
fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

fn who(room: &RoomName, people: &[Present], others: usize, listening: usize) -> Vec<String> {
    let head = match people.len() + others {
        0 => format!("Nobody is in {room}"),
        all => format!("{} in {room}:", counted(all, "person is", "people are")),
    };
    let mut lines = vec![head];
    lines.extend(people.iter().map(present));
    if others > 0 {
        lines.push(format!("  and {others} others, silent for longer"));
    }
    if listening > 0 {
        lines.push(format!("  and {}", counted(listening, "listener", "listeners")));
    }
    lines
}

/// A list of a node that is out of touch says how old it may be.
fn dated(mut list: Vec<String>, as_of: Option<WallTime>, clock: &LocalClock) -> Vec<String> {
    list.extend(as_of.map(|at| format!("(as of {})", clock.moment(at))));
    list
}

fn whois(Whois { who, rooms, .. }: &Whois) -> String {
    match rooms.iter().map(|of| of.room.as_str()).collect::<Vec<_>>()[..] {
        [] => format!("{} is in no room", who.name),
        ref rooms => format!("{} is in {}", who.name, rooms.join(", ")),
    }
}

fn present_of(sightings: &[Sighting]) -> String {
    let here = sightings.iter().filter_map(|sighting| sighting.who.as_ref());
    match here.map(|who| who.name.as_str()).collect::<Vec<_>>()[..] {
        [] => "None of them is here".to_owned(),
        ref names => format!("Here: {}", names.join(", ")),
    }
}

fn present(person: &Present) -> String {
    let (name, silence) = (&person.name, silence(person.silent));
    match person.address.map(|address| address.to_string()) {
        Some(address) if address != name.as_str() => format!("  {name}, {address}, {silence}"),
        _ => format!("  {name}, {silence}"),
    }
}

fn rooms(rooms: &[RoomInfo], others: usize) -> Vec<String> {
    let line = |info: &RoomInfo| {
        let people = counted(info.people, "person", "people");
        let topic = info.topic.as_ref().map(|topic| format!(": {topic}"));
        format!("{}, {people}{}", info.room, topic.unwrap_or_default())
    };
    let mut lines: Vec<_> = rooms.iter().map(line).collect();
    if others > 0 {
        lines.push(format!("and {others} smaller rooms"));
    }
    lines.push("/join ROOM enters a room, or creates it".to_owned());
    lines
}
