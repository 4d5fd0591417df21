//! A table whose last columns are computed from samples. A scenario names these columns, and gives
//! the cells before them.

use crate::load::{Sample, is_bound_by_load};
use crate::machine::mebibytes;
use crate::report::{Cell, ResultTable, VALID as VALID_NAME, YES};

/// A column, with the computation of its cells.
pub(super) struct Column {
    name: &'static str,
    figure: Figure,
}

/// The figure in a cell, from the samples of a row. Some rows have a reference: the samples of
/// another server under the same load.
enum Figure {
    Median(fn(&Sample) -> f64),
    /// The median of the ratios in each round, if row and reference are valid.
    Ratio(fn(&Sample) -> f64),
    /// Whether the row is valid, or the reason why not.
    Verdict,
}

/// The samples of one server, or the reason why it failed.
pub(super) type ServerTurns = Result<Vec<Sample>, String>;

const fn median_of(name: &'static str, figure: fn(&Sample) -> f64) -> Column {
    let figure = Figure::Median(figure);
    Column { name, figure }
}

const fn ratio_of(name: &'static str, figure: fn(&Sample) -> f64) -> Column {
    let figure = Figure::Ratio(figure);
    Column { name, figure }
}

pub(super) const COST: Column = median_of("ns/delivery", Sample::cost);
pub(super) const COST_RATIO: Column = ratio_of("ratio", Sample::cost);
pub(super) const RATE: Column = median_of("deliveries/s", Sample::rate);
pub(super) const RATE_RATIO: Column = ratio_of("ratio", Sample::rate);
pub(super) const SERVER: Column = median_of("server %", |sample| sample.server_share() * 100.0);
pub(super) const LOAD: Column = median_of("load %", |sample| sample.load_share() * 100.0);
pub(super) const WAITING: Column = median_of("waiting %", |sample| sample.waiting_share() * 100.0);
pub(super) const RESIDENT: Column = median_of("resident, MiB", |sample| mebibytes(sample.resident));
pub(super) const AWAY: Column = median_of("load away", |sample| sample.away);
pub(super) const P50_US: Column = median_of("p50, us", |sample| sample.latency[0]);
pub(super) const P90_US: Column = median_of("p90, us", |sample| sample.latency[1]);
pub(super) const P99_US: Column = median_of("p99, us", p99);
pub(super) const P999_US: Column = median_of("p99.9, us", |sample| sample.latency[3]);
pub(super) const P99_RATIO: Column = ratio_of("p99 ratio", p99);
pub(super) const P50_MS: Column = median_of("p50, ms", |sample| sample.latency[0] / 1e3);
pub(super) const P99_MS: Column = median_of("p99, ms", |sample| sample.latency[2] / 1e3);
pub(super) const P999_MS: Column = median_of("p99.9, ms", |sample| sample.latency[3] / 1e3);
pub(super) const MAX_MS: Column = median_of("max, ms", |sample| sample.latency[4] / 1e3);
pub(super) const VALID: Column = Column { name: VALID_NAME, figure: Figure::Verdict };

fn p99(sample: &Sample) -> f64 {
    sample.latency[2]
}

/// A table that is being filled.
pub(super) struct Sheet {
    pub(super) table: ResultTable,
    columns: &'static [Column],
}

impl Sheet {
    /// A table without rows. `head` names the columns before those that are computed, with ` | `
    /// between them.
    pub(super) fn new(
        title: &str,
        note: impl Into<String>,
        head: &str,
        columns: &'static [Column],
    ) -> Sheet {
        let mut table = ResultTable::new(title, note, head);
        let names = columns.iter().map(|column| column.name.to_owned());
        table.columns.extend(names);
        Sheet { table, columns }
    }

