//! `parlor check`: whether all that was kept is still as it was written. Knows no connection, and changes nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use crate::config::directory;
use crate::journal;
use crate::journal::{FILE, Store, Unusable};

/// What `check` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CheckOptions {
    /// The directory in which the server stores its lines [default: as for serve]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
}

/// Looks at every line that is kept, hands what is wrong to `tell`, and says in a sentence that nothing is.
///
/// # Errors
/// Something is wrong, nothing is kept there, or the file cannot be read: in one sentence.
pub fn check(options: &CheckOptions, mut tell: impl FnMut(String)) -> anyhow::Result<String> {
    let file = directory(options.data.as_deref())?.join(FILE);
    let store = journal::open_to_read(&file)?;
    let mut damages = 0;
    let looked = look_at_all(&store, |damage| {
        damages += 1;
        tell(damage);
    });
    let file = file.display();
    let Extent { rooms, lines } = looked.with_context(|| file.to_string())?;
    if damages > 0 {
        let places = if damages == 1 { "place" } else { "places" };
        bail!("{file}: damaged in {damages} {places}; restore a backup");
    }
    Ok(format!(
        "{file}: no damage; lines: {lines}, rooms: {rooms}\n"
    ))
}

/// How much there is in a file.
pub(crate) struct Extent {
    pub(crate) rooms: usize,
    pub(crate) lines: u64,
}

/// Looks at the structure of the file and at every line in it, and hands over what is wrong.
pub(crate) fn look_at_all(
    store: &Store,
    mut found: impl FnMut(String),
) -> Result<Extent, Unusable> {
    store.look_at_structure(|words| found(format!("the file's structure is damaged: {words}")))?;
    let ends = store.ends()?;
    for (room, end) in &ends {
        let mut next = 1;
        while next <= end.seq {
            next = store.look_at(room, next, end.seq, |damage| found(damage.to_string()))?;
        }
    }
    Ok(Extent {
        rooms: ends.len(),
        lines: ends.iter().map(|(_, end)| end.seq).sum(),
    })
}
