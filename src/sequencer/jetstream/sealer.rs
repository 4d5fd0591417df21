//! Seals the proposals of this node before they are published, and opens those that come out of the
//! stream: which keys are made, read and deleted, and when.
//!
//! A state machine: time is an argument. Knows no connection and no runtime.
//!
//! A key is in its store before a proposal that needs it is published. So a key that is not there
//! was deleted: what was sealed with it has a blank in its place. If the store has lost its last
//! keys, their numbers are not used again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use parlor_core::intent::{ErasableOf, Intent, Proposal, ProposalId};
use parlor_core::model::SealKey;
use parlor_core::sequencer::Decided;
use parlor_wire::pack::sealed::{open, seal};

use super::key_ring::{Key, KeyRing};

/// The pause before another try to make or read a key.
const PAUSE: Duration = Duration::from_millis(500);

/// A proposal for whose keys there is no space for this time is refused.
const REFUSED_AFTER: Duration = Duration::from_secs(2);

/// After this time without a key, the node connects to another server.
const ANEW_AFTER: Duration = Duration::from_secs(5);

/// A key that is missing for this time is lost.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// How many proposals may wait for their keys. While there are more, the stream is not read.
const ARRIVED_MAX: usize = 256;

/// How many keys are deleted at the same time.
const ERASED_AT_ONCE: usize = 16;

/// A task of the connection to the store of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// Make a key and store it, and report the result with this number.
    Make {
        /// The number of the try.
        number: u64,
        /// A larger number than this one is given to the key: up to here there were keys before.
        above: u64,
    },
    /// Read the key with this number, and report the result with it.
    Read(u64),
    /// Delete the key with this number for good, and report the result with it.
    Erase(u64),
    /// Connect to another server.
    Reconnect,
}

/// A report of the connection to the store of keys.
#[derive(Clone, Debug)]
pub enum KeyReport {
    /// The result of a try to make a key.
    Made(u64, KeyMade),
    /// The result of a try to read a key.
    Read(u64, KeyRead),
    /// Whether a key is deleted.
    Erased(u64, bool),
}

/// The result of a try to make a key.
#[derive(Clone, Debug)]
pub enum KeyMade {
    /// The key, with the number under which it is stored.
    Key(u64, Key),
    /// The store has no space.
    Refused,
    /// Nobody knows. If a key was stored, nothing is ever sealed with it.
    Unknown,
}

/// The result of a try to read a key.
#[derive(Clone, Debug)]
pub enum KeyRead {
    /// The key.
    Key(Key),
    /// It is deleted.
    Gone,
    /// The store has no key with so large a number. It may be behind, or has lost keys.
    Missing,
    /// The store does not answer.
    Unknown,
}

/// A key that is being made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// A try is under way.
    UnderWay,
    /// The next try begins at this time.
    At(Duration),
}

/// A proposal of this node that is not sealed yet.
#[derive(Debug)]
struct Outgoing {
    proposal: Proposal,
    since: Duration,
    /// When the node connects to another server.
    anew_at: Duration,
    /// The keys to be made, by their numbers in the proposal: the number of the last try, and its
    /// state.
    making: BTreeMap<u32, (u64, Want)>,
}

/// Seals and opens.
#[derive(Debug, Default)]
pub struct Sealer {
    ring: KeyRing,
    /// Keys of lines that are deleted. Many proposals have the same.
    gone: BTreeSet<u64>,
    /// The keys to be read, each with the time since when.
    reading: BTreeMap<u64, (Duration, Want)>,
    /// The largest number of a key so far.
    last: u64,
    outgoing: Option<Outgoing>,
    last_try: u64,
    sealed: Option<Proposal>,
    refused: Option<ProposalId>,
    arrived: VecDeque<Decided>,
    /// The keys to be deleted; true if that is under way or done.
    erasing: BTreeMap<u64, bool>,
    /// How many are being deleted.
    erasing_now: usize,
    erased: VecDeque<u64>,
    is_connected: bool,
    steps: VecDeque<KeyStep>,
}

impl Sealer {
    /// One for a node whose ledger knows keys up to this number.
    pub fn new(last: u64) -> Sealer {
        Sealer { last, ..Sealer::default() }
    }

    /// Takes a proposal of this node, and seals it instead of the one before.
    pub fn offer(&mut self, proposal: Proposal, now: Duration) {
        let making = BTreeMap::new();
        let anew_at = now + ANEW_AFTER;
        self.outgoing = Some(Outgoing { proposal, since: now, anew_at, making });
        self.go_on(now);
    }

