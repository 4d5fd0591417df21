//! The broadcaster's inbox: what connections ask of it. Knows no answer.

use std::net::SocketAddr;
use std::sync::Arc;

use super::answer::{Answer, Refusal};
use super::client::{Client, Link};
use super::seat::{Entered, Listener, Listening, Place, Seat};
use crate::broadcaster::Settled;
use crate::log::{AtomicU64, Bell, Group, Mutex, Ordering, lock};
use crate::model::{
    Census, Claim, Limits, Line, Name, Order, PersonId, Proof, RoomId, RoomName, Spoken, WallTime,
};

/// What a connection asks of the broadcaster.
#[derive(Debug)]
pub enum Request {
    /// Enters a first room under this name; granted when the arrival is in the room's log.
    Enter {
        /// The name to wear.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// How many lines said before are wanted.
        replay: u64,
    },
    /// Enters the room where one was, under the name that one had; whoever still has both leaves, and the others are not
    /// told of either.
    ComeBack {
        /// The name.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// The own connection of before, if it is not gone.
        ghost: Option<PersonId>,
    },
    /// Takes another seat, in another room.
    Join {
        /// The room; it is made if there is none.
        room: RoomName,
        /// How many lines said before are wanted.
        replay: u64,
    },
    /// Reads a room without a seat in it.
    Listen {
        /// The name that has been shown to be one's own, if any was.
        owner: Option<Claim>,
        /// The room.
        room: RoomName,
        /// Whether a room that is not there is waited for; else that is refused.
        waits: bool,
        /// How many lines said before are wanted.
        replay: u64,
    },
    /// Says these lines, together, under a name that is worn no longer than that takes. Nobody with a seat asks so.
    Speak {
        /// The name.
        name: Claim,
        /// The room; it is made if there is none.
        room: RoomName,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// Says these lines in a room, together; done when they are kept and visible.
    Post {
        /// The room.
        room: RoomId,
        /// The lines, in order.
        lines: Vec<Spoken>,
    },
    /// Takes another name.
    Rename(Claim),
    /// A journal says that this name has an owner. Nobody with a seat asks so.
    Owned {
        /// The name.
        name: Name,
        /// What shows from now on that it is one's own: earlier proofs count no longer, and who wears the name by one leaves.
        proof: Proof,
        /// The connection that asked for it, and stays.
        by: Option<PersonId>,
    },
    /// A journal says that this name has no owner any more. Nobody with a seat asks so.
    Released {
        /// The name.
        name: Name,
        /// What would have to show that it is one's own: no proof of before.
        proof: Proof,
    },
    /// Asks under which name one is known.
    WhoAmI,
    /// Takes back what was said under the name that somebody owns; what a journal has of it is another's business.
    /// Nobody with a seat asks so.
    TakeBack {
        /// Who owns the name, and wears it.
        whose: PersonId,
        /// Since when it is theirs.
        since: WallTime,
    },
    /// Sets a room's topic, or clears it.
    SetTopic {
        /// The room.
        room: RoomId,
        /// The topic.
        text: Option<Line>,
    },
    /// Writes to one person alone.
    Private {
        /// The name of the other one, as typed.
        to: Line,
        /// The words.
        text: Line,
    },
    /// Asks what a room is about.
    Topic(RoomId),
    /// Asks who is in a room: this one, or the one called so.
    Who {
        /// The room one sits in.
        here: RoomId,
        /// Another one, by name.
        room: Option<RoomName>,
    },
    /// Asks for the names of all who are in a room, a page at a time.
    People {
        /// The room.
        room: RoomId,
        /// Where the page before ended; 0 for the first.
        from: u64,
    },
    /// Asks for the rooms there are.
    Rooms,
    /// Asks which rooms one may not read: for who looks in all at once.
    Barred,
    /// Asks who wears a name, so as to ignore that person.
    Find(Line),
    /// Asks who and what is in the house: for the operator's numbers, and nobody with a seat.
    Census,
    /// Has these limits hold from now on: the operator's, and nobody's with a seat.
    Limit(Limits),
    /// Has something done with authority.
    Order {
        /// Where one sits. None for the operator, who may do anything: nobody with a seat asks so.
        here: Option<RoomId>,
        /// What is to be done.
        order: Order,
    },
}

impl Request {
    /// Whether it takes a place in the order of things, and so may have to wait for the journal.
    /// What only reads never waits.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Request::Enter { .. }
                | Request::ComeBack { .. }
                | Request::Join { .. }
                | Request::Post { .. }
                | Request::Speak { .. }
                | Request::Rename(_)
                | Request::SetTopic { .. }
        )
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// One has a seat.
    Entered(Seat, Box<Entered>),
    /// One reads.
    Listening(Listener, Box<Listening>),
    /// It is done: said, and visible to all.
    Done,
    /// It is said, and visible to all, under these numbers.
    Said {
        /// That of the first line.
        first: u64,
        /// That of the last.
        last: u64,
    },
    /// One is known under this name.
    You(Claim),
    /// One may not read these rooms.
    Barred(Vec<RoomName>),
    /// This is in the house.
    Counted(Census),
    /// What was said before has been taken back: up to these numbers in these rooms, and in no others.
    TookBack(Vec<(RoomName, u64)>),
    /// The answer to what was asked.
    Answer(Answer),
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Outcome {
        Outcome::Answer(Answer::Refused(refusal))
    }
}

