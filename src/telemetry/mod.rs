//! Log lines and metrics, for the operator. Knows no room.

pub mod logging;
mod metrics;

pub use logging::{LevelHandle, LogFormat, LogLevel, start};
pub(crate) use metrics::{Metrics, Scrape, classic};
