//! Checks lines that were stored long ago, slice by slice while the server runs, and tells the
//! operator of damage. Knows no reader.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parlor_core::model::{Damage, Flaw};

use super::fault::UnusableFile;
use super::rows::Unchecked;
use super::store::Store;

/// The pause between two slices. A slice takes some milliseconds, so the check takes a small part
/// of one processor and of the disk.
const PAUSE: Duration = Duration::from_millis(20);

/// The limit of logged damage reports. A file with more damage has few intact lines.
const DAMAGES_MAX: usize = 1_000;

/// Damage that was reported to the operator.
#[derive(Debug, Default)]
pub(super) struct Damages(Mutex<Vec<Damage>>);

impl Damages {
    /// Logs damage once, however often the line is read.
    pub(super) fn tell(&self, damage: &Damage) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let includes = |known: &Damage| {
            known.room == damage.room && known.first <= damage.first && known.last >= damage.last
        };
        if damage.flaw == Flaw::NotYet || known.len() == DAMAGES_MAX || known.iter().any(includes) {
            return;
        }
        known.push(damage.clone());
        tracing::error!(%damage, "stored lines are damaged; restore a backup");
        if known.len() == DAMAGES_MAX {
            tracing::error!("no more damage is logged; parlor check lists all of it");
        }
    }
}

/// Checks the older lines of these rooms, until the server ends. Damage is logged.
pub(super) fn check_older(path: &Path, older: &Unchecked, damages: &Damages, ends: &Receiver<()>) {
    if older.is_empty() {
        return;
    }
    match check_all(path, older, damages, ends) {
        Ok(Some(0)) => {
            let lines: u64 = older.iter().map(|(_, last)| last).sum();
            tracing::info!(lines, "older lines are undamaged");
        }
        Ok(_) => {} // reported already, or the server ends
        Err(error) => tracing::error!(%error, "older lines cannot be checked"),
    }
}

/// Returns the number of damaged places; none if the server ended before the check was complete.
fn check_all(
    path: &Path,
    older: &Unchecked,
    damages: &Damages,
    ends: &Receiver<()>,
) -> Result<Option<usize>, UnusableFile> {
    let store = Store::open_to_read(path)?;
    let mut found = 0;
    for (room, last) in older {
        let mut next = 1;
        while next <= *last {
            if ends.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                return Ok(None);
            }
            next = store.check(room, next, *last, |damage| {
                found += 1;
                damages.tell(&damage);
            })?;
        }
    }
    Ok(Some(found))
}
