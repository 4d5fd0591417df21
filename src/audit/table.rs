//! Acts in the file: keepers, bans, mutes and topics that hold, and a row for every act. Does not
//! know which acts are allowed.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::journal::Past;
use parlor_core::model::{Act, By, Deed, Line, Name, Reach, RoomName, Topic, Verb, WallTime, Whom};
use rusqlite::{Row, Transaction, params};

use crate::journal::{Store, stored_room};

/// The limit of stored rows for acts in rooms, where anybody can be a keeper: more than anybody
/// reads. Rows of the operator and of keepers of the server are stored for good, so that nobody can
/// push them out.
const AUDIT_ROWS_MAX: i64 = 100_000;

/// The limit of rows of one keeper, so that a busy keeper pushes out nothing of others.
const AUDIT_ROWS_OF_ONE_MAX: i64 = 1_000;

/// The limit of bans and mutes in the file, ended or not: the highest number that can hold at once.
const ENDED_ROWS_MAX: i64 = 10_000;

/// The rules from before the start that hold at this time: keepers, bans, mutes and topics.
pub(crate) fn past(store: &mut Store, now: WallTime) -> rusqlite::Result<Past> {
    Ok(Past {
        keepers: store.keepers()?,
        makers: store.makers()?,
        bans: store.bans(now)?,
        mutes: store.mutes(now)?,
        topics: store.topics()?,
        ..Past::default()
    })
}

impl Store {
    /// The keepers of rooms and of the server.
    pub(crate) fn keepers(&mut self) -> rusqlite::Result<Vec<(Reach, Name)>> {
        let mut query = self.connection().prepare(
            "SELECT room, name FROM keepers JOIN accounts ON account = id ORDER BY room, account",
        )?;
        let keepers = query.query_map([], |row| {
            let name: String = row.get(1)?;
            let reach = held(row, 0, "a keeper")?;
            Ok(reach.map(|reach| (reach, Name::stored(&name))))
        })?;
        keepers.filter_map(Result::transpose).collect()
    }

    /// The makers of rooms that have keepers.
    pub(crate) fn makers(&mut self) -> rusqlite::Result<HashMap<RoomName, Name>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, name FROM makers JOIN accounts ON account = id")?;
        let makers = query.query_map([], |row| {
            let (room, name): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(stored_room(&room).map(|room| (room, Name::stored(&name))))
        })?;
        makers.filter_map(Result::transpose).collect()
    }

    /// The bans that hold now.
    pub(crate) fn bans(&mut self, now: WallTime) -> rusqlite::Result<Vec<Act>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, whom, keeper, at, until, reason FROM bans WHERE until IS NULL OR until > ?1 ORDER BY id")?;
        let bans = query.query_map([now.0], |row| {
            let (whom, reason): (String, String) = (row.get(1)?, row.get(5)?);
            let deed = Deed {
                text: (!reason.is_empty()).then(|| Line::sanitise(reason.as_bytes())),
                ..Deed::to(Verb::Ban, self::whom(&whom))
            };
            held_act(row, deed, "a ban")
        })?;
        bans.filter_map(Result::transpose).collect()
    }

    /// The mutes that hold now.
    pub(crate) fn mutes(&mut self, now: WallTime) -> rusqlite::Result<Vec<Act>> {
        let mut query = self.connection().prepare(
            "SELECT room, name, keeper, at, until FROM mutes WHERE until > ?1 ORDER BY id",
        )?;
        let mutes = query.query_map([now.0], |row| {
            let name: String = row.get(1)?;
            let deed = Deed::to(Verb::Mute, Whom::Name(Name::stored(&name)));
            held_act(row, deed, "a mute")
        })?;
        mutes.filter_map(Result::transpose).collect()
    }

    /// The topics of rooms.
    pub(crate) fn topics(&mut self) -> rusqlite::Result<HashMap<RoomName, Topic>> {
        let mut query = self.connection().prepare("SELECT room, text, locked FROM topics")?;
        let topics = query.query_map([], |row| {
            let text: String = row.get(1)?;
            let topic = Topic {
                text: (!text.is_empty()).then(|| Line::sanitise(text.as_bytes())),
                is_locked: row.get(2)?,
            };
            Ok(match held(row, 0, "a topic")? {
                Some(Reach::Room(room)) => Some((room, topic)),
                _ => None,
            })
        })?;
        topics.filter_map(Result::transpose).collect()
    }

    /// Stores acts and the rules that follow from them: all of them, or none.
    pub(crate) fn record(&mut self, acts: &[Arc<Act>]) -> rusqlite::Result<()> {
        let transaction = self.connection().transaction()?;
        for act in acts {
            put(&transaction, act)?;
        }
        transaction.commit()
    }

    /// The latest acts, oldest first, as sentences.
    pub(crate) fn audit(&mut self, rows: usize) -> rusqlite::Result<Vec<String>> {
        let mut query = self.connection().prepare(
            "SELECT room, at, keeper, deed, whom, reason FROM audit ORDER BY id DESC LIMIT ?1",
        )?;
        let sentences = query.query_map([rows as i64], sentence)?;
        let mut sentences: Vec<String> = sentences.collect::<rusqlite::Result<_>>()?;
        sentences.reverse();
        Ok(sentences)
    }
}

