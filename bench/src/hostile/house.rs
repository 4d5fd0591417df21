//! The house of the hostile clients: a server without tasks, driven step by step, in which they read
//! each other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use parlor_core::broadcaster::Broadcaster;
use parlor_core::link::Inbox;
use parlor_core::log::{Group, Rung};
use parlor_core::model::{Capacity, Limits, Now, WallTime};
use parlor_wire::lines::LineEncoder;
use rustix::process::getpid;

use super::check::check_lines;
use super::client::HostileClient;
use super::lines::{HostileLines, NICKS};
use crate::guard::line_encoder;
use crate::machine::resident;

/// The time between two turns.
const TURN: Duration = Duration::from_millis(10);

/// Logs and lists have reached their size after this share of the lines.
const WARM_UP: f64 = 0.1;

/// Memory may grow by this much after that, in MiB: the allocator moves its pieces.
const GROWTH_MAX: f64 = 4.0;

/// Sends this many hostile lines, made from a seed, and prints what came of them.
///
/// # Errors
/// Something panicked or hung, a client read a control character, or memory grew.
pub(crate) fn run(lines: u64, seed: u64) -> anyhow::Result<()> {
    let (begin, mut house) = (Instant::now(), House::open(seed));
    let (mut warm, mut shown) = (None, 0);
    println!("| lines | messages for IRC | lines for netcat | resident, MiB | seconds |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    while house.sent < lines {
        let turned = catch_unwind(AssertUnwindSafe(|| (0..1_000).try_for_each(|_| house.turn())));
        let sent = house.sent;
        turned
            .unwrap_or_else(|_| bail!("a panic"))
            .with_context(|| format!("with seed {seed}, after {sent} lines"))?;
        let mib = resident(getpid())? / f64::from(1 << 20);
        if house.sent as f64 >= lines as f64 * WARM_UP {
            warm.get_or_insert(mib);
        }
        if house.sent * 20 / lines > shown {
            shown = house.sent * 20 / lines;
            let (messages, read) = (house.messages, house.read);
            let seconds = begin.elapsed().as_secs();
            println!("| {sent} | {messages} | {read} | {mib:.1} | {seconds} |");
        }
    }
    let growth = resident(getpid())? / f64::from(1 << 20) - warm.unwrap_or_default();
    println!("\nPanics: 0. Control characters: 0. Growth: {growth:.1} MiB.");
    ensure!(growth <= GROWTH_MAX, "the memory grew");
    Ok(())
}

struct House {
    broadcaster: Broadcaster,
    group: Arc<Group>,
    now: Now,
    lines: HostileLines,
    clients: Vec<HostileClient>,
    /// How people with netcat read the rooms.
    netcat: LineEncoder,
    /// Lines that the clients sent, messages that they read, and lines for people with netcat.
    sent: u64,
    messages: u64,
    read: u64,
}

impl House {
    fn open(seed: u64) -> House {
        let log = Capacity { lines: 512, bytes: 1 << 20 };
        let limits = Limits { rooms: 200, log, logs_bytes: 16 << 20, ..Limits::default() };
        House {
            broadcaster: Broadcaster::new(Arc::new(Inbox::default()), limits),
            group: Arc::default(),
            now: Now::default(),
            lines: HostileLines::new(seed),
            clients: Vec::new(),
            netcat: line_encoder(),
            sent: 0,
            messages: 0,
            read: 0,
        }
    }

    /// Everybody has a turn.
    fn turn(&mut self) -> anyhow::Result<()> {
        self.now.monotonic += TURN;
        self.now.wall = WallTime(self.now.wall.0 + TURN.as_millis() as i64);
        while self.clients.len() < NICKS.len() {
            let link = self.broadcaster.inbox().connect_in(|_| Arc::clone(&self.group));
            let number = self.clients.len();
            self.clients.push(HostileClient::new(link, number, &mut self.lines));
        }
        for client in &mut self.clients {
            let (sent, read) = client.turn(&mut self.lines)?;
            self.sent += sent;
            self.messages += read;
        }
        self.clients.retain(|client| !client.is_gone);
        self.broadcaster.tick(self.now);
        self.broadcaster.drain(self.now);
        if let Some(gathered) = self.broadcaster.gather(self.now) {
            for batch in gathered.batches() {
                let entries = 0..batch.entries().len();
                self.read += check_lines(batch.encoded(&self.netcat).bytes(entries))?;
            }
            self.broadcaster.append(gathered, Ok(()), self.now);
        }
        self.group.take(&mut Rung::default()); // as the task of the writers does
        Ok(())
    }
}
