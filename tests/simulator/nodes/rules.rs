//! The rules over all nodes: each has shown what the order holds, and what people were told of
//! their lines is true.

use std::collections::{BTreeMap, HashSet};

use super::Nodes;
use super::facts::Fact;
use super::store::Row;
use super::witness::Witness;
use crate::checker::{Event, Kind, Shown, Story, check_privates};
use crate::voice::{Unread, check_answers};
use crate::world::World;

/// The lines of a house, by room and number.
type Rows = BTreeMap<(String, u64), Row>;

/// Checks all nodes after the faults. Returns their stories, one for each run.
pub(super) fn check(nodes: &mut Nodes) -> Vec<Story> {
    let witness = &nodes.witness;
    let all = rows(witness);
    let running = nodes.nodes.iter().filter(|node| node.world.is_some());
    let running: HashSet<_> = running.map(|node| node.name.to_string()).collect();
    assert_eq!(witness.live_nodes(), running, "the nodes with live boots, and the running ones");
    let worlds = nodes.nodes.iter().filter_map(|node| node.world.as_ref());
    let present: usize = worlds.map(World::people_present).sum();
    assert_eq!(witness.snapshot().people.len(), present, "people of all nodes, and connections");
    let order = Story { rooms: witness.facts.record(), ..Story::default() };
    let mut stories = vec![order];
    for node in &mut nodes.nodes {
        check_rows(&node.store.rows, &all);
        let position = node.position();
        if let Some(world) = &node.world {
            assert_eq!(node.store.rows.len(), all.len(), "lines of {}", node.name);
            assert!(position >= witness.facts.last, "{} is behind, at {position}", node.name);
            node.stories.push((node.start, world.story()));
            node.said.push(world.said());
        }
        for said in &node.said {
            check_answers(&said.answers, all.values().map(|row| &*row.text));
        }
        let runs = std::mem::take(&mut node.stories);
        let last = runs.len() - usize::from(node.world.is_some());
        for (number, (start, mut story)) in runs.into_iter().enumerate() {
            check_shown(&mut story, start, number < last, witness);
            stories.push(story);
        }
    }
    check_unread(nodes, &stories);
    stories
}

/// Checks the private messages of all nodes. Nobody reads one that was refused, unless nobody knows
/// whether it has arrived.
fn check_unread(nodes: &Nodes, stories: &[Story]) {
    let stream = nodes.stream.lock().unwrap();
    let said = nodes.nodes.iter().flat_map(|node| &node.said);
    let (known, unknown): (Vec<_>, Vec<_>) =
        said.flat_map(|said| &said.unread).partition(|unread| unread.is_known);
    for Unread { message, .. } in &unknown {
        assert!(stream.post.unanswered.contains(message), "{message:?} was answered in time");
    }
    let unread = known.iter().map(|unread| unread.message).collect();
    let readers = stories.iter().flat_map(|story| &story.readers);
    check_privates(readers, &unread).unwrap_or_else(|broken| panic!("{broken}"));
}

/// The lines of the order, as each node stores them.
fn rows(witness: &Witness) -> Rows {
    let mut rows = BTreeMap::new();
    for (room, facts) in &witness.facts.rooms {
        for fact in facts {
            if let (Shown::Said { name, text, .. }, Some((seq, at))) = (&fact.shown, fact.line) {
                let row = Row { at, name: name.clone(), text: text.clone() };
                rows.insert((room.clone(), seq), row);
            }
        }
    }
    rows
}

/// Checks that a node has stored lines of the order, and no others.
fn check_rows(stored: &Rows, all: &Rows) {
    for (place, row) in stored {
        assert_eq!(Some(row), all.get(place), "the line {place:?} of a node");
    }
}

/// Checks that a run of a node has shown what the order holds after its first position: the same
/// lines with the same numbers and times, arrivals and departures in the same order. The run that
/// is not over has shown all of it.
fn check_shown(story: &mut Story, start: usize, is_over: bool, witness: &Witness) {
    let mut shown: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for room in &mut story.rooms {
        let events = room.events.iter_mut().filter(|event| is_equal_everywhere(event));
        shown.entry(room.name.clone()).or_default().extend(events);
    }
    for (room, facts) in &witness.facts.rooms {
        let mut facts = facts.iter().filter(|fact| fact.position > start);
        let is_shown = |fact: &&Fact| !fact.is_for_nobody;
        for (number, event) in shown.remove(room).unwrap_or_default().into_iter().enumerate() {
            let within = || format!("event {number} of {room} after {start}: {event:?}");
            let is_it = |fact: &&Fact| is_shown(fact) || fact.shown == event.shown;
            let fact = facts.find(is_it).unwrap_or_else(|| panic!("{}", within()));
            assert_eq!(event.shown, fact.shown, "{}", within());
            if let Kind::Line { seq, at } = event.kind {
                assert_eq!(Some((seq, at)), fact.line, "{}", within());
            }
            event.reads_on = fact.reads_on;
        }
        let rest = facts.find(is_shown).filter(|_| !is_over);
        assert_eq!(rest, None, "not shown in {room}, after {start}");
    }
    shown.retain(|_, events| !events.is_empty());
    assert!(shown.is_empty(), "only one node has shown this: {shown:?}");
}

/// Whether all nodes show an event. The announcement of a crowd may differ, and only the node of the
/// person who invites shows that.
fn is_equal_everywhere(event: &Event) -> bool {
    event.commit > 0
        && !matches!(event.shown, Shown::Invited { .. })
        && !matches!(event.kind, Kind::Late | Kind::Summary | Kind::Unseen)
}
