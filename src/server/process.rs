//! The system's limits for this process: open files, threads, the size of a file. Knows no
//! connection.

use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, ensure};
use rustix::process::{Resource, getrlimit};
use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

use crate::config::{Config, descriptors_for, places};

/// If fewer connections than this fit, the limit of descriptors is a mistake.
const PLACES_MIN: usize = 16;

/// If fewer connections than this fit, the server warns the operator.
const PLACES_FEW: usize = 256;

/// The threads in addition to those of the runtime, which has one for each core: for log and
/// signals, journal, and blocking work.
const THREADS_BESIDE: usize = 16;

/// Checks that this process may open enough files; warns if few people fit, or fewer than the
/// configuration says.
///
/// # Errors
///
/// It cannot open enough files for one client. The error says what to do.
pub(crate) fn check_descriptors(config: &Config, descriptors: usize) -> anyhow::Result<()> {
    let places = places(descriptors);
    ensure!(
        places >= PLACES_MIN,
        "this process may open {descriptors} files, and a server needs {} or more; raise the limit: \
         ulimit -n 4096, or LimitNOFILE= in a unit file",
        descriptors_for(PLACES_MIN)
    );
    match config.connections {
        Some(wanted) if wanted > places => tracing::warn!(
            "{wanted} connections are allowed, but only {places} fit, as this process may open {descriptors} files; \
             raise the limit: ulimit -n {}, or LimitNOFILE= in a unit file",
            descriptors_for(wanted)
        ),
        None if places < PLACES_FEW => tracing::warn!(
            "only {places} connections fit, as this process may open {descriptors} files; \
             raise the limit: ulimit -n 4096, or LimitNOFILE= in a unit file"
        ),
        _ => {}
    }
    Ok(())
}

/// Checks that the system grants all threads that the program needs: without one of them the
/// runtime would panic.
///
/// # Errors
///
/// The system does not grant them. The error says what to do.
pub fn check_threads() -> anyhow::Result<()> {
    let wanted = thread::available_parallelism().map_or(1, NonZero::get) + THREADS_BESIDE;
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // All threads run at once, until this is dropped.
        let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..wanted {
            let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
            thread::Builder::new().spawn_scoped(scope, wait)?;
        }
        Ok::<(), io::Error>(())
    })
    .with_context(|| {
        format!("the system does not allow this user {wanted} more threads; raise the limit: ulimit -u, or TasksMax= in a unit file")
    })
}

/// Lets a write beyond `ulimit -f` fail, as on a full disk. Otherwise the system ends the process
/// at once.
///
/// # Errors
/// The signal cannot be caught.
pub fn survive_file_size() -> anyhow::Result<()> {
    flag::register(SIGXFSZ, Arc::default()).context("cannot catch SIGXFSZ")?;
    Ok(())
}

/// Warns if the size of files has a limit, because lines will be refused when it is reached.
pub(crate) fn check_file_size(config: &Config) {
    if let (Some(bytes), false) = (getrlimit(Resource::Fsize).current, config.memory) {
        tracing::warn!(
            "this process may write files of {bytes} bytes at most, and lines are refused when the file of lines is that long; \
             raise the limit: ulimit -f unlimited, or LimitFSIZE= in a unit file"
        );
    }
}
