//! Carries proposals into the stream and messages out of it: what is published and when, and from
//! where the stream is followed.
//!
//! A state machine: time is an argument. Knows no connection and no runtime.
//!
//! Whenever the stream is followed anew, it is [compared](Repair) first, and nothing is published
//! meanwhile.
//!
//! A proposal is published again until the stream has acknowledged it, or until it comes back. An
//! acknowledgement says only that it need not be published again: what counts is what comes back.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parlor_core::intent::{Intent, Proposal, ProposalId};
use parlor_core::model::{Format, NodeName, WallTime};
use parlor_core::sequencer::{Decided, NodeReach};
use parlor_wire::pack::proposal::pack;

use super::repair::{Repair, RepairStep};
use super::verdict::{DELETED, FILLER, Look, StreamGone, proposal_in};

/// The pause before a proposal is published again after a try of which nobody knows: a server without
/// a leader answers at once, for several seconds.
const UNKNOWN_PAUSE: Duration = Duration::from_millis(100);

/// The pause before a proposal is published again after the stream has refused it.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);

/// A proposal whose tries were all refused for this time is refused.
const REFUSED_AFTER: Duration = Duration::from_secs(2);

/// After this time without its own proposal, a node follows the stream anew, through another server.
const ANEW_AFTER: Duration = Duration::from_secs(5);

/// After this time with its own proposal in the stream, and without it here, a node follows the
/// stream anew: the server that sent it the stream is gone.
const MISSING_AFTER: Duration = Duration::from_millis(500);

/// A message of the stream.
#[derive(Clone, Debug)]
pub struct StreamMessage {
    /// Its place in the stream.
    pub position: u64,
    /// The time of the stream when it got the message.
    pub at: WallTime,
    /// Its subject, without its beginning.
    pub subject: Arc<str>,
    /// A packed proposal, or something that no node can read.
    pub bytes: Arc<[u8]>,
    /// How many messages the stream had behind it when it was sent to this node.
    pub behind: u64,
}

/// The result of one try to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The stream has the message.
    Stored,
    /// The stream has no space for the message.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// A task of the connection to the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CourierStep {
    /// Publish these bytes, and report the result with this number.
    Publish {
        /// The number of the try.
        number: u64,
        /// The packed proposal.
        bytes: Vec<u8>,
    },
    /// Send the messages behind this position, and no others.
    Follow {
        /// The position.
        after: u64,
    },
    /// Connect to another server.
    Reconnect,
    /// Look at the stream, and compare it with the messages up to this position that came here.
    Look {
        /// The position.
        position: u64,
    },
    /// Tell all nodes how far this one is.
    Say(NodeReach),
    /// Publish messages again that came here, each behind the one before it.
    Restore {
        /// The position of the last message of the stream.
        after: u64,
        /// The position of the last message to publish.
        last: u64,
    },
    /// Say in the stream that the messages up to its end are no part of the order: they were deleted,
    /// and no live node has read them.
    PassOver {
        /// The position before the first one.
        after: u64,
        /// The end of the stream.
        last: u64,
    },
}

/// Counts for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounts {
    /// Tries to publish a proposal that was published before.
    pub repeats: u64,
    /// Messages that came a second time.
    pub old: u64,
    /// Messages that no node can read, and that none has published.
    pub foreign: u64,
    /// Tries to publish for which the stream had no space.
    pub refused: u64,
    /// How often the stream was followed anew.
    pub anew: u64,
    /// How many messages the stream had behind the last one.
    pub behind: u64,
}

/// A proposal on its way into the stream.
#[derive(Debug)]
struct OnTheWay {
    id: ProposalId,
    /// The random number of the process, for the beginning of a boot.
    nonce: Option<u64>,
    bytes: Vec<u8>,
    since: Duration,
    /// When it is published again; none while a try is under way, and when the stream has it.
    next: Option<Duration>,
    /// The try under way.
    under_way: Option<u64>,
    tries: u64,
    /// Whether each try so far was refused.
    is_refused: bool,
    /// When the stream had it, until the stream is followed anew.
    stored: Option<Duration>,
}

