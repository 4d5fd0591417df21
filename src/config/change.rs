//! The differences between two configurations, in sentences. Changes nothing.

use std::collections::BTreeSet;

use toml::{Table, Value};

/// A sentence for each key whose value has changed.
pub(super) fn changed(old: &Table, new: &Table) -> Vec<String> {
    let sentence = |(key, value)| format!("{key} is {value} now");
    differences(old, new).map(sentence).collect()
}

/// A sentence for each key whose new value takes effect only after a restart.
pub(super) fn refused(wanted: &Table, new: &Table) -> Vec<String> {
    let sentence = |(key, value)| {
        format!("{key} cannot change while the server runs: it stays {value} until a restart")
    };
    differences(wanted, new).map(sentence).collect()
}

/// The keys in which two configurations differ, each with its value in `new`.
fn differences<'a>(old: &'a Table, new: &'a Table) -> impl Iterator<Item = (&'a str, String)> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter_map(|key| {
        let value = new.get(key);
        (old.get(key) != value).then(|| (key.as_str(), shown(value)))
    })
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "the default".to_owned(),
    }
}
