//! Cuts lines of the past into runs that were said under one name. Knows no file and no stream.

use std::sync::Arc;

use parlor_core::intent::ImportedLines;
use parlor_core::model::{End, Extras, Line, Name, RoomName, Said, Spoken};

/// A rough size of a line without its words, and of a run without its lines, in bytes.
const LINE_BYTES: usize = 64;
const RUN_BYTES: usize = 256;

/// The runs of some lines of a room.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) runs: Vec<ImportedLines>,
    /// A rough size of them, in bytes.
    pub(super) bytes: usize,
}

impl Runs {
    /// Adds the next line. `owner` can delete it.
    pub(super) fn add(&mut self, room: &RoomName, said: Said, owner: Option<&Name>) {
        let name = Line::sanitise(said.who.name.as_str().as_bytes());
        let group = said.group();
        let extras = group.map(|_| Arc::new(Extras { group, ..Extras::default() }));
        let Said { seq, at, manner, text, .. } = said;
        self.bytes += LINE_BYTES + text.len();
        let spoken = Spoken { manner, text, extras };
        let continues = |run: &&mut ImportedLines| {
            let next = run.first + run.times.len() as u64;
            let is_same = run.name == name && run.owner.as_ref() == owner;
            is_same && next == seq && run.room == *room
        };
        if let Some(run) = self.runs.last_mut().filter(continues) {
            run.times.push(at);
            return run.lines.value.push(spoken);
        }
        self.bytes += RUN_BYTES;
        let (room, owner) = (room.clone(), owner.cloned());
        let (times, lines) = (vec![at], vec![spoken].into());
        self.runs.push(ImportedLines { room, first: seq, name, owner, times, lines });
    }

    /// Adds a deleted line at the end of a room.
    pub(super) fn add_deleted(&mut self, room: &RoomName, End { seq: first, at }: End) {
        self.bytes += RUN_BYTES;
        let (room, name, times) = (room.clone(), Line::empty(), vec![at]);
        let lines = vec![Spoken::gone()].into();
        self.runs.push(ImportedLines { room, first, name, owner: None, times, lines });
    }
}

#[cfg(test)]
mod tests {
    use parlor_core::model::{
        End, Extras, InGroup, Line, Manner, Name, PersonId, RoomName, Said, WallTime, Who,
    };

    use super::Runs;

    fn said(seq: u64, name: &str, manner: Manner) -> Said {
        let group = (seq == 5).then_some(InGroup { index: 1, lines: 2, blanks: 0 });
        let extras = Extras { group, log: Some("earlier".into()), ..Extras::default() };
        Said {
            seq,
            at: WallTime(10 * seq as i64),
            who: Who::new(PersonId::BYGONE, Name::stored(name)).into(),
            manner,
            extras: Some(extras.into()),
            text: Line::sanitise(b"hi"),
        }
    }

    #[test]
    fn a_run_ends_where_the_name_the_owner_the_room_or_the_numbers_do() {
        let [tea, den] = ["tea", "den"].map(RoomName::stored);
        let alice = Name::stored("alice");
        let mut runs = Runs::default();
        for (room, seq, name, owner) in [
            (&tea, 3, "alice", None),
            (&tea, 4, "alice", None),
            (&tea, 5, "alice", Some(&alice)),
            (&tea, 6, "Alice", Some(&alice)),
            (&tea, 8, "Alice", Some(&alice)),
            (&den, 9, "Alice", Some(&alice)),
        ] {
            runs.add(room, said(seq, name, Manner::Action), owner);
        }
        runs.add_deleted(&den, End { seq: 10, at: WallTime(100) });
        let cut: Vec<_> = runs.runs.iter().map(|run| (run.first, run.times.len())).collect();
        assert_eq!(cut, [(3, 2), (5, 1), (6, 1), (8, 1), (9, 1), (10, 1)]);
        let of_group = &runs.runs[1].lines.value[0];
        let extras = of_group.extras.as_deref();
        assert_eq!(
            extras.map(|extras| (extras.group.is_some(), extras.log.is_some())),
            Some((true, false))
        );
        assert_eq!((runs.runs[0].times[1], of_group.manner), (WallTime(40), Manner::Action));
        assert!(runs.runs[5].name.is_empty());
    }
}
