//! `parlor backup`: a whole copy of all stored lines, whether or not a server runs. Knows no connection.
//!
//! The copy is consistent, and a server that writes meanwhile does not wait. It contains no deleted
//! line. It gets its name when it is on disk and checked, so a file with that name is always a
//! whole backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use crate::config::DataOption;
use crate::journal::{self, Extent};

/// The options of `backup`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct BackupOptions {
    /// The copy; the file must not exist yet
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The directory of the server.
    #[command(flatten)]
    pub data: DataOption,
}

/// Copies all stored lines, and describes the copy in a sentence.
///
/// # Errors
///
/// The copy failed; the error is one sentence with the reason.
pub fn backup(options: &BackupOptions) -> anyhow::Result<String> {
    let (archive, source) = journal::open_stored(&options.data.directory()?)?;
    let target = absolute(&options.file).context("the copy needs a file name")?;
    let part = PartialCopy::begin(target)?;
    archive
        .copy_to(&part.path)
        .with_context(|| format!("cannot copy {} to {}", source.display(), part.path.display()))?;
    let Extent { rooms, lines } = part.verify(&source)?;
    let target = part.finish()?;
    let target = target.display();
    Ok(format!("{target}: no damage; lines: {lines}, rooms: {rooms}\n"))
}

/// A copy that is not yet a backup. Dropping it deletes the file.
struct PartialCopy {
    /// The path of the unfinished copy, beside its final place.
    path: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

impl PartialCopy {
    /// Checks that the copy replaces no file, and creates an empty one that only this user can
    /// read.
    fn begin(target: PathBuf) -> anyhow::Result<PartialCopy> {
        is_free(&target)?;
        let path = beside(&target, ".part");
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file {
            Ok(_) => Ok(PartialCopy { path, target, is_finished: false }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "{} exists: another backup is writing it, or one was interrupted; in that case remove it",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
        }
    }

    /// Describes the copy, if it has no damage.
    fn verify(&self, source: &Path) -> anyhow::Result<Extent> {
        let copy = journal::open_backup(&self.path)?;
        let mut damage = None;
        let verified = copy.verify(&mut |found| {
            damage.get_or_insert(found);
        });
        let extent =
            verified.with_context(|| format!("cannot read {} again", self.path.display()))?;
        match damage {
            None => Ok(extent),
            Some(damage) => bail!(
                "{}: {damage}; damaged lines cannot be copied, list them with parlor check",
                source.display()
            ),
        }
    }

    /// Syncs the copy to the disk, and gives it its name.
    fn finish(mut self) -> anyhow::Result<PathBuf> {
        let naming = || -> io::Result<()> {
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, &self.target)?;
            self.target.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
        };
        is_free(&self.target)?; // checked again
        naming().with_context(|| format!("cannot write {}", self.target.display()))?;
        self.is_finished = true;
        Ok(self.target.clone())
    }
}

impl Drop for PartialCopy {
    fn drop(&mut self) {
        if !self.is_finished {
            fs::remove_file(&self.path).ok(); // if it stays, the next attempt says so
        }
    }
}

/// Checks that neither the file exists nor a write-ahead log beside it, which SQLite would use for
/// the copy.
fn is_free(target: &Path) -> anyhow::Result<()> {
    for path in [target.to_owned(), beside(target, "-wal")] {
        if path.symlink_metadata().is_ok() {
            bail!(
                "{} exists already and was not changed; give the copy another name",
                path.display()
            );
        }
    }
    Ok(())
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
