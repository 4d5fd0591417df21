//! Servers of NATS, through which nodes talk.

mod cluster;
mod config;
mod monitor;
mod program;

pub(crate) use cluster::NatsCluster;
pub(crate) use config::NatsSync;
pub(crate) use monitor::NatsCounts;
pub(crate) use program::nats_server;
