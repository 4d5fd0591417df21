//! What rows leave behind that were emptied or taken out: whether there may be any. Knows no page; see `scrub` for those.

use parlor_core::model::WallTime;
use rusqlite::{Connection, OptionalExtension};

use crate::journal::sqlite::Store;

/// What may be left, as it was when somebody looked.
#[derive(Clone, Debug)]
pub(crate) struct Remains(String);

/// Notes in this transaction that something is left behind. It stands in the table of facts about the file, and changes
/// each time, until it is wiped.
pub(crate) fn leave(connection: &Connection) -> rusqlite::Result<()> {
    let leave = "INSERT INTO meta VALUES ('remains', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1";
    connection.execute(leave, []).map(|_| ())
}

impl Store {
    /// What may be left in the file of rows that are gone, since nobody has looked.
    pub(crate) fn remains(&mut self) -> rusqlite::Result<Option<Remains>> {
        let query = "SELECT value FROM meta WHERE key = 'remains'";
        let mut find = self.connection().prepare_cached(query)?;
        find.query_row([], |row| Ok(Remains(row.get(0)?)))
            .optional()
    }

    /// Nothing is left of these; of what came meanwhile something may be.
    pub(crate) fn has_no_remains(&mut self, remains: &Remains) -> rusqlite::Result<()> {
        let forget = "DELETE FROM meta WHERE key = 'remains' AND value = ?1";
        self.connection().execute(forget, [&remains.0]).map(|_| ())
    }

    /// Takes out the return codes that are good no longer.
    pub(crate) fn drop_old_codes(&mut self, now: WallTime) -> rusqlite::Result<()> {
        let drop = "DELETE FROM codes WHERE until < ?1";
        self.connection().execute(drop, [now.0]).map(|_| ())
    }
}
