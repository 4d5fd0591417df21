//! The configuration file: TOML whose keys are the names of the flags. Knows no key by itself: the flags' own parsers
//! read the values, so that file, flags and environment accept and refuse the same.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};
use toml::Value;

use super::Config;
use super::settings::Settings;
use crate::cli::args;
use parlor_core::model::nearest;

/// What is wrong with a file, in one sentence that names it.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct FileError {
    path: PathBuf,
    fault: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot read this configuration file ({0}); give --config the path of a TOML file")]
    Unreadable(io::Error),
    #[error("line {line} is not TOML: {message}")]
    Syntax { line: usize, message: String },
    #[error("no key {key:?}{hint}")]
    UnknownKey { key: String, hint: String },
    #[error("{key} = {value}: {right}")]
    Value {
        key: String,
        value: String,
        right: String,
    },
}

/// Reads what the file at `path` says.
pub(super) fn read(path: &Path) -> Result<Settings, FileError> {
    fs::read_to_string(path)
        .map_err(Fault::Unreadable)
        .and_then(|text| parse(&text))
        .map_err(|fault| FileError {
            path: path.to_owned(),
            fault,
        })
}

fn parse(text: &str) -> Result<Settings, Fault> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        Fault::Syntax {
            line: before.map_or(1, |before| before.matches('\n').count() + 1),
            message: error.message().replace('\n', ", "),
        }
    })?;
    let flags = args::settings_alone();
    let mut settings = Settings::default();
    for (key, value) in &table {
        settings = settings.over(read_key(&flags, key, value)?);
    }
    Ok(settings)
}

fn read_key(flags: &clap::Command, key: &str, value: &Value) -> Result<Settings, Fault> {
    let Some(flag) = flags
        .get_arguments()
        .find(|flag| flag.get_long() == Some(key))
    else {
        return Err(unknown_key(flags, key));
    };
    let refused = |right: String| Fault::Value {
        key: key.to_owned(),
        value: value.to_string(),
        right,
    };
    if let Some(right) = kind_missed(flag, value) {
        return Err(refused(right));
    }
    let words = match value {
        Value::Table(_) => return Err(refused("write a value, not a table".to_owned())),
        Value::Array(words) => words.iter().map(word).collect(),
        value => vec![word(value)],
    };
    let repeatable = matches!(flag.get_action(), clap::ArgAction::Append);
    if words.is_empty() || (!repeatable && value.is_array()) {
        let number = if repeatable {
            "at least one value"
        } else {
            "one value, not a list"
        };
        return Err(refused(format!("write {number}")));
    }
    let typed = words.iter().map(|word| format!("--{key}={word}"));
    flags
        .clone()
        .try_get_matches_from(typed)
        .and_then(|matches| Settings::from_arg_matches(&matches))
        .map_err(|error| refused(what_would_be_right(&error)))
}

/// What is right where a flag takes true or false, or a text, and the value is of another kind of TOML: a number that stands
/// for true is a slip.
fn kind_missed(flag: &clap::Arg, value: &Value) -> Option<String> {
    match flag.get_value_names() {
        Some([name]) if name == "BOOL" && !value.is_bool() => {
            Some("write true or false".to_owned())
        }
        Some([name]) if name == "DIR" && value.as_str().is_none_or(str::is_empty) => {
            Some("write a path in quotes".to_owned())
        }
        _ => None,
    }
}

/// A value as it would be typed after the flag.
fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn unknown_key(flags: &clap::Command, key: &str) -> Fault {
    let known: Vec<_> = flags
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .collect();
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!(", did you mean {near}?"),
        None => format!(" (there is: {})", known.join(", ")),
    };
    Fault::UnknownKey {
        key: key.to_owned(),
        hint,
    }
}

/// The sentence of the value's parser, without what clap says around it for the command line.
fn what_would_be_right(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(sentence), _) => sentence.to_string(),
        (None, Some(ContextValue::Strings(words))) => format!("write {}", words.join(", ")),
        (None, _) => error.kind().to_string(),
    }
}

/// What stands behind a key that is not set: to be uncommented, and changed where it is a number.
fn stand_in(flag: &clap::Arg) -> &'static str {
    match flag.get_value_names() {
        Some([name]) if name == "BOOL" => "false",
        Some([name]) if name == "DIR" => "\"/var/lib/parlor\"",
        _ => "1000",
    }
}

/// Writes a file that [`read`] reads back as `config`: every key in the order of the flags, each with its help above.
pub(super) fn write(config: &Config) -> Result<String, toml::ser::Error> {
    let values = toml::Table::try_from(config)?;
    let flags = args::settings_alone();
    let entries = flags.get_arguments().filter_map(|flag| {
        let (key, help) = (flag.get_long()?, flag.get_help()?);
        Some(match values.get(key) {
            Some(value) => format!("# {help}\n{key} = {value}\n"),
            None => format!("# {help}\n# {key} = {}\n", stand_in(flag)),
        })
    });
    Ok(entries.collect::<Vec<_>>().join("\n"))
}
