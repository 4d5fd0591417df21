//! Events in a room as JSON objects, for sockets, curl and exports alike.

use parlor_core::log::Scene;
use parlor_core::model::{Entry, Line, Manner, Name, RoomName, Said, Telling, Verb};

use super::object::{Object, object, with_act, with_people, with_whom};
use crate::style::{LineMode, LocalClock, rfc3339};
use crate::words;

/// Whether an event is shown. A crowd is shown together.
pub(crate) fn is_shown(entry: &Entry) -> bool {
    match entry {
        Entry::Said(said) => said.has_words(),
        Entry::Invited { .. } => false,
        Entry::Arrived { telling, .. } | Entry::Left { telling, .. } => {
            words::is_told(*telling, LineMode::Named)
        }
        Entry::ArrivedTogether(_)
        | Entry::LeftTogether(_)
        | Entry::Renamed { .. }
        | Entry::LinesDeleted { .. }
        | Entry::Topic { .. }
        | Entry::Act(_) => true,
        // Clients of IRC show it.
        Entry::Changed { .. } | Entry::Ranked { .. } | Entry::Signal { .. } => false,
    }
}

/// The name that an event adds to the people in a room, and the name that it removes.
pub(crate) type ChangeOfPeople<'a> = (Option<&'a Name>, Option<&'a Name>);

/// The change of the people that an event makes, if it makes one.
pub(crate) fn change_of_people(entry: &Entry) -> Option<ChangeOfPeople<'_>> {
    match entry {
        Entry::Arrived { telling: Telling::Untold, .. }
        | Entry::Left { telling: Telling::Untold, .. } => None,
        Entry::Arrived { who, .. } => Some((Some(&who.name), None)),
        Entry::Left { who, .. } => Some((None, Some(&who.name))),
        Entry::Renamed { who, from, seen, .. } => {
            let come = Some(&who.name).filter(|_| !seen.is_accompanied);
            let gone = Some(from).filter(|_| !seen.is_still_worn);
            (come.is_some() || gone.is_some()).then_some((come, gone))
        }
        Entry::ArrivedTogether(_)
        | Entry::LeftTogether(_)
        | Entry::Said(_)
        | Entry::Signal { .. }
        | Entry::Changed { .. }
        | Entry::Ranked { .. }
        | Entry::LinesDeleted { .. }
        | Entry::Topic { .. }
        | Entry::Invited { .. }
        | Entry::Act(_) => None,
    }
}

/// Appends a change of the people that is not shown: by a member of a crowd, or hidden by the
/// reader.
pub(crate) fn put_change((come, gone): ChangeOfPeople<'_>, scene: Scene<'_>, out: &mut Vec<u8>) {
    object("presence", out)
        .with("room", scene.room.as_str())
        .with("seq", scene.seq)
        .with_some("come", come.map(Name::as_str))
        .with_some("gone", gone.map(Name::as_str));
}

/// Appends a line of a person, for exports and scripts.
pub fn put_line(room: &RoomName, said: &Said, out: &mut Vec<u8>) {
    put_said(room, said, false, out);
}

/// Appends a line of a person. For sockets, an old line has a field that says so.
pub(crate) fn put_said(room: &RoomName, said: &Said, is_old: bool, out: &mut Vec<u8>) {
    let kind = match said.manner {
        Manner::Action => "action",
        Manner::Plain | Manner::Notice | Manner::Gone => "line",
    };
    Object::begin(out)
        .with("room", room.as_str())
        .with("seq", said.seq)
        .with("time", rfc3339(said.at))
        .with("name", said.who.name.as_str())
        .with("kind", kind)
        .with("text", said.text.as_str())
        .with_some("notice", (said.manner == Manner::Notice).then_some(true))
        .with_some("old", is_old.then_some(true));
}

/// Appends an event.
pub(crate) fn put(entry: &Entry, scene: Scene<'_>, clock: &LocalClock, out: &mut Vec<u8>) {
    if let Entry::Said(said) = entry {
        return put_said(scene.room, said, false, out);
    }
    let event = object(kind(entry), out)
        .with("room", scene.room.as_str())
        .with("seq", scene.seq)
        .with("time", rfc3339(scene.at))
        .with_some("name", entry.who().map(|who| who.name.as_str()));
    let event = match entry {
        Entry::Left { removal: Some(removal), .. } => {
            let event = event.with("banned", removal.deed.verb == Verb::Ban);
            with_act(event, None, removal)
        }
        Entry::Left { words, .. } => event.with_some("words", words.as_ref().map(Line::as_str)),
        Entry::Act(act) => {
            let event = event.with("about", words::act_row(act, clock).about);
            with_act(with_whom(event, act), None, act)
        }
        Entry::ArrivedTogether(people) | Entry::LeftTogether(people) => with_people(event, people),
        Entry::Renamed { from, .. } => event.with("from", from.as_str()),
        Entry::Topic { text, .. } => event.with("topic", text.as_ref().map(Line::as_str)),
        Entry::Said(_)
        | Entry::Signal { .. }
        | Entry::Arrived { .. }
        | Entry::Changed { .. }
        | Entry::Ranked { .. }
        | Entry::LinesDeleted { .. }
        | Entry::Invited { .. } => event,
    };
    let text = words::happening(entry, LineMode::Named, clock).unwrap_or_default();
    event.with("text", text.strip_prefix("-- ").unwrap_or(&text));
}

fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Said(_) => "line",
        Entry::Arrived { .. } => "arrived",
        Entry::Left { .. } => "left",
        Entry::ArrivedTogether(_) => "arrived_together",
        Entry::LeftTogether(_) => "left_together",
        Entry::Renamed { .. } => "renamed",
        Entry::Changed { .. } => "changed",
        Entry::Ranked { .. } => "ranked",
        Entry::LinesDeleted { .. } => "took_back",
        Entry::Topic { .. } => "topic",
        Entry::Act(_) => "ruled",
        Entry::Signal { .. } => "signal",   // not shown
        Entry::Invited { .. } => "invited", // neither
    }
}