/// What lies in the inbox.
#[derive(Debug)]
pub(crate) enum Letter {
    Request {
        client: Arc<Client>,
        request: Request,
    },
    Depart {
        place: Arc<Place>,
        words: Option<Line>,
    },
    StopListening {
        place: Arc<Place>,
    },
    /// Something was written down, or could not be.
    Settled(Box<Settled>),
}

impl Letter {
    /// Whether nobody is left to whom it matters: somebody who wanted to come in is gone. (What a
    /// connection has said before it broke is said all the same.)
    pub(crate) fn is_void(&self) -> bool {
        matches!(
            self,
            Letter::Request { client, request: Request::Enter { .. } | Request::ComeBack { .. } }
                if client.is_gone()
        )
    }
}

/// What connections have asked and the broadcaster has not yet seen.
///
/// It is bounded without a limit of its own: a connection has one request under way, and a seat or
/// a listener one departure.
#[derive(Debug, Default)]
pub struct Inbox {
    letters: Mutex<Vec<Letter>>,
    bell: Bell,
    people: AtomicU64,
}

impl Inbox {
    /// A new connection's link to the broadcaster, its writing half being in a group of its own.
    pub fn connect(self: &Arc<Inbox>) -> Link {
        self.connect_in(|_| Arc::default())
    }

    /// A new connection's link to the broadcaster, its writing half being in the group that is
    /// `chosen` for the person.
    pub fn connect_in(self: &Arc<Inbox>, chosen: impl FnOnce(PersonId) -> Arc<Group>) -> Link {
        self.connect_from(None, chosen)
    }

    /// The same, for a connection from this address.
    pub fn connect_from(
        self: &Arc<Inbox>,
        address: Option<SocketAddr>,
        chosen: impl FnOnce(PersonId) -> Arc<Group>,
    ) -> Link {
        let id = PersonId(self.people.fetch_add(1, Ordering::Relaxed));
        Link::new(id, address, Arc::clone(self), chosen(id))
    }

    /// Rung when something lies in the inbox.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    pub(crate) fn put(&self, letter: Letter) {
        lock(&self.letters).push(letter);
        self.bell.ring();
    }

    /// Takes everything, in order; `empty` is what the inbox goes on with.
    pub(crate) fn take(&self, empty: &mut Vec<Letter>) {
        std::mem::swap(&mut *lock(&self.letters), empty);
    }
}
