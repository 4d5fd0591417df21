//! The journals there are. Each keeps lines in its own way; none knows a connection.
//!
//! [`Disk`] is the one for use: a file of SQLite's, written by one thread and read by another; and a third follows it, for
//! [`Search`].

mod accounts;
mod codes;
mod committer;
mod disk;
mod emptying;
mod errands;
mod fault;
mod history;
mod holes;
mod inspection;
mod memory;
mod order;
mod remains;
mod retention;
mod rows;
mod schema;
mod scrub;
mod search;
mod store;
mod takings;
mod wipes;

pub(crate) use accounts::{Account, Letter, Place, Put};
pub(crate) use codes::{CODE_LIFE, CodeHash, Standing};
pub(crate) use disk::FILE;
pub use disk::{Disk, Kept, OpenError};
pub use errands::Errands;
pub(crate) use errands::Undone;
pub use fault::{Damage, Unusable};
pub(crate) use history::Ahead;
pub use history::{History, Unreadable};
pub use memory::Memory;
pub(crate) use retention::{Retention, StillThere};
pub(crate) use search::Found;
pub use search::Search;
pub(crate) use store::Store;
pub(crate) use takings::{Own, TakingId};

use std::path::Path;

use anyhow::{Context, bail};

/// Opens a file of lines to read in it, whether or not a server runs.
///
/// # Errors
/// There is none, or it is of no use: in one sentence.
pub(crate) fn open_to_read(file: &Path) -> anyhow::Result<Store> {
    if !file.exists() {
        bail!(
            "there is no {}; say with --data where the server keeps its lines, as it logs at its start",
            file.display()
        );
    }
    let opened = inspection::is_alone(file).and_then(|()| Store::open_to_read(file));
    opened.with_context(|| file.display().to_string())
}
