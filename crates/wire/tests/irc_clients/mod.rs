//! Helpers for tests of the IRC dialect: a server, and a check of what clients read.

use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::model::WallTime;
use parlor_wire::irc::{IrcMessage, IrcServer, MESSAGE_BYTES_MAX, TAGS_BYTES_MAX};
use parlor_wire::style::LocalClock;

/// A server.
pub(crate) fn server() -> Arc<IrcServer> {
    Arc::new(IrcServer {
        name: "irc.local".to_owned(),
        network: "Parlor".to_owned(),
        version: "parlor-0.1.0".to_owned(),
        started: WallTime(0),
        motd: Vec::new(),
        log: "0af3".to_owned(),
        rooms_max: 100,
        bans_max: 1_000,
        clock: LocalClock { zone: TimeZone::UTC, now: WallTime::default },
    })
}

/// Checks that a line is a message within the limits, without any control but those of an action.
#[track_caller]
pub(crate) fn check(line: &str) {
    let tags = match line.starts_with('@') {
        true => line.split_inclusive(' ').next().unwrap_or_default(),
        false => "",
    };
    assert!(tags.len() <= TAGS_BYTES_MAX && line.len() - tags.len() <= MESSAGE_BYTES_MAX, "{line}");
    let controls: String = line.chars().filter(char::is_ascii_control).collect();
    assert!(controls.is_empty() || controls == "\u{1}\u{1}", "{line:?}");
    assert!(IrcMessage::parse(line).is_some(), "{line}");
}
