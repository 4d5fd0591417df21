//! The axis of a picture: from where to where, linear or logarithmic, and where its lines are.

use crate::table::Cell;

/// More lines than this do not help.
const LINES_MAX: f64 = 6.0;

/// What is reached by a bar of no length, and by the longest.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
}

#[derive(Debug, PartialEq)]
enum Scale {
    /// From line to line.
    Linear {
        step: f64,
    },
    Logarithmic,
}

impl Axis {
    /// One on which all values have a place. None if there are none.
    pub(super) fn over(values: impl Iterator<Item = f64>, logarithmic: bool) -> Option<Axis> {
        let values: Vec<f64> = values.filter(|&value| value > 0.0).collect();
        let least = values.iter().copied().min_by(f64::total_cmp)?;
        let most = values.iter().copied().max_by(f64::total_cmp)?;
        if logarithmic {
            // The shortest bar can be seen, too.
            let low = power_of_ten_up_to(least * 0.8);
            return Some(Axis {
                low,
                high: round_up(most),
                scale: Scale::Logarithmic,
            });
        }
        let step = round_up(most / LINES_MAX);
        Some(Axis {
            low: 0.0,
            high: (most / step).ceil() * step,
            scale: Scale::Linear { step },
        })
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.scale == Scale::Logarithmic
    }

    /// How far along the axis, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Linear { .. } => value / self.high,
            Scale::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        }
    }

    /// The values that have a line, and what stands at it.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let values: Vec<f64> = match self.scale {
            Scale::Linear { step } => {
                let lines = (self.high / step).round() as u32;
                (0..=lines).map(|line| f64::from(line) * step).collect()
            }
            Scale::Logarithmic => self.logarithmic_ticks(),
        };
        let with_figure = |value| (value, figure(value));
        values.into_iter().map(with_figure).collect()
    }

    /// Each power of ten, and what is between where there are few.
    fn logarithmic_ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let leads: &[f64] = match decades {
            ..2.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let first = self.low.log10().round() as i32;
        let last = first + decades.ceil() as i32;
        (first..=last)
            .flat_map(|power| leads.iter().map(move |lead| lead * 10_f64.powi(power)))
            .filter(|&value| value <= self.high * 1.001)
            .collect()
    }
}

/// A round number with as many digits as it needs.
pub(super) fn figure(value: f64) -> String {
    if value.abs() >= 100.0 {
        return Cell::Number(value).to_string();
    }
    let digits = format!("{value:.6}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    digits.to_owned()
}

fn power_of_ten_up_to(value: f64) -> f64 {
    10_f64.powi(value.log10().floor() as i32)
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn round_up(value: f64) -> f64 {
    let unit = power_of_ten_up_to(value);
    let lead = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|lead| value <= lead * unit);
    lead.unwrap_or(10.0) * unit
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn figures(values: &[f64], logarithmic: bool) -> Vec<String> {
        let axis = Axis::over(values.iter().copied(), logarithmic).expect("there are values");
        axis.ticks().into_iter().map(|(_, figure)| figure).collect()
    }

    #[test]
    fn lines_are_at_round_numbers() {
        assert_eq!(
            figures(&[97.0, 7_607.0], true),
            ["10", "100", "1,000", "10,000"]
        );
        assert_eq!(
            figures(&[30.0, 120.0], true),
            ["10", "20", "50", "100", "200"]
        );
        assert_eq!(
            figures(&[0.3, 1.1], false),
            ["0", "0.2", "0.4", "0.6", "0.8", "1", "1.2"]
        );
        assert_eq!(
            figures(&[19_000.0], false),
            ["0", "5,000", "10,000", "15,000", "20,000"]
        );
    }

    #[test]
    fn every_value_has_a_place() {
        for logarithmic in [true, false] {
            let values = [0.004, 1.0, 97.0, 7_607.0];
            let axis = Axis::over(values.into_iter(), logarithmic).expect("there are values");
            let places = values.map(|value| axis.place(value));
            assert!(places.is_sorted(), "{places:?}");
            assert!(places[0] > 0.0 && places[3] <= 1.0, "{places:?}");
            assert_eq!(axis.place(0.0), 0.0);
        }
    }

    #[test]
    fn no_values_have_no_axis() {
        assert_eq!(Axis::over([].into_iter(), true), None);
        assert_eq!(Axis::over([0.0].into_iter(), false), None);
    }
}
