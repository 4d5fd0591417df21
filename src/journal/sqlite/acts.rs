//! Acts in the file: the keepers, bans, mutes and topics that hold, and a row for every act. Does
//! not know which acts are allowed.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::journal::{Past, Snapshot};
use parlor_core::model::{
    Act, Author, By, Deed, Line, Name, PersonId, Reach, RoomName, Topic, Verb, WallTime, Whom,
};
use rusqlite::{Connection, Params, Row, params};

use super::room_rules;
pub(super) use super::room_rules::put_rules;
use super::row::stored_room;
use super::sql::Sql;

/// The limit of stored rows for acts in rooms, where anybody can be a keeper: more than anybody
/// reads. Rows of the operator and of keepers of the server are never deleted, so that nobody can
/// push them out.
const AUDIT_ROWS_MAX: i64 = 100_000;

/// The limit of rows of one account, or of one room with keepers who have none: a busy keeper does
/// not push out the rows of others.
const AUDIT_ROWS_OF_ONE_MAX: i64 = 1_000;

/// The limit of bans and mutes in the file, including ended ones: the highest number that can hold
/// at once.
const ENDED_ROWS_MAX: i64 = 10_000;

/// A table of acts that may end, and its column for the person concerned.
type EndingActs = (&'static str, &'static str);
const BANS: EndingActs = ("bans", "whom");
const MUTES: EndingActs = ("mutes", "name");

/// The rules from before the start that hold at this time: keepers, bans, mutes and topics.
pub(super) fn past(connection: &Connection, now: WallTime) -> rusqlite::Result<Past> {
    Ok(Past {
        keepers: keepers(connection, "keepers", "a keeper")?,
        makers: by_room(keepers(connection, "makers", "a maker")?),
        bans: bans(connection, now)?,
        mutes: mutes(connection, now)?,
        topics: by_room(topics(connection)?),
        rules: room_rules::past(connection)?,
        ..Past::default()
    })
}

/// The keepers of rooms and of the server, or the makers of rooms: `table` says which.
fn keepers(
    connection: &Connection,
    table: &str,
    what: &str,
) -> rusqlite::Result<Vec<(Reach, Name)>> {
    let query = format!(
        "SELECT room, name FROM {table} JOIN accounts ON account = id ORDER BY room, account"
    );
    held(connection, what, &query, [], |reach, row| {
        Ok((reach, Name::stored(&row.get::<_, String>(1)?)))
    })
}

fn bans(connection: &Connection, now: WallTime) -> rusqlite::Result<Vec<Act>> {
    let query = "SELECT room, at, until, keeper, account, whom, reason FROM bans
                 WHERE until IS NULL OR until > ?1 ORDER BY id";
    held(connection, "a ban", query, [now.0], |reach, row| {
        let whom = whom(&row.get::<_, String>(5)?);
        held_act(row, reach, Deed { text: line(row, 6)?, ..Deed::to(Verb::Ban, whom) })
    })
}

fn mutes(connection: &Connection, now: WallTime) -> rusqlite::Result<Vec<Act>> {
    let query = "SELECT room, at, until, keeper, account, name FROM mutes
                 WHERE until > ?1 ORDER BY id";
    held(connection, "a mute", query, [now.0], |reach, row| {
        let name = Name::stored(&row.get::<_, String>(5)?);
        held_act(row, reach, Deed::to(Verb::Mute, Whom::Name(name)))
    })
}

fn topics(connection: &Connection) -> rusqlite::Result<Vec<(Reach, Topic)>> {
    let query = "SELECT room, text, locked FROM topics";
    held(connection, "a topic", query, [], |reach, row| {
        Ok((reach, Topic { text: line(row, 1)?, is_locked: row.get(2)? }))
    })
}

