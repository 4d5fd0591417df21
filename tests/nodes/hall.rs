//! The lines that people on all nodes have said and read so far. Threads of people write them down,
//! and a test waits until it finds the ones that it wants. Knows no server.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::DEADLINE;
use crate::machine::Machine;

/// The number of people who have a node as their home.
pub(crate) const PEOPLE_PER_NODE: usize = 2;

/// The number of lines that some people say at once.
pub(crate) const TOGETHER: usize = 3;

/// The number of recent notices that a failed wait shows.
const NOTICES_SHOWN: usize = 60;

/// The place where everybody's news meet.
pub(crate) struct Hall {
    page: Mutex<Page>,
    news: Condvar,
}

/// Everything so far.
pub(crate) struct Page {
    /// The door of each node; none while it is down.
    pub(crate) doors: Vec<Option<Door>>,
    pub(crate) phase: Phase,
    /// People, who say numbered lines. Those of a node stand together.
    pub(crate) people: Vec<Speaker>,
    /// The connections, in the order in which they began.
    pub(crate) stays: Vec<Stay>,
    began: Instant,
}

/// The door of a node.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) machine: Machine,
    pub(crate) address: SocketAddr,
}

/// The thing that people do at present.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Talk,
    /// They say no more, and read on.
    Listen,
    /// They leave.
    Leave,
}

/// A person, on one connection after the other.
pub(crate) struct Speaker {
    /// The node to which this person goes if it is there.
    pub(crate) home: usize,
    /// The fate of each line, by its number, which counts from 1.
    pub(crate) lines: Vec<Fate>,
    /// The speaker in the token of each line.
    pub(crate) speakers: Vec<usize>,
    /// The last number read of each person.
    pub(crate) heard: Vec<u64>,
    /// The node where this person sits.
    pub(crate) at: Option<usize>,
    /// When this person read a line last.
    read_at: Instant,
    /// The longest time without a line.
    gap: Duration,
}

/// The fate of a line, as far as its speaker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    UnderWay,
    Shown,
    Refused,
    /// The connection ended, or what was said together was refused, perhaps in part.
    InDoubt,
}

/// One connection.
pub(crate) struct Stay {
    pub(crate) node: usize,
    pub(crate) person: usize,
    /// Everything that came.
    pub(crate) text: Vec<u8>,
    /// The lines of the server, and who has come and gone.
    pub(crate) notices: Vec<(Duration, String)>,
    /// Whether the connection is over.
    pub(crate) has_ended: bool,
}

/// A moment.
pub(crate) struct Mark {
    notices: Vec<usize>,
    said: Vec<u64>,
}

impl Hall {
    /// A hall for people of this many nodes, which are all down.
    pub(crate) fn new(nodes: usize) -> Hall {
        let began = Instant::now();
        let speaker = |number: usize| Speaker {
            home: number / PEOPLE_PER_NODE,
            lines: Vec::new(),
            speakers: Vec::new(),
            heard: vec![0; nodes * PEOPLE_PER_NODE],
            at: None,
            read_at: began,
            gap: Duration::ZERO,
        };
        let page = Page {
            doors: vec![None; nodes],
            phase: Phase::Talk,
            people: (0..nodes * PEOPLE_PER_NODE).map(speaker).collect(),
            stays: Vec::new(),
            began,
        };
        Hall { page: Mutex::new(page), news: Condvar::new() }
    }

