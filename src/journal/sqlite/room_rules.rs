//! The rules of rooms in the file. Does not know who may change them.

use std::collections::BTreeMap;

use parlor_core::model::{Act, Line, RoomName, RoomRules, Verb};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::row::stored_room;
use super::sql::Sql;

/// The rules of all rooms. Rules of a room with an invalid name hold nowhere; the log tells the
/// operator.
pub(super) fn past(connection: &Connection) -> rusqlite::Result<BTreeMap<RoomName, RoomRules>> {
    let query = "SELECT room, invited, moderated, secret, password, people FROM room_rules";
    let rules = connection.all(query, [], |row| {
        let (room, password): (String, String) = (row.get(0)?, row.get(4)?);
        let rules = RoomRules {
            is_invited_only: row.get(1)?,
            is_moderated: row.get(2)?,
            is_secret: row.get(3)?,
            password: (!password.is_empty()).then(|| Line::sanitise(password.as_bytes())),
            people_max: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        };
        let name = stored_room(&room);
        if name.is_none() {
            tracing::warn!(room, "rules belong to a room with an invalid name, and are left out");
        }
        Ok(name.map(|name| (name, rules)))
    })?;
    Ok(rules.into_iter().flatten().collect())
}

/// Stores what an act makes of the rules of its room. Rules that hold as long as somebody sits there
/// are not stored.
pub(super) fn put(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let (text, is_for_now) = (act.deed.text.as_ref(), act.is_for_now());
    let number = text.and_then(|text| text.as_str().parse().ok());
    let text = || Value::Text(text.map_or("", Line::as_str).to_owned());
    let [yes, no, none] = [Value::Integer(1), Value::Integer(0), Value::Text(String::new())];
    let changes = match act.deed.verb {
        Verb::LetEverybodyIn => vec![("invited", no)],
        Verb::Unmoderate => vec![("moderated", no)],
        Verb::Unhide => vec![("secret", no)],
        Verb::RemoveRoomPassword => vec![("password", none)],
        Verb::Unlimit => vec![("people", Value::Null)],
        Verb::OpenRoom => vec![
            ("invited", no.clone()),
            ("moderated", no.clone()),
            ("secret", no),
            ("password", none),
            ("people", Value::Null),
        ],
        _ if is_for_now => return Ok(()),
        Verb::InvitedOnly => vec![("invited", yes)],
        Verb::Moderate => vec![("moderated", yes)],
        Verb::Hide => vec![("secret", yes)],
        Verb::MakePrivate => vec![("invited", yes.clone()), ("secret", yes)],
        Verb::SetRoomPassword => vec![("password", text())],
        Verb::Limit => vec![("people", number.map_or(Value::Null, Value::Integer))],
        _ => return Ok(()),
    };
    let room = act.reach.room().map_or("", RoomName::as_str);
    connection.run("INSERT OR IGNORE INTO room_rules (room) VALUES (?1)", [room])?;
    for (column, value) in changes {
        let set = format!("UPDATE room_rules SET {column} = ?2 WHERE room = ?1");
        connection.run(&set, params![room, value])?;
    }
    let delete = "DELETE FROM room_rules WHERE room = ?1 AND NOT invited AND NOT moderated
                  AND NOT secret AND password = '' AND people IS NULL";
    connection.run(delete, [room]).map(drop)
}