/// The rules that a query finds, whose first column is the room. A row with an invalid room name
/// holds nowhere, and never in the whole server; the log tells the operator.
fn held<T>(
    connection: &Connection,
    what: &str,
    query: &str,
    params: impl Params,
    mut read: impl FnMut(Reach, &Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let rules = connection.all(query, params, |row| {
        let room: String = row.get(0)?;
        if room.is_empty() {
            return read(Reach::Server, row).map(Some);
        }
        if let Some(room) = stored_room(&room) {
            return read(Reach::Room(room), row).map(Some);
        }
        tracing::warn!(room, "{what} belongs to a room with an invalid name, and is left out");
        Ok(None)
    })?;
    Ok(rules.into_iter().flatten().collect())
}

/// An act that holds, from a row of `room, at, until, keeper, account`.
fn held_act(row: &Row<'_>, reach: Reach, deed: Deed) -> rusqlite::Result<Act> {
    let at = WallTime(row.get(1)?);
    let until: Option<i64> = row.get(2)?;
    let time = until.map(|until| WallTime(until).since(at));
    let stored = |name: Line| Name::stored(name.as_str());
    let (name, account) = (line(row, 3)?.map(stored), line(row, 4)?.map(stored));
    let author = |name| Author { name, account, id: PersonId::BYGONE };
    let by = name.map_or(By::Operator, |name| By::Keeper(author(name)));
    Ok(Act { deed: Deed { time, ..deed }, by, reach, at })
}

fn by_room<T>(rules: Vec<(Reach, T)>) -> BTreeMap<RoomName, T> {
    let in_room = |(reach, rule): (Reach, T)| Some((reach.room()?.clone(), rule));
    rules.into_iter().filter_map(in_room).collect()
}

/// A column of text; none if it is empty.
fn line(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Line>> {
    let text: String = row.get(column)?;
    Ok((!text.is_empty()).then(|| Line::sanitise(text.as_bytes())))
}

/// The latest acts, oldest first, as sentences.
pub(crate) fn latest(connection: &Connection, acts: usize) -> rusqlite::Result<Vec<String>> {
    let query = "SELECT at, keeper, deed, whom, room, reason,
                        CASE account WHEN keeper THEN '' ELSE account END
                 FROM audit ORDER BY id DESC LIMIT ?1";
    let mut sentences = connection.all(query, [acts as i64], sentence)?;
    sentences.reverse();
    Ok(sentences)
}

/// `2026-11-20 14:00 alice: ban bob until 2026-11-20 15:00 in tea (too loud)`; or, if the person wore
/// another name, `zoe, account alice: ban bob`
fn sentence(row: &Row<'_>) -> rusqlite::Result<String> {
    let mut sentence = moment(WallTime(row.get(0)?)) + " ";
    sentence += line(row, 1)?.as_ref().map_or("the operator", Line::as_str);
    if let Some(account) = line(row, 6)? {
        sentence += &format!(", account {account}");
    }
    for (column, before, after) in [(2, ": ", ""), (3, " ", ""), (4, " in ", ""), (5, " (", ")")] {
        if let Some(text) = line(row, column)? {
            sentence += &format!("{before}{text}{after}");
        }
    }
    Ok(sentence)
}

/// A time as the operator reads it.
pub(crate) fn moment(at: WallTime) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = ZonedDateTime::new(at, TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Stores one act, in the transaction of the caller: the rule that holds from then on, and a row
/// for the operator to read.
pub(super) fn put(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let whom = act.deed.whom.name();
    let (word, rule) = match act.deed.verb {
        Verb::SetTopic => return put_topic(connection, act), // people read it in the room
        Verb::Broadcast => ("broadcast", Ok(())),
        Verb::Kick => ("kick", Ok(())),
        Verb::Ban => ("ban", put_ban(connection, act)),
        Verb::Unban => ("unban", delete_same(connection, BANS, act)),
        Verb::Mute => ("mute", put_mute(connection, act)),
        Verb::Unmute => ("unmute", delete_same(connection, MUTES, act)),
        Verb::LockTopic if act.is_for_now() => ("lock the topic for now", Ok(())),
        Verb::LockTopic => ("lock the topic", put_lock(connection, act, true)),
        Verb::UnlockTopic => ("unlock the topic", put_lock(connection, act, false)),
        Verb::MakeRoom => ("make the room", put_maker(connection, act)),
        Verb::AddKeeper => ("keeper add", put_keeper(connection, "keepers", act, whom)),
        Verb::AddKeeperForNow => ("keeper add for now", Ok(())),
        Verb::RemoveKeeper => ("keeper remove", delete_keeper(connection, act)),
        Verb::InvitedOnly => ("room invited", room_rules::put(connection, act)),
        Verb::LetEverybodyIn => ("room invited off", room_rules::put(connection, act)),
        Verb::Moderate => ("room moderated", room_rules::put(connection, act)),
        Verb::Unmoderate => ("room moderated off", room_rules::put(connection, act)),
        Verb::Hide => ("room secret", room_rules::put(connection, act)),
        Verb::Unhide => ("room secret off", room_rules::put(connection, act)),
        Verb::SetRoomPassword => ("room password", room_rules::put(connection, act)),
        Verb::RemoveRoomPassword => ("room password off", room_rules::put(connection, act)),
        Verb::Limit => ("room limit", room_rules::put(connection, act)),
        Verb::Unlimit => ("room limit off", room_rules::put(connection, act)),
        Verb::MakePrivate => ("room private", room_rules::put(connection, act)),
        Verb::OpenRoom => ("room open", room_rules::put(connection, act)),
        Verb::GiveVoice => ("voice", Ok(())),
        Verb::TakeVoice => ("voice off", Ok(())),
        Verb::ReleaseName => ("name release", Ok(())),
        Verb::SetPassword => ("name password", Ok(())),
        Verb::Wallops => ("wallops", Ok(())),
        Verb::Reload => ("reload", Ok(())),
    };
    rule?;
    put_row(connection, word, act)
}

/// Makes the rules those of a ledger that outlast the people in their rooms.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    for table in ["keepers", "makers", "bans", "mutes", "topics"] {
        connection.run(&format!("DELETE FROM {table}"), [])?;
    }
    for (reach, name) in &ledger.keepers {
        let room = reach.room().map_or("", RoomName::as_str);
        put_authority(connection, "keepers", room, name)?;
    }
    for (room, name) in &ledger.makers {
        put_authority(connection, "makers", room.as_str(), name)?;
    }
    ledger.bans.iter().try_for_each(|ban| put_ban(connection, ban))?;
    ledger.mutes.iter().try_for_each(|mute| put_mute(connection, &mute.act))?;
    for (room, Topic { text, is_locked }) in &ledger.topics {
        let is_locked = *is_locked && !ledger.locked_for_now.contains(room);
        put_whole_topic(connection, room, &Topic { text: text.clone(), is_locked })?;
    }
    room_rules::replace(connection, ledger)
}

/// Stores the topic of a room that has none.
pub(super) fn put_whole_topic(
    connection: &Connection,
    room: &RoomName,
    topic: &Topic,
) -> rusqlite::Result<()> {
    let text = topic.text.as_ref().map_or("", Line::as_str);
    let put = "INSERT INTO topics (room, text, name, locked)
               SELECT ?1, ?2, '', ?3 WHERE ?2 <> '' OR ?3";
    connection.run(put, params![room.as_str(), text, topic.is_locked]).map(drop)
}

/// A row for the operator: its number, the time, and the columns with words.
pub(super) type AuditRow = (u64, WallTime, [Line; 6]);

/// All rows for the operator, oldest first.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<AuditRow>> {
    let query = "SELECT id, at, keeper, account, room, deed, whom, reason FROM audit ORDER BY id";
    connection.all(query, [], |row| {
        let text = |column| line(row, column).map(|text| text.unwrap_or_else(Line::empty));
        let texts = [text(2)?, text(3)?, text(4)?, text(5)?, text(6)?, text(7)?];
        Ok((row.get::<_, i64>(0)? as u64, WallTime(row.get(1)?), texts))
    })
}

