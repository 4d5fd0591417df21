//! Churn: people come and go all the time while others talk, for minutes or hours. What grows?

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::bail;

use crate::contest::validity;
use crate::doors::Parlor;
use crate::load::{ClientId, Load, Role, Sample};
use crate::machine::{Places, descriptors, mebibytes};
use crate::progress::progress;
use crate::table::Table;
use crate::target::{Server, Target};

/// Seconds, unless others are asked for.
const SECONDS: u64 = 300;

const QUICK_SECONDS: u64 = 30;

/// There is a row for each tenth of the time, and at least one for so many seconds.
const ROW_SECONDS_MAX: f64 = 300.0;

/// Those who are there all the time, and whose latency is measured.
const LISTENERS: usize = 1_000;

const SPEAKERS: usize = 4;

/// Lines a second of all speakers.
const RATE: f64 = 50.0;

/// So many come each second, and when they have stayed a little, so many go.
const COME_PER_SECOND: f64 = 200.0;

/// So many passers-by are there at once: each stays for five seconds.
const PASSERS_BY: usize = 1_000;

/// So many listeners press Enter each second, each of them every 100 s: the server closes whoever is
/// silent for five minutes. Over WebSockets it asks them with pings, which they answer.
const ENTER_PER_SECOND: f64 = 10.0;

/// Runs the scene.
pub(crate) fn run(
    quick: bool,
    seconds: Option<u64>,
    parlor: Parlor<'_>,
    places: Places,
) -> anyhow::Result<Vec<Table>> {
    let seconds = seconds.unwrap_or(if quick { QUICK_SECONDS } else { SECONDS }) as f64;
    let rows = (seconds / ROW_SECONDS_MAX).ceil().max(10.0);
    let mut room = Room::fill(&parlor.named()?, places)?;
    let mut table = table();
    table.note += parlor.note();
    let mut memory = Vec::new();
    for row in 1..=rows as usize {
        progress(format_args!("part {row} of {rows}"));
        let sample = room.stay(Duration::from_secs_f64(seconds / rows))?;
        let until = seconds / rows * row as f64;
        memory.push((until, sample.resident));
        room.tell(until, &sample, &mut table)?;
    }
    // In the first five minutes of a long run the server finds its size; of a short one, in the first part.
    let settled = memory
        .iter()
        .find(|(until, _)| *until >= ROW_SECONDS_MAX.min(seconds / rows));
    if let (Some((from, before)), Some((_, after))) = (settled, memory.last()) {
        table.note += &format!(
            " Resident memory at the end: {:.1} MiB, after {from:.0} s: {:.1} MiB.",
            mebibytes(*after),
            mebibytes(*before)
        );
    }
    Ok(vec![table])
}

fn table() -> Table {
    Table::new(
        "Churn",
        &format!(
            "{LISTENERS} listeners stay; {SPEAKERS} speakers say {RATE} lines a second in all, by the clock; {COME_PER_SECOND} others come each second, with names, \
             and leave five seconds later. Latency in milliseconds, at those who stay, from when a line was due. Waiting: for so much of the time server and \
             load, added, wanted a core on which something else ran, which is in the latency."
        ),
        [
            "until, s",
            "connections so far",
            "p50",
            "p99",
            "max",
            "ns/delivery",
            "resident, MiB",
            "descriptors",
            "server %",
            "load %",
            "waiting %",
            "valid",
        ],
    )
}

struct Room {
    server: Server,
    load: Load,
    listeners: Vec<ClientId>,
    passers_by: VecDeque<ClientId>,
    /// So many have come in this part.
    come: usize,
    /// So many times somebody has pressed Enter in this part.
    entered: usize,
    /// Who presses Enter next.
    next_to_enter: usize,
}

impl Room {
    fn fill(target: &Target, places: Places) -> anyhow::Result<Room> {
        let server = target.start(&[places.server])?;
        let mut load = Load::new(server.address, target.dialect)?;
        load.add_all(Role::Speaker, SPEAKERS)?;
        let listeners = load.add_all(Role::Listener, LISTENERS)?;
        load.settle()?;
        Ok(Room {
            server,
            load,
            listeners,
            passers_by: VecDeque::new(),
            come: 0,
            entered: 0,
            next_to_enter: 0,
        })
    }

    fn stay(&mut self, time: Duration) -> anyhow::Result<Sample> {
        (self.come, self.entered) = (0, 0);
        let process = self.server.process();
        self.load.open(RATE, process, |load, elapsed| {
            let due = |per_second: f64| (elapsed.as_secs_f64() * per_second) as usize;
            while self.come < due(COME_PER_SECOND) {
                self.passers_by.push_back(load.add(Role::Bystander)?);
                self.come += 1;
            }
            while self.passers_by.len() > PASSERS_BY
                && let Some(id) = self.passers_by.pop_front()
            {
                load.remove(id);
            }
            while self.entered < due(ENTER_PER_SECOND) {
                load.press_enter(self.listeners[self.next_to_enter % LISTENERS])?;
                self.next_to_enter += 1;
                self.entered += 1;
            }
            Ok(elapsed < time)
        })
    }

    fn tell(&self, until: f64, sample: &Sample, table: &mut Table) -> anyhow::Result<()> {
        table.row([
            until.into(),
            (self.load.come() as f64).into(),
            (sample.latency[0] / 1e3).into(),
            (sample.latency[2] / 1e3).into(),
            (sample.latency[4] / 1e3).into(),
            sample.cost().into(),
            mebibytes(sample.resident).into(),
            (descriptors(self.server.process())? as f64).into(),
            (sample.server_share() * 100.0).into(),
            (sample.load_share() * 100.0).into(),
            (sample.waiting_share() * 100.0).into(),
            validity(sample.load_share(), sample.server_share()),
        ]);
        match self.load.closed_by_server() {
            0 => Ok(()),
            closed => bail!("the server has closed {closed} of those who came"),
        }
    }
}
