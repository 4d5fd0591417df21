//! The broadcaster's inbox, and the connection's end of it. Knows no answer.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use super::client::Client;
use super::mailbox::Mail;
use super::moment::{Appending, Moments};
use super::outcome::Outcome;
use super::request::{Change, Request};
use super::seat::{Leave, Seat};
use super::view::{Mark, Place};
use crate::log::{AtomicU64, Bell, Group, Mutex, Ordering, lock};
use crate::model::{Line, PersonId};

/// An item in the inbox. There is one queue, so a departure stays behind the lines that were posted
/// before it.
#[derive(Debug)]
pub(crate) enum InboxItem {
    /// A connection sends a request.
    Request { client: Arc<Client>, request: Request },
    /// A seat ended.
    LeftRoom { place: Arc<Place>, words: Option<Line> },
    /// A presence ended, and all its seats with it.
    LeftServer { person: PersonId, words: Option<Line> },
    /// A listener ended.
    ListenerGone { place: Arc<Place> },
    /// A reader has fallen off the log, and goes on at its end.
    FellOff { place: Arc<Place> },
}

impl InboxItem {
    /// Whether the person who asked to enter is gone, so the request has no purpose. (Lines that a
    /// connection posted before it broke are still said.)
    pub(crate) fn is_void(&self) -> bool {
        matches!(
            self,
            InboxItem::Request {
                client,
                request: Request::Change(
                    Change::Come { .. } | Change::Enter { .. } | Change::ComeBack { .. }
                ),
            } if client.is_gone()
        )
    }

    /// The client that waits for the outcome; none if nobody waits.
    pub(crate) fn client(&self) -> Option<&Arc<Client>> {
        match self {
            InboxItem::Request { client, .. } => Some(client),
            InboxItem::LeftRoom { .. }
            | InboxItem::LeftServer { .. }
            | InboxItem::ListenerGone { .. }
            | InboxItem::FellOff { .. } => None,
        }
    }
}

/// The requests of connections that the broadcaster has not seen yet.
///
/// It is bounded without its own limit: a connection has one request under way, a seat, a presence
/// or a listener ends once, and a reader who has fallen off a log waits for the answer.
#[derive(Debug, Default)]
pub struct Inbox {
    incoming: Mutex<Vec<InboxItem>>,
    bell: Bell,
    people: AtomicU64,
    /// The batches that the broadcaster has made visible.
    moments: Moments,
}

impl Inbox {
    /// A new connection's link to the broadcaster. Its writing half has its own group.
    pub fn connect(self: &Arc<Inbox>) -> Link {
        self.connect_in(|_| Arc::default())
    }

    /// A new connection's link to the broadcaster. Its writing half is in the group that `chosen`
    /// returns for the person.
    pub fn connect_in(self: &Arc<Inbox>, chosen: impl FnOnce(PersonId) -> Arc<Group>) -> Link {
        self.connect_from(None, chosen)
    }

    /// Like [`connect_in`](Self::connect_in), for a connection from this address.
    pub fn connect_from(
        self: &Arc<Inbox>,
        address: Option<SocketAddr>,
        chosen: impl FnOnce(PersonId) -> Arc<Group>,
    ) -> Link {
        let id = PersonId(self.people.fetch_add(1, Ordering::Relaxed));
        let house = Arc::clone(self) as Arc<dyn Leave>;
        let client = Arc::new(Client::new(id, address, chosen(id), house));
        Link { client, inbox: Arc::clone(self) }
    }

    /// Numbers new connections from the first person of this boot on.
    pub(crate) fn begin_boot(&self, boot: u32) {
        self.people.fetch_max(PersonId::first_of(boot).number(), Ordering::Relaxed);
    }

    /// Rings when the inbox has new items.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// A batch becomes visible in its rooms, until the guard is dropped.
    pub(crate) fn begin_append(&self) -> Appending<'_> {
        self.moments.begin_append()
    }

    pub(crate) fn put(&self, incoming: InboxItem) {
        lock(&self.incoming).push(incoming);
        self.bell.ring();
    }

    /// Takes all items, in order, and leaves `empty` in their place.
    pub(crate) fn take(&self, empty: &mut Vec<InboxItem>) {
        std::mem::swap(&mut *lock(&self.incoming), empty);
    }
}

impl Leave for Inbox {
    fn leave_room(&self, place: Arc<Place>, words: Option<Line>) {
        self.put(InboxItem::LeftRoom { place, words });
    }

    fn leave_server(&self, person: PersonId, words: Option<Line>) {
        self.put(InboxItem::LeftServer { person, words });
    }

    fn stop_listening(&self, place: Arc<Place>) {
        self.put(InboxItem::ListenerGone { place });
    }

    fn enter_again(&self, place: Arc<Place>) {
        self.put(InboxItem::FellOff { place });
    }
}

/// The connection's end: it sends the broadcaster one request at a time.
///
/// After it is dropped, no outcome is delivered.
#[derive(Debug)]
pub struct Link {
    client: Arc<Client>,
    inbox: Arc<Inbox>,
}

impl Link {
    /// The broadcaster's side of this connection.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Sends a request to the broadcaster, and waits for the outcome.
    pub async fn call(&mut self, request: impl Into<Request>) -> Outcome {
        self.start(request);
        poll_fn(|cx| self.client.poll_outcome(cx)).await
    }

    /// Sends a request without waiting, for callers without tasks, such as a simulator. They
    /// [fetch](Link::outcome) the outcome before the next request.
    pub fn start(&mut self, request: impl Into<Request>) {
        self.inbox
            .put(InboxItem::Request { client: Arc::clone(&self.client), request: request.into() });
    }

    /// The outcome of the request under way, if it has one.
    pub fn outcome(&mut self) -> Option<Outcome> {
        self.client.fetch_outcome()
    }

    /// The present ends of the logs of these seats, where an answer given now belongs.
    pub fn mark(&self, seats: &[Seat]) -> Mark {
        let places = || seats.iter().map(Seat::mark).collect::<Mark>();
        match self.inbox.moments.read(places) {
            (mark, true) => mark.at_one_moment(),
            (mark, false) => mark,
        }
    }

    /// Puts mail into the connection's own mailbox. It is never refused: [wait for
    /// space](Link::wait_for_space) first.
    pub fn reply(&self, mark: Mark, mail: Mail) {
        self.client.send_own(mark, mail);
    }

    /// Waits until the connection's own mailbox has space for an answer.
    pub async fn wait_for_space(&self) {
        self.client.wait_for_space().await;
    }

    /// Waits until the writing half has emptied the connection's own mailbox. False if the writing
    /// half is gone.
    pub async fn drained(&self) -> bool {
        self.client.drained().await
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.client.hang_up();
    }
}
