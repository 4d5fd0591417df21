//! Records in the file: everything that is stored beside lines. Each kind has its own file.

use parlor_core::journal::{Past, Record, Snapshot};
use parlor_core::model::WallTime;
use rusqlite::Connection;

use super::{accounts, acts, codes, deletions, kept, markers};

/// The contents of the file beside lines with which a server starts at this time: accounts, return
/// codes, kept messages, read markers and rules.
pub(crate) fn past(connection: &Connection, now: WallTime) -> rusqlite::Result<Past> {
    Ok(Past {
        accounts: accounts::load(connection)?,
        codes: codes::load(connection)?,
        kept: kept::load(connection)?,
        last_kept: kept::last(connection)?,
        markers: markers::load(connection)?,
        ..acts::past(connection, now)?
    })
}

/// Makes everything beside lines that of a ledger, in the transaction of the caller.
pub(super) fn replace(connection: &Connection, ledger: &Snapshot) -> rusqlite::Result<()> {
    accounts::replace(connection, ledger)?;
    acts::replace(connection, ledger)?;
    codes::replace(connection, ledger)?;
    kept::replace(connection, ledger)?;
    markers::replace(connection, ledger)
}

/// Makes everything beside lines that of an earlier ledger, in the transaction of the caller.
/// `is_whole` says whether all deletions will be decided anew.
pub(super) fn set_back(
    connection: &Connection,
    ledger: &Snapshot,
    is_whole: bool,
) -> rusqlite::Result<()> {
    replace(connection, ledger)?;
    acts::delete_rows_since(connection, ledger.at)?;
    if is_whole { deletions::forget(connection) } else { Ok(()) }
}

/// Stores a record, in the transaction of the caller.
pub(super) fn put(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Act(act) => acts::put(connection, act),
        Record::Account(account) => accounts::put(connection, account),
        Record::NewPassword(account) => accounts::put_password(connection, account),
        Record::Released(name) => accounts::release(connection, name),
        Record::OwnerVisit(visit) => accounts::put_visit(connection, visit),
        Record::Code(hash, code) => codes::put(connection, *hash, code),
        Record::Readings(readings) => codes::put_readings(connection, readings),
        Record::CodesGone(hashes) => codes::delete(connection, hashes),
        Record::Kept(message) => kept::put(connection, message),
        Record::KeptFrom { number, network } => kept::put_origin(connection, *number, *network),
        Record::Delivered { owner, last } => kept::delete(connection, owner, *last),
        Record::Marker { owner, key, at } => markers::put(connection, owner, key, *at),
        Record::MarkersGone(owner) => markers::delete(connection, owner),
        Record::LinesDeleted { owner, since, ends } => {
            deletions::put(connection, owner, *since, ends)
        }
        Record::CodesExpired(time) => codes::delete_expired(connection, *time),
    }
}
