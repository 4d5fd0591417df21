//! The past of a house: its first node publishes what it has stored as a server without other nodes,
//! and each node takes that over before it opens its doors. Knows no broadcaster.
//!
//! The next message depends on the ledger and on the files alone, and has a place only behind the last
//! one. So a node that is killed meanwhile goes on where the stream ends, and two do not mix.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use parlor_core::intent::{Import, Intent, Proposal, ProposalId};
use parlor_core::ledger::{Ledger, Past};
use parlor_core::model::{End, Name, RoomName, WallTime};
use parlor_wire::pack::proposal::{NEWEST, pack};
use tokio::time::{Instant, sleep, timeout};

use super::begin::Beginning;
use super::key_work::Sealing;
use super::nats::{ORDER, START_PAUSE, StreamConnection};
use super::runs::Runs;
use crate::journal::{Database, FileView, History, RawMessage, further_parts, take_over as store};

/// The size of a message, in bytes.
const MESSAGE_BYTES: usize = 128 << 10;

/// How many parts beside lines one message has: each may need a key, which is a message of its own.
const PARTS_MAX: usize = 256;

/// How long the next message may take before the stream is followed anew.
const NEXT_TIME: Duration = Duration::from_secs(5);

/// How many messages in a row may bring nothing.
const IDLE_MAX: usize = 8;

/// How often the operator is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How long systemd waits for the next word of how far it is, in microseconds.
const WORD_MICROS: u32 = 60_000_000;

/// The files of a node that takes over the past.
pub(crate) struct PastFiles {
    /// The way into them.
    pub(crate) view: Arc<FileView>,
    pub(crate) database: Database,
    /// Their own past, if that is the past of the nodes.
    pub(crate) own: Option<(Past, Arc<dyn History>)>,
}

/// A node that takes over the past.
struct TakeOver<'a> {
    connection: &'a StreamConnection,
    ledger: Ledger,
    begun: Beginning,
    /// The number of the last line of each room.
    ends: BTreeMap<RoomName, u64>,
    files: Option<(Arc<FileView>, Database)>,
    /// The past of this node; none if it takes over that of another one.
    own: Option<OwnPast>,
    seals: Sealing,
    /// How many lines have come.
    lines: u64,
    /// How many messages in a row have brought nothing.
    idle: usize,
    told: Instant,
}

/// The past of this node.
struct OwnPast {
    /// Everything beside lines.
    parts: Vec<Import>,
    history: Arc<dyn History>,
    rooms: BTreeMap<RoomName, End>,
    /// The owners of names and since when, by the first keys of the names.
    owners: BTreeMap<String, (Name, WallTime)>,
}

/// Takes over the past of a house, with a ledger at the end of these files.
///
/// # Errors
/// The files or the stream cannot be used: why.
pub(crate) async fn take_over(
    connection: &StreamConnection,
    mut begun: Beginning,
    files: Option<PastFiles>,
) -> anyhow::Result<Beginning> {
    let (mut own, mut into) = (None, None);
    if let Some(PastFiles { view, database, own: past }) = files {
        if let Some((past, history)) = past {
            own = Some(OwnPast::new(past, history, &database).await?);
        }
        into = Some((view, database));
    }
    match &own {
        Some(_) => tracing::info!("this node puts what it has stored into the stream"),
        None => tracing::info!("this node waits for what the first one has stored"),
    }
    let ledger = mem::take(&mut begun.ledger);
    let taking = TakeOver {
        connection,
        seals: Sealing::new(connection, ledger.seals.last()),
        ends: ledger.ends.iter().map(|(room, end)| (room.clone(), end.seq)).collect(),
        ledger: Ledger::restore(ledger),
        begun,
        files: into,
        own,
        lines: 0,
        idle: 0,
        told: Instant::now(),
    };
    taking.run().await
}

