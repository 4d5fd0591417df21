//! Makes the file of a node continue with a snapshot of what all nodes know, because the order does
//! not have everything between the end of the file and the snapshot any more. Knows no order.
//!
//! Everything beside lines is then that of the snapshot. The numbers of lines that the file never
//! had are noted in one row for each room, as those of deleted lines are in a row of each.

use parlor_core::journal::Snapshot;
use rusqlite::Connection;

use super::append::put_end;
use super::raw;
use super::records;
use super::snapshot::note_position;

/// Makes the file continue with the ledger at a position, in one transaction.
pub(crate) fn fill(
    connection: &mut Connection,
    position: u64,
    ledger: &Snapshot,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (room, end) in &ledger.ends {
        put_end(&transaction, room, *end)?;
    }
    records::replace(&transaction, ledger)?;
    note_position(&transaction, position)?;
    raw::begin(&transaction, position)?;
    transaction.commit()
}
