//! The journal on disk: a file of SQLite, one thread that writes and one that reads.

mod disk;
mod epochs;
mod errands;
mod fault;
mod files;
mod holes;
mod reader;
mod refused;
mod rows;
mod schema;
pub(crate) mod scrub;
pub(crate) mod store;
mod times;
mod verify;
mod wipes;
mod writer;

pub use disk::{Disk, Kept};
pub(crate) use epochs::passing_epoch;
pub use errands::Errands;
pub(crate) use errands::Undone;
pub use fault::{Damage, Unusable};
pub(crate) use files::FILE;
pub use files::OpenError;
pub(in crate::journal) use files::make_private;
pub(crate) use reader::Ahead;
pub use reader::{History, Unreadable};
pub(crate) use rows::{GONE, READ_ROWS_MAX, sum};
pub(crate) use store::Store;
pub(in crate::journal) use verify::is_alone;
pub(crate) use wipes::Wipes;
pub(crate) use writer::Signals;