impl TakeOver<'_> {
    async fn run(mut self) -> anyhow::Result<Beginning> {
        while self.ledger.importing().is_some() {
            if let Err(error) = self.follow().await? {
                tracing::warn!(%error, "the stream cannot be used yet");
                ask_for_time();
                sleep(START_PAUSE).await;
            }
        }
        if let Some((view, _)) = &self.files {
            view.until_written().await;
        }
        let TakeOver { ledger, begun, lines, .. } = self;
        tracing::info!(lines, "everything from before there were several nodes is taken over");
        Ok(Beginning { ledger: ledger.snapshot(), has_taken_over: true, ..begun })
    }

    /// Follows the stream until all has come, or nothing comes any more. The inner error is one of the
    /// stream, and followed by another try.
    async fn follow(&mut self) -> anyhow::Result<anyhow::Result<()>> {
        let position = self.begun.position;
        let begun = async {
            let following = self.connection.clone().follow(position).await?;
            anyhow::Ok((following, self.connection.last().await?))
        };
        let (mut following, last) = match begun.await {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(error)),
        };
        ensure!(
            last >= position,
            "the stream in NATS ends at message {last}, and this node has taken over {position}: it has \
             lost a part of what the first node had stored; start that node once without --nats, and \
             let it begin another --house"
        );
        let mut is_last = last == position;
        while self.ledger.importing().is_some() {
            if is_last && let Some(intents) = self.next_intents().await? {
                let published = self.publish(intents).await;
                if published.is_err() {
                    return Ok(published);
                }
            }
            let arrived = timeout(NEXT_TIME, following.next()).await.unwrap_or(Ok(None))?;
            let Some(message) = arrived else {
                self.tell(true);
                break;
            };
            is_last = message.behind == 0;
            let (position, at) = (message.position, message.at);
            let (subject, bytes) = (message.subject, message.bytes);
            self.read(RawMessage { position, at, subject, bytes }).await?;
        }
        Ok(Ok(()))
    }

    /// Applies a message, and writes what it brings into the files of this node, unless they have that.
    async fn read(&mut self, message: RawMessage) -> anyhow::Result<()> {
        let position = message.position;
        self.begun.position = position;
        self.seals.arrive(position, message.at, &message.bytes);
        let mut brought = Vec::new();
        while let Some(decided) = self.seals.next_opened().await {
            brought.extend(self.ledger.follow_past(decided.proposal, decided.at));
        }
        for part in &brought {
            if let Import::Lines(lines) = part {
                let count = lines.times.len() as u64;
                self.lines += count;
                self.ends.insert(lines.room.clone(), lines.first + count - 1);
            }
        }
        self.idle = if brought.is_empty() { self.idle + 1 } else { 0 };
        let is_stuck = self.own.is_some() && self.idle > IDLE_MAX;
        ensure!(!is_stuck, "a part of what is stored cannot be taken over; this is a bug");
        let size = message.bytes.len();
        self.begun.tail.push(message);
        if let Some((view, _)) = &self.files {
            if self.own.is_some() {
                brought.retain(|part| matches!(part, Import::Complete));
            }
            view.write_rows((position, size), move |file| store(file, &brought)).await?;
        }
        if self.told.elapsed() >= TELL_EVERY {
            self.tell(false);
        }
        Ok(())
    }

    fn tell(&mut self, is_silent: bool) {
        self.told = Instant::now();
        ask_for_time();
        let (lines, position) = (self.lines, self.begun.position);
        match (&self.own, is_silent) {
            (Some(_), _) => tracing::info!(lines, position, "what is stored goes into the stream"),
            (None, false) => tracing::info!(lines, position, "what is stored is taken over"),
            (None, true) => tracing::info!(
                lines,
                position,
                "not all that the first node has stored is in the stream yet; this node waits for it"
            ),
        }
    }

    /// The intents behind those in the stream; none if this node does not have the past.
    async fn next_intents(&mut self) -> anyhow::Result<Option<Vec<Intent>>> {
        let bytes_max = MESSAGE_BYTES.min(self.connection.bytes_max() / 2);
        let (Some(own), Some(number)) = (&mut self.own, self.ledger.importing()) else {
            return Ok(None);
        };
        let mut intents = own.part(number, bytes_max);
        if intents.is_empty() {
            intents = own.lines(&self.ends, bytes_max).await?;
        }
        if intents.is_empty() {
            intents.push(intent(Import::Complete));
        }
        self.ledger.plan_seals_of_past(&mut intents);
        Ok(Some(intents))
    }

    /// Publishes intents behind the last message. Whether they have that place, the stream says.
    async fn publish(&mut self, intents: Vec<Intent>) -> anyhow::Result<()> {
        let number = self.ledger.importing().unwrap_or_default();
        let id = ProposalId { boot: 0, number };
        let sealed = self.seals.sealed(Proposal { id, intents, ..Proposal::default() }).await;
        let bytes = pack(&sealed.context("there is no space for a key")?, NEWEST)?;
        let position = self.begun.position;
        let published = self.connection.publish_behind(position, ORDER, bytes, None).await?;
        published.await.map(drop)
    }
}

impl OwnPast {
    async fn new(
        past: Past,
        history: Arc<dyn History>,
        database: &Database,
    ) -> anyhow::Result<OwnPast> {
        let rooms = past.ends.clone();
        let owner = |name: &Name| name.keys()[0].to_owned();
        let owners = past.accounts.iter();
        let owners = owners.map(|it| (owner(&it.name), (it.name.clone(), it.since))).collect();
        let mut parts: Vec<_> = past.imports().collect();
        parts.extend(database.read(|file| further_parts(file)).await?);
        Ok(OwnPast { parts, history, rooms, owners })
    }

    /// The next intents beside lines, if this many parts are in the stream.
    fn part(&self, number: u64, bytes_max: usize) -> Vec<Intent> {
        let rest = usize::try_from(number).ok().and_then(|number| self.parts.get(number..));
        let mut bytes = 0;
        let mut intents = Vec::new();
        for part in rest.unwrap_or_default().iter().take(PARTS_MAX) {
            let intent = intent(part.clone());
            bytes += intent.bytes();
            if bytes > bytes_max && !intents.is_empty() {
                break;
            }
            intents.push(intent);
        }
        intents
    }

    /// The next lines, behind those that are in the stream.
    async fn lines(
        &self,
        ends: &BTreeMap<RoomName, u64>,
        bytes_max: usize,
    ) -> anyhow::Result<Vec<Intent>> {
        let mut runs = Runs::default();
        for (room, end) in &self.rooms {
            let mut last = ends.get(room).copied().unwrap_or_default();
            let mut next = last + 1;
            while next <= end.seq && runs.bytes < bytes_max {
                let page = self.history.page(room, next, end.seq).await?;
                next = page.next;
                for said in page.lines.into_iter().flatten() {
                    let owner = self.owners.get(said.who.name.keys()[0]);
                    let owner = owner.filter(|(_, since)| *since <= said.at);
                    last = said.seq;
                    runs.add(room, said, owner.map(|(name, _)| name));
                }
                if next > end.seq && last < end.seq {
                    runs.add_deleted(room, *end);
                }
            }
        }
        Ok(runs.runs.into_iter().map(|run| intent(Import::Lines(run))).collect())
    }
}

/// Asks systemd not to end a start that takes long.
fn ask_for_time() {
    // Without systemd, nobody receives it.
    sd_notify::notify(&[sd_notify::NotifyState::ExtendTimeoutUsec(WORD_MICROS)]).ok();
}

fn intent(import: Import) -> Intent {
    Intent::Import(Box::new(import))
}
