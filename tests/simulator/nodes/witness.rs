//! The witness follows the order without faults, and checks at each position the rules that concern
//! the ledger. It writes down what happens: all nodes must show the same.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use parlor::sequencer::{KeyRead, KeyReport, KeyStep, Sealer};
use parlor_core::intent::{Check, Intent, Proposal};
use parlor_core::ledger::{Happened, Ledger, Snapshot, Validity};
use parlor_core::link::Refusal;
use parlor_core::model::{Format, WallTime, fold};
use parlor_core::sequencer::Decided;
use parlor_wire::pack::proposal::unpack;

use super::boots::{Boots, Counted, Skipped};
use super::facts::Facts;
use super::keys::key_of;
use super::post::{CARRIED, UNANSWERED};
use super::stream::{NEWER, Place};
use crate::checker::OWNED;

/// A proposal of a boot that has ended.
const FENCED: &str = "fenced";

/// A proposal that has counted before.
const REPEATED: &str = "repeated";

/// A proposal that will never count, because the next one of its boot came without it.
const VOID: &str = "void";

/// A person of a boot that was declared down comes back under the address.
const RENAMED: &str = "renamed on return";

/// A claim is refused because of one that its proposer had not seen.
const LOST: &str = "name lost to an earlier claim";

/// A person comes back on another node, while the connection to the first one is there.
const MOVED: &str = "moved to another node";

/// A node cannot read the format of the others.
pub(super) const TOO_OLD: &str = "too old";

/// A node starts with an older program again, before the others write in a newer format.
pub(super) const WENT_BACK: &str = "back to an older program";

/// Another process has begun under the name of a node.
pub(super) const REPLACED: &str = "replaced";

/// The stream has lost proposals that nodes have shown, and has got them back.
pub(super) const REPAIRED: &str = "repaired";

/// The nodes write in a newer format.
const SWITCHED: &str = "a newer format";

/// A node has found that its ledger was right, and another one that its ledger was wrong.
pub(super) const RIGHT: &str = "found to be right";
pub(super) const ANEW: &str = "found to be wrong";

/// Each of these must occur in some run.
pub(crate) const SIGHTS: [&str; 15] = [
    FENCED, REPEATED, VOID, RENAMED, LOST, MOVED, REPAIRED, RIGHT, ANEW, CARRIED, UNANSWERED,
    SWITCHED, TOO_OLD, WENT_BACK, REPLACED,
];

/// A ledger that has applied every proposal of the order.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    ledger: Ledger,
    boots: Boots,
    /// The time of the last position.
    at: WallTime,
    /// The digest at each position; the first is that of an empty ledger.
    digests: Vec<u64>,
    pub(crate) facts: Facts,
    /// The nodes that have had a wrong ledger: they may have said so.
    pub(crate) wrong: HashSet<String>,
    /// The position of the last claim of each name.
    claims: HashMap<String, usize>,
    pub(crate) sights: HashSet<&'static str>,
}

impl Witness {
    /// A witness that has seen nothing, of a house in which these nodes have had a wrong ledger.
    pub(crate) fn new(wrong: HashSet<String>) -> Witness {
        let stored = Snapshot { is_stored: true, ..Snapshot::default() };
        let mut witness = Witness { ledger: Ledger::restore(stored), wrong, ..Witness::default() };
        witness.digests.push(witness.ledger.digest());
        witness
    }

    /// The nodes with boots that live.
    pub(crate) fn live_nodes(&self) -> HashSet<String> {
        self.boots.live_nodes().map(str::to_owned).collect()
    }

    /// The format in which the nodes write.
    pub(crate) fn format(&self) -> Format {
        self.boots.format
    }

    pub(crate) fn position(&self) -> usize {
        self.digests.len() - 1
    }

    /// The digest that each node has at this position.
    pub(crate) fn digest(&self, position: usize) -> u64 {
        self.digests[position]
    }

