//! Order in the house, in the file: who keeps what, who is not let in, and everything that was done with authority.
//! Knows not who may.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use parlor_core::journal::{Past, Topic};
use parlor_core::model::{
    Ban, By, Deed, Line, Mute, Name, Reach, Record, RoomName, WallTime, Whom,
};
use rusqlite::{Row, Transaction, params};

use crate::journal::{Store, stored_room};

/// Of what was done in rooms, where anybody can be a keeper, so much is kept: more than anybody reads. What was done by
/// those whom the operator trusts is kept for good, so that nobody can push it out.
const AUDIT_ROWS_MAX: i64 = 100_000;

/// And so much of one keeper, so that one who does much pushes out nothing of others.
const AUDIT_ROWS_OF_ONE_MAX: i64 = 1_000;

/// So many bans and mutes stay in the file, be they over or not: as many as hold at once at the most.
const ENDED_ROWS_MAX: i64 = 10_000;

/// What holds from before the start, now that it is this late: keepers, bans, mutes and topics.
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
    /// Who keeps what.
    pub(crate) fn keepers(&mut self) -> rusqlite::Result<Vec<(Reach, Name)>> {
        let mut query = self.connection().prepare(
            "SELECT room, name FROM keepers JOIN accounts ON account = id ORDER BY room, account",
        )?;
        let keepers = query.query_map([], |row| {
            let name: String = row.get(1)?;
            let reach = held(row, 0, "a keeper")?;
            Ok(reach.map(|reach| (reach, Name::kept(&name))))
        })?;
        keepers.filter_map(Result::transpose).collect()
    }

    /// Who has made which of the rooms that have keepers.
    pub(crate) fn makers(&mut self) -> rusqlite::Result<HashMap<RoomName, Name>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, name FROM makers JOIN accounts ON account = id")?;
        let makers = query.query_map([], |row| {
            let (room, name): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(stored_room(&room).map(|room| (room, Name::kept(&name))))
        })?;
        makers.filter_map(Result::transpose).collect()
    }

    /// Who is not let in now.
    pub(crate) fn bans(&mut self, now: WallTime) -> rusqlite::Result<Vec<Ban>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, whom, keeper, at, until, reason FROM bans WHERE until IS NULL OR until > ?1 ORDER BY id")?;
        let bans = query.query_map([now.0], |row| {
            let until: Option<i64> = row.get(4)?;
            let reason: String = row.get(5)?;
            let Some(reach) = held(row, 0, "a ban")? else {
                return Ok(None);
            };
            Ok(Some(Ban {
                reach,
                whom: whom(&row.get::<_, String>(1)?),
                by: by(row, 2)?,
                at: WallTime(row.get(3)?),
                until: until.map(WallTime),
                reason: (!reason.is_empty()).then(|| Line::sanitise(reason.as_bytes())),
            }))
        })?;
        bans.filter_map(Result::transpose).collect()
    }

    /// Who may not speak now.
    pub(crate) fn mutes(&mut self, now: WallTime) -> rusqlite::Result<Vec<(Name, Mute)>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, name, keeper, until FROM mutes WHERE until > ?1 ORDER BY id")?;
        let mutes = query.query_map([now.0], |row| {
            let name: String = row.get(1)?;
            let Some(reach) = held(row, 0, "a mute")? else {
                return Ok(None);
            };
            let mute = Mute {
                reach,
                by: by(row, 2)?,
                until: WallTime(row.get(3)?),
            };
            Ok(Some((Name::kept(&name), mute)))
        })?;
        mutes.filter_map(Result::transpose).collect()
    }

    /// What rooms are about.
    pub(crate) fn topics(&mut self) -> rusqlite::Result<HashMap<RoomName, Topic>> {
        let mut query = self
            .connection()
            .prepare("SELECT room, text, locked FROM topics")?;
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

    /// Writes down what was done with authority, and what holds from then on: all of it, or nothing.
    pub(crate) fn record(&mut self, records: &[Record]) -> rusqlite::Result<()> {
        let transaction = self.connection().transaction()?;
        for record in records {
            put(&transaction, record)?;
        }
        transaction.commit()
    }

    /// The last things that were done with authority, oldest first, as sentences.
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

/// Writes down one thing.
pub(crate) fn put(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let room = room(&record.reach);
    match &record.deed {
        Deed::Ban(ban) => put_ban(transaction, ban)?,
        Deed::Unban(whom) => take_ban(transaction, room, whom)?,
        Deed::Make(name) | Deed::AddKeeper(name) => {
            transaction.execute(
                "INSERT OR IGNORE INTO keepers SELECT ?1, id FROM accounts WHERE fold = ?2",
                params![room, name.keys()[0]],
            )?;
            if let Deed::Make(name) = &record.deed {
                transaction.execute(
                    "INSERT OR IGNORE INTO makers SELECT ?1, id FROM accounts WHERE fold = ?2",
                    params![room, name.keys()[0]],
                )?;
            }
        }
        Deed::RemoveKeeper(name) => {
            transaction.execute(
                "DELETE FROM keepers WHERE room = ?1
                 AND account = (SELECT id FROM accounts WHERE fold = ?2)",
                params![room, name.keys()[0]],
            )?;
        }
        Deed::Mute(name, until) => put_mute(transaction, record, name, *until)?,
        Deed::Unmute(name) => take_mute(transaction, room, name)?,
        Deed::Lock(is_locked) => {
            transaction.execute(
                "INSERT INTO topics VALUES (?1, '', '', ?2)
                 ON CONFLICT (room) DO UPDATE SET locked = excluded.locked",
                params![room, is_locked],
            )?;
            take_empty_topic(transaction, room)?;
        }
        Deed::Topic(text) => {
            let text = text.as_ref().map_or("", Line::as_str);
            transaction.execute(
                "INSERT INTO topics VALUES (?1, ?2, ?3, 0)
                 ON CONFLICT (room) DO UPDATE SET text = excluded.text, name = excluded.name",
                params![room, text, keeper(&record.by)],
            )?;
            return take_empty_topic(transaction, room); // whoever wants to know reads it in the room
        }
        Deed::Broadcast(_)
        | Deed::Remove(..)
        | Deed::ReleaseName(_)
        | Deed::SetPassword(_)
        | Deed::Reload => {}
    }
    let (deed, whom, reason) = told(&record.deed);
    transaction.execute(
        "INSERT INTO audit (at, keeper, room, deed, whom, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![record.at.0, keeper(&record.by), room, deed, whom, reason],
    )?;
    transaction.execute(
        "DELETE FROM audit WHERE keeper = ?1 AND room <> '' AND id <= (
             SELECT id FROM audit WHERE keeper = ?1 AND room <> '' ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![keeper(&record.by), AUDIT_ROWS_OF_ONE_MAX],
    )?;
    let last = transaction.last_insert_rowid();
    transaction.execute(
        "DELETE FROM audit WHERE id <= ?1 AND room <> ''",
        [last - AUDIT_ROWS_MAX],
    )?;
    Ok(())
}

/// `2026-11-20 14:00 alice: ban bob until 2026-11-20 15:00 in tea (too loud)`
fn sentence(row: &Row<'_>) -> rusqlite::Result<String> {
    let at = moment(WallTime(row.get(1)?));
    let keeper = match by(row, 2)? {
        By::Operator | By::Oneself | By::NewPassword => "the operator".to_owned(),
        By::Keeper(name) => name.to_string(),
    };
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

fn put_ban(transaction: &Transaction<'_>, ban: &Ban) -> rusqlite::Result<()> {
    let room = room(&ban.reach);
    take_ended(transaction, "bans", ban.at)?;
    take_ban(transaction, room, &ban.whom)?;
    let reason = ban.reason.as_ref().map_or("", Line::as_str);
    let until = ban.until.map(|until| until.0);
    transaction.execute(
        "INSERT INTO bans (room, whom, at, until, keeper, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            room,
            ban.whom.to_string(),
            ban.at.0,
            until,
            keeper(&ban.by),
            reason
        ],
    )?;
    Ok(())
}

/// Takes out a ban, whatever the letters in which it was written.
fn take_ban(transaction: &Transaction<'_>, room: &str, whom: &Whom) -> rusqlite::Result<()> {
    take_if(transaction, "bans", "whom", room, |written| {
        self::whom(written).is_same(whom)
    })
}

fn take_empty_topic(transaction: &Transaction<'_>, room: &str) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM topics WHERE room = ?1 AND text = '' AND NOT locked",
        [room],
    )?;
    Ok(())
}