    /// Takes a proposal out of the stream.
    pub fn arrive(&mut self, decided: Decided, now: Duration) {
        for key in decided.proposal.intents.iter().filter_map(Intent::seal_key) {
            self.last = self.last.max(key);
            if !self.is_known(key) {
                self.reading.entry(key).or_insert((now, Want::At(now)));
            }
        }
        self.arrived.push_back(decided);
        self.start(now);
    }

    /// Deletes these keys, and no others from now on.
    pub fn erase(&mut self, keys: &BTreeSet<u64>) {
        self.erasing.retain(|key, _| keys.contains(key));
        for &key in keys {
            self.ring.remove(key);
            self.erasing.entry(key).or_insert(false);
        }
        self.start_erasing();
    }

    /// Takes a report.
    pub fn report(&mut self, report: KeyReport, now: Duration) {
        match report {
            KeyReport::Made(number, made) => self.made(number, made, now),
            KeyReport::Read(key, read) => self.read(key, read, now),
            KeyReport::Erased(key, is_erased) => {
                self.erasing_now = self.erasing_now.saturating_sub(1);
                match is_erased {
                    true => self.erased.push_back(key),
                    false => drop(self.erasing.remove(&key)), // the next call tries again
                }
                self.start_erasing();
            }
        }
        self.go_on(now);
    }

    /// The connection stands.
    pub fn connected(&mut self, now: Duration) {
        self.is_connected = true;
        self.go_on(now);
        self.start_erasing();
    }

    /// The connection is lost.
    pub fn disconnected(&mut self) {
        self.is_connected = false;
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Duration) {
        if let Some(outgoing) = self.outgoing.as_mut().filter(|outgoing| outgoing.anew_at <= now) {
            outgoing.anew_at = now + ANEW_AFTER;
            self.steps.push_back(KeyStep::Reconnect);
        }
        self.go_on(now);
    }

    /// When something is due next.
    pub fn due(&self) -> Option<Duration> {
        let making = self.outgoing.iter().flat_map(|it| it.making.values().map(|(_, want)| want));
        let reading = self.reading.values().map(|(_, want)| want);
        let tries = making.chain(reading).filter_map(|want| match want {
            Want::At(at) => Some(*at),
            Want::UnderWay => None,
        });
        let anew = self.outgoing.as_ref().map(|outgoing| outgoing.anew_at);
        tries.chain(anew).filter(|_| self.is_connected).min()
    }

    /// The next thing to do.
    pub fn next_step(&mut self) -> Option<KeyStep> {
        self.steps.pop_front()
    }

    /// The proposal of this node, when it is sealed.
    pub fn next_sealed(&mut self) -> Option<Proposal> {
        self.sealed.take()
    }

    /// The proposal of this node that cannot be sealed, as there is no space for its keys. It was
    /// never published.
    pub fn next_refused(&mut self) -> Option<ProposalId> {
        self.refused.take()
    }

    /// The next proposal out of the stream, opened as far as its keys are there; none if it waits
    /// for them.
    pub fn next_opened(&mut self) -> Option<Decided> {
        let front = self.arrived.front()?;
        let mut keys = front.proposal.intents.iter().filter_map(Intent::seal_key);
        if keys.any(|key| self.reading.contains_key(&key)) {
            return None;
        }
        let mut decided = self.arrived.pop_front()?;
        for intent in &mut decided.proposal.intents {
            open(intent, &self.ring);
            if let Some(key) = intent.seal_key().filter(|_| !intent.shares_key()) {
                self.ring.remove(key); // nothing else is sealed with it
                self.gone.remove(&key);
            }
        }
        Some(decided)
    }

    /// Whether nothing that has arrived waits for its keys.
    pub fn has_opened_all(&self) -> bool {
        self.arrived.is_empty()
    }

    /// Whether enough proposals wait for their keys, and no more should come.
    pub fn is_full(&self) -> bool {
        self.arrived.len() >= ARRIVED_MAX
    }

    /// The next key that is deleted for good.
    pub fn next_erased(&mut self) -> Option<u64> {
        self.erased.pop_front()
    }

    /// Whether it is known if this key can open something.
    fn is_known(&self, key: u64) -> bool {
        self.ring.has(key) || self.gone.contains(&key)
    }

