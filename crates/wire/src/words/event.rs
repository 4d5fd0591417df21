//! The sentences about events in a room, and those for people who enter one. Knows no line ending
//! and no connection.

use parlor_core::link::Entered;
use parlor_core::model::{Act, Entry, Line, Manner, Name, Said, Telling, Together, Who};

use super::act::{act_row, keeps, room_rules, was_removed};
use crate::style::{LineMode, LocalClock, Storage, counted, span};

/// A line of a person: `alice: Hi!`, `* alice waves`.
pub(crate) fn said(said: &Said, out: &mut Vec<u8>) {
    let between: &[u8] = match said.manner {
        Manner::Gone => return,
        Manner::Plain | Manner::Notice => b": ",
        Manner::Action => {
            out.extend_from_slice(b"* ");
            b" "
        }
    };
    for part in [said.who.name.as_str().as_bytes(), between, said.text.as_str().as_bytes()] {
        out.extend_from_slice(part);
    }
}

/// The sentence about an event in this mode, if there is one.
pub(crate) fn happening(entry: &Entry, mode: LineMode, clock: &LocalClock) -> Option<String> {
    let is_named = mode == LineMode::Named;
    match entry {
        Entry::Said(_) => None,
        Entry::Arrived { who, telling, .. } => {
            is_told(*telling, mode).then(|| format!("{} has arrived", who.name))
        }
        Entry::Left { who, words, removal, telling, .. } => {
            let removal = removal.as_ref().map(|removal| &*removal.act).filter(|_| is_named);
            is_told(*telling, mode).then(|| left(who, words.as_ref(), removal, clock))
        }
        Entry::ArrivedTogether(people) => is_named.then(|| format!("{} arrived", together(people))),
        Entry::LeftTogether(people) => is_named.then(|| format!("{} left", together(people))),
        Entry::Renamed { who, from, .. } => Some(format!("{from} is now known as {}", who.name)),
        // Clients of IRC show it.
        Entry::Changed { .. } | Entry::Ranked { .. } | Entry::Signal { .. } => None,
        Entry::LinesDeleted { who } => Some(format!("{0} deleted everything {0} said", who.name)),
        Entry::Topic { who, text } => Some(match text {
            Some(text) => format!("{} changed the topic to: {text}", who.name),
            None => format!("{} cleared the topic", who.name),
        }),
        Entry::Invited { .. } => None, // the person who is invited reads it
        Entry::Act(act) => is_named.then(|| format!("-- {}", act_row(act, clock).event)),
    }
}

/// Whether this mode announces a single arrival or departure. Named mode announces a crowd
/// together, classic mode each person.
pub(crate) fn is_told(telling: Telling, mode: LineMode) -> bool {
    match telling {
        Telling::Told => true,
        Telling::Folded => mode == LineMode::Classic,
        Telling::Late => mode == LineMode::Named,
        Telling::Untold => false,
    }
}

fn left(who: &Who, words: Option<&Line>, removal: Option<&Act>, clock: &LocalClock) -> String {
    let name = &who.name;
    match (removal, words) {
        (Some(removal), _) => format!("{name} {}", was_removed(removal, clock)),
        (None, Some(words)) => format!("{name} has left ({words})"),
        (None, None) => format!("{name} has left"),
    }
}

/// `alice, bob and 35 others have`.
fn together(people: &Together) -> String {
    let mut names: Vec<_> = people.named.iter().map(Name::to_string).collect();
    names.extend((people.others > 0).then(|| counted(people.others, "other", "others")));
    match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last} have", rest.join(", ")),
        alone => format!("{} has", alone.concat()),
    }
}

/// The first sentences in a room.
pub(crate) fn entered(entered: &Entered, mode: LineMode, storage: Storage) -> Vec<String> {
    let mut lines = Vec::new();
    if entered.first {
        lines.push(format!("You are {}", entered.who.name));
    }
    if mode == LineMode::Classic {
        return lines;
    }
    lines.push(format!("In {}: {}", entered.room, roster(&entered.roster)));
    let topic = entered.topic.as_ref();
    lines.extend(topic.map(|topic| format!("-- Topic: {topic}")));
    lines.extend(room_rules(&entered.rules).map(|rules| format!("-- {rules}")));
    lines.extend(entered.keeps.as_ref().map(keeps));
    lines.extend(entered.away.as_ref().map(|text| format!("-- {}", you_are_away(text))));
    if entered.first {
        lines.push("-- /help lists what you can type".to_owned());
        lines.push(stored(storage));
    }
    lines
}

/// The sentence for a person who is away.
pub(crate) fn you_are_away(text: &Line) -> String {
    format!("You are away: {text}; type /away when you are back")
}

/// The sentence on how long lines are stored: people read it before they speak.
pub(crate) fn stored(storage: Storage) -> String {
    let how_long = match storage {
        Storage::Memory => "not stored: they are gone when the server stops".to_owned(),
        Storage::Disk { retain: None } => "stored".to_owned(),
        Storage::Disk { retain: Some(time) } => format!("stored for {}", span(time)),
    };
    format!("-- Lines here are {how_long}")
}

fn roster(roster: &Together) -> String {
    let named: Vec<_> = roster.named.iter().map(Name::as_str).collect();
    let named = named.join(", ");
    match roster.others {
        0 if named.is_empty() => "nobody else".to_owned(),
        0 => named,
        others => format!("{named} and {}", counted(others, "other", "others")),
    }
}
