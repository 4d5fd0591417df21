//! `parlor admin`: sends one command to the server that runs, and prints the answer.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use parlor_core::link::{is_meant_as_time, parse_time};
use parlor_core::model::{Line, Name};
use parlor_wire::style::LINE_BYTES_MAX;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::new_password::read_password;
use crate::config::{DataOption, SOCKET_FILE};
use crate::door::LOOK_EVERY;

/// The arguments of `admin`.
#[derive(Debug, Args)]
pub struct AdminOptions {
    /// The directory of the server.
    #[command(flatten)]
    pub data: DataOption,
    /// The command.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// A command of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AdminCommand {
    /// Find out whether the server answers, as a health check: exit code 0 if it does
    Ping,
    /// Read the configuration again
    Reload,
    /// List everybody: name, address, rooms, time since the last line
    List,
    /// Send a notice to everybody, in all rooms
    Broadcast {
        /// The text
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Remove somebody
    Kick {
        /// The person's name
        name: String,
        /// The reason; the person and the others read it
        reason: Vec<String>,
    },
    /// Ban somebody and remove them
    Ban {
        /// The name, or the address: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32
        whom: String,
        /// How long, as 30m, 2h or 7d, else for good; and the reason
        #[arg(value_name = "TIME|REASON")]
        words: Vec<String>,
    },
    /// Lift a ban
    Unban {
        /// The name, or the address
        whom: String,
    },
    /// List the bans
    Bans,
    /// Silence somebody
    Mute {
        /// The person's name
        name: String,
        /// How long, as 30m, 2h or 7d
        #[arg(default_value = "10m")]
        time: String,
    },
    /// Let somebody speak again
    Unmute {
        /// The name
        name: String,
    },
    /// List, add or remove keepers of the server
    Keeper {
        /// The command.
        #[command(subcommand)]
        command: KeeperCommand,
    },
    /// List registered names, release one, or set a new password for its owner
    Name {
        /// The command.
        #[command(subcommand)]
        command: NameCommand,
    },
    /// List the servers that share these rooms: people, contact, messages behind, version
    Nodes,
    /// Print the log of moderation, oldest first
    Log {
        /// How many of the latest entries
        #[arg(default_value_t = AUDIT_ROWS)]
        rows: usize,
    },
}

/// How many entries of the log of moderation are printed by default.
const AUDIT_ROWS: usize = 100;

/// A command about keepers.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum KeeperCommand {
    /// Make somebody a keeper of the server; the name must be registered
    Add {
        /// The name
        name: String,
    },
    /// Remove somebody as a keeper
    Remove {
        /// The name
        name: String,
    },
    /// List the keepers of the server
    List,
}

/// A command about registered names.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum NameCommand {
    /// List the registered names: since when, and when the owner was last here
    List,
    /// Make a name free again: its password, token, return codes, waiting messages and keeper roles
    /// are deleted
    Release {
        /// The name
        name: String,
    },
    /// Set a new password for the owner of a name; it is read from the terminal or from standard
    /// input
    Password {
        /// The name
        name: String,
    },
}

impl AdminCommand {
    /// The line to send.
    fn line(&self) -> anyhow::Result<String> {
        let line = match self {
            AdminCommand::Ping => "/ping".to_owned(),
            AdminCommand::Reload => "/reload".to_owned(),
            AdminCommand::List => "/list".to_owned(),
            AdminCommand::Broadcast { text } => match text.join(" ").trim() {
                "" => bail!("there is no text to send"),
                text => format!("/broadcast {text}"),
            },
            AdminCommand::Kick { name, reason } => {
                format!("/kick {} {}", one_word(name)?, reason.join(" "))
            }
            AdminCommand::Ban { whom, words } => {
                let words = words.join(" ");
                match words.split_whitespace().next() {
                    Some(word) if is_meant_as_time(word) => check_time(word)?,
                    Some(_) | None => {}
                }
                format!("/ban {} {words}", one_word(whom)?)
            }
            AdminCommand::Unban { whom } => format!("/unban {}", one_word(whom)?),
            AdminCommand::Bans => "/ban".to_owned(),
            AdminCommand::Mute { name, time } => {
                check_time(time)?;
                format!("/mute {} {time}", one_word(name)?)
            }
            AdminCommand::Unmute { name } => format!("/unmute {}", one_word(name)?),
            AdminCommand::Keeper { command } => match command {
                KeeperCommand::List => "/keeper".to_owned(),
                KeeperCommand::Add { name } => format!("/keeper {}", one_word(name)?),
                KeeperCommand::Remove { name } => format!("/keeper -{}", one_word(name)?),
            },
            AdminCommand::Name { command } => match command {
                NameCommand::List => "/name list".to_owned(),
                NameCommand::Release { name } => format!("/name release {name}"),
                NameCommand::Password { name } => format!("/name password {name}"),
            },
            AdminCommand::Nodes => "/nodes".to_owned(),
            AdminCommand::Log { rows } => format!("/log {rows}"),
        };
        let line = Line::sanitise(line.trim().as_bytes());
        match line.len() <= LINE_BYTES_MAX {
            true => Ok(line.to_string()),
            false => bail!("too long; write at most {LINE_BYTES_MAX} bytes"),
        }
    }
}