/// The proposals of a node on their way, and its place in the stream.
#[derive(Debug)]
pub struct Courier {
    /// The newest format that this program reads and writes.
    newest: Format,
    outgoing: Option<OnTheWay>,
    repair: Repair,
    /// The position of the last message that has arrived.
    position: u64,
    is_connected: bool,
    /// When the stream was last followed anew, or a message of many arrived.
    touched: Duration,
    last_try: u64,
    decided: VecDeque<Decided>,
    refused: VecDeque<ProposalId>,
    steps: VecDeque<CourierStep>,
    /// How long proposals took that have come back.
    came_back: VecDeque<Duration>,
    counts: StreamCounts,
}

impl Courier {
    /// A courier without a connection, for a node that has applied everything up to a position.
    /// `live` are the nodes that live there, and `newest` is the newest format that this program reads
    /// and writes.
    pub fn new(node: NodeName, position: u64, live: BTreeSet<NodeName>, newest: Format) -> Courier {
        Courier {
            newest,
            outgoing: None,
            repair: Repair::new(node, position, live),
            position,
            is_connected: false,
            touched: Duration::ZERO,
            last_try: 0,
            decided: VecDeque::new(),
            refused: VecDeque::new(),
            steps: VecDeque::new(),
            came_back: VecDeque::new(),
            counts: StreamCounts::default(),
        }
    }

    /// Takes a proposal, and publishes it instead of the one before.
    pub fn offer(&mut self, proposal: &Proposal, now: Duration) {
        // A node makes no proposal that is too large or too new. If it did, publishing none would be a
        // repeat that is never seen, and the node would say that it is out of touch.
        let Ok(bytes) = pack(proposal, self.newest) else {
            return;
        };
        self.outgoing = Some(OnTheWay {
            id: proposal.id,
            nonce: nonce_of(proposal),
            bytes,
            since: now,
            next: Some(now),
            under_way: None,
            tries: 0,
            is_refused: true,
            stored: None,
        });
        self.publish(now);
    }

    /// The connection stands. Everything is compared, followed and published anew.
    pub fn connected(&mut self, now: Duration) {
        self.is_connected = true;
        self.compare(now);
        if let Some(outgoing) = &mut self.outgoing {
            if outgoing.under_way.take().is_some() {
                outgoing.is_refused = false;
            }
            outgoing.next = Some(now); // the stream may have lost it after it was acknowledged
        }
    }

    /// The connection is lost. Nothing is published until there is another one: a copy that waits
    /// in a buffer would come late.
    pub fn disconnected(&mut self) {
        self.is_connected = false;
        self.repair.lose_connection();
    }

    /// Notes which nodes live.
    pub fn note_live(&mut self, live: BTreeSet<NodeName>) {
        self.repair.note_live(live);
    }

    /// Whether it matters when everything that has come is [applied](Courier::all_applied).
    pub fn waits_to_apply(&self) -> bool {
        self.repair.waits_to_apply()
    }

    /// Everything that has come to this node is applied.
    ///
    /// # Errors
    /// This node cannot follow the stream any more. The same holds for the functions below.
    pub fn all_applied(&mut self, now: Duration) -> Result<(), StreamGone> {
        self.repair.all_applied(now)?;
        self.go_on(now);
        Ok(())
    }

    /// Takes the result of a look at the stream; none if it did not answer.
    ///
    /// # Errors
    /// See [`all_applied`](Courier::all_applied).
    pub fn looked(&mut self, look: Option<Look>, now: Duration) -> Result<(), StreamGone> {
        self.repair.looked(look, now)?;
        self.go_on(now);
        Ok(())
    }

    /// Takes in how far another node is.
    ///
    /// # Errors
    /// As above.
    pub fn heard(&mut self, reach: NodeReach, now: Duration) -> Result<(), StreamGone> {
        self.repair.heard(reach, now)?;
        self.go_on(now);
        Ok(())
    }

    /// Takes the result of publishing messages again.
    pub fn restored(&mut self, is_done: bool, now: Duration) {
        self.repair.restored(is_done, now);
        self.go_on(now);
    }

    /// The subscription has ended by itself.
    pub fn lost_subscription(&mut self, now: Duration) {
        if self.is_connected {
            self.check(now);
        }
    }