    /// The ledger at the present position.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.ledger.snapshot()
    }

    /// Takes in the rest of the order, as far as it is in these places.
    pub(crate) fn follow(&mut self, places: &[Place]) {
        for place in places.get(self.position()..).unwrap_or_default() {
            self.take(place, opened(place));
        }
    }

    fn take(&mut self, place: &Place, proposal: Proposal) {
        let at = place.at;
        let (position, before) = (self.position() + 1, self.ledger.digest());
        let Check { position: checked, digest } = proposal.check;
        let node = match &proposal.intents[..] {
            [Intent::Up { node, .. }] => Some(node.as_str()),
            _ => self.boots.node(proposal.id.boot),
        };
        let may_be_wrong = node.is_some_and(|node| self.wrong.contains(node));
        if checked > 0 && !may_be_wrong {
            assert_eq!(digest, self.digest(checked as usize), "what a node says of {checked}");
        }
        let format = self.boots.format;
        let counts = self.boots.take(&proposal, place.came);
        self.sights.extend((self.boots.format > format).then_some(SWITCHED));
        // A proposal that does not count gives up its keys.
        let has_seals = proposal.intents.iter().any(|intent| intent.seal_key().is_some());
        if matches!(counts, Ok(_) | Err(Skipped::Stale | Skipped::TooOld)) {
            self.at = self.at.max(at);
        }
        let happened = self.apply(at, proposal, position);
        match counts {
            Ok(Counted { mut ended, is_after_void }) => {
                self.sights.extend(is_after_void.then_some(VOID));
                let is_told = |boot: &u32| happened.iter().flatten().any(|e| is_end_of(e, *boot));
                ended.retain(|boot| !is_told(boot));
                assert!(ended.is_empty(), "{ended:?} end at {position}, and nobody is told");
            }
            Err(why) => {
                let is_refused = |event: &Happened| {
                    why == Skipped::TooOld && matches!(event, Happened::BootRefused { .. })
                };
                let is_nothing = happened.iter().flatten().all(is_refused);
                assert!(is_nothing, "{why:?}, but {happened:?} at {position}");
                let is_same = before == self.ledger.digest() || has_seals;
                let is_of_time = matches!(why, Skipped::Stale | Skipped::TooOld);
                assert!(is_same || is_of_time, "{why:?}, but counts at {position}");
                self.sights.extend(match why {
                    Skipped::Repeated => Some(REPEATED),
                    Skipped::Fenced => Some(FENCED),
                    Skipped::Stale | Skipped::TooOld => None,
                });
            }
        }
        self.digests.push(self.ledger.digest());
        self.check_people(position);
        for event in happened.iter().flatten() {
            if let Happened::Returned { who, from, .. } = event
                && who.name != *from
            {
                self.sights.insert(RENAMED);
            }
        }
        for events in happened {
            self.facts.add_all(position, self.at, events);
        }
    }

    /// Applies a proposal as every node does. Returns the results of each intent.
    fn apply(&mut self, at: WallTime, proposal: Proposal, position: usize) -> Vec<Vec<Happened>> {
        let mut all = Vec::new();
        let after = proposal.after as usize;
        if let Ok(origin) = self.ledger.admit(&proposal, at) {
            for intent in proposal.intents {
                let claimed = claimed(&intent);
                let mut happened = Vec::new();
                let boot_before = self.boot_of_code(&intent);
                let applied = self.ledger.apply(intent, origin, &mut happened);
                let is_moved = applied.is_ok() && boot_before.is_some_and(|b| b != origin.boot);
                self.sights.extend(is_moved.then_some(MOVED));
                all.push(happened);
                let Some(name) = claimed else { continue };
                match applied {
                    Ok(()) => {
                        self.claims.insert(name, position);
                    }
                    Err(Refusal::NameTaken(_)) if self.claims.get(&name) > Some(&after) => {
                        self.sights.insert(LOST);
                    }
                    Err(_) => {}
                }
            }
        }
        all
    }

    /// The boot of the person whose code this intent uses to come back, if the person is here.
    fn boot_of_code(&self, intent: &Intent) -> Option<u32> {
        let Intent::ComeBack { code, .. } = intent else {
            return None;
        };
        let Snapshot { codes, people, .. } = self.ledger.snapshot();
        match codes.get(code)?.validity {
            Validity::Held(id) => people.get(&id).map(|person| person.boot),
            Validity::Until(_) => None,
        }
    }

    /// Checks that everybody here is of a boot that lives, that two people have two names, and that
    /// the right format is in force.
    fn check_people(&self, position: usize) {
        let mut names = HashSet::new();
        let Snapshot { people, format, .. } = self.ledger.snapshot();
        assert_eq!(format, self.boots.format, "the format at {position}");
        for (id, person) in people {
            let name = &person.name;
            assert!(self.boots.is_live(person.boot), "{id:?}, {name:?} is here at {position}");
            let is_new = names.insert(fold(name.as_str()));
            let may_be_shared = name.is_address() || name.as_str() == OWNED;
            assert!(is_new || may_be_shared, "two people are {name:?} at {position}");
        }
    }
}

/// The proposal of a place, whose seals are opened with all keys, also with deleted ones.
fn opened(place: &Place) -> Proposal {
    let proposal = unpack(&place.bytes, NEWER).expect("a packed proposal");
    let mut sealer = Sealer::default();
    sealer.connected(Duration::ZERO);
    sealer.arrive(Decided { position: 1, at: place.at, proposal }, Duration::ZERO);
    while let Some(step) = sealer.next_step() {
        if let KeyStep::Read(key) = step {
            sealer.report(KeyReport::Read(key, KeyRead::Key(key_of(key))), Duration::ZERO);
        }
    }
    sealer.next_opened().expect("a proposal with all its keys").proposal
}

/// Whether an event is the end of this boot.
fn is_end_of(event: &Happened, ended: u32) -> bool {
    matches!(event, Happened::BootEnded { boot, .. } if *boot == ended)
}

/// The name that an intent claims.
fn claimed(intent: &Intent) -> Option<String> {
    match intent {
        Intent::Come { name, .. } | Intent::Enter { name, .. } | Intent::Rename { name, .. } => {
            Some(fold(name.name.as_str()))
        }
        _ => None,
    }
}