/// Stores a row for the operator with its number.
pub(super) fn put_whole_row(
    connection: &Connection,
    (number, at): (u64, WallTime),
    texts: [&Line; 6],
) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO audit (id, at, keeper, account, room, deed, whom, reason)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let [by, account, room, deed, whom, reason] = texts.map(Line::as_str);
    let row = params![number as i64, at.0, by, account, room, deed, whom, reason];
    connection.run(put, row).map(drop)
}

/// Deletes the rows of acts after this time.
pub(super) fn delete_rows_since(connection: &Connection, time: WallTime) -> rusqlite::Result<()> {
    connection.run("DELETE FROM audit WHERE at > ?1", [time.0]).map(drop)
}

/// Stores the row of an act, and deletes rows beyond the limit.
fn put_row(connection: &Connection, word: &str, act: &Act) -> rusqlite::Result<()> {
    let until = act.until().map(|until| format!("until {}", moment(until)));
    let whom = format!("{} {}", act.deed.whom, until.unwrap_or_default());
    connection.run(
        "INSERT INTO audit (at, keeper, account, room, deed, whom, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![act.at.0, keeper(act), account(act), room(act), word, whom.trim(), reason(act)],
    )?;
    let last = connection.last_insert_rowid();
    let of_one = match account(act) {
        "" => "account = ?1 AND room = ?2 AND room > ''", // a keeper for the time being
        _ => "account = ?1 AND room > '' AND ?2 = ?2",
    };
    let delete = format!(
        "DELETE FROM audit WHERE {of_one} AND id <= (
             SELECT id FROM audit WHERE {of_one} ORDER BY id DESC LIMIT 1 OFFSET ?3)"
    );
    connection.run(&delete, params![account(act), room(act), AUDIT_ROWS_OF_ONE_MAX])?;
    let first = last - AUDIT_ROWS_MAX;
    connection.run("DELETE FROM audit WHERE id <= ?1 AND room <> ''", [first]).map(drop)
}

