//! Why something is not done, word for word. Knows no line ending and no connection.

use parlor_core::link::Refusal;
use parlor_core::model::Line;

use super::act;
use super::help::usage;
use crate::style::{LocalClock, span};

/// A sentence for the person who typed it. One table, so that the compiler finds the one that is missing.
pub(crate) fn why(refusal: &Refusal, clock: &LocalClock) -> String {
    match refusal {
        // Names, and whose they are.
        Refusal::Name(error) => error.to_string(),
        Refusal::NameFirst => {
            "Type a name first, then commands; Enter alone enters without a name".to_owned()
        }
        Refusal::NameTaken(name) => {
            format!("{name} is taken, or looks like a name that is taken; choose another name")
        }
        Refusal::NameOwned(name) => format!("{name} is registered; choose another name"),
        Refusal::NoNameToOwn => "You have no name to register; /name NEW takes one".to_owned(),
        Refusal::TooManyNamesFromHere => {
            "Too many names are registered from your address; use one of them".to_owned()
        }
        Refusal::TooManyNames => {
            "This server can register no more names; ask its operator".to_owned()
        }
        Refusal::NotOwner => {
            "Only the owner of a registered name can do that; /register registers yours".to_owned()
        }
        // Passwords and codes.
        Refusal::PasswordTooShort(chars) => {
            format!("A password needs at least {chars} characters: try again")
        }
        Refusal::PasswordIsCommand => {
            "A command cannot be a password: try again, or press Enter to cancel".to_owned()
        }
        Refusal::PasswordNotText => {
            "That password is not in UTF-8: set your terminal to UTF-8, or type it without such letters"
                .to_owned()
        }
        Refusal::AnswerFirst => "First answer the question for the password".to_owned(),
        Refusal::AnswersDropped(1) => {
            "The line after it may hold a password, so it was not sent; send it again if it does not"
                .to_owned()
        }
        Refusal::AnswersDropped(lines) => format!(
            "The {lines} lines after it may hold a password, so they were not sent; send them again if \
            they do not"
        ),
        Refusal::NoPassword => "No password typed; nothing is changed".to_owned(),
        Refusal::PasswordsDiffer => "The two passwords differ: try again".to_owned(),
        Refusal::WrongPassword(name) => format!("That is not the password of {name}"),
        Refusal::TooManyTries(wait) => format!("Too many tries; try again in {}", span(*wait)),
        Refusal::Busy => {
            "The server is checking too many passwords; try again in a moment".to_owned()
        }
        Refusal::PlainPassword => {
            "This connection is not encrypted and others could read a password, so none is asked \
            for; the operator can allow that with --allow-plain-passwords"
                .to_owned()
        }
        Refusal::NoSuchCode => {
            "That return code is wrong, or its hour is over; enter with a name".to_owned()
        }
        Refusal::TooLateToResume => {
            "You have entered already; type /resume at the name prompt of a new connection"
                .to_owned()
        }
        // Other people.
        Refusal::NobodyCalled(typed) => {
            format!("Nobody here is called {typed}; /who lists the people in this room")
        }
        Refusal::Away(name) => format!("{name} is away; the message was not delivered"),
        Refusal::LettersFull(name) => {
            format!("{name} is away and has too many messages waiting; yours was not delivered")
        }
        Refusal::NotReading(name) => {
            format!("{name} is not reading; the message was not delivered")
        }
        Refusal::Yourself => "That is you; choose somebody else".to_owned(),
        Refusal::NotIgnored(typed) => format!("You are not ignoring {typed}"),
        // Keepers, and what they decide.
        Refusal::NotKeeper => "Only keepers can do that; /keeper lists them".to_owned(),
        Refusal::IsKeeper(name) => {
            format!("{name} is a keeper; only the operator can remove a keeper")
        }
        Refusal::IsServerKeeper(name) => {
            format!(
                "{name} is a keeper of the server; first run: parlor admin keeper remove {name}"
            )
        }
        Refusal::LocksOutKeeper(name) => format!("{name} is a keeper and connects from there"),
        Refusal::NoAddress(typed) => {
            format!("{typed} is not an address; write it as 192.0.2.7 or 192.0.2.0/24")
        }
        Refusal::OwnMachine => {
            "That is the server's own machine, which cannot be banned".to_owned()
        }
        Refusal::Elsewhere(name, room) => format!("{name} is in {room}, not here"),
        Refusal::Banned(ban) => act::you_are_banned(ban, clock),
        Refusal::Muted(mute) => act::you_are_muted(mute, clock),
        Refusal::TopicLocked => "Only keepers can change the topic of this room".to_owned(),
        Refusal::NotRegistered(typed) => {
            format!("{typed} is not a registered name, and a keeper needs one; /help register")
        }
        Refusal::AlreadyKeeper(name) => format!("{name} is already a keeper"),
        Refusal::NoSuchKeeper(typed) => {
            format!("{typed} is not a keeper here; /keeper lists the keepers")
        }
        Refusal::LastKeeper(name) => {
            format!("{name} is the last keeper of this room; first make another with /keeper NAME")
        }
        Refusal::LobbyKeepers => {
            "The lobby has the server's keepers; only the operator can name them".to_owned()
        }
        Refusal::NotBanned(whom) => format!("{whom} is not banned"),
        Refusal::NotMuted(name) => format!("{name} is not muted"),
        Refusal::TooManyRules(max) => {
            format!("There are already {max} of these, the most allowed; remove one first")
        }
        // Rooms.
        Refusal::NoRoom(room) => {
            format!("There is no room {room}; /rooms lists the rooms, /join {room} creates it")
        }
        Refusal::TooManyRooms(max) => {
            format!("There are {max} rooms, the most allowed here; join one that /rooms lists")
        }
        Refusal::RoomsShare(own) => format!(
            "You, or others at your address, opened {own} of the rooms, the most for one person; join one that /rooms lists"
        ),
        Refusal::AlreadyIn(room) => format!("You are already in {room}"),
        Refusal::NotThere => "You are not in that room".to_owned(),
        Refusal::TooManySeats(seats) => {
            format!("You are in {seats} rooms, the most allowed; leave one first")
        }
        Refusal::LastSeat => "This is the only room you are in; /quit leaves the server".to_owned(),
        // What is typed.
        Refusal::NoCommand { typed, nearest } => no_command(typed, *nearest),
        Refusal::Slipped(name) => format!(
            "Did you mean /{name}? A line that begins with a blank is said as it is only if it is no command; this one was not said"
        ),
        Refusal::Usage(spec) => format!("Type {}: it {}", usage(spec), spec.does),
        Refusal::NothingToFind => "Type a word to search for: letters or digits".to_owned(),
        Refusal::TooManyWords(words) => {
            format!("Too many words to search for: {words} at most; type fewer")
        }
        Refusal::NoSuchTime => {
            "That is not a time; type 14:00, 2026-11-20, 2026-11-20 12:01, yesterday or 2h".to_owned()
        }
        Refusal::TooManyLines(lines) => {
            format!("More than {lines} lines at once; nothing was sent, send fewer")
        }
        Refusal::NoRequest(why) => format!("Bad request: {why}"),
        Refusal::TooLong(bytes) => format!("Line too long ({bytes} bytes at most): not sent"),
        // What is kept.
        Refusal::NotKept(why) => format!("Not sent: {why}; try again later"),
        Refusal::NotWritten => {
            "The disk cannot be written right now; nothing is changed, try again later".to_owned()
        }
        Refusal::NeedsDisk(spec) => {
            let needs = "needs lines stored on disk, and this server stores none";
            let instead = match spec.name {
                "search" | "missed" => "; /last shows the latest",
                _ => "",
            };
            format!("/{} {needs}{instead}", spec.name)
        }
        Refusal::Unreadable => {
            "Stored lines cannot be read right now; the operator's log says why".to_owned()
        }
        Refusal::NothingMissed => "You missed nothing".to_owned(),
        Refusal::TakingBack => {
            "Your lines are already being deleted; this takes a while in a large file".to_owned()
        }
        Refusal::NotAllTakenBack => {
            "Some of your lines could not be deleted and may still be read; the server tries again \
            every minute"
                .to_owned()
        }
    }
}

fn no_command(typed: &Line, nearest: Option<&str>) -> String {
    let nearest = nearest
        .map(|nearest| format!(" (did you mean /{nearest}?)"))
        .unwrap_or_default();
    format!("No command /{typed}; /help lists them{nearest}")
}
