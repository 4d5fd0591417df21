//! Whether the stream still has everything that nodes have shown, and what to do if it has lost its
//! end: after a power cut, or from a backup.
//!
//! A state machine: time is an argument. Knows no connection and no proposal.
//!
//! Before a node follows the stream, it looks at it, and compares it with the messages that it has.
//! A node that is behind reads it to its end, so that it knows who lives. Then all nodes say how far
//! they have come. Meanwhile nobody publishes, so that no position is
//! used twice. If messages are missing, the node that is furthest publishes them again, and the
//! others wait until the stream has them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use parlor_core::model::NodeName;
use parlor_core::sequencer::NodeReach;

use super::verdict::{Look, StreamGone};

/// How long a node waits for the others to say how far they are, if nothing is missing, or if it
/// knows of no others.
const ALL_HERE: Duration = Duration::from_secs(2);

/// How long a node waits for the others if messages are missing, or for one that publishes them.
const ALL_MISSING: Duration = Duration::from_secs(30);

/// How long a node listens that knows of no others: one may have begun in a part of the stream that
/// is lost.
const NOBODY_HERE: Duration = Duration::from_millis(250);

/// How often a node says how far it is while it waits for others.
const SAY_EVERY: Duration = Duration::from_millis(500);

/// The pause before the stream is looked at again.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// Something to do for the repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RepairStep {
    Look {
        position: u64,
    },
    Say(NodeReach),
    Restore {
        after: u64,
        last: u64,
    },
    /// Say in the stream that the messages behind `after`, up to its end, are no part of the order.
    PassOver {
        after: u64,
        last: u64,
    },
    /// Follow the stream.
    Follow,
    /// Publish: the stream has everything.
    Settled,
}

/// How far the comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// There is no connection.
    Away,
    /// A look is under way.
    Looking,
    /// The next look is at this time.
    Pausing { until: Duration },
    /// This node reads the stream, which ended here, and does not publish yet.
    CatchingUp { last: u64 },
    /// The stream ended here, and others have not said how far they are.
    Listening { last: u64 },
    /// This node publishes what is missing, or that it is passed over.
    Restoring,
    /// The stream has everything.
    Settled,
}

/// The comparison of the stream with what nodes have shown.
#[derive(Debug)]
pub(super) struct Repair {
    own: NodeReach,
    /// The nodes that have to say how far they are, this one perhaps among them.
    live: BTreeSet<NodeName>,
    /// The answers of the others since this comparison began.
    heard: BTreeMap<NodeName, NodeReach>,
    stage: Stage,
    /// Whether this node was behind in this comparison, and has read the stream to its end.
    has_caught_up: bool,
    /// Whether everything that had come before this comparison is applied: only then the node knows
    /// who lives. It waits for keys where it could not read them.
    has_applied: bool,
    /// When the others were asked first in this comparison; none before.
    asked: Option<Duration>,
    /// When all others had said how far they are, or were late, or when the stream became longer
    /// after that; none before.
    all_said: Option<Duration>,
    /// The longest end of the stream in this comparison.
    longest: u64,
    /// Whether the end of the stream was deleted before this node had read it.
    lacks_end: bool,
    said_at: Duration,
    steps: VecDeque<RepairStep>,
}

impl Repair {
    /// The repair of a node at this position, among these nodes.
    pub(super) fn new(node: NodeName, position: u64, live: BTreeSet<NodeName>) -> Repair {
        Repair {
            own: NodeReach { node, after: position, position, asks: false },
            live,
            heard: BTreeMap::new(),
            stage: Stage::Away,
            has_caught_up: false,
            has_applied: false,
            asked: None,
            all_said: None,
            longest: 0,
            lacks_end: false,
            said_at: Duration::ZERO,
            steps: VecDeque::new(),
        }
    }

    /// Compares the stream anew, and hears all others.
    pub(super) fn begin(&mut self) {
        (self.has_caught_up, self.has_applied) = (false, false);
        self.begin_to_listen();
    }

    fn begin_to_listen(&mut self) {
        self.heard.clear();
        (self.asked, self.all_said, self.longest) = (None, None, 0);
        self.look();
    }

