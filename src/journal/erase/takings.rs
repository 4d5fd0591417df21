//! What people take back, in the file, until it is gone. Knows no line.

use std::collections::HashMap;

use parlor_core::model::{Name, RoomName, WallTime};
use rusqlite::params;

use crate::journal::sqlite::Store;

/// What somebody takes back.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// The name it was said under.
    pub(crate) name: Name,
    /// Since when that name is this person's.
    pub(crate) since: WallTime,
    /// In which rooms, and up to which number there.
    pub(crate) ends: HashMap<RoomName, u64>,
}

impl Own {
    /// Whether a name is the same, in whatever letters it was worn.
    pub(crate) fn is_meant(&self) -> impl FnMut(&str) -> bool + use<> {
        let name = self.name.clone();
        let mut known: HashMap<String, bool> = HashMap::new();
        move |worn| {
            if let Some(is_meant) = known.get(worn) {
                return *is_meant;
            }
            let is_meant = Name::kept(worn).keys()[0] == name.keys()[0];
            known.insert(worn.to_owned(), is_meant);
            is_meant
        }
    }
}

/// What is written down of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TakingId(i64);

impl Store {
    /// Writes down what is to be taken back, so that a server that comes after this one goes on with it.
    pub(crate) fn put_taking(&mut self, own: &Own) -> rusqlite::Result<TakingId> {
        let transaction = self.connection().transaction()?;
        let next = "SELECT ifnull(max(id), 0) + 1 FROM takings";
        let id: i64 = transaction.query_row(next, [], |row| row.get(0))?;
        let mut put = transaction.prepare_cached(
            "INSERT INTO takings (id, name, since, room, last) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (room, last) in &own.ends {
            let (name, room) = (own.name.as_str(), room.as_str());
            put.execute(params![id, name, own.since.0, room, *last as i64])?;
        }
        drop(put);
        transaction.commit()?;
        Ok(TakingId(id))
    }

    /// What is written down.
    pub(crate) fn takings(&mut self) -> rusqlite::Result<Vec<(TakingId, Own)>> {
        let mut query = self
            .connection()
            .prepare("SELECT id, name, since, room, last FROM takings")?;
        let mut rows = query.query([])?;
        let mut takings: HashMap<TakingId, Own> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (name, room): (String, String) = (row.get(1)?, row.get(3)?);
            let since = WallTime(row.get(2)?);
            let own = takings.entry(TakingId(row.get(0)?)).or_insert_with(|| Own {
                name: Name::kept(&name),
                since,
                ends: HashMap::new(),
            });
            if let Ok(room) = RoomName::parse(&room) {
                own.ends.insert(room, row.get::<_, i64>(4)? as u64);
            }
        }
        Ok(takings.into_iter().collect())
    }

    /// It is gone, or is not to be taken back after all.
    pub(crate) fn drop_taking(&mut self, id: TakingId) -> rusqlite::Result<()> {
        let forget = "DELETE FROM takings WHERE id = ?1";
        self.connection().execute(forget, [id.0]).map(|_| ())
    }
}