    /// Adds a row: the first cells, and the figures of the samples. Without samples the verdict is
    /// the reason.
    pub(super) fn add<const N: usize>(
        &mut self,
        first: [Cell; N],
        turns: &ServerTurns,
        reference: Option<&ServerTurns>,
    ) {
        debug_assert_eq!(N + self.columns.len(), self.table.columns.len());
        let figures = self.columns.iter().map(|column| match turns {
            Ok(samples) => column.figure.of(samples, reference),
            Err(reason) => column.figure.of_none(reason),
        });
        let row = first.into_iter().chain(figures).collect();
        self.table.rows.push(row);
    }
}

impl Figure {
    fn of(&self, samples: &[Sample], reference: Option<&ServerTurns>) -> Cell {
        match self {
            Figure::Median(figure) => median(samples.iter().map(figure)).into(),
            Figure::Ratio(figure) => {
                let Some(Ok(reference)) = reference else {
                    return Cell::Empty;
                };
                let pairs = samples.iter().zip(reference);
                let ratio = median(pairs.map(|(one, other)| figure(one) / figure(other)));
                let are_valid = verdict(samples) == YES && verdict(reference) == YES;
                are_valid.then_some(ratio).into()
            }
            Figure::Verdict => verdict(samples).into(),
        }
    }

    fn of_none(&self, reason: &str) -> Cell {
        match self {
            Figure::Median(_) | Figure::Ratio(_) => Cell::Empty,
            Figure::Verdict => reason.into(),
        }
    }
}

/// The median.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether the figures are those of the server, or the reason why not.
fn verdict(samples: &[Sample]) -> &'static str {
    let load = median(samples.iter().map(Sample::load_share));
    let server = median(samples.iter().map(Sample::server_share));
    let held_back = samples.iter().filter(|sample| sample.is_held_back).count();
    if is_bound_by_load(load, server) {
        "NO: load"
    } else if held_back * 2 > samples.len() {
        "NO: held back"
    } else {
        YES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn with this cost of the server and this processor time of the load.
    fn turn(cost: f64, load_cpu: f64) -> Sample {
        Sample {
            deliveries: 1e6,
            seconds: 1.0,
            server_cpu: cost / 1e3,
            load_cpu,
            ..Sample::default()
        }
    }

    /// The ratio of the costs, and the verdict.
    fn row(turns: Vec<Sample>, reference: Vec<Sample>) -> [Cell; 2] {
        let mut sheet = Sheet::new("", "", "N", &[COST_RATIO, VALID]);
        sheet.add([1.0.into()], &Ok(turns), Some(&Ok(reference)));
        [sheet.table.rows[0][1].clone(), sheet.table.rows[0][2].clone()]
    }

    #[test]
    fn ratios_are_of_turns_that_follow_each_other() {
        let (slow, fast) = (turn(880.0, 0.5), turn(220.0, 0.5));
        let twice = |sample: Sample| turn(sample.cost() * 2.0, 0.5);
        let turns = vec![twice(slow), twice(fast), twice(fast)];
        let row = row(turns, vec![slow, fast, fast]);
        assert_eq!(row, [2.0.into(), YES.into()]);
    }

    #[test]
    fn ratio_needs_two_valid_figures() {
        let good = turn(220.0, 0.5);
        let bound_by_load = turn(220.0, 1.0);
        let held_back = Sample { is_held_back: true, ..turn(220.0, 0.0) };
        for (one, other, verdict) in [
            (good, bound_by_load, YES),
            (bound_by_load, good, "NO: load"),
            (held_back, good, "NO: held back"),
        ] {
            let row = row(vec![one], vec![other]);
            assert_eq!(row, [Cell::Empty, verdict.into()]);
        }
    }

    #[test]
    fn row_without_samples_has_a_reason() {
        let mut sheet = Sheet::new("", "", "N", &[COST, VALID]);
        sheet.add([1.0.into()], &Err("NO: it has ended".into()), None);
        let row = vec![1.0.into(), Cell::Empty, "NO: it has ended".into()];
        assert_eq!(sheet.table.rows, [row]);
    }
}
