//! This server as one of several nodes: its proposal under way, its contact with the others, and
//! the others that are silent.
//!
//! A state machine: time is an argument. Knows no client, no ledger and no engine.
//!
//! One proposal is under way, and the next intents wait. The proposal is offered until it comes
//! back with its place in the order, whatever happens on the way. So nobody is told that it failed
//! while that is unknown. It is void if the boot of this node ends before it, or if an empty
//! proposal with the next number comes back without it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::checks::{Checks, Difference};
use crate::intent::{BYTES_MAX, INTENTS_MAX, Intent, Proposal, ProposalId};
use crate::ledger::{Boot, Exile, Snapshot};
use crate::model::{Format, Name, NodeName, NodeProgram, PersonId};

/// How often a node does what is due. It proposes something at least this often.
const TICK: Duration = Duration::from_secs(1);

/// A node whose proposal takes longer than this is out of touch. A node that has not ticked for
/// longer was asleep, and knows nothing of that time.
const WAITING_AFTER: Duration = Duration::from_secs(2);

/// After this time out of touch, everybody on the node is told. A node that was in touch all this
/// time, and has not heard another one, proposes that the other one is down.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// After this time, requests that are not under way are refused, and the node tries to find out
/// what became of the proposal under way.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// All live nodes have usually announced a newer format for this time when it is put in force. Until
/// then, a node that was cut off can come back with an older program.
pub const SWITCH_AFTER: Duration = Duration::from_mins(1);

/// The ledger is usually compared at each multiple of this position.
pub const CHECK_EVERY: u64 = 4_096;

/// The start of a server that is one of several nodes.
#[derive(Clone, Debug)]
pub struct NodeStart {
    /// Its name, which no other node has.
    pub name: NodeName,
    /// A random number of this process.
    pub nonce: u64,
    /// Its program.
    pub program: NodeProgram,
    /// The largest proposal that it makes, in bytes; at most [`BYTES_MAX`] counts.
    pub bytes_max: usize,
    /// The ledger from which it continues.
    pub ledger: Snapshot,
    /// The position of that ledger in the order.
    pub position: u64,
    /// The ledger is compared at each multiple of this position; usually [`CHECK_EVERY`].
    pub check_every: u64,
    /// A newer format is put in force after this time; usually [`SWITCH_AFTER`].
    pub switch_after: Duration,
}

/// The state of a server among its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There are no other nodes.
    Alone,
    /// Its first boot has not begun yet, so nobody can enter.
    Starting,
    /// Its proposals come back.
    InTouch,
    /// They do not come back.
    OutOfTouch,
    /// It stopped, and has told the others.
    Left,
    /// Another process has begun a boot under its name. It has to stop.
    Replaced,
    /// There are as many nodes as there can be without it. It has to stop.
    OneTooMany,
    /// The nodes write in a format that its program cannot read. It has to stop.
    TooOld,
    /// Its ledger differs from that of another node, and may be the wrong one: it applies nothing
    /// and proposes nothing.
    Astray(Difference),
}

/// How long the node waits for a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Silence {
    None,
    Waiting,
    Lost,
    GivenUp,
}

/// The meaning of a proposal for the one under way.
#[derive(Debug)]
pub(super) enum Settled {
    /// It is another one.
    No,
    /// It is the one under way.
    Own,
    /// The one under way is void. These are its intents.
    Void(Vec<Intent>),
}

/// A proposal under way.
#[derive(Debug)]
struct Offered {
    /// Boot 0 for the beginning of a boot.
    id: ProposalId,
    intents: Vec<Intent>,
    since: Duration,
    /// Whether the process was asleep since then. It may have its place for a long time, and says
    /// nothing of the contact now.
    is_old: bool,
    /// Whether the empty proposal after it is offered.
    is_given_up: bool,
}

