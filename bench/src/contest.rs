//! Several servers under the same loads, in turns: what one delivery costs each of them, and how long it takes.

mod versus;

use crate::load::{Sample, is_bound_by_load};
use crate::machine::{Places, mebibytes};
use crate::progress::progress;
use crate::table::{Cell, Chart, Table, VALID, YES};
use crate::target::Target;
use crate::worker::{Order, Worker};
pub(crate) use versus::Versus;

/// Lines come from so many connections.
const SPEAKERS: usize = 4;

/// Share of a core, of server and load together: in a closed loop one of them is busy, unless the server waits ...
const IDLE: f64 = 0.1;

/// ... and if it takes no more lines a second than this, it does so on purpose.
const HELD_BACK: f64 = 5.0 * SPEAKERS as f64;

/// One way to load a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Load {
    /// So many lines under way at once.
    Closed { window: usize },
    /// So many deliveries a second, whatever N is.
    Open { deliveries: f64 },
}

/// Who is measured, and how.
pub(crate) struct Contest {
    pub(crate) targets: Vec<Target>,
    pub(crate) listeners: Vec<usize>,
    pub(crate) loads: Vec<Load>,
    /// Each server has so many turns under each load.
    pub(crate) rounds: usize,
    /// How long a turn is.
    pub(crate) seconds: f64,
    pub(crate) places: Places,
    /// Two to be compared with each other.
    pub(crate) versus: Option<Versus>,
}

impl Contest {
    /// Runs it. Ratios are to the target with the name `reference`.
    pub(crate) fn run(&self, title: &str, reference: &str) -> anyhow::Result<Vec<Table>> {
        let mut costs = cost_table(title, reference);
        let mut latencies = latency_table();
        let mut versus = self.versus.map(Versus::table);
        for &listeners in &self.listeners {
            progress(format_args!(
                "N = {listeners}: {} servers, all clients come",
                self.targets.len()
            ));
            let targets = self.targets.iter();
            let mut entrants: Vec<Entrant> = targets
                .map(|target| self.let_in(target, listeners))
                .collect();
            for &load in &self.loads {
                progress(format_args!("N = {listeners}, {}", load.name()));
                let turns = self.take_turns(&mut entrants, load.order(listeners, self.seconds));
                for (entrant, samples) in entrants.iter().zip(&turns) {
                    let name = entrant.target.name.as_str();
                    let head = || {
                        [
                            Cell::from(listeners as f64),
                            load.name().into(),
                            name.into(),
                        ]
                    };
                    if let Err(reason) = &entrant.state {
                        costs.row(failure_cells(head(), reason));
                        continue;
                    }
                    let basis = basis(&entrants, &turns, reference);
                    costs.row(cost_cells(head(), (listeners, load), samples, basis));
                    latencies.row(latency_cells(head(), samples, basis));
                }
                if let (Some(Versus { one, other }), Some(table)) = (self.versus, &mut versus)
                    && let Some(one) = basis(&entrants, &turns, one)
                    && let Some(other) = basis(&entrants, &turns, other)
                {
                    table.row(versus::cells((listeners, load), [one, other]));
                }
            }
        }
        Ok([costs, latencies].into_iter().chain(versus).collect())
    }

    /// Starts a server and its clients.
    fn let_in<'a>(&self, target: &'a Target, listeners: usize) -> Entrant<'a> {
        let Places { server, load } = self.places;
        let mut entrant = Entrant {
            target,
            state: Err(String::new()),
        };
        match Worker::start(target, &[server], load, listeners, SPEAKERS) {
            Ok(worker) => entrant.state = Ok(worker),
            Err(error) => entrant.leave_out(&error),
        }
        entrant
    }

    /// The samples of each entrant. Whoever fails takes no more turns.
    fn take_turns(&self, entrants: &mut [Entrant], order: Order) -> Vec<Vec<Sample>> {
        let mut turns = vec![Vec::new(); entrants.len()];
        for _ in 0..self.rounds {
            for (entrant, samples) in entrants.iter_mut().zip(&mut turns) {
                let Ok(worker) = &mut entrant.state else {
                    continue;
                };
                match worker.run(order) {
                    Ok(sample) => samples.push(sample),
                    Err(error) => entrant.leave_out(&error),
                }
            }
        }
        turns
    }
}

/// The samples of the one with the name `reference`, unless it has failed.
fn basis<'a>(
    entrants: &[Entrant],
    turns: &'a [Vec<Sample>],
    reference: &str,
) -> Option<&'a Vec<Sample>> {
    let mut pairs = entrants.iter().zip(turns);
    let is_reference =
        |entrant: &Entrant| entrant.target.name == reference && entrant.state.is_ok();
    let (_, samples) = pairs.find(|(entrant, _)| is_reference(entrant))?;
    Some(samples)
}

/// One server, with all its clients; or why it has none any more.
struct Entrant<'a> {
    target: &'a Target,
    state: Result<Worker, String>,
}

