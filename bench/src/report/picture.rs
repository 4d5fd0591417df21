//! A table as a picture: horizontal bars in groups on a logarithmic scale, as SVG. Knows no file.
//!
//! Each bar has its name before it and its value after it, so that no reader has to compare
//! colours. The background is part of the picture. It is light or dark like the reader's screen.

use plotters::coord::CoordTranslate;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::table::{Cell, Chart, ResultTable, shown};

const WIDTH: u32 = 860;
const MARGIN: u32 = 20;
/// The height from one bar to the next. The name of a group takes two rows.
const ROW: u32 = 19;
/// The height of title, unit, and the figures of the axis.
const HEAD: u32 = 86;
/// The height of the second figures of the axis, below the bars.
const FOOT: u32 = 34;
/// The width of a letter: no tested font has wider ones.
const LETTER: u32 = 7;
/// The space after the longest bar, for a value and the reason why it is not valid.
const VALUE_LETTERS: u32 = 21;

const PAPER: u32 = 0xffffff;
const INK: u32 = 0x1f2328;
const FAINT: u32 = 0x59636e;
const GRID: u32 = 0xd1d9e0;

/// The colours of the bars; the first is that of the reference. All are visible on light and on
/// dark.
const COLOURS: [u32; 10] = [
    0x8b949e, 0x1f6feb, 0x54aeff, 0xd4762c, 0x2da44e, 0xbf4b8a, 0x8250df, 0xc69026, 0x1b9e9e,
    0xa1553a,
];

/// Sets the font, and on a dark screen replaces the colours above that are not of bars. Letters get
/// an edge in the colour of the paper, so that no line of the grid crosses them.
const STYLE: &str = "<style>\
text{font:12px system-ui,'Segoe UI','DejaVu Sans',sans-serif;paint-order:stroke;stroke:#fff;stroke-width:4px}\
[font-weight]{font-weight:600}text:first-of-type{font-size:15px}\
@media(prefers-color-scheme:dark){text{stroke:#0d1117}[fill='#FFFFFF']{fill:#0d1117}[fill='#1F2328']{fill:#e6edf3}\
[fill='#59636E']{fill:#9198a1}[stroke='#D1D9E0']{stroke:#3d444d}}</style>";

/// A picture, and its description for readers who cannot see it.
pub(super) struct Picture {
    pub(super) svg: String,
    pub(super) alt: String,
}

/// Draws a table that has a chart; None if there is nothing to show.
pub(super) fn draw(table: &ResultTable) -> Option<Picture> {
    let chart = table.chart.as_ref()?;
    let column = |index: usize| table.columns.get(index).map_or("", String::as_str);
    let (series, unit) = (column(chart.series), column(chart.value));
    let mut svg = String::new();
    paint(&mut svg, &table.title, unit, &bars(table, chart))?;
    let title = table.title.replace('&', "&amp;").replace('<', "&lt;");
    let head = format!("<svg role=\"img\"><title>{title}</title>{STYLE}");
    let (attributes, body) = svg.strip_prefix("<svg")?.split_once('>')?;
    let svg = head.replacen('>', &format!("{attributes}>\n"), 1) + body;
    let alt = format!("Bars of {unit} for each {series}: {}", table.title);
    Some(Picture { svg, alt })
}

struct Bar {
    /// The name of the group, if this is its first bar.
    group: Option<String>,
    name: String,
    colour: RGBAColor,
    /// None if there is no figure.
    value: Option<f64>,
    /// The text after the bar.
    label: String,
}

/// A bar for each row of the table. The rows of a group follow each other.
fn bars(table: &ResultTable, chart: &Chart) -> Vec<Bar> {
    let mut names: Vec<String> = Vec::new();
    let mut last = String::new();
    let bar = |row: &Vec<Cell>| {
        let cell = |column: usize| row.get(column).map(shown).unwrap_or_default();
        let (name, group) = (cell(chart.series), group_name(table, chart, row));
        let is_first = group != last;
        last.clone_from(&group);
        let known = names.iter().position(|other| *other == name);
        let place = known.unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        let doubt = table.doubt(row);
        Bar {
            group: is_first.then_some(group),
            name,
            colour: colour(COLOURS[place % COLOURS.len()]).mix(if doubt.is_none() {
                1.0
            } else {
                0.45
            }),
            value: row.get(chart.value).and_then(Cell::as_f64).filter(|value| *value > 0.0),
            label: match (cell(chart.value), doubt) {
                (value, None) => value,
                (value, Some(doubt)) if value.is_empty() => doubt.to_owned(),
                (value, Some(doubt)) => format!("{value} ({doubt})"),
            },
        }
    };
    table.rows.iter().map(bar).collect()
}

/// The cells that name a group; a number has the name of its column before it.
fn group_name(table: &ResultTable, chart: &Chart, row: &[Cell]) -> String {
    let part = |&column: &usize| {
        let (name, cell) = (table.columns.get(column)?, row.get(column)?);
        let shown = shown(cell);
        Some(if cell.is_number() { format!("{name} = {shown}") } else { shown })
    };
    let parts: Vec<String> = chart.group.iter().filter_map(part).collect();
    parts.join(", ")
}

