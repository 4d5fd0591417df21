//! What the line dialect says, word for word. Knows no line ending and no connection.

mod act;
mod help;
mod refusal;

pub(crate) use act::{act_row, name_of};
pub use refusal::{RefusalDetails, RefusalRow, limit_of, refusal_row};

use parlor_core::link::{Answer, Entered, Notice, PasswordFor, Present, RoomInfo};
use parlor_core::model::{Damaged, Entry, Manner, Missed, Name, Said, Telling, Together, Who};

use crate::style::{LineMode, LocalClock, Storage, silence, span};

/// What somebody said: `alice: Hi!`, `* alice waves`.
pub(crate) fn said(said: &Said, out: &mut Vec<u8>) {
    let (before, between): (&[u8], &[u8]) = match said.manner {
        Manner::Gone => return,
        Manner::Plain => (b"", b": "),
        Manner::Action => (b"* ", b" "),
    };
    for part in [
        before,
        said.who.name.as_str().as_bytes(),
        between,
        said.text.as_str().as_bytes(),
    ] {
        out.extend_from_slice(part);
    }
}

/// What happened, if people with this mode are told: whoever reads named mode is told of a crowd
/// together, whoever reads classic mode of each one.
pub(crate) fn happening(entry: &Entry, mode: LineMode, clock: &LocalClock) -> Option<String> {
    let untold = match mode {
        LineMode::Classic => Telling::Late,
        LineMode::Named => Telling::Folded,
    };
    match entry {
        Entry::Arrived { telling, .. } | Entry::Left { telling, .. }
            if *telling == untold || *telling == Telling::Untold =>
        {
            None
        }
        Entry::Arrived { who, .. } => Some(format!("{} has arrived", who.name)),
        Entry::Left {
            who,
            removal: Some(removal),
            ..
        } if mode == LineMode::Named => {
            let was_removed = act::was_removed(removal, clock);
            Some(format!("{} {was_removed}", who.name))
        }
        Entry::Left {
            who, words: None, ..
        } => Some(format!("{} has left", who.name)),
        Entry::Left {
            who,
            words: Some(words),
            ..
        } => Some(format!("{} has left ({words})", who.name)),
        Entry::ArrivedTogether(_) | Entry::LeftTogether(_) if mode == LineMode::Classic => None,
        Entry::ArrivedTogether(people) => Some(format!("{} arrived", together(people))),
        Entry::LeftTogether(people) => Some(format!("{} left", together(people))),
        Entry::Renamed { who, from, .. } => Some(format!("{from} is now known as {}", who.name)),
        Entry::TookBack { who } => Some(format!("{0} deleted everything {0} said", who.name)),
        Entry::Topic {
            who,
            text: Some(text),
        } => Some(format!("{} changed the topic to: {text}", who.name)),
        Entry::Topic { who, text: None } => Some(format!("{} cleared the topic", who.name)),
        Entry::Act(_) if mode == LineMode::Classic => None,
        Entry::Act(act) => Some(format!("-- {}", act_row(act, clock).event)),
        Entry::Said(_) => None,
    }
}

/// `alice, bob and 35 others have`.
fn together(people: &Together) -> String {
    let mut named: Vec<_> = people.named.iter().map(Name::as_str).collect();
    let last = match (people.others, named.len()) {
        (0, 2..) => named.pop().map(str::to_owned),
        (0, _) => None,
        (1, _) => Some("1 other".to_owned()),
        (others, _) => Some(format!("{others} others")),
    };
    let named = named.join(", ");
    match last {
        Some(last) => format!("{named} and {last} have"),
        None => format!("{named} has"),
    }
}

/// What somebody reads first in a room.
pub(crate) fn entered(entered: &Entered, mode: LineMode, keeping: Storage) -> Vec<String> {
    let you_are = entered
        .first
        .then(|| format!("You are {}", entered.who.name));
    if mode == LineMode::Classic {
        return you_are.into_iter().collect();
    }
    let roster = format!("In {}: {}", entered.room, roster(&entered.roster));
    let topic = entered
        .topic
        .as_ref()
        .map(|topic| format!("-- Topic: {topic}"));
    let help = entered
        .first
        .then(|| "-- /help lists what you can type".to_owned());
    let keeps = entered.keeps.as_ref().map(act::keeps);
    let keeping = entered.first.then(|| kept(keeping));
    you_are
        .into_iter()
        .chain([roster])
        .chain(topic)
        .chain(keeps)
        .chain(help)
        .chain(keeping)
        .collect()
}

/// For how long what one says is kept: whoever enters is told before speaking.
fn kept(keeping: Storage) -> String {
    match keeping {
        Storage::Memory => {
            "-- Lines here are not stored: they are gone when the server stops".to_owned()
        }
        Storage::Disk { retain: None } => "-- Lines here are stored".to_owned(),
        Storage::Disk { retain: Some(time) } => {
            format!("-- Lines here are stored for {}", span(time))
        }
    }
}

