//! Accounts in the file: names with an owner, and what is kept for owners who are away. Knows no password, only what is
//! stored of it.

use parlor_core::model::{Line, Name, Record, WallTime};
use rusqlite::{OptionalExtension, Transaction, params};

use super::code_table::CodeHash;
use crate::audit::table;
use crate::clock::bounded;
use crate::journal::Store;

/// What came of registering a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It has this owner.
    Done,
    /// It has another one.
    Taken,
    /// There are too many names with owners.
    Full,
    /// Too many of them were registered from there.
    ShareFull,
}

/// What is kept of the owner of a name.
#[derive(Debug)]
pub(crate) struct Account {
    /// What is stored of the password.
    pub(crate) password: String,
    /// What is stored of the token, if there is one.
    pub(crate) token: Option<CodeHash>,
    /// When they last came in, as far as that is known.
    pub(crate) seen: Option<WallTime>,
    /// Whether they came in from where it was asked for.
    pub(crate) is_known: bool,
}

/// What is kept of a place from which the owner of a name came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) [u8; 32]);

/// Who changes a password.
#[derive(Debug)]
pub(crate) enum Changer {
    /// The owner of the name, from there and then.
    Owner(Place, WallTime),
    /// The operator, and what is to be written down of it.
    Operator(Record),
}

/// So many names are registered from one address in all: a hundredth of what there may be.
const NAMES_FROM_ONE_MAX: i64 = 1_000;

/// So many places of one owner are known: home, work, a phone that moves about.
const PLACES_MAX: i64 = 16;

/// So many messages wait for one person: of strangers, of these and owners of names, and of all with the keepers of the
/// server. So nobody who needs no name of their own fills the room of those who have one.
const LETTERS_MAX: [i64; 3] = [60, 90, 100];

/// So many of them are one person's, whatever they are called.
const LETTERS_FROM_ONE_MAX: i64 = 20;

/// And so many come from one address, whoever is there.
const LETTERS_FROM_PLACE_MAX: i64 = 40;

/// Who writes a message that is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    /// As they are called now.
    pub(crate) name: Name,
    /// Whether the name is their own.
    pub(crate) is_owner: bool,
    /// By what they are known again under another name, too.
    pub(crate) person: Place,
    /// From where they write; none from this machine, where everybody comes from who has a web server between.
    pub(crate) place: Option<Place>,
}

/// A name that has an owner, as the operator sees it.
#[derive(Debug)]
pub(crate) struct Registered {
    /// The name.
    pub(crate) name: Name,
    /// Since when it has its owner.
    pub(crate) since: WallTime,
    /// When the owner last came in, as far as that is known.
    pub(crate) seen: Option<WallTime>,
}

/// A message for somebody who is away.
#[derive(Debug)]
pub(crate) struct Letter {
    /// Letters are numbered in the order in which they were written.
    pub(crate) id: i64,
    /// When that was.
    pub(crate) at: WallTime,
    /// Who wrote it.
    pub(crate) from: Name,
    /// The words.
    pub(crate) text: Line,
}

impl Store {
    /// All names that have an owner, as they were registered.
    pub(crate) fn owned(&mut self) -> rusqlite::Result<Vec<Name>> {
        let mut query = self.connection().prepare("SELECT name FROM accounts")?;
        let names = query.query_map([], |row| Ok(Name::kept(&row.get::<_, String>(0)?)))?;
        names.collect()
    }

    /// The names that have an owner, by the alphabet.
    pub(crate) fn registered(&mut self) -> rusqlite::Result<Vec<Registered>> {
        let mut query = self
            .connection()
            .prepare("SELECT name, since, seen FROM accounts ORDER BY fold")?;
        let names = query.query_map([], |row| {
            Ok(Registered {
                name: Name::kept(&row.get::<_, String>(0)?),
                since: WallTime(row.get(1)?),
                seen: row.get::<_, Option<_>>(2)?.map(WallTime),
            })
        })?;
        names.collect()
    }

    /// From now on a name has no owner: what is kept for them, and what they may, goes with it. Whether it had one.
    pub(crate) fn release(&mut self, name: &Name, record: &Record) -> rusqlite::Result<bool> {
        let [key, _] = name.keys();
        let transaction = self.connection().transaction()?;
        for table in ["letters", "places", "keepers", "makers"] {
            transaction.execute(
                &format!(
                    "DELETE FROM {table} WHERE account = (SELECT id FROM accounts WHERE fold = ?1)"
                ),
                [key],
            )?;
        }
        let released = transaction.execute("DELETE FROM accounts WHERE fold = ?1", [key])?;
        if released == 0 {
            return Ok(false);
        }
        end_codes(&transaction, name)?;
        table::put(&transaction, record)?;
        transaction.commit()?;
        Ok(true)
    }

