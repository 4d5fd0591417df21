//! Crowds: when many people come or go at once, the first are announced one by one, the rest
//! together.

use std::collections::BTreeSet;

use crate::support::{Guest, TestServer};

/// The number of people of a crowd who are announced one by one.
const TOLD_MAX: usize = 8;

/// A person in named mode and a person in classic mode, who watch people come and go.
fn watchers(server: &TestServer) -> (Watcher, Guest) {
    let mut classic = server.guest_at(1);
    classic.sees(&format!("You are {}", classic.address()));
    let guest = server.enter("alice");
    classic.sees("alice has arrived");
    let watcher = Watcher { guest, alone: 2 };
    (watcher, classic)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("guest-{number}")).collect()
}

/// People who all answer the name question at the same moment; `answer` makes the bytes from their
/// name.
fn come_at_once(
    server: &TestServer,
    names: &[String],
    answer: impl Fn(&str) -> String,
) -> Vec<Guest> {
    let mut crowd: Vec<Guest> = names.iter().map(|_| server.guest()).collect();
    crowd.iter_mut().for_each(Guest::sees_question);
    for (guest, name) in crowd.iter_mut().zip(names) {
        guest.send(answer(name));
    }
    crowd
}

struct Watcher {
    guest: Guest,
    /// The number of arrivals or departures announced one by one since the last summary.
    alone: usize,
}

/// The announcements of a crowd that a person in named mode reads.
#[derive(Default)]
struct Told {
    /// Names with a line each.
    alone: BTreeSet<String>,
    /// Names in a summary.
    named: BTreeSet<String>,
    /// People only counted in a summary.
    others: usize,
    /// All lines read.
    lines: Vec<String>,
}

impl Watcher {
    /// Reads until `count` people are announced as "arrived" or "left": no person twice, and only
    /// those beyond the first together.
    #[track_caller]
    fn reads(&mut self, count: usize, what: &str) -> Told {
        let mut told = Told::default();
        while told.len() < count {
            let line = self.guest.line();
            if let Some(name) = line.strip_suffix(&format!(" has {what}")) {
                assert!(told.alone.insert(name.to_owned()), "{line}, again");
                self.alone += 1;
            } else if let Some(people) = line.strip_suffix(&format!(" have {what}")) {
                assert!(self.alone >= TOLD_MAX, "{line}, after {} alone", self.alone);
                told.add_summary(people);
                self.alone = 0;
            }
            told.lines.push(line);
        }
        assert!(told.alone.is_disjoint(&told.named), "{:?}", told.lines);
        told
    }
}

impl Told {
    /// The people in `alice, bob and 35 others`.
    fn add_summary(&mut self, people: &str) {
        let (named, last) = people.rsplit_once(" and ").unwrap();
        let others = last.strip_suffix(" others").map(|others| others.parse().unwrap());
        self.others += others.unwrap_or(0);
        let last = [last].into_iter().filter(|_| others.is_none());
        for name in named.split(", ").chain(last) {
            assert!(self.named.insert(name.to_owned()), "{people}");
        }
    }

    /// The number of people that it names or counts.
    fn len(&self) -> usize {
        self.alone.len() + self.named.len() + self.others
    }
}

#[test]
fn the_first_arrivals_of_a_crowd_are_announced_one_by_one_and_the_rest_together() {
    let server = TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |_| {});
    let (mut alice, mut classic) = watchers(&server);
    let names = names(30);
    let everybody: BTreeSet<String> = names.iter().cloned().collect();
    for _ in 0..2 {
        let crowd = come_at_once(&server, &names, |name| format!("{name}\n"));
        let told = alice.reads(names.len(), "arrived");
        assert!(told.others > 0, "no summary in {:?}", told.lines);
        assert_eq!(reads_each(&mut classic, names.len(), "arrived"), everybody);
        drop(crowd);
        let told = alice.reads(names.len(), "left");
        assert!(told.others > 0, "no summary in {:?}", told.lines);
        assert_eq!(reads_each(&mut classic, names.len(), "left"), everybody);
    }
    alice.guest.say("peace at last");
    alice.guest.sees("alice: peace at last");
    classic.sees("alice: peace at last");
}

/// In classic mode each person is announced alone.
fn reads_each(guest: &mut Guest, count: usize, what: &str) -> BTreeSet<String> {
    let ending = format!(" has {what}");
    (0..count).map(|_| guest.line().strip_suffix(&ending).unwrap().to_owned()).collect()
}

#[test]
fn people_who_speak_in_a_crowd_are_named_first_and_only_once() {
    let server = TestServer::open(&["tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"], |_| {});
    let (mut alice, mut classic) = watchers(&server);
    let names = names(20);
    let speakers = &names[10..];
    let _crowd = come_at_once(&server, &names, |name| {
        let speaks = speakers.iter().any(|speaker| speaker == name);
        format!("{name}\n{}", if speaks { "Hi!\n" } else { "" })
    });
    let mut lines = alice.reads(names.len(), "arrived").lines;
    let alice = &mut alice.guest;
    // No person is announced again: only lines of people may follow.
    let said = |lines: &[String]| lines.iter().filter(|line| line.ends_with(": Hi!")).count();
    while said(&lines) < speakers.len() {
        lines.push(alice.line());
    }
    alice.say("that was everybody");
    alice.sees("alice: that was everybody");
    for name in speakers {
        let at = |line: String| lines.iter().position(|seen| *seen == line).expect(&line);
        let arrived = at(format!("{name} has arrived"));
        assert!(arrived < at(format!("{name}: Hi!")), "{lines:?}");
    }
    let mut arrived = BTreeSet::new();
    for _ in 0..names.len() + speakers.len() {
        let line = classic.line();
        if let Some(name) = line.strip_suffix(" has arrived") {
            assert!(arrived.insert(name.to_owned()), "{line}, again");
        } else {
            let name = line.strip_suffix(": Hi!").expect(&line);
            assert!(arrived.contains(name), "{line}, before arriving");
        }
    }
    classic.sees("alice: that was everybody");
}

#[test]
fn a_long_roster_names_the_first_and_counts_the_rest() {
    let server = TestServer::named();
    let names = names(30);
    let mut crowd: Vec<Guest> = names.iter().map(|name| server.enter(name)).collect();
    let twenty = names[..20].join(", ");
    let mut zoe = server.guest();
    zoe.sees_question();
    zoe.say("zoe");
    zoe.sees("You are zoe");
    zoe.sees(&format!("In lobby: {twenty} and 10 others"));
    zoe.sees("-- /help lists what you can type");
    zoe.sees("-- Lines here are not stored: they are gone when the server stops");
    for guest in &mut crowd[21..] {
        guest.say("/quit");
        guest.rest();
    }
    let mut yan = server.guest();
    yan.sees_question();
    yan.say("yan");
    yan.sees("You are yan");
    yan.sees(&format!("In lobby: {twenty} and 2 others"));
}
