//! One connection to the operator's socket: commands in, sentences out. Whatever the client sends,
//! the connection takes little memory and ends soon.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Change, Encoder, Inbox, Outcome, Query, Refusal, Request};
use parlor_core::model::{Act, By, Deed, Line, Name};
use parlor_wire::lines::{LineDecoder, LineEncoder, LineInput};
use parlor_wire::style::{LineMode, LocalClock, Storage};
use parlor_wire::words::refusal_row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::select;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::command::{HELP, NoCommand, OperatorCommand};
use super::socket::{LOOK_EVERY, OperatorSocket};
use crate::accounts::{Accounts, Registered};
use crate::audit::{self, moment};
use crate::clock;
use crate::clock::timeout;
use crate::door::reload::Reload;
use crate::journal::Database;

/// The number of connections that are served at once; others wait in the system's queue.
const SERVED_MAX: usize = 4;

/// The limit of time for each step: receive a line, carry it out, send the answer.
const STEP_TIME: Duration = Duration::from_secs(10);

/// The pause after a failed accept.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The number of bytes that are read at once: a few lines.
const READ_BYTES: u64 = 4 * 1024;

/// The largest number of log entries that are read at once.
const LOG_ROWS_MAX: usize = 10_000;

/// The parts of the server that the operator reaches through the socket.
#[derive(Clone)]
pub(crate) struct OperatorDoor {
    pub(crate) inbox: Arc<Inbox>,
    /// None if the server cannot reload its configuration.
    pub(crate) reload: Option<Reload>,
    /// None if nothing is stored.
    pub(crate) database: Option<Database>,
    /// The registered names; none if nothing is stored.
    pub(crate) accounts: Option<Arc<Accounts>>,
}

/// An answer: lines, or a sentence with the reason why the command failed.
type Reply = Result<Vec<String>, String>;

