//! Questions between nodes: requests from one node to another, beside the stream. Knows no person.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Request, Subject};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use parlor_core::link::{Carried, Inbox, Neighbours, NodeAnswer, NodeQuestion};
use parlor_wire::pack::carried::{pack, pack_answer, unpack, unpack_answer};
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::nats::StreamConnection;

/// How long another node may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// How many questions and answers may wait for the connection. More are not sent.
const WAITING_MAX: usize = 4_096;

/// How many questions of other nodes may wait for an answer: the oldest has been given up by then.
const ASKED_MAX: usize = 4_096;

/// A question or an answer to another node.
#[derive(Debug)]
enum ToNeighbour {
    Question { nonce: u64, number: u64, question: NodeQuestion },
    Answer { number: u64, answer: NodeAnswer },
}

/// Questions and answers that have come from other nodes.
#[derive(Debug, Default)]
struct Arrived(Mutex<VecDeque<Carried>>);

impl Arrived {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Carried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to other nodes, for the broadcaster.
#[derive(Debug)]
pub(crate) struct Post {
    outgoing: mpsc::Sender<ToNeighbour>,
    arrived: Arc<Arrived>,
}

/// The task that carries questions.
pub(crate) struct PostTask {
    connection: StreamConnection,
    outgoing: mpsc::Receiver<ToNeighbour>,
    arrived: Arc<Arrived>,
    inbox: Arc<Inbox>,
    /// The random number of this process.
    nonce: u64,
}

impl Neighbours for Post {
    fn ask(&mut self, nonce: u64, number: u64, question: NodeQuestion) {
        let question = ToNeighbour::Question { nonce, number, question };
        if self.outgoing.try_send(question).is_err() {
            self.arrived.queue().push_back(Carried::Answer(number, None));
        }
    }

    fn answer(&mut self, number: u64, answer: NodeAnswer) {
        // Without an answer, the other node says that nobody knows.
        self.outgoing.try_send(ToNeighbour::Answer { number, answer }).ok();
    }

    fn poll(&mut self) -> Option<Carried> {
        self.arrived.queue().pop_front()
    }
}

impl PostTask {
    /// The task of the process with this random number, and the broadcaster's end.
    pub(crate) fn new(
        connection: &StreamConnection,
        inbox: &Arc<Inbox>,
        nonce: u64,
    ) -> (PostTask, Post) {
        let (sender, outgoing) = mpsc::channel(WAITING_MAX);
        let arrived = Arc::<Arrived>::default();
        let (connection, inbox) = (connection.clone(), Arc::clone(inbox));
        let post = Post { outgoing: sender, arrived: Arc::clone(&arrived) };
        (PostTask { connection, outgoing, arrived, inbox, nonce }, post)
    }

    /// Carries questions until the broadcaster ends.
    ///
    /// # Errors
    /// Other nodes cannot reach this one.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let subject = self.connection.node_subject(self.nonce);
        let mut incoming = self.connection.client.subscribe(subject).await?;
        let mut asked = ReplySubjects::default();
        let mut answers = FuturesUnordered::new();
        loop {
            select! {
                Some((number, answer)) = answers.next() => {
                    self.arrive(Carried::Answer(number, answer));
                }
                message = incoming.next() => {
                    let Some(message) = message else {
                        return Ok(());
                    };
                    // A newer node may send what this one cannot read: it gets no answer.
                    if let (Ok(question), Some(reply)) = (unpack(&message.payload), message.reply) {
                        self.arrive(Carried::Question(asked.add(reply), question));
                    }
                }
                outgoing = self.outgoing.recv() => match outgoing {
                    None => return Ok(()),
                    Some(ToNeighbour::Answer { number, answer }) => {
                        if let (Some(reply), Ok(bytes)) = (asked.take(number), pack_answer(&answer)) {
                            self.connection.client.publish(reply, bytes.into()).await.ok();
                        }
                    }
                    Some(ToNeighbour::Question { nonce, number, question }) => {
                        let connection = self.connection.clone();
                        answers.push(async move {
                            (number, ask(&connection, nonce, &question).await)
                        });
                    }
                },
            }
        }
    }

    fn arrive(&self, carried: Carried) {
        self.arrived.queue().push_back(carried);
        self.inbox.bell().ring();
    }
}

/// Asks another node. None without an answer.
async fn ask(
    connection: &StreamConnection,
    nonce: u64,
    question: &NodeQuestion,
) -> Option<NodeAnswer> {
    let bytes = pack(question).ok()?;
    let request = Request::new().payload(bytes.into());
    let answer = connection.client.send_request(connection.node_subject(nonce), request);
    let answer = timeout(ANSWER_TIME, answer).await.ok()?.ok()?;
    unpack_answer(&answer.payload).ok()
}

/// The subjects to which questions of other nodes are answered, by number.
#[derive(Debug, Default)]
struct ReplySubjects {
    /// The latest last.
    replies: VecDeque<(u64, Subject)>,
    last: u64,
}

impl ReplySubjects {
    fn add(&mut self, reply: Subject) -> u64 {
        self.last += 1;
        self.replies.push_back((self.last, reply));
        if self.replies.len() > ASKED_MAX {
            self.replies.pop_front();
        }
        self.last
    }

    fn take(&mut self, number: u64) -> Option<Subject> {
        let index = self.replies.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.replies.remove(index).map(|(_, reply)| reply)
    }
}
