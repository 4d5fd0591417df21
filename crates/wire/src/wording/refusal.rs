//! Why something is not done, word for word. Knows no line ending and no connection.

use parlor_core::answer::Refusal;
use parlor_core::line::Line;

use super::{order, span, usage};
use crate::lines::Clock;

/// A sentence for the person who typed it. One table, so that the compiler finds the one that is missing.
pub(super) fn why(refusal: &Refusal, clock: &Clock) -> String {
    match refusal {
        // Names, and whose they are.
        Refusal::Name(error) => error.to_string(),
        Refusal::NameFirst => {
            "First a name, then commands; Enter alone goes without one".to_owned()
        }
        Refusal::NameTaken(name) => {
            format!("{name} is taken, or looks like a name that is: choose another")
        }
        Refusal::NameOwned(name) => format!("{name} has an owner: choose another"),
        Refusal::NoNameToOwn => {
            "You have no name that could be yours; /name NEW takes one".to_owned()
        }
        Refusal::TooManyNames => "No more names can be registered on this server".to_owned(),
        Refusal::NotOwner => {
            "Only the owner of a name can do that; /register makes yours your own".to_owned()
        }
        // Passwords and codes.
        Refusal::PasswordTooShort(chars) => {
            format!("A password has at least {chars} characters: try again")
        }
        Refusal::PasswordIsCommand => {
            "A command cannot be a password: try again, or press Enter to cancel".to_owned()
        }
        Refusal::AnswerFirst => "First answer the question for the password".to_owned(),
        Refusal::AnswersDropped(1) => {
            "The line behind it may be a password, so it is not said: say it again if it is none"
                .to_owned()
        }
        Refusal::AnswersDropped(lines) => format!(
            "The {lines} lines behind it may be a password, so they are not said: say them again if \
            they are none"
        ),
        Refusal::NoPassword => "No password: nothing is changed".to_owned(),
        Refusal::PasswordsDiffer => "The two passwords differ: try again".to_owned(),
        Refusal::WrongPassword(name) => format!("That is not the password of {name}"),
        Refusal::TooManyTries(wait) => format!("Too many tries; try again in {}", span(*wait)),
        Refusal::Busy => "Too many passwords are being checked: try again in a moment".to_owned(),
        Refusal::PlainPassword => {
            "A password would travel in the clear from your machine to this one, so it is \
            not asked for; the operator can allow that with --allow-plain-passwords"
                .to_owned()
        }
        Refusal::NoSuchCode => {
            "That is no return code, or its hour is over: enter with a name".to_owned()
        }
        Refusal::TooLateToResume => {
            "You are in already: /resume is an answer to the name question".to_owned()
        }
        // Other people.
        Refusal::NobodyCalled(typed) => {
            format!("Nobody here is called {typed}; /who lists those in this room")
        }
        Refusal::Away(name) => format!("{name} is away: not delivered"),
        Refusal::LettersFull(name) => {
            format!("{name} is away, and no more messages are kept until then: not delivered")
        }
        Refusal::NotReading(name) => format!("{name} is not reading: not delivered"),
        Refusal::Yourself => "That is you".to_owned(),
        Refusal::NotIgnored(typed) => format!("You ignore nobody called {typed}"),
        Refusal::Order(forbidden) => order::forbidden(forbidden, clock),
        // Rooms.
        Refusal::NoRoom(room) => {
            format!("There is no room {room}; /rooms lists them, /join {room} makes it")
        }
        Refusal::TooManyRooms(max) => {
            format!("There are {max} rooms, and no more may be made: join one of /rooms")
        }
        Refusal::AlreadyIn(room) => format!("You are in {room} already"),
        Refusal::NotThere => "You are not in that room".to_owned(),
        Refusal::TooManySeats(seats) => {
            format!("You are in {seats} rooms, and can be in no more: leave one first")
        }
        Refusal::LastSeat => "That is the only room you are in: /quit leaves it".to_owned(),
        // What is typed.
        Refusal::NoCommand { typed, nearest } => no_command(typed, *nearest),
        Refusal::Slipped(name) => format!(
            "Did you mean /{name}? A line that begins with a blank is said as it is only if it is no command"
        ),
        Refusal::Usage(spec) => format!("Type {}: it {}", usage(spec), spec.does),
        Refusal::NothingToFind => "Type a word to search for: letters or digits".to_owned(),
        Refusal::NoSuchTime => {
            "That is no time: type 14:00, 2026-11-20, 2026-11-20 12:01, yesterday or 2h".to_owned()
        }
        Refusal::TooManyLines(lines) => {
            format!("More than {lines} lines at once: nothing is said; say fewer together")
        }
        Refusal::NoRequest(why) => format!("That is no request: {why}"),
        Refusal::TooLong(bytes) => format!("Line too long ({bytes} bytes at most): not sent"),
        // What is kept.
        Refusal::NotKept(why) => format!("Not kept: {why}; say it again later"),
        Refusal::NotWritten => {
            "The disk cannot be written to just now: nothing is changed; try again later".to_owned()
        }
        Refusal::NeedsDisk(spec) => {
            let needs = "needs lines kept on disk, and this server keeps none";
            format!("/{} {needs}; /last shows the latest", spec.name)
        }
        Refusal::Unreadable => {
            "What is kept cannot be read just now; the operator's log says why".to_owned()
        }
        Refusal::NothingMissed => "You have missed nothing".to_owned(),
        Refusal::TakingBack => {
            "What you have said is being taken back already; a large file takes its time".to_owned()
        }
        Refusal::NotAllTakenBack => {
            "Not all of it could be taken back, and what is left may be read; it is tried again \
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
