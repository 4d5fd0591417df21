//! The rules of rooms in the file. Does not know who may change them.

use std::collections::BTreeMap;

use parlor_core::ledger::{Snapshot, change_lasting};
use parlor_core::model::{Act, Line, RoomName, RoomRules};
use rusqlite::{Connection, Row, params};

use super::row::stored_room;
use super::sql::Sql;

/// The rules of all rooms. Rules of a room with an invalid name hold nowhere; the log tells the
/// operator.
pub(super) fn past(connection: &Connection) -> rusqlite::Result<BTreeMap<RoomName, RoomRules>> {
    let query = "SELECT invited, moderated, secret, password, people, room FROM room_rules";
    let rules = connection.all(query, [], |row| {
        let room: String = row.get(5)?;
        let name = stored_room(&room);
        if name.is_none() {
            tracing::warn!(room, "rules belong to a room with an invalid name, and are left out");
        }
        let rules = read(row)?;
        Ok(name.map(|name| (name, rules)))
    })?;
    Ok(rules.into_iter().flatten().collect())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RoomRules> {
    let password: String = row.get(3)?;
    Ok(RoomRules {
        is_invited_only: row.get(0)?,
        is_moderated: row.get(1)?,
        is_secret: row.get(2)?,
        password: (!password.is_empty()).then(|| Line::sanitise(password.as_bytes())),
        people_max: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
    })
}

/// Makes the rules those of a ledger that outlast the people in their rooms.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    connection.run("DELETE FROM room_rules", [])?;
    let mut rules = ledger.rules.iter();
    rules.try_for_each(|(room, rules)| put_rules(connection, room.as_str(), &rules.lasting))
}

/// Stores what an act makes of the rules of its room. Rules that hold as long as somebody sits there
/// are not stored.
pub(super) fn put(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let room = act.reach.room().map_or("", RoomName::as_str);
    let query =
        "SELECT invited, moderated, secret, password, people FROM room_rules WHERE room = ?1";
    let before = connection.one(query, [room], read)?.unwrap_or_default();
    let mut rules = before.clone();
    if change_lasting(&mut rules, act).is_err() || rules == before {
        return Ok(());
    }
    put_rules(connection, room, &rules)
}

/// Stores the rules of a room that outlast the people there.
pub(super) fn put_rules(
    connection: &Connection,
    room: &str,
    rules: &RoomRules,
) -> rusqlite::Result<()> {
    if rules.is_nothing() {
        return connection.run("DELETE FROM room_rules WHERE room = ?1", [room]).map(drop);
    }
    let put = "INSERT INTO room_rules (room, invited, moderated, secret, password, people)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (room) DO UPDATE SET invited = excluded.invited,
               moderated = excluded.moderated, secret = excluded.secret,
               password = excluded.password, people = excluded.people";
    let RoomRules { is_invited_only, is_moderated, is_secret, password, people_max } = rules;
    let password = password.as_ref().map_or("", Line::as_str);
    let people = people_max.map(u64::cast_signed);
    let row = params![room, is_invited_only, is_moderated, is_secret, password, people];
    connection.run(put, row).map(drop)
}
