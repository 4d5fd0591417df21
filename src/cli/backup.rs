//! `parlor backup`: a whole copy of what has been kept, whether or not a server runs. Knows no connection.
//!
//! The copy is that of one moment, and whoever writes meanwhile waits for nothing. Nothing is in it that has been taken
//! out. It gets its name when it is on disk and has been looked at, so that whatever has the name is a backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use crate::config::directory;
use crate::journal::{self, Extent};

/// What `backup` takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct BackupOptions {
    /// The copy; the file must not exist yet
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The directory in which the server stores its lines [default: as for serve]
    #[arg(long, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
}

/// Copies what is kept, and says in a sentence what is in the copy.
///
/// # Errors
/// There is no copy then, for a reason in one sentence.
pub fn backup(options: &BackupOptions) -> anyhow::Result<String> {
    let (archive, source) = journal::open_stored(&directory(options.data.as_deref())?)?;
    let target = absolute(&options.file).context("the copy needs a file name")?;
    let part = Part::begin(target)?;
    archive.copy_to(&part.path).with_context(|| {
        format!(
            "cannot copy {} to {}",
            source.display(),
            part.path.display()
        )
    })?;
    let Extent { rooms, lines } = part.verify(&source)?;
    let target = part.finish()?;
    let target = target.display();
    Ok(format!(
        "{target}: no damage; lines: {lines}, rooms: {rooms}\n"
    ))
}

/// A copy that is no backup yet. Dropped, it is removed.
struct Part {
    /// Where it is written: beside the place where it is going to be.
    path: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

impl Part {
    /// Makes sure that the copy takes nobody's place, and begins with an empty file that is for this user alone.
    fn begin(target: PathBuf) -> anyhow::Result<Part> {
        is_free(&target)?;
        let path = beside(&target, ".part");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match file {
            Ok(_) => Ok(Part {
                path,
                target,
                is_finished: false,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
                "{} exists: another backup is writing it, or one was interrupted; in that case remove it",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
        }
    }

    /// What is in it, if all is as it was written.
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

    /// Has it written to the disk, and gives it its name there.
    fn finish(mut self) -> anyhow::Result<PathBuf> {
        let naming = || -> io::Result<()> {
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, &self.target)?;
            self.target
                .parent()
                .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
        };
        is_free(&self.target)?; // still
        naming().with_context(|| format!("cannot write {}", self.target.display()))?;
        self.is_finished = true;
        Ok(self.target.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_finished {
            fs::remove_file(&self.path).ok(); // whoever tries again is told that it is there
        }
    }
}

/// Neither it nor the log of another database that would be taken for its own.
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
