//! The program: reads the command line, runs one command, reports an error once. Knows no door and
//! no room.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use parlor::cli::{Action, args, ask, backup, check, manual, variables};
use parlor::clock::zone_is_unknown;
use parlor::config::ConfigError;
use parlor::server::{PassedSockets, Replaced, Source};
use parlor::telemetry::logging;

/// Wrong usage ends the process with code 2 before anything runs.
fn main() -> ExitCode {
    match run(args::parse().action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format!("parlor: {error:#}\n"));
            code(&error).map_or(ExitCode::FAILURE, ExitCode::from)
        }
    }
}

/// The exit code of an error, if it has its own.
fn code(error: &anyhow::Error) -> Option<u8> {
    match error.downcast_ref() {
        Some(ConfigError::Acme(_)) => Some(WRONG_USAGE),
        _ => error.is::<Replaced>().then_some(REPLACED),
    }
}

/// The exit code of wrong options, as clap has it.
const WRONG_USAGE: u8 = 2;

/// The exit code of a node in whose place another server has begun. packaging/parlor.service does not
/// start it again: two servers with one name would end each other for ever.
const REPLACED: u8 = 3;

/// The limit of time for the last sentence: stderr may be a full pipe without a reader.
const COMPLAINT_TIME: Duration = Duration::from_secs(1);

fn complain(sentence: String) {
    let (told, is_told) = mpsc::channel();
    let words = sentence.clone();
    let complaint = move || {
        io::stderr().write_all(words.as_bytes()).ok(); // if stderr is closed, the sentence is lost
        told.send(()).ok();
    };
    match thread::Builder::new().spawn(complaint) {
        Ok(_) => is_told.recv_timeout(COMPLAINT_TIME).ok(),
        Err(_) => io::stderr().write_all(sentence.as_bytes()).ok(),
    };
}

fn run(action: Action) -> anyhow::Result<()> {
    parlor::server::survive_file_size()?;
    match action {
        Action::Serve(options) => {
            let passed = PassedSockets::take_over()?; // before this process opens a file
            let config = options.load()?;
            let logging = logging::start(config.log, config.log_format)?;
            for sentence in variables::strangers().into_iter().chain(zone_is_unknown()) {
                tracing::warn!("{sentence}");
            }
            let source =
                Source { read: Arc::new(move || options.load()), level: logging.level.clone() };
            block_on(parlor::serve(config, Some(source), passed))
        }
        Action::Join(options) => block_on(parlor::client::join(options)),
        Action::Export(options) => {
            if let Some(sentence) = zone_is_unknown() {
                complain(format!("parlor: {sentence}\n"));
            }
            parlor::cli::export(&options)
        }
        Action::Check(options) => {
            let mut damages = String::new();
            let outcome = check(&options, |damage| damages += &(damage + "\n"));
            print(damages.as_bytes())?;
            print(outcome?.as_bytes())
        }
        Action::Backup(options) => print(backup(&options)?.as_bytes()),
        Action::Admin(options) => {
            // The reader of the answer may be slow, and the server does not wait for it.
            let (told, answer) = mpsc::channel::<String>();
            let mut lines = answer.into_iter();
            let printer = thread::Builder::new()
                .spawn(move || lines.try_for_each(|line| print(line.as_bytes())))
                .context("cannot start a thread")?;
            let outcome = ask(&options, |line| drop(told.send(format!("{line}\n"))));
            drop(told);
            printer.join().unwrap_or(Ok(()))?;
            outcome
        }
        Action::Config(options) => print(options.load()?.to_toml().as_bytes()),
        Action::Man { command } => print(&manual::page(command.as_deref())?),
        Action::Completions { shell } => print(&manual::completions(shell)),
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    parlor::server::check_threads()?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let outcome = runtime.block_on(work);
    // A thread may still wait for a key on stdin, and the runtime must not wait for that.
    runtime.shutdown_background();
    outcome
}

/// Prints to stdout. It is no error if the reader, such as `head`, stops early.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}
