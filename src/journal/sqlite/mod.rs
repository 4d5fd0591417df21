//! The journal on disk: a file of SQLite, a thread that writes it, and one that reads it.

mod accounts;
mod acts;
mod append;
mod archive;
mod checkpoints;
mod codes;
mod database;
mod deletions;
mod disk;
mod epochs;
mod fate;
mod fault;
mod file_view;
mod files;
mod following;
mod gap;
mod holes;
mod kept;
mod keys;
mod leftovers;
mod markers;
mod raw;
mod reader;
mod records;
mod room_rules;
mod row;
mod rows;
mod schema;
mod scrub;
mod signals;
mod snapshot;
mod sql;
mod startup;
mod store;
mod times;
mod undo;
mod verify;
mod view;
mod writer;

pub(crate) use acts::{latest, moment};
pub(crate) use archive::open_archive;
pub(crate) use codes::end_all as end_codes;
pub(crate) use database::{Database, DatabaseFailed};
pub(crate) use disk::{Disk, OpenedDisk};
pub(crate) use fault::UnusableFile;
pub(crate) use file_view::FileView;
pub(crate) use files::{FILE, OpenError, SEARCH_FILE, create_private};
pub(crate) use gap::fill;
pub(crate) use kept::{WaitingMessage, waiting};
pub(crate) use keys::{KEYS, range};
pub(crate) use leftovers::{clear_leftovers, leftovers, note_leftovers};
pub(crate) use raw::{
    after as messages_after, clear as delete_messages, delete_before as delete_messages_before,
    range as messages,
};
pub(crate) use records::past;
pub(crate) use row::{GONE, LineRow, sum};
pub(crate) use scrub::{ScrubSchedule, empty_log, scrub as scrub_slice};
pub(crate) use signals::Signals;
pub(crate) use snapshot::{PackedSnapshot, stored_position, stored_snapshot};
pub(crate) use sql::Sql;
pub(crate) use startup::Startup;
pub(crate) use store::Store;
pub(crate) use times::note_clock;
pub(crate) use view::WrittenBehind;
