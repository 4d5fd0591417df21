//! The past of a house in the file: what a server without other nodes has stored beside what it starts
//! with, and how the files of other nodes take all of it over. Knows no order.

use std::sync::Arc;

use parlor_core::intent::{Import, ImportedLines, ImportedMessage, PastAct, PastLog};
use parlor_core::ledger::{Account, Record, ReturnCode, Validity};
use parlor_core::model::{Name, PersonId, Proof, RoomName, Said, Who};
use rusqlite::Connection;

use super::{accounts, acts, append, epochs, kept, records};

/// How many ends of rooms one part of the past has.
const ENDS_AT_ONCE: usize = 1_000;

/// The messages for absent owners, the rows of acts, and the logs of earlier starts.
pub(crate) fn further_parts(connection: &Connection) -> rusqlite::Result<Vec<Import>> {
    let mut parts: Vec<_> = kept::rows(connection)?.into_iter().map(message).collect();
    parts.push(Import::LastMessage(kept::last(connection)?));
    parts.extend(acts::rows(connection)?.into_iter().map(|(number, at, texts)| {
        let [by, account, room, deed, whom, reason] = texts;
        Import::Act(PastAct { number, at, by, account, room, deed, whom, reason })
    }));
    for (number, name, ends) in epochs::rows(connection)? {
        let ends =
            ends.into_iter().filter_map(|(room, last)| Some((RoomName::parse(&room).ok()?, last)));
        let ends: Vec<_> = ends.collect();
        let name: Box<str> = name.into();
        let log =
            |ends: &[_]| Import::Log(PastLog { number, name: name.clone(), ends: ends.into() });
        parts.push(log(ends.get(..ENDS_AT_ONCE).unwrap_or(&ends)));
        parts.extend(ends.chunks(ENDS_AT_ONCE).skip(1).map(log));
    }
    Ok(parts)
}

fn message((message, owner, writer, rank): kept::MessageRow) -> Import {
    let kept::WaitingMessage { number, at, from, spoken } = message;
    let spoken = spoken.into();
    Import::Message(ImportedMessage { number, at, owner, from, writer, rank, spoken })
}

/// Takes over parts of the past, in the transaction of the caller.
pub(crate) fn take_over(connection: &Connection, parts: &[Import]) -> rusqlite::Result<()> {
    parts.iter().try_for_each(|part| take_over_part(connection, part))
}

fn take_over_part(connection: &Connection, part: &Import) -> rusqlite::Result<()> {
    let record = match part {
        Import::Account { name, since, password } => {
            let (name, password, token) = (name.name.clone(), password.clone(), None);
            let proof = Proof::default();
            let account = Account { name, since: *since, password, token, proof };
            Record::Account(Arc::new(account))
        }
        Import::Token { name, token } => {
            return accounts::put_token(connection, name, token.value);
        }
        Import::Keeper { reach, name } => {
            let room = reach.room().map_or("", RoomName::as_str);
            return acts::put_authority(connection, "keepers", room, name);
        }
        Import::Maker { room, name } => {
            return acts::put_authority(connection, "makers", room.as_str(), name);
        }
        Import::Ban(act) => return acts::put_ban(connection, act),
        Import::Mute(act) => return acts::put_mute(connection, act),
        Import::Topic { room, topic } => return acts::put_whole_topic(connection, room, topic),
        Import::Rules { room, rules } => return acts::put_rules(connection, room.as_str(), rules),
        Import::Code { code, claim, looks, room, seq, until } => {
            let (claim, looks, room) = (claim.clone(), looks.clone(), room.clone());
            let validity = Validity::Until(*until);
            let of = ReturnCode { claim, looks, room, seq: *seq, validity };
            Record::Code(*code, Arc::new(of))
        }
        Import::Marker { owner, key, at } => {
            Record::Marker { owner: owner.clone(), key: key.clone(), at: Some(*at) }
        }
        Import::Message(ImportedMessage { number, at, owner, from, writer, rank, spoken }) => {
            let said = (*at, from, &spoken.value);
            return kept::put_row(connection, *number, owner.keys()[0], said, (*writer, *rank));
        }
        Import::Act(PastAct { number, at, by, account, room, deed, whom, reason }) => {
            let texts = [by, account, room, deed, whom, reason];
            return acts::put_whole_row(connection, (*number, *at), texts);
        }
        Import::Log(log) => return put_log(connection, log),
        Import::Lines(lines) => return put_lines(connection, lines),
        Import::LastMessage(_) => return Ok(()), // for the ledger
        Import::Complete => return epochs::forget_own_past(connection),
    };
    records::put(connection, &record)
}

fn put_log(connection: &Connection, log: &PastLog) -> rusqlite::Result<()> {
    let PastLog { number, name, ends } = log;
    epochs::put(connection, *number, name)?;
    for (room, last) in ends {
        epochs::put_end(connection, append::make_room(connection, room)?, *number, *last)?;
    }
    Ok(())
}

fn put_lines(connection: &Connection, lines: &ImportedLines) -> rusqlite::Result<()> {
    let ImportedLines { room, first, name, times, lines, .. } = lines;
    let who: Arc<Who> = Who::new(PersonId::BYGONE, Name::stored(name.as_str())).into();
    let said = (*first..).zip(times).zip(&lines.value).map(|((seq, at), spoken)| Said {
        seq,
        at: *at,
        who: Arc::clone(&who),
        manner: spoken.manner,
        extras: spoken.extras.clone(),
        text: spoken.text.clone(),
    });
    append::put_later(connection, room, &said.collect::<Vec<_>>())
}