/// Stores one act: the rule that holds from then on, and a row for the operator to read.
pub(crate) fn put(transaction: &Transaction<'_>, act: &Act) -> rusqlite::Result<()> {
    let (room, whom) = (room(&act.reach), &act.deed.whom);
    let word = match act.deed.verb {
        Verb::Broadcast => "broadcast",
        Verb::Kick => "kick",
        Verb::Ban => {
            put_ban(transaction, act)?;
            "ban"
        }
        Verb::Unban => {
            delete_ban(transaction, room, whom)?;
            "unban"
        }
        Verb::Mute => {
            put_mute(transaction, act)?;
            "mute"
        }
        Verb::Unmute => {
            delete_mute(transaction, room, whom)?;
            "unmute"
        }
        Verb::LockTopic => {
            put_lock(transaction, room, true)?;
            "lock the topic"
        }
        Verb::UnlockTopic => {
            put_lock(transaction, room, false)?;
            "unlock the topic"
        }
        Verb::SetTopic => return put_topic(transaction, act), // it can be read in the room
        Verb::MakeRoom => {
            put_keeper(transaction, "keepers", room, act.by.name())?;
            put_keeper(transaction, "makers", room, act.by.name())?;
            "make the room"
        }
        Verb::AddKeeper => {
            put_keeper(transaction, "keepers", room, whom.name())?;
            "keeper add"
        }
        Verb::RemoveKeeper => {
            delete_keeper(transaction, room, whom.name())?;
            "keeper remove"
        }
        Verb::ReleaseName => "name release",
        Verb::SetPassword => "name password",
        Verb::Reload => "reload",
    };
    put_row(transaction, word, act)
}

/// Stores the row of an act, and deletes rows beyond the limit.
fn put_row(transaction: &Transaction<'_>, word: &str, act: &Act) -> rusqlite::Result<()> {
    let until = act.until().map(|until| format!("until {}", moment(until)));
    let until = until.unwrap_or_default();
    let whom = format!("{} {until}", act.deed.whom);
    let keeper = keeper(&act.by);
    transaction.execute(
        "INSERT INTO audit (at, keeper, room, deed, whom, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![act.at.0, keeper, room(&act.reach), word, whom.trim(), text(act)],
    )?;
    transaction.execute(
        "DELETE FROM audit WHERE keeper = ?1 AND room <> '' AND id <= (
             SELECT id FROM audit WHERE keeper = ?1 AND room <> '' ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![keeper, AUDIT_ROWS_OF_ONE_MAX],
    )?;
    let last = transaction.last_insert_rowid();
    transaction
        .execute("DELETE FROM audit WHERE id <= ?1 AND room <> ''", [last - AUDIT_ROWS_MAX])?;
    Ok(())
}

