//! The log on stderr: one event a line, as text or JSON. Knows no event.
//!
//! Events contain bytes from strangers. This module escapes all characters that could end the line
//! or control a terminal, so the code that logs need not do it. The reader of stderr may stop
//! reading, so a queue stands in between.

mod queue;

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::panic;

use self::queue::Queue;
use anyhow::Context;
use serde::Serialize;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt as layers, reload};

/// How much is logged: the chosen level and all levels before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures.
    Error,
    /// Also things to look at.
    Warn,
    /// Also listeners, start and stop.
    Info,
    /// Also every connection.
    Debug,
    /// Also every step: far too much for daily use.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// The form of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one object a line.
    Json,
}

/// Sends this process's events to stderr from now on, with panics as events.
///
/// # Errors
///
/// The process already has a log, or the system gives no thread.
pub fn start(level: LogLevel, format: LogFormat) -> anyhow::Result<Logging> {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let queue = Queue::start(io::stderr()).context("the log cannot start")?;
    let writer = queue.clone();
    let (subscriber, level) = subscriber(move || writer.clone(), level, format, colour);
    tracing::subscriber::set_global_default(subscriber)?;
    // The default hook writes to stderr itself, and would wait for its reader.
    panic::set_hook(Box::new(|what| tracing::error!("{what}")));
    Ok(Logging { level, queue })
}

/// The running log. Dropping it writes queued events, if stderr takes them.
pub struct Logging {
    /// How much is logged.
    pub level: LevelHandle,
    queue: Queue,
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.queue.flush();
    }
}

/// The handle that changes how much is logged.
#[derive(Clone, Debug)]
pub struct LevelHandle(reload::Handle<LevelFilter, Registry>);

impl LevelHandle {
    /// Logs this level and all levels before it from now on.
    pub fn set(&self, level: LogLevel) {
        self.0.reload(level).ok(); // it fails if the log has ended
    }
}

fn subscriber<W: Write + 'static>(
    writer: impl Fn() -> W + Send + Sync + 'static,
    level: LogLevel,
    format: LogFormat,
    colour: bool,
) -> (Box<dyn Subscriber + Send + Sync>, LevelHandle) {
    let (filter, handle) = reload::Layer::new(LevelFilter::from(level));
    let base = layers::layer()
        .with_target(false)
        .with_ansi(colour)
        // The library would complain on stderr, and panic if stderr itself failed.
        .log_internal_errors(false);
    let events = match format {
        LogFormat::Text => base
            .fmt_fields(format::debug_fn(write_field).delimited(" "))
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => base
            .json()
            // Spans do not nest, so the list would only repeat the current one.
            .with_span_list(false)
            .with_writer(move || JsonEscaped(writer()))
            .boxed(),
    };
    let events = events.with_filter(filter_fn(is_for_operators));
    let subscriber = tracing_subscriber::registry().with(filter).with(events);
    (Box::new(subscriber), LevelHandle(handle))
}

/// Whether an operator reads an event: this program reports the state of its connections itself.
fn is_for_operators(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::ERROR || !event.target().starts_with("async_nats")
}

/// Writes `name=value`, or only the value of the event's message.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(Escaped(writer), "{value:?}")
}

/// Whether a character could end a line, control a terminal or change the direction of writing.
fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Writes hostile characters the way Rust writes them in a string.
struct Escaped<'a, 'b>(&'a mut Writer<'b>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if is_hostile(c) {
                write!(self.0, "{}", c.escape_default())?;
            } else {
                self.0.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Escapes hostile characters in JSON. The JSON encoder escapes the control characters below a
/// blank; the others can only stand in strings, where `\u` is valid.
struct JsonEscaped<W>(W);

impl<W: Write> Write for JsonEscaped<W> {
    /// Takes a whole event: the library calls this once for each event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut line = String::with_capacity(event.len());
        for c in String::from_utf8_lossy(event).chars() {
            if is_hostile(c) && c != '\n' {
                // All hostile characters are below U+10000, so one `\u` holds them.
                line.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                line.push(c);
            }
        }
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::{LogFormat, LogLevel, is_hostile, subscriber};

    const HOSTILE: &str = "eve\n2026 ERROR forged\r\x1b[2J\x07\x7f\u{9b}31m\u{202e}\u{2028} \"é\"";

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LogLevel, format: LogFormat, colour: bool, log: impl FnOnce()) -> String {
        let page = Page::default();
        let maker = page.clone();
        let (subscriber, _) = subscriber(move || maker.clone(), level, format, colour);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn say_hostile_things() {
        let failure = io::Error::other(HOSTILE);
        let span = tracing::info_span!("client", peer = %HOSTILE, name = ?HOSTILE);
        let _inside = span.enter();
        let error = &failure as &dyn std::error::Error;
        tracing::info!(plain = HOSTILE, shown = %HOSTILE, debug = ?HOSTILE, error, "{HOSTILE}");
    }

    #[test]
    fn words_of_strangers_stay_on_their_line_as_text() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let page = logged(LogLevel::Info, format, false, say_hostile_things);
            let line = page.strip_suffix('\n').unwrap();
            assert!(!line.contains(is_hostile), "{line:?}");
            assert!(line.contains('é'), "{line:?}");
        }
    }

    #[test]
    fn colours_are_the_only_escapes_on_a_terminal() {
        let page = logged(LogLevel::Info, LogFormat::Text, true, say_hostile_things);
        assert!(page.contains("\u{1b}[32m INFO"), "{page:?}");
        assert_eq!(page.matches('\n').count(), 1);
        assert!(!page.contains("\u{1b}[2J") && !page.contains('\u{9b}'), "{page:?}");
    }

    #[test]
    fn text_is_time_level_message_and_fields() {
        let page = logged(LogLevel::Info, LogFormat::Text, false, || {
            tracing::info!(door = "tcp", rooms = 2, "listening tcp 127.0.0.1:8000");
        });
        assert!(
            page.ends_with("  INFO listening tcp 127.0.0.1:8000 door=\"tcp\" rooms=2\n"),
            "{page:?}"
        );
    }

    #[test]
    fn json_keeps_the_words() {
        let page = logged(LogLevel::Info, LogFormat::Json, false, say_hostile_things);
        let event: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(event["fields"]["plain"], HOSTILE);
        assert_eq!(event["fields"]["message"], HOSTILE);
        assert_eq!(event["span"]["peer"], HOSTILE);
        assert!(event.get("spans").is_none(), "the span is written once");
    }

    #[test]
    fn the_level_is_the_last_that_is_logged() {
        let page = logged(LogLevel::Warn, LogFormat::Text, false, || {
            tracing::warn!("told");
            tracing::info!("not told");
        });
        assert!(page.contains("told") && !page.contains("not told"));
    }

    #[test]
    fn the_level_can_change() {
        let page = Page::default();
        let maker = page.clone();
        let (subscriber, level) =
            subscriber(move || maker.clone(), LogLevel::Warn, LogFormat::Text, false);
        let tell = |what| tracing::debug!("{what}");
        tracing::subscriber::with_default(subscriber, || {
            tell("before");
            level.set(LogLevel::Debug);
            tell("meanwhile");
            level.set(LogLevel::Info);
            tell("afterwards");
        });
        let page = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert!(page.contains("meanwhile"), "{page}");
        assert_eq!(page.lines().count(), 1, "{page}");
    }
}
