//! Refusals for programs: a word for each reason.

use parlor_core::link::Refusal;
use parlor_core::model::NameError;

/// The word for it; docs/web-protocol.md lists them.
pub(crate) fn why(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Name(_) => "no-name",
        Refusal::NameFirst => "name-first",
        Refusal::NameOwned(_) => "name-owned",
        Refusal::NameTaken(_) => "name-taken",
        Refusal::NoSuchCode => "no-such-code",
        Refusal::TooLateToResume => "too-late-to-resume",
        Refusal::TooManyNames | Refusal::TooManyNamesFromHere => "too-many-names",
        Refusal::NoNameToOwn => "no-name-to-own",
        Refusal::PasswordTooShort(_) => "password-too-short",
        Refusal::PasswordIsCommand => "password-is-command",
        Refusal::PasswordNotText => "password-not-text",
        Refusal::AnswerFirst => "answer-first",
        Refusal::AnswersDropped(_) => "answers-dropped",
        Refusal::NoPassword => "no-password",
        Refusal::PasswordsDiffer => "passwords-differ",
        Refusal::WrongPassword(_) => "wrong-password",
        Refusal::TooManyTries(_) => "too-many-tries",
        Refusal::Busy => "busy",
        Refusal::PlainPassword => "plain-password",
        Refusal::LettersFull(_) => "letters-full",
        Refusal::Away(_) => "away",
        Refusal::NotWritten => "not-written",
        Refusal::NobodyCalled(_) => "nobody-called",
        Refusal::NoRoom(_) => "no-room",
        Refusal::TooManyRooms(_) | Refusal::RoomsShare(_) => "too-many-rooms",
        Refusal::AlreadyIn(_) => "already-in",
        Refusal::NotThere => "not-there",
        Refusal::NotReading(_) => "not-reading",
        Refusal::Yourself => "yourself",
        Refusal::NotIgnored(_) => "not-ignored",
        Refusal::NoCommand { .. } => "no-command",
        Refusal::Slipped(_) => "slipped",
        Refusal::Usage(_) => "usage",
        Refusal::NeedsDisk(_) => "needs-disk",
        Refusal::NothingMissed => "nothing-missed",
        Refusal::TakingBack => "taking-back",
        Refusal::NotAllTakenBack => "not-all-taken-back",
        Refusal::NotOwner => "not-owner",
        Refusal::NothingToFind => "nothing-to-find",
        Refusal::TooManyWords(_) => "too-many-words",
        Refusal::Unreadable => "unreadable",
        Refusal::NoSuchTime => "no-such-time",
        Refusal::TooLong(_) => "too-long",
        Refusal::TooManyLines(_) => "too-many-lines",
        Refusal::TooManySeats(_) => "too-many-seats",
        Refusal::LastSeat => "last-seat",
        Refusal::NoRequest(_) => "no-request",
        Refusal::NotKept(_) => "not-kept",
        Refusal::Banned(_) => "banned",
        Refusal::Muted(_) => "muted",
        Refusal::TopicLocked => "topic-locked",
        Refusal::NotKeeper => "no-keeper",
        Refusal::IsKeeper(_)
        | Refusal::IsServerKeeper(_)
        | Refusal::LocksOutKeeper(_)
        | Refusal::NoAddress(_)
        | Refusal::OwnMachine
        | Refusal::Elsewhere(..)
        | Refusal::NotRegistered(_)
        | Refusal::AlreadyKeeper(_)
        | Refusal::NoSuchKeeper(_)
        | Refusal::LastKeeper(_)
        | Refusal::LobbyKeepers
        | Refusal::NotBanned(_)
        | Refusal::NotMuted(_)
        | Refusal::TooManyRules(_) => "forbidden",
    }
}

/// The word for the rule that something breaks that was given as a name; the page lists these, too.
pub(crate) fn rule(error: &NameError) -> Option<&'static str> {
    Some(match error {
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
        _ => return None,
    })
}