    /// The stream is followed anew over the same connection. It is only looked at.
    pub(super) fn check(&mut self) {
        if self.stage != Stage::Settled {
            return self.begin();
        }
        let position = self.own.position;
        self.steps.extend([RepairStep::Follow, RepairStep::Look { position }]);
    }

    /// The connection is lost.
    pub(super) fn lose_connection(&mut self) {
        self.stage = Stage::Away;
        self.steps.clear();
    }

    /// Whether the stream has everything, as far as this node knows.
    pub(super) fn is_settled(&self) -> bool {
        self.stage == Stage::Settled
    }

    /// Whether this node reads the stream towards its end, and does not publish yet.
    pub(super) fn is_catching_up(&self) -> bool {
        matches!(self.stage, Stage::CatchingUp { .. })
    }

    /// Whether it matters when everything that has come to this node is applied.
    pub(super) fn waits_to_apply(&self) -> bool {
        let compares = !matches!(self.stage, Stage::Away | Stage::Settled);
        self.is_catching_up() || compares && !self.has_applied
    }

    /// Everything that has come to this node is applied: it knows who lives.
    ///
    /// # Errors
    /// This node cannot follow the stream any more.
    pub(super) fn all_applied(&mut self, now: Duration) -> Result<(), StreamGone> {
        if !std::mem::replace(&mut self.has_applied, true) && self.asked.is_some() {
            (self.asked, self.all_said) = (Some(now), None); // there may be more others
        }
        match self.stage {
            Stage::CatchingUp { last } if last <= self.own.position => {
                self.has_caught_up = true;
                self.begin_to_listen();
            }
            Stage::Listening { last } => return self.decide(last, now),
            _ => {}
        }
        Ok(())
    }

    /// Notes the position of the last message that has come to this node.
    pub(super) fn note_position(&mut self, position: u64) {
        self.own.position = position;
        if let Stage::Listening { last } = &mut self.stage {
            *last = position.max(*last); // the stream has just sent it
        }
    }

    /// Notes the nodes that live.
    pub(super) fn note_live(&mut self, live: BTreeSet<NodeName>) {
        self.live = live;
    }

    /// Takes the result of a look; none if the stream did not answer.
    ///
    /// # Errors
    /// This node cannot follow the stream any more.
    pub(super) fn looked(&mut self, look: Option<Look>, now: Duration) -> Result<(), StreamGone> {
        let is_check = self.stage == Stage::Settled;
        if !is_check && self.stage != Stage::Looking {
            return Ok(()); // the connection was lost meanwhile
        }
        match look {
            None if is_check => return Ok(()),
            None => self.pause(now),
            Some(Look { differs: Some(differs), .. }) => return Err(StreamGone::Differs(differs)),
            Some(Look { begins: Some(first), .. }) => return Err(StreamGone::Deleted(first)),
            Some(Look { last, .. }) if is_check => {
                if last < self.furthest() {
                    self.begin();
                }
            }
            Some(Look { there, .. }) if there > self.own.position && !self.has_caught_up => {
                self.stage = Stage::CatchingUp { last: there };
                self.steps.push_back(RepairStep::Follow);
            }
            Some(Look { last, there, after, .. }) => {
                self.own.after = after;
                self.lacks_end = there <= self.own.position && self.own.position < last;
                // The stream may have grown since it answered, and sent this node what is new.
                let last = if self.has_caught_up { last.max(self.own.position) } else { last };
                if last > self.longest {
                    self.longest = last;
                    self.all_said = self.all_said.map(|_| now);
                }
                if self.asked.is_none() || self.said_at + SAY_EVERY <= now {
                    self.say(true, now);
                }
                self.asked.get_or_insert(now);
                self.stage = Stage::Listening { last };
                return self.decide(last, now);
            }
        }
        Ok(())
    }

    /// Takes in how far another node is.
    ///
    /// # Errors
    /// This node cannot follow the stream any more.
    pub(super) fn heard(&mut self, reach: NodeReach, now: Duration) -> Result<(), StreamGone> {
        if reach.node == self.own.node {
            return Ok(());
        }
        let (asks, position) = (reach.asks, reach.position);
        self.heard.insert(reach.node.clone(), reach);
        match self.stage {
            Stage::Away => return Ok(()),
            Stage::Settled if asks && position > self.own.position => {
                let position = self.own.position;
                self.steps.push_back(RepairStep::Look { position });
            }
            _ => {}
        }
        if asks {
            self.say(false, now);
        }
        match self.stage {
            Stage::Listening { last } => self.decide(last, now),
            _ => Ok(()),
        }
    }

