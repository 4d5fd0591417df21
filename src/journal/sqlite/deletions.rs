//! Deletions that other nodes have decided: they are noted in the file, and the eraser carries them
//! out. Their numbers are negative; those of owners on this node are positive.

use parlor_core::model::{Name, RoomName, WallTime};
use rusqlite::{Connection, params};

use super::sql::Sql;

/// Notes a deletion of all lines of an owner since a time, up to the last number of each room.
pub(super) fn put(
    connection: &Connection,
    owner: &Name,
    since: WallTime,
    ends: &[(RoomName, u64)],
) -> rusqlite::Result<()> {
    let next = "SELECT min(ifnull(min(id), 0), 0) - 1 FROM takings";
    let id: i64 = connection.query_row(next, [], |row| row.get(0))?;
    for (room, last) in ends {
        connection.run(
            "INSERT INTO takings (id, name, since, room, last) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, owner.as_str(), since.0, room.as_str(), *last as i64],
        )?;
    }
    Ok(())
}

/// Forgets the deletions that are noted: they will be decided anew.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.run("DELETE FROM takings WHERE id < 0", []).map(drop)
}
