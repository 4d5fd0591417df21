//! The limits that a configuration sets, and those of the system that it has to fit into. Knows no connection.

use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, ensure};
use parlor_core::model::{Capacity, Limits, rate};
use rustix::process::{Resource, getrlimit};
use signal_hook::consts::SIGXFSZ;
use signal_hook::flag;

use crate::config::{Config, Rate};
use crate::door;

/// These descriptors are not for connections: listeners, files, and one in reserve.
const DESCRIPTORS_KEPT: usize = 64;

/// With fewer places than this, the limit of descriptors is a mistake and no setting.
const PLACES_MIN: usize = 16;

/// With fewer places than this, the operator is told.
const PLACES_FEW: usize = 256;

/// Threads beside those of the runtime, one for each core: log and signals, journal, and blocking work.
const THREADS_BESIDE: usize = 16;

/// Whether this process may open enough files; warns where few people fit, or fewer than the configuration says.
///
/// # Errors
/// It cannot serve anybody like that: what to do.
pub(crate) fn check_descriptors(config: &Config) -> anyhow::Result<()> {
    let descriptors = door::raise_limit();
    let places = descriptors.saturating_sub(DESCRIPTORS_KEPT);
    ensure!(
        places >= PLACES_MIN,
        "this process may open {descriptors} files, and a server needs {} or more; raise the limit: \
         ulimit -n 4096, or LimitNOFILE= in a unit file",
        DESCRIPTORS_KEPT + PLACES_MIN
    );
    match config.connections {
        Some(wanted) if wanted > places => tracing::warn!(
            "{wanted} connections are allowed, but only {places} fit, as this process may open {descriptors} files; \
             raise the limit: ulimit -n {}, or LimitNOFILE= in a unit file",
            wanted.saturating_add(DESCRIPTORS_KEPT)
        ),
        None if places < PLACES_FEW => tracing::warn!(
            "only {places} connections fit, as this process may open {descriptors} files; \
             raise the limit: ulimit -n 4096, or LimitNOFILE= in a unit file"
        ),
        _ => {}
    }
    Ok(())
}

/// Whether the system gives as many threads as the program needs: the runtime would panic at the first that it does not get.
///
/// # Errors
/// It does not: what to do.
pub fn check_threads() -> anyhow::Result<()> {
    let wanted = thread::available_parallelism().map_or(1, NonZero::get) + THREADS_BESIDE;
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // All of them are there at once, until this is dropped.
        let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..wanted {
            let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
            thread::Builder::new().spawn_scoped(scope, wait)?;
        }
        Ok::<(), io::Error>(())
    })
    .with_context(|| {
        format!("the system gives this user no {wanted} threads; raise the limit: ulimit -u, or TasksMax= in a unit file")
    })
}

/// Lets a write beyond `ulimit -f` fail, as on a full disk: otherwise the system ends the process at once.
///
/// # Errors
/// The signal cannot be caught.
pub fn survive_file_size() -> anyhow::Result<()> {
    flag::register(SIGXFSZ, Arc::default()).context("cannot catch SIGXFSZ")?;
    Ok(())
}

/// Warns where files may not grow for ever: one day lines would be refused.
pub(crate) fn check_file_size(config: &Config) {
    if let (Some(bytes), false) = (getrlimit(Resource::Fsize).current, config.memory) {
        tracing::warn!(
            "this process may write files of {bytes} bytes at most, and lines are refused when the file of lines is that long; \
             raise the limit: ulimit -f unlimited, or LimitFSIZE= in a unit file"
        );
    }
}

/// How many connections there may be: as many as there are descriptors, where nothing else was said.
pub(crate) fn connections(config: &Config) -> usize {
    let descriptors = door::raise_limit();
    config
        .connections
        .unwrap_or(descriptors.saturating_sub(DESCRIPTORS_KEPT).max(1))
}

/// How fast one may speak.
pub(crate) fn pace(config: &Config) -> Option<rate::Rate> {
    match config.rate {
        Rate::Off => None,
        Rate::PerSecond(lines) => Some(rate::Rate {
            per_second: lines.get(),
        }),
    }
}

/// What the broadcaster holds.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits {
        rooms: config.rooms,
        log: Capacity {
            lines: config.log_lines,
            bytes: config.log_size.bytes(),
        },
        logs_bytes: config.log_total.bytes(),
        retain: config.retain.time(),
        ..Limits::default()
    }
}