    /// What is kept of the owner of a name, for somebody who comes from that place; none where it has no owner.
    pub(crate) fn account(
        &mut self,
        name: &Name,
        place: &Place,
    ) -> rusqlite::Result<Option<Account>> {
        let [key, _] = name.keys();
        let mut find = self.connection().prepare_cached(
            "SELECT password, token, seen,
             EXISTS (SELECT 1 FROM places WHERE account = id AND place = ?2)
             FROM accounts WHERE fold = ?1",
        )?;
        find.query_row(params![key, place.0], |row| {
            Ok(Account {
                password: row.get(0)?,
                token: row.get::<_, Option<_>>(1)?.map(CodeHash),
                seen: row.get::<_, Option<_>>(2)?.map(WallTime),
                is_known: row.get(3)?,
            })
        })
        .optional()
    }

    /// The owner of a name came in from that place; those from which they came longest ago are forgotten.
    pub(crate) fn put_seen(
        &mut self,
        name: &Name,
        place: Place,
        now: WallTime,
    ) -> rusqlite::Result<()> {
        let [key, _] = name.keys();
        let transaction = self.connection().transaction()?;
        put_seen(&transaction, key, place, now)?;
        transaction.commit()
    }

    /// Stores a password in another form, unless it has been changed meanwhile.
    pub(crate) fn store_anew(&mut self, name: &Name, old: &str, new: &str) -> rusqlite::Result<()> {
        let [key, _] = name.keys();
        self.connection().execute(
            "UPDATE accounts SET password = ?3 WHERE fold = ?1 AND password = ?2",
            params![key, old, new],
        )?;
        Ok(())
    }

    /// Since when a name has its owner, now that it is so late; none where it has none.
    pub(crate) fn owned_since(
        &mut self,
        name: &Name,
        now: WallTime,
    ) -> rusqlite::Result<Option<WallTime>> {
        let [key, _] = name.keys();
        let query = "SELECT since FROM accounts WHERE fold = ?1";
        let mut find = self.connection().prepare_cached(query)?;
        find.query_row([key], |row| Ok(bounded(WallTime(row.get(0)?), now)))
            .optional()
    }

    /// Keeps the token for a name, in place of the one before; none ends that. Whether there was one.
    pub(crate) fn put_token(
        &mut self,
        name: &Name,
        token: Option<CodeHash>,
    ) -> rusqlite::Result<bool> {
        let had_one = self.token(name)?.is_some();
        let [key, _] = name.keys();
        let token = token.map(|CodeHash(hash)| hash);
        self.connection().execute(
            "UPDATE accounts SET token = ?2 WHERE fold = ?1",
            params![key, token],
        )?;
        Ok(had_one)
    }

    /// The token for a name, if there is one.
    pub(crate) fn token(&mut self, name: &Name) -> rusqlite::Result<Option<CodeHash>> {
        let [key, _] = name.keys();
        let query = "SELECT token FROM accounts WHERE fold = ?1";
        let mut find = self.connection().prepare_cached(query)?;
        let found = find.query_row([key], |row| row.get(0)).optional()?;
        Ok(found.flatten().map(CodeHash))
    }

    /// Gives a name an owner, unless it has one.
    pub(crate) fn put_password(
        &mut self,
        name: &Name,
        password: &str,
        since: WallTime,
        (place, origin): (Place, Option<Place>),
        now: WallTime,
        max: usize,
    ) -> rusqlite::Result<Put> {
        let [key, _] = name.keys();
        let origin = origin.map(|origin| origin.0);
        let transaction = self.connection().transaction()?;
        let count = "SELECT count(*) FROM accounts WHERE origin = ?1";
        let own: i64 = transaction.query_row(count, [origin], |row| row.get(0))?;
        if own >= NAMES_FROM_ONE_MAX {
            return Ok(Put::ShareFull);
        }
        let count = "SELECT count(*) FROM accounts";
        let accounts: i64 = transaction.query_row(count, [], |row| row.get(0))?;
        if accounts >= max as i64 {
            return Ok(Put::Full);
        }
        let put = transaction.execute(
            "INSERT OR IGNORE INTO accounts (name, fold, password, since, origin) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![name.as_str(), key, password, since.0, origin],
        )?;
        if put > 0 {
            put_seen(&transaction, key, place, now)?;
        }
        transaction.commit()?;
        Ok(if put > 0 { Put::Done } else { Put::Taken })
    }

    /// Gives the owner of a name another password. What the one before has opened is good no longer: codes, the token
    /// unless that is to be kept, and what is known of the places from which they came in. Whether the name has an owner.
    pub(crate) fn change_password(
        &mut self,
        name: &Name,
        password: &str,
        keeps_token: bool,
        by: Changer,
    ) -> rusqlite::Result<bool> {
        let [key, _] = name.keys();
        let transaction = self.connection().transaction()?;
        let changed = transaction.execute(
            "UPDATE accounts SET password = ?2, token = iif(?3, token, NULL) WHERE fold = ?1",
            params![key, password, keeps_token],
        )?;
        end_codes(&transaction, name)?;
        transaction.execute(
            "DELETE FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)",
            [key],
        )?;
        match by {
            _ if changed == 0 => {}
            Changer::Owner(place, now) => put_seen(&transaction, key, place, now)?,
            Changer::Operator(record) => table::put(&transaction, &record)?,
        }
        transaction.commit()?;
        Ok(changed > 0)
    }

