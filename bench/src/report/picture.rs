//! A table as a picture: horizontal bars in groups, as SVG. Knows no file.
//!
//! Each bar has its name before it and its value behind it, so that nobody needs to compare colours. The paper is part
//! of the picture, and light or dark as the reader's screen is.

mod axis;

use std::fmt::{self, Write};

use crate::table::{Cell, Chart, Table};
use axis::Axis;

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 20.0;
const BAR: f64 = 13.0;
/// From one bar to the next.
const BAR_STEP: f64 = 19.0;
/// The name of a group, and what sets it apart from the one above.
const GROUP_HEAD: f64 = 36.0;
/// Title, what the axis shows, and its figures.
const HEAD: f64 = 78.0;
/// The figures of the axis once more.
const FOOT: f64 = 34.0;
/// Letters differ; with this no font that was tried cuts one off.
const LETTER: f64 = 7.0;
const NAME_LETTERS_MAX: usize = 30;
/// Behind the longest bar there is room for a value and why it is not valid.
const VALUE_LETTERS: f64 = 21.0;

/// The bars of a series have one of these; the first is that of the reference. All can be seen on
/// light paper and on dark.
const COLOURS: [&str; 10] = [
    "#8b949e", "#1f6feb", "#54aeff", "#d4762c", "#2da44e", "#bf4b8a", "#8250df", "#c69026",
    "#1b9e9e", "#a1553a",
];

/// Letters have a rim of paper, so that no line of the grid runs through them.
const STYLE: &str = "\
text{font:12px system-ui,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328;\
paint-order:stroke;stroke:#ffffff;stroke-width:4px}\
.title{font-size:15px;font-weight:600}.group{font-weight:600}.faint{fill:#59636e}\
.paper{fill:#ffffff}.grid{stroke:#d1d9e0}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3;stroke:#0d1117}.faint{fill:#9198a1}.paper{fill:#0d1117}.grid{stroke:#3d444d}}";

/// What can be shown, and what is said to those who cannot see it.
pub(super) struct Picture {
    pub(super) svg: String,
    pub(super) alt: String,
}

/// Draws a table that says how; None if there is nothing to see.
pub(super) fn draw(table: &Table) -> Option<Picture> {
    let chart = table.chart.as_ref()?;
    let groups = groups(table, chart);
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let axis = Axis::over(bars().filter_map(|bar| bar.value), chart.logarithmic)?;
    let column = |index: usize| table.columns.get(index).map_or("", String::as_str);
    let alt = format!(
        "Bars of {} for each {}: {}",
        column(chart.value),
        column(chart.series),
        table.title
    );
    let letters = bars().map(|bar| bar.name.chars().count()).max()?;
    let sheet = Sheet {
        left: MARGIN + (letters.min(NAME_LETTERS_MAX) as f64 + 1.0) * LETTER,
        right: WIDTH - MARGIN - VALUE_LETTERS * LETTER,
        axis,
    };
    let mut svg = String::new();
    sheet
        .draw(&mut svg, &table.title, column(chart.value), &groups)
        .ok()?;
    Some(Picture { svg, alt })
}

struct Group {
    name: String,
    bars: Vec<Bar>,
}

struct Bar {
    name: String,
    colour: &'static str,
    /// None where there is no figure, and so no bar.
    value: Option<f64>,
    /// What stands behind it.
    label: String,
    is_valid: bool,
}

/// The rows in groups: each where its first row stands.
fn groups(table: &Table, chart: &Chart) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut series: Vec<&Cell> = Vec::new();
    for row in &table.rows {
        let (Some(cell), name) = (row.get(chart.series), group_name(table, chart, row)) else {
            continue;
        };
        let known = series.iter().position(|&other| other == cell);
        let number = known.unwrap_or(series.len());
        if known.is_none() {
            series.push(cell);
        }
        let bar = bar(table, chart, row, COLOURS[number % COLOURS.len()]);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.bars.push(bar),
            None => groups.push(Group {
                name,
                bars: vec![bar],
            }),
        }
    }
    groups
}

/// A number needs the name of its column, words do not.
fn group_name(table: &Table, chart: &Chart, row: &[Cell]) -> String {
    let part = |&column: &usize| {
        let cell = row.get(column)?;
        Some(match cell {
            Cell::Number(number) if number.fract() == 0.0 => {
                format!("{} = {}", table.columns.get(column)?, axis::figure(*number))
            }
            Cell::Number(_) => format!("{} = {cell}", table.columns.get(column)?),
            Cell::Text(_) | Cell::Empty => cell.to_string(),
        })
    };
    let parts: Vec<String> = chart.group.iter().filter_map(part).collect();
    parts.join(", ")
}

fn bar(table: &Table, chart: &Chart, row: &[Cell], colour: &'static str) -> Bar {
    let shown = |column: usize| row.get(column).map(Cell::to_string).unwrap_or_default();
    let doubt = table.doubt(row);
    let label = match (shown(chart.value), doubt) {
        (value, None) => value,
        (value, Some(doubt)) if value.is_empty() => doubt.to_owned(),
        (value, Some(doubt)) => format!("{value} ({doubt})"),
    };
    Bar {
        name: shown(chart.series),
        colour,
        value: match row.get(chart.value) {
            Some(&Cell::Number(value)) if value.is_finite() => Some(value),
            _ => None,
        },
        label,
        is_valid: doubt.is_none(),
    }
}

/// Where things stand on the paper.
struct Sheet {
    /// Where bars begin, and where the longest ends.
    left: f64,
    right: f64,
    axis: Axis,
}

