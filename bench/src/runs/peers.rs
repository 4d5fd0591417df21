//! Servers that a user could run instead, under the same load as Parlor: netcat's own chat, IRC,
//! NATS, Redis, the book's program on tokio, and any other server for lines.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::bench::Bench;
use super::{contest, grid::Grid};
use crate::load::LoadPace;
use crate::progress::progress;
use crate::server::{INSTALLABLE, Protocol, Target, bare_loop, this_program};

/// The command that builds the example.
const BUILD_CHAT: &str = "cargo build --release --example chat";

/// The other servers to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct PeerOptions {
    /// Measure one more server for lines; may be repeated. {port} in COMMAND stands for the port;
    /// without it, COMMAND must listen on port 8000, as the book's program does. Blanks separate
    /// words, and there are no quotes
    #[arg(long = "peer", value_name = "NAME=COMMAND", value_parser = line_server)]
    targets: Vec<Target>,
    /// The example `chat`, the book's program on tokio [default: examples/chat in the folder of
    /// this program]
    #[arg(long, value_name = "PROGRAM")]
    chat: Option<PathBuf>,
}

/// Runs the grid with all servers that are installed.
pub(crate) fn run(bench: &mut Bench, options: &PeerOptions) -> anyhow::Result<()> {
    let mut targets = vec![bare_loop()?, bench.parlor.named()?, bench.parlor.classic()?];
    let mut missing = Vec::new();
    match chat(options.chat.as_deref())? {
        Some(target) => {
            bench.versions.push(("chat".into(), env!("CARGO_PKG_VERSION").into()));
            targets.push(target);
        }
        None => missing.push(format!("the example chat ({BUILD_CHAT})")),
    }
    for peer in &INSTALLABLE {
        match peer.find() {
            Some((target, version)) => {
                bench.versions.push((peer.name.into(), version));
                targets.push(target);
            }
            None => missing.push(format!("{} (apt-get install {})", peer.name, peer.package)),
        }
    }
    missing.iter().for_each(|peer| progress(format_args!("not found: {peer}")));
    for target in &options.targets {
        bench.versions.push((target.name.clone(), target.command.join(" ")));
        targets.push(target.clone());
    }
    let on_its_core = |target| (target, vec![bench.cores.server]);
    let grid = Grid {
        targets: targets.into_iter().map(on_its_core).collect(),
        load_core: bench.cores.load,
        listeners: vec![100, 1_000],
        paces: [1, 64].map(|window| LoadPace::Closed { window }).to_vec(),
        rounds: bench.pick(3, 7),
        seconds: bench.pick(0.3, 1.5),
    };
    bench.tables = contest::run("Peers", &grid)?;
    let note = note(&missing);
    bench.tables.iter_mut().for_each(|table| table.note += &note);
    Ok(())
}

fn note(missing: &[String]) -> String {
    let mut note = " All servers share one core, on which the others wait during a turn, and have no limits. With NATS and \
         Redis a speaker does not listen; in IRC a speaker receives all lines but its own."
        .to_owned();
    if !missing.is_empty() {
        note.push_str(&format!(" Not found: {}.", missing.join(", ")));
    }
    note
}

/// The example `chat`: the program that the user names, or the one that cargo builds beside this
/// program. None if it is not built.
fn chat(named: Option<&Path>) -> anyhow::Result<Option<Target>> {
    let here = PathBuf::from(this_program()?);
    let program = named.map_or(here.with_file_name("examples/chat"), Path::to_owned);
    let is_built = program.is_file();
    ensure!(
        is_built || named.is_none(),
        "there is no program {}; the example is built with: {BUILD_CHAT}",
        program.display()
    );
    let program = std::path::absolute(program)?.to_string_lossy().into_owned();
    let command = vec![program, "127.0.0.1:{port}".into()];
    Ok(is_built.then(|| Target::new("chat", Protocol::Lines, command)))
}

/// A server for lines, from the command line.
fn line_server(option: &str) -> anyhow::Result<Target> {
    let wanted = "the option has the form NAME=COMMAND";
    let (name, command) = option.split_once('=').context(wanted)?;
    let command: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    ensure!(!name.is_empty() && !command.is_empty(), wanted);
    Ok(Target::new(name, Protocol::Lines, command))
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_server_has_a_name_and_a_command() {
        let target = line_server("my chat=./chat --port {port}").expect("a name and a command");
        assert_eq!(target.name, "my chat");
        assert_eq!(target.command, ["./chat", "--port", "{port}"]);
        for wrong in ["chat", "=chat", "chat=", "chat= "] {
            assert!(line_server(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn missing_chat_is_an_error_only_if_it_was_named() {
        assert!(chat(None).expect("it is left out").is_none());
        let error = chat(Some(Path::new("/no/chat"))).expect_err("it does not exist");
        assert!(error.to_string().ends_with(BUILD_CHAT), "{error}");
    }
}
