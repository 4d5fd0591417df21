//! A large crowd on three nodes: thousands come to each at once, all of them say something in one room
//! and read everything, a node is killed, and its people come back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;

use super::house::{MeasuredHouse, Usage, cpu};
use crate::load::{CrowdAssignment, CrowdReport, CrowdTask, Crowds};
use crate::machine::{mebibytes, on_cores, resident};
use crate::report::{Cell, ResultTable, YES};
use crate::runs::bench::{Bench, progress};
use crate::server::{NatsSync, RunningTarget};

/// Servers of NATS, and nodes.
const SIZE: [usize; 2] = [3, 3];

/// Longer than the second after which a crowd is announced together.
const QUIET: u64 = 2_500;

/// Longer than the ten seconds after which a node that is silent is down.
const DOWN: u64 = 15_000;

/// How many people of each node speak at once: all lines of a turn fit into the log of the room, even
/// on a slow machine.
const AT_ONCE: usize = 250;

/// A house with its crowds.
struct CrowdedHouse {
    /// Clients end before servers do.
    crowds: Crowds,
    nodes: Vec<RunningTarget>,
    house: MeasuredHouse,
    /// The number of crowds that have ever come.
    come: u32,
    table: ResultTable,
}

/// The resources used so far: CPU of each node, in seconds.
struct Spent(Vec<f64>, Usage);

/// Runs the scenario.
pub(super) fn run(bench: &mut Bench, nats: &Path) -> anyhow::Result<()> {
    let people = bench.pick(1_000, 10_000);
    let house = MeasuredHouse::new(bench, nats, SIZE, NatsSync::Always)?;
    let nodes = house.start_all()?;
    let cores = bench.cores.all.clone();
    let assignments = nodes.iter().zip(0..).map(|(node, number)| assignment(&house, node, number));
    let assignments: Vec<_> = assignments.collect();
    let crowds = on_cores(&cores, || Crowds::start(&assignments))??;
    let come = assignments.len() as u32;
    let mut house = CrowdedHouse { crowds, nodes, house, come, table: table(people) };
    let outcome = house.live_through(people, &cores);
    bench.tables.push(house.table);
    outcome
}

fn assignment(house: &MeasuredHouse, node: &RunningTarget, number: u32) -> CrowdAssignment {
    CrowdAssignment { door: node.address, protocol: house.protocol(), number }
}

impl CrowdedHouse {
    fn live_through(&mut self, people: usize, cores: &[usize]) -> anyhow::Result<()> {
        let all = people * SIZE[1];
        progress(format_args!("{people} come to each node at once"));
        let spent = self.spent()?;
        let reports = self.crowds.ask(CrowdTask::Come { people, quiet: QUIET })?;
        self.add(&format!("{all} come at once"), &spent, &reports, None)?;
        self.speak(people, 1)?;
        self.kill()?;
        self.start_again(people, cores)?;
        self.speak(people, 2)
    }

    /// When everybody is in the room, everybody says a line, and reads all lines.
    fn speak(&mut self, people: usize, time: u32) -> anyhow::Result<()> {
        self.crowds.ask(CrowdTask::CallTheRoll)?;
        self.crowds.ask(CrowdTask::Read { quiet: QUIET })?;
        self.crowds.ask(CrowdTask::Note)?;
        let (spent, start) = (self.spent()?, Instant::now());
        let (mut said, mut sum) = (0, vec![CrowdReport::default(); SIZE[1]]);
        while said < people {
            let more = AT_ONCE.min(people - said);
            said += more;
            let until = (said * SIZE[1]) as u64;
            let reports = self.crowds.ask(CrowdTask::Speak { people: more, until })?;
            for (sum, report) in sum.iter_mut().zip(reports) {
                *sum = CrowdReport { bytes: sum.bytes + report.bytes, ..report };
            }
            progress(format_args!("{} lines are said and read by everybody", until));
        }
        sum.iter_mut().for_each(|report| report.seconds = start.elapsed().as_secs_f64());
        let what = format!("everybody says a line and reads all ({time})");
        let lines = (people * SIZE[1]) as f64;
        self.add(&what, &spent, &sum, Some(lines))?;
        ensure_one_order(&sum, people)
    }

    /// Kills the last node. The people on the others read that its people have left.
    fn kill(&mut self) -> anyhow::Result<()> {
        progress("a node is killed");
        let spent = self.spent()?;
        let last = self.nodes.len() - 1;
        self.nodes[last].end();
        self.crowds.end(last);
        let reports = self.crowds.ask(CrowdTask::Read { quiet: DOWN })?;
        self.add("a node is killed: until the others are told", &spent, &reports, None)
    }

