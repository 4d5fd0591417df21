//! A table whose last columns are computed from samples. A scenario names these columns, and gives
//! the cells before them.

use crate::load::{Sample, is_bound_by_load};
use crate::machine::mebibytes;
use crate::report::{Cell, ResultTable, VALID as VALID_NAME, YES};

/// A column whose cells are computed from the samples of a row. Some rows have a reference: the
/// samples of another server under the same load.
pub(super) enum Column {
    /// The median of this figure.
    Median(&'static str, fn(&Sample) -> f64),
    /// The median of its ratios in each round, if row and reference are valid.
    Ratio(&'static str, fn(&Sample) -> f64),
    /// Whether the row is valid, or why not.
    Verdict,
}

/// The samples of one server, or the reason why it failed.
pub(super) type ServerTurns = Result<Vec<Sample>, String>;

pub(super) const COST: Column = Column::Median("ns/delivery", Sample::cost);
pub(super) const COST_RATIO: Column = Column::Ratio("ratio", Sample::cost);
pub(super) const RATE: Column = Column::Median("deliveries/s", Sample::rate);
pub(super) const RATE_RATIO: Column = Column::Ratio("ratio", Sample::rate);
pub(super) const SERVER: Column =
    Column::Median("server %", |sample| sample.server_share() * 100.0);
pub(super) const LOAD: Column = Column::Median("load %", |sample| sample.load_share() * 100.0);
pub(super) const WAITING: Column =
    Column::Median("waiting %", |sample| sample.waiting_share() * 100.0);
pub(super) const RESIDENT: Column =
    Column::Median("resident, MiB", |sample| mebibytes(sample.resident));
pub(super) const AWAY: Column = Column::Median("load away", |sample| sample.away);
pub(super) const P50_US: Column = Column::Median("p50, us", |sample| sample.latency[0]);
pub(super) const P90_US: Column = Column::Median("p90, us", |sample| sample.latency[1]);
pub(super) const P99_US: Column = Column::Median("p99, us", p99);
pub(super) const P999_US: Column = Column::Median("p99.9, us", |sample| sample.latency[3]);
pub(super) const P99_RATIO: Column = Column::Ratio("p99 ratio", p99);
pub(super) const P50_MS: Column = Column::Median("p50, ms", |sample| sample.latency[0] / 1e3);
pub(super) const P99_MS: Column = Column::Median("p99, ms", |sample| sample.latency[2] / 1e3);
pub(super) const P999_MS: Column = Column::Median("p99.9, ms", |sample| sample.latency[3] / 1e3);
pub(super) const MAX_MS: Column = Column::Median("max, ms", |sample| sample.latency[4] / 1e3);
pub(super) const VALID: Column = Column::Verdict;

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
        table.columns.extend(columns.iter().map(|column| column.name().to_owned()));
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
        let figures = self.columns.iter().map(|column| column.cell(turns, reference));
        let row = first.into_iter().chain(figures).collect();
        self.table.rows.push(row);
    }
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Column::Median(name, _) | Column::Ratio(name, _) => name,
            Column::Verdict => VALID_NAME,
        }
    }

    fn cell(&self, turns: &ServerTurns, reference: Option<&ServerTurns>) -> Cell {
        match (self, turns, reference) {
            (Column::Verdict, Err(reason), _) => reason.as_str().into(),
            (Column::Verdict, Ok(samples), _) => verdict(samples).into(),
            (Column::Median(_, figure), Ok(samples), _) => {
                median(samples.iter().map(figure)).into()
            }
            (Column::Ratio(_, figure), Ok(samples), Some(Ok(reference)))
                if verdict(samples) == YES && verdict(reference) == YES =>
            {
                let pairs = samples.iter().zip(reference);
                median(pairs.map(|(one, other)| figure(one) / figure(other))).into()
            }
            (Column::Median(..) | Column::Ratio(..), _, _) => Cell::Empty,
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
