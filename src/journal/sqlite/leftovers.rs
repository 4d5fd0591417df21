//! Whether the file may have copies of deleted rows: the key `remains` in `meta` says so. It changes
//! with each deletion, until the file is scrubbed.

use rusqlite::Connection;

use super::sql::Sql;

/// The file may still have copies of deleted rows; this identifies the state at the time of the
/// query.
#[derive(Clone, Debug)]
pub(crate) struct Leftovers(String);

/// Notes that the file has copies of deleted rows, in the transaction of the caller.
pub(crate) fn note_leftovers(connection: &Connection) -> rusqlite::Result<()> {
    let note = "INSERT INTO meta VALUES ('remains', '1')
                ON CONFLICT (key) DO UPDATE SET value = value + 1";
    connection.run(note, []).map(drop)
}

/// The leftovers of deleted rows in the file since it was scrubbed.
pub(crate) fn leftovers(connection: &mut Connection) -> rusqlite::Result<Option<Leftovers>> {
    let query = "SELECT value FROM meta WHERE key = 'remains'";
    let found = connection.one(query, [], |row| row.get(0));
    Ok(found?.map(Leftovers))
}

/// Notes that the leftovers of rows deleted before this query are gone.
pub(crate) fn clear_leftovers(
    connection: &mut Connection,
    seen: &Leftovers,
) -> rusqlite::Result<()> {
    let clear = "DELETE FROM meta WHERE key = 'remains' AND value = ?1";
    connection.run(clear, [&seen.0]).map(drop)
}