    /// Takes the result of a try.
    pub fn published(&mut self, number: u64, published: Published, now: Duration) {
        let is_it = |outgoing: &&mut OnTheWay| outgoing.under_way == Some(number);
        let Some(outgoing) = self.outgoing.as_mut().filter(is_it) else {
            return; // it came back, or another try is under way
        };
        outgoing.under_way = None;
        match published {
            Published::Stored => {
                outgoing.is_refused = false;
                outgoing.next = None;
                outgoing.stored = Some(now);
            }
            Published::Unknown => {
                outgoing.is_refused = false;
                outgoing.next = Some(now + UNKNOWN_PAUSE);
            }
            Published::Refused => {
                self.counts.refused += 1;
                outgoing.next = Some(now + REFUSED_PAUSE);
            }
        }
        self.give_up_refused(now);
        self.publish(now);
    }

    /// Takes the next message.
    pub fn arrived(&mut self, message: StreamMessage, now: Duration) {
        let StreamMessage { position, at, subject, bytes, behind } = message;
        self.counts.behind = behind;
        if behind > 0 {
            self.touched = now; // a long stream is being read
        }
        if position <= self.position {
            self.counts.old += 1;
            return;
        }
        self.position = position;
        self.repair.note_position(position);
        let Some(proposal) = proposal_in(&bytes, self.newest) else {
            let is_of_nodes = [DELETED, FILLER].contains(&&*subject);
            self.counts.foreign += u64::from(!is_of_nodes); // for every node alike
            return;
        };
        let (id, nonce) = (proposal.id, nonce_of(&proposal));
        let came_back = self.outgoing.take_if(|own| {
            own.id.boot == id.boot && own.nonce == nonce && own.id.number <= id.number
        });
        self.came_back.extend(came_back.map(|own| now.saturating_sub(own.since)));
        self.decided.push_back(Decided { position, at, proposal });
    }

    /// Does what is due.
    ///
    /// # Errors
    /// This node cannot follow the stream any more.
    pub fn tick(&mut self, now: Duration) -> Result<(), StreamGone> {
        self.give_up_refused(now);
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let is_silent = is_due(self.silent_at());
        if self.is_connected && (is_silent || is_due(self.missing_at())) {
            self.counts.anew += 1;
            if is_silent {
                self.steps.push_back(CourierStep::Reconnect);
                self.compare(now);
            } else {
                self.check(now);
            }
        }
        self.repair.tick(now)?;
        self.go_on(now);
        self.publish(now);
        Ok(())
    }

    /// When something is due next.
    pub fn due(&self) -> Option<Duration> {
        let next = self.outgoing.as_ref().and_then(|outgoing| outgoing.next);
        let next = next.filter(|_| self.repair.is_settled());
        let anew = self.silent_at().into_iter().chain(self.missing_at());
        let all = next.into_iter().chain(anew).chain(self.repair.due());
        all.filter(|_| self.is_connected).min()
    }

    /// The next thing to do.
    pub fn next_step(&mut self) -> Option<CourierStep> {
        self.steps.pop_front()
    }

    /// The next proposal in the order.
    pub fn next_decided(&mut self) -> Option<Decided> {
        self.decided.pop_front()
    }

    /// The next proposal that the stream has refused.
    pub fn next_refused(&mut self) -> Option<ProposalId> {
        self.refused.pop_front()
    }

    /// How long the next proposal took that has come back.
    pub fn next_time(&mut self) -> Option<Duration> {
        self.came_back.pop_front()
    }

    /// The position of the last message that has arrived.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Counts for the operator.
    pub fn counts(&self) -> StreamCounts {
        self.counts
    }

    /// When the stream is followed anew through another server, if nothing comes back by then.
    fn silent_at(&self) -> Option<Duration> {
        let outgoing = self.outgoing.as_ref().filter(|_| self.repair.is_settled());
        let since = match self.repair.is_catching_up() {
            true => self.touched,
            false => outgoing?.since.max(self.touched),
        };
        Some(since + ANEW_AFTER)
    }

    /// When the stream is followed anew, if what it has does not come back by then.
    fn missing_at(&self) -> Option<Duration> {
        let outgoing = self.outgoing.as_ref().filter(|_| self.repair.is_settled());
        Some(outgoing?.stored?.max(self.touched) + MISSING_AFTER)
    }

    /// Compares the stream with the other nodes before it is followed.
    fn compare(&mut self, now: Duration) {
        self.repair.begin();
        self.go_on(now);
    }

    /// Follows the stream anew over the same connection, and looks at it meanwhile.
    fn check(&mut self, now: Duration) {
        self.repair.check();
        self.go_on(now);
    }