fn put_mute(
    transaction: &Transaction<'_>,
    record: &Record,
    name: &Name,
    until: WallTime,
) -> rusqlite::Result<()> {
    let room = room(&record.reach);
    take_ended(transaction, "mutes", record.at)?;
    take_mute(transaction, room, name)?;
    transaction.execute(
        "INSERT INTO mutes (room, name, at, until, keeper) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            room,
            name.as_str(),
            record.at.0,
            until.0,
            keeper(&record.by)
        ],
    )?;
    Ok(())
}

/// Takes out a mute, whatever the letters in which the name was written.
fn take_mute(transaction: &Transaction<'_>, room: &str, name: &Name) -> rusqlite::Result<()> {
    take_if(transaction, "mutes", "name", room, |written| {
        Name::kept(written).is_same(name)
    })
}

/// Takes out what is over in a table. The latest rows stay, as the clock may be wrong just now, and then they are not over.
fn take_ended(transaction: &Transaction<'_>, table: &str, now: WallTime) -> rusqlite::Result<()> {
    transaction.execute(
        &format!(
            "DELETE FROM {table} WHERE until <= ?1 AND id <= (SELECT max(id) FROM {table}) - ?2"
        ),
        [now.0, ENDED_ROWS_MAX],
    )?;
    Ok(())
}