    fn made(&mut self, number: u64, made: KeyMade, now: Duration) {
        let Some(outgoing) = &mut self.outgoing else {
            return; // another proposal is offered
        };
        let making = outgoing.making.iter_mut().find(|(_, (last, _))| *last == number);
        let Some((&slot, (_, want))) = making else {
            return;
        };
        match made {
            KeyMade::Key(key, bytes) => {
                self.ring.add(key, bytes);
                self.last = self.last.max(key);
                outgoing.making.remove(&slot);
                let seals = outgoing.proposal.intents.iter_mut().filter_map(seal_key_of);
                let seals = seals.filter(|seal_key| **seal_key == SealKey::New(slot));
                seals.for_each(|seal_key| *seal_key = SealKey::Number(key));
                outgoing.anew_at = now + ANEW_AFTER;
            }
            KeyMade::Refused if now >= outgoing.since + REFUSED_AFTER => {
                self.refused = self.outgoing.take().map(|outgoing| outgoing.proposal.id);
            }
            KeyMade::Refused | KeyMade::Unknown => *want = Want::At(now + PAUSE),
        }
    }

    fn read(&mut self, key: u64, read: KeyRead, now: Duration) {
        match read {
            KeyRead::Key(bytes) => self.ring.add(key, bytes),
            KeyRead::Gone => drop(self.gone.insert(key)),
            KeyRead::Missing | KeyRead::Unknown => {
                let Some((since, want)) = self.reading.get_mut(&key) else {
                    return;
                };
                let is_missing = matches!(read, KeyRead::Missing);
                if !is_missing || now < *since + LOST_AFTER {
                    *want = Want::At(now + PAUSE);
                    return;
                }
                self.gone.insert(key);
            }
        }
        self.reading.remove(&key);
    }

    /// Goes on with the proposal of this node: it is sealed when all its keys are there.
    fn go_on(&mut self, now: Duration) {
        if let Some(outgoing) = &mut self.outgoing {
            let mut is_complete = true;
            for seal_key in outgoing.proposal.intents.iter_mut().filter_map(seal_key_of) {
                if let SealKey::Number(key) = *seal_key {
                    if self.ring.has(key) {
                        continue;
                    }
                    is_complete = false;
                    if !self.gone.contains(&key) {
                        self.reading.entry(key).or_insert((now, Want::At(now)));
                        continue;
                    }
                    // It was deleted, or is lost: the next key takes its place. A slot of this
                    // proposal is smaller.
                    *seal_key = SealKey::New(u32::MAX - (key % (1 << 24)) as u32);
                }
                is_complete = false;
                if let SealKey::New(slot) = *seal_key {
                    outgoing.making.entry(slot).or_insert((0, Want::At(now)));
                }
            }
            if is_complete {
                let sealed = self.outgoing.take().map(|outgoing| outgoing.proposal);
                self.sealed = sealed.and_then(|proposal| self.seal(proposal));
            }
        }
        self.start(now);
    }

    /// Seals a proposal whose keys are all there.
    fn seal(&mut self, mut proposal: Proposal) -> Option<Proposal> {
        let mut intents = proposal.intents.iter_mut();
        if intents.all(|intent| seal(intent, &self.ring)) {
            return Some(proposal);
        }
        self.refused = Some(proposal.id); // it is too large: no proposal of a node is
        None
    }

    /// Begins the tries that are due.
    fn start(&mut self, now: Duration) {
        if !self.is_connected {
            return;
        }
        let is_due = |want: &Want| matches!(want, Want::At(at) if *at <= now);
        let reading = self.reading.iter_mut().map(|(key, (_, want))| (key, want));
        for (&key, want) in reading.filter(|(_, want)| is_due(want)) {
            *want = Want::UnderWay;
            self.steps.push_back(KeyStep::Read(key));
        }
        let making = self.outgoing.iter_mut().flat_map(|outgoing| outgoing.making.values_mut());
        for (number, want) in making.filter(|(_, want)| is_due(want)) {
            self.last_try += 1;
            (*number, *want) = (self.last_try, Want::UnderWay);
            let (number, above) = (self.last_try, self.last);
            self.steps.push_back(KeyStep::Make { number, above });
        }
    }

    fn start_erasing(&mut self) {
        if !self.is_connected {
            return;
        }
        let places = ERASED_AT_ONCE.saturating_sub(self.erasing_now);
        let waiting = self.erasing.iter_mut().filter(|(_, is_started)| !**is_started);
        for (&key, is_started) in waiting.take(places) {
            *is_started = true;
            self.erasing_now += 1;
            self.steps.push_back(KeyStep::Erase(key));
        }
    }
}