    /// Takes the steps of the repair.
    fn go_on(&mut self, now: Duration) {
        while let Some(step) = self.repair.next_step() {
            let step = match step {
                RepairStep::Look { position } => CourierStep::Look { position },
                RepairStep::Say(reach) => CourierStep::Say(reach),
                RepairStep::Restore { after, last } => CourierStep::Restore { after, last },
                RepairStep::PassOver { after, last } => CourierStep::PassOver { after, last },
                RepairStep::Settled => {
                    self.touch(now);
                    continue;
                }
                RepairStep::Follow => {
                    self.touch(now);
                    self.counts.behind = 0;
                    CourierStep::Follow { after: self.position }
                }
            };
            self.steps.push_back(step);
        }
        self.publish(now);
    }

    /// The stream may send now what it did not send before.
    fn touch(&mut self, now: Duration) {
        self.touched = now;
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.stored = None;
        }
    }

    /// Publishes the proposal, if it is time to.
    fn publish(&mut self, now: Duration) {
        let may_publish = self.is_connected && self.repair.is_settled();
        let outgoing = self.outgoing.as_mut().filter(|_| may_publish);
        let Some(outgoing) = outgoing.filter(|outgoing| outgoing.next.is_some_and(|at| at <= now))
        else {
            return;
        };
        self.last_try += 1;
        self.counts.repeats += u64::from(outgoing.tries > 0);
        outgoing.tries += 1;
        outgoing.next = None;
        outgoing.under_way = Some(self.last_try);
        self.steps.push_back(CourierStep::Publish {
            number: self.last_try,
            bytes: outgoing.bytes.clone(),
        });
    }

    /// Gives a proposal up whose tries were all refused for a while: no copy of it is on its way.
    /// The beginning of a boot is tried for as long as it takes.
    fn give_up_refused(&mut self, now: Duration) {
        let is_refused = |outgoing: &mut OnTheWay| {
            let is_settled = outgoing.tries > 0 && outgoing.under_way.is_none();
            let is_late = outgoing.since + REFUSED_AFTER <= now;
            outgoing.is_refused && is_settled && is_late && outgoing.id.boot > 0
        };
        if let Some(outgoing) = self.outgoing.take_if(is_refused) {
            self.refused.push_back(outgoing.id);
        }
    }
}

