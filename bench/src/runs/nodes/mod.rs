//! Several nodes, one house: what a delivery costs on a node, how many lines the order takes, how
//! long people wait after a fault, and a large crowd on three nodes.

mod cost;
mod crowd;
mod house;
mod recovery;
mod speed;

use std::path::PathBuf;

use anyhow::ensure;

use super::bench::Bench;
use crate::server::nats_server;

/// The options of this scenario alone.
#[derive(Debug, clap::Args)]
pub(crate) struct NodesOptions {
    /// Measure only this part; may be repeated
    #[arg(long = "part", value_enum, value_name = "PART")]
    parts: Vec<NodesPart>,
    /// The server of NATS [default: the one that ./test installs, or else nats-server in the PATH]
    #[arg(long, value_name = "PROGRAM")]
    nats_server: Option<PathBuf>,
}

/// A part of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum NodesPart {
    /// The cost of a delivery on a node, and on a server alone
    Cost,
    /// Lines a second, the time until a speaker reads a line, and bytes between nodes
    Speed,
    /// How long people wait after a fault
    Recovery,
    /// Thousands of people on three nodes
    Crowd,
}

const PARTS: [NodesPart; 4] =
    [NodesPart::Cost, NodesPart::Speed, NodesPart::Recovery, NodesPart::Crowd];

/// Runs all parts, or those that the user names. A part that fails ends the run; the tables before it
/// stay.
pub(crate) fn run(bench: &mut Bench, options: &NodesOptions) -> anyhow::Result<()> {
    ensure!(!bench.parlor.door.is_encrypted(), "nodes are not measured at doors with TLS");
    let (nats, version) = nats_server(options.nats_server.as_deref())?;
    bench.versions.push(("nats-server".to_owned(), version));
    for part in PARTS {
        if !options.parts.is_empty() && !options.parts.contains(&part) {
            continue;
        }
        match part {
            NodesPart::Cost => cost::run(bench, &nats)?,
            NodesPart::Speed => speed::run(bench, &nats)?,
            NodesPart::Recovery => recovery::run(bench, &nats)?,
            NodesPart::Crowd => crowd::run(bench, &nats)?,
        }
    }
    Ok(())
}
