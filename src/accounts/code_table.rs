//! Return codes in the file: where somebody stood, under the hash of a code. Knows no code.

use std::time::Duration;

use parlor_core::model::{Name, Proof, RoomName, WallTime};
use rusqlite::{OptionalExtension, params};

use crate::journal::Store;

/// What is kept of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CodeHash(pub(crate) [u8; 32]);

/// Where somebody stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Under which name.
    pub(crate) name: Name,
    /// By what it was that person's own, if it was.
    pub(crate) proof: Option<Proof>,
    /// In which room.
    pub(crate) room: RoomName,
    /// The number of the last line there that was written to the connection.
    pub(crate) seq: u64,
}

/// So long a code is good for when its connection, or the server, has ended.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(3_600);

/// So many codes of connections that have ended are kept; the oldest give way, those of owners last.
const ENDED_MAX: i64 = 10_000;

impl Store {
    /// Keeps where somebody stands; until then, or as long as the connection lasts.
    pub(crate) fn put_code(
        &mut self,
        code: &CodeHash,
        standing: &Standing,
        until: Option<WallTime>,
        now: WallTime,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection().transaction()?;
        transaction.execute(
            "DELETE FROM codes WHERE until < ?1 OR hash IN
             (SELECT hash FROM codes WHERE until IS NOT NULL ORDER BY owner DESC, until DESC LIMIT -1 OFFSET ?2)",
            params![now.0, ENDED_MAX],
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO codes (hash, name, owner, room, seq, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                code.0,
                standing.name.as_str(),
                standing.proof.is_some(),
                standing.room.as_str(),
                standing.seq as i64,
                until.map(|until| until.0),
            ],
        )?;
        transaction.commit()
    }

    /// Keeps how far those have read who have these codes.
    pub(crate) fn put_readings(&mut self, readings: &[(CodeHash, u64)]) -> rusqlite::Result<()> {
        let transaction = self.connection().transaction()?;
        for (code, seq) in readings {
            transaction
                .prepare_cached("UPDATE codes SET seq = ?2 WHERE hash = ?1 AND seq < ?2")?
                .execute(params![code.0, *seq as i64])?;
        }
        transaction.commit()
    }

    /// The codes of connections that ended with the server before are good until then.
    pub(crate) fn let_codes_die(&mut self, until: WallTime) -> rusqlite::Result<()> {
        self.connection()
            .execute("UPDATE codes SET until = ?1 WHERE until IS NULL", [until.0])?;
        Ok(())
    }

    /// Where somebody stood who has this code; none if it is none, or none any more.
    pub(crate) fn code(
        &mut self,
        code: &CodeHash,
        now: WallTime,
    ) -> rusqlite::Result<Option<Standing>> {
        let mut find = self.connection().prepare_cached(
            "SELECT name, owner, room, seq FROM codes WHERE hash = ?1 AND ifnull(until >= ?2, true)",
        )?;
        find.query_row(params![code.0, now.0], |row| {
            let room: String = row.get(2)?;
            Ok(Standing {
                name: Name::kept(&row.get::<_, String>(0)?),
                proof: row.get::<_, bool>(1)?.then(Proof::default),
                room: RoomName::parse(&room).unwrap_or_else(|_| RoomName::lobby()),
                seq: row.get::<_, i64>(3)? as u64,
            })
        })
        .optional()
    }
}
