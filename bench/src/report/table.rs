//! Results as tables: printed for people, written as JSON, and read again for the report. Knows no
//! scenario.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// The results of one command, and the facts that a reader needs to repeat it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The command as it was typed.
    pub(crate) command: String,
    /// The time when it ended: RFC 3339, UTC.
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) versions: Versions,
    pub(crate) tables: Vec<ResultTable>,
}

/// Name and version of each measured program.
pub(crate) type Versions = Vec<(String, String)>;

impl Results {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Results> {
        let json = fs::read_to_string(path);
        let json = json.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&json).with_context(|| format!("no results: {}", path.display()))
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The command that runs this program, ready to be pasted into a shell.
pub(crate) fn as_typed() -> String {
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

/// The name of the column that says whether the figures of a row are valid: [`YES`], or the reason
/// why not.
pub(crate) const VALID: &str = "valid";

pub(crate) const YES: &str = "yes";

/// Figures with names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResultTable {
    /// Its subject, in a few words.
    pub(crate) title: String,
    /// The method of the measurement, in sentences.
    pub(crate) note: String,
    /// The head of each column, with the unit.
    pub(crate) columns: Vec<String>,
    /// The rows; each has as many cells as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// The chart of the table, if it gets a picture.
    pub(crate) chart: Option<Chart>,
}

/// The columns of a bar chart with a logarithmic scale. Rows with the same `group` stand together,
/// and each row has a bar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Chart {
    /// The columns whose cells, joined, name a group.
    pub(crate) group: Vec<usize>,
    /// The column that names the bar.
    pub(crate) series: usize,
    /// The column that is the length of the bar.
    pub(crate) value: usize,
}

/// A number, a text, or null.
pub(crate) type Cell = serde_json::Value;

/// A cell as a reader sees it. Numbers show three significant digits, or all digits before the
/// point, with groups of thousands: more digits would promise more than was measured.
pub(crate) fn shown(cell: &Cell) -> String {
    let Some(number) = cell.as_f64() else {
        return cell.as_str().unwrap_or_default().to_owned();
    };
    let decimals = match number.abs() {
        100.0.. => 0,
        10.0.. if number.fract() == 0.0 => 0,
        10.0..100.0 => 1,
        _ => 2,
    };
    let digits = format!("{:.decimals$}", number.abs());
    let sign = if number < 0.0 { "-" } else { "" };
    format!("{sign}{}", if decimals == 0 { grouped(&digits) } else { digits })
}

/// The digits in groups of three.
fn grouped(digits: &str) -> String {
    match digits.len().checked_sub(3) {
        None | Some(0) => digits.to_owned(),
        Some(place) => format!("{},{}", grouped(&digits[..place]), &digits[place..]),
    }
}

impl ResultTable {
    /// A table without rows. `head` names the columns, with ` | ` between them.
    pub(crate) fn new(title: &str, note: impl Into<String>, head: &str) -> ResultTable {
        ResultTable {
            title: title.to_owned(),
            note: note.into(),
            columns: head.split(" | ").map(str::to_owned).collect(),
            rows: Vec::new(),
            chart: None,
        }
    }

    /// Adds a row: as many cells as there are columns.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(cells.len(), self.columns.len(), "{}", self.title);
        self.rows.push(cells.into());
    }

    /// Whether a column has numbers, which are aligned to the right.
    fn is_number(&self, column: usize) -> bool {
        self.rows.iter().any(|row| row.get(column).is_some_and(Cell::is_number))
    }

    /// The table in Markdown, with columns of even width. `escape` makes a cell's text harmless.
    pub(crate) fn markdown(&self, escape: impl Fn(&str) -> String) -> String {
        let heads = self.columns.iter().map(|name| escape(name)).collect();
        let escaped = |row: &Vec<Cell>| row.iter().map(|cell| escape(&shown(cell))).collect();
        let mut lines: Vec<Vec<String>> = self.rows.iter().map(escaped).collect();
        lines.insert(0, heads);
        let letters = |line: &Vec<String>, column: usize| line[column].chars().count();
        let width = |column| lines.iter().map(|line| letters(line, column)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let rule = |(column, width): (usize, &usize)| match self.is_number(column) {
            true => "-".repeat(width.max(&4) - 1) + ":",
            false => "-".repeat(*width.max(&3)),
        };
        lines.insert(1, widths.iter().enumerate().map(rule).collect());
        let mut text = String::new();
        for line in &lines {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                text += &match self.is_number(column) {
                    true => format!("| {cell:>width$} "),
                    false => format!("| {cell:<width$} "),
                };
            }
            text += "|\n";
        }
        text
    }

    /// The reason why the figures of a row are not valid, if its column [`VALID`] gives one.
    pub(crate) fn doubt<'a>(&self, row: &'a [Cell]) -> Option<&'a str> {
        let column = self.columns.iter().position(|name| name == VALID)?;
        row.get(column)?.as_str().filter(|verdict| *verdict != YES)
    }
}

/// Title, note, and the table as Markdown, which can also be read in a terminal.
impl fmt::Display for ResultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n\n{}", self.title, self.note, self.markdown(str::to_owned))
    }
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_shows_three_digits_and_groups_thousands() {
        for (number, shown) in [
            (0.5, "0.50"),
            (-0.5, "-0.50"),
            (12.34, "12.3"),
            (10.0, "10"),
            (999.6, "1,000"),
            (1_234_567.8, "1,234,568"),
            (-123_456.0, "-123,456"),
        ] {
            assert_eq!(super::shown(&number.into()), shown);
        }
    }

    #[test]
    fn cells_are_the_same_after_json() {
        let cells = vec![Cell::from(1.5), Cell::from("a"), Cell::from(None::<f64>)];
        let json = serde_json::to_string(&cells).expect("cells are JSON");
        assert_eq!(json, r#"[1.5,"a",null]"#);
        let read: Vec<Cell> = serde_json::from_str(&json).expect("what was written is read");
        assert_eq!(read, cells);
    }
}
