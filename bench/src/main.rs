//! Measures Parlor: against the bare loop, against what one would use instead, and against itself.
//!
//! Everything is started here, on loopback, bounded in time, and ended by its process id.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what this program prints is what it is for"
)]

mod bare;
mod churn;
mod contest;
mod cores;
mod doors;
mod fanout;
mod guard;
mod idle;
mod intake;
mod load;
mod machine;
mod peers;
mod progress;
mod report;
mod slow;
mod storm;
mod table;
mod target;
mod websocket;
mod worker;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, FromArgMatches, Parser, Subcommand};
use jiff::Timestamp;

use doors::{Door, Parlor};
use machine::{Machine, Places, on_cores};
use table::{Results, Table, Versions};

/// Measure Parlor against the bare loop, its peers and itself
#[derive(Debug, Parser)]
#[command(name = "parlor-bench", version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What one delivery costs, and how long it takes: the bare loop and Parlor in turns; with --door ws, how much more it is over
    /// WebSockets than with lines
    Fanout(Scene),
    /// The same for what one would use instead: ncat --chat, ngircd, NATS, Redis, and any line server
    Peers {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        others: peers::Others,
    },
    /// Thousands come at once, go at once and come back, while others talk
    Storm(Scene),
    /// What an idle connection takes in memory, and a line that is kept
    Idle(Scene),
    /// Readers who stand still or drip: what the others notice, and whether skips are told exactly
    Slow(Scene),
    /// People come and go for minutes or hours while others talk: what grows?
    Churn {
        #[command(flatten)]
        scene: Scene,
        /// For so long [default: 300; quick: 30]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10..))]
        seconds: Option<u64>,
    },
    /// What the server does on one core, and on all
    Cores(Scene),
    /// A hundred speak as fast as lines can be put on disk: does anybody miss one?
    Intake(Scene),
    /// A page of Markdown with pictures, from what the others wrote with --json
    Report(report::Options),
    /// What a line costs in instructions, against the baseline in bench/guard.toml
    Guard {
        /// Make what is counted now the baseline
        #[arg(long)]
        update: bool,
    },
    /// A scenario of the guard (started by it)
    #[command(hide = true)]
    GuardBody { name: String },
    /// The bare loop, on this port (started by the others)
    #[command(hide = true)]
    Bare { port: u16 },
    /// Clients of one server (started by the others)
    #[command(hide = true)]
    Load { assignment: String },
    /// Parlor itself, built into this program
    #[command(hide = true, disable_help_flag = true)]
    Parlor {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// Finish in about a minute: fewer points, shorter turns
    #[arg(long)]
    quick: bool,
    /// Write the results to FILE as JSON, for `report`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this program instead of the Parlor that is built in
    #[arg(long, value_name = "PROGRAM")]
    parlor: Option<String>,
}

/// Options of what can be measured through either door.
#[derive(Debug, Args)]
struct Scene {
    #[command(flatten)]
    common: Common,
    /// Come through this door
    #[arg(long, value_enum, default_value_t = Door::Lines)]
    door: Door,
}

fn main() -> anyhow::Result<()> {
    machine::raise_descriptors();
    match Options::parse().command {
        Command::Fanout(scene) => scene.measure(fanout::run),
        Command::Peers { common, others } => {
            let parlor = common.parlor(Door::Lines);
            let (tables, versions) = peers::run(common.quick, parlor, &others, Places::find())?;
            finish(&common, tables, versions)
        }
        Command::Storm(scene) => scene.play(storm::run),
        Command::Idle(scene) => scene.play(idle::run),
        Command::Slow(scene) => {
            let mut exactness = Ok(());
            scene.play(|quick, parlor, places| {
                let tables;
                (tables, exactness) = slow::run(quick, parlor, places)?;
                Ok(tables)
            })?;
            exactness
        }
        Command::Churn { scene, seconds } => {
            scene.play(|quick, parlor, places| churn::run(quick, seconds, parlor, places))
        }
        Command::Cores(scene) => scene.measure(cores::run),
        Command::Intake(scene) => scene.measure(intake::run),
        Command::Guard { update } => guard::run(update),
        Command::GuardBody { name } => guard::run_body(&name),
        Command::Report(options) => report::run(&options, &as_typed()),
        Command::Bare { port } => machine::end_with_parent().and_then(|()| bare::run(port)),
        Command::Load { assignment } => {
            machine::end_with_parent().and_then(|()| worker::work(&assignment))
        }
        Command::Parlor { words } => machine::end_with_parent().and_then(|()| serve(words)),
    }
}

impl Common {
    fn parlor(&self, door: Door) -> Parlor<'_> {
        let program = self.parlor.as_deref();
        Parlor { program, door }
    }
}

impl Scene {
    /// Measures, and shows what was found.
    fn measure(
        &self,
        run: impl FnOnce(bool, Parlor<'_>, Places) -> anyhow::Result<Vec<Table>>,
    ) -> anyhow::Result<()> {
        let parlor = self.common.parlor(self.door);
        let tables = run(self.common.quick, parlor, Places::find())?;
        finish(&self.common, tables, Vec::new())
    }

    /// The same, where this process is the load and stays on the core for it.
    fn play(
        &self,
        scene: impl FnOnce(bool, Parlor<'_>, Places) -> anyhow::Result<Vec<Table>>,
    ) -> anyhow::Result<()> {
        self.measure(|quick, parlor, places| {
            on_cores(&[places.load], || scene(quick, parlor, places))?
        })
    }
}

/// Prints what was found, and writes it down if that was wanted. `versions` are those of programs
/// other than Parlor.
fn finish(common: &Common, tables: Vec<Table>, versions: Versions) -> anyhow::Result<()> {
    for table in &tables {
        println!("\n{table}");
    }
    let Some(path) = &common.json else {
        return Ok(());
    };
    let results = Results {
        command: as_typed(),
        date: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        machine: Machine::this(),
        versions: [("parlor".into(), env!("CARGO_PKG_VERSION").into())]
            .into_iter()
            .chain(versions)
            .collect(),
        tables,
    };
    let json = serde_json::to_string_pretty(&results)?;
    fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}

/// The command that runs this, so that it can be pasted into a shell.
fn as_typed() -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,+".contains(letter);
    let mut typed = "cargo run --release -p parlor-bench --".to_owned();
    for word in std::env::args().skip(1) {
        typed.push(' ');
        match word.chars().all(is_plain) && !word.is_empty() {
            true => typed.push_str(&word),
            false => typed.push_str(&format!("'{}'", word.replace('\'', r"'\''"))),
        }
    }
    typed
}

/// Runs the server as `parlor serve` does.
fn serve(words: Vec<OsString>) -> anyhow::Result<()> {
    use parlor::cli::args::{self, Command};
    let words = [OsString::from("parlor")].into_iter().chain(words);
    let matches = args::command().get_matches_from(words);
    let Command::Serve(options) = args::Options::from_arg_matches(&matches)?.command else {
        anyhow::bail!("only `serve` is measured");
    };
    let config = parlor::config::Config::load(*options)?;
    parlor::telemetry::start(config.log, config.log_format)?;
    tokio::runtime::Runtime::new()?.block_on(parlor::serve(config, None))
}
