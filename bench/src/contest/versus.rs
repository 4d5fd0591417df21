//! Two of the servers in a contest beside each other: the turns of one against those of the other next to them.

use super::{Load, judge, median};
use crate::load::Sample;
use crate::table::{Cell, Table, VALID, YES};

/// Names of two servers: that which is looked at, and that which it is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Versus {
    pub(crate) one: &'static str,
    pub(crate) other: &'static str,
}

impl Versus {
    pub(super) fn table(self) -> Table {
        let Versus { one, other } = self;
        Table::new(
            &format!("{one} beside {other}"),
            &format!(
                "CPU for each delivery again, in nanoseconds, and the time until 99 of 100 listeners have a line, in microseconds. The ratios are medians \
                 over pairs of turns, {one} to {other}, which follow each other: so what the machine does meanwhile meets both."
            ),
            [
                "N",
                "load",
                &format!("{other}, ns"),
                &format!("{one}, ns"),
                "ratio",
                &format!("{other}, p99"),
                &format!("{one}, p99"),
                "p99 ratio",
                VALID,
            ],
        )
    }
}

/// A row of it. There are no ratios where either's figures are not its own.
pub(super) fn cells((listeners, load): (usize, Load), [one, other]: [&[Sample]; 2]) -> [Cell; 9] {
    let verdicts = [other, one].map(|samples| judge(listeners, load, samples));
    let doubt = verdicts.into_iter().find(|&verdict| verdict != YES);
    let p99 = |sample: &Sample| sample.latency[2];
    let of = |samples: &[Sample], figure: fn(&Sample) -> f64| -> Cell {
        median(samples.iter().map(figure)).into()
    };
    let ratio = |figure: fn(&Sample) -> f64| -> Cell {
        let pairs = one.iter().zip(other);
        let ratio = median(pairs.map(|(one, other)| figure(one) / figure(other)));
        doubt.is_none().then_some(ratio).into()
    };
    [
        (listeners as f64).into(),
        load.name().into(),
        of(other, Sample::cost),
        of(one, Sample::cost),
        ratio(Sample::cost),
        of(other, p99),
        of(one, p99),
        ratio(p99),
        doubt.unwrap_or(YES).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One turn of a server that was busy, and a load that was so busy.
    fn turn(cost: f64, p99: f64, load_cpu: f64) -> Sample {
        Sample {
            deliveries: 1e6,
            seconds: 1.0,
            server_cpu: cost / 1e3,
            load_cpu,
            latency: [0.0, 0.0, p99, 0.0, 0.0],
            ..Sample::default()
        }
    }

    #[test]
    fn ratios_are_of_turns_that_follow_each_other() {
        let point = (100, Load::Closed { window: 64 });
        let (slow, fast) = (turn(880.0, 30.0, 0.5), turn(220.0, 10.0, 0.5));
        let twice = |sample: Sample| turn(sample.cost() * 2.0, sample.latency[2] * 2.0, 0.5);
        let one = [twice(slow), twice(fast), twice(fast)];
        let row = cells(point, [&one, &[slow, fast, fast]]);
        assert_eq!((&row[4], &row[7]), (&Cell::from(2.0), &Cell::from(2.0)));
        assert_eq!(row[8], YES.into());
        let row = cells(point, [&one, &[turn(220.0, 10.0, 1.0)]]);
        assert_eq!((&row[4], &row[8]), (&Cell::Empty, &"NO: load".into()));
    }
}
