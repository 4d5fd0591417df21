//! Log lines and metrics, for the operator. Knows no room.

mod classic;
pub mod logging;
mod metrics;
mod node_metrics;
mod told;

pub(crate) use classic::classic;
pub use logging::{LevelHandle, LogFormat, LogLevel, start};
pub(crate) use metrics::{Metrics, Scrape};
pub(crate) use told::Told;
