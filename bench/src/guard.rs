//! The guard: what a line costs in instructions, against a baseline that is part of the repository.
//!
//! Instructions are counted by callgrind, so the same code gives the same count on a busy machine as on a quiet
//! one. They are not time: what waits for memory or for the kernel is not seen here, but in the other commands.

mod baseline;
mod callgrind;
mod house;
mod scenario;

use std::process::exit;

use crate::table::Table;
use baseline::{Baseline, Compiler};
use scenario::SCENARIOS;

/// This much above the baseline is a failure, and this much below it a reason to write it anew. What is counted
/// differs by less than 1 % between two runs; what is left is for a change that is worth what it costs.
const CHANGE_MAX: f64 = 0.10;

/// The exit code where something is dearer: that is a finding, and no error of this program.
const DEARER: i32 = 1;

/// The exit code where nothing can be counted: it has not failed, and has not held either.
const CANNOT_COUNT: i32 = 2;

/// Counts everything, and compares it with the baseline or makes it the baseline. Ends the process where something
/// is dearer, or cannot be counted.
pub(crate) fn run(update: bool) -> anyhow::Result<()> {
    let compiler = Compiler::find()?;
    let baseline = if update {
        None
    } else {
        Some(Baseline::load()?)
    };
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
        exit(DEARER);
    }
    Ok(())
}

/// Does what one scenario is about, where it is counted.
pub(crate) fn run_body(name: &str) -> anyhow::Result<()> {
    println!("{}", scenario::run(name)?);
    Ok(())
}

/// Whether a count made here can be compared with the baseline; or why not, and what helps.
fn can_count(compiler: &Compiler, baseline: Option<&Baseline>) -> Result<(), String> {
    if cfg!(debug_assertions) {
        return Err(
            "The guard counts what is optimised: run it with `cargo run --release`.".into(),
        );
    }
    if !compiler.target.starts_with("x86_64") {
        return Err(format!(
            "The guard counts instructions of x86_64; here they are those of {}.",
            compiler.target
        ));
    }
    if let Some(Baseline { compiler: made, .. }) = baseline
        && made.target != compiler.target
    {
        return Err(format!(
            "The baseline is of {}, and this is {}: they cannot be compared.",
            made.target, compiler.target
        ));
    }
    if !callgrind::is_there() {
        return Err(
            "The guard counts with valgrind, which is missing: apt-get install valgrind.".into(),
        );
    }
    Ok(())
}

/// How much more than before, as a fraction.
fn change(count: f64, before: f64) -> f64 {
    count / before - 1.0
}

fn table(counts: &[(&str, f64)], baseline: Option<&Baseline>) -> Table {
    let mut table = Table::new(
        "The cost of a line",
        "Instructions for each operation, counted by callgrind; the change is against bench/guard.toml.",
        [
            "scenario",
            "operation",
            "instructions",
            "baseline",
            "change %",
        ],
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

/// What there is to say of the counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    dearer: Vec<String>,
    cheaper: Vec<String>,
    /// Those that the baseline does not have.
    unknown: Vec<String>,
}

impl Verdict {
    fn of(counts: &[(&str, f64)], baseline: &Baseline) -> Verdict {
        let mut verdict = Verdict::default();
        for &(name, count) in counts {
            let change = baseline.of(name).map(|before| change(count, before));
            match change {
                None => verdict.unknown.push(name.into()),
                Some(change) if change > CHANGE_MAX => verdict.dearer.push(name.into()),
                Some(change) if change < -CHANGE_MAX => verdict.cheaper.push(name.into()),
                Some(_) => {}
            }
        }
        verdict
    }

    fn hint(&self) -> Option<String> {
        let cheaper = (!self.cheaper.is_empty()).then(|| self.cheaper.join(", "))?;
        Some(format!(
            "Cheaper by more than {:.0} %: {cheaper}. Keep it so: `guard --update` makes this the baseline.",
            CHANGE_MAX * 100.0
        ))
    }

    /// What is dearer, or has nothing to be compared with, and what to do then.
    fn complaint(&self, before: &Compiler, now: &Compiler) -> Option<String> {
        if !self.dearer.is_empty() {
            let compiler = if before == now {
                String::new()
            } else {
                format!(
                    "The baseline was counted with {}, and this is {}, which may be the reason. ",
                    before.version, now.version
                )
            };
            return Some(format!(
                "Dearer by more than {:.0} %: {}. {compiler}Find out why; or if it is worth that, make it the \
                 baseline with `guard --update`, and say in the commit what it is worth it for.",
                CHANGE_MAX * 100.0,
                self.dearer.join(", ")
            ));
        }
        let unknown = (!self.unknown.is_empty()).then(|| self.unknown.join(", "))?;
        Some(format!(
            "Without a baseline: {unknown}. `guard --update` makes this the baseline."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(version: &str) -> Compiler {
        Compiler {
            version: version.into(),
            target: "x86_64-unknown-linux-gnu".into(),
        }
    }

    fn verdict(count: f64) -> Verdict {
        let baseline = Baseline::new(compiler("rustc 1"), &[("post", 100.0)]);
        Verdict::of(&[("post", count)], &baseline)
    }

    fn complaint(verdict: &Verdict, version: &str) -> Option<String> {
        verdict.complaint(&compiler("rustc 1"), &compiler(version))
    }

    #[test]
    fn a_tenth_more_passes_and_what_is_above_fails() {
        for passes in [80.0, 100.0, 109.9] {
            assert_eq!(complaint(&verdict(passes), "rustc 1"), None);
        }
        let complaint = complaint(&verdict(115.0), "rustc 1").unwrap_or_default();
        assert!(complaint.starts_with("Dearer by more than 10 %: post. Find out why"));
    }

    #[test]
    fn another_compiler_is_named() {
        let complaint = complaint(&verdict(115.0), "rustc 2").unwrap_or_default();
        assert!(complaint.contains("counted with rustc 1, and this is rustc 2"));
    }

    #[test]
    fn what_has_become_cheaper_is_said() {
        assert_eq!(verdict(95.0).hint(), None);
        assert!(
            verdict(85.0)
                .hint()
                .is_some_and(|hint| hint.contains("post"))
        );
    }

    #[test]
    fn what_has_no_baseline_fails() {
        let baseline = Baseline::new(compiler("rustc 1"), &[]);
        let verdict = Verdict::of(&[("post", 1.0)], &baseline);
        assert!(complaint(&verdict, "rustc 1").is_some_and(|words| words.contains("Without")));
    }
}