/// `2026-11-20 14:00 alice: ban bob until 2026-11-20 15:00 in tea (too loud)`
fn sentence(row: &Row<'_>) -> rusqlite::Result<String> {
    let at = moment(WallTime(row.get(1)?));
    let by = by(row, 2)?;
    let keeper = by.name().map_or("the operator", Name::as_str);
    let words: [String; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
    let [deed, whom, reason] = words.map(|text| Line::sanitise(text.as_bytes()).to_string());
    let room: String = row.get(0)?;
    let in_room = match room.is_empty() {
        true => String::new(),
        false => format!(" in {}", Line::sanitise(room.as_bytes())),
    };
    let what = format!("{deed} {whom}");
    let what = what.trim_end();
    let reason = match reason.is_empty() {
        true => reason,
        false => format!(" ({reason})"),
    };
    Ok(format!("{at} {keeper}: {what}{in_room}{reason}"))
}

fn put_ban(transaction: &Transaction<'_>, act: &Act) -> rusqlite::Result<()> {
    let (room, whom) = (room(&act.reach), &act.deed.whom);
    delete_ended(transaction, "bans", act.at)?;
    delete_ban(transaction, room, whom)?;
    transaction.execute(
        "INSERT INTO bans (room, whom, at, until, keeper, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![room, whom.to_string(), act.at.0, until(act), keeper(&act.by), text(act)],
    )?;
    Ok(())
}

/// Deletes a ban, whichever letters it was typed in.
fn delete_ban(transaction: &Transaction<'_>, room: &str, whom: &Whom) -> rusqlite::Result<()> {
    delete_if(transaction, "bans", "whom", room, |written| self::whom(written).is_same(whom))
}

fn put_mute(transaction: &Transaction<'_>, act: &Act) -> rusqlite::Result<()> {
    let (room, whom) = (room(&act.reach), &act.deed.whom);
    delete_ended(transaction, "mutes", act.at)?;
    delete_mute(transaction, room, whom)?;
    transaction.execute(
        "INSERT INTO mutes (room, name, at, until, keeper) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![room, whom.to_string(), act.at.0, until(act), keeper(&act.by)],
    )?;
    Ok(())
}

/// Deletes a mute, whichever letters the name was typed in.
fn delete_mute(transaction: &Transaction<'_>, room: &str, whom: &Whom) -> rusqlite::Result<()> {
    delete_if(transaction, "mutes", "name", room, |written| whom.is_called(&Name::stored(written)))
}

fn put_lock(transaction: &Transaction<'_>, room: &str, is_locked: bool) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO topics VALUES (?1, '', '', ?2)
         ON CONFLICT (room) DO UPDATE SET locked = excluded.locked",
        params![room, is_locked],
    )?;
    delete_empty_topic(transaction, room)
}

fn put_topic(transaction: &Transaction<'_>, act: &Act) -> rusqlite::Result<()> {
    let room = room(&act.reach);
    transaction.execute(
        "INSERT INTO topics VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (room) DO UPDATE SET text = excluded.text, name = excluded.name",
        params![room, text(act), keeper(&act.by)],
    )?;
    delete_empty_topic(transaction, room)
}

fn delete_empty_topic(transaction: &Transaction<'_>, room: &str) -> rusqlite::Result<()> {
    transaction
        .execute("DELETE FROM topics WHERE room = ?1 AND text = '' AND NOT locked", [room])?;
    Ok(())
}

/// Notes an owner as a keeper of a room, or as its maker: `table` says which.
fn put_keeper(
    transaction: &Transaction<'_>,
    table: &str,
    room: &str,
    owner: Option<&Name>,
) -> rusqlite::Result<()> {
    let insert =
        format!("INSERT OR IGNORE INTO {table} SELECT ?1, id FROM accounts WHERE fold = ?2");
    transaction.execute(&insert, params![room, fold(owner)])?;
    Ok(())
}

fn delete_keeper(
    transaction: &Transaction<'_>,
    room: &str,
    owner: Option<&Name>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM keepers WHERE room = ?1
         AND account = (SELECT id FROM accounts WHERE fold = ?2)",
        params![room, fold(owner)],
    )?;
    Ok(())
}

/// The key that finds the account of a name.
fn fold(owner: Option<&Name>) -> &str {
    owner.map_or("", |name| name.keys()[0])
}

/// The text of an act.
fn text(act: &Act) -> &str {
    act.deed.text.as_ref().map_or("", Line::as_str)
}

fn until(act: &Act) -> Option<i64> {
    act.until().map(|until| until.0)
}

