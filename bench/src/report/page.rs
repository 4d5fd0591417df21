//! The report: results as a page of Markdown with pictures. Knows a scenario only by its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use super::picture;
use super::table::{ResultTable, Results};

/// The sources of the report, and where it is written.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportOptions {
    /// Results that other commands wrote with --json, in the order of the page
    #[arg(required = true, value_name = "JSON")]
    files: Vec<PathBuf>,
    /// Write benchmarks.md and the folder benchmarks into this folder
    #[arg(long, value_name = "DIR", default_value = "docs")]
    out: PathBuf,
}

/// Reads the results, and writes the page and its pictures. `command` is the command that does
/// this.
pub(crate) fn write(options: &ReportOptions, command: &str) -> anyhow::Result<()> {
    let files = options.files.iter();
    let results: Vec<Results> = files.map(|path| Results::read(path)).collect::<Result<_, _>>()?;
    let page = ReportPage::of(&results, command);
    for (name, text) in page.pictures.iter().chain([(&"benchmarks.md".to_owned(), &page.text)]) {
        let path = options.out.join(name);
        let folder = path.parent().unwrap_or(&options.out);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The contents of the report: the same for the same results.
struct ReportPage {
    text: String,
    /// SVG by the path beside the page.
    pictures: BTreeMap<String, String>,
}

impl ReportPage {
    fn of(results: &[Results], command: &str) -> ReportPage {
        let mut page = ReportPage {
            text: format!(
                "# Benchmarks\n\n\
                 What Parlor costs and how long it takes, compared with the bare loop and with other servers. This page and its \
                 pictures are generated from results; nothing on it is written by hand. Each section names the command that \
                 measured it, and its date: the costs of a later version may differ. With `--json FILE` that command also wrote the file of results from which this command made the \
                 page:\n\n{}",
                code(command)
            ),
            pictures: BTreeMap::new(),
        };
        results.iter().for_each(|results| page.add_results(results));
        page
    }

    fn add_results(&mut self, results: &Results) {
        let subject = subject(&results.command);
        let machine = &results.machine;
        let versions = results.versions.iter();
        let versions: Vec<_> =
            versions.map(|(name, version)| format!("{name} {version}")).collect();
        self.text.push_str(&format!(
            "\n## {}\n\n{}\n- Machine: {}, {} cores, {:.1} GiB of memory, Linux {}\n- Versions: {}\n- Date: {}\n",
            escape(&subject),
            code(&results.command),
            escape(&machine.processor),
            machine.cores,
            machine.memory,
            escape(&machine.kernel),
            escape(&versions.join(", ")),
            escape(&results.date),
        ));
        for table in &results.tables {
            self.add_table(&subject, table);
        }
    }

    fn add_table(&mut self, subject: &str, table: &ResultTable) {
        let title = escape(&table.title);
        let note = one_line(&table.note).replace('<', "&lt;");
        self.text.push_str(&format!("\n### {title}\n\n{note}\n\n"));
        if let Some(picture) = picture::draw(table) {
            let path = self.free_path(&slug(subject, &table.title));
            let alt = escape(&picture.alt);
            self.text.push_str(&format!("![{alt}]({path})\n\n"));
            self.pictures.insert(path, picture.svg);
        }
        self.text.push_str(&table.markdown(escape));
    }

    /// The path for a picture: with a number if the name is taken, as the same command may have run
    /// twice.
    fn free_path(&self, name: &str) -> String {
        let mut path = format!("benchmarks/{name}.svg");
        for number in 2.. {
            if !self.pictures.contains_key(&path) {
                break;
            }
            path = format!("benchmarks/{name}-{number}.svg");
        }
        path
    }
}

/// The word for the measured server: the command after `--`, and whether it was over WebSockets.
fn subject(command: &str) -> String {
    let (_, words) = command.split_once(" -- ").unwrap_or(("", command));
    let word = words.split_whitespace().next().unwrap_or("results");
    match words.replace('=', " ").contains("--door ws") {
        true => format!("{word} over WebSockets"),
        false => word.to_owned(),
    }
}

fn code(command: &str) -> String {
    format!("```sh\n{command}\n```\n")
}

/// Text that has no meaning in Markdown, even in a table.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in one_line(text).chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name for a file: small letters, digits and hyphens. If a title repeats its subject before a
/// colon, the subject is left out.
fn slug(subject: &str, title: &str) -> String {
    let title = title.split_once(": ").map_or(title, |(_, rest)| rest);
    let words = format!("{subject} {title}").to_lowercase();
    let words: Vec<&str> = words
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::report::Chart;

    fn results() -> Results {
        let mut table = ResultTable::new(
            "Peers: CPU for each delivery",
            "N listeners, N < 20,000.\nMedians.",
            "N | server | ns/delivery | valid",
        );
        table.row([10.0.into(), "bare loop".into(), 4515.4.into(), "yes".into()]);
        table.row([
            10.0.into(),
            "a|b <c> & *d*".into(),
            None::<f64>.into(),
            "NO: it has ended".into(),
        ]);
        table.chart = Some(Chart { group: vec![0], series: 1, value: 2 });
        Results {
            command: "cargo run --release -p parlor-bench -- peers --quick".into(),
            date: "2026-01-02T03:04:05Z".into(),
            machine: Machine {
                processor: "Some CPU".into(),
                cores: 2,
                memory: 7.75,
                kernel: "6.1.0".into(),
            },
            versions: vec![("parlor".into(), "0.1.0".into()), ("ncat".into(), "7.93".into())],
            tables: vec![table],
        }
    }

    #[test]
    fn page_has_a_section_for_results() {
        let page = ReportPage::of(&[results()], "cargo run -- report peers.json");
        let (_, section) = page.text.split_once("\n## ").unwrap_or_default();
        assert!(page.text.starts_with("# Benchmarks\n"));
        assert!(page.text.contains("```sh\ncargo run -- report peers.json\n```\n"));
        assert_eq!(
            section,
            "peers\n\n\
             ```sh\ncargo run --release -p parlor-bench -- peers --quick\n```\n\n\
             - Machine: Some CPU, 2 cores, 7.8 GiB of memory, Linux 6.1.0\n\
             - Versions: parlor 0.1.0, ncat 7.93\n\
             - Date: 2026-01-02T03:04:05Z\n\n\
             ### Peers: CPU for each delivery\n\n\
             N listeners, N &lt; 20,000. Medians.\n\n\
             ![Bars of ns/delivery for each server: Peers: CPU for each delivery](benchmarks/peers-cpu-for-each-delivery.svg)\n\n\
             |  N | server                  | ns/delivery | valid            |\n\
             | ---: | ----------------------- | ----------: | ---------------- |\n\
             | 10 | bare loop               |       4,515 | yes              |\n\
             | 10 | a\\|b &lt;c> &amp; \\*d\\* |             | NO: it has ended |\n"
        );
    }

    #[test]
    fn pictures_have_different_names() {
        let page = ReportPage::of(&[results(), results()], "report");
        let names: Vec<&str> = page.pictures.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "benchmarks/peers-cpu-for-each-delivery-2.svg",
                "benchmarks/peers-cpu-for-each-delivery.svg"
            ]
        );
        for name in names {
            assert!(page.text.contains(&format!("({name})")), "{name}");
        }
    }

    #[test]
    fn title_names_the_door() {
        for (typed, title) in [
            ("fanout --quick", "fanout"),
            ("fanout --door lines", "fanout"),
            ("idle --door ws --quick", "idle over WebSockets"),
            ("idle --door=ws", "idle over WebSockets"),
        ] {
            assert_eq!(subject(&format!("cargo run -- {typed}")), title);
        }
    }

    #[test]
    fn table_without_chart_has_no_picture() {
        let mut results = results();
        results.tables[0].chart = None;
        let page = ReportPage::of(&[results], "report");
        assert!(page.pictures.is_empty());
        assert!(!page.text.contains("!["));
    }
}