/// The node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: NodeName,
    nonce: u64,
    program: NodeProgram,
    /// The format in force.
    format: Format,
    /// The newer format that all live boots have announced, and since when.
    agreed: Option<(Format, Duration)>,
    switch_after: Duration,
    bytes_max: usize,
    /// The present boot; 0 if there is none.
    pub(super) boot: u32,
    /// The number of the last proposal of this boot.
    number: u64,
    /// The position up to which all proposals are applied.
    position: u64,
    under_way: Option<Offered>,
    /// The intents that wait, each with its size in bytes.
    queue: VecDeque<(Intent, usize)>,
    queue_bytes: usize,
    /// The person whose lines have counted in part: the rest waits or is under way.
    half_sent: Option<PersonId>,
    /// People whose boot has ended while their connections were here. They enter again.
    pub(super) exiles: BTreeMap<PersonId, Exile>,
    pub(super) standing: Standing,
    /// The silence that people have been told of.
    pub(super) told: Silence,
    is_leaving: bool,
    ticked_at: Duration,
    offered_at: Duration,
    /// Since when the node is in touch without a break.
    in_touch_since: Option<Duration>,
    /// When each boot was heard.
    heard: BTreeMap<u32, Duration>,
    /// How far each boot had come when it was heard, and where the order was then.
    progress: BTreeMap<u32, (u64, u64)>,
    /// The boots that this node proposed to end, each with its last number then.
    accused: BTreeMap<u32, u64>,
    checks: Checks,
    /// Since when its ledger differs from that of another node, and the standing before.
    astray: (Duration, Standing),
    /// The last position at which lines were deleted.
    deleted: u64,
}

impl Node {
    pub(super) fn new(start: &NodeStart) -> Node {
        let mut node = Node {
            name: start.name.clone(),
            nonce: start.nonce,
            program: start.program.clone(),
            format: Format::FIRST,
            agreed: None,
            switch_after: start.switch_after,
            bytes_max: start.bytes_max.min(BYTES_MAX),
            boot: 0,
            number: 0,
            position: start.position,
            under_way: None,
            queue: VecDeque::new(),
            queue_bytes: 0,
            half_sent: None,
            exiles: BTreeMap::new(),
            standing: Standing::Starting,
            told: Silence::None,
            is_leaving: false,
            ticked_at: Duration::ZERO,
            offered_at: Duration::ZERO,
            in_touch_since: None,
            heard: BTreeMap::new(),
            progress: BTreeMap::new(),
            accused: BTreeMap::new(),
            checks: Checks::new(start.check_every),
            astray: (Duration::ZERO, Standing::Starting),
            deleted: 0,
        };
        node.note_format(start.ledger.format);
        node
    }

    /// Whether nothing is proposed or applied any more.
    pub(super) fn is_over(&self) -> bool {
        self.standing == Standing::Left || self.has_to_stop()
    }

    fn has_to_stop(&self) -> bool {
        matches!(self.standing, Standing::Replaced | Standing::OneTooMany | Standing::TooOld)
    }

    /// Whether the first boot of this process has not begun yet.
    pub(super) fn is_starting(&self) -> bool {
        let standing = if self.is_astray() { self.astray.1 } else { self.standing };
        standing == Standing::Starting
    }

    /// Whether nothing is proposed or applied for now, because the ledger may be wrong.
    pub(super) fn is_astray(&self) -> bool {
        matches!(self.standing, Standing::Astray(_))
    }

    // The queue of intents. Its intents are in the order of their tickets.

    /// Adds an intent.
    pub(super) fn push(&mut self, intent: Intent) {
        let bytes = intent.bytes();
        self.queue_bytes += bytes;
        self.queue.push_back((intent, bytes));
    }

    /// Adds an intent before all others that wait.
    pub(super) fn push_first(&mut self, intent: Intent) {
        let bytes = intent.bytes();
        self.queue_bytes += bytes;
        self.queue.push_front((intent, bytes));
    }

    /// All intents that wait.
    pub(super) fn take_queue(&mut self) -> impl Iterator<Item = Intent> + use<> {
        self.queue_bytes = 0;
        std::mem::take(&mut self.queue).into_iter().map(|(intent, _)| intent)
    }

