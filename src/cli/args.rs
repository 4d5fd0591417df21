//! The command line of `parlor`. Knows no option of the server by name: the options are in
//! `config`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use super::admin::AdminOptions;
use super::backup::BackupOptions;
use super::export::ExportOptions;
use crate::client::JoinOptions;
use crate::config::{self, Config, ConfigError, DataOption};
use crate::door::{acme_challenge, read_urls, url_help};

const EXAMPLES: &str = "\
Examples:
  parlor serve                   Run a server on this machine; join it with: nc localhost 8000
  parlor serve --lan             Let everybody on your network join
  parlor join chat.example.org   Join with line editing, colours and reconnecting";

const SERVE_EXAMPLES: &str = "\
Examples:
  parlor serve
  parlor serve --lan --rate off
  parlor serve --listen 'tcp://*:8000?idle=1h' --listen 'tcp://localhost:8001?classic'
  parlor config --lan > parlor.toml && parlor serve --config parlor.toml

Options win over environment variables, variables over the file, and the file over the defaults.
PARLOR_LISTEN takes several URLs, separated by blanks or commas.";

const JOIN_EXAMPLES: &str = "\
Examples:
  parlor join
  parlor join chat.example.org --name alice --bell
  parlor join tls://chat.example.org
  printf 'hello\\n' | parlor join --name bot

Keys:
  Enter            say the line; pasted lines are text, never a command
  Tab              complete a command or a name; press it again for the next one
  Up, Down         earlier lines of yours; Ctrl-R searches them, Esc ends the search
  Ctrl-A, Ctrl-E   go to the beginning or end; Ctrl-Left and Ctrl-Right go by words
  Ctrl-W, -U, -K   erase a word, everything before the cursor, everything after it; Ctrl-Y brings it back
  Ctrl-L           clear the screen
  Ctrl-Z           suspend the program; fg continues it
  Ctrl-C           clear the line; on an empty line leave, as with Ctrl-D";

const EXPORT_EXAMPLES: &str = "\
Examples:
  parlor export --since 09:00
  parlor export --room lobby --format jsonl > lobby.jsonl
  parlor export --format jsonl | jq -r 'select(.name == \"alice\").text'";

const BACKUP_EXAMPLES: &str = "\
Examples:
  parlor backup monday.db
  parlor backup --data /var/lib/parlor /backup/parlor-$(date +%F).db

To serve the copy, put it as parlor.db into an empty directory.";

const ADMIN_EXAMPLES: &str = "\
Examples:
  parlor admin list
  parlor admin broadcast 'Back in five minutes: a new disk'
  parlor admin keeper add alice
  parlor admin ban 192.0.2.0/24 2h no advertising here
  parlor admin --data /var/lib/parlor reload";

/// A chat server that you join with netcat, a browser or curl.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, after_help = EXAMPLES)]
pub struct CommandLine {
    /// The command.
    #[command(subcommand)]
    pub action: Action,
}

/// The commands of parlor.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run the server; by default, only this machine can join
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeOptions>),
    /// Join a server from this terminal, or pipe lines to it
    #[command(after_help = JOIN_EXAMPLES)]
    Join(JoinOptions),
    /// Print stored lines, whether or not the server runs
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportOptions),
    /// Check all stored lines for damage, whether or not the server runs
    #[command(after_help = "Example:\n  parlor check --data /var/lib/parlor")]
    Check(DataOption),
    /// Copy all stored lines into a file, whether or not the server runs
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupOptions),
    /// Control a running server: list people, remove somebody, reload its configuration
    #[command(after_help = ADMIN_EXAMPLES)]
    Admin(AdminOptions),
    /// Print the configuration that serve would use with these options, as a file for --config
    #[command(after_help = SERVE_EXAMPLES)]
    Config(Box<ServeOptions>),
    /// Print the manual page, or that of one command
    #[command(after_help = "Example:\n  parlor man serve | man -l -")]
    Man {
        /// The command to explain
        #[arg(value_parser = ["serve", "join", "export", "check", "backup", "admin", "config", "man", "completions"])]
        command: Option<String>,
    },
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  parlor completions bash > ~/.local/share/bash-completion/completions/parlor"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The arguments of `serve` and `config`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// Read a TOML file whose keys are the names of these options
    #[arg(long, env = "PARLOR_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// The values of flags and environment, and the defaults.
    #[command(flatten)]
    options: Config,
    /// The command line, for a second reading with the values of the file as defaults.
    #[arg(skip)]
    words: Vec<OsString>,
}