pub(super) fn put_ban(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    delete_ended(connection, BANS, act)?;
    delete_same(connection, BANS, act)?;
    if act.is_for_now() {
        return Ok(());
    }
    let put = "INSERT INTO bans (room, whom, at, until, keeper, account, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (whom, until) = (act.deed.whom.to_string(), until(act));
    let values = params![room(act), whom, act.at.0, until, keeper(act), account(act), text(act)];
    connection.run(put, values).map(drop)
}

pub(super) fn put_mute(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    delete_ended(connection, MUTES, act)?;
    delete_same(connection, MUTES, act)?;
    if act.is_for_now() {
        return Ok(());
    }
    let put = "INSERT INTO mutes (room, name, at, until, keeper, account)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (whom, until) = (act.deed.whom.to_string(), until(act));
    let values = params![room(act), whom, act.at.0, until, keeper(act), account(act)];
    connection.run(put, values).map(drop)
}

/// Deletes ended acts. The latest rows stay: if the clock is wrong just now, they may not have
/// ended.
fn delete_ended(
    connection: &Connection,
    (table, _): EndingActs,
    act: &Act,
) -> rusqlite::Result<()> {
    let delete = format!(
        "DELETE FROM {table} WHERE until <= ?1 AND id <= (SELECT max(id) FROM {table}) - ?2"
    );
    connection.run(&delete, [act.at.0, ENDED_ROWS_MAX]).map(drop)
}

/// Deletes the earlier acts of a room against the same person or addresses, whichever letters a
/// name was typed in.
fn delete_same(
    connection: &Connection,
    (table, column): EndingActs,
    act: &Act,
) -> rusqlite::Result<()> {
    let query = format!("SELECT id, {column} FROM {table} WHERE room = ?1");
    let rows = connection.all(&query, [room(act)], |row| {
        Ok((row.get::<_, i64>(0)?, whom(&row.get::<_, String>(1)?)))
    })?;
    let same = rows.iter().filter(|(_, whom)| whom.is_same(&act.deed.whom));
    let delete = format!("DELETE FROM {table} WHERE id = ?1");
    same.map(|(id, _)| connection.run(&delete, [id])).try_for_each(|deleted| deleted.map(drop))
}

fn put_lock(connection: &Connection, act: &Act, is_locked: bool) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO topics VALUES (?1, '', '', ?2)
         ON CONFLICT (room) DO UPDATE SET locked = excluded.locked",
        params![room(act), is_locked],
    )?;
    delete_empty_topic(connection, act)
}

fn put_topic(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO topics VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (room) DO UPDATE SET text = excluded.text, name = excluded.name",
        [room(act), text(act), keeper(act)],
    )?;
    delete_empty_topic(connection, act)
}

fn delete_empty_topic(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let delete = "DELETE FROM topics WHERE room = ?1 AND text = '' AND NOT locked";
    connection.run(delete, [room(act)]).map(drop)
}

fn put_maker(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    put_keeper(connection, "keepers", act, act.by.name())?;
    put_keeper(connection, "makers", act, act.by.name())
}

