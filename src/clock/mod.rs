//! Clocks, timers, times as people type them, and the trusted time while the machine's clock may be
//! wrong.

pub(crate) mod moment;
mod now;
mod standstill;
mod trust;

pub use now::zone_is_unknown;
pub(crate) use now::{Clock, wall, wall_awake};
pub(crate) use standstill::{HyperTimer, Sleep, sleep, timeout};
pub(crate) use trust::{LOOK_EVERY, Trust, bounded};