    pub(crate) fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes on the page.
    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Page) -> T) -> T {
        let result = change(&mut self.page());
        self.news.notify_all();
        result
    }

    /// Waits for news, up to this time.
    pub(crate) fn wait_a_while(&self, time: Duration) {
        drop(self.news.wait_timeout(self.page(), time));
    }

    /// Waits until the page has what is wanted.
    pub(crate) fn until<T>(&self, what: &str, find: impl Fn(&Page) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut page = self.page();
        loop {
            if let Some(found) = find(&page) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {what}; {}", page.summary());
            page = self.news.wait_timeout(page, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// This moment.
    pub(crate) fn mark(&self) -> Mark {
        let page = self.page();
        Mark {
            notices: page.stays.iter().map(|stay| stay.notices.len()).collect(),
            said: page.people.iter().map(|person| person.lines.len() as u64).collect(),
        }
    }

    /// Waits until somebody who sits at a node reads this after a moment. Returns the line.
    pub(crate) fn somebody_reads(
        &self,
        node: usize,
        since: &Mark,
        what: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        self.until(&format!("{what:?} at node {node}"), |page| {
            let stays = page.stays.iter().enumerate().filter(|(_, stay)| stay.node == node);
            let mut notices = stays.flat_map(|(number, stay)| since.behind(number, stay));
            notices.find(|line| wanted(line)).map(str::to_owned)
        })
    }

    /// Waits until everybody who sits at a node reads a line with one of these beginnings after a
    /// moment.
    pub(crate) fn everybody_reads(&self, node: usize, since: &Mark, starts: &[&str]) {
        let is_one = |line: &str| starts.iter().any(|start| line.starts_with(start));
        self.until(&format!("{starts:?} by everybody at node {node}"), |page| {
            let stays = page.stays.iter().enumerate();
            let here = stays.filter(|(_, stay)| stay.node == node && !stay.has_ended);
            let reads = |(number, stay): (usize, &Stay)| since.behind(number, stay).any(is_one);
            let reads: Vec<bool> = here.map(reads).collect();
            (reads.len() == PEOPLE_PER_NODE && reads.into_iter().all(|it| it)).then_some(())
        });
    }

    /// Waits until everybody who has read `doubt` at a node after a moment has read behind it a line
    /// with one of these beginnings, or is gone.
    pub(crate) fn doubts_end(&self, node: usize, since: &Mark, doubt: &str, ends: &[&str]) {
        self.until(&format!("{ends:?} by everybody in doubt at node {node}"), |page| {
            let stays = page.stays.iter().enumerate();
            let mut here = stays.filter(|(_, stay)| stay.node == node && !stay.has_ended);
            let is_settled = |(number, stay): (usize, &Stay)| {
                let behind = since.behind(number, stay).skip_while(|line| *line != doubt);
                let behind: Vec<_> = behind.collect();
                behind.is_empty()
                    || behind.iter().any(|line| ends.iter().any(|end| line.starts_with(end)))
            };
            here.all(is_settled).then_some(())
        });
    }

    /// The lines with this beginning that people have read after a moment.
    pub(crate) fn read_since(&self, since: &Mark, start: &str) -> Vec<String> {
        let page = self.page();
        let stays = page.stays.iter().enumerate();
        let notices = stays.flat_map(|(number, stay)| since.behind(number, stay));
        notices.filter(|line| line.starts_with(start)).map(str::to_owned).collect()
    }

    /// Waits until the people of these nodes have read a line of each of them that was said from now
    /// on.
    pub(crate) fn hear_each_other(&self, nodes: &[usize]) {
        let said = self.mark().said;
        self.until(&format!("everybody at {nodes:?} to hear everybody there"), |page| {
            let is_there = |person: &&Speaker| nodes.contains(&person.home);
            let hears = |reader: &Speaker| {
                let heard = reader.heard.iter().zip(&said).zip(&page.people);
                let mut heard = heard.filter(|(_, speaker)| is_there(speaker));
                reader.at == Some(reader.home) && heard.all(|((heard, said), _)| heard > said)
            };
            page.people.iter().filter(is_there).all(hears).then_some(())
        });
    }

    /// Lets nobody say more, and waits until everybody has read everything.
    pub(crate) fn fall_silent(&self) {
        self.write(|page| page.phase = Phase::Listen);
        self.until("everybody to have read everything", |page| {
            let last = |person: &Speaker| {
                let shown = person.lines.iter().rposition(|fate| *fate == Fate::Shown);
                shown.map_or(0, |index| index as u64 + 1)
            };
            let last: Vec<_> = page.people.iter().map(last).collect();
            let has_all = |person: &Speaker| person.is_idle() && person.heard >= last;
            page.people.iter().all(has_all).then_some(())
        });
    }

    /// Begins to measure gaps.
    pub(crate) fn measure(&self) {
        let now = Instant::now();
        for person in &mut self.page().people {
            (person.read_at, person.gap) = (now, Duration::ZERO);
        }
    }

    /// The longest time that people with such a home have been without a line since then.
    pub(crate) fn gap(&self, is_home: impl Fn(usize) -> bool) -> Duration {
        let page = self.page();
        let people = page.people.iter().filter(|person| is_home(person.home));
        people.map(|person| person.gap).max().unwrap_or_default()
    }
}

impl Speaker {
    /// Whether nothing of this person is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.lines.iter().rev().take(TOGETHER).all(|fate| *fate != Fate::UnderWay)
    }

    /// Settles what is under way.
    pub(crate) fn settle(&mut self, fate: Fate) {
        let lines = self.lines.iter_mut().rev().take(TOGETHER);
        lines.filter(|line| **line == Fate::UnderWay).for_each(|line| *line = fate);
    }
}

impl Page {
    /// Notes a line that a person has read.
    pub(crate) fn hear(&mut self, reader: usize, speaker: usize, number: u64) {
        let speaker = speaker % self.people.len();
        let person = &mut self.people[reader];
        let now = Instant::now();
        person.gap = person.gap.max(now - person.read_at);
        person.read_at = now;
        person.heard[speaker] = person.heard[speaker].max(number);
        let own = person.lines.get_mut(number as usize - 1).filter(|_| reader == speaker);
        // A line that was refused stays refused, so that the judge sees it.
        if let Some(fate) = own.filter(|fate| **fate != Fate::Refused) {
            *fate = Fate::Shown;
        }
    }

    /// Notes a line of the server.
    pub(crate) fn notice(&mut self, stay: usize, line: String) {
        let at = self.began.elapsed();
        self.stays[stay].notices.push((at, line));
    }

    /// The places of people, and the last notices, for a test that fails.
    fn summary(&self) -> String {
        let mut words = String::new();
        for (number, person) in self.people.iter().enumerate() {
            let (said, last) = (person.lines.len(), person.lines.last());
            words += &format!(
                "\nperson {number} at {:?}: said {said}, the last is {last:?}; heard {:?}",
                person.at, person.heard
            );
        }
        let told = |(number, stay): (usize, &Stay)| {
            let told = stay.notices.iter().cloned();
            let (person, node) = (stay.person, stay.node);
            let told = told.map(move |(at, line)| (at, number, person, node, line));
            told.collect::<Vec<_>>()
        };
        let mut notices: Vec<_> = self.stays.iter().enumerate().flat_map(told).collect();
        notices.sort();
        for (at, _, person, node, line) in notices.into_iter().rev().take(NOTICES_SHOWN).rev() {
            words += &format!("\n{:9.3} person {person} at {node}: {line}", at.as_secs_f64());
        }
        words
    }
}

impl Mark {
    /// The notices that a connection has read after this moment.
    fn behind<'a>(&self, number: usize, stay: &'a Stay) -> impl Iterator<Item = &'a str> + use<'a> {
        let before = self.notices.get(number).copied().unwrap_or_default();
        stay.notices.iter().skip(before).map(|(_, line)| line.as_str())
    }
}