    /// Keeps a message for the owner of a name, unless too many wait of the same writer, from the same place, or of all who
    /// stand as the writer does. Whether there was room.
    pub(crate) fn put_letter(
        &mut self,
        to: &Name,
        writer: &Writer,
        text: &Line,
        at: WallTime,
    ) -> rusqlite::Result<bool> {
        let [key, _] = to.keys();
        let standing = match writer.is_owner {
            true => 1 + i64::from(self.keeps_server(&writer.name)?),
            false => 0,
        };
        let max = LETTERS_MAX.get(standing as usize).copied().unwrap_or(0);
        let put = self.connection().execute(
            "INSERT INTO letters (account, at, sender, text, writer, origin, standing)
             SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?1
             AND (SELECT count(*) FROM letters WHERE account = accounts.id) < ?8
             AND (SELECT count(*) FROM letters WHERE account = accounts.id AND standing <= ?7) < ?9
             AND (SELECT count(*) FROM letters WHERE account = accounts.id AND writer = ?5) < ?10
             AND (?7 = 2 OR ?6 IS NULL OR
                  (SELECT count(*) FROM letters WHERE account = accounts.id AND origin = ?6) < ?11)",
            params![
                key,
                at.0,
                writer.name.as_str(),
                text.as_str(),
                writer.person.0,
                writer.place.map(|place| place.0),
                standing,
                LETTERS_MAX[2],
                max,
                LETTERS_FROM_ONE_MAX,
                LETTERS_FROM_PLACE_MAX,
            ],
        )?;
        Ok(put > 0)
    }

    /// Whether the owner of a name keeps order on the whole server.
    fn keeps_server(&mut self, name: &Name) -> rusqlite::Result<bool> {
        let mut find = self.connection().prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM keepers JOIN accounts ON account = id WHERE room = '' AND fold = ?1)",
        )?;
        find.query_row([name.keys()[0]], |row| row.get(0))
    }

    /// The messages that wait for the owner of a name, oldest first.
    pub(crate) fn letters(&mut self, to: &Name) -> rusqlite::Result<Vec<Letter>> {
        let [key, _] = to.keys();
        let mut query = self.connection().prepare_cached(
            "SELECT letters.id, at, sender, text FROM letters JOIN accounts ON account = accounts.id
             WHERE fold = ?1 ORDER BY letters.id",
        )?;
        let letters = query.query_map([key], |row| {
            Ok(Letter {
                id: row.get(0)?,
                at: WallTime(row.get(1)?),
                from: Name::kept(&row.get::<_, String>(2)?),
                text: Line::sanitise(row.get::<_, String>(3)?.as_bytes()),
            })
        })?;
        letters.collect()
    }

    /// Takes out the messages for the owner of a name up to this one.
    pub(crate) fn take_letters(&mut self, to: &Name, last: i64) -> rusqlite::Result<()> {
        let [key, _] = to.keys();
        self.connection().execute(
            "DELETE FROM letters WHERE id <= ?2
             AND account = (SELECT id FROM accounts WHERE fold = ?1)",
            params![key, last],
        )?;
        Ok(())
    }
}

fn put_seen(
    transaction: &Transaction<'_>,
    key: &str,
    place: Place,
    now: WallTime,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE accounts SET seen = ?2 WHERE fold = ?1",
        params![key, now.0],
    )?;
    transaction.execute(
        "INSERT OR REPLACE INTO places SELECT id, ?2, ?3 FROM accounts WHERE fold = ?1",
        params![key, place.0, now.0],
    )?;
    transaction.execute(
        "DELETE FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1) AND place NOT IN
         (SELECT place FROM places WHERE account = (SELECT id FROM accounts WHERE fold = ?1)
          ORDER BY at DESC LIMIT ?2)",
        params![key, PLACES_MAX],
    )?;
    Ok(())
}

/// From now on nobody comes back with a code as the owner of that name.
fn end_codes(transaction: &Transaction<'_>, name: &Name) -> rusqlite::Result<()> {
    let mut owners = transaction.prepare("SELECT hash, name FROM codes WHERE owner")?;
    let codes = owners.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let codes: Vec<([u8; 32], String)> = codes.collect::<Result<_, _>>()?;
    for (hash, owner) in &codes {
        if Name::kept(owner).is_same(name) {
            transaction.execute("DELETE FROM codes WHERE hash = ?1", [hash])?;
        }
    }
    Ok(())
}
