//! The differences between two configurations, in sentences. Changes nothing.

use std::collections::BTreeSet;

use toml::{Table, Value};

/// A sentence for each key whose value changes from `old` to `new`, and then for each key whose
/// value in `wanted` takes effect only after a restart.
pub(super) fn sentences(old: &Table, new: &Table, wanted: &Table) -> Vec<String> {
    let changed = differences(old, new).map(|(key, value)| format!("{key} is {value} now"));
    let kept = differences(wanted, new).map(|(key, value)| {
        format!("{key} cannot change while the server runs: it stays {value} until a restart")
    });
    changed.chain(kept).collect()
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
