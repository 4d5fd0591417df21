//! Counts all scenarios, and compares the counts with the baseline or makes them the baseline.

use std::process::exit;

use super::baseline::{Baseline, Compiler};
use super::callgrind;
use super::scenario::SCENARIOS;
use crate::report::ResultTable;

/// A cost this much above the baseline is a failure, and one this much below it a reason to write a
/// new baseline. Two runs differ by less than 1 %; the rest allows changes that are worth their
/// cost.
const CHANGE_MAX: f64 = 0.10;

/// The exit code if something costs more. That is a finding, not an error of this program.
const COSTS_MORE: i32 = 1;

/// The exit code if nothing can be counted, so the costs are unknown.
const CANNOT_COUNT: i32 = 2;

/// Runs the guard. Ends the process if something costs more, or cannot be counted.
pub(crate) fn run(update: bool) -> anyhow::Result<()> {
    let compiler = Compiler::find()?;
    let baseline = (!update).then(Baseline::load).transpose()?;
    if let Err(why) = can_count(&compiler, baseline.as_ref()) {
        eprintln!("{why}");
        exit(CANNOT_COUNT);
    }
    let mut counts = Vec::new();
    for scenario in &SCENARIOS {
        counts.push((scenario.name, callgrind::count(scenario.name)?));
    }
    let Some(baseline) = baseline else {
        println!("{}", table(&counts, None));
        return Baseline::new(compiler, &counts).save();
    };
    println!("{}", table(&counts, Some(&baseline)));
    let verdict = Verdict::of(&counts, &baseline);
    if let Some(hint) = verdict.hint() {
        println!("{hint}");
    }
    if let Some(complaint) = verdict.complaint(&baseline.compiler, &compiler) {
        eprintln!("{complaint}");
        exit(COSTS_MORE);
    }
    Ok(())
}

/// An error if counts of this machine cannot be compared with the baseline: the reason, and a
/// remedy.
fn can_count(compiler: &Compiler, baseline: Option<&Baseline>) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err(
            "The guard counts optimised code: run it with `cargo run --profile guard`.".into()
        );
    }
    if !compiler.target.starts_with("x86_64") {
        return Err(format!(
            "The guard counts instructions of x86_64; this is {}.",
            compiler.target
        ));
    }
    if let Some(Baseline { compiler: made, .. }) = baseline
        && made.target != compiler.target
    {
        return Err(format!(
            "The baseline is for {}, and this is {}: they cannot be compared.",
            made.target, compiler.target
        ));
    }
    if !callgrind::is_installed() {
        return Err(
            "The guard counts with valgrind, which is missing: apt-get install valgrind.".into()
        );
    }
    Ok(())
}

/// The difference to the earlier count, as a share of that count.
fn change(count: f64, before: f64) -> f64 {
    count / before - 1.0
}

fn table(counts: &[(&str, f64)], baseline: Option<&Baseline>) -> ResultTable {
    let mut table = ResultTable::new(
        "The cost of a line",
        "Instructions for each operation, counted by callgrind; the change is relative to bench/guard.toml.",
        "scenario | operation | instructions | baseline | change %",
    );
    for (scenario, &(name, count)) in SCENARIOS.iter().zip(counts) {
        let before = baseline.and_then(|baseline| baseline.of(name));
        table.row([
            name.into(),
            scenario.operation.into(),
            count.into(),
            before.into(),
            before.map(|before| change(count, before) * 100.0).into(),
        ]);
    }
    table
}

/// The scenarios that need the user's attention.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    costs_more: Vec<String>,
    costs_less: Vec<String>,
    /// Scenarios that the baseline does not have.
    unknown: Vec<String>,
}

impl Verdict {
    fn of(counts: &[(&str, f64)], baseline: &Baseline) -> Verdict {
        let mut verdict = Verdict::default();
        for &(name, count) in counts {
            let change = baseline.of(name).map(|before| change(count, before));
            match change {
                None => verdict.unknown.push(name.into()),
                Some(change) if change > CHANGE_MAX => verdict.costs_more.push(name.into()),
                Some(change) if change < -CHANGE_MAX => verdict.costs_less.push(name.into()),
                Some(_) => {}
            }
        }
        verdict
    }

    fn hint(&self) -> Option<String> {
        let costs_less = (!self.costs_less.is_empty()).then(|| self.costs_less.join(", "))?;
        Some(format!(
            "These cost over {:.0} % less: {costs_less}. To keep it so, `guard --update` makes this the baseline.",
            CHANGE_MAX * 100.0
        ))
    }

    /// The scenarios that cost more or have no baseline, and what to do.
    fn complaint(&self, before: &Compiler, now: &Compiler) -> Option<String> {
        if !self.costs_more.is_empty() {
            let compiler = if before == now {
                String::new()
            } else {
                format!(
                    "The baseline was counted with {}, and this is {}: that may be the reason. ",
                    before.version, now.version
                )
            };
            return Some(format!(
                "These cost over {:.0} % more: {}. {compiler}Find out why. If the change is worth it, make this the \
                 baseline with `guard --update`, and say why in the commit.",
                CHANGE_MAX * 100.0,
                self.costs_more.join(", ")
            ));
        }
        let unknown = (!self.unknown.is_empty()).then(|| self.unknown.join(", "))?;
        Some(format!(
            "These have no baseline: {unknown}. `guard --update` makes this the baseline."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(version: &str) -> Compiler {
        Compiler { version: version.into(), target: "x86_64-unknown-linux-gnu".into() }
    }

    fn verdict(count: f64) -> Verdict {
        let baseline = Baseline::new(compiler("rustc 1"), &[("post", 100.0)]);
        Verdict::of(&[("post", count)], &baseline)
    }

    fn complaint(verdict: &Verdict, version: &str) -> Option<String> {
        verdict.complaint(&compiler("rustc 1"), &compiler(version))
    }

    #[test]
    fn ten_percent_more_passes_and_fifteen_percent_fails() {
        for passes in [80.0, 100.0, 109.9] {
            assert_eq!(complaint(&verdict(passes), "rustc 1"), None);
        }
        let complaint = complaint(&verdict(115.0), "rustc 1").unwrap_or_default();
        assert!(complaint.starts_with("These cost over 10 % more: post. Find out why"));
    }

    #[test]
    fn complaint_names_another_compiler() {
        let complaint = complaint(&verdict(115.0), "rustc 2").unwrap_or_default();
        assert!(complaint.contains("counted with rustc 1, and this is rustc 2"));
    }

    #[test]
    fn lower_cost_gives_a_hint() {
        assert_eq!(verdict(95.0).hint(), None);
        assert!(verdict(85.0).hint().is_some_and(|hint| hint.contains("post")));
    }

    #[test]
    fn scenario_without_baseline_fails() {
        let baseline = Baseline::new(compiler("rustc 1"), &[]);
        let verdict = Verdict::of(&[("post", 1.0)], &baseline);
        assert!(complaint(&verdict, "rustc 1").is_some_and(|words| words.contains("no baseline")));
    }
}
