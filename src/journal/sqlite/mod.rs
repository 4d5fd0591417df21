//! The journal on disk: a file of SQLite, a thread that writes it, and one that reads it.

mod acts;
mod append;
mod archive;
mod checkpoints;
mod database;
mod disk;
mod epochs;
mod fault;
mod files;
mod holes;
mod reader;
mod row;
mod rows;
mod schema;
mod scrub;
mod signals;
mod sql;
mod startup;
mod store;
mod times;
mod verify;
mod writer;

pub(crate) use acts::{latest, moment, past, put};
pub(crate) use archive::open_archive;
pub(crate) use database::{Database, DatabaseFailed};
pub(crate) use disk::{Disk, OpenedDisk};
pub(crate) use fault::UnusableFile;
pub(crate) use files::{FILE, OpenError, SEARCH_FILE, create_private};
pub(crate) use row::{GONE, LineRow, sum};
pub(crate) use scrub::{ScrubSchedule, empty_log, scrub};
pub(crate) use signals::Signals;
pub(crate) use sql::Sql;
pub(crate) use startup::Startup;
pub(crate) use store::Store;
pub(crate) use times::note_clock;
