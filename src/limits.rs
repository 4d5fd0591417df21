//! The limits that a configuration sets, as those want them who keep to them. Knows no connection.

use parlor_core::broadcaster::Limits;
use parlor_core::log::Capacity;
use parlor_core::rate;

use crate::config::{Config, Rate};
use crate::door;

/// These descriptors are not for connections: listeners, files, and one in reserve.
const DESCRIPTORS_KEPT: usize = 64;

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