    /// Takes the result of publishing what was missing: the next look shows it.
    pub(super) fn restored(&mut self, is_done: bool, now: Duration) {
        if self.stage == Stage::Restoring {
            match is_done {
                true => self.look(),
                false => self.pause(now),
            }
        }
    }

    /// Does what is due.
    ///
    /// # Errors
    /// This node cannot follow the stream any more.
    pub(super) fn tick(&mut self, now: Duration) -> Result<(), StreamGone> {
        match self.stage {
            Stage::Pausing { until } if until <= now => self.look(),
            Stage::Listening { last } => {
                if self.said_at + SAY_EVERY <= now {
                    self.say(true, now);
                }
                return self.decide(last, now);
            }
            _ => {}
        }
        Ok(())
    }

    /// When something is due next.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.stage {
            Stage::Pausing { until } => Some(until),
            Stage::Listening { last } => {
                let asked = self.asked.filter(|_| self.all_said.is_none());
                let late = asked.map(|asked| asked + self.patience(last));
                late.into_iter().chain([self.said_at + SAY_EVERY]).min()
            }
            _ => None,
        }
    }

    /// The next thing to do.
    pub(super) fn next_step(&mut self) -> Option<RepairStep> {
        self.steps.pop_front()
    }

    /// Decides whether the stream has everything, or who publishes what is missing.
    fn decide(&mut self, last: u64, now: Duration) -> Result<(), StreamGone> {
        if self.all_said.is_none() && self.waits_for_others(last, now) {
            if self.furthest() > last {
                self.pause(now); // perhaps the stream has grown since it was looked at
            }
            return Ok(());
        }
        let since = *self.all_said.get_or_insert(now);
        let after = self.own.position;
        if self.furthest() <= last && !self.has_applied {
            return Ok(()); // others that are further may have begun since
        }
        if self.lacks_end && self.furthest() <= after && after < last {
            self.steps.push_back(RepairStep::PassOver { after, last });
            self.stage = Stage::Restoring;
            return Ok(());
        }
        if self.furthest() <= last {
            self.settle();
            return Ok(());
        }
        let all = self.heard.values().chain([&self.own]);
        let able = all.filter(|reach| reach.after <= last && reach.position > last);
        match able.max_by_key(|reach| (reach.position, Reverse(&reach.node))) {
            Some(reach) if reach.node == self.own.node => {
                self.steps.push_back(RepairStep::Restore { after: last, last: reach.position });
                self.stage = Stage::Restoring;
            }
            Some(_) if since + ALL_MISSING <= now => self.begin(), // it has published nothing
            Some(_) => self.pause(now),
            None if self.own.position > last => {
                return Err(StreamGone::Lost { last, position: self.own.position });
            }
            None => self.settle(), // the nodes that were further have to stop
        }
        Ok(())
    }

    /// Whether others that may be further have not said how far they are.
    fn waits_for_others(&self, last: u64, now: Duration) -> bool {
        let all_said = self.others().all(|node| self.heard.contains_key(node));
        let has_others = self.others().next().is_some();
        let is_late = self.asked.is_some_and(|asked| asked + self.patience(last) <= now);
        !(is_late || has_others && all_said)
    }

    fn settle(&mut self) {
        self.stage = Stage::Settled;
        if !self.has_caught_up {
            self.steps.push_back(RepairStep::Follow);
        }
        self.steps.push_back(RepairStep::Settled);
    }

    /// The last position to which any node has come.
    fn furthest(&self) -> u64 {
        let others = self.heard.values().map(|reach| reach.position);
        others.chain([self.own.position]).max().unwrap_or_default()
    }

    /// The other nodes that live.
    fn others(&self) -> impl Iterator<Item = &NodeName> {
        self.live.iter().filter(|node| **node != self.own.node)
    }

    /// How long the others may take.
    fn patience(&self, last: u64) -> Duration {
        let knows_some = self.others().next().is_some();
        match (self.furthest() > last || self.lacks_end, knows_some) {
            (true, true) => ALL_MISSING,
            (true, false) | (false, true) => ALL_HERE,
            (false, false) => NOBODY_HERE,
        }
    }

    fn look(&mut self) {
        self.stage = Stage::Looking;
        self.steps.push_back(RepairStep::Look { position: self.own.position });
    }

    fn pause(&mut self, now: Duration) {
        self.stage = Stage::Pausing { until: now + LOOK_PAUSE };
    }

    fn say(&mut self, asks: bool, now: Duration) {
        if asks {
            self.said_at = now;
        }
        self.steps.push_back(RepairStep::Say(NodeReach { asks, ..self.own.clone() }));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_core::model::NodeName;
    use parlor_core::sequencer::NodeReach;

    use super::{ALL_HERE, Look, NOBODY_HERE, Repair, RepairStep, StreamGone};

    const SECOND: Duration = Duration::from_secs(1);

    fn node(name: &str) -> NodeName {
        NodeName::parse(name).unwrap_or_else(|| panic!("{name} is a name"))
    }

    fn reach(name: &str, (after, position): (u64, u64)) -> NodeReach {
        NodeReach { node: node(name), after, position, asks: true }
    }

    /// The repair of node red at a position, which has asked for a look. Red, blue and green live.
    fn red(position: u64) -> Repair {
        let live = ["red", "blue", "green"].map(node).into();
        let mut repair = Repair::new(node("red"), position, live);
        repair.begin();
        assert_eq!(steps(&mut repair), [RepairStep::Look { position }]);
        assert_eq!(repair.all_applied(Duration::ZERO), Ok(()));
        repair
    }

    /// The things to do, apart from saying how far this node is.
    fn steps(repair: &mut Repair) -> Vec<RepairStep> {
        let steps = std::iter::from_fn(|| repair.next_step());
        steps.filter(|step| !matches!(step, RepairStep::Say(_))).collect()
    }

    fn look(last: u64, after: u64) -> Option<Look> {
        Some(Look { last, there: last, after, differs: None, begins: None })
    }

    #[test]
    fn a_stream_that_has_everything_is_followed_when_all_have_said_so() {
        let mut red = red(9);
        assert_eq!(red.looked(look(9, 5), SECOND), Ok(()));
        let said = red.next_step();
        assert_eq!(said, Some(RepairStep::Say(reach("red", (5, 9)))));
        assert_eq!(red.heard(reach("blue", (1, 9)), SECOND), Ok(()));
        assert!(!red.is_settled());
        assert_eq!(red.heard(reach("green", (1, 3)), SECOND), Ok(()));
        assert!(red.is_settled());
        assert_eq!(steps(&mut red), [RepairStep::Follow, RepairStep::Settled]);
    }

    #[test]
    fn a_node_that_is_behind_reads_the_stream_to_its_end_before_it_hears_the_others() {
        let mut red = Repair::new(node("red"), 1, [].into());
        red.begin();
        assert_eq!(red.looked(look(9, 1), SECOND), Ok(()));
        assert!(red.is_catching_up() && steps(&mut red).contains(&RepairStep::Follow));
        red.note_position(8);
        assert_eq!(red.all_applied(SECOND), Ok(()));
        assert_eq!(steps(&mut red), []);
        red.note_position(9);
        red.note_live([node("blue")].into());
        assert_eq!(red.all_applied(SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(10, 1), 2 * SECOND), Ok(()));
        assert!(!red.is_settled() && !red.is_catching_up());
        assert_eq!(red.heard(reach("blue", (1, 10)), 2 * SECOND), Ok(()));
        assert!(red.is_settled());
    }

    #[test]
    fn a_node_waits_for_others_whose_beginning_it_has_read_and_not_applied() {
        let mut red = Repair::new(node("red"), 9, [node("red"), node("blue")].into());
        red.begin();
        assert_eq!(red.looked(look(6, 5), SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (1, 7)), SECOND), Ok(()));
        assert_eq!(red.tick(2 * SECOND), Ok(()));
        let look_at_9 = || RepairStep::Look { position: 9 };
        assert_eq!(steps(&mut red), [look_at_9(), look_at_9()]);
        assert_eq!(red.looked(look(6, 5), 2 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Restore { after: 6, last: 9 }]);
        red.restored(true, 2 * SECOND);
        assert_eq!(steps(&mut red), [look_at_9()]);
        assert_eq!(red.looked(look(9, 5), 2 * SECOND), Ok(()));
        assert_eq!(red.tick(60 * SECOND), Ok(()));
        assert!(red.waits_to_apply() && !red.is_settled());
        red.note_live(["red", "blue", "green"].map(node).into());
        assert_eq!(red.all_applied(60 * SECOND), Ok(()));
        assert!(!red.waits_to_apply() && !red.is_settled());
        assert_eq!(red.heard(reach("green", (1, 12)), 61 * SECOND), Ok(()));
        assert_eq!(red.tick(62 * SECOND), Ok(()));
        assert_eq!(red.looked(look(9, 5), 62 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [look_at_9()], "green is further");
    }

    #[test]
    fn a_node_that_is_silent_is_not_waited_for_if_nothing_is_missing() {
        let mut red = red(9);
        assert_eq!(red.looked(look(9, 5), SECOND), Ok(()));
        assert_eq!(red.tick(3 * SECOND - Duration::from_millis(1)), Ok(()));
        assert!(!red.is_settled());
        assert_eq!(red.tick(3 * SECOND), Ok(()));
        assert!(red.is_settled());
    }

    #[test]
    fn the_furthest_node_publishes_what_is_missing_and_the_others_wait_for_it() {
        let mut red = red(9);
        assert_eq!(red.looked(look(6, 5), SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (1, 8)), SECOND), Ok(()));
        for second in 2..31 {
            assert_eq!(red.tick(second * SECOND), Ok(()));
            assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
            assert_eq!(red.looked(look(6, 5), second * SECOND), Ok(()));
        }
        assert_eq!(red.tick(31 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(6, 5), 31 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Restore { after: 6, last: 9 }]);
        red.restored(true, 31 * SECOND);
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(9, 5), 31 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Follow, RepairStep::Settled]);
    }

    #[test]
    fn nobody_goes_on_before_the_stream_has_what_the_furthest_node_has() {
        let mut red = red(7);
        assert_eq!(red.looked(look(6, 5), SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (6, 9)), SECOND), Ok(()));
        assert_eq!(red.heard(reach("green", (8, 12)), SECOND), Ok(()));
        for (last, second) in [(7, 2), (7, 3), (9, 4)] {
            assert_eq!(red.tick(second * SECOND), Ok(()));
            assert_eq!(steps(&mut red), [RepairStep::Look { position: 7 }], "for {last}");
            assert_eq!(red.looked(look(last, 5), second * SECOND), Ok(()));
            assert!(!red.is_settled(), "at {last}");
        }
        assert!(red.is_catching_up());
    }

    #[test]
    fn a_stream_that_grows_meanwhile_is_not_short() {
        let mut red = red(9);
        assert_eq!(red.looked(look(9, 5), SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (1, 12)), SECOND), Ok(()));
        assert_eq!(red.tick(2 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(13, 5), 2 * SECOND), Ok(()));
        assert!(red.is_catching_up());
        red.note_position(13);
        assert_eq!(red.all_applied(SECOND), Ok(()));
        assert_eq!(red.looked(look(13, 5), 2 * SECOND), Ok(()));
        assert_eq!(red.heard(reach("green", (1, 13)), 2 * SECOND), Ok(()));
        red.note_position(15);
        assert_eq!(red.heard(reach("blue", (1, 14)), 2 * SECOND), Ok(()));
        assert!(red.is_settled());
    }

    #[test]
    fn one_of_two_nodes_that_are_alike_publishes() {
        for (other, publishes) in [("blue", false), ("zoe", true)] {
            let mut repair = Repair::new(node("red"), 9, [node(other)].into());
            repair.begin();
            assert_eq!(repair.all_applied(SECOND), Ok(()));
            assert_eq!(repair.looked(look(6, 5), SECOND), Ok(()));
            assert_eq!(repair.heard(reach(other, (1, 9)), SECOND), Ok(()));
            assert_eq!(repair.tick(2 * SECOND), Ok(()));
            assert_eq!(repair.looked(look(6, 5), 2 * SECOND), Ok(()));
            let restores = |step: &RepairStep| matches!(step, RepairStep::Restore { .. });
            assert_eq!(steps(&mut repair).iter().any(restores), publishes);
        }
    }

    #[test]
    fn a_stream_that_nobody_can_mend_is_not_followed() {
        let mut alone = Repair::new(node("red"), 9, [node("red")].into());
        alone.begin();
        assert_eq!(alone.all_applied(Duration::ZERO), Ok(()));
        let lost = StreamGone::Lost { last: 6, position: 9 };
        assert_eq!(alone.looked(look(6, 7), Duration::ZERO), Ok(()));
        assert_eq!(alone.tick(ALL_HERE), Ok(()));
        assert_eq!(alone.looked(look(6, 7), ALL_HERE), Err(lost));
        let mut red = red(9);
        let gap = Look { last: 20, there: 20, after: 5, differs: None, begins: Some(12) };
        assert_eq!(red.looked(Some(gap), SECOND), Err(StreamGone::Deleted(12)));
        let other = Look { last: 12, there: 12, after: 5, differs: Some(9), begins: None };
        assert_eq!(red.looked(Some(other), SECOND), Err(StreamGone::Differs(9)));
    }

    #[test]
    fn an_end_that_was_deleted_is_passed_over_if_no_node_has_read_it() {
        let deleted = Some(Look { there: 9, ..look(12, 5).unwrap_or_else(|| panic!("a look")) });
        let mut red = red(9);
        assert_eq!(red.looked(deleted, SECOND), Ok(()));
        assert!(!red.is_catching_up(), "nothing comes any more");
        assert_eq!(red.heard(reach("blue", (1, 9)), SECOND), Ok(()));
        assert_eq!(red.tick(5 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [], "green may have read it");
        assert_eq!(red.heard(reach("green", (1, 8)), 6 * SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::PassOver { after: 9, last: 12 }]);
        red.restored(true, 6 * SECOND);
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(13, 5), 6 * SECOND), Ok(()));
        assert!(red.is_catching_up());

        let mut red = self::red(9);
        assert_eq!(red.looked(deleted, SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (1, 9)), SECOND), Ok(()));
        assert_eq!(red.heard(reach("green", (1, 11)), SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Follow, RepairStep::Settled], "green has read it");
    }

    #[test]
    fn a_node_that_does_not_publish_is_asked_again() {
        let mut red = red(7);
        assert_eq!(red.looked(look(6, 5), SECOND), Ok(()));
        assert_eq!(red.heard(reach("blue", (1, 9)), SECOND), Ok(()));
        assert_eq!(red.heard(reach("green", (1, 5)), SECOND), Ok(()));
        for second in 2..40 {
            assert_eq!(red.tick(second * SECOND), Ok(()));
            let is_looking = steps(&mut red) == [RepairStep::Look { position: 7 }];
            assert!(is_looking || second > 30, "after {second} s");
            assert_eq!(red.looked(look(6, 5), second * SECOND), Ok(()));
        }
        assert!(!red.is_settled(), "blue has not said again how far it is");
    }

    #[test]
    fn a_node_that_follows_looks_when_another_one_is_further() {
        let mut red = Repair::new(node("red"), 9, [node("red")].into());
        red.begin();
        assert_eq!(red.all_applied(Duration::ZERO), Ok(()));
        assert_eq!(red.looked(look(9, 5), Duration::ZERO), Ok(()));
        assert_eq!(red.tick(NOBODY_HERE), Ok(()));
        assert!(red.is_settled() && steps(&mut red).len() == 3);
        assert_eq!(red.heard(reach("blue", (1, 12)), SECOND), Ok(()));
        assert_eq!(steps(&mut red), [RepairStep::Look { position: 9 }]);
        assert_eq!(red.looked(look(12, 5), SECOND), Ok(()));
        assert!(red.is_settled(), "it is only late");
        assert_eq!(red.heard(reach("blue", (1, 12)), SECOND), Ok(()));
        assert_eq!(red.looked(look(9, 5), SECOND), Ok(()));
        assert!(!red.is_settled(), "the stream has lost messages");
    }
}