/// The random number of the process, if this is the beginning of its boot.
fn nonce_of(proposal: &Proposal) -> Option<u64> {
    match proposal.intents[..] {
        [Intent::Up { nonce, .. }] if proposal.id.boot == 0 => Some(nonce),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_core::intent::{Proposal, ProposalId};
    use parlor_core::model::{NodeName, WallTime};
    use parlor_core::sequencer::NodeReach;
    use parlor_wire::pack::proposal::{NEWEST, pack};

    use super::{Courier, CourierStep, Look, Published, StreamMessage, UNKNOWN_PAUSE};

    const SECOND: Duration = Duration::from_secs(1);

    fn proposal(number: u64) -> Proposal {
        Proposal { id: ProposalId { boot: 1, number }, ..Proposal::default() }
    }

    fn node(name: &str) -> NodeName {
        NodeName::parse(name).unwrap_or_else(|| panic!("{name} is a name"))
    }

    /// A courier that follows the stream, with proposal 1 under way.
    fn offering() -> Courier {
        let mut courier = Courier::new(node("red"), 0, [node("red"), node("blue")].into(), NEWEST);
        courier.connected(Duration::ZERO);
        compare(&mut courier, 0, Duration::ZERO);
        courier.offer(&proposal(1), Duration::ZERO);
        courier
    }

    /// The stream has everything.
    fn compare(courier: &mut Courier, position: u64, now: Duration) {
        assert_eq!(courier.next_step(), Some(CourierStep::Look { position }));
        let look = Look { last: position, there: position, after: 0, differs: None, begins: None };
        assert_eq!(courier.looked(Some(look), now), Ok(()));
        let Some(CourierStep::Say(said)) = courier.next_step() else {
            panic!("the others are not asked");
        };
        assert_eq!(courier.all_applied(now), Ok(()));
        let answer = NodeReach { node: node("blue"), asks: false, ..said };
        assert_eq!(courier.heard(answer, now), Ok(()));
        assert_eq!(courier.next_step(), Some(CourierStep::Follow { after: position }));
    }

    fn tick(courier: &mut Courier, now: Duration) {
        assert_eq!(courier.tick(now), Ok(()));
    }

    /// The number of the try that is to be published.
    fn published(courier: &mut Courier) -> Option<u64> {
        match courier.next_step()? {
            CourierStep::Publish { number, .. } => Some(number),
            step => panic!("{step:?}"),
        }
    }

    fn arrive(courier: &mut Courier, position: u64, number: u64) {
        let bytes = pack(&proposal(number), NEWEST).unwrap_or_default().into();
        let (at, subject) = (WallTime(0), "0".into());
        let message = StreamMessage { position, at, subject, bytes, behind: 0 };
        courier.arrived(message, SECOND);
    }

    #[test]
    fn a_proposal_is_published_again_until_the_stream_has_it() {
        let mut courier = offering();
        let first = published(&mut courier);
        courier.published(first.unwrap_or(0), Published::Unknown, SECOND);
        assert_eq!(published(&mut courier), None, "a server without a leader answers at once");
        let again = SECOND + UNKNOWN_PAUSE;
        assert_eq!(courier.due(), Some(again));
        tick(&mut courier, again);
        let second = published(&mut courier);
        assert_ne!(first, second);
        courier.published(second.unwrap_or(0), Published::Stored, again);
        tick(&mut courier, SECOND * 5 / 4);
        assert_eq!(courier.next_step(), None);
        arrive(&mut courier, 5, 1);
        arrive(&mut courier, 5, 1);
        assert!(courier.next_decided().is_some() && courier.next_decided().is_none());
        assert_eq!((courier.counts().repeats, courier.counts().old), (1, 1));
    }

    #[test]
    fn a_proposal_is_refused_only_if_each_try_was() {
        for is_known in [true, false] {
            let mut courier = offering();
            let mut outcome = if is_known { Published::Refused } else { Published::Unknown };
            for half in 1..10 {
                let now = half * SECOND / 2;
                tick(&mut courier, now);
                if let Some(number) = published(&mut courier) {
                    courier.published(number, outcome, now);
                    outcome = Published::Refused;
                }
            }
            let id = proposal(1).id;
            assert_eq!(courier.next_refused(), is_known.then_some(id));
        }
    }

    #[test]
    fn a_stream_from_which_nothing_comes_back_is_followed_anew() {
        let mut courier = offering();
        arrive(&mut courier, 7, 0);
        assert!(published(&mut courier).is_some());
        tick(&mut courier, 5 * SECOND - Duration::from_millis(1));
        assert_eq!(courier.next_step(), None);
        assert_eq!(courier.due(), Some(5 * SECOND));
        tick(&mut courier, 5 * SECOND);
        assert_eq!(courier.next_step(), Some(CourierStep::Reconnect));
        compare(&mut courier, 7, 5 * SECOND);
        tick(&mut courier, 6 * SECOND);
        assert_eq!(courier.next_step(), None);
    }

    #[test]
    fn a_stream_that_has_the_proposal_and_does_not_send_it_is_followed_anew_at_once() {
        let mut courier = offering();
        let number = published(&mut courier).unwrap_or(0);
        courier.published(number, Published::Stored, SECOND);
        assert_eq!(courier.due(), Some(SECOND * 3 / 2));
        tick(&mut courier, SECOND * 3 / 2);
        assert_eq!(courier.next_step(), Some(CourierStep::Follow { after: 0 }));
        assert_eq!(courier.next_step(), Some(CourierStep::Look { position: 0 }));
        assert_eq!(courier.next_step(), None, "the connection is good");
        // Making the new subscription takes a while, and is not begun again meanwhile.
        assert_eq!(courier.due(), Some(SECOND * 13 / 2));
        arrive(&mut courier, 1, 1);
        assert_eq!(courier.due(), None);
    }

    #[test]
    fn nothing_is_published_without_a_connection() {
        let mut courier = offering();
        let number = published(&mut courier).unwrap_or(0);
        courier.disconnected();
        courier.published(number, Published::Unknown, SECOND);
        tick(&mut courier, 9 * SECOND);
        assert_eq!((courier.next_step(), courier.due()), (None, None));
        courier.connected(10 * SECOND);
        compare(&mut courier, 0, 10 * SECOND);
        assert!(published(&mut courier).is_some());
    }
}