impl ServeOptions {
    /// The configuration from flags, environment, file and defaults. Reads the file each time.
    ///
    /// # Errors
    ///
    /// The file is invalid, or options contradict each other.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let Some(path) = &self.config else {
            return complete(self.options.clone());
        };
        let file = config::read_file(path, &with_doors(config::options()))?;
        let command = ServeOptions::augment_args(clap::Command::new("serve"));
        let command = with_variables(with_doors(command)).mut_args(|arg| file.behind(arg));
        // The first word is the program, the second the subcommand.
        let matches = command.try_get_matches_from(self.words.iter().skip(1))?;
        complete(Self::from_arg_matches(&matches)?.options)
    }
}

/// Resolves options that depend on each other and on the doors.
fn complete(options: Config) -> Result<Config, ConfigError> {
    let config = options.settled()?;
    acme_challenge(&config).map_err(ConfigError::Acme)?;
    Ok(config)
}

impl CommandLine {
    /// Reads a command line, which begins with the name of the program, and the environment.
    ///
    /// # Errors
    ///
    /// They are wrong, or request only help.
    pub fn read(words: Vec<OsString>) -> Result<CommandLine, clap::Error> {
        let matches = command().try_get_matches_from(&words)?;
        let mut line = CommandLine::from_arg_matches(&matches)?;
        if let Action::Serve(options) | Action::Config(options) = &mut line.action {
            options.words = words;
        }
        Ok(line)
    }
}

/// Reads the command line and the environment, and ends the process with a sentence and code 2 if
/// they are wrong.
pub fn parse() -> CommandLine {
    match CommandLine::read(std::env::args_os().collect()) {
        Ok(line) => line,
        Err(error) => point_to_listen(name_the_variable(error)).exit(),
    }
}

/// The definitions of the whole command line. Manual page and completions come from them too.
pub fn command() -> clap::Command {
    definitions().mut_subcommands(with_variables)
}

/// Ignores empty variables: many start scripts unset one with `PARLOR_RATE=`.
fn with_variables(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| match arg.get_env().map(std::env::var_os) {
        Some(Some(value)) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    })
}

/// The definitions of the whole command line, without the environment.
pub(super) fn definitions() -> clap::Command {
    CommandLine::command().mut_subcommands(with_doors)
}

/// Gives the existing doors to `--listen`.
fn with_doors(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| match (arg.get_id().as_str(), arg.get_help()) {
        ("listen", Some(about)) => {
            let help = format!("{about}\n\n{}", url_help());
            arg.long_help(help).value_parser(read_urls)
        }
        _ => arg,
    })
}

/// Adds the name of the variable to an error: clap names only the flag, even if the environment is
/// wrong.
fn name_the_variable(error: clap::Error) -> clap::Error {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let flag = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    // Clap gives the flag as its usage: `--rate <N/s>`, `--lan[=<BOOL>]`.
    let name = flag.trim_start_matches("--");
    let name = name.split([' ', '[']).next().unwrap_or(name);
    let variable = config::variable(name);
    match std::env::var(&variable).is_ok_and(|set| set == value) {
        true => with_tip(error, format!("the environment sets {variable}={value}")),
        false => error,
    }
}

/// Adds a hint to `--listen`: other servers have separate options for the address, but here it is a
/// part of a URL.
fn point_to_listen(error: clap::Error) -> clap::Error {
    const ELSEWHERE: [&str; 7] =
        ["--port", "-p", "--host", "--bind", "--address", "--addr", "--interface"];
    let typed = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    let is_elsewhere = typed.is_some_and(|typed| ELSEWHERE.contains(&typed.as_str()));
    match error.kind() {
        ErrorKind::UnknownArgument if is_elsewhere => {
            let tip = "the address and the port are part of a URL: --listen tcp://localhost:9000";
            with_tip(error, tip.to_owned())
        }
        _ => error,
    }
}

fn with_tip(mut error: clap::Error, tip: String) -> clap::Error {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}
