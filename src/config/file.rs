//! The configuration file: TOML whose keys are the names of the flags. Knows no key: the flags'
//! parsers read the values, so that file, flags and environment accept the same values.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use parlor_core::model::nearest;
use toml::{Table, Value};

use super::units::InvalidValue;

/// The content of a file: the words of each key, in the form that its flag takes.
pub(crate) struct FileWords(BTreeMap<String, Vec<String>>);

impl FileWords {
    /// Makes an option's value in the file its default, so that flags and environment win over it.
    pub(crate) fn behind(&self, arg: Arg) -> Arg {
        match arg.get_long().and_then(|key| self.0.get(key)) {
            Some(words) => arg.default_values(words.clone()),
            None => arg,
        }
    }
}

/// Reads the file at `path`.
pub(crate) fn read(path: &Path, flags: &Command) -> Result<FileWords, InvalidValue> {
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "cannot read this configuration file ({error}); give --config the path of a TOML file"
        )
    });
    text.and_then(|text| parse(&text, flags))
        .map_err(|fault| InvalidValue::new(format!("{}: {fault}", path.display())))
}

/// The words of all keys. The error is a sentence.
fn parse(text: &str, flags: &Command) -> Result<FileWords, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line} is not TOML: {}", error.message().replace('\n', ", "))
    })?;
    let read = |(key, value): (String, Value)| {
        let flag = flags.get_arguments().find(|flag| flag.get_long() == Some(&key));
        let flag = flag.ok_or_else(|| unknown_key(flags, &key))?;
        match words(flag, &value).and_then(|words| checked(flags, &key, words)) {
            Ok(words) => Ok((key, words)),
            Err(right) => Err(format!("{key} = {value}: {right}")),
        }
    };
    table.into_iter().map(read).collect::<Result<_, _>>().map(FileWords)
}

/// A value in the form that the flag takes.
fn words(flag: &Arg, value: &Value) -> Result<Vec<String>, String> {
    let kind = flag.get_value_names().and_then(<[_]>::first);
    let is_repeatable = matches!(flag.get_action(), clap::ArgAction::Append);
    let right = match (kind.map(|name| name.as_str()), value) {
        // A number in the place of true or false is a mistake.
        (Some("BOOL"), value) if !value.is_bool() => "write true or false",
        (Some("DIR" | "FILE"), value) if value.as_str().is_none_or(str::is_empty) => {
            "write a path in quotes"
        }
        (_, Value::Table(_)) => "write a value, not a table",
        (_, Value::Array(_)) if !is_repeatable => "write one value, not a list",
        (_, Value::Array(values)) if values.is_empty() => "write at least one value",
        (_, Value::Array(values)) => return Ok(values.iter().map(word).collect()),
        (_, value) => return Ok(vec![word(value)]),
    };
    Err(right.to_owned())
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The words, if the flag takes them.
fn checked(flags: &Command, key: &str, words: Vec<String>) -> Result<Vec<String>, String> {
    let typed = words.iter().map(|word| format!("--{key}={word}"));
    match flags.clone().try_get_matches_from(typed) {
        Ok(_) => Ok(words),
        Err(error) => Err(what_would_be_right(&error)),
    }
}

/// The sentence of the value's parser, without the text that clap adds for the command line.
fn what_would_be_right(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(sentence), _) => sentence.to_string(),
        (None, Some(ContextValue::Strings(words))) => format!("write {}", words.join(", ")),
        (None, _) => error.kind().to_string(),
    }
}

fn unknown_key(flags: &Command, key: &str) -> String {
    let known: Vec<_> = flags.get_arguments().filter_map(Arg::get_long).collect();
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!(", did you mean {near}?"),
        None => format!(" (there is: {})", known.join(", ")),
    };
    format!("no key {key:?}{hint}")
}

/// Writes a file that [`read`] reads back: every key in the order of the flags, each with its help
/// above.
pub(super) fn write(values: &Table, flags: &Command) -> String {
    let entries = flags.get_arguments().filter_map(|flag| {
        let (key, help) = (flag.get_long()?, flag.get_help()?);
        Some(match values.get(key) {
            Some(value) => format!("# {help}\n{key} = {value}\n"),
            None => format!("# {help}\n# {key} = {}\n", example(flag)),
        })
    });
    entries.collect::<Vec<_>>().join("\n")
}

/// The example value of a key that is not set. A person can uncomment it, and change it if it is a
/// number.
fn example(flag: &Arg) -> &'static str {
    match flag.get_value_names() {
        _ if flag.get_long() == Some("acme") => "[\"chat.example.org\"]",
        Some([name]) if name == "BOOL" => "false",
        Some([name]) if name == "DIR" => "\"/var/lib/parlor\"",
        Some([name]) if name == "URLS" => "\"nats://localhost:4222\"",
        Some([name]) if name == "NAME" => "\"chat-1\"",
        Some([name]) if name == "MAIL" => "\"admin@example.org\"",
        Some([name]) if name == "WAY" => "\"tls\"",
        Some([name]) if name == "FILE" => match flag.get_long() {
            Some("tls-cert") => "\"/etc/parlor/fullchain.pem\"",
            Some("tls-key") => "\"/etc/parlor/privkey.pem\"",
            Some("acme-ca") => "\"/etc/parlor/ca.pem\"",
            _ => "\"/etc/parlor/nats.creds\"",
        },
        _ => "1000",
    }
}