impl Sheet {
    fn draw(&self, out: &mut String, title: &str, unit: &str, groups: &[Group]) -> fmt::Result {
        let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
        let plot = groups.len() as f64 * GROUP_HEAD + bars as f64 * BAR_STEP;
        let height = HEAD + plot + FOOT;
        let title = escape(&cut(title, WIDTH - 2.0 * MARGIN, LETTER * 1.3));
        let scale = match self.axis.is_logarithmic() {
            true => ", logarithmic scale",
            false => "",
        };
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
             <text class=\"title\" x=\"{MARGIN}\" y=\"30\">{title}</text>\n\
             <text class=\"faint\" x=\"{MARGIN}\" y=\"50\">{}{scale}</text>\n",
            escape(unit)
        )?;
        self.draw_grid(out, plot)?;
        let mut y = HEAD;
        for group in groups {
            y += GROUP_HEAD;
            let name = escape(&cut(&group.name, WIDTH - 2.0 * MARGIN, LETTER));
            writeln!(
                out,
                "<text class=\"group\" x=\"{MARGIN}\" y=\"{}\">{name}</text>",
                y - 8.0
            )?;
            for bar in &group.bars {
                self.draw_bar(out, bar, y)?;
                y += BAR_STEP;
            }
        }
        out.write_str("</svg>\n")
    }

    fn draw_grid(&self, out: &mut String, plot: f64) -> fmt::Result {
        let (top, bottom) = (HEAD, HEAD + plot + 4.0);
        for (value, figure) in self.axis.ticks() {
            let x = self.x(value);
            writeln!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\n\
                 <text class=\"faint\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{figure}</text>\n\
                 <text class=\"faint\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{figure}</text>",
                top - 6.0,
                bottom + 16.0
            )?;
        }
        Ok(())
    }

    fn draw_bar(&self, out: &mut String, bar: &Bar, y: f64) -> fmt::Result {
        let Bar { colour, .. } = bar;
        let (left, text_y) = (self.left, y + BAR - 2.5);
        let name = escape(&cut(&bar.name, NAME_LETTERS_MAX as f64 * LETTER, LETTER));
        writeln!(
            out,
            "<text text-anchor=\"end\" x=\"{:.1}\" y=\"{text_y}\">{name}</text>",
            left - 8.0
        )?;
        let end = bar.value.map_or(left, |value| self.x(value));
        if bar.value.is_some() {
            let opacity = if bar.is_valid {
                ""
            } else {
                " opacity=\"0.45\""
            };
            writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"{opacity}/>",
                end - left
            )?;
        }
        let label = escape(&cut(&bar.label, WIDTH - MARGIN - end, LETTER));
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{text_y}\">{label}</text>",
            end + 6.0
        )
    }

    fn x(&self, value: f64) -> f64 {
        self.left + self.axis.place(value) * (self.right - self.left)
    }
}

/// As much of the text as there is room for.
fn cut(text: &str, room: f64, letter: f64) -> String {
    let most = (room / letter) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Text that is nothing but text in XML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn table(logarithmic: bool) -> Table {
        let columns = ["N", "load", "server", "ns/delivery", "valid"];
        let mut table = Table::new("<Peers> & \"others\"", "", columns);
        for listeners in [100.0, 1_000.0] {
            let row = |server: &str, value: Option<f64>, valid: &str| {
                [
                    listeners.into(),
                    "W = 1".into(),
                    server.into(),
                    value.into(),
                    valid.into(),
                ]
            };
            table.row(row("bare loop", Some(97.0), "yes"));
            table.row(row("<user4> & co", Some(7_607.0), "NO: load"));
            table.row(row("gone", None, "NO: it has ended at once"));
        }
        table.chart = Some(Chart {
            group: vec![0, 1],
            series: 2,
            value: 3,
            logarithmic,
        });
        table
    }

    /// Every tag is closed by its own name, and no text holds a bare `<` or `&`.
    fn assert_well_formed(svg: &str) {
        let mut open = Vec::new();
        for piece in svg.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a tag ends");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.trim_start_matches('/').split(' ').next();
            let name = name.expect("a tag has a name");
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "{tag}");
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            for entity in text.split('&').skip(1) {
                let (name, _) = entity.split_once(';').expect("an entity ends");
                assert!(["lt", "gt", "amp", "quot"].contains(&name), "{name}");
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn a_picture_is_well_formed_and_says_all() {
        for logarithmic in [true, false] {
            let Picture { svg, alt } = draw(&table(logarithmic)).expect("there are figures");
            assert_well_formed(&svg);
            for text in [
                "role=\"img\"",
                "<title>&lt;Peers&gt; &amp; &quot;others&quot;</title>",
                ">&lt;user4&gt; &amp; co</text>",
                ">N = 1,000, W = 1</text>",
                ">7,607 (NO: load)</text>",
                ">NO: it has ended at once</text>",
            ] {
                assert!(svg.contains(text), "{text} is not in {svg}");
            }
            assert_eq!(svg.matches("opacity").count(), 2);
            assert_eq!(svg.matches("fill=\"#").count(), 4, "only figures have bars");
            assert_eq!(
                alt,
                "Bars of ns/delivery for each server: <Peers> & \"others\""
            );
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let mut table = table(true);
        table.rows.retain(|row| row[3] == Cell::Empty);
        assert!(draw(&table).is_none());
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(cut("all of it", 90.0, 10.0), "all of it");
        assert_eq!(cut("all of it", 80.0, 10.0), "all of…");
        assert_eq!(cut("all of it", 0.0, 10.0), "…");
    }
}
