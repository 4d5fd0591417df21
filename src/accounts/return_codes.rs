//! Return codes: a person who has lost a connection returns to the same place with a code. Knows of
//! a connection only how far it has read.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use parlor_core::link::{Change, Client, Refusal};
use parlor_core::model::{Claim, Name, PersonId, Proof, RoomId, RoomName, WallTime};
use rusqlite::{Connection, Transaction, params};
use tokio::time::sleep;

use super::code::Code;
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

/// The place to which a return code leads.
#[derive(Clone, Debug)]
pub(crate) struct ReturnPlace {
    /// The person's name, with its proof if the person owned it.
    pub(crate) claim: Claim,
    /// The room.
    pub(crate) room: RoomName,
    /// The number of the last line there that was written to the connection.
    pub(crate) seq: u64,
}

/// A person who returns.
pub(crate) struct Returned {
    pub(crate) place: ReturnPlace,
    /// The person on the connection that still has the place, if any.
    lost: Option<PersonId>,
    /// The code, which stays valid for the next time.
    pub(crate) code: Code,
}

impl Returned {
    /// The request to the broadcaster: for the earlier place, or for a place in this room.
    pub(crate) fn request(&self, room: Option<RoomName>) -> Change {
        let ReturnPlace { claim: name, room: before, .. } = self.place.clone();
        Change::ComeBack { name, room: room.unwrap_or(before), lost: self.lost }
    }
}

/// The codes that people have requested.
pub(crate) struct ReturnCodes {
    pub(super) database: Database,
    pub(super) proofs: Arc<Proofs>,
    /// The connections that have a code.
    pub(super) holders: Mutex<HashMap<Hashed, Holder>>,
}

/// A connection that has a code.
pub(super) struct Holder {
    client: Weak<Client>,
    /// The room of the stored place.
    room: RoomId,
}

