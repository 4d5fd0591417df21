//! The people on the server, as the operator sees them. Knows no wording.

use std::net::SocketAddr;
use std::time::Duration;

use super::neighbours::ConnectionFacts;
use crate::model::{Name, NodeName, PersonId, RoomName};

/// A page of the people on the server, or on one of its nodes, as shown to the operator.
#[derive(Clone, Debug, Default)]
pub struct VisitorPage {
    /// The people, in the order of their arrival; at most `VISITORS_MAX`.
    pub people: Vec<Visitor>,
    /// The start of the next page; none if this is the last.
    pub next: Option<PersonId>,
    /// Whether their node did not answer: then their addresses are missing.
    pub is_silent: bool,
}

impl VisitorPage {
    /// The page with the facts that the node of these people has told, in their order.
    pub(crate) fn with(mut self, facts: Vec<Option<ConnectionFacts>>) -> VisitorPage {
        for (visitor, facts) in self.people.iter_mut().zip(facts) {
            if let Some(ConnectionFacts { address, silent }) = facts {
                (visitor.address, visitor.silent) = (address, silent);
            }
        }
        self
    }

    /// The page of a node that did not answer.
    pub(crate) fn of_silent_node(self) -> VisitorPage {
        VisitorPage { is_silent: true, ..self }
    }
}

/// The number of people on a page for the operator.
pub(crate) const VISITORS_MAX: usize = 1_000;

/// A person on the server, as shown to the operator.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The connection.
    pub id: PersonId,
    /// The name.
    pub name: Name,
    /// The node of the connection; none without other nodes.
    pub node: Option<NodeName>,
    /// The address of the connection.
    pub address: Option<SocketAddr>,
    /// The rooms in which they have a seat.
    pub rooms: Vec<RoomName>,
    /// The time since they last said something.
    pub silent: Duration,
}
