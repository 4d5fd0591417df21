//! Counts the instructions of a scenario: runs this program under callgrind. Knows no baseline.

use std::env;
use std::hint::black_box;
use std::process::{Command, Output};

use anyhow::{Context, ensure};

/// Callgrind counts while it is inside functions with a name like this, mangled or not.
const COUNTED: &str = "--toggle-collect=*parlor_bench*guard*callgrind*counted*";

/// Makes the allocator keep all freed pieces of memory (up to 1 KiB) for the next ones of their
/// size, so that a piece costs the same each time. Otherwise a count would also depend on which
/// pieces happen to lie side by side in memory, and are merged and split again.
const ALLOCATOR: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=65535");

/// Whether valgrind is installed.
pub(super) fn is_installed() -> bool {
    let printed = Command::new("valgrind").arg("--version").output();
    printed.is_ok_and(|output| output.status.success())
}

/// The number of instructions for each operation of the scenario with this name.
///
/// It needs no time limit: the scenario is a loop that never waits.
pub(super) fn count(name: &str) -> anyhow::Result<f64> {
    let program = env::current_exe().context("cannot find this program")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", COUNTED])
        .arg(program)
        .args(["guard-body", name])
        .envs([ALLOCATOR])
        .output()
        .context("cannot start valgrind")?;
    let Output { status, stdout, stderr } = &output;
    let stderr = String::from_utf8_lossy(stderr);
    ensure!(status.success(), "{name} cannot be counted, {status}:\n{stderr}");
    let operations = String::from_utf8_lossy(stdout).trim().parse().unwrap_or(0.0);
    ensure!(operations > 0.0, "{name} has done no operation");
    let instructions =
        collected(&stderr).with_context(|| format!("callgrind prints no count:\n{stderr}"))?;
    ensure!(
        instructions > 0.0,
        "callgrind has not found the function to count in {name}: is this program stripped?"
    );
    Ok(instructions / operations)
}

/// The sum in callgrind's output, from the line `==12== Collected : 345`.
fn collected(output: &str) -> Option<f64> {
    let sum = output.lines().find_map(|line| line.split_once("Collected : "));
    sum?.1.trim().parse().ok()
}

/// Does the counted work. Callgrind looks for this function, so it is never inlined.
#[inline(never)]
pub(super) fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_is_found_in_output() {
        let words = "==12== Events    : Ir\n==12== Collected : 345\n==12== \n";
        assert_eq!(collected(words), Some(345.0));
        assert_eq!(collected("==12== \n"), None);
    }
}
