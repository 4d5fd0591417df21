//! The configuration, read anew while the server runs: on SIGHUP, and when the operator asks. Drops nobody.

use std::sync::Arc;

use parlor_core::link::{Change, Link};
use tokio::sync::{mpsc, oneshot};

use super::limits;
use super::signals::Hangups;
use crate::cli::ServeOptions;
use crate::config::Config;
use crate::door::Reception;
use crate::session::Live;
use crate::telemetry::Level;

/// Where the configuration came from at the start, and comes from again.
#[derive(Debug)]
pub struct Source {
    /// What was typed after `serve`, the environment's part included.
    pub options: ServeOptions,
    /// How much is logged.
    pub level: Level,
}

/// What was changed and what cannot be, a sentence each; or the one sentence that says why nothing was.
pub(crate) type Report = Result<Vec<String>, String>;

/// Has the configuration read anew. Cloned, it is the same.
#[derive(Clone, Debug)]
pub(crate) struct Reload {
    requests: mpsc::Sender<oneshot::Sender<Report>>,
}

impl Reload {
    /// What there is to ask, and where the questions come out.
    pub(crate) fn new() -> (Reload, mpsc::Receiver<oneshot::Sender<Report>>) {
        let (requests, queue) = mpsc::channel(1);
        (Reload { requests }, queue)
    }

    /// Reads it anew, and says what has come of it.
    pub(crate) async fn reload(&self) -> Report {
        let (report, reported) = oneshot::channel();
        self.requests.send(report).await.ok();
        reported
            .await
            .unwrap_or_else(|_| Err("this server cannot read its configuration again".to_owned()))
    }
}

/// The one who changes what can change.
pub(crate) struct Reloader {
    pub(crate) source: Source,
    /// What holds now.
    pub(crate) config: Config,
    pub(crate) reception: Arc<Reception>,
    /// Of all doors that have a pace.
    pub(crate) live: Arc<Live>,
    pub(crate) link: Link,
}

impl Reloader {
    /// Works until it is aborted.
    pub(crate) async fn run(
        mut self,
        mut hangups: Hangups,
        mut requests: mpsc::Receiver<oneshot::Sender<Report>>,
    ) {
        loop {
            let asked = tokio::select! {
                () = hangups.next() => None,
                asked = requests.recv() => match asked {
                    Some(asked) => Some(asked),
                    None => return, // the house is closed
                },
            };
            let report = self.reload().await;
            if let Some(asked) = asked {
                asked.send(report).ok(); // perhaps nobody waits any more
            }
        }
    }

    async fn reload(&mut self) -> Report {
        tell_manager_of_reload();
        let report = self.read_and_change().await;
        match &report {
            Ok(sentences) => sentences
                .iter()
                .for_each(|sentence| tracing::info!("{sentence}")),
            Err(sentence) => tracing::error!("{sentence}"),
        }
        sd_notify::notify(&[sd_notify::NotifyState::Ready]).ok();
        report
    }

    async fn read_and_change(&mut self) -> Report {
        let options = self.source.options.clone();
        // In a thread of its own, as a file may be anything that lets one wait.
        let read = tokio::task::spawn_blocking(|| Config::load(options)).await;
        let wanted = match read {
            Ok(Ok(wanted)) => wanted,
            Ok(Err(error)) => return Err(format!("{error}; nothing is changed")),
            Err(error) => return Err(format!("{error}; nothing is changed")),
        };
        let change = self.config.change_to(&wanted);
        self.config = change.config;
        self.apply().await;
        let mut sentences = change.changed;
        sentences.extend(change.fixed);
        if sentences.is_empty() {
            sentences.push("the configuration has not changed".to_owned());
        }
        Ok(sentences)
    }

    /// Has everybody go by what holds now.
    async fn apply(&mut self) {
        let config = &self.config;
        self.source.level.set(config.log);
        self.live.set(
            limits::pace(config),
            config.replay as u64,
            config.retain.time(),
        );
        let connections = limits::connections(config);
        self.reception.questions.set(connections);
        self.reception.requests.set(connections);
        self.reception.leaving.set(connections);
        self.reception.admission.set(
            connections,
            config.connections_per_address,
            config.limit_loopback,
        );
        self.link.call(Change::Limit(limits::limits(config))).await;
    }
}

/// A service manager wants to know from when on; without one there is nobody to tell.
fn tell_manager_of_reload() {
    use sd_notify::NotifyState;
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        sd_notify::notify(&[NotifyState::Reloading, now]).ok();
    }
}
