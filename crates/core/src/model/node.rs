//! The names and programs of nodes: servers that share one order of intents. Knows no address.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The name of a node, which stays the same when the node restarts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// The longest name, in bytes: that of a label in DNS.
    pub const BYTES_MAX: usize = 63;

    /// Parses a name: 1 to 63 letters, digits, dots, hyphens and underscores of ASCII. None for
    /// other texts.
    #[must_use]
    pub fn parse(typed: &str) -> Option<NodeName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_name = (1..=Self::BYTES_MAX).contains(&typed.len()) && typed.bytes().all(is_allowed);
        is_name.then(|| NodeName(typed.into()))
    }

    /// The name as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A format of what nodes write for each other. A newer one has a higher number, and a program reads
/// all formats up to its newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Format(pub u64);

impl Format {
    /// The first one, which every program reads.
    pub const FIRST: Format = Format(1);
}

impl Default for Format {
    fn default() -> Format {
        Format::FIRST
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The program that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeProgram {
    version: Arc<str>,
    /// The newest format that it reads and writes.
    pub newest: Format,
}

impl NodeProgram {
    /// The longest version, in bytes.
    pub const VERSION_BYTES_MAX: usize = 32;

    /// A program of this version: 1 to 32 visible characters of ASCII. None for other texts.
    #[must_use]
    pub fn new(version: &str, newest: Format) -> Option<NodeProgram> {
        let fits = (1..=Self::VERSION_BYTES_MAX).contains(&version.len());
        let is_version = fits && version.bytes().all(|byte| byte.is_ascii_graphic());
        is_version.then(|| NodeProgram { version: version.into(), newest })
    }

    /// Its version, for operators: nothing else depends on it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// A node, as another one or itself sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its name.
    pub name: NodeName,
    /// Whether it is the node that says so.
    pub is_own: bool,
    /// Whether its last boot lives.
    pub is_live: bool,
    /// The program of that boot.
    pub program: NodeProgram,
    /// The people who are on the server through it.
    pub people: usize,
    /// The time since it was heard; for the own node, how long it has been waiting for its last
    /// proposal.
    pub silent: Duration,
    /// How many proposals of the order it had not applied when it was heard.
    pub behind: u64,
}

#[cfg(test)]
mod tests {
    use super::{Format, NodeName, NodeProgram};

    #[test]
    fn a_version_is_a_short_word() {
        let longest = "1".repeat(32);
        for version in ["0.1.0", "1.0.0-rc.1+build", &longest] {
            let program = NodeProgram::new(version, Format(2)).map(|it| it.version().to_owned());
            assert_eq!(program, Some(version.to_owned()));
        }
        for other in ["", "1 2", "1\n", "é", &format!("{longest}1")] {
            assert_eq!(NodeProgram::new(other, Format(2)), None);
        }
    }

    #[test]
    fn names_of_hosts_are_names_of_nodes() {
        let longest = "x".repeat(63);
        for name in ["a", "chat-1.example.com", "NODE_2", &longest] {
            assert_eq!(NodeName::parse(name).map(|name| name.to_string()), Some(name.to_owned()));
        }
        for other in ["", "a b", "é", "a\n", &format!("{longest}x")] {
            assert_eq!(NodeName::parse(other), None);
        }
    }
}
