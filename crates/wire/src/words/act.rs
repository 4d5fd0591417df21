//! What is said about order in the house, word for word. Knows no line ending and no connection.

use parlor_core::model::{
    Ban, By, Done, Line, Mute, Name, Reach, Removal, RoomName, Rule, Ruling, Until, Visitor,
    WallTime, Word,
};

use crate::style::{LocalClock, silence};

/// What has come of an order, a line each.
pub(crate) fn done(done: &Done, clock: &LocalClock) -> Vec<String> {
    let one = |words: String| vec![format!("-- {words}")];
    match done {
        Done::Everybody(people) if people.is_empty() => one("Nobody is here".to_owned()),
        Done::Everybody(people) => people.iter().map(visitor).collect(),
        Done::Told { people, deaf } => one(told(*people, *deaf)),
        Done::Removed(name) => one(format!("{name} is removed")),
        Done::Banned(ban) => one(is_banned(ban, clock)),
        Done::Unbanned(whom) => one(format!("{whom} is no longer banned")),
        Done::Bans { bans, .. } if bans.is_empty() => one("Nobody is banned".to_owned()),
        Done::Bans { bans, others } => {
            let listed = bans
                .iter()
                .map(|ban| format!("-- {}", is_banned(ban, clock)));
            let rest = (*others > 0).then(|| format!("-- and {others} older bans"));
            listed.chain(rest).collect()
        }
        Done::Muted(name, until) => one(format!("{name} is muted until {}", clock.moment(*until))),
        Done::Unmuted(name) => one(format!("{name} is no longer muted")),
        Done::Locked(true) => one("The topic is locked: only keepers can change it".to_owned()),
        Done::Locked(false) => one("The topic is unlocked: everybody can change it".to_owned()),
        Done::Keepers { room, server } => keepers(room.as_ref(), server),
        Done::Keeper(name, true) => one(format!("{name} is a keeper")),
        Done::Keeper(name, false) => one(format!("{name} is no longer a keeper")),
        Done::Unwritten(done) => {
            let unwritten = "-- This could not be stored; it holds until the server stops";
            let mut lines = self::done(done, clock);
            lines.push(unwritten.to_owned());
            lines
        }
    }
}

/// `-- alice, 127.0.0.1:56592, in lobby and tea, silent for 4 minutes`
fn visitor(visitor: &Visitor) -> String {
    let address = visitor
        .address
        .map(|address| format!("{address}, "))
        .unwrap_or_default();
    let rooms: Vec<_> = visitor.rooms.iter().map(RoomName::as_str).collect();
    let rooms = match rooms.is_empty() {
        true => "coming in".to_owned(),
        false => format!("in {}", rooms.join(" and ")),
    };
    let (name, silence) = (&visitor.name, silence(visitor.silent));
    format!("-- {name}, {address}{rooms}, {silence}")
}

fn told(people: usize, deaf: usize) -> String {
    let told = match people {
        1 => "1 person was told".to_owned(),
        _ => format!("{people} people were told"),
    };
    match deaf {
        0 => told,
        1 => format!("{told}; 1 is not reading and missed it"),
        _ => format!("{told}; {deaf} are not reading and missed it"),
    }
}

/// `bob is banned until 14:10 by alice: too loud`
fn is_banned(ban: &Ban, clock: &LocalClock) -> String {
    let Ban {
        whom, by, reason, ..
    } = ban;
    let (until, why) = (until(ban.until, clock), why(reason.as_ref()));
    format!("{whom} is banned{until} by {}{why}", name_of(by))
}

