//! `parlor check`: whether all that was kept is still as it was written. Knows no connection, and changes nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use crate::config::directory;
use crate::journal::{self, Damage, FILE};

/// So many lines are looked at in one go; whoever writes meanwhile is held up by none.
const SLICE_LINES: u64 = 10_000;

/// What `check` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CheckOptions {
    /// The directory in which the server keeps its lines [default: as for serve]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
}

/// Looks at every line that is kept, hands what is wrong to `tell`, and says in a sentence that nothing is.
///
/// # Errors
/// Something is wrong, nothing is kept there, or the file cannot be read: in one sentence.
pub fn check(options: &CheckOptions, mut tell: impl FnMut(&Damage)) -> anyhow::Result<String> {
    let file = directory(options.data.as_deref())?.join(FILE);
    let named = || file.display().to_string();
    let store = journal::open_to_read(&file)?;
    let mut damages = 0;
    let mut count = |damage: Damage| {
        damages += 1;
        tell(&damage);
    };
    store.look_at_structure(&mut count).with_context(named)?;
    let ends = store.ends().with_context(named)?;
    for (room, end) in &ends {
        for first in (1..=end.seq).step_by(SLICE_LINES as usize) {
            let last = end.seq.min(first + SLICE_LINES - 1);
            store
                .look_at(room, first, last, &mut count)
                .with_context(named)?;
        }
    }
    if damages > 0 {
        bail!("{}: damaged in {damages} places; restore a backup", named());
    }
    let lines: u64 = ends.iter().map(|(_, end)| end.seq).sum();
    let (rooms, file) = (ends.len(), named());
    Ok(format!(
        "{file}: lines {lines}, rooms {rooms}, all as they were written\n"
    ))
}
