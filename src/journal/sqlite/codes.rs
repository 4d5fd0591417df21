//! Return codes in the file. Does not know who may use them.

use parlor_core::ledger::{ReturnCode, Snapshot, Validity};
use parlor_core::model::{Claim, Hashed, Looks, Name, Proof, ProvenAccount, RoomName, WallTime};
use rusqlite::{Connection, params};

use super::row::stored_room;
use super::sql::Sql;

/// Sets the end of codes whose connections ended with the previous server.
pub(crate) fn end_all(connection: &Connection, until: WallTime) -> rusqlite::Result<()> {
    connection.run("UPDATE codes SET until = ?1 WHERE until IS NULL", [until.0]).map(drop)
}

/// All codes. None has a connection.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Vec<(Hashed, ReturnCode)>> {
    let query =
        "SELECT hash, name, owner, room, seq, until, account FROM codes WHERE until IS NOT NULL";
    connection.all(query, [], |row| {
        let name = Name::stored(&row.get::<_, String>(1)?);
        let other = row.get::<_, Option<String>>(6)?.map(|account| Name::stored(&account));
        let account = row.get::<_, bool>(2)?.then(|| name.clone()).or(other);
        let account = account.map(|name| ProvenAccount { name, proof: Proof::default() });
        let code = ReturnCode {
            looks: Looks::of(&name),
            claim: Claim { name, account },
            room: stored_room(&row.get::<_, String>(3)?).unwrap_or_else(RoomName::lobby),
            seq: row.get::<_, i64>(4)? as u64,
            validity: Validity::Until(WallTime(row.get(5)?)),
        };
        Ok((Hashed(row.get(0)?), code))
    })
}

/// Makes the codes those of a ledger.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    connection.run("DELETE FROM codes", [])?;
    ledger.codes.iter().try_for_each(|(hash, code)| put(connection, *hash, code))
}

/// Stores a code.
pub(super) fn put(
    connection: &Connection,
    hash: Hashed,
    code: &ReturnCode,
) -> rusqlite::Result<()> {
    let until = match code.validity {
        Validity::Held(_) => None,
        Validity::Until(end) => Some(end.0),
    };
    let other = code.claim.account.as_ref().filter(|_| !code.claim.is_proven());
    connection.run(
        "INSERT INTO codes (hash, name, owner, room, seq, until, account)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (hash) DO UPDATE SET name = excluded.name, owner = excluded.owner,
         room = excluded.room, seq = excluded.seq, until = excluded.until,
         account = excluded.account",
        params![
            hash.0,
            code.claim.name.as_str(),
            code.claim.is_proven(),
            code.room.as_str(),
            code.seq as i64,
            until,
            other.map(|account| account.name.as_str())
        ],
    )?;
    Ok(())
}

/// Stores how far people with codes have read.
pub(super) fn put_readings(
    connection: &Connection,
    readings: &[(Hashed, u64)],
) -> rusqlite::Result<()> {
    for (hash, seq) in readings {
        let update = "UPDATE codes SET seq = ?2 WHERE hash = ?1 AND seq < ?2";
        connection.run(update, params![hash.0, *seq as i64])?;
    }
    Ok(())
}

/// Deletes codes.
pub(super) fn delete(connection: &Connection, hashes: &[Hashed]) -> rusqlite::Result<()> {
    for hash in hashes {
        connection.run("DELETE FROM codes WHERE hash = ?1", [hash.0])?;
    }
    Ok(())
}

/// Deletes the codes that were valid until this time.
pub(super) fn delete_expired(connection: &Connection, time: WallTime) -> rusqlite::Result<()> {
    connection.run("DELETE FROM codes WHERE until < ?1", [time.0]).map(drop)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::super::schema::MIGRATIONS;
    use super::*;

    /// The first version whose codes know an account under another name.
    const ACCOUNTS: usize = 10;

    #[test]
    fn codes_of_an_older_file_and_those_of_accounts_come_back_as_they_were() {
        let file = Connection::open_in_memory().unwrap();
        let (old, new) = MIGRATIONS.split_at(ACCOUNTS - 1);
        old.iter().for_each(|step| file.execute_batch(step).unwrap());
        for (name, owner) in [("alice", true), ("bob", false)] {
            let put = "INSERT INTO codes (hash, name, owner, room, seq, until)
                       VALUES (?1, ?2, ?3, 'tea', 7, 9)";
            file.execute(put, params![[u8::from(owner); 32], name, owner]).unwrap();
        }
        new.iter().for_each(|step| file.execute_batch(step).unwrap());
        let alice = || ProvenAccount { name: Name::stored("alice"), proof: Proof::default() };
        let claims =
            || -> Vec<_> { load(&file).unwrap().into_iter().map(|(_, code)| code.claim).collect() };
        let owner = Claim { name: Name::stored("alice"), account: Some(alice()) };
        let stranger = Claim::from(Name::stored("bob"));
        assert_eq!(claims(), [stranger.clone(), owner.clone()]);
        // An account under another name, which then takes its own.
        let (_, mut code) = load(&file).unwrap().remove(0);
        let other = Claim { name: Name::stored("zoe"), account: Some(alice()) };
        for claim in [other, owner.clone(), stranger] {
            code.claim = claim.clone();
            put(&file, Hashed([0; 32]), &code).unwrap();
            assert_eq!(claims(), [claim, owner.clone()]);
        }
    }
}
