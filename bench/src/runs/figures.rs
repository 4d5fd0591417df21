//! The columns whose cells are computed from samples. A scenario names them in the head of its
//! table, after the columns that it fills itself.

use crate::load::Sample;
use crate::machine::mebibytes;
use crate::report::{Cell, ResultTable, VALID, YES};

/// If the load uses more than this share of its core, it may be slower than the server, and the
/// measurement is not valid.
const BUSY: f64 = 0.9;

/// How the cells of a column are computed from the samples of a row. Some rows have a reference:
/// the samples of another server under the same load.
enum Figure {
    Median(fn(&Sample) -> f64),
    /// The median of the ratios in each round, if row and reference are valid.
    Ratio(fn(&Sample) -> f64),
    /// Whether the row is valid, or the reason why not.
    Verdict,
}

/// The samples of one server, or the reason why it failed.
pub(super) type ServerTurns = Result<Vec<Sample>, String>;

/// Each figure with the name of its column.
const FIGURES: [(&str, Figure); 22] = [
    ("ns/delivery", Figure::Median(Sample::cost)),
    ("ratio", Figure::Ratio(Sample::cost)),
    ("bytes/delivery", Figure::Median(Sample::size)),
    ("deliveries/s", Figure::Median(Sample::rate)),
    ("rate ratio", Figure::Ratio(Sample::rate)),
    ("lines/s", Figure::Median(Sample::line_rate)),
    ("CPU, us/line", Figure::Median(|sample| sample.server_cpu * 1e6 / sample.lines)),
    ("server %", Figure::Median(|sample| sample.server_share() * 100.0)),
    ("load %", Figure::Median(|sample| sample.load_share() * 100.0)),
    ("waiting %", Figure::Median(|sample| sample.waiting_share() * 100.0)),
    ("resident, MiB", Figure::Median(|sample| mebibytes(sample.resident))),
    ("load away", Figure::Median(|sample| sample.away)),
    ("p50, us", Figure::Median(|sample| sample.latency[0])),
    ("p90, us", Figure::Median(|sample| sample.latency[1])),
    ("p99, us", Figure::Median(|sample| sample.latency[2])),
    ("p99.9, us", Figure::Median(|sample| sample.latency[3])),
    ("p99 ratio", Figure::Ratio(|sample| sample.latency[2])),
    ("p50, ms", Figure::Median(|sample| sample.latency[0] / 1e3)),
    ("p99, ms", Figure::Median(|sample| sample.latency[2] / 1e3)),
    ("p99.9, ms", Figure::Median(|sample| sample.latency[3] / 1e3)),
    ("max, ms", Figure::Median(|sample| sample.latency[4] / 1e3)),
    (VALID, Figure::Verdict),
];

/// Adds a row: the first cells, and the figures of the samples in the columns after them. Without
/// samples the verdict is the reason.
pub(super) fn add_row<const N: usize>(
    table: &mut ResultTable,
    first: [Cell; N],
    turns: &ServerTurns,
    reference: Option<&ServerTurns>,
) {
    let figures = table.columns.iter().skip(N).map(|column| {
        let figure = FIGURES.iter().find(|(name, _)| name == column);
        debug_assert!(figure.is_some(), "no figure has the name {column}");
        figure.map_or(Cell::Null, |(_, figure)| figure.cell(turns, reference))
    });
    let row = first.into_iter().chain(figures).collect();
    table.rows.push(row);
}

impl Figure {
    fn cell(&self, turns: &ServerTurns, reference: Option<&ServerTurns>) -> Cell {
        match (self, turns, reference) {
            (Figure::Verdict, Err(reason), _) => reason.as_str().into(),
            (Figure::Verdict, Ok(samples), _) => verdict(samples).into(),
            (Figure::Median(figure), Ok(samples), _) => median(samples.iter().map(figure)).into(),
            (Figure::Ratio(figure), Ok(samples), Some(Ok(reference)))
                if verdict(samples) == YES && verdict(reference) == YES =>
            {
                let pairs = samples.iter().zip(reference);
                median(pairs.map(|(one, other)| figure(one) / figure(other))).into()
            }
            (Figure::Median(_) | Figure::Ratio(_), _, _) => Cell::Null,
        }
    }
}

/// The median.
pub(super) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether the figures are those of the server, or the reason why not.
fn verdict(samples: &[Sample]) -> &'static str {
    let load = median(samples.iter().map(Sample::load_share));
    let server = median(samples.iter().map(Sample::server_share));
    let held_back = samples.iter().filter(|sample| sample.is_held_back).count();
    if load > BUSY && load > server {
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
        let mut table = ResultTable::new("", "", "N | ratio | valid");
        add_row(&mut table, [1.0.into()], &Ok(turns), Some(&Ok(reference)));
        [table.rows[0][1].clone(), table.rows[0][2].clone()]
    }

    #[test]
    fn ratios_are_of_turns_that_follow_each_other() {
        let (slow, fast) = (turn(880.0, 0.5), turn(220.0, 0.5));
        let twice = |sample: Sample| turn(sample.cost() * 2.0, 0.5);
        let turns = vec![twice(slow), twice(fast), twice(fast)];
        let row = row(turns, vec![slow, fast, fast]);
        assert_eq!(row, [Cell::from(2.0), YES.into()]);
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
            assert_eq!(row, [Cell::Null, verdict.into()]);
        }
    }

    #[test]
    fn row_without_samples_has_a_reason() {
        let mut table = ResultTable::new("", "", "N | ns/delivery | valid");
        add_row(&mut table, [1.0.into()], &Err("NO: it has ended".into()), None);
        let row = vec![1.0.into(), Cell::Null, "NO: it has ended".into()];
        assert_eq!(table.rows, [row]);
    }
}
