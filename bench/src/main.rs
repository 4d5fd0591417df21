//! Measures Parlor: against the bare loop, against other servers, and against its own past.
//!
//! Every server is started here, on loopback, for a limited time, and ended by its process id.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what this program prints is what it is for"
)]

mod guard;
mod hostile;
mod load;
mod machine;
mod report;
mod runs;
mod server;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use report::ReportOptions;
use runs::{Conditions, NodesOptions, PeerOptions};
use server::BareLoop;

/// Measure Parlor against the bare loop, other servers and its own past
#[derive(Debug, Parser)]
#[command(name = "parlor-bench", version)]
struct BenchOptions {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// The cost and the latency of a delivery: the bare loop and Parlor in turns; with --door ws,
    /// also the additional cost over WebSockets, with --door tls and https that of TLS; with --door
    /// irc, the lines of the bare loop are as long as those of IRC
    Fanout {
        #[command(flatten)]
        conditions: Conditions,
        /// The bare loop that Parlor on disk is compared with
        #[arg(long, value_enum, default_value_t = BareLoop::Plain)]
        bare: BareLoop,
    },
    /// The cost and the latency of a delivery in other servers: the book's program on tokio, ncat
    /// --chat, ngircd, NATS, Redis, and any other server for lines
    Peers {
        #[command(flatten)]
        conditions: Conditions,
        #[command(flatten)]
        others: PeerOptions,
    },
    /// Thousands of people come at once, leave at once and return, while others talk
    Storm(Conditions),
    /// The server is stopped and started again while people are in it: how long they have none, at
    /// each door
    Restart(Conditions),
    /// The memory of an idle connection, and of a line in the log of a room
    Idle(Conditions),
    /// The effect of stuck and slow readers on the others, and whether skipped lines are reported
    /// exactly
    Slow(Conditions),
    /// People of whom half sit in 20 rooms, through the door for IRC: what the others notice
    Rooms(Conditions),
    /// People come and leave for minutes or hours while others talk: what grows?
    Churn {
        #[command(flatten)]
        conditions: Conditions,
        /// The length of the measurement [default: 300; quick: 30]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10..))]
        seconds: Option<u64>,
    },
    /// The speed of the server on one core, and on all
    Cores(Conditions),
    /// A hundred people speak as fast as lines can be written to disk: does a listener miss one?
    Intake(Conditions),
    /// Several nodes, one house, with servers of NATS: the cost of a delivery on a node, lines a second,
    /// bytes between nodes
    Nodes {
        #[command(flatten)]
        conditions: Conditions,
        #[command(flatten)]
        options: NodesOptions,
    },
    /// A page of Markdown with pictures, from results that the other commands wrote with --json
    Report(ReportOptions),
    /// The cost of a line in instructions, compared with the baseline in bench/guard.toml
    Guard {
        /// Make the new counts the baseline
        #[arg(long)]
        update: bool,
    },
    /// Hostile lines through the parser of IRC, a server without sockets and its encoders: nothing may
    /// panic, hang, grow or send a control character
    Hostile {
        /// The number of lines
        #[arg(long, value_name = "N", default_value_t = 100_000_000)]
        lines: u64,
        /// The seed of the lines
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
    },
    /// One scenario of the guard (started by it)
    #[command(hide = true)]
    GuardBody { name: String },
    /// The bare loop, on this port (started by the others)
    #[command(hide = true)]
    Bare { port: u16, prefix: usize, log: Option<PathBuf> },
    /// Clients of one server (started by the others)
    #[command(hide = true)]
    Load { assignment: String },
    /// A crowd at one node (started by the others)
    #[command(hide = true)]
    Crowd { assignment: String },
    /// Parlor itself, built into this program
    #[command(hide = true, disable_help_flag = true)]
    Parlor {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

fn main() -> anyhow::Result<()> {
    machine::raise_descriptors();
    match BenchOptions::parse().command {
        BenchCommand::Fanout { conditions, bare } => {
            conditions.run(|bench| runs::fanout(bench, bare))
        }
        BenchCommand::Peers { conditions, others } => {
            conditions.run(|bench| runs::peers(bench, &others))
        }
        BenchCommand::Storm(conditions) => conditions.run(runs::storm),
        BenchCommand::Restart(conditions) => conditions.run(runs::restart),
        BenchCommand::Idle(conditions) => conditions.run(runs::idle),
        BenchCommand::Slow(conditions) => conditions.run(runs::slow),
        BenchCommand::Rooms(conditions) => conditions.run(runs::rooms),
        BenchCommand::Churn { conditions, seconds } => {
            conditions.run(|bench| runs::churn(bench, seconds))
        }
        BenchCommand::Cores(conditions) => conditions.run(runs::cores),
        BenchCommand::Intake(conditions) => conditions.run(runs::intake),
        BenchCommand::Nodes { conditions, options } => {
            conditions.run(|bench| runs::nodes(bench, &options))
        }
        BenchCommand::Report(options) => report::write(&options, &report::as_typed()),
        BenchCommand::Guard { update } => guard::run(update),
        BenchCommand::Hostile { lines, seed } => hostile::run(lines, seed),
        BenchCommand::GuardBody { name } => guard::run_body(&name),
        BenchCommand::Bare { port, prefix, log } => {
            as_child(|| server::serve_bare(port, prefix, log.as_deref()))
        }
        BenchCommand::Load { assignment } => load::work(&assignment),
        BenchCommand::Crowd { assignment } => load::gather(&assignment),
        BenchCommand::Parlor { words } => as_child(|| serve(words)),
    }
}

/// Runs one of the hidden commands, in a process that ends with the one that started it.
fn as_child(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    machine::end_with_parent()?;
    work()
}

/// Runs the server as `parlor serve` does.
fn serve(words: Vec<OsString>) -> anyhow::Result<()> {
    use parlor::cli::{Action, CommandLine};
    use parlor::server::PassedSockets;
    let words = [OsString::from("parlor")].into_iter().chain(words);
    let Action::Serve(options) = CommandLine::read(words.collect())?.action else {
        anyhow::bail!("only `serve` is measured");
    };
    let config = options.load()?;
    parlor::telemetry::start(config.log, config.log_format)?;
    tokio::runtime::Runtime::new()?.block_on(parlor::serve(config, None, PassedSockets::default()))
}
