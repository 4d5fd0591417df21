//! What is typed behind the commands that keep order. Knows not who may type them.

use std::time::Duration;

use super::spec::{Command, Misread, Spec, line, needed, seen};
use crate::model::{Order, Whom, is_meant_as_time, parse_time};

/// Whoever is muted speaks again after this long, where nothing else is said.
const MUTE_TIME: Duration = Duration::from_secs(600);

/// `/kick NAME [REASON]`
pub(crate) fn kick(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (whom, reason) = first_word(rest);
    Ok(Command::Keep(Order::Remove {
        whom: needed(spec, whom)?,
        reason: seen(reason),
    }))
}

/// `/ban [WHOM [TIME] [REASON]]`
pub(crate) fn ban(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (whom, rest) = first_word(rest);
    if whom.is_empty() {
        return Ok(Command::Keep(Order::Bans));
    }
    let (word, others) = first_word(rest);
    let (time, reason) = match parse_time(word) {
        Some(time) => (Some(time), others),
        None if is_meant_as_time(word) => return Err(Misread::Usage(spec)),
        None => (None, rest),
    };
    Ok(Command::Keep(Order::Ban {
        whom: parse_whom(whom)?,
        time,
        reason: seen(reason),
    }))
}

/// `/unban WHOM`
pub(crate) fn unban(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    match rest {
        "" => Err(Misread::Usage(spec)),
        whom => Ok(Command::Keep(Order::Unban(parse_whom(whom)?))),
    }
}

/// `/mute NAME [TIME]`
pub(crate) fn mute(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    let (whom, time) = first_word(rest);
    let whom = needed(spec, whom)?;
    let time = match time {
        "" => MUTE_TIME,
        time => parse_time(time).ok_or(Misread::Usage(spec))?,
    };
    Ok(Command::Keep(Order::Mute { whom, time }))
}

/// `/unmute NAME`
pub(crate) fn unmute(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    Ok(Command::Keep(Order::Unmute(needed(spec, rest)?)))
}

/// `/keeper [NAME]`, `/keeper -NAME`
pub(crate) fn keeper(spec: &'static Spec, rest: &str) -> Result<Command, Misread> {
    Ok(Command::Keep(match rest.strip_prefix('-') {
        Some(name) => Order::RemoveKeeper(needed(spec, name)?),
        None if rest.is_empty() => Order::Keepers,
        None => Order::AddKeeper(line(rest)),
    }))
}

/// A name, an address, or several addresses with one beginning.
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