/// Deletes ended rows of a table. The latest rows stay: the clock may be wrong just now, and then
/// these have not ended.
fn delete_ended(transaction: &Transaction<'_>, table: &str, now: WallTime) -> rusqlite::Result<()> {
    transaction.execute(
        &format!(
            "DELETE FROM {table} WHERE until <= ?1 AND id <= (SELECT max(id) FROM {table}) - ?2"
        ),
        [now.0, ENDED_ROWS_MAX],
    )?;
    Ok(())
}

/// Deletes the rows of a room whose `column` passes the check.
fn delete_if(
    transaction: &Transaction<'_>,
    table: &str,
    column: &str,
    room: &str,
    is_it: impl Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let select = format!("SELECT id, {column} FROM {table} WHERE room = ?1");
    let mut query = transaction.prepare(&select)?;
    let rows =
        query.query_map([room], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (id, written) = row?;
        if is_it(&written) {
            transaction.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id])?;
        }
    }
    Ok(())
}

/// A time as the operator reads it.
pub(crate) fn moment(at: WallTime) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = ZonedDateTime::new(at, TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The text of a column `room`: empty for the whole server.
fn room(reach: &Reach) -> &str {
    match reach {
        Reach::Server => "",
        Reach::Room(room) => room.as_str(),
    }
}

/// An act that holds, from a row of `room, whom, keeper, at, until`.
fn held_act(row: &Row<'_>, deed: Deed, what: &str) -> rusqlite::Result<Option<Act>> {
    let Some(reach) = held(row, 0, what)? else {
        return Ok(None);
    };
    let at = WallTime(row.get(3)?);
    let until: Option<i64> = row.get(4)?;
    let time = until.map(|until| WallTime(until).since(at));
    Ok(Some(Act { deed: Deed { time, ..deed }, by: by(row, 2)?, reach, at }))
}

/// The reach of a row. A row with an invalid room name reaches nowhere, and never the whole server;
/// the operator is told of it.
fn held(row: &Row<'_>, column: usize, what: &str) -> rusqlite::Result<Option<Reach>> {
    let text: String = row.get(column)?;
    let reach = match text.is_empty() {
        true => Some(Reach::Server),
        false => stored_room(&text).map(Reach::Room),
    };
    if reach.is_none() {
        tracing::warn!(
            room = text,
            "{what} belongs to a room with an invalid name, and is left out"
        );
    }
    Ok(reach)
}

/// The text of a column `keeper`: empty for the operator.
fn keeper(by: &By) -> &str {
    by.name().map_or("", Name::as_str)
}

fn by(row: &Row<'_>, column: usize) -> rusqlite::Result<By> {
    let name: String = row.get(column)?;
    Ok(match name.is_empty() {
        true => By::Operator,
        false => By::Keeper(Name::stored(&name)),
    })
}

fn whom(text: &str) -> Whom {
    Whom::parse(text).unwrap_or_else(|_| Whom::Name(Name::stored(text)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::config::Keep;

    fn removal(at: i64, keeper: &str, reach: &Reach) -> Arc<Act> {
        Arc::new(Act {
            deed: Deed::to(Verb::Kick, Whom::Name(Name::stored("bob"))),
            by: By::Keeper(Name::stored(keeper)),
            reach: reach.clone(),
            at: WallTime(at),
        })
    }

    #[test]
    fn one_keeper_of_a_room_pushes_nothing_of_others_out_of_the_log() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("a.db");
        std::fs::File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        let tea = Reach::Room(RoomName::parse("tea").unwrap());
        let max = AUDIT_ROWS_OF_ONE_MAX;
        let of_others = [removal(0, "alice", &tea), removal(1, "mallory", &Reach::Server)];
        store.record(&of_others).unwrap();
        let much: Vec<_> = (2..max + 12).map(|at| removal(at, "mallory", &tea)).collect();
        store.record(&much).unwrap();
        let told = store.audit(usize::MAX >> 1).unwrap();
        assert_eq!(told.len() as i64, max + 2);
        assert!(told[0].contains("alice: kick bob in tea"), "{}", told[0]);
        assert!(told[1].ends_with("mallory: kick bob"), "{}", told[1]);
    }
}
