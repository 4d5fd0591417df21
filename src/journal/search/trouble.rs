//! What can keep the index from following, and what is said about it. Knows no thread.

use rusqlite::ErrorCode;

use crate::journal::sqlite::Unusable;

/// What keeps the index from following.
pub(super) enum Trouble {
    /// What was said cannot be read: the journal's own threads say why.
    Journal,
    /// The index cannot be written just now.
    Index(rusqlite::Error),
    /// It is damaged, another's, or ahead of the lines, since these have been restored from a backup.
    Useless,
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory,
            ) => Trouble::Index(error),
            _ => Trouble::Useless,
        }
    }
}

impl From<Unusable> for Trouble {
    fn from(_: Unusable) -> Trouble {
        Trouble::Journal
    }
}

impl Trouble {
    /// Tells the operator.
    pub(super) fn tell(&self) {
        match self {
            Trouble::Index(error) => {
                tracing::warn!(%error, "the search index cannot be written");
            }
            Trouble::Useless => tracing::warn!("the search index is damaged"),
            Trouble::Journal => {}
        }
    }
}