/// Notes an owner as a keeper of a room or as its maker, depending on `table`.
fn put_keeper(
    connection: &Connection,
    table: &str,
    act: &Act,
    owner: Option<&Name>,
) -> rusqlite::Result<()> {
    owner.map_or(Ok(()), |owner| put_authority(connection, table, room(act), owner))
}

/// Notes the owner of a name as a keeper of a room, or of the server if `room` is empty, or as the
/// maker of the room, depending on `table`.
pub(super) fn put_authority(
    connection: &Connection,
    table: &str,
    room: &str,
    owner: &Name,
) -> rusqlite::Result<()> {
    let put = format!("INSERT OR IGNORE INTO {table} SELECT ?1, id FROM accounts WHERE fold = ?2");
    connection.run(&put, [room, owner.keys()[0]]).map(drop)
}

fn delete_keeper(connection: &Connection, act: &Act) -> rusqlite::Result<()> {
    let delete = "DELETE FROM keepers WHERE room = ?1
                  AND account = (SELECT id FROM accounts WHERE fold = ?2)";
    connection.run(delete, [room(act), fold(act.deed.whom.name())]).map(drop)
}

/// The key that finds the account of a name.
fn fold(owner: Option<&Name>) -> &str {
    owner.map_or("", |name| name.keys()[0])
}

/// The text of a column `room`: empty for the whole server.
fn room(act: &Act) -> &str {
    act.reach.room().map_or("", RoomName::as_str)
}

/// The text of a column `keeper`: empty for the operator.
fn keeper(act: &Act) -> &str {
    act.by.name().map_or("", Name::as_str)
}

/// The text of a column `account`: empty for the operator, and for a person without an account.
fn account(act: &Act) -> &str {
    let account = act.by.author().and_then(|author| author.account.as_ref());
    account.map_or("", Name::as_str)
}

fn text(act: &Act) -> &str {
    act.deed.text.as_ref().map_or("", Line::as_str)
}

/// The reason as the operator reads it; the password of a room is none.
fn reason(act: &Act) -> &str {
    if act.deed.verb == Verb::SetRoomPassword { "" } else { text(act) }
}

fn until(act: &Act) -> Option<i64> {
    act.until().map(|until| until.0)
}

fn whom(text: &str) -> Whom {
    Whom::parse(text).unwrap_or_else(|_| Whom::Name(Name::stored(text)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::config::Keep;
    use crate::journal;

    /// A removal by a keeper with this name and account.
    fn removal(at: i64, [keeper, account]: [&str; 2], reach: &Reach) -> Act {
        let [name, account] = [keeper, account].map(Name::stored);
        Act {
            deed: Deed::to(Verb::Kick, Whom::Name(Name::stored("bob"))),
            by: By::Keeper(Author { name, account: Some(account), id: PersonId::BYGONE }),
            reach: reach.clone(),
            at: WallTime(at),
        }
    }

    #[test]
    fn one_keeper_pushes_no_row_of_others_out_of_the_log() {
        let directory = tempfile::TempDir::new().unwrap();
        let tea = Reach::Room(RoomName::parse("tea").unwrap());
        let max = AUDIT_ROWS_OF_ONE_MAX;
        let mallory = ["mallory", "mallory"];
        let of_others = [removal(0, ["alice"; 2], &tea), removal(1, mallory, &Reach::Server)];
        let names: Vec<_> = (0..10).map(|number| format!("mallory-{number}")).collect();
        let renamed = |at: i64| [&*names[at as usize % names.len()], "mallory"];
        let much: Vec<_> = (2..max + 12).map(|at| removal(at, renamed(at), &tea)).collect();
        let opened = journal::open(directory.path(), Keep::Written, None).unwrap();
        let told = opened.stored.database.at_start(move |connection| {
            let transaction = connection.transaction()?;
            of_others.iter().chain(&much).try_for_each(|act| put(&transaction, act))?;
            transaction.commit()?;
            latest(connection, usize::MAX >> 1)
        });
        let told = told.unwrap();
        assert_eq!(told.len() as i64, max + 2);
        assert!(told[0].contains("alice: kick bob in tea"), "{}", told[0]);
        assert!(told[1].ends_with("mallory: kick bob"), "{}", told[1]);
        assert!(told[2].contains("mallory-2, account mallory: kick bob in tea"), "{}", told[2]);
    }
}
