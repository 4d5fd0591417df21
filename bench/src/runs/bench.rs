//! The surroundings of every scenario: its options, Parlor, the cores, a room full of clients, and
//! a place for its tables.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use jiff::Timestamp;

use crate::load::Load;
use crate::machine::{Cores, Machine, stay_on};
use crate::report::{ResultTable, Results, Versions, as_typed};
use crate::server::{BareLoop, LoadDoor, Parlor, Target, bare_loop, bare_loop_with, make_pair};

/// The classes of IRC clients: as many listeners have one of each.
const CLASSES: usize = 3;

/// The number of lines whose length is measured.
const SAMPLE_LINES: u32 = 300;

/// The bytes of a line as its speaker sends it to the bare loop.
const SAID_BYTES: usize = 65;

/// The options of every scenario.
#[derive(Debug, clap::Args)]
pub(crate) struct Conditions {
    /// Finish in about a minute: fewer points, shorter turns
    #[arg(long)]
    quick: bool,
    /// Write the results to FILE as JSON, for `report`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this program instead of the Parlor that is built in
    #[arg(long, value_name = "PROGRAM")]
    parlor: Option<String>,
    /// Connect the load through this door
    #[arg(long, value_enum, default_value_t = LoadDoor::Lines)]
    door: LoadDoor,
}

impl Conditions {
    /// Runs a scenario on the core for the load, prints its tables, and writes them if the user
    /// wants that. Even a scenario that fails may have tables.
    pub(crate) fn run(
        self,
        scenario: impl FnOnce(&mut Bench) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let cores = Cores::find();
        stay_on(&[cores.load])?;
        let mut bench = Bench {
            quick: self.quick,
            parlor: Parlor { program: self.parlor, door: self.door, pair: make_pair()? },
            cores,
            tables: Vec::new(),
            versions: vec![("parlor".into(), env!("CARGO_PKG_VERSION").into())],
        };
        let outcome = scenario(&mut bench);
        for table in &bench.tables {
            println!("\n{table}");
        }
        if let Some(path) = self.json.filter(|_| !bench.tables.is_empty()) {
            let results = Results {
                command: as_typed(),
                date: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                machine: Machine::with_cores(bench.cores.all.len()),
                versions: bench.versions,
                tables: bench.tables,
            };
            results.write(&path)?;
        }
        outcome
    }
}

/// The conditions and the results of one scenario.
pub(crate) struct Bench {
    quick: bool,
    pub(super) parlor: Parlor,
    pub(super) cores: Cores,
    pub(super) tables: Vec<ResultTable>,
    /// Versions of measured programs.
    pub(super) versions: Versions,
}

impl Bench {
    /// The first value with `--quick`, otherwise the second.
    pub(super) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// A bare loop. For the door for IRC, its lines are as long as those of Parlor are there: their
    /// mean length is measured in a small room with as many clients of each class.
    pub(super) fn bare_loop(&self, kind: BareLoop) -> anyhow::Result<Target> {
        if self.parlor.door != LoadDoor::Irc {
            return Ok(bare_loop(kind));
        }
        let mut load = self.fill(&self.parlor.named(), [CLASSES, 1])?;
        let bytes = load.bytes_of_a_line(SAMPLE_LINES)?;
        progress(format_args!("a line has {bytes:.1} bytes on its way to a client"));
        Ok(bare_loop_with(kind, (bytes.round() as usize).saturating_sub(SAID_BYTES)))
    }

    /// A remark on the bare loop for a note.
    pub(super) fn bare_loop_note(&self) -> &'static str {
        match self.parlor.door {
            LoadDoor::Irc => ", whose lines are as long as the mean of the others",
            LoadDoor::Lines | LoadDoor::Ws | LoadDoor::Tls | LoadDoor::Https => "",
        }
    }

    /// A server on its core, and in its first room this many listeners and speakers.
    pub(super) fn fill(&self, target: &Target, clients: [usize; 2]) -> anyhow::Result<Load> {
        Load::fill(target, &[self.cores.server], clients)
    }
}

/// Prints what happens now, with the seconds since the start: on stderr, so that stdout has only
/// the results.
pub(super) fn progress(what: impl Display) {
    static START: OnceLock<Instant> = OnceLock::new();
    let seconds = START.get_or_init(Instant::now).elapsed().as_secs();
    eprintln!("{seconds:>4} s  {what}");
}
