//! How long people wait after each fault: nodes and servers of NATS are killed, stopped and started
//! again while people on all nodes talk.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::house::MeasuredHouse;
use crate::load::{Noticed, Talkers};
use crate::report::ResultTable;
use crate::runs::bench::{Bench, progress};
use crate::runs::figures::median;
use crate::server::{NatsSync, RunningTarget};

/// Servers of NATS, and nodes.
const SIZE: [usize; 2] = [3, 3];

/// People at each node.
const EACH: usize = 2;

/// Longer than people notice of a fault before it begins, or of another one after it has passed.
const SETTLED: Duration = Duration::from_secs(5);

/// Something that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodesFault {
    NodeKilled,
    FollowerKilled,
    LeaderKilled,
    LeaderStopped,
    LeaderRestarted,
    AllRestarted,
}

const FAULTS: [NodesFault; 6] = [
    NodesFault::NodeKilled,
    NodesFault::FollowerKilled,
    NodesFault::LeaderKilled,
    NodesFault::LeaderStopped,
    NodesFault::LeaderRestarted,
    NodesFault::AllRestarted,
];

impl NodesFault {
    /// Its name in the table.
    fn name(self) -> &'static str {
        match self {
            NodesFault::NodeKilled => "a node is killed",
            NodesFault::FollowerKilled => "a server of NATS that does not lead is killed",
            NodesFault::LeaderKilled => "the leading server is killed",
            NodesFault::LeaderStopped => "the leading server stands still",
            NodesFault::LeaderRestarted => "the leading server is stopped in order",
            NodesFault::AllRestarted => "all servers are killed and start again",
        }
    }
}

/// The effect of a fault on people, and of its end.
struct FaultRound {
    fault: Noticed,
    back: Noticed,
}

/// A house in which people talk.
struct TalkingHouse {
    /// People end before nodes do.
    talkers: Talkers,
    nodes: Vec<RunningTarget>,
    house: MeasuredHouse,
}

/// Lets each fault happen several times.
pub(super) fn run(bench: &mut Bench, nats: &Path) -> anyhow::Result<()> {
    let rounds = bench.pick(1, 5);
    let house = MeasuredHouse::new(bench, nats, SIZE, NatsSync::Always)?;
    let nodes = house.start_all()?;
    let doors: Vec<_> = nodes.iter().map(|node| node.address).collect();
    let mut house = TalkingHouse { talkers: Talkers::start(&doors, EACH), nodes, house };
    house.settle()?;
    let mut table = table(rounds);
    for fault in FAULTS {
        let mut noticed = Vec::new();
        for round in 0..rounds {
            progress(format_args!("{}, round {} of {rounds}", fault.name(), round + 1));
            noticed.push(house.happen(fault, round % SIZE[1])?);
        }
        add(&mut table, fault, &noticed);
    }
    bench.tables.push(table);
    Ok(())
}

impl TalkingHouse {
    /// Lets a fault happen, until people have been talking again for a while, and lets it pass.
    fn happen(&mut self, fault: NodesFault, node: usize) -> anyhow::Result<FaultRound> {
        let leader = self.house.cluster.leader()?;
        let servers = self.house.cluster.count();
        self.talkers.measure();
        let concerned = (fault == NodesFault::NodeKilled).then_some(node);
        let began = Instant::now();
        let server =
            if fault == NodesFault::FollowerKilled { (leader + 1) % servers } else { leader };
        let cluster = &mut self.house.cluster;
        match fault {
            NodesFault::NodeKilled => {
                self.talkers.set_door(node, None);
                self.nodes[node].end();
            }
            NodesFault::FollowerKilled | NodesFault::LeaderKilled => {
                cluster.end_one(server, Signal::KILL)?;
            }
            NodesFault::LeaderStopped => cluster.signal(server, Signal::STOP)?,
            NodesFault::LeaderRestarted => cluster.end_one(server, Signal::TERM)?,
            NodesFault::AllRestarted => {
                (0..servers).try_for_each(|one| cluster.end_one(one, Signal::KILL))?;
                (0..servers).try_for_each(|one| cluster.start_one(one))?;
            }
        }
        if concerned.is_some() {
            self.talkers.wait_until_told(node)?;
        }
        self.settle()?;
        let noticed = self.talkers.noticed(concerned, began);
        self.talkers.measure();
        let passed = Instant::now();
        let cluster = &mut self.house.cluster;
        match fault {
            NodesFault::NodeKilled => {
                self.nodes[node] = self.house.start_again(node, &self.nodes[node])?;
                self.talkers.set_door(node, Some(self.nodes[node].address));
            }
            NodesFault::LeaderStopped => cluster.signal(server, Signal::CONT)?,
            NodesFault::AllRestarted => {}
            NodesFault::FollowerKilled | NodesFault::LeaderKilled | NodesFault::LeaderRestarted => {
                cluster.start_one(server)?;
            }
        }
        self.house.cluster.wait_until_well()?;
        self.settle()?;
        Ok(FaultRound { fault: noticed, back: self.talkers.noticed(concerned, passed) })
    }

    /// Waits until everybody has read an own line some time from now.
    fn settle(&self) -> anyhow::Result<()> {
        let now = Instant::now();
        sleep(SETTLED);
        self.talkers.wait_until_all_talk(now + SETTLED)
    }
}

fn table(rounds: usize) -> ResultTable {
    ResultTable::new(
        "After a fault",
        format!(
            "Three servers of NATS, which sync always, and three nodes, all on this machine; {EACH} people at each node, \
             each of whom says a line every 20 ms and reads everything. The time is the longest between two own lines \
             that a speaker reads, of all speakers: of those on the node that fails, who enter at another one under \
             another name, and of all others; the median and the longest of {rounds} rounds. Told: when others read \
             that the people of the node have left. Back: the same time when what failed is started again or goes on."
        ),
        "fault | there, s | longest there, s | others, s | longest of others, s | told, s | back, s | longest back, s",
    )
}

fn add(table: &mut ResultTable, fault: NodesFault, rounds: &[FaultRound]) {
    let longest = |figures: Vec<f64>| figures.into_iter().fold(0.0, f64::max);
    let of = |figure: fn(&FaultRound) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let there = (fault == NodesFault::NodeKilled).then(|| of(|round| round.fault.gap_there));
    let others = of(|round| round.fault.gap_elsewhere);
    let told: Vec<_> = rounds.iter().filter_map(|round| round.fault.told_after).collect();
    let told = there.as_ref().map(|_| median(told));
    let back = (fault != NodesFault::AllRestarted).then(|| of(|round| round.back.gap_elsewhere));
    table.row([
        fault.name().into(),
        there.clone().map(median).into(),
        there.map(longest).into(),
        median(others.clone()).into(),
        longest(others).into(),
        told.into(),
        back.clone().map(median).into(),
        back.map(longest).into(),
    ]);
}
