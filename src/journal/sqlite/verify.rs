//! Looking at what was kept long ago, slice by slice while the server runs; and telling the operator what is damaged.
//! Knows nobody who reads.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::fault::{Damage, Unusable};
use super::store::Store;

/// Between two slices, which take a few milliseconds each: so it takes a small part of one processor and of the disk.
const PAUSE: Duration = Duration::from_millis(20);

/// So many damages are told; a file with more has few lines that are as they were.
const DAMAGES_MAX: usize = 1_000;

/// Where a SQLite file says whether anything is written ahead for it, and how it says that nothing is.
const AHEAD_OFFSET: u64 = 18;
const NOTHING_AHEAD: u8 = 1;

/// Makes sure that a file and the log beside it belong together: that a backup has not been put in the place of a file whose log is still there: SQLite would read that
/// log into it; or that the file is not gone: SQLite would throw the log away. To be asked before SQLite opens the file.
pub(crate) fn is_alone(path: &Path) -> Result<(), Unusable> {
    let ahead = path.with_extension("db-wal");
    let is_empty = fs::metadata(&ahead).is_ok_and(|ahead| ahead.len() == 0);
    let is_ahead = ahead.exists() && !is_empty;
    let mut mark = [0];
    let file = File::open(path).and_then(|file| file.read_at(&mut mark, AHEAD_OFFSET));
    match file {
        Ok(0) if is_ahead && fs::metadata(path).is_ok_and(|file| file.len() == 0) => {
            Err(Unusable::OnlyLog(ahead))
        }
        Ok(_) if is_ahead && mark == [NOTHING_AHEAD] => Err(Unusable::OthersLog(ahead)),
        _ => Ok(()),
    }
}

/// What is known to be damaged.
#[derive(Debug, Default)]
pub(crate) struct Damages(Mutex<Vec<Damage>>);

impl Damages {
    /// The operator's log says of each line once that it is damaged, however often it is read.
    pub(crate) fn tell(&self, damage: &Damage) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == DAMAGES_MAX || known.iter().any(|known| includes(known, damage)) {
            return;
        }
        known.push(damage.clone());
        tracing::error!(%damage, "stored lines are damaged; restore a backup");
        if known.len() == DAMAGES_MAX {
            tracing::error!("no more damage is logged; parlor check lists all of it");
        }
    }
}

fn includes(known: &Damage, damage: &Damage) -> bool {
    known.room == damage.room && known.first <= damage.first && known.last >= damage.last
}

/// What is to be looked at while the server runs.
pub(crate) struct Inspection {
    pub(crate) path: PathBuf,
    /// Rooms, and the last line of each that the start has not looked at.
    pub(crate) older: Vec<(String, u64)>,
    pub(crate) damages: Arc<Damages>,
}

impl Inspection {
    /// Looks at all of it, until the house ends.
    pub(crate) fn run(&self, ends: &Receiver<()>) {
        if self.older.is_empty() {
            return;
        }
        match self.look_at_all(ends) {
            Ok(Some(0)) => {
                let lines: u64 = self.older.iter().map(|(_, last)| last).sum();
                tracing::info!(lines, "older lines are undamaged");
            }
            Ok(_) => {} // told already, or the house ends
            Err(error) => tracing::error!(%error, "older lines cannot be checked"),
        }
    }

    /// How many damages there are; none if the house ended before all was seen.
    fn look_at_all(&self, ends: &Receiver<()>) -> Result<Option<usize>, Unusable> {
        let store = Store::open_to_read(&self.path)?;
        let mut found = 0;
        for (room, last) in &self.older {
            let mut next = 1;
            while next <= *last {
                if ends.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return Ok(None);
                }
                next = store.look_at(room, next, *last, |damage| {
                    found += 1;
                    self.damages.tell(&damage);
                })?;
            }
        }
        Ok(Some(found))
    }
}
