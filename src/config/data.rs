//! The place where lines are stored, and the safety with which they are stored.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use rustix::process::geteuid;
use serde::Serialize;

use super::units::InvalidValue;

/// How safely a line is stored before people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The line is on disk, and survives a power cut
    Synced,
    /// The system has the line; it survives a crash of the program
    Written,
}

/// The socket through which the operator controls a server, in the server's directory.
pub(crate) const SOCKET_FILE: &str = "parlor.sock";

/// The option of all commands that use the directory of a server.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DataOption {
    /// The directory in which the server stores its lines [default: as for serve]
    #[arg(long, global = true, env = "PARLOR_DATA", value_name = "DIR", value_hint = ValueHint::DirPath)]
    data: Option<PathBuf>,
}

impl DataOption {
    /// The directory in which lines are stored.
    ///
    /// # Errors
    /// The option is not given, and this system has no usual directory.
    pub fn directory(&self) -> Result<PathBuf, InvalidValue> {
        directory(self.data.as_deref())
    }
}

/// The directory in which lines are stored: the named one, or the usual one.
pub(super) fn directory(named: Option<&Path>) -> Result<PathBuf, InvalidValue> {
    named.map_or_else(usual, |named| Ok(named.to_owned()))
}

/// The usual directory: systemd names it for a service; root uses the system's place, and other
/// users that of the XDG base directory specification.
fn usual() -> Result<PathBuf, InvalidValue> {
    let of_service = || set("STATE_DIRECTORY").map(PathBuf::from);
    let of_system = || geteuid().is_root().then(|| PathBuf::from("/var/lib/parlor"));
    let of_user = || {
        let shared = set("XDG_DATA_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(set("HOME")?).join(".local/share"));
        Some(shared.or_else(home)?.join("parlor"))
    };
    of_service().or_else(of_system).or_else(of_user).ok_or_else(|| {
        InvalidValue::new("HOME is not set, so there is no directory for lines; choose one with --data DIR, or store nothing with --memory")
    })
}

fn set(variable: &str) -> Option<OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}