fn roster(roster: &Together) -> String {
    let named: Vec<_> = roster.named.iter().map(Name::as_str).collect();
    match roster.others {
        0 if named.is_empty() => "nobody else".to_owned(),
        0 => named.join(", "),
        1 => format!("{} and 1 other", named.join(", ")),
        others => format!("{} and {others} others", named.join(", ")),
    }
}

/// What the server says to one person, a line each.
pub(crate) fn answer(
    answer: &Answer,
    mode: LineMode,
    keeping: Storage,
    clock: &LocalClock,
) -> Vec<String> {
    match answer {
        Answer::Help(None) => help::overview(),
        Answer::Help(Some(spec)) => help::help(spec),
        Answer::Who {
            room,
            people,
            others,
            listening,
        } => who(room.as_str(), people, *others, *listening),
        Answer::People(people) => people
            .names
            .iter()
            .map(|name| format!("-- {name}"))
            .collect(),
        Answer::Rooms { rooms, others } => list(rooms, *others),
        Answer::YouAre(name) => vec![format!("You are {name}")],
        Answer::Topic {
            room,
            text: Some(text),
        } => vec![format!("-- Topic of {room}: {text}")],
        Answer::Topic { room, text: None } => {
            vec![format!("-- {room} has no topic; /topic TEXT sets one")]
        }
        Answer::Private { from, to, text } => vec![format!("[{} -> {to}] {text}", from.name)],
        Answer::Ignoring(Who { name, .. }) => {
            vec![format!(
                "-- You no longer see lines from {name}; /unignore {name} shows them again"
            )]
        }
        Answer::Unignored(name) => vec![format!("-- You see lines from {name} again")],
        Answer::Quiet(true) => {
            vec![
                "-- You no longer see arrivals and departures; /quiet off shows them again"
                    .to_owned(),
            ]
        }
        Answer::Echo(true) => vec!["-- Your own lines are sent back to you again".to_owned()],
        Answer::Echo(false) => vec![
            "-- Your own lines are no longer sent back to you; /echo on undoes this".to_owned(),
        ],
        Answer::Quiet(false) => vec!["-- You see arrivals and departures again".to_owned()],
        Answer::Password(password) => vec![format!("-- {}", self::password(password))],
        Answer::Registered(name) => vec![format!(
            "-- {name} is registered: this name needs your password from now on"
        )],
        Answer::PasswordChanged { name, keeps_token } => {
            let ended = match keeps_token {
                true => "your other connections and return codes end; your token stays",
                false => "your other connections, return codes and token end",
            };
            vec![format!("-- {name} has a new password: {ended}")]
        }
        Answer::Code(code) => vec![format!(
            "-- Your return code is {code}: if you lose the connection, type /resume {code} at the name prompt within an hour"
        )],
        Answer::Token(token) => vec![format!(
            "-- Your token is {token}: scripts use it to speak under your name, as in curl -u NAME:TOKEN; /token revoke revokes it"
        )],
        Answer::TokenRevoked(true) => vec!["-- Your token is revoked".to_owned()],
        Answer::TokenRevoked(false) => vec!["-- You have no token; /token makes one".to_owned()],
        Answer::WelcomeBack(name) => vec![format!(
            "-- Welcome back, {name}: here is what you missed; a few lines may come twice"
        )],
        Answer::KeptFor(name) => vec![format!("-- {name} is away and gets your message on return")],
        Answer::WhileAway(1) => vec!["-- 1 message while you were away".to_owned()],
        Answer::WhileAway(count) => vec![format!("-- {count} messages while you were away")],
        Answer::Letter { at, from, to, text } => {
            vec![format!("{}[{from} -> {to}] {text}", clock.stamp(*at))]
        }
        Answer::CanTakeBack(name) => vec![format!(
            "-- /forget all deletes everything you said as {name}, in all rooms and for everybody; this cannot be undone"
        )],
        Answer::TakenBack(1) => {
            vec!["-- 1 line that you said is deleted, for everybody".to_owned()]
        }
        Answer::TakenBack(lines) => vec![format!(
            "-- {} lines that you said are deleted, for everybody",
            grouped(*lines)
        )],
        Answer::NothingKept => vec!["-- No lines from that time are stored".to_owned()],
        Answer::Act(act) => vec![format!("-- {}", act_row(act, clock).answer)],
        Answer::Told { people, deaf } => vec![format!("-- {}", act::told(*people, *deaf))],
        Answer::Unstored(done) => {
            let unstored = "-- This could not be stored; it holds until the server stops";
            let mut lines = self::answer(done, mode, keeping, clock);
            lines.push(unstored.to_owned());
            lines
        }
        Answer::Everybody(people) => act::everybody(people),
        Answer::Bans { bans, others } => act::bans(bans, *others, clock),
        Answer::Keepers { room, server } => act::keepers(room.as_ref(), server),
        Answer::Found { .. } => Vec::new(), // not a sentence, but a line with its place
        Answer::FoundMore { lines, is_all } => vec![found_more(*lines, *is_all)],
        Answer::FoundNothing(words) => vec![format!("-- Nothing found for {words}")],
        Answer::SearchBehind(1) => {
            vec!["-- Search is 1 line behind: the newest lines may be missing".to_owned()]
        }
        Answer::SearchBehind(lines) => vec![format!(
            "-- Search is {} lines behind: the newest lines may be missing",
            grouped(*lines)
        )],
        Answer::Refused(refusal) => vec![format!("-- {}", refusal_row(refusal, clock).sentence)],
        Answer::Notice(notice) => self::notice(notice, mode, keeping, clock)
            .into_iter()
            .collect(),
    }
}

