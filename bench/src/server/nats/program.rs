//! The program of the server of NATS, which this repository does not build.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// Where `./test` installs it, from the folder of this program.
const INSTALLED: &str = "../foreign-venv/bin/nats-server";

/// The oldest version that nodes can use.
const VERSION_MIN: (u32, u32) = (2, 12);

/// The server of NATS that the user names, or that `./test` has installed, or that is in the PATH;
/// and its version.
pub(crate) fn nats_server(named: Option<&Path>) -> anyhow::Result<(PathBuf, String)> {
    let installed = std::env::current_exe()?.with_file_name(INSTALLED);
    let in_path = PathBuf::from("nats-server");
    let program = match named {
        Some(named) => std::path::absolute(named)?,
        None if installed.is_file() => installed,
        None => in_path,
    };
    let output = Command::new(&program).arg("--version").output();
    let output = output.with_context(|| {
        format!(
            "there is no {}; ./test installs it; or name it with --nats-server",
            program.display()
        )
    })?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().rsplit(['v', ' ']).next().unwrap_or_default();
    let is_new = numbers(version).is_some_and(|numbers| numbers >= VERSION_MIN);
    ensure!(is_new, "{} has version {version}; nodes need 2.12", program.display());
    Ok((program, version.to_owned()))
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|part| part.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("2.15.1"), Some((2, 15)));
        assert!(numbers("2.9.10") < Some(VERSION_MIN));
        assert!(numbers("10.0") > Some(VERSION_MIN));
        assert_eq!(numbers("unknown"), None);
    }
}