impl Entrant<'_> {
    /// Ends the server and its clients; the others go on.
    fn leave_out(&mut self, error: &anyhow::Error) {
        let (name, reason) = (&self.target.name, format!("{error:#}"));
        let reason = reason.trim_start_matches(&format!("{name}: ")).to_owned();
        progress(format_args!("{name} fails and is left out: {reason}"));
        self.state = Err(reason);
    }
}

impl Load {
    fn order(self, listeners: usize, seconds: f64) -> Order {
        match self {
            Load::Closed { window } => Order::Closed { window, seconds },
            Load::Open { deliveries } => Order::Open {
                rate: deliveries / listeners as f64,
                seconds,
            },
        }
    }

    fn name(self) -> String {
        match self {
            Load::Closed { window } => format!("W = {window}"),
            Load::Open { deliveries } => format!("{deliveries}/s"),
        }
    }
}

/// The figure in the middle.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether a figure is the server's, the two being busy to such shares of their cores.
pub(crate) fn validity(load_share: f64, server_share: f64) -> Cell {
    verdict(load_share, server_share).into()
}

fn verdict(load_share: f64, server_share: f64) -> &'static str {
    if is_bound_by_load(load_share, server_share) {
        "NO: load"
    } else {
        YES
    }
}

/// The same for all turns at one point of the grid.
fn judge(listeners: usize, load: Load, samples: &[Sample]) -> &'static str {
    let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
    let (load_share, server_share) = (of(Sample::load_share), of(Sample::server_share));
    let lines = of(Sample::rate) / (listeners as f64);
    let is_idle = load_share + server_share < IDLE && lines < HELD_BACK;
    let is_held_back = is_idle && matches!(load, Load::Closed { .. });
    match verdict(load_share, server_share) {
        YES if is_held_back => "NO: held back",
        verdict => verdict,
    }
}

fn cost_table(title: &str, reference: &str) -> Table {
    let mut table = Table::new(
        &format!("{title}: CPU for each delivery"),
        &format!(
            "User and system time of the server for each line that reached somebody. N listeners and {SPEAKERS} speakers; \
             lines of 64 bytes. W lines are under way at once, and a line is done when all N have it. Medians of turns; \
             the ratio is to the {reference}. Where the load was busier than 90 % of its core and busier than the server, \
             it was the bottleneck: the figure is not valid, and there is no ratio. The same where both were idle in the \
             closed loop: then the server held its clients back."
        ),
        [
            "N",
            "load",
            "server",
            "ns/delivery",
            "ratio",
            "deliveries/s",
            "server %",
            "load %",
            "MiB",
            VALID,
        ],
    );
    table.chart = Some(Chart {
        group: vec![0, 1],
        series: 2,
        value: 3,
        logarithmic: true,
    });
    table
}

fn latency_table() -> Table {
    Table::new(
        "Time until a listener has a line",
        "Microseconds, over all listeners and lines; medians of turns. In the closed loop it grows with N and W by nature, as \
         one line is written N times; in the open loop it counts from the moment a line was due.",
        [
            "N",
            "load",
            "server",
            "p50",
            "p90",
            "p99",
            "p99.9",
            "p99 ratio",
        ],
    )
}

fn cost_cells(
    head: [Cell; 3],
    (listeners, load): (usize, Load),
    samples: &[Sample],
    basis: Option<&Vec<Sample>>,
) -> [Cell; 10] {
    let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure));
    let verdict = judge(listeners, load, samples);
    let basis = basis.filter(|_| verdict == YES);
    let ratio = basis.map(|basis| of(Sample::cost) / median(basis.iter().map(Sample::cost)));
    let [listeners, load, server] = head;
    [
        listeners,
        load,
        server,
        of(Sample::cost).into(),
        ratio.into(),
        of(Sample::rate).into(),
        (of(Sample::server_share) * 100.0).into(),
        (of(Sample::load_share) * 100.0).into(),
        mebibytes(of(|sample| sample.resident)).into(),
        verdict.into(),
    ]
}

/// Who fails has no figures, but a reason.
fn failure_cells([listeners, load, server]: [Cell; 3], reason: &str) -> [Cell; 10] {
    let none = || Cell::Empty;
    [
        listeners,
        load,
        server,
        none(),
        none(),
        none(),
        none(),
        none(),
        none(),
        format!("NO: {reason}").into(),
    ]
}

fn latency_cells(head: [Cell; 3], samples: &[Sample], basis: Option<&Vec<Sample>>) -> [Cell; 8] {
    let of = |samples: &[Sample], index: usize| {
        median(samples.iter().map(|sample| sample.latency[index]))
    };
    let ratio = basis.map(|basis| of(samples, 2) / of(basis, 2));
    let [listeners, load, server] = head;
    [
        listeners,
        load,
        server,
        of(samples, 0).into(),
        of(samples, 1).into(),
        of(samples, 2).into(),
        of(samples, 3).into(),
        ratio.into(),
    ]
}
