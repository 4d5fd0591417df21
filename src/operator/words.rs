//! The sentences that the operator reads, without the marks of a door.

use std::sync::Arc;

use jiff::tz::TimeZone;
use parlor_core::link::{Answer, Encoder, Refusal};
use parlor_core::model::{Act, By, Deed, Format, NodeStatus};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};
use parlor_wire::words::refusal_row;

use crate::accounts::Registered;
use crate::clock;
use crate::journal::moment;

/// A node that waits this long for what it has published is without contact, in seconds.
const SILENT_SECONDS: u64 = 2;

/// The reason of a refusal, as a clause: it follows a colon.
pub(crate) fn why_not(refusal: &Refusal) -> String {
    let row = refusal_row(refusal, &clock_here());
    let mut sentence = row.for_operator.unwrap_or_else(|| row.sentence.into_owned());
    if let (false, Some(first)) = (row.is_named, sentence.get_mut(..1)) {
        first.make_ascii_lowercase();
    }
    sentence
}

/// The words of an answer, as at the line door.
pub(super) fn worded(answer: &Answer) -> Vec<String> {
    let mut bytes = Vec::new();
    LineEncoder::new(LineMode::Named, Storage::Disk { retain: None }, clock_here())
        .answer(answer, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let words = |line: &str| line.strip_prefix("-- ").unwrap_or(line).to_owned();
    text.lines().map(words).collect()
}

/// The sentence about a finished act of the operator.
pub(super) fn done(deed: Deed) -> Vec<String> {
    let act = Act::by(By::Operator, deed, clock::wall());
    worded(&Answer::Act(Arc::new(act)))
}

/// `alice, registered 2026-11-20 14:00, last seen 2026-11-21 09:30`
pub(super) fn registered(registered: &Registered) -> String {
    let Registered { name, since, seen } = registered;
    let seen =
        seen.map_or("not seen since then".to_owned(), |seen| format!("last seen {}", moment(seen)));
    format!("{name}, registered {}, {seen}", moment(*since))
}

/// `blue: 12 people, heard 1 s ago, 0 messages behind, version 0.1.0, format 1`
pub(super) fn node(node: &NodeStatus) -> String {
    let NodeStatus { name, is_own, is_live, program, people, silent, behind } = node;
    let program = format!("version {}, format {}", program.version(), program.newest);
    let people = if *people == 1 { "1 person".to_owned() } else { format!("{people} people") };
    let seconds = silent.as_secs();
    match (is_live, is_own) {
        (false, _) => format!("{name}: not there"),
        (true, false) => {
            let behind = if *behind == 1 { "1 message" } else { &format!("{behind} messages") };
            format!("{name}: {people}, heard {seconds} s ago, {behind} behind, {program}")
        }
        (true, true) if seconds < SILENT_SECONDS => {
            format!("{name}: {people}, this node, in touch, {program}")
        }
        (true, true) => {
            format!("{name}: {people}, this node, without contact for {seconds} s, {program}")
        }
    }
}

/// `format 1 is in use; red, green cannot read a newer one`
pub(super) fn format_in_use(nodes: &[NodeStatus], format: Format) -> String {
    let in_use = format!("format {format} is in use");
    let live = nodes.iter().filter(|node| node.is_live);
    let (newer, older): (Vec<_>, Vec<_>) = live.partition(|node| node.program.newest > format);
    match newer.iter().map(|node| node.program.newest).min() {
        None => in_use,
        Some(agreed) if older.is_empty() => format!("{in_use}; soon it is format {agreed}"),
        Some(_) => {
            let older: Vec<_> = older.iter().map(|node| node.name.as_str()).collect();
            format!("{in_use}; {} cannot read a newer one", older.join(", "))
        }
    }
}

fn clock_here() -> LocalClock {
    LocalClock { zone: TimeZone::system(), now: clock::wall }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::time::Duration;

    use parlor_core::model::{Format, NodeName, NodeProgram, NodeStatus};

    use super::{format_in_use, node};

    /// Nodes that can read formats up to these; 0 for one that is not there.
    fn nodes<const N: usize>(of: [(&str, u64); N]) -> Vec<NodeStatus> {
        let status = |(name, newest): (&str, u64)| NodeStatus {
            name: NodeName::parse(name).unwrap(),
            is_own: false,
            is_live: newest > 0,
            program: NodeProgram::new(&format!("0.{newest}.0"), Format(newest)).unwrap(),
            people: 2,
            silent: Duration::from_secs(1),
            behind: 3,
        };
        of.map(status).into()
    }

    #[test]
    fn the_operator_reads_which_nodes_are_to_be_updated() {
        for (of, words) in [
            (nodes([("red", 1), ("blue", 1)]), "format 1 is in use"),
            (nodes([("red", 1), ("blue", 2)]), "format 1 is in use; red cannot read a newer one"),
            (
                nodes([("red", 1), ("blue", 3), ("green", 1)]),
                "format 1 is in use; red, green cannot read a newer one",
            ),
            (nodes([("red", 0), ("blue", 3)]), "format 1 is in use; soon it is format 3"),
            (nodes([("red", 2), ("blue", 3)]), "format 1 is in use; soon it is format 2"),
        ] {
            assert_eq!(format_in_use(&of, Format::FIRST), words);
        }
        let words = "blue: 2 people, heard 1 s ago, 3 messages behind, version 0.3.0, format 3";
        let blue = &nodes([("blue", 3)])[0];
        assert_eq!(node(blue), words);
        let near = NodeStatus { behind: 1, ..blue.clone() };
        assert!(node(&near).contains(", 1 message behind, "));
    }
}
