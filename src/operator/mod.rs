//! The operator's authority over a running server: the commands, and what carries them out. Knows
//! no door and no session.

mod command;
mod everybody;
mod reload;
mod words;

pub(crate) use command::OperatorCommand;
pub(crate) use everybody::EverybodyList;
pub(crate) use reload::{Reload, ReloadAnswer, ReloadRequests};
pub(crate) use words::why_not;

use std::sync::Arc;

use parlor_core::link::{Answer, Change, Inbox, Outcome, Query, Refusal, Request};
use parlor_core::model::{Deed, Here, Line, Name};

use self::command::HELP;
use self::words::{done, format_in_use, node, registered, worded};
use crate::accounts::Accounts;
use crate::journal::Database;
use crate::journal::latest_acts;

/// The largest number of log entries that are read at once.
const LOG_ROWS_MAX: usize = 10_000;

/// The answer if the file cannot be read.
const UNREADABLE: &str = "the file cannot be read; the log says why";

/// The parts of a server that stores lines, as far as the operator's commands reach them.
pub(crate) struct Operator {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) reload: Reload,
    pub(crate) database: Database,
    pub(crate) accounts: Arc<Accounts>,
}

/// An answer: lines, or a clause with the reason why the command failed.
pub(crate) type OperatorAnswer = Result<Vec<String>, String>;

impl Operator {
    /// Carries out a command. `password` is the line after it, if the command needs one.
    pub(crate) async fn carry_out(
        &self,
        command: OperatorCommand,
        password: Option<Line>,
    ) -> OperatorAnswer {
        match command {
            OperatorCommand::Act(deed) => self.act(deed).await,
            OperatorCommand::Reload(deed) => self.reload(deed).await,
            OperatorCommand::ReleaseName(deed) => self.release(deed).await,
            OperatorCommand::SetPassword(deed) => match password {
                Some(password) => self.set_password(deed, password).await,
                None => Err("the next line is to be the password".to_owned()),
            },
            OperatorCommand::Ping => self.ping().await,
            OperatorCommand::Bans => self.ask(Query::Bans { here: Here::Operator, skip: 0 }).await,
            OperatorCommand::Keepers => self.ask(Query::Keepers { here: Here::Operator }).await,
            OperatorCommand::Names => self.names().await,
            OperatorCommand::Nodes => self.nodes().await,
            OperatorCommand::Log(rows) => self.log(rows).await,
            OperatorCommand::Help => Ok(HELP.map(str::to_owned).to_vec()),
            // The door does these.
            OperatorCommand::Everybody | OperatorCommand::Quit => Ok(Vec::new()),
        }
    }

    /// Everybody, page by page.
    pub(crate) async fn everybody(&self) -> EverybodyList {
        EverybodyList::begin(&self.inbox).await
    }

    async fn act(&self, deed: Deed) -> OperatorAnswer {
        self.ask(Change::Act { here: Here::Operator, deed }).await
    }

    /// Passes a request to the broadcaster.
    async fn ask(&self, request: impl Into<Request>) -> OperatorAnswer {
        match self.inbox.connect().call(request).await {
            Outcome::Answer(Answer::Refused(refusal)) => Err(why_not(&refusal)),
            Outcome::Answer(answer) => Ok(worded(&answer)),
            _ => Ok(Vec::new()),
        }
    }

    /// The broadcaster answers this between two batches, so a server that only accepts connections
    /// does not pass.
    async fn ping(&self) -> OperatorAnswer {
        self.inbox.connect().call(Query::Keepers { here: Here::Operator }).await;
        Ok(vec!["The server answers".to_owned()])
    }

    async fn reload(&self, deed: Deed) -> OperatorAnswer {
        let report = self.reload.reload().await?;
        // For the log of moderation. If it cannot be stored, the server's own log says so.
        self.act(deed).await.ok();
        Ok(report)
    }

    async fn nodes(&self) -> OperatorAnswer {
        match self.inbox.connect().call(Query::Nodes).await {
            Outcome::Nodes { nodes, format } if !nodes.is_empty() => {
                Ok(nodes.iter().map(node).chain([format_in_use(&nodes, format)]).collect())
            }
            _ => {
                Err("this server has no other nodes; parlor serve --nats shares its rooms"
                    .to_owned())
            }
        }
    }

    async fn log(&self, rows: usize) -> OperatorAnswer {
        let rows = rows.min(LOG_ROWS_MAX);
        let log = self.database.read(move |connection| latest_acts(connection, rows)).await;
        log.map_err(|error| error.to_string())
    }

    async fn names(&self) -> OperatorAnswer {
        let names = self.accounts.names.registered().await.map_err(|_| UNREADABLE)?;
        Ok(match names.is_empty() {
            true => vec!["No name is registered".to_owned()],
            false => names.iter().map(registered).collect(),
        })
    }

    async fn release(&self, deed: Deed) -> OperatorAnswer {
        match self.accounts.names.release(name_of(&deed)).await {
            Ok(()) => Ok(done(deed)),
            Err(refusal) => Err(why_not_owned(&refusal)),
        }
    }

    async fn set_password(&self, deed: Deed, password: Line) -> OperatorAnswer {
        match self.accounts.passwords.set(name_of(&deed), password).await {
            Ok(()) => Ok(done(deed)),
            Err(refusal) => Err(why_not_owned(&refusal)),
        }
    }
}

/// Why the account of a name cannot be changed.
fn why_not_owned(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotRegistered(name) => format!("{name} is not registered"),
        refusal => why_not(refusal),
    }
}

/// The name that an act concerns.
fn name_of(deed: &Deed) -> Name {
    deed.whom.name().cloned().unwrap_or_else(|| Name::stored(""))
}
