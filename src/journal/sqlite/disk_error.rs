//! The meaning of errors of SQLite for those whose lines are refused. Knows no line.

use rusqlite::ErrorCode;

/// Whether the disk has failed, rather than the statement.
pub(super) fn has_failed(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull))
}

/// Why lines are refused, as a clause for their speakers.
pub(super) fn why(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the disk cannot be written"
        }
        _ => "the disk has failed",
    }
}
