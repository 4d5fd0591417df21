//! Compares what people were told of their lines, and what they read, with the files of all nodes.
//! Knows no fault.

use std::collections::HashMap;
use std::fmt;

use crate::checker::{
    Dialect, End, Event, Kind, NO_RANKS, Reader, Room, Shown, Story, check, token,
};
use crate::data::{Data, Row};
use crate::hall::{Fate, Page, Stay};

/// The number of examples of what is wrong.
const EXAMPLES: usize = 10;

/// The fates of all lines.
#[derive(Default)]
pub(crate) struct Verdict {
    /// Lines that their speakers have read.
    pub(crate) shown: usize,
    /// Lines of which their speakers were told that they are not sent.
    pub(crate) refused: usize,
    /// Lines of which their speakers could not know.
    pub(crate) in_doubt: usize,
    /// Lines that were shown and are not in the files of all nodes.
    pub(crate) lost: usize,
    /// Lines that are there twice, or although they were refused.
    pub(crate) doubled: usize,
    /// Lines that stand before an earlier line of the same person, or elsewhere in the files of
    /// another node, or that somebody has read in another order.
    pub(crate) out_of_order: usize,
    /// The first of them.
    examples: Vec<String>,
}

impl Verdict {
    /// Judges the lines, when everybody has read everything.
    pub(crate) fn of(page: &Page, files: &[&Data]) -> Verdict {
        let mut verdict = Verdict::default();
        let rows: Vec<_> = files.iter().map(|data| data.lobby()).collect();
        for (number, rows) in rows.iter().enumerate() {
            verdict.compare_fates(page, number, rows);
        }
        let (first, others) = rows.split_first().unwrap();
        for (number, rows) in others.iter().enumerate() {
            verdict.compare_files(number + 1, rows, first);
        }
        let exports: Vec<_> = files.iter().map(|data| export(data)).collect();
        if exports.windows(2).any(|two| two[0] != two[1]) {
            verdict.wrong_order("the exports differ".to_owned());
        }
        let readers = page.stays.iter().map(reader).collect();
        if let Err(broken) =
            check(&Story { rooms: vec![lobby(first)], readers, ..Story::default() })
        {
            verdict.wrong_order(broken.to_string());
        }
        verdict
    }

    /// Whether everything is right.
    pub(crate) fn is_right(&self) -> bool {
        self.lost + self.doubled + self.out_of_order == 0
    }

    /// Compares what people know of their lines with the lines of one node.
    fn compare_fates(&mut self, page: &Page, node: usize, rows: &[Row]) {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        rows.iter().for_each(|row| *counts.entry(&row.text).or_default() += 1);
        for speaker in &page.people {
            for (index, fate) in speaker.lines.iter().enumerate() {
                let text = token(speaker.speakers[index], index as u64 + 1);
                let count = counts.get(text.as_str()).copied().unwrap_or_default();
                if node == 0 {
                    self.count(*fate);
                }
                let is_lost = *fate == Fate::Shown && count == 0;
                let is_doubled = count > 1 || *fate == Fate::Refused && count == 1;
                self.lost += usize::from(is_lost);
                self.doubled += usize::from(is_doubled);
                if is_lost || is_doubled {
                    self.note(format!("{text}, {fate:?}, is {count} times in the files of {node}"));
                }
            }
        }
    }

    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Shown => self.shown += 1,
            Fate::Refused => self.refused += 1,
            Fate::InDoubt | Fate::UnderWay => self.in_doubt += 1,
        }
    }

    /// Compares the lines of one node with those of the first.
    fn compare_files(&mut self, node: usize, rows: &[Row], first: &[Row]) {
        let differs = rows.iter().zip(first).filter(|(a, b)| a != b);
        for (other, row) in differs {
            self.wrong_order(format!("node {node} has {other:?} in the place of {row:?}"));
        }
        let missing = rows.len().abs_diff(first.len());
        if missing > 0 {
            self.lost += missing;
            let (one, other) = (rows.len(), first.len());
            self.note(format!("node {node} has {one} lines, and the first one {other}"));
        }
    }

    fn wrong_order(&mut self, what: String) {
        self.out_of_order += 1;
        self.note(what);
    }

    fn note(&mut self, what: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(what);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { shown, refused, in_doubt, lost, doubled, out_of_order, examples } = self;
        write!(
            f,
            "{shown} lines shown, {refused} refused, {in_doubt} in doubt; {lost} lost, {doubled} \
             doubled, {out_of_order} out of order: {examples:#?}"
        )
    }
}

/// All lines, as an operator gets them.
fn export(data: &Data) -> Vec<u8> {
    let output = data.parlor().args(["export", "--format", "jsonl"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// The stored lines, as the checker reads them.
fn lobby(rows: &[Row]) -> Room {
    let event = |(index, row): (usize, &Row)| Event {
        commit: index as u64,
        person: None,
        kind: Kind::Line { seq: row.seq as u64, at: row.at },
        shown: Shown::Said { name: row.name.clone(), text: row.text.clone(), is_action: false },
        reads_on: false,
        ranks: NO_RANKS,
    };
    Room {
        name: "lobby".to_owned(),
        before: 0,
        events: rows.iter().enumerate().map(event).collect(),
        is_whole: false,
    }
}

fn reader(stay: &Stay) -> Reader {
    Reader {
        person: None,
        dialect: Dialect::Named,
        text: stay.text.clone(),
        end: if stay.has_ended { End::Broken } else { End::Here },
        has_left: false,
        fell_silently: false,
        listened: None,
        caps: "",
        barriers: Vec::new(),
    }
}
