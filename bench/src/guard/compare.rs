//! Counts all scenarios, and compares the counts with the baseline or makes them the baseline.

use std::process::exit;

use super::baseline::{Baseline, Compiler};
use super::callgrind;
use super::scenario::{GuardScenario, SCENARIOS};
use crate::report::ResultTable;

/// A cost this much above the baseline is a failure, and one this much below it a reason to write a
/// new baseline. Two runs differ by less than 1 %; the rest allows changes that are worth their
/// cost.
const CHANGE_MAX: f64 = 0.10;

/// The exit code if something costs more. That is a finding, not an error of this program.
const COSTS_MORE: i32 = 1;

/// The exit code if nothing can be counted, so the costs are unknown.
const CANNOT_COUNT: i32 = 2;

/// A scenario with its count, and its baseline if it has one.
struct ScenarioCount {
    scenario: &'static GuardScenario,
    count: f64,
    before: Option<f64>,
}

impl ScenarioCount {
    /// The difference to the baseline, as a share of it.
    fn change(&self) -> Option<f64> {
        Some(self.count / self.before? - 1.0)
    }
}

/// Runs the guard. Ends the process if something costs more, or cannot be counted.
pub(crate) fn run(update: bool) -> anyhow::Result<()> {
    let compiler = Compiler::find()?;
    let baseline = (!update).then(Baseline::load).transpose()?;
    if let Err(why) = can_count(&compiler, baseline.as_ref()) {
        eprintln!("{why}");
        exit(CANNOT_COUNT);
    }
    let mut all = Vec::new();
    for scenario in &SCENARIOS {
        let count = callgrind::count(scenario.name)?;
        let before = baseline.as_ref().and_then(|baseline| baseline.of(scenario.name));
        all.push(ScenarioCount { scenario, count, before });
    }
    println!("{}", table(&all));
    let Some(baseline) = baseline else {
        let counts = all.iter().map(|counted| (counted.scenario.name, counted.count));
        return Baseline::new(compiler, counts).save();
    };
    if let Some(hint) = hint(&all) {
        println!("{hint}");
    }
    if let Some(complaint) = complaint(&all, &baseline.compiler, &compiler) {
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

fn table(all: &[ScenarioCount]) -> ResultTable {
    let mut table = ResultTable::new(
        "The cost of a line",
        "Instructions for each operation, counted by callgrind; the change is relative to bench/guard.toml.",
        "scenario | operation | instructions | baseline | change %",
    );
    for counted in all {
        table.row([
            counted.scenario.name.into(),
            counted.scenario.operation.into(),
            counted.count.into(),
            counted.before.into(),
            counted.change().map(|change| change * 100.0).into(),
        ]);
    }
    table
}

/// The names of the scenarios whose change is such; None if there are none.
fn names(all: &[ScenarioCount], is_such: impl Fn(Option<f64>) -> bool) -> Option<String> {
    let such = all.iter().filter(|counted| is_such(counted.change()));
    let names: Vec<&str> = such.map(|counted| counted.scenario.name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn hint(all: &[ScenarioCount]) -> Option<String> {
    let costs_less = names(all, |change| change.is_some_and(|change| change < -CHANGE_MAX))?;
    Some(format!(
        "These cost over {:.0} % less: {costs_less}. To keep it so, `guard --update` makes this the baseline.",
        CHANGE_MAX * 100.0
    ))
}

/// The scenarios that cost more or have no baseline, and what to do. The baseline was made with the
/// compiler `before`.
fn complaint(all: &[ScenarioCount], before: &Compiler, now: &Compiler) -> Option<String> {
    if let Some(costs_more) = names(all, |change| change.is_some_and(|change| change > CHANGE_MAX))
    {
        let compiler = if before == now {
            String::new()
        } else {
            format!(
                "The baseline was counted with {}, and this is {}: that may be the reason. ",
                before.version, now.version
            )
        };
        return Some(format!(
            "These cost over {:.0} % more: {costs_more}. {compiler}Find out why. If the change is worth it, make this \
             the baseline with `guard --update`, and say why in the commit.",
            CHANGE_MAX * 100.0
        ));
    }
    let unknown = names(all, |change| change.is_none())?;
    Some(format!("These have no baseline: {unknown}. `guard --update` makes this the baseline."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(version: &str) -> Compiler {
        Compiler { version: version.into(), target: "x86_64-unknown-linux-gnu".into() }
    }

    /// The first scenario with this count, if it was 100 before.
    fn counted(count: f64) -> [ScenarioCount; 1] {
        [ScenarioCount { scenario: &SCENARIOS[0], count, before: Some(100.0) }]
    }

    fn complaint_in(all: &[ScenarioCount], version: &str) -> Option<String> {
        complaint(all, &compiler("rustc 1"), &compiler(version))
    }

    #[test]
    fn ten_percent_more_passes_and_fifteen_percent_fails() {
        for passes in [80.0, 100.0, 109.9] {
            assert_eq!(complaint_in(&counted(passes), "rustc 1"), None);
        }
        let complaint = complaint_in(&counted(115.0), "rustc 1").unwrap_or_default();
        assert!(complaint.starts_with("These cost over 10 % more: frame-plain. Find out why"));
    }

    #[test]
    fn complaint_names_another_compiler() {
        let complaint = complaint_in(&counted(115.0), "rustc 2").unwrap_or_default();
        assert!(complaint.contains("counted with rustc 1, and this is rustc 2"));
    }

    #[test]
    fn lower_cost_gives_a_hint() {
        assert_eq!(hint(&counted(95.0)), None);
        assert!(hint(&counted(85.0)).is_some_and(|hint| hint.contains("frame-plain")));
    }

    #[test]
    fn scenario_without_baseline_fails() {
        let [known] = counted(1.0);
        let complaint = complaint_in(&[ScenarioCount { before: None, ..known }], "rustc 1");
        assert!(complaint.is_some_and(|words| words.contains("no baseline")));
    }
}
