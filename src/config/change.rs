//! What of a configuration can change while the server runs, and what is said about it. Changes nothing itself.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Config;

/// What comes of a configuration that was read anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// What holds from now on.
    pub(crate) config: Config,
    /// A sentence for each key that has changed.
    pub(crate) changed: Vec<String>,
    /// A sentence for each key that was to change and cannot.
    pub(crate) fixed: Vec<String>,
}

impl Config {
    /// What comes of it when `wanted` is to hold instead.
    pub(crate) fn change_to(&self, wanted: &Config) -> Change {
        let config = self.with_limits_of(wanted);
        Change {
            changed: differences(self, &config)
                .map(|(key, value)| format!("{key} is {value} now"))
                .collect(),
            fixed: differences(wanted, &config)
                .map(|(key, value)| {
                    format!("{key} cannot change while the server runs: it stays {value} until a restart")
                })
                .collect(),
            config,
        }
    }

    /// This configuration, but for what can change while the server runs: all that is named here.
    fn with_limits_of(&self, wanted: &Config) -> Config {
        Config {
            rate: wanted.rate,
            replay: wanted.replay,
            retain: wanted.retain,
            rooms: wanted.rooms,
            connections: wanted.connections,
            connections_per_address: wanted.connections_per_address,
            limit_loopback: wanted.limit_loopback,
            log_lines: wanted.log_lines,
            log_size: wanted.log_size,
            log_total: wanted.log_total,
            log: wanted.log,
            ..self.clone()
        }
    }
}

/// The keys in which two configurations differ, each with its value in `new`.
fn differences(old: &Config, new: &Config) -> impl Iterator<Item = (String, String)> + use<> {
    // A number too large for TOML would be one that no flag takes.
    let table = |config| Table::try_from(config).unwrap_or_default();
    let (old, new): (Table, Table) = (table(old), table(new));
    let keys: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    keys.into_iter().filter_map(move |key| {
        let value = new.get(&key);
        (old.get(&key) != value).then(|| (key.clone(), shown(value)))
    })
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "the default".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Host;
    use super::super::data::Keep;
    use super::super::listen::ListenUrl;
    use super::super::rate::Rate;
    use super::*;
    use crate::door::kinds::Mode;
    use crate::telemetry::LogLevel;

    #[test]
    fn limits_change_and_the_rest_is_named() {
        let old = Config::default();
        let wanted = Config {
            rate: Rate::per_second(3),
            connections: Some(7),
            log: LogLevel::Debug,
            keep: Keep::Written,
            data: Some("elsewhere".into()),
            listeners: vec![ListenUrl::lines(Host::All, Mode::Classic)],
            ..old.clone()
        };
        let change = old.change_to(&wanted);
        assert_eq!(
            change.changed,
            [
                "connections is 7 now",
                "log is debug now",
                "rate is 3/s now"
            ]
        );
        let until = "until a restart";
        let cannot = "cannot change while the server runs: it stays";
        assert_eq!(
            change.fixed,
            [
                format!("data {cannot} the default {until}"),
                format!("keep {cannot} synced {until}"),
                format!(
                    "listen {cannot} [\"tcp://localhost:8000\", \"http://localhost:8080\"] {until}"
                ),
            ]
        );
        assert_eq!(change.config.keep, old.keep);
        let again = change.config.change_to(&change.config);
        assert_eq!((again.changed.len(), again.fixed.len()), (0, 0));
        assert_eq!(
            change.config.change_to(&old).changed,
            [
                "connections is the default now",
                "log is info now",
                "rate is 10/s now"
            ]
        );
    }
}
