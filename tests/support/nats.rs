//! The program of the server of NATS, which tests do not build.

use std::env;
use std::path::{Path, PathBuf};

use crate::skip;

/// The program; none, with a notice, if it is missing here.
pub(crate) fn program() -> Option<PathBuf> {
    // It is beside the Python of the tests.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("FOREIGN_PYTHON")
        .map_or_else(|| root.join("target/foreign-venv/bin/python"), PathBuf::from);
    let beside = || python.with_file_name("nats-server");
    let program = env::var_os("NATS_SERVER").map_or_else(beside, PathBuf::from);
    if program.exists() {
        return Some(program);
    }
    skip(&format!("{} is missing: ./test installs it", program.display()));
    None
}
