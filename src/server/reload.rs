//! Reads the configuration again while the server runs: on SIGHUP, and when the operator asks. No
//! connection ends.

use std::fmt;
use std::sync::Arc;

use parlor_core::link::{Change, Link};
use tokio::task::spawn_blocking;

use super::certificates::Certificates;
use super::signals::SignalRequests;
use crate::config::{Config, ConfigError, Settings};
use crate::door::{Reception, raise_limit};
use crate::operator::{ReloadAnswer, ReloadRequests};
use crate::session::Live;
use crate::telemetry::LevelHandle;

/// The source of the configuration, at the start and at each reload.
pub struct Source {
    /// Reads the configuration.
    pub read: Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// How much is logged.
    pub level: LevelHandle,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Applies the new values that a running server can take over.
pub(super) struct Reloader {
    pub(super) source: Source,
    /// The configuration in force.
    pub(super) config: Config,
    pub(super) reception: Arc<Reception>,
    /// The settings of all doors that have a rate.
    pub(super) live: Arc<Live>,
    pub(super) certificates: Arc<Certificates>,
    pub(super) link: Link,
}

impl Reloader {
    /// Answers requests, and obeys signals, until it is aborted.
    pub(super) async fn run(mut self, signals: SignalRequests, mut requests: ReloadRequests) {
        loop {
            let request = tokio::select! {
                () = signals.reload() => None,
                Some(request) = requests.recv() => Some(request),
            };
            let answer = self.reload().await;
            if let Some(request) = request {
                request.send(answer).ok(); // the caller may no longer wait
            }
        }
    }

    async fn reload(&mut self) -> ReloadAnswer {
        tell_manager_of_reload();
        let answer = self.read_and_change().await;
        match &answer {
            Ok(sentences) => sentences.iter().for_each(|sentence| tracing::info!("{sentence}")),
            Err(sentence) => tracing::error!("{sentence}"),
        }
        sd_notify::notify(&[sd_notify::NotifyState::Ready]).ok();
        answer
    }

    async fn read_and_change(&mut self) -> ReloadAnswer {
        let read = Arc::clone(&self.source.read);
        // In a separate thread, because reading a file may take long.
        let wanted = match spawn_blocking(move || read()).await {
            Ok(Ok(wanted)) => wanted,
            Ok(Err(error)) => return Err(format!("{error}; nothing is changed")),
            Err(error) => return Err(format!("{error}; nothing is changed")),
        };
        let (config, mut sentences) = self.config.change_to(&wanted);
        self.config = config;
        let mut broken = Vec::new();
        for certificate in self.apply().await {
            match certificate {
                Ok(sentence) => sentences.push(sentence),
                Err(sentence) => broken.push(sentence),
            }
        }
        if !broken.is_empty() {
            return Err(format!("{}; everything else has changed", broken.join("; ")));
        }
        if sentences.is_empty() {
            sentences.push("the configuration has not changed".to_owned());
        }
        Ok(sentences)
    }

    /// Applies the configuration in force to all parts. Returns what is new about certificates, or
    /// wrong with them.
    async fn apply(&mut self) -> Vec<Result<String, String>> {
        // Without `..`: a setting without an effect does not compile.
        let Settings {
            log,
            certificate,
            acme_contact,
            rate,
            replay,
            retain,
            connections,
            broadcaster,
        } = self.config.settings(raise_limit());
        self.source.level.set(log);
        self.live.set(rate, replay, retain);
        self.reception.set_limits(connections);
        self.link.call(Change::Limit(broadcaster)).await;
        self.certificates.set_contact(acme_contact);
        self.certificates.reload(Some(certificate)).await
    }
}

/// Tells a service manager that a reload begins. Without one, nobody receives the notice.
fn tell_manager_of_reload() {
    use sd_notify::NotifyState;
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        sd_notify::notify(&[NotifyState::Reloading, now]).ok();
    }
}