/// A name or an address of one word. The server would read a second word as a time or a reason, and
/// a leading hyphen as a sign.
fn one_word(typed: &str) -> anyhow::Result<&str> {
    let word = typed.trim();
    let is_one = !word.is_empty() && !word.contains(char::is_whitespace) && !word.starts_with('-');
    match is_one {
        true => Ok(word),
        false => Err(Name::parse(word)
            .err()
            .map_or_else(|| anyhow!("{word:?} is not a name"), |error| anyhow!("{error}"))),
    }
}

fn check_time(typed: &str) -> anyhow::Result<()> {
    match parse_time(typed) {
        Some(_) => Ok(()),
        None => bail!("{typed:?} is not a time; write it as 30m, 2h or 7d"),
    }
}

/// The server sends the next line of its answer sooner, unless it is suspended.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Sends the command, and hands each line of the answer to `tell` when it comes. It must not wait:
/// the server cuts off those who read too slowly.
///
/// # Errors
/// No server runs there, it does not answer, or it refuses. The error is one sentence.
pub fn ask(options: &AdminOptions, mut tell: impl FnMut(&str)) -> anyhow::Result<()> {
    let mut lines = options.command.line()? + "\n";
    if let AdminCommand::Name { command: NameCommand::Password { name } } = &options.command {
        let password = read_password(name)?;
        lines += &format!("{}\n", Line::sanitise(password.as_bytes()));
    }
    let directory = options.data.directory()?;
    let shown = directory.display();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let path = directory.join(SOCKET_FILE);
        let stream = UnixStream::connect(&path).await;
        let stream = stream.map_err(|error| cannot_reach(&directory, &path, &error))?;
        match converse(stream, &lines, &mut tell).await {
            Ok(outcome) => outcome.map_err(anyhow::Error::msg),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                bail!("the server on {shown} {STANDS_STILL}")
            }
            Err(error) => Err(error).context(format!("the server on {shown} broke off")),
        }
    })
}

const STANDS_STILL: &str =
    "does not answer: it is stopped, or has too much to do; its log may say more. Try again later";

/// The reason why there is no connection, and what to do.
fn cannot_reach(directory: &Path, path: &Path, error: &io::Error) -> anyhow::Error {
    let (shown, path) = (directory.display(), path.display());
    let no_server = |missing| {
        anyhow!(
            "{missing} {path}: no server runs on {shown}, or its socket was deleted, and then it makes a new one within {} s; \
             give --data the server's directory, which it logs when it starts",
            LOOK_EVERY.as_secs()
        )
    };
    match error.kind() {
        ErrorKind::PermissionDenied => {
            anyhow!("only root and the user who runs the server on {shown} can control it")
        }
        ErrorKind::InvalidInput => anyhow!(
            "{path} is too long for a socket's path; start the server with a shorter --data"
        ),
        // A suspended server has more callers than the system queues for it.
        ErrorKind::WouldBlock => anyhow!("the server on {shown} {STANDS_STILL}"),
        ErrorKind::NotFound => no_server("there is no"),
        // The file is not a socket, or it belongs to a server that was killed.
        ErrorKind::ConnectionRefused => no_server("no server answers at"),
        _ => anyhow!("cannot reach the server on {shown}: {error}"),
    }
}

/// Sends lines and reads the answer. A failure is a sentence with the reason.
async fn converse(
    mut stream: UnixStream,
    lines: &str,
    tell: &mut impl FnMut(&str),
) -> io::Result<Result<(), String>> {
    timeout(ANSWER_TIME, stream.write_all(lines.as_bytes())).await??;
    stream.shutdown().await?;
    let mut answer = BufReader::new(stream).lines();
    while let Some(line) = timeout(ANSWER_TIME, answer.next_line()).await?? {
        if let Some(words) = line.strip_prefix("-- ") {
            tell(words);
        } else if let Some(sentence) = line.strip_prefix('!') {
            return Ok(Err(sentence.to_owned()));
        } else {
            return Ok(Ok(()));
        }
    }
    Err(ErrorKind::UnexpectedEof.into())
}