impl OperatorDoor {
    /// Serves connections until it is aborted.
    pub(crate) async fn serve(self, mut socket: OperatorSocket) {
        let places = Arc::new(Semaphore::new(SERVED_MAX));
        let mut served = JoinSet::new();
        let mut looks = interval(LOOK_EVERY);
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            while served.try_join_next().is_some() {}
            let accepted = select! {
                accepted = socket.listener.accept() => accepted,
                _ = looks.tick() => {
                    look_after(&mut socket);
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    let door = self.clone();
                    served.spawn(async move {
                        if let Err(error) = door.converse(stream).await {
                            tracing::debug!(%error, "a conversation on the operator's socket broke off");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection on the operator's socket");
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Carries out one command after the other. A line with a dot follows the last one.
    async fn converse(&self, stream: UnixStream) -> io::Result<()> {
        let mut lines = SocketLines {
            stream,
            decoder: LineDecoder::new(LineMode::Named),
            bytes: Vec::new(),
            has_ended: false,
        };
        while let Some(heard) = lines.next().await? {
            let reply = match heard {
                LineInput::Line(line) if line.is_blank() => continue,
                LineInput::Line(line) => match OperatorCommand::parse(&line) {
                    Ok(OperatorCommand::Quit) => break,
                    Ok(OperatorCommand::SetPassword(deed)) => match lines.next().await? {
                        Some(LineInput::Line(password)) => {
                            self.within_time(self.set_password(deed, password)).await
                        }
                        _ => Err("the next line is to be the password".to_owned()),
                    },
                    Ok(command) => self.within_time(self.obey(command)).await,
                    Err(NoCommand::Here(sentence)) => Err(sentence.to_owned()),
                    Err(NoCommand::Anywhere(misread)) => Err(why_not(&misread.into())),
                },
                LineInput::TooLong => {
                    Err(why_not(&Refusal::TooLong(LineMode::Named.line_bytes_max())))
                }
                LineInput::Reply(_) | LineInput::Foreign(_) => continue, // for telnet only
            };
            lines.say(&written(reply)).await?;
        }
        lines.say(b".\n").await
    }

    async fn within_time(&self, work: impl Future<Output = Reply>) -> Reply {
        timeout(STEP_TIME, work).await.unwrap_or_else(|_| {
            Err("this takes too long; it may or may not be done in the end".to_owned())
        })
    }

    async fn obey(&self, command: OperatorCommand) -> Reply {
        match command {
            OperatorCommand::Act(deed) => self.act(deed).await,
            OperatorCommand::Reload(deed) => self.reload(deed).await,
            OperatorCommand::ReleaseName(deed) => self.release(deed).await,
            OperatorCommand::Everybody => self.ask(Query::Everybody).await,
            OperatorCommand::Bans => self.ask(Query::Bans { here: None }).await,
            OperatorCommand::Keepers => self.ask(Query::Keepers { here: None }).await,
            OperatorCommand::Names => self.names().await,
            OperatorCommand::Log(rows) => self.log(rows).await,
            OperatorCommand::Help => Ok(HELP.map(str::to_owned).to_vec()),
            OperatorCommand::SetPassword(_) | OperatorCommand::Quit => Ok(Vec::new()), // see above
        }
    }

    async fn act(&self, deed: Deed) -> Reply {
        self.ask(Change::Act { here: None, deed }).await
    }

    /// Passes a request to the broadcaster.
    async fn ask(&self, request: impl Into<Request>) -> Reply {
        match self.inbox.connect().call(request).await {
            Outcome::Answer(Answer::Refused(refusal)) => Err(why_not(&refusal)),
            Outcome::Answer(answer) => Ok(worded(&answer)),
            _ => Ok(Vec::new()),
        }
    }

    async fn reload(&self, deed: Deed) -> Reply {
        let Some(reload) = &self.reload else {
            return Err("this server has no configuration to read again".to_owned());
        };
        let report = reload.reload().await?;
        // For the log of moderation. If it cannot be stored, the server's own log says so.
        self.act(deed).await.ok();
        Ok(report)
    }

    async fn log(&self, rows: usize) -> Reply {
        let Some(database) = &self.database else {
            return Err("this server stores nothing on disk".to_owned());
        };
        let rows = rows.min(LOG_ROWS_MAX);
        let log = database.read(move |connection| audit::latest(connection, rows)).await;
        log.map_err(|error| error.to_string())
    }

    fn accounts(&self) -> Result<&Accounts, String> {
        let accounts = self.accounts.as_deref();
        accounts.ok_or_else(|| "this server stores no names".to_owned())
    }

    async fn names(&self) -> Reply {
        let names = self.accounts()?.names.registered().await;
        let names = names.map_err(|_| UNREADABLE)?;
        Ok(match names.is_empty() {
            true => vec!["No name is registered".to_owned()],
            false => names.iter().map(registered).collect(),
        })
    }

    async fn release(&self, deed: Deed) -> Reply {
        let name = name_of(&deed);
        match self.accounts()?.names.release(name.clone()).await {
            Ok(true) => Ok(done(deed)),
            Ok(false) => Err(format!("{name} is not registered")),
            Err(failed) => Err(failed.to_string()),
        }
    }

    async fn set_password(&self, deed: Deed, password: Line) -> Reply {
        let name = name_of(&deed);
        let set = self.accounts()?.passwords.set(name.clone(), password);
        match set.await {
            Ok(true) => Ok(done(deed)),
            Ok(false) => Err(format!("{name} is not registered")),
            Err(refusal) => Err(why_not(&refusal)),
        }
    }
}

/// The lines of one connection in both directions.
struct SocketLines {
    stream: UnixStream,
    decoder: LineDecoder,
    /// Bytes that are read and not yet decoded.
    bytes: Vec<u8>,
    has_ended: bool,
}

impl SocketLines {
    /// The next line, even one that the end of the input cuts short; none at the end.
    async fn next(&mut self) -> io::Result<Option<LineInput>> {
        loop {
            let mut bytes = &self.bytes[..];
            let heard = self.decoder.hear_secret(&mut bytes);
            let taken = self.bytes.len() - bytes.len();
            self.bytes.drain(..taken);
            if heard.is_some() || self.has_ended {
                return Ok(heard);
            }
            let mut input = (&mut self.stream).take(READ_BYTES);
            if timeout(STEP_TIME, input.read_buf(&mut self.bytes)).await?? == 0 {
                self.has_ended = true;
                self.bytes.push(b'\n');
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(STEP_TIME, self.stream.write_all(bytes)).await?
    }
}

fn look_after(socket: &mut OperatorSocket) {
    match socket.reopen_if_gone() {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            "the socket of parlor admin was missing; the server has created a new one"
        ),
        Err(error) => tracing::debug!(%error, "the socket of parlor admin is gone"),
    }
}

/// The answer if the file cannot be read.
const UNREADABLE: &str = "the file cannot be read; the log says why";

/// `alice, registered 2026-11-20 14:00, last seen 2026-11-21 09:30`
fn registered(registered: &Registered) -> String {
    let Registered { name, since, seen } = registered;
    let seen =
        seen.map_or("not seen since then".to_owned(), |seen| format!("last seen {}", moment(seen)));
    format!("{name}, registered {}, {seen}", moment(*since))
}

/// The name that an act concerns.
fn name_of(deed: &Deed) -> Name {
    deed.whom.name().cloned().unwrap_or_else(|| Name::stored(""))
}

/// The sentence about a finished act of the operator.
fn done(deed: Deed) -> Vec<String> {
    let act = Act::by(By::Operator, deed, clock::wall());
    worded(&Answer::Act(Arc::new(act)))
}

/// The reason of a refusal.
fn why_not(refusal: &Refusal) -> String {
    let row = refusal_row(refusal, &clock_here());
    row.for_operator.unwrap_or_else(|| row.sentence.into_owned())
}

/// The words of an answer, without the mark of the server's lines.
fn worded(answer: &Answer) -> Vec<String> {
    let mut bytes = Vec::new();
    LineEncoder::new(LineMode::Named, Storage::Disk { retain: None }, clock_here())
        .answer(answer, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let words = |line: &str| line.strip_prefix("-- ").unwrap_or(line).to_owned();
    text.lines().map(words).collect()
}

fn clock_here() -> LocalClock {
    LocalClock { zone: TimeZone::system(), now: clock::wall }
}

fn written(reply: Reply) -> Vec<u8> {
    let text: String = match reply {
        Ok(lines) => lines.iter().map(|line| format!("-- {line}\n")).collect(),
        Err(sentence) => format!("!{}\n", sentence.replace('\n', " ")),
    };
    text.into_bytes()
}
