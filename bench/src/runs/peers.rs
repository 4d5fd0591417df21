//! Servers that a user could run instead, under the same load as Parlor: netcat's own chat, IRC,
//! NATS, Redis, the book's program on tokio, and any other server for lines.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::bench::{Bench, progress};
use super::grid::{Entrant, Grid};
use crate::load::LoadPace;
use crate::server::{BareLoop, INSTALLABLE, Protocol, Target};

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
    let parlor = &bench.parlor;
    let [named, other] = parlor.pair();
    let mut targets = vec![bench.bare_loop(BareLoop::Plain)?, named, other];
    let mut missing = Vec::new();
    let chat = chat(options.chat.as_deref())?.map(|chat| (chat, env!("CARGO_PKG_VERSION").into()));
    let chat = chat.ok_or(format!("the example chat ({BUILD_CHAT})"));
    let installed = INSTALLABLE.iter().map(|peer| {
        let missing = || format!("{} (apt-get install {})", peer.name, peer.package);
        peer.find().ok_or_else(missing)
    });
    let more = options.targets.iter().map(|more| Ok((more.clone(), more.command.join(" "))));
    for peer in std::iter::once(chat).chain(installed).chain(more) {
        match peer {
            Ok((target, version)) => {
                bench.versions.push((target.name.clone(), version));
                targets.push(target);
            }
            Err(peer) => {
                progress(format_args!("not found: {peer}"));
                missing.push(peer);
            }
        }
    }
    let cores = [bench.cores.server];
    let on_core = |target| Entrant { target, cores: cores.into(), reference: 0 };
    let grid = Grid {
        entrants: targets.into_iter().map(on_core).collect(),
        listeners: vec![100, 1_000],
        paces: [1, 64].map(|window| LoadPace::Closed { window }).to_vec(),
        rounds: bench.pick(3, 7),
        seconds: bench.pick(0.3, 1.5),
    };
    bench.tables = grid.compare("Peers", &format!("the bare loop{}", bench.bare_loop_note()));
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
    let beside = std::env::current_exe()?.with_file_name("examples/chat");
    let program = std::path::absolute(named.unwrap_or(&beside))?;
    let is_built = program.is_file();
    ensure!(
        is_built || named.is_none(),
        "there is no program {}; the example is built with: {BUILD_CHAT}",
        program.display()
    );
    let words = [&*program.to_string_lossy(), "127.0.0.1:{port}"];
    Ok(is_built.then(|| Target::new("chat", Protocol::Lines, words)))
}

/// A server for lines, from the command line.
fn line_server(option: &str) -> anyhow::Result<Target> {
    let wanted = "the option has the form NAME=COMMAND";
    let (name, command) = option.split_once('=').context(wanted)?;
    ensure!(!name.is_empty() && !command.trim().is_empty(), wanted);
    Ok(Target::new(name, Protocol::Lines, command.split_whitespace()))
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
