//! Questions on their way between nodes. Knows no ledger.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::link::{Answer, Client, Neighbours, NodeQuestion, VisitorPage};
use crate::model::{Hashed, Name, PersonId, RoomName, WallTime};

/// How many questions of other nodes may wait until this node has come as far as those that ask.
/// More get no answer.
pub(super) const ARRIVING_MAX: usize = 1_024;

/// Questions on their way between nodes.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) neighbours: Box<dyn Neighbours>,
    /// Those that this node has asked, by number. Each has an answer soon.
    pub(super) asked: BTreeMap<u64, WhoAsked>,
    pub(super) last: u64,
    /// Those of nodes that were further than this one, with the numbers of their answers.
    pub(super) arriving: VecDeque<(u64, NodeQuestion)>,
}

/// A client that waits for the answers of other nodes.
#[derive(Debug)]
pub(super) enum WhoAsked {
    /// It has sent a message.
    Message(Leaving),
    /// It has asked for the place of a code.
    Place {
        client: Arc<Client>,
        code: Hashed,
        /// The time by which the life of codes is measured.
        awake: WallTime,
        /// The person whose connection has the code, and the room.
        of: (PersonId, RoomName),
    },
    /// It has asked for a page of people.
    Visitors { client: Arc<Client>, page: VisitorPage },
}

/// A message that was sent to other nodes.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) client: Arc<Client>,
    pub(super) to: Name,
    /// The answer if somebody reads it.
    pub(super) answer: Answer,
    /// How many nodes have not answered.
    pub(super) waiting: usize,
    /// Whether somebody reads it.
    pub(super) is_read: bool,
    /// Whether a node did not answer in time.
    pub(super) is_unknown: bool,
}

impl Carrier {
    pub(super) fn new(neighbours: Box<dyn Neighbours>) -> Carrier {
        Carrier { neighbours, asked: BTreeMap::new(), last: 0, arriving: VecDeque::new() }
    }

    /// Asks the processes with these random numbers, for a client that waits.
    pub(super) fn ask(
        &mut self,
        nonces: impl IntoIterator<Item = u64>,
        question: &NodeQuestion,
        asker: WhoAsked,
    ) {
        self.last += 1;
        for nonce in nonces {
            self.neighbours.ask(nonce, self.last, question.clone());
        }
        self.asked.insert(self.last, asker);
    }
}