/// The key with which the value of an intent is to be sealed.
fn seal_key_of(intent: &mut Intent) -> Option<&mut SealKey> {
    let seal = match intent.erasable()? {
        ErasableOf::Lines(lines) => &mut lines.seal,
        ErasableOf::Password(password) => &mut password.seal,
        ErasableOf::Token(token) => &mut token.seal,
        ErasableOf::Message(message) => &mut message.seal,
    };
    seal.as_deref_mut().map(|seal| &mut seal.key)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::time::Duration;

    use parlor_core::intent::{Intent, Proposal, ProposalId};
    use parlor_core::model::{
        Erasable, Line, Manner, PersonId, RoomName, SealKey, Spoken, WallTime,
    };
    use parlor_core::sequencer::Decided;
    use parlor_wire::pack::proposal::{NEWEST, pack, unpack};

    use super::{Key, KeyMade, KeyRead, KeyReport, KeyStep, Sealer};

    const SECOND: Duration = Duration::from_secs(1);

    fn say(text: &str, key: Option<SealKey>) -> Intent {
        let spoken = Spoken::new(Manner::Plain, Line::sanitise(text.as_bytes()));
        let mut lines = Erasable::from(vec![spoken]);
        key.into_iter().for_each(|key| lines.seal_with(key));
        Intent::Say { person: PersonId::new(1), room: RoomName::lobby(), lines }
    }

    fn proposal(intents: Vec<Intent>) -> Proposal {
        Proposal { id: ProposalId { boot: 1, number: 1 }, intents, ..Proposal::default() }
    }

    fn key(number: u64) -> Key {
        Key::from_bytes(&[number as u8; Key::BYTES]).unwrap()
    }

    fn connected() -> Sealer {
        let mut sealer = Sealer::default();
        sealer.connected(Duration::ZERO);
        sealer
    }

    /// The proposal as it comes out of the stream.
    fn decided(proposal: &Proposal) -> Decided {
        let proposal = unpack(&pack(proposal, NEWEST).unwrap(), NEWEST).unwrap();
        Decided { position: 1, at: WallTime(0), proposal }
    }

    /// The words of all lines; blank ones for those that cannot be opened.
    fn words(decided: Decided) -> Vec<String> {
        let lines = decided.proposal.intents.into_iter().flat_map(|intent| match intent {
            Intent::Say { lines, .. } => lines.value,
            other => panic!("{other:?}"),
        });
        lines.map(|line| line.text.to_string()).collect()
    }

    /// A proposal with two keys, sealed.
    fn sealed() -> Proposal {
        let mut sealer = connected();
        let new = [1, 2, 1].map(|slot| say(&format!("secret {slot}"), Some(SealKey::New(slot))));
        sealer.offer(proposal(new.to_vec()), Duration::ZERO);
        assert_eq!(sealer.next_step(), Some(KeyStep::Make { number: 1, above: 0 }));
        assert_eq!(sealer.next_step(), Some(KeyStep::Make { number: 2, above: 0 }));
        sealer.report(KeyReport::Made(2, KeyMade::Key(17, key(17))), SECOND);
        assert!(sealer.next_sealed().is_none());
        sealer.report(KeyReport::Made(1, KeyMade::Key(18, key(18))), SECOND);
        sealer.next_sealed().unwrap()
    }

    #[test]
    fn a_proposal_is_published_when_all_its_keys_are_stored() {
        let sealed = sealed();
        let keys: Vec<_> = sealed.intents.iter().map(|intent| intent.seal_key()).collect();
        assert_eq!(keys, [Some(18), Some(17), Some(18)]);
        let bytes = pack(&sealed, NEWEST).unwrap();
        assert!(bytes.windows(6).all(|part| part != b"secret"));
        let mut sealer = connected();
        sealer.offer(proposal(vec![say("open", None)]), SECOND);
        assert!(sealer.next_sealed().is_some(), "nothing is to be sealed");
    }

    #[test]
    fn a_proposal_waits_for_its_keys_and_is_blank_where_they_are_deleted() {
        let mut sealer = connected();
        sealer.arrive(decided(&sealed()), SECOND);
        sealer.arrive(decided(&proposal(vec![say("open", None)])), SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Read(17)));
        assert_eq!(sealer.next_step(), Some(KeyStep::Read(18)));
        sealer.report(KeyReport::Read(18, KeyRead::Key(key(18))), SECOND);
        sealer.report(KeyReport::Read(17, KeyRead::Unknown), SECOND);
        assert!(sealer.next_opened().is_none(), "also the next one waits");
        assert_eq!(sealer.due(), Some(SECOND * 3 / 2));
        sealer.tick(2 * SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Read(17)));
        sealer.report(KeyReport::Read(17, KeyRead::Gone), 2 * SECOND);
        assert_eq!(words(sealer.next_opened().unwrap()), ["secret 1", "", "secret 1"]);
        assert_eq!(words(sealer.next_opened().unwrap()), ["open"]);
        sealer.arrive(decided(&sealed()), 3 * SECOND);
        assert_eq!(sealer.next_step(), None, "both are known");
        assert_eq!(words(sealer.next_opened().unwrap()), ["secret 1", "", "secret 1"]);
    }

    #[test]
    fn a_key_that_stays_missing_is_lost_and_its_number_is_not_used_again() {
        let mut sealer = connected();
        sealer.arrive(decided(&sealed()), SECOND);
        while sealer.next_step().is_some() {}
        for half in 2..61 {
            sealer.report(KeyReport::Read(17, KeyRead::Missing), half * SECOND / 2);
            sealer.tick((half + 1) * SECOND / 2);
            assert_eq!(sealer.next_step(), Some(KeyStep::Read(17)), "{half}");
        }
        sealer.report(KeyReport::Read(17, KeyRead::Missing), 31 * SECOND);
        sealer.report(KeyReport::Read(18, KeyRead::Gone), 31 * SECOND);
        assert_eq!(words(sealer.next_opened().unwrap()), ["", "", ""]);
        sealer.offer(proposal(vec![say("psst", Some(SealKey::New(1)))]), 32 * SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Make { number: 1, above: 18 }));
    }

    #[test]
    fn a_key_that_was_deleted_meanwhile_is_replaced() {
        let mut sealer = connected();
        sealer.offer(proposal(vec![say("again", Some(SealKey::Number(17)))]), SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Read(17)));
        sealer.report(KeyReport::Read(17, KeyRead::Gone), SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Make { number: 1, above: 0 }));
        sealer.report(KeyReport::Made(1, KeyMade::Key(18, key(18))), SECOND);
        assert_eq!(sealer.next_sealed().unwrap().intents[0].seal_key(), Some(18));
    }

    #[test]
    fn a_proposal_is_refused_if_there_is_no_space_for_its_keys() {
        for (made, is_refused) in [(KeyMade::Refused, true), (KeyMade::Unknown, false)] {
            let mut sealer = connected();
            sealer.offer(proposal(vec![say("psst", Some(SealKey::New(1)))]), Duration::ZERO);
            for half in 1..8 {
                if let Some(KeyStep::Make { number, .. }) = sealer.next_step() {
                    sealer.report(KeyReport::Made(number, made.clone()), half * SECOND / 2);
                }
                sealer.tick((half + 1) * SECOND / 2);
            }
            let id = proposal(Vec::new()).id;
            assert_eq!(sealer.next_refused(), is_refused.then_some(id));
            sealer.tick(5 * SECOND);
            let is_anew =
                std::iter::from_fn(|| sealer.next_step()).any(|it| it == KeyStep::Reconnect);
            assert_eq!(is_anew, !is_refused, "another server may answer");
        }
    }

    #[test]
    fn keys_are_deleted_until_that_is_done() {
        let mut sealer = connected();
        let keys = [5, 6].into();
        sealer.erase(&keys);
        let steps: Vec<_> = std::iter::from_fn(|| sealer.next_step()).collect();
        assert_eq!(steps, [KeyStep::Erase(5), KeyStep::Erase(6)]);
        sealer.report(KeyReport::Erased(5, true), SECOND);
        sealer.report(KeyReport::Erased(6, false), SECOND);
        sealer.erase(&keys);
        assert_eq!(sealer.next_step(), Some(KeyStep::Erase(6)));
        sealer.report(KeyReport::Erased(6, true), SECOND);
        sealer.erase(&keys);
        assert_eq!(sealer.next_step(), None, "both are reported");
        assert_eq!((sealer.next_erased(), sealer.next_erased()), (Some(5), Some(6)));
        sealer.disconnected();
        sealer.erase(&[7].into());
        assert_eq!(sealer.next_step(), None);
        sealer.connected(2 * SECOND);
        assert_eq!(sealer.next_step(), Some(KeyStep::Erase(7)));
    }
}
