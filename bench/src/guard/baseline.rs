//! The baseline: the accepted cost of each scenario, and the compiler. Counts nothing.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The file is beside the sources of this program.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guard.toml");

const HEADING: &str = "\
# The cost of a line, in instructions for each operation. A count that is more than 10 % above fails ./test.
# Written by: cargo run --profile guard -p parlor-bench -- guard --update

";

/// The compiler, on which the instructions depend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Compiler {
    /// The version that `rustc --version` prints.
    pub(super) version: String,
    /// The platform that it compiles for.
    pub(super) target: String,
}

impl Compiler {
    /// The compiler that cargo uses here, and so used for this program.
    pub(super) fn find() -> anyhow::Result<Compiler> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(&rustc)
            .arg("-vV")
            .output()
            .with_context(|| format!("cannot run {} -vV", rustc.display()))?;
        Compiler::parse(&String::from_utf8_lossy(&output.stdout))
            .with_context(|| format!("{} -vV does not print its version", rustc.display()))
    }

    fn parse(words: &str) -> Option<Compiler> {
        let target = words.lines().find_map(|line| line.strip_prefix("host: "))?;
        Some(Compiler { version: words.lines().next()?.to_owned(), target: target.to_owned() })
    }
}

/// The cost of each scenario.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Baseline {
    pub(super) compiler: Compiler,
    /// The instructions for each operation, by the name of the scenario.
    instructions: BTreeMap<String, f64>,
}

impl Baseline {
    /// Rounds to a tenth of an instruction, so that digits without a meaning do not change the
    /// file.
    pub(super) fn new(
        compiler: Compiler,
        counts: impl Iterator<Item = (&'static str, f64)>,
    ) -> Baseline {
        let rounded = counts.map(|(name, count)| (name.to_owned(), (count * 10.0).round() / 10.0));
        Baseline { compiler, instructions: rounded.collect() }
    }

    pub(super) fn load() -> anyhow::Result<Baseline> {
        let text = fs::read_to_string(PATH).with_context(|| {
            format!("cannot read the baseline, {PATH}; `guard --update` writes one")
        })?;
        toml::from_str(&text).with_context(|| format!("{PATH} is no baseline"))
    }

    pub(super) fn save(&self) -> anyhow::Result<()> {
        let text = format!("{HEADING}{}", toml::to_string(self)?);
        fs::write(PATH, text).with_context(|| format!("cannot write {PATH}"))?;
        println!("The new baseline is in {PATH}");
        Ok(())
    }

    /// The cost of one operation of this scenario.
    pub(super) fn of(&self, name: &str) -> Option<f64> {
        self.instructions.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiler_is_read_from_its_version() {
        let words =
            "rustc 1.95.0 (5980 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n";
        let compiler = Compiler {
            version: "rustc 1.95.0 (5980 2026-04-14)".into(),
            target: "x86_64-unknown-linux-gnu".into(),
        };
        assert_eq!(Compiler::parse(words), Some(compiler));
        assert_eq!(Compiler::parse("rustc\n"), None);
    }
}
