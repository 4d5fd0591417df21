//! The arguments of the keepers' commands. Does not know who may use them.

use std::time::Duration;

use super::spec::{Command, Misread, Spec, line, needed, seen};
use crate::model::{Deed, Name, RoomName, Verb, Whom};

/// The time after which a mute ends, if none is given.
const MUTE_TIME: Duration = Duration::from_secs(600);

/// `/kick NAME [REASON]`
pub(crate) fn kick(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (name, reason) = first_word(rest);
    Ok(Command::Act(Deed { text: seen(reason), ..Deed::to(Verb::Kick, called(spec, name)?) }))
}

/// `/ban [WHOM [TIME] [REASON]]`
pub(crate) fn ban(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (whom, rest) = first_word(rest);
    if whom.is_empty() {
        return Ok(Command::Bans);
    }
    let (word, others) = first_word(rest);
    let (time, reason) = match parse_time(word) {
        Some(time) => (Some(time), others),
        None if is_meant_as_time(word) => return Err(Misread::Usage(spec)),
        None => (None, rest),
    };
    Ok(Command::Act(Deed { time, text: seen(reason), ..Deed::to(Verb::Ban, parse_whom(whom)?) }))
}

/// `/unban WHOM`
pub(crate) fn unban(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    match rest {
        "" => Err(Misread::Usage(spec)),
        whom => Ok(Command::Act(Deed::to(Verb::Unban, parse_whom(whom)?))),
    }
}

/// `/mute NAME [TIME]`
pub(crate) fn mute(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (name, time) = first_word(rest);
    let whom = called(spec, name)?;
    let time = match time {
        "" => MUTE_TIME,
        time => parse_time(time).ok_or(Misread::Usage(spec))?,
    };
    Ok(Command::Act(Deed { time: Some(time), ..Deed::to(Verb::Mute, whom) }))
}

/// `/unmute NAME`
pub(crate) fn unmute(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    Ok(Command::Act(Deed::to(Verb::Unmute, called(spec, rest)?)))
}

/// `/keeper [NAME]`, `/keeper -NAME`
pub(crate) fn keeper(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (verb, name) = match rest.strip_prefix('-') {
        None if rest.is_empty() => return Ok(Command::Keepers),
        None => (Verb::AddKeeper, rest),
        Some(name) => (Verb::RemoveKeeper, name),
    };
    Ok(Command::Act(Deed::to(verb, called(spec, name)?)))
}

/// `/voice NAME`, `/voice -NAME`
pub(crate) fn voice(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (verb, name) = match rest.strip_prefix('-') {
        None => (Verb::GiveVoice, rest),
        Some(name) => (Verb::TakeVoice, name),
    };
    Ok(Command::Act(Deed::to(verb, called(spec, name)?)))
}

/// `/join ROOM [PASSWORD]`
pub(crate) fn join(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (room, password) = first_word(rest);
    if room.is_empty() {
        return Err(Misread::Usage(spec));
    }
    // A name with a blank is wrong for another reason than its password.
    let typed = if password.contains(char::is_whitespace) { rest } else { room };
    let room = RoomName::parse(typed).map_err(Misread::Name)?;
    Ok(Command::Join { room, password: seen(password) })
}

/// `/room [RULE]`
pub(crate) fn room(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (rule, value) = first_word(rest);
    let rule = rule.to_lowercase();
    let is_off = value.eq_ignore_ascii_case("off");
    let (verb, text) = match (rule.as_str(), value) {
        ("", _) => return Ok(Command::Rules),
        ("private", "") => (Verb::MakePrivate, None),
        ("open", "") => (Verb::OpenRoom, None),
        ("invited", "") => (Verb::InvitedOnly, None),
        ("secret", "") => (Verb::Hide, None),
        ("moderated", "") => (Verb::Moderate, None),
        ("private", _) if is_off => (Verb::OpenRoom, None),
        ("invited", _) if is_off => (Verb::LetEverybodyIn, None),
        ("secret", _) if is_off => (Verb::Unhide, None),
        ("moderated", _) if is_off => (Verb::Unmoderate, None),
        ("password", _) if is_off => (Verb::RemoveRoomPassword, None),
        ("limit", _) if is_off => (Verb::Unlimit, None),
        ("password", _) => (Verb::SetRoomPassword, Some(needed(spec, value)?)),
        ("limit", _) => (Verb::Limit, Some(needed(spec, value)?)),
        _ => return Err(Misread::Usage(spec)),
    };
    Ok(Command::Act(Deed::to_all(verb, text)))
}

/// The person with this name, as typed.
fn called(spec: &'static Spec, typed: &str) -> Result<Whom, Misread> {
    let typed = needed(spec, typed)?;
    Ok(Whom::Name(Name::stored(typed.as_str())))
}

/// Parses a name, an address, or a range of addresses.
fn parse_whom(typed: &str) -> Result<Whom, Misread> {
    Whom::parse(typed).map_err(|error| match typed.contains(['/', ':']) {
        true => Misread::NoAddress(line(typed)), // no name has these
        false => Misread::Name(error),
    })
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Whether a word is meant as a time, even a wrong one: a ban for `30min` must not last forever.
pub fn is_meant_as_time(typed: &str) -> bool {
    let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Parses a time as people type it: `90s`, `30m`, `2h`, `7d`, `4w`. At most ten years.
pub fn parse_time(typed: &str) -> Option<Duration> {
    const TIME_MAX: u64 = 3650 * 86_400;
    let unit = typed.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let number = typed.strip_suffix(unit)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| number.parse().ok()).flatten()?;
    let seconds = number.checked_mul(seconds)?;
    (1..=TIME_MAX).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn times_are_a_number_and_a_unit() {
        for (typed, seconds) in
            [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("7d", 604_800), ("4w", 2_419_200)]
        {
            assert_eq!(parse_time(typed).map(|time| time.as_secs()), Some(seconds));
        }
        for typed in [
            "",
            "m",
            "0m",
            "-1m",
            "+1m",
            "1.5h",
            "30",
            "30 m",
            "2y",
            "é",
            "9999999999999999999d",
            "9999d",
        ] {
            assert_eq!(parse_time(typed), None, "{typed}");
        }
    }
}