fn found_more(lines: u64, is_all: bool) -> String {
    match (lines, is_all) {
        (0, _) => "-- The search took too long; type more words to narrow it".to_owned(),
        (_, true) => format!(
            "-- and {} more; type more words to narrow the search",
            grouped(lines)
        ),
        (_, false) => format!(
            "-- and more than {} more; type more words to narrow the search",
            grouped(lines)
        ),
    }
}

/// A number as people read it: `1,234`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn who(room: &str, people: &[Present], others: usize, listening: usize) -> Vec<String> {
    let all = people.len() + others;
    let head = match all {
        0 => format!("-- Nobody is in {room}"),
        1 => format!("-- 1 person is in {room}:"),
        _ => format!("-- {all} people are in {room}:"),
    };
    let lines = people.iter().map(present);
    let rest = (others > 0).then(|| format!("--   and {others} others, silent for longer"));
    let listening = match listening {
        0 => None,
        1 => Some("--   and 1 listener".to_owned()),
        _ => Some(format!("--   and {listening} listeners")),
    };
    let lines = [head].into_iter().chain(lines);
    lines.chain(rest).chain(listening).collect()
}

fn present(person: &Present) -> String {
    let (name, silence) = (&person.name, silence(person.silent));
    match person.address.map(|address| address.to_string()) {
        Some(address) if address != name.as_str() => format!("--   {name}, {address}, {silence}"),
        _ => format!("--   {name}, {silence}"),
    }
}

fn list(rooms: &[RoomInfo], others: usize) -> Vec<String> {
    let lines = rooms.iter().map(
        |RoomInfo {
             room,
             people,
             topic,
         }| {
            let people = if *people == 1 {
                "1 person".to_owned()
            } else {
                format!("{people} people")
            };
            let topic = topic
                .as_ref()
                .map(|topic| format!(": {topic}"))
                .unwrap_or_default();
            format!("-- {room}, {people}{topic}")
        },
    );
    let rest = (others > 0).then(|| format!("-- and {others} smaller rooms"));
    lines
        .chain(rest)
        .chain(["-- /join ROOM enters a room, or creates it".to_owned()])
        .collect()
}

/// Asks for a password.
fn password(password: &PasswordFor) -> String {
    match password {
        PasswordFor::Of(name) => {
            format!("{name} is registered: type its password (Enter to go without this name)")
        }
        PasswordFor::Present(name) => {
            format!("Type the present password of {name} (Enter to cancel)")
        }
        PasswordFor::New(name) => {
            format!("Type a password for {name}; nobody else sees it (Enter to cancel)")
        }
        PasswordFor::Again => "Type the password again".to_owned(),
    }
}

fn notice(notice: &Notice, mode: LineMode, keeping: Storage, clock: &LocalClock) -> Option<String> {
    let lines = |missed: &Missed| match missed.lines() {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let words = match (notice, mode) {
        (Notice::Skipped(missed), LineMode::Classic) => format!("{} skipped", lines(missed)),
        (Notice::Skipped(missed), LineMode::Named) => {
            let hint = match keeping {
                Storage::Memory => "",
                Storage::Disk { .. } => " (/missed shows them)",
            };
            format!(
                "{} skipped: you were reading too slowly{hint}",
                lines(missed)
            )
        }
        (Notice::Act(act), _) => act::to_you(act, clock),
        (_, LineMode::Classic) => return None,
        (Notice::PassedOver(missed), _) => {
            format!("{} before these not shown", lines(missed))
        }
        (Notice::NotKeptAnyMore(missed), _) => {
            format!("{} no longer stored", lines(missed))
        }
        (Notice::Damaged(damaged), _) => self::damaged(damaged),
        (Notice::DiskSlow, _) => "The disk is slow; lines arrive late".to_owned(),
        (Notice::Idle { silent, left }, _) => {
            format!(
                "Silent for {}: closing in {}; press Enter to stay",
                span(*silent),
                span(*left)
            )
        }
        (Notice::IdleClosed(silent), _) => format!("Silent for {}: closed", span(*silent)),
        (Notice::GoingDown, _) => "The server is going down".to_owned(),
    };
    Some(format!("-- {words}"))
}

fn damaged(Damaged { room, first, last }: &Damaged) -> String {
    let lines = if first == last {
        format!("Line {first} of {room} is")
    } else {
        format!("Lines {first} to {last} of {room} are")
    };
    format!("{lines} damaged: the operator's log has the details")
}