impl ReturnCodes {
    /// Makes a code for a connection, and stores its place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn make(
        &self,
        client: &Arc<Client>,
        room: RoomId,
        place: &ReturnPlace,
    ) -> Result<Code, DatabaseFailed> {
        let code = Code::new()?;
        self.store_place(&code, client, room, place).await?;
        Ok(code)
    }

    /// Stores the present place of the connection with this code.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn store_place(
        &self,
        code: &Code,
        client: &Arc<Client>,
        room: RoomId,
        place: &ReturnPlace,
    ) -> Result<(), DatabaseFailed> {
        let (hash, holder) = (code.hashed(), Holder { client: Arc::downgrade(client), room });
        client.track_reading();
        let is_here = self.holders(|holders| {
            // A client that was removed because its person returned no longer has the code.
            let is_here = client.removed().is_none();
            if is_here {
                holders.insert(hash, holder);
            }
            is_here
        });
        match is_here {
            true => self.store(hash, place.clone(), None).await,
            false => Ok(()),
        }
    }

    /// Moves a code to another connection. From now on, a person who returns with it takes over
    /// that connection.
    pub(crate) fn take_over(&self, code: &Code, client: &Arc<Client>, room: RoomId) {
        let client = Arc::downgrade(client);
        self.holders(|holders| holders.insert(code.hashed(), Holder { client, room }));
    }

    /// Ends a code, while its connection continues.
    pub(crate) fn revoke(&self, code: &Code) {
        self.holders(|holders| holders.remove(&code.hashed()));
    }

    /// Stores the last line that the connection with this code had read when it ended, unless the
    /// code has moved to another connection.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn store_last_place(
        &self,
        code: &Code,
        client: &Client,
        mut place: ReturnPlace,
    ) -> Result<(), DatabaseFailed> {
        let hash = code.hashed();
        let held = self.holders(|holders| {
            let is_its = ptr::eq(holders.get(&hash)?.client.as_ptr(), client);
            if is_its { holders.remove(&hash) } else { None }
        });
        let Some(Holder { room, .. }) = held else {
            return Ok(());
        };
        place.seq = client.read_to(room).unwrap_or(place.seq);
        self.store(hash, place, Some(clock::wall_awake().after(CODE_LIFE))).await
    }

    /// Stores a place until that time, or while the connection lasts. Nothing is stored if the
    /// password that proved the name was changed.
    async fn store(
        &self,
        hash: Hashed,
        place: ReturnPlace,
        until: Option<WallTime>,
    ) -> Result<(), DatabaseFailed> {
        let proofs = Arc::clone(&self.proofs);
        let put = move |connection: &mut Connection| {
            let Claim { name, proof } = place.claim;
            if proof.is_some_and(|proof| proof != proofs.of(&name)) {
                return Ok(());
            }
            let transaction = connection.transaction()?;
            transaction.run(
                "DELETE FROM codes WHERE until < ?1 OR hash IN
                 (SELECT hash FROM codes WHERE until IS NOT NULL
                  ORDER BY owner DESC, until DESC LIMIT -1 OFFSET ?2)",
                params![clock::wall_awake().0, ENDED_MAX],
            )?;
            let (is_owner, until) = (proof.is_some(), until.map(|until| until.0));
            transaction.run(
                "INSERT OR REPLACE INTO codes (hash, name, owner, room, seq, until)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    hash,
                    name.as_str(),
                    is_owner,
                    place.room.as_str(),
                    place.seq as i64,
                    until
                ],
            )?;
            transaction.commit()
        };
        self.database.write(put).await
    }

    /// Stores at intervals the last lines that the people with codes have read, so that they may
    /// return after a crash.
    pub(crate) async fn store_readings_at_intervals(&self) {
        loop {
            sleep(READINGS_EVERY).await;
            self.store_readings().await.ok(); // the log says why it failed
        }
    }

    async fn store_readings(&self) -> Result<(), DatabaseFailed> {
        let mut readings = Vec::new();
        self.holders(|holders| {
            for (hash, Holder { client, room }) in holders {
                let seq = client.upgrade().and_then(|client| client.read_to(*room));
                readings.extend(seq.map(|seq| (*hash, seq)));
            }
        });
        if readings.is_empty() {
            return Ok(());
        }
        let put = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for (hash, seq) in readings {
                let update = "UPDATE codes SET seq = ?2 WHERE hash = ?1 AND seq < ?2";
                transaction.run(update, params![hash, seq as i64])?;
            }
            transaction.commit()
        };
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
            let Some(before) = stored_place(connection, hash, now)? else {
                return Ok(None);
            };
            let proof = proofs.of(&before.claim.name);
            let mut found = stored_place(connection, hash, now)?;
            if let Some(place) = &mut found {
                place.claim.proof = place.claim.proof.map(|_| proof);
            }
            Ok(found)
        });
        let mut place = found.await?.ok_or(Refusal::NoSuchCode)?;
        // The code stays with its connection, because this person may not enter.
        let held = self.holders(|holders| {
            let holder = holders.get(&hash)?;
            Some((holder.client.upgrade()?, holder.room))
        });
        if let Some((client, room)) = &held {
            place.seq = client.read_to(*room).unwrap_or(place.seq);
        }
        let lost = held.map(|(client, _)| client.id());
        Ok(Returned { place, lost, code })
    }

    fn holders<T>(&self, what: impl FnOnce(&mut HashMap<Hashed, Holder>) -> T) -> T {
        what(&mut self.holders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sets the expiry of codes whose connections ended with the previous server.
pub(super) fn end_of_server(
    connection: &mut Connection,
    clock: Option<WallTime>,
) -> rusqlite::Result<()> {
    let now = clock.map_or(clock::wall(), |clock| clock.max(clock::wall()));
    let end = "UPDATE codes SET until = ?1 WHERE until IS NULL";
    connection.run(end, [now.after(CODE_LIFE).0]).map(drop)
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

/// The place that is stored with a code. None if the code is unknown or has expired.
fn stored_place(
    connection: &Connection,
    hash: Hashed,
    now: WallTime,
) -> rusqlite::Result<Option<ReturnPlace>> {
    connection.one(
        "SELECT name, owner, room, seq FROM codes
         WHERE hash = ?1 AND ifnull(until >= ?2, true)",
        params![hash, now.0],
        |row| {
            let (name, room): (String, String) = (row.get(0)?, row.get(2)?);
            let proof = row.get::<_, bool>(1)?.then(Proof::default);
            Ok(ReturnPlace {
                claim: Claim { name: Name::stored(&name), proof },
                room: RoomName::parse(&room).unwrap_or_else(|_| RoomName::lobby()),
                seq: row.get::<_, i64>(3)? as u64,
            })
        },
    )
}