/// Takes out the rows of a room in which `column` is it.
fn take_if(
    transaction: &Transaction<'_>,
    table: &str,
    column: &str,
    room: &str,
    is_it: impl Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let select = format!("SELECT id, {column} FROM {table} WHERE room = ?1");
    let mut query = transaction.prepare(&select)?;
    let rows = query.query_map([room], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    for row in rows {
        let (id, written) = row?;
        if is_it(&written) {
            transaction.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id])?;
        }
    }
    Ok(())
}

/// What was done, to whom, and what was said about it.
fn told(deed: &Deed) -> (String, String, String) {
    let reason = |reason: &Option<Line>| reason.as_ref().map_or(String::new(), Line::to_string);
    let until = |until: WallTime| format!("until {}", moment(until));
    let (deed, whom, reason) = match deed {
        Deed::Broadcast(text) => ("broadcast", String::new(), text.to_string()),
        Deed::Remove(name, why) => ("kick", name.to_string(), reason(why)),
        Deed::Ban(ban) => {
            let end = ban.until.map(|end| format!(" {}", until(end)));
            let whom = format!("{}{}", ban.whom, end.unwrap_or_default());
            ("ban", whom, reason(&ban.reason))
        }
        Deed::Unban(whom) => ("unban", whom.to_string(), String::new()),
        Deed::Mute(name, end) => ("mute", format!("{name} {}", until(*end)), String::new()),
        Deed::Unmute(name) => ("unmute", name.to_string(), String::new()),
        Deed::Lock(true) => ("lock the topic", String::new(), String::new()),
        Deed::Lock(false) => ("unlock the topic", String::new(), String::new()),
        Deed::Make(_) => ("make the room", String::new(), String::new()),
        Deed::AddKeeper(name) => ("keeper add", name.to_string(), String::new()),
        Deed::RemoveKeeper(name) => ("keeper remove", name.to_string(), String::new()),
        Deed::ReleaseName(name) => ("name release", name.to_string(), String::new()),
        Deed::SetPassword(name) => ("name password", name.to_string(), String::new()),
        Deed::Reload => ("reload", String::new(), String::new()),
        Deed::Topic(text) => {
            let text = text.as_ref().map_or(String::new(), Line::to_string);
            ("topic", String::new(), text)
        }
    };
    (deed.to_owned(), whom, reason)
}

/// A time as it stands in what the operator reads.
pub(crate) fn moment(at: WallTime) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = ZonedDateTime::new(at, TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// What stands in a column `room`: nothing for the whole server.
fn room(reach: &Reach) -> &str {
    match reach {
        Reach::Server => "",
        Reach::Room(room) => room.as_str(),
    }
}

/// How far something reaches. What names a room that nobody can enter reaches nowhere, and never over the whole server:
/// then the operator is told what it is.
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

/// What stands in a column `keeper`: nothing for the operator.
fn keeper(by: &By) -> &str {
    match by {
        By::Operator | By::Oneself | By::NewPassword => "",
        By::Keeper(name) => name.as_str(),
    }
}

fn by(row: &Row<'_>, column: usize) -> rusqlite::Result<By> {
    let name: String = row.get(column)?;
    Ok(match name.is_empty() {
        true => By::Operator,
        false => By::Keeper(Name::kept(&name)),
    })
}

fn whom(text: &str) -> Whom {
    Whom::parse(text).unwrap_or_else(|_| Whom::Name(Name::kept(text)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::config::Keep;

    fn removal(at: i64, keeper: &str, reach: &Reach) -> Record {
        Record {
            at: WallTime(at),
            by: By::Keeper(Name::kept(keeper)),
            reach: reach.clone(),
            deed: Deed::Remove(Name::kept("bob"), None),
        }
    }

    #[test]
    fn one_keeper_of_a_room_pushes_nothing_of_others_out_of_the_log() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("a.db");
        std::fs::File::create(&path).unwrap();
        let mut store = Store::open(&path, Keep::Written).unwrap();
        let tea = Reach::Room(RoomName::parse("tea").unwrap());
        let max = AUDIT_ROWS_OF_ONE_MAX;
        let of_others = [
            removal(0, "alice", &tea),
            removal(1, "mallory", &Reach::Server),
        ];
        store.record(&of_others).unwrap();
        let much: Vec<_> = (2..max + 12)
            .map(|at| removal(at, "mallory", &tea))
            .collect();
        store.record(&much).unwrap();
        let told = store.audit(usize::MAX >> 1).unwrap();
        assert_eq!(told.len() as i64, max + 2);
        assert!(told[0].contains("alice: kick bob in tea"), "{}", told[0]);
        assert!(told[1].ends_with("mallory: kick bob"), "{}", told[1]);
    }
}
