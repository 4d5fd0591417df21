//! Results as tables: printed for people, written as JSON, read again by the report. Knows no command.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// What one command found out, and all that one needs to find it out again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The command as it was typed.
    pub(crate) command: String,
    /// When it ended: RFC 3339, UTC.
    pub(crate) date: String,
    /// What it ran on.
    pub(crate) machine: Machine,
    /// Name and version of each program that was measured.
    pub(crate) versions: Versions,
    /// What it found.
    pub(crate) tables: Vec<Table>,
}

/// Name and version of programs.
pub(crate) type Versions = Vec<(String, String)>;

/// The name of the column that says whether the figures of a row can be trusted: [`YES`], or why not.
pub(crate) const VALID: &str = "valid";

/// They can.
pub(crate) const YES: &str = "yes";

/// Figures with names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    /// What it shows, in a few words.
    pub(crate) title: String,
    /// How it was measured, in sentences.
    pub(crate) note: String,
    /// What stands in each column, with the unit.
    pub(crate) columns: Vec<String>,
    /// As many cells each as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// How to draw it, if it is worth a picture.
    pub(crate) chart: Option<Chart>,
}

/// Which columns make a bar chart. Rows with the same `group` stand together, one bar for each `series`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Chart {
    /// Columns whose cells, joined, name a group of bars.
    pub(crate) group: Vec<usize>,
    /// The column whose cell names the bar.
    pub(crate) series: usize,
    /// The column that is its length.
    pub(crate) value: usize,
    /// Bars differ by orders of magnitude.
    pub(crate) logarithmic: bool,
}

/// One figure, word, or nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    Number(f64),
    Text(String),
    Empty,
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        Cell::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Cell {
        cell.map_or(Cell::Empty, Into::into)
    }
}

/// Three significant digits, but for whole numbers, and thousands set apart: more would pretend to know more.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Number(number) => {
                let decimals = match number.abs() {
                    100.0.. => 0,
                    10.0.. if number.fract() == 0.0 => 0,
                    10.0..100.0 => 1,
                    _ => 2,
                };
                f.pad(&group_thousands(&format!("{number:.decimals$}")))
            }
            Cell::Text(text) => f.pad(text),
            Cell::Empty => f.pad(""),
        }
    }
}

fn group_thousands(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.char_indices() {
        let behind = whole.len() - index;
        if index > 0 && behind.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

impl Table {
    pub(crate) fn new<const N: usize>(title: &str, note: &str, columns: [&str; N]) -> Table {
        Table {
            title: title.to_owned(),
            note: note.to_owned(),
            columns: columns.map(str::to_owned).into(),
            rows: Vec::new(),
            chart: None,
        }
    }

    /// Adds a row: as many cells as there are columns.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(cells.len(), self.columns.len(), "{}", self.title);
        self.rows.push(cells.into());
    }

    /// Whether a column holds numbers, and so stands to the right.
    pub(crate) fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.any(|cell| matches!(cell, Cell::Number(_)))
    }

    /// Why the figures of a row are not to be trusted, if its column [`VALID`] says so.
    pub(crate) fn doubt<'a>(&self, row: &'a [Cell]) -> Option<&'a str> {
        let column = self.columns.iter().position(|name| name == VALID)?;
        match row.get(column)? {
            Cell::Text(verdict) if verdict != YES => Some(verdict),
            _ => None,
        }
    }
}

/// As it stands in a terminal: numbers to the right, words to the left.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n", self.title, self.note)?;
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let name = self
                .columns
                .get(column)
                .map_or(0, |name| name.chars().count());
            let widest = cells.map(|cell| cell.to_string().chars().count()).max();
            name.max(widest.unwrap_or(0))
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[Cell]| {
            for (column, cell) in cells.iter().enumerate() {
                let width = widths.get(column).copied().unwrap_or(0);
                if self.is_number(column) {
                    write!(f, "{cell:>width$}  ")?;
                } else {
                    write!(f, "{cell:<width$}  ")?;
                }
            }
            writeln!(f)
        };
        let names: Vec<Cell> = self
            .columns
            .iter()
            .map(|name| name.as_str().into())
            .collect();
        line(f, &names)?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_number_shows_three_digits_and_its_thousands() {
        for (number, shown) in [
            (0.5, "0.50"),
            (-0.5, "-0.50"),
            (12.34, "12.3"),
            (10.0, "10"),
            (999.6, "1,000"),
            (1_234_567.8, "1,234,568"),
            (-123_456.0, "-123,456"),
        ] {
            assert_eq!(Cell::Number(number).to_string(), shown);
        }
    }

    #[test]
    fn cells_survive_json() {
        let cells = vec![Cell::from(1.5), Cell::from("a"), Cell::from(None::<f64>)];
        let json = serde_json::to_string(&cells).expect("cells are JSON");
        assert_eq!(json, r#"[1.5,"a",null]"#);
        let read: Vec<Cell> = serde_json::from_str(&json).expect("what was written is read");
        assert_eq!(read, cells);
    }
}
