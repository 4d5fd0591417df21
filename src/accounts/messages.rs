//! Private messages that are stored for an absent owner.

use std::net::IpAddr;

use parlor_core::link::Refusal;
use parlor_core::model::{Claim, Line, Name, PersonId, WallTime};
use rusqlite::{Connection, params};

use super::hashed::{hash_of, hash_of_network};
use crate::journal::{Database, DatabaseFailed, Sql};

/// The limits of messages that are stored for one person: from unregistered people, from these and
/// owners of names, and from all including keepers of the server. So unregistered people leave
/// places for owners.
const MESSAGES_MAX: [i64; 3] = [60, 90, 100];

/// How many of them one person may write, under any names.
const MESSAGES_FROM_ONE_MAX: i64 = 20;

/// How many of them may come from one network, from all people there.
const MESSAGES_FROM_NETWORK_MAX: i64 = 40;

/// Messages for absent owners.
pub(crate) struct KeptMessages {
    pub(super) database: Database,
    /// The start of the server: the numbers of connections begin there.
    pub(super) since: WallTime,
}

/// A message for an absent owner.
#[derive(Debug)]
pub(crate) struct KeptMessage {
    /// The number of the message, in the order of writing.
    pub(crate) id: i64,
    /// The time of writing.
    pub(crate) at: WallTime,
    /// The author.
    pub(crate) from: Name,
    /// The text.
    pub(crate) text: Line,
}

impl KeptMessages {
    /// Stores a message for the owner of a name, unless too many wait from the same person, from the
    /// same network, or from all authors of the same standing.
    ///
    /// # Errors
    /// Too many wait already, or the file cannot be written.
    pub(crate) async fn keep(
        &self,
        to: Name,
        (from, id, address): (Claim, PersonId, IpAddr),
        text: Line,
        at: WallTime,
    ) -> Result<(), Refusal> {
        let key = to.keys()[0].to_owned();
        let person = match from.is_proven() {
            true => format!("owner {}", from.name.keys()[0]),
            false => format!("{} {id:?}", self.since.0),
        };
        let put = move |connection: &mut Connection| {
            let standing = match from.is_proven() {
                true => 1 + usize::from(is_operator(connection, &from.name)?),
                false => 0,
            };
            connection.run(
                "INSERT INTO letters (account, at, sender, text, writer, origin, standing)
                 SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?1
                 AND (SELECT count(*) FROM letters WHERE account = accounts.id) < ?8
                 AND (SELECT count(*) FROM letters
                      WHERE account = accounts.id AND standing <= ?7) < ?9
                 AND (SELECT count(*) FROM letters
                      WHERE account = accounts.id AND writer = ?5) < ?10
                 AND (?7 = 2 OR ?6 IS NULL OR
                      (SELECT count(*) FROM letters
                       WHERE account = accounts.id AND origin = ?6) < ?11)",
                params![
                    key,
                    at.0,
                    from.name.as_str(),
                    text.as_str(),
                    hash_of(&person).0,
                    hash_of_network(address).map(|hash| hash.0),
                    standing as i64,
                    MESSAGES_MAX[2],
                    MESSAGES_MAX[standing],
                    MESSAGES_FROM_ONE_MAX,
                    MESSAGES_FROM_NETWORK_MAX,
                ],
            )
        };
        match self.database.write(put).await? {
            0 => Err(Refusal::MessagesFull(to)),
            _ => Ok(()),
        }
    }

    /// The messages that wait for the owner of a name, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn waiting(&self, to: &Name) -> Result<Vec<KeptMessage>, DatabaseFailed> {
        let key = to.keys()[0].to_owned();
        let read = move |connection: &mut Connection| {
            connection.all(
                "SELECT letters.id, at, sender, text
                 FROM letters JOIN accounts ON account = accounts.id
                 WHERE fold = ?1 ORDER BY letters.id",
                [key],
                |row| {
                    Ok(KeptMessage {
                        id: row.get(0)?,
                        at: WallTime(row.get(1)?),
                        from: Name::stored(&row.get::<_, String>(2)?),
                        text: Line::sanitise(row.get::<_, String>(3)?.as_bytes()),
                    })
                },
            )
        };
        self.database.read(read).await
    }

    /// Deletes the messages for the owner of a name up to this one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn delete(&self, to: &Name, last: i64) -> Result<(), DatabaseFailed> {
        let key = to.keys()[0].to_owned();
        let delete = move |connection: &mut Connection| {
            connection.run(
                "DELETE FROM letters WHERE id <= ?2
                 AND account = (SELECT id FROM accounts WHERE fold = ?1)",
                params![key, last],
            )
        };
        self.database.write(delete).await.map(drop)
    }
}

/// Whether the owner of a name is a keeper of the server.
fn is_operator(connection: &Connection, name: &Name) -> rusqlite::Result<bool> {
    let found = connection.one(
        "SELECT EXISTS (SELECT 1 FROM keepers JOIN accounts ON account = id
                        WHERE room = '' AND fold = ?1)",
        [name.keys()[0]],
        |row| row.get(0),
    );
    Ok(found?.unwrap_or(false))
}