    /// Whether the intents that wait are enough for the next proposal.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= INTENTS_MAX || self.queue_bytes >= self.bytes_max
    }

    /// The number of intents under way: they have the first tickets.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.as_ref().map_or(0, |offered| offered.intents.len())
    }

    // Lines that are too large for one proposal: all of them are sent, or none.

    /// Notes that lines of a person count. `is_rest` says whether no more of them wait.
    pub(super) fn sent(&mut self, person: PersonId, is_rest: bool) {
        self.half_sent = Some(person).filter(|_| !is_rest);
    }

    /// The name that a person owned whose boot has ended, and who enters again.
    pub(super) fn owner_in_exile(&self, person: PersonId) -> Option<&Name> {
        let person = &self.exiles.get(&person)?.person;
        person.account().filter(|_| person.is_owner())
    }

    /// The person whose lines have counted in part.
    pub(super) fn half_sent(&self) -> Option<PersonId> {
        self.half_sent
    }

    /// The person whose waiting lines are the rest of lines that are under way or have counted.
    pub(super) fn half_said(&self) -> Option<PersonId> {
        let last = self.under_way.as_ref().and_then(|offered| offered.intents.last());
        last.and_then(Intent::speaker).or(self.half_sent)
    }

    /// The largest proposal of this node.
    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    // Proposals.

    /// The next proposal, if none is under way. `before` is the last boot of this node in the
    /// ledger.
    pub(super) fn next(&mut self, before: Option<u32>, now: Duration) -> Option<Proposal> {
        if self.under_way.is_some() || self.is_over() || self.is_astray() {
            return None;
        }
        let intents = match self.boot {
            0 => vec![Intent::Up {
                node: self.name.clone(),
                nonce: self.nonce,
                program: self.program.clone(),
                after: before,
            }],
            _ => self.take_some(),
        };
        if intents.is_empty() {
            return None;
        }
        let proposal = self.proposal(intents);
        self.offered_at = now;
        self.under_way = Some(Offered {
            id: proposal.id,
            // The beginning of a boot has no tickets.
            intents: if self.boot == 0 { Vec::new() } else { proposal.intents.clone() },
            since: now,
            is_old: false,
            is_given_up: false,
        });
        Some(proposal)
    }

    /// As many of the waiting intents as fit into a proposal; at least one.
    fn take_some(&mut self) -> Vec<Intent> {
        let (mut count, mut bytes) = (0, 0);
        for (_, size) in self.queue.iter().take(INTENTS_MAX) {
            if count > 0 && bytes + size > self.bytes_max {
                break;
            }
            (count, bytes) = (count + 1, bytes + size);
        }
        self.queue_bytes -= bytes;
        self.queue.drain(..count).map(|(intent, _)| intent).collect()
    }

    fn proposal(&mut self, intents: Vec<Intent>) -> Proposal {
        self.number += u64::from(self.boot > 0);
        let id = ProposalId { boot: self.boot, number: self.number };
        let check = self.checks.last();
        Proposal { format: self.format, id, after: self.position, check, intents }
    }

    /// An empty proposal that makes the one under way void, if that takes too long.
    pub(super) fn give_up(&mut self, now: Duration) -> Option<Proposal> {
        let is_due = self.boot > 0 && self.silence(now) == Silence::GivenUp;
        let offered = self.under_way.as_mut().filter(|offered| is_due && !offered.is_given_up)?;
        offered.is_given_up = true;
        Some(self.proposal(Vec::new()))
    }

    /// The intents of the proposal under way, if it is this one, which the order has no space for.
    /// The node is out of touch, as the others may be for the same reason.
    pub(super) fn refused(&mut self, id: ProposalId) -> Option<Vec<Intent>> {
        let is_behind = |own: &ProposalId| own.boot == id.boot && own.number < id.number;
        if let Some(offered) = self.under_way.as_mut().filter(|offered| is_behind(&offered.id)) {
            offered.is_given_up = false; // it was the empty one: another one follows
        }
        let refused = self.under_way.take_if(|offered| offered.id == id)?;
        self.lose_touch();
        Some(refused.intents)
    }

    /// Whether the place of a proposal is new to this node.
    pub(super) fn is_new(&self, position: u64) -> bool {
        position > self.position && !self.is_over()
    }

    /// Notes that a proposal of this or another node counts.
    pub(super) fn settle(&mut self, proposal: &Proposal, now: Duration) -> Settled {
        let id = proposal.id;
        self.hear(id.boot, now);
        self.progress.insert(id.boot, (proposal.after, self.position));
        let is_mine = match &proposal.intents[..] {
            [Intent::Up { node, nonce, .. }] if id.boot == 0 => {
                *node == self.name && *nonce == self.nonce
            }
            _ => id.boot == self.boot && id.boot > 0,
        };
        if is_mine {
            self.checks.tell(proposal.check, self.position + 1);
        }
        let is_settled = |offered: &mut Offered| {
            is_mine && id.boot == offered.id.boot && id.number >= offered.id.number
        };
        let Some(offered) = self.under_way.take_if(is_settled) else {
            return Settled::No;
        };
        // The beginning of a boot may be an old copy, so the time begins anew with the proposal
        // after it.
        let steady_since = self.in_touch_since.filter(|_| id.number > 1);
        let is_prompt = now.saturating_sub(offered.since) < WAITING_AFTER;
        match is_prompt && !offered.is_old {
            true => self.in_touch_since = steady_since.or(Some(now)),
            false => self.lose_touch(),
        }
        match id.number == offered.id.number {
            true => Settled::Own,
            false => Settled::Void(offered.intents),
        }
    }

    /// Notes that all proposals up to this position are applied. `digest` computes that of the ledger
    /// there.
    pub(super) fn applied(&mut self, position: u64, digest: impl FnOnce() -> u64) {
        self.position = position;
        self.checks.add(position, digest);
    }

    /// The position up to which all proposals are applied.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Notes that the proposal behind the present position deletes lines.
    pub(super) fn note_deletion(&mut self) {
        self.deleted = self.position + 1;
    }

    // Ledgers that differ.

    /// Compares the check of a proposal. `live` are the last boots of all nodes that live; one of this
    /// node may be that of a process before. If the ledgers differ, and this one may be wrong, the
    /// node stops: true.
    pub(super) fn goes_astray<'a>(
        &mut self,
        proposal: &Proposal,
        live: impl Iterator<Item = (u32, &'a Boot)>,
        now: Duration,
    ) -> bool {
        if self.checks.is_known(proposal) {
            return false;
        }
        let others = live.filter(|(_, boot)| boot.node != self.name);
        let others: Vec<u32> = others.map(|(boot, _)| boot).collect();
        if !others.contains(&proposal.id.boot) {
            return false;
        }
        let Some(difference) = self.checks.hear(proposal, self.boot, &others) else {
            return false;
        };
        let Node { position, boot, deleted, .. } = *self;
        self.astray = (now, self.standing);
        self.standing = Standing::Astray(Difference { position, boot, deleted, ..difference });
        self.lose_touch();
        true
    }

    /// The ledger was right: the node goes on. The proposal under way may have its place for a long
    /// time.
    pub(super) fn go_on(&mut self, now: Duration) {
        let (_, standing) = self.astray;
        self.standing = standing;
        self.checks.settle();
        if let Some(offered) = &mut self.under_way {
            (offered.since, offered.is_old) = (now, true);
        }
    }

    /// The same node at the same position, with another ledger in this format. For this node its boot
    /// has ended.
    pub(super) fn anew(&self, format: Format) -> Node {
        let start = NodeStart {
            name: self.name.clone(),
            nonce: self.nonce,
            program: self.program.clone(),
            bytes_max: self.bytes_max,
            ledger: Snapshot { format, ..Snapshot::default() },
            position: self.position,
            check_every: self.checks.every(),
            switch_after: self.switch_after,
        };
        let (_, standing) = self.astray;
        let (is_leaving, ticked_at) = (self.is_leaving, self.ticked_at);
        let mut node = Node { standing, is_leaving, ticked_at, ..Node::new(&start) };
        node.note_format(format);
        node
    }

    // Formats.

    /// Notes the format in force. A node that cannot read it stops.
    pub(super) fn note_format(&mut self, format: Format) {
        self.format = format;
        if format > self.program.newest && !self.is_over() {
            self.standing = Standing::TooOld;
        }
    }

    /// The intent that puts a newer format in force, when that is due. `agreed` is the newest one that
    /// all live boots can read.
    pub(super) fn switch(&mut self, agreed: Option<Format>, now: Duration) -> Option<Intent> {
        let agreed = agreed.filter(|agreed| *agreed > self.format);
        self.agreed = agreed.map(|agreed| match self.agreed {
            Some((before, since)) if before == agreed => (agreed, since),
            _ => (agreed, now),
        });
        let ((format, since), in_touch_since) = self.agreed.zip(self.in_touch_since)?;
        let is_due = now >= since.max(in_touch_since) + self.switch_after;
        is_due.then(|| {
            self.agreed = Some((format, now));
            Intent::UseFormat(format)
        })
    }

    // Boots.

    /// A node of this name and process could not begin a boot. It does not try again, if it is this
    /// one.
    pub(super) fn refuse_boot(&mut self, name: &NodeName, nonce: u64) {
        if self.boot == 0 && self.name == *name && self.nonce == nonce {
            let is_too_old = self.format > self.program.newest;
            self.standing = if is_too_old { Standing::TooOld } else { Standing::OneTooMany };
        }
    }

    /// A boot under the name of this node has begun. Returns whether it is that of this process. If
    /// not, another one has taken the place of this one, unless this one is only starting.
    pub(super) fn begin(&mut self, boot: u32, nonce: u64) -> bool {
        let is_own = nonce == self.nonce;
        if is_own {
            (self.boot, self.number) = (boot, 0);
            self.standing = Standing::InTouch;
        } else if self.standing != Standing::Starting {
            self.standing = Standing::Replaced;
        }
        is_own
    }

    /// The boot of this node has ended: what is under way is proposed again in the next one.
    pub(super) fn end_boot(&mut self) {
        let offered = self.under_way.take();
        for intent in offered.into_iter().flat_map(|offered| offered.intents).rev() {
            self.push_first(intent);
        }
        self.boot = 0;
        self.lose_touch();
    }

    /// The others have been told that this node stops.
    pub(super) fn note_left(&mut self) {
        self.standing = Standing::Left;
    }

    /// The node stops. Returns whether that is new, and the others are to be told.
    pub(super) fn leave(&mut self) -> bool {
        let is_new = !std::mem::replace(&mut self.is_leaving, true);
        if is_new && self.boot == 0 {
            self.standing = Standing::Left; // they know it already
        }
        is_new && self.boot > 0
    }

    /// Whether this node has told the others that it stops.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    // Time.

    /// The next time at which something may be due.
    pub(super) fn due(&self) -> Duration {
        self.ticked_at + TICK
    }

    /// Notes the time. Returns whether the process was asleep: then it could not hear anything.
    pub(super) fn wake(&mut self, now: Duration) -> bool {
        let asleep = now.saturating_sub(self.ticked_at);
        self.ticked_at = now;
        let was_asleep = asleep > WAITING_AFTER;
        if let (true, Some(offered)) = (was_asleep, &mut self.under_way) {
            offered.since = now.min(offered.since + asleep);
            offered.is_old = true;
        }
        was_asleep
    }

    /// How long the node waits for the proposal under way.
    pub(super) fn silence(&self, now: Duration) -> Silence {
        let since = self.under_way.as_ref().map_or(now, |offered| offered.since);
        let silent = match self.is_astray() {
            true => now.saturating_sub(self.astray.0).max(LOST_AFTER),
            false => now.saturating_sub(since),
        };
        if self.has_to_stop() || silent >= GIVE_UP_AFTER {
            Silence::GivenUp
        } else if silent >= LOST_AFTER {
            Silence::Lost
        } else if silent >= WAITING_AFTER {
            Silence::Waiting
        } else {
            Silence::None
        }
    }

    /// The time since a boot was heard; for the own one, how long it waits for its proposal, or has
    /// stopped because its ledger may be wrong.
    pub(super) fn silent(&self, boot: u32, now: Duration) -> Duration {
        let since = match boot == self.boot {
            true if self.is_astray() => Some(self.astray.0),
            true => self.under_way.as_ref().map(|offered| offered.since),
            false => self.heard.get(&boot).copied(),
        };
        now.saturating_sub(since.unwrap_or(now))
    }

    /// How many proposals a boot had not applied when it was heard.
    pub(super) fn behind(&self, boot: u32) -> u64 {
        self.progress.get(&boot).map_or(0, |(after, position)| position.saturating_sub(*after))
    }

    /// Whether the last proposal of this node came back in time.
    pub(super) fn is_in_touch(&self) -> bool {
        self.in_touch_since.is_some()
    }

    /// Notes when a boot was heard.
    pub(super) fn hear(&mut self, boot: u32, now: Duration) {
        self.heard.insert(boot, now);
    }

    /// Notes that the node is not in touch. It accuses others only after a new time in touch.
    pub(super) fn lose_touch(&mut self) {
        self.in_touch_since = None;
        self.accused.clear();
    }

    /// Whether it is time to propose something, so that the others hear this node.
    pub(super) fn is_quiet(&self, now: Duration) -> bool {
        let is_idle = self.boot > 0 && self.under_way.is_none() && self.queue.is_empty();
        is_idle && now >= self.offered_at + TICK
    }

    /// The intents that end the boots which are silent. `live` are all boots, each with its last
    /// number.
    pub(super) fn accuse(
        &mut self,
        live: impl Iterator<Item = (u32, u64)>,
        now: Duration,
    ) -> Vec<Intent> {
        let Some(since) = self.in_touch_since else {
            return Vec::new();
        };
        let others = live.filter(|(boot, _)| *boot != self.boot);
        let mut silent = Vec::new();
        for (boot, last) in others {
            let heard = self.heard.get(&boot).map_or(since, |heard| since.max(*heard));
            let is_silent = now.saturating_sub(heard) >= LOST_AFTER;
            if is_silent && self.accused.insert(boot, last) != Some(last) {
                silent.push(Intent::Down { boot, last });
            }
        }
        silent
    }

    /// Forgets a boot of another node that has ended.
    pub(super) fn forget(&mut self, boot: u32) {
        self.heard.remove(&boot);
        self.progress.remove(&boot);
        self.accused.remove(&boot);
        self.checks.forget(boot);
    }
}
