//! The load: many clients of one server in one thread.
//!
//! One epoll, large reads, and a search for a marker instead of a parse: the load must cost less
//! than the server that it measures.

mod bursts;
mod client;
mod clients;
mod crowd;
mod messages;
mod pinned;
mod process;
mod sample;
mod slow;
mod stop;
mod story;
mod talk;
mod talkers;
mod tally;
mod tls;
mod worker;

pub(crate) use client::Role;
pub(crate) use clients::{ClientId, Load};
pub(crate) use crowd::{CrowdAssignment, CrowdReport, CrowdTask, Crowds, gather};
pub(crate) use sample::{Meter, Sample};
pub(crate) use stop::StoppedServer;
pub(crate) use talkers::{Noticed, Talkers};
pub(crate) use worker::{LoadPace, Worker, work};