fn keepers(room: Option<&(RoomName, Vec<Name>)>, server: &[Name]) -> Vec<String> {
    let list = |names: &[Name]| match names.is_empty() {
        true => "nobody".to_owned(),
        false => names
            .iter()
            .map(Name::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    let of_room = room.map(|(room, names)| format!("-- Keepers of {room}: {}", list(names)));
    let of_server = format!("-- Keepers of the server: {}", list(server));
    of_room.into_iter().chain([of_server]).collect()
}

/// Why somebody is not let in: `You are banned from tea until 14:10 by alice: too loud`.
pub(crate) fn you_are_banned(ban: &Ban, clock: &LocalClock) -> String {
    let Ban { by, reason, .. } = ban;
    let (from, until) = (from(&ban.reach), until(ban.until, clock));
    let (by, why) = (name_of(by), why(reason.as_ref()));
    format!("You are banned{from}{until} by {by}{why}")
}

/// A word with authority, without what stands before each word of the server's.
pub(crate) fn word(word: &Word, clock: &LocalClock) -> String {
    match word {
        Word::Says(text) => format!("The operator says: {text}"),
        Word::Removed(Removal {
            by: By::Oneself, ..
        }) => "You came back on another connection; this one is closed".to_owned(),
        Word::Removed(Removal {
            by: By::NewPassword,
            ..
        }) => "The name you use has a new password; this connection is closed".to_owned(),
        Word::Removed(removal) => {
            let (verb, from) = match removal.ban {
                None => ("were removed", from(&removal.reach)),
                Some(_) => ("are banned", from(&removal.reach)),
            };
            format!("You {verb}{from}{}", until_by_whom_and_why(removal, clock))
        }
        Word::Muted(mute) => you_are_muted(mute, clock),
        Word::Unmuted(by) => format!("{} unmuted you", name_of(by)),
    }
}

/// What the others read of somebody who is removed: `was removed by the operator: too loud`.
pub(crate) fn was_removed(removal: &Removal, clock: &LocalClock) -> String {
    let verb = match removal.ban {
        None => "removed",
        Some(_) => "banned",
    };
    format!("was {verb}{}", until_by_whom_and_why(removal, clock))
}

/// What all in a room read: `alice muted bob until 14:10`.
pub(crate) fn ruling(ruling: &Ruling, clock: &LocalClock) -> String {
    let by = name_of(&ruling.by);
    match &ruling.rule {
        Rule::Banned {
            whom,
            until: end,
            reason,
        } => format!(
            "{by} banned {whom}{}{}",
            until(*end, clock),
            why(reason.as_ref())
        ),
        Rule::Unbanned(whom) => format!("{by} lifted the ban on {whom}"),
        Rule::Muted(name, until) => format!("{by} muted {name} until {}", clock.moment(*until)),
        Rule::Unmuted(name) => format!("{by} unmuted {name}"),
        Rule::Locked(true) => format!("{by} locked the topic: only keepers can change it"),
        Rule::Locked(false) => format!("{by} unlocked the topic: everybody can change it"),
        Rule::Keeper(name, true) => format!("{by} made {name} a keeper"),
        Rule::Keeper(name, false) => format!("{by} removed {name} as a keeper"),
    }
}

/// What somebody reads on coming where they keep order.
pub(crate) fn keeps(reach: &Reach) -> String {
    match reach {
        Reach::Server => "-- You are a keeper of this server".to_owned(),
        Reach::Room(_) => "-- You are a keeper of this room".to_owned(),
    }
}

pub(crate) fn you_are_muted(mute: &Mute, clock: &LocalClock) -> String {
    let (until, by) = (clock.moment(mute.until), name_of(&mute.by));
    let at = match &mute.reach {
        Reach::Server => String::new(),
        Reach::Room(room) => format!(" in {room}"),
    };
    format!("You are muted{at} until {until} by {by}")
}

fn until_by_whom_and_why(removal: &Removal, clock: &LocalClock) -> String {
    let end = removal.ban.and_then(|Until(end)| end);
    let (until, by) = (until(end, clock), name_of(&removal.by));
    format!("{until} by {by}{}", why(removal.reason.as_ref()))
}

fn from(reach: &Reach) -> String {
    match reach {
        Reach::Server => String::new(),
        Reach::Room(room) => format!(" from {room}"),
    }
}

fn until(end: Option<WallTime>, clock: &LocalClock) -> String {
    end.map_or_else(String::new, |end| format!(" until {}", clock.moment(end)))
}

pub(crate) fn name_of(by: &By) -> &str {
    match by {
        By::Operator => "the operator",
        By::Oneself => "themselves",
        By::NewPassword => "new-password", // for programs: people read a sentence of its own
        By::Keeper(name) => name.as_str(),
    }
}

fn why(reason: Option<&Line>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}
