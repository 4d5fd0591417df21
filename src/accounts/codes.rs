//! Return codes: a person who has lost a connection returns to the same place with a code. Of a
//! connection it knows only the last line read.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use parlor_core::link::{Change, Client, Refusal};
use parlor_core::model::{Claim, Line, Name, Proof, RoomId, RoomName, WallTime};
use rusqlite::{Connection, Transaction, params};
use tokio::time::sleep;

use super::hashed::Hashed;
use super::proofs::Proofs;
use crate::clock;
use crate::journal::{Database, DatabaseFailed, Sql};

/// How long a code is valid after its connection, or the server, has ended.
const CODE_LIFE: Duration = Duration::from_secs(3_600);

/// The limit of stored codes whose connections have ended. The oldest are deleted first, those of
/// owners last.
const ENDED_MAX: i64 = 10_000;

/// How often the reading positions of people with a code are stored.
const READINGS_EVERY: Duration = Duration::from_secs(10);

/// The characters of a code: no two look alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// This many letters have 100 bits, which nobody can guess.
const CODE_LETTERS: usize = 20;

/// A code is shown in groups of letters, so that people can type it.
const GROUP_LETTERS: usize = 5;

/// The right to return. A person who knows the code may use it.
#[derive(Clone)]
pub(crate) struct Code(String);

impl Code {
    pub(super) fn new() -> Result<Code, DatabaseFailed> {
        let mut random = [0; CODE_LETTERS];
        getrandom::fill(&mut random).map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            DatabaseFailed
        })?;
        let letter = |byte: &u8| LETTERS[usize::from(byte % 32)] as char;
        Ok(Code(random.iter().map(letter).collect()))
    }

    /// A code as a person typed it, with or without separators.
    pub(super) fn typed(words: &str) -> Code {
        let letters = words.chars().filter(char::is_ascii_alphanumeric);
        Code(letters.map(|letter| letter.to_ascii_lowercase()).collect())
    }

    /// The stored form of the code, so that a reader of the file cannot return as another person.
    pub(super) fn hashed(&self) -> Hashed {
        Hashed::of(&self.0)
    }

    /// The code as people read it.
    pub(crate) fn shown(&self) -> Line {
        let groups: Vec<_> = self.0.as_bytes().chunks(GROUP_LETTERS).collect();
        Line::sanitise(&groups.join(&b'-'))
    }
}

/// A person's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The person's name.
    pub(crate) name: Name,
    /// The proof of the name, if the person owned it.
    pub(crate) proof: Option<Proof>,
    /// The room.
    pub(crate) room: RoomName,
    /// The number of the last line there that was written to the connection.
    pub(crate) seq: u64,
}

/// A person who returns.
pub(crate) struct Returned {
    /// The person's earlier place.
    pub(crate) standing: Standing,
    /// The connection that still has the place, if there is one.
    pub(crate) ghost: Option<Arc<Client>>,
    /// The code, which stays valid for the next time.
    pub(crate) code: Code,
}

impl Returned {
    /// The request to the broadcaster: for the earlier place, or for a place in this room.
    pub(crate) fn request(&self, room: Option<RoomName>) -> Change {
        let Standing { name, proof, room: before, .. } = self.standing.clone();
        Change::ComeBack {
            name: Claim { name, proof },
            room: room.unwrap_or(before),
            ghost: self.ghost.as_ref().map(|ghost| ghost.id()),
        }
    }
}

/// The codes that people have requested.
pub(crate) struct ReturnCodes {
    pub(super) database: Database,
    pub(super) proofs: Arc<Proofs>,
    /// The connections that have a code.
    pub(super) living: Mutex<HashMap<Hashed, Life>>,
}

pub(super) struct Life {
    client: Weak<Client>,
    /// The room of the stored place.
    room: RoomId,
}

impl ReturnCodes {
    /// Gives a code to a connection with this place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn give(
        &self,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<Code, DatabaseFailed> {
        let code = Code::new()?;
        self.note_standing(&code, client, room, standing).await?;
        Ok(code)
    }

