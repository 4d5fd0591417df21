//! Messages for absent owners in the file: `letters`. Does not know how many may wait.

use parlor_core::journal::KeptMessage;
use parlor_core::ledger::{Kept, Rank};
use parlor_core::model::{Hashed, Name};
use rusqlite::{Connection, params};

use super::sql::Sql;

/// All messages, the oldest first, without their texts.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Name, Kept)>> {
    let query = "SELECT letters.id, name, writer, standing
                 FROM letters JOIN accounts ON account = accounts.id ORDER BY letters.id";
    connection.all(query, [], |row| {
        let number = row.get::<_, i64>(0)? as u64;
        let writer: Option<[u8; 32]> = row.get(2)?;
        let writer = writer.map_or(number, |hash| Kept::writer(Hashed(hash)));
        let rank = match row.get::<_, i64>(3)? {
            ..=0 => Rank::Stranger,
            1 => Rank::Owner,
            2.. => Rank::Keeper,
        };
        Ok((Name::stored(&row.get::<_, String>(1)?), Kept { number, writer, rank }))
    })
}

/// Stores a message.
pub(super) fn put(connection: &Connection, message: &KeptMessage) -> rusqlite::Result<()> {
    connection.run(
        "INSERT INTO letters (id, account, at, sender, text, writer, standing)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM accounts WHERE fold = ?2",
        params![
            message.number as i64,
            message.owner.keys()[0],
            message.at.0,
            message.from.as_str(),
            message.text.as_str(),
            message.writer.0,
            message.rank as i64,
        ],
    )?;
    Ok(())
}

/// Stores the network from which a message came.
pub(super) fn put_origin(
    connection: &Connection,
    number: u64,
    network: Hashed,
) -> rusqlite::Result<()> {
    let update = "UPDATE letters SET origin = ?2 WHERE id = ?1";
    connection.run(update, params![number as i64, network.0]).map(drop)
}

/// Deletes the messages for an owner up to this number.
pub(super) fn delete(connection: &Connection, owner: &Name, last: u64) -> rusqlite::Result<()> {
    let delete = "DELETE FROM letters WHERE id <= ?2
                  AND account = (SELECT id FROM accounts WHERE fold = ?1)";
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    connection.run(delete, params![owner.keys()[0], last]).map(drop)
}
