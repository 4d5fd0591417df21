//! The server's end of the operator's socket: one order a connection. Whatever is sent, it holds
//! little and ends soon.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::link::{
    Answer, Change, Encoder, Inbox, Misread, Outcome, Query, Refusal, Request, is_meant_as_time,
    parse_time,
};
use parlor_core::model::{Deed, Line, Name, Verb, Whom};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::select;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::socket::{LOOK_EVERY, Socket};
use super::{AdminOrder, KeeperOrder, NameOrder};
use crate::accounts::{Accounts, Registered};
use crate::audit::moment;
use crate::clock;
use crate::clock::timeout;
use crate::door::reload::Reload;
use crate::journal::Database;

/// So many are attended to at once; others wait in the system's queue.
const ATTENDED_MAX: usize = 4;

/// An order has this many bytes at most.
const ORDER_BYTES_MAX: u64 = 32 * 1024;

/// Each step has this long: to hear the order, to do it, to have the answer taken.
const STEP_TIME: Duration = Duration::from_secs(10);

/// After an accept that failed.
const BACK_OFF: Duration = Duration::from_secs(1);

/// So much of the log is read at once.
const LOG_ROWS_MAX: usize = 10_000;

/// What the operator gives orders through.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) inbox: Arc<Inbox>,
    /// None where the configuration comes from nowhere.
    pub(crate) reload: Option<Reload>,
    /// None where nothing is kept.
    pub(crate) database: Option<Database>,
    /// Whose names are whose; none where nothing is kept.
    pub(crate) accounts: Option<Arc<Accounts>>,
}

/// What is answered: lines, and perhaps why it was not done.
type Reply = Result<Vec<String>, String>;