    /// Moves a code to another connection. From now on, a person who returns with it takes over
    /// that connection.
    pub(crate) fn take_over(&self, code: &Code, client: &Arc<Client>, room: RoomId) {
        let client = Arc::downgrade(client);
        self.living(|living| living.insert(code.hashed(), Life { client, room }));
    }

    /// Stores the present place of the connection with this code.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn note_standing(
        &self,
        code: &Code,
        client: &Arc<Client>,
        room: RoomId,
        standing: Standing,
    ) -> Result<(), DatabaseFailed> {
        let hash = code.hashed();
        client.track_reading();
        let is_here = self.living(|living| {
            // A client that was removed because its person returned no longer has the code.
            let is_here = client.removed().is_none();
            if is_here {
                let client = Arc::downgrade(client);
                living.insert(hash, Life { client, room });
            }
            is_here
        });
        match is_here {
            true => self.store(hash, standing, None).await,
            false => Ok(()),
        }
    }

    /// Ends a code, while its connection continues.
    pub(crate) fn forget(&self, code: &Code) {
        self.living(|living| living.remove(&code.hashed()));
    }

    /// Stores the last line that the connection with this code had read when it ended, unless the
    /// code has moved to another connection.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn let_die(
        &self,
        code: &Code,
        client: &Client,
        standing: Standing,
    ) -> Result<(), DatabaseFailed> {
        let hash = code.hashed();
        let was_its = self.living(|living| {
            let its = |life: &mut Life| ptr::eq(life.client.as_ptr(), client);
            living.get_mut(&hash).is_some_and(its) && living.remove(&hash).is_some()
        });
        if !was_its {
            return Ok(());
        }
        let until = after_life(clock::wall_awake());
        self.store(hash, standing, Some(until)).await
    }

    /// Stores a code, unless the password that proved the name was changed.
    async fn store(
        &self,
        hash: Hashed,
        standing: Standing,
        until: Option<WallTime>,
    ) -> Result<(), DatabaseFailed> {
        let proofs = Arc::clone(&self.proofs);
        let put = move |connection: &mut Connection| match standing.proof {
            Some(proof) if proof != proofs.of(&standing.name) => Ok(()),
            _ => put_code(connection, hash, &standing, until, clock::wall_awake()),
        };
        self.database.write(put).await
    }

    /// Stores at intervals the last lines that the people with codes have read, so that they may
    /// return after a crash.
    pub(crate) async fn keep_readings(&self) {
        loop {
            sleep(READINGS_EVERY).await;
            self.note_readings().await.ok(); // the log says why it failed
        }
    }

    async fn note_readings(&self) -> Result<(), DatabaseFailed> {
        let mut readings = Vec::new();
        self.living(|living| {
            for (hash, life) in living {
                let read = life.client.upgrade().and_then(|client| client.read_to());
                let here = read.filter(|(room, _)| *room == life.room);
                readings.extend(here.map(|(_, seq)| (*hash, seq)));
            }
        });
        if readings.is_empty() {
            return Ok(());
        }
        let put = move |connection: &mut Connection| put_readings(connection, &readings);
        self.database.write(put).await
    }

    /// Finds the place of a typed code. Wrong codes are not counted: nobody can guess a code, and
    /// people behind one address each have their own.
    ///
    /// # Errors
    /// The code is unknown or has expired, or the file cannot be read.
    pub(crate) async fn redeem(&self, typed: &str) -> Result<Returned, Refusal> {
        let code = Code::typed(typed);
        let (hash, now) = (code.hashed(), clock::wall_awake());
        let proofs = Arc::clone(&self.proofs);
        let found = self.database.read(move |connection| {
            // The proof must not be newer than the code, so the code is read again after the proof.
            let Some(before) = code_of(connection, hash, now)? else {
                return Ok(None);
            };
            let proof = proofs.of(&before.name);
            let found = code_of(connection, hash, now)?;
            Ok(found.map(|standing| Standing { proof: standing.proof.map(|_| proof), ..standing }))
        });
        let mut standing = found.await?.ok_or(Refusal::NoSuchCode)?;
        // The code stays with its connection, because this person may not enter.
        let life = self.living(|living| {
            let life = living.get(&hash)?;
            Some((life.client.upgrade()?, life.room))
        });
        if let Some((ghost, here)) = &life
            && let Some((room, seq)) = ghost.read_to()
            && room == *here
        {
            standing.seq = seq;
        }
        let ghost = life.map(|(ghost, _)| ghost);
        Ok(Returned { standing, ghost, code })
    }

    fn living<T>(&self, what: impl FnOnce(&mut HashMap<Hashed, Life>) -> T) -> T {
        what(&mut self.living.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The time at which the code of a connection that ends now expires.
fn after_life(now: WallTime) -> WallTime {
    WallTime(now.0 + CODE_LIFE.as_millis() as i64)
}

/// Sets the expiry of codes whose connections ended with the previous server.
pub(super) fn end_of_server(
    connection: &mut Connection,
    clock: Option<WallTime>,
) -> rusqlite::Result<()> {
    let now = clock.map_or(clock::wall(), |clock| clock.max(clock::wall()));
    let end = "UPDATE codes SET until = ?1 WHERE until IS NULL";
    connection.run(end, [after_life(now).0]).map(drop)
}

/// Ends the codes of the owner of a name.
pub(super) fn end_codes(transaction: &Transaction<'_>, name: &Name) -> rusqlite::Result<()> {
    let of_owners = "SELECT hash, name FROM codes WHERE owner";
    let codes = transaction
        .all(of_owners, [], |row| Ok((row.get::<_, Hashed>(0)?, row.get::<_, String>(1)?)))?;
    for (hash, owner) in codes {
        if Name::stored(&owner).is_same(name) {
            transaction.run("DELETE FROM codes WHERE hash = ?1", [hash])?;
        }
    }
    Ok(())
}

/// Stores a person's place: until that time, or as long as the connection lasts.
fn put_code(
    connection: &mut Connection,
    hash: Hashed,
    standing: &Standing,
    until: Option<WallTime>,
    now: WallTime,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.run(
        "DELETE FROM codes WHERE until < ?1 OR hash IN
         (SELECT hash FROM codes WHERE until IS NOT NULL
          ORDER BY owner DESC, until DESC LIMIT -1 OFFSET ?2)",
        params![now.0, ENDED_MAX],
    )?;
    transaction.run(
        "INSERT OR REPLACE INTO codes (hash, name, owner, room, seq, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            hash,
            standing.name.as_str(),
            standing.proof.is_some(),
            standing.room.as_str(),
            standing.seq as i64,
            until.map(|until| until.0),
        ],
    )?;
    transaction.commit()
}

/// Stores the last lines that the people with these codes have read.
fn put_readings(connection: &mut Connection, readings: &[(Hashed, u64)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (hash, seq) in readings {
        transaction.run(
            "UPDATE codes SET seq = ?2 WHERE hash = ?1 AND seq < ?2",
            params![hash, *seq as i64],
        )?;
    }
    transaction.commit()
}

/// The place that is stored with a code. None if the code is unknown or has expired.
fn code_of(
    connection: &Connection,
    hash: Hashed,
    now: WallTime,
) -> rusqlite::Result<Option<Standing>> {
    connection.one(
        "SELECT name, owner, room, seq FROM codes
         WHERE hash = ?1 AND ifnull(until >= ?2, true)",
        params![hash, now.0],
        |row| {
            let (name, room): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(Standing {
                name: Name::stored(&name),
                proof: row.get::<_, bool>(1)?.then(Proof::default),
                room: RoomName::parse(&room).unwrap_or_else(|_| RoomName::lobby()),
                seq: row.get::<_, i64>(3)? as u64,
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognised_however_it_is_typed() {
        let code = Code::new().map(|code| (code.hashed(), code.shown()));
        let Ok((hash, shown)) = code else {
            panic!("the system has random numbers");
        };
        assert_eq!(shown.as_str().len(), 23, "{shown}");
        for typed in [
            shown.as_str().to_owned(),
            shown.as_str().to_uppercase(),
            format!(" {} ", shown.as_str().replace('-', "")),
        ] {
            assert_eq!(Code::typed(&typed).hashed(), hash, "{typed}");
        }
        assert_ne!(Code::typed("").hashed(), hash);
    }
}