    /// Starts the last node again with its files, and lets as many people come to it.
    fn start_again(&mut self, people: usize, cores: &[usize]) -> anyhow::Result<()> {
        progress("the node starts again");
        let (spent, start) = (self.spent()?, Instant::now());
        let last = self.nodes.len() - 1;
        self.nodes[last] = self.house.start_again(last, &self.nodes[last])?;
        let seconds = start.elapsed().as_secs_f64();
        let started = CrowdReport { seconds, ..CrowdReport::default() };
        self.add("it starts again, with its files", &spent, &[started], None)?;
        let assignment = assignment(&self.house, &self.nodes[last], self.come);
        self.come += 1;
        on_cores(cores, || self.crowds.add(&assignment))??;
        let spent = self.spent()?;
        let report = self.crowds.ask_last(CrowdTask::Come { people, quiet: QUIET })?;
        self.add(&format!("{people} come to it at once"), &spent, &[report], None)
    }

    fn spent(&self) -> anyhow::Result<Spent> {
        // A node that was killed has spent nothing since.
        let cpu_of = |node: &RunningTarget| cpu(&[node.process()]).unwrap_or(0.0);
        let of_nodes = self.nodes.iter().map(cpu_of).collect();
        Ok(Spent(of_nodes, Usage::of(&self.house.cluster)?))
    }

    /// Adds a row of what has happened since.
    fn add(
        &mut self,
        what: &str,
        before: &Spent,
        reports: &[CrowdReport],
        lines: Option<f64>,
    ) -> anyhow::Result<()> {
        let Spent(now, usage) = self.spent()?;
        let nodes = now.iter().zip(&before.0).map(|(now, before)| (now - before).max(0.0));
        let nodes: Vec<f64> = nodes.collect();
        let nats = usage.since(&before.1);
        let memory = self.nodes.iter().map(|node| resident(node.process()).unwrap_or(0.0));
        let longest = |figures: &mut dyn Iterator<Item = f64>| figures.fold(0.0, f64::max);
        let closed: usize = reports.iter().map(|report| report.closed).sum();
        self.table.row([
            what.into(),
            longest(&mut reports.iter().map(|report| report.seconds)).into(),
            lines.into(),
            nodes.iter().sum::<f64>().into(),
            longest(&mut nodes.iter().copied()).into(),
            nats.nats_cpu.into(),
            mebibytes(longest(&mut memory.into_iter())).into(),
            mebibytes(reports.iter().map(|report| report.bytes).sum()).into(),
            nats.counts.messages.into(),
            mebibytes(nats.counts.bytes).into(),
            verdict(closed),
        ]);
        Ok(())
    }
}

fn verdict(closed: usize) -> Cell {
    match closed {
        0 => YES.into(),
        closed => format!("NO: {closed} disconnected").into(),
    }
}

/// Checks that everybody has read the same lines in the same order.
fn ensure_one_order(reports: &[CrowdReport], people: usize) -> anyhow::Result<()> {
    let mut stories: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    for (lines, order, readers) in reports.iter().flat_map(|report| &report.stories) {
        *stories.entry((*lines, *order)).or_default() += readers;
    }
    let all = people * reports.len();
    let is_one = stories.len() == 1
        && stories.iter().all(|(story, readers)| story.0 == all as u64 && *readers == all);
    ensure!(is_one, "not everybody has read all {all} lines in one order: {stories:?}");
    Ok(())
}

fn table(people: usize) -> ResultTable {
    ResultTable::new(
        "A crowd",
        format!(
            "Three nodes with {people} connections each, in one room, and three servers of NATS, which sync always; \
             nodes, servers and clients share the cores of this machine. Come: until quiet, that is, from the first \
             connection to the last byte that any client received. Everybody says a line: {AT_ONCE} people of each node \
             at once, and the next ones when everybody has read all lines; at the end, all {} people had read the same \
             lines in the same order. CPU is that of all nodes, of the one that used most, and of all servers of NATS. \
             Memory is that of the largest node, at the end. Messages and stored bytes are those of the stream.",
            people * SIZE[1]
        ),
        "what happens | seconds | lines | nodes CPU, s | most, s | NATS CPU, s | memory, MiB | received, MiB | messages | \
         stored, MiB | valid",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(stories: &[(u64, u64, usize)]) -> CrowdReport {
        CrowdReport { stories: stories.to_vec(), ..CrowdReport::default() }
    }

    #[test]
    fn one_reader_with_another_order_is_found() {
        let good = report(&[(4, 77, 2)]);
        assert!(ensure_one_order(&[good.clone(), good.clone()], 2).is_ok());
        for other in [&[(4, 77, 1), (4, 78, 1)][..], &[(3, 77, 2)], &[(4, 77, 1)], &[]] {
            assert!(ensure_one_order(&[good.clone(), report(other)], 2).is_err(), "{other:?}");
        }
    }
}
