//! Everybody on the server, for the operator, page by page, so that a long list needs little memory.
//! All nodes are asked at once. Knows no socket.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::join_all;
use parlor_core::link::{Answer, Inbox, Outcome, Query, VisitorPage};
use parlor_core::model::{NodeName, PersonId};

use super::words::worded;

/// The people of all nodes who are not told yet.
pub(crate) struct EverybodyList {
    inbox: Arc<Inbox>,
    nodes: VecDeque<NodePeople>,
    /// The nodes that did not answer.
    silent: Vec<NodeName>,
    is_empty: bool,
}

/// The people of a node who are not told yet.
struct NodePeople {
    /// None without other nodes.
    node: Option<NodeName>,
    page: Option<VisitorPage>,
    /// The start of the page behind that.
    next: Option<PersonId>,
    is_silent: bool,
}

impl EverybodyList {
    /// Asks all nodes for their first people.
    pub(super) async fn begin(inbox: &Arc<Inbox>) -> EverybodyList {
        let nodes = match inbox.connect().call(Query::Nodes).await {
            Outcome::Nodes { nodes, .. } => nodes,
            _ => Vec::new(),
        };
        let live = nodes.iter().filter(|node| node.is_live).map(|node| Some(node.name.clone()));
        let live: Vec<_> = if nodes.is_empty() { vec![None] } else { live.collect() };
        let nodes = join_all(live.into_iter().map(async |node| {
            let first = Some(PersonId::first_of(0));
            let mut people = NodePeople { node, page: None, next: first, is_silent: false };
            people.turn(inbox).await;
            people
        }));
        let nodes = nodes.await.into();
        EverybodyList { inbox: Arc::clone(inbox), nodes, silent: Vec::new(), is_empty: true }
    }

    /// The next lines; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Vec<String>> {
        while let Some(first) = self.nodes.front_mut() {
            if let Some(page) = first.page.take_if(|page| !page.people.is_empty()) {
                self.is_empty = false;
                return Some(worded(&Answer::Everybody(page)));
            }
            if !first.turn(&self.inbox).await {
                let over = self.nodes.pop_front().filter(|over| over.is_silent);
                self.silent.extend(over.and_then(|over| over.node));
            }
        }
        if std::mem::take(&mut self.is_empty) && self.silent.is_empty() {
            return Some(worded(&Answer::Everybody(VisitorPage::default())));
        }
        self.silent.pop().map(|node| {
            vec![format!("No answer from {node}: the addresses of its people are missing")]
        })
    }
}

impl NodePeople {
    /// Turns the page. Returns whether there is another one.
    async fn turn(&mut self, inbox: &Arc<Inbox>) -> bool {
        let Some(from) = self.next.take() else {
            return false;
        };
        let query = Query::Everybody { node: self.node.clone(), from, is_silent: self.is_silent };
        if let Outcome::Answer(Answer::Everybody(page)) = inbox.connect().call(query).await {
            (self.next, self.is_silent) = (page.next, page.is_silent);
            self.page = Some(page);
        }
        true
    }
}