impl Desk {
    /// Attends to whoever connects, until it is aborted.
    pub(crate) async fn attend(self, mut socket: Socket) {
        let places = Arc::new(Semaphore::new(ATTENDED_MAX));
        let mut attended = JoinSet::new();
        let mut looks = interval(LOOK_EVERY);
        loop {
            let place = Arc::clone(&places).acquire_owned().await;
            while attended.try_join_next().is_some() {}
            let accepted = select! {
                accepted = socket.listener.accept() => accepted,
                _ = looks.tick() => {
                    look_after(&mut socket);
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    let desk = self.clone();
                    attended.spawn(async move {
                        if let Err(error) = desk.converse(stream).await {
                            tracing::debug!(%error, "a command broke off on the operator's socket");
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

    async fn converse(&self, mut stream: UnixStream) -> io::Result<()> {
        let mut line = String::new();
        let mut input = BufReader::new((&mut stream).take(ORDER_BYTES_MAX));
        timeout(STEP_TIME, input.read_line(&mut line)).await??;
        let reply = match serde_json::from_str(&line) {
            Ok(order) => timeout(STEP_TIME, self.obey(order))
                .await
                .unwrap_or_else(|_| {
                    Err("this takes too long; it may or may not be done in the end".to_owned())
                }),
            Err(error) => Err(format!("this server does not know that command ({error})")),
        };
        timeout(STEP_TIME, stream.write_all(&written(reply))).await?
    }

    async fn obey(&self, order: AdminOrder) -> Reply {
        match order {
            AdminOrder::Reload => self.reload().await,
            AdminOrder::Log { rows } => self.log(rows).await,
            AdminOrder::List => self.ask(Query::Everybody).await,
            AdminOrder::Broadcast { text } => match line(&text)? {
                None => Err("there is no text to send".to_owned()),
                text => self.act(Deed::to_all(Verb::Broadcast, text)).await,
            },
            AdminOrder::Kick { name, reason } => {
                let text = line(&reason)?;
                let deed = Deed::to(Verb::Kick, called(&name));
                self.act(Deed { text, ..deed }).await
            }
            AdminOrder::Ban { whom, words } => {
                let time = words.first().and_then(|word| parse_time(word));
                if let (Some(word), None) = (words.first(), time)
                    && is_meant_as_time(word)
                {
                    return Err(no_time(word));
                }
                let words = words.get(usize::from(time.is_some())..).unwrap_or_default();
                let text = line(words)?;
                let deed = Deed::to(Verb::Ban, parse_whom(&whom)?);
                self.act(Deed { time, text, ..deed }).await
            }
            AdminOrder::Unban { whom } => self.act(Deed::to(Verb::Unban, parse_whom(&whom)?)).await,
            AdminOrder::Bans => self.ask(Query::Bans { here: None }).await,
            AdminOrder::Mute { name, time } => {
                let time = Some(parse_time(&time).ok_or_else(|| no_time(&time))?);
                let deed = Deed::to(Verb::Mute, called(&name));
                self.act(Deed { time, ..deed }).await
            }
            AdminOrder::Unmute { name } => self.act(Deed::to(Verb::Unmute, called(&name))).await,
            AdminOrder::Name { order } => self.name(order).await,
            AdminOrder::Keeper { order } => match order {
                KeeperOrder::List => self.ask(Query::Keepers { here: None }).await,
                KeeperOrder::Add { name } => {
                    self.act(Deed::to(Verb::AddKeeper, called(&name))).await
                }
                KeeperOrder::Remove { name } => {
                    self.act(Deed::to(Verb::RemoveKeeper, called(&name))).await
                }
            },
        }
    }

    async fn name(&self, order: NameOrder) -> Reply {
        let accounts = self.accounts.as_ref();
        let accounts = accounts.ok_or("this server stores no names")?;
        let unregistered = |name: &str| Err(format!("{name} is not registered"));
        match order {
            NameOrder::List => {
                let names = accounts.names.registered().await.map_err(|_| UNREADABLE)?;
                Ok(match names.is_empty() {
                    true => vec!["No name is registered".to_owned()],
                    false => names.iter().map(registered).collect(),
                })
            }
            NameOrder::Release { name } => {
                match accounts.names.release(Name::stored(name.trim())).await {
                    Ok(true) => Ok(vec![format!("{} is free again", shown(&name))]),
                    Ok(false) => unregistered(&shown(&name)),
                    Err(undone) => Err(undone.to_string()),
                }
            }
            NameOrder::Password { name, password } => {
                let password = Line::sanitise(password.as_bytes());
                let set = accounts.passwords.set(Name::stored(name.trim()), password);
                match set.await {
                    Ok(true) => Ok(vec![format!(
                        "{} has a new password: the owner's connections, return codes and token end",
                        shown(&name)
                    )]),
                    Ok(false) => unregistered(&shown(&name)),
                    Err(refusal) => Err(worded(&refusal.into()).join(" ")),
                }
            }
        }
    }

    async fn reload(&self) -> Reply {
        let Some(reload) = &self.reload else {
            return Err("this server has no configuration to read again".to_owned());
        };
        let report = reload.reload().await?;
        self.act(Deed::to_all(Verb::Reload, None)).await.ok(); // for the log
        Ok(report)
    }

    async fn log(&self, rows: usize) -> Reply {
        match &self.database {
            Some(database) => database
                .read(move |store| store.audit(rows.min(LOG_ROWS_MAX)))
                .await
                .map_err(|error| error.to_string()),
            None => Err("this server stores nothing on disk".to_owned()),
        }
    }

    /// Has the broadcaster do it.
    async fn act(&self, deed: Deed) -> Reply {
        self.ask(Change::Act { here: None, deed }).await
    }

    async fn ask(&self, request: impl Into<Request>) -> Reply {
        let outcome = self.inbox.connect().call(request).await;
        let Outcome::Answer(answer) = outcome else {
            return Ok(Vec::new());
        };
        let words = worded(&answer);
        match answer {
            Answer::Refused(refusal) => Err(for_operator(&refusal).unwrap_or(words.join(" "))),
            _ => Ok(words),
        }
    }
}

fn look_after(socket: &mut Socket) {
    match socket.reopen_if_gone() {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            "the socket of parlor admin was missing; the server has created a new one"
        ),
        Err(error) => tracing::debug!(%error, "the socket of parlor admin is gone"),
    }
}

/// What is answered where the file cannot be read.
const UNREADABLE: &str = "the file cannot be read; the log says why";

/// `alice, registered 2026-11-20 14:00, last seen 2026-11-21 09:30`
fn registered(registered: &Registered) -> String {
    let Registered { name, since, seen } = registered;
    let seen = seen.map_or("not seen since then".to_owned(), |seen| {
        format!("last seen {}", moment(seen))
    });
    format!("{name}, registered {}, {seen}", moment(*since))
}

/// A name as it was typed, without what would steer a terminal.
fn shown(name: &str) -> String {
    Line::sanitise(name.trim().as_bytes()).to_string()
}

/// A refusal that people read with a command of theirs, with one of the operator's.
fn for_operator(refusal: &Refusal) -> Option<String> {
    Some(match refusal {
        Refusal::NobodyCalled(typed) => {
            format!("Nobody is here as {typed}; parlor admin list shows everybody")
        }
        Refusal::NotThere => "They have left; parlor admin list shows everybody".to_owned(),
        Refusal::NotRegistered(typed) => format!(
            "{typed} is not a registered name, and a keeper needs one: ask {typed} to type /register"
        ),
        Refusal::NoSuchKeeper(typed) => {
            format!("{typed} is not a keeper of the server; parlor admin keeper list shows them")
        }
        Refusal::NotBanned(whom) => {
            format!("{whom} is not banned; parlor admin bans lists the bans")
        }
        Refusal::NotMuted(name) => format!("{name} is not muted on the whole server"),
        _ => return None,
    })
}

fn no_time(typed: &str) -> String {
    format!("{typed:?} is not a time; write it as 30m, 2h or 7d")
}

/// The words that anybody would read, without what marks them as the server's.
fn worded(answer: &Answer) -> Vec<String> {
    let mut bytes = Vec::new();
    let clock = LocalClock {
        zone: TimeZone::system(),
        now: clock::wall,
    };
    LineEncoder::new(LineMode::Named, Storage::Disk { retain: None }, clock)
        .answer(answer, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let words = |line: &str| line.strip_prefix("-- ").unwrap_or(line).to_owned();
    text.lines().map(words).collect()
}

/// The person who is called so, as typed.
fn called(name: &str) -> Whom {
    Whom::Name(Name::stored(name))
}

fn parse_whom(typed: &str) -> Result<Whom, String> {
    Whom::parse(typed).map_err(|error| {
        let refusal = match typed.contains(['/', ':']) {
            true => Refusal::Misread(Misread::NoAddress(Line::sanitise(typed.as_bytes()))),
            false => Refusal::from(error),
        };
        worded(&refusal.into()).join(" ")
    })
}

/// Words as one line, none where there are none.
fn line(words: &[String]) -> Result<Option<Line>, String> {
    let text = words.join(" ");
    let max = LineMode::Named.line_bytes_max();
    match text.trim() {
        "" => Ok(None),
        text if text.len() > max => Err(format!("too long; write at most {max} bytes")),
        text => Ok(Some(Line::sanitise(text.as_bytes()))),
    }
}

fn written(reply: Reply) -> Vec<u8> {
    let (lines, last) = match reply {
        Ok(lines) => (lines, ".".to_owned()),
        Err(sentence) => (Vec::new(), format!("!{}", sentence.replace('\n', " "))),
    };
    let lines = lines.into_iter().map(|line| format!(" {line}\n"));
    let text: String = lines.chain([format!("{last}\n")]).collect();
    text.into_bytes()
}
