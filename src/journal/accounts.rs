//! Accounts in the file: names with an owner, and what is kept for owners who are away. Knows no password, only what is
//! stored of it.

use parlor_core::line::Line;
use parlor_core::name::Name;
use parlor_core::time::WallTime;
use rusqlite::{OptionalExtension, Transaction, params};

use super::codes::CodeHash;
use super::store::Store;

/// What came of registering a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It has this owner.
    Done,
    /// It has another one.
    Taken,
    /// There are too many names with owners.
    Full,
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

/// So many places of one owner are known: home, work, a phone that moves about.
const PLACES_MAX: i64 = 16;

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
    pub(super) fn owned(&mut self) -> rusqlite::Result<Vec<Name>> {
        let mut query = self.connection().prepare("SELECT name FROM accounts")?;
        let names = query.query_map([], |row| Ok(Name::kept(&row.get::<_, String>(0)?)))?;
        names.collect()
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

    /// Since when a name has its owner; none where it has none.
    pub(crate) fn owned_since(&mut self, name: &Name) -> rusqlite::Result<Option<WallTime>> {
        let [key, _] = name.keys();
        let query = "SELECT since FROM accounts WHERE fold = ?1";
        let mut find = self.connection().prepare_cached(query)?;
        find.query_row([key], |row| Ok(WallTime(row.get(0)?)))
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
        place: Place,
        now: WallTime,
        max: usize,
    ) -> rusqlite::Result<Put> {
        let [key, _] = name.keys();
        let transaction = self.connection().transaction()?;
        let count = "SELECT count(*) FROM accounts";
        let accounts: i64 = transaction.query_row(count, [], |row| row.get(0))?;
        if accounts >= max as i64 {
            return Ok(Put::Full);
        }
        let put = transaction.execute(
            "INSERT OR IGNORE INTO accounts (name, fold, password, since) VALUES (?1, ?2, ?3, ?4)",
            params![name.as_str(), key, password, since.0],
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
        seen: Option<(Place, WallTime)>,
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
        if let Some((place, now)) = seen {
            put_seen(&transaction, key, place, now)?;
        }
        transaction.commit()?;
        Ok(changed > 0)
    }

    /// Keeps a message for the owner of a name, unless `max` wait already, or `from_one` of this sender. Whether there was room.
    pub(crate) fn put_letter(
        &mut self,
        to: &Name,
        from: &Name,
        text: &Line,
        at: WallTime,
        max: usize,
        from_one: usize,
    ) -> rusqlite::Result<bool> {
        let [key, _] = to.keys();
        let put = self.connection().execute(
            "INSERT INTO letters (account, at, sender, text)
             SELECT id, ?2, ?3, ?4 FROM accounts WHERE fold = ?1
             AND (SELECT count(*) FROM letters WHERE account = accounts.id) < ?5
             AND (SELECT count(*) FROM letters WHERE account = accounts.id AND sender = ?3) < ?6",
            params![
                key,
                at.0,
                from.as_str(),
                text.as_str(),
                max as i64,
                from_one as i64
            ],
        )?;
        Ok(put > 0)
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