/// Draws a chart of bars below each other. None if there is no figure.
fn paint(svg: &mut String, title: &str, unit: &str, bars: &[Bar]) -> Option<()> {
    let values = || bars.iter().filter_map(|bar| bar.value);
    let (least, most) = (values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?);
    let low = 10_f64.powf((least * 0.8).log10().floor()); // so that the shortest bar can be seen
    let letters = bars.iter().map(|bar| bar.name.chars().count() as u32).max()?;
    let left = MARGIN + (letters + 1) * LETTER;
    let groups = bars.iter().filter(|bar| bar.group.is_some()).count();
    let rows = (bars.len() + 2 * groups) as u32;

    let size = (WIDTH, HEAD + rows * ROW + FOOT);
    let sheet = SVGBackend::with_string(svg, size).into_drawing_area();
    sheet.fill(&colour(PAPER)).ok()?;
    let heading = style(INK, FontStyle::Bold, HPos::Left);
    sheet.draw_text(title, &heading, (MARGIN as i32, 25)).ok()?;
    let faint = |side| style(FAINT, FontStyle::Normal, side);
    let unit = format!("{unit}, logarithmic scale");
    sheet.draw_text(&unit, &faint(HPos::Left), (MARGIN as i32, 45)).ok()?;
    let mut chart = ChartBuilder::on(&sheet)
        .margin_left(left)
        .margin_right(MARGIN + VALUE_LETTERS * LETTER)
        .margin_top(HEAD - 20)
        .margin_bottom(FOOT - 20)
        .set_label_area_size(LabelAreaPosition::Top, 20)
        .set_label_area_size(LabelAreaPosition::Bottom, 20)
        .build_cartesian_2d((low..most).log_scale(), f64::from(rows)..0.0)
        .ok()?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(6)
        .x_label_formatter(&|value| shown(&Cell::from(*value)))
        .x_label_style(faint(HPos::Center))
        .axis_style(colour(GRID))
        .bold_line_style(colour(GRID))
        .max_light_lines(0)
        .draw()
        .ok()?;
    paint_bars(chart.plotting_area(), bars, low, MARGIN as i32 - left as i32)
}

/// Draws the bars from `low` on; the names of groups are `shift` pixels from there.
fn paint_bars(
    area: &DrawingArea<SVGBackend<'_>, impl CoordTranslate<From = (f64, f64)>>,
    bars: &[Bar],
    low: f64,
    shift: i32,
) -> Option<()> {
    let text = |place: (f64, f64), shift: i32, text: &str, font: FontStyle, side: HPos| {
        let text = Text::new(text.to_owned(), (shift, 0), style(INK, font, side));
        area.draw(&(EmptyElement::at(place) + text)).ok()
    };
    let mut y = 0.5;
    for bar in bars {
        if let Some(group) = &bar.group {
            text((low, y + 1.0), shift, group, FontStyle::Bold, HPos::Left)?;
            y += 2.0;
        }
        text((low, y), -8, &bar.name, FontStyle::Normal, HPos::Right)?;
        let end = bar.value.unwrap_or(low);
        let corners = [(low, y - 0.35), (end, y + 0.35)];
        if bar.value.is_some() {
            area.draw(&Rectangle::new(corners, bar.colour.filled())).ok()?;
        }
        text((end, y), 6, &bar.label, FontStyle::Normal, HPos::Left)?;
        y += 1.0;
    }
    Some(())
}

fn style(ink: u32, font: FontStyle, side: HPos) -> TextStyle<'static> {
    TextStyle {
        color: colour(ink).to_backend_color(),
        ..TextStyle::from(("sans-serif", 12, font).into_font()).pos(Pos::new(side, VPos::Center))
    }
}

fn colour(rgb: u32) -> RGBColor {
    let [_, red, green, blue] = rgb.to_be_bytes();
    RGBColor(red, green, blue)
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ResultTable {
        let head = "N | load | server | ns/delivery | valid";
        let mut table = ResultTable::new("<Peers> & \"others\"", "", head);
        for listeners in [100.0, 1_000.0] {
            let mut row = |server: &str, value: Option<f64>, valid: &str| {
                let group = [Cell::from(listeners), "W = 1".into()];
                let [n, load] = group;
                table.row([n, load, server.into(), value.into(), valid.into()]);
            };
            row("bare loop", Some(97.0), "yes");
            row("<user4> & co", Some(7_607.0), "NO: load");
            row("gone", None, "NO: it has ended at once");
        }
        table.chart = Some(Chart { group: vec![0, 1], series: 2, value: 3 });
        table
    }

    /// Every tag is closed by its own name, and no text has a bare `<` or `&`.
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
                assert!(["lt", "gt", "amp", "quot", "apos"].contains(&name), "{name}");
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn picture_is_well_formed_and_complete() {
        let Picture { svg, alt } = draw(&table()).expect("there are figures");
        assert_well_formed(&svg);
        for text in [
            "role=\"img\"",
            "<title>&lt;Peers> &amp; \"others\"</title>",
            "prefers-color-scheme:dark",
            "\n&lt;user4&gt; &amp; co\n",
            "\nN = 1,000, W = 1\n",
            "\n7,607 (NO: load)\n",
            "\nNO: it has ended at once\n",
        ] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
        assert_eq!(svg.matches("opacity=\"0.45\"").count(), 2);
        let alt_wanted = "Bars of ns/delivery for each server: <Peers> & \"others\"";
        assert_eq!(alt, alt_wanted);
    }

    #[test]
    fn table_without_figures_has_no_picture() {
        let mut table = table();
        table.rows.retain(|row| row[3].is_null());
        assert!(draw(&table).is_none());
    }

    #[test]
    fn axis_has_few_round_figures() {
        let svg = draw(&table()).expect("there are figures").svg;
        for figure in ["\n10\n", "\n100\n", "\n1,000\n"] {
            assert_eq!(svg.matches(figure).count(), 2, "{figure}");
        }
        assert!(!svg.contains("\n20\n"));
    }
}
