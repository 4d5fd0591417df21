//! A process of its own for clients: requests and answers are lines of JSON. Knows no client.

use std::io::{BufRead, BufReader, Lines, Write, stdout};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use crate::server::THIS_PROGRAM;

/// A process of this program that answers requests.
pub(super) struct LoadProcess {
    answers: Lines<BufReader<ChildStdout>>,
    process: Child,
}

impl LoadProcess {
    /// Starts this program with a command and its assignment.
    pub(super) fn start(command: &str, assignment: &impl Serialize) -> anyhow::Result<LoadProcess> {
        let mut process = Command::new(THIS_PROGRAM)
            .args([command, &serde_json::to_string(assignment)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = process.stdout.take().context("the load has no stdout")?;
        Ok(LoadProcess { answers: BufReader::new(answers).lines(), process })
    }

    /// Sends a request, and waits for nothing.
    pub(super) fn request(&mut self, request: &impl Serialize) -> anyhow::Result<()> {
        let requests = self.process.stdin.as_mut().context("the load has no stdin")?;
        Ok(writeln!(requests, "{}", serde_json::to_string(request)?)?)
    }

    /// Waits for the next answer.
    pub(super) fn answer<T: for<'a> Deserialize<'a>>(&mut self) -> anyhow::Result<T> {
        let line = self.answers.next().context("the load has ended")??;
        let answer: Result<T, String> = serde_json::from_str(&line)?;
        answer.map_err(|error| anyhow!(error))
    }
}

/// The process ends with its requests, which `wait` closes, and ends its server before.
impl Drop for LoadProcess {
    fn drop(&mut self) {
        self.process.wait().ok();
    }
}

/// Prints an answer, in the process of the load.
pub(super) fn print<T: Serialize>(answer: anyhow::Result<T>) -> anyhow::Result<()> {
    let answer = answer.map_err(|error| format!("{error:#}"));
    Ok(writeln!(stdout(), "{}", serde_json::to_string(&answer)?)?)
}
