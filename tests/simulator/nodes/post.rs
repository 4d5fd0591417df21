//! Questions from node to node, beside the order: private messages, and places of codes. The seed
//! delays and loses them. Those of one process to another stay in order, as on one connection. Knows
//! no ledger.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use parlor_core::link::{Carried, Inbox, NodeAnswer, NodeQuestion};
use parlor_wire::pack::carried::{pack, pack_answer, unpack, unpack_answer};

use crate::checker::{PrivateId, parse_private};

/// A question without an answer is given up after this time.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// Somebody on another node reads a private message.
pub(super) const CARRIED: &str = "a private message is read on another node";

/// A question has no answer in time.
pub(super) const UNANSWERED: &str = "another node does not answer";

/// The questions and answers between all nodes.
#[derive(Debug)]
pub(crate) struct Post {
    /// One for each node.
    boxes: Vec<PostBox>,
    flying: Vec<Letter>,
    /// When the last letter of a node reaches another one.
    last: HashMap<(usize, usize), Duration>,
    /// The number of the last question.
    questions: u64,
    now: Duration,
    is_faulty: bool,
    /// The private messages of which nobody knows whether they have arrived.
    pub(super) unanswered: HashSet<PrivateId>,
    pub(super) sights: HashSet<&'static str>,
    rng: Rng,
}

/// The end of one node.
#[derive(Debug, Default)]
struct PostBox {
    /// The running process, and its random number.
    process: Option<(u64, Arc<Inbox>)>,
    /// Questions and answers that have come.
    arrived: VecDeque<Carried>,
    /// Questions of this process without an answer.
    asked: Vec<Asked>,
    /// The nodes that have asked this one, each by the number of the question.
    askers: HashMap<u64, usize>,
}

/// A question without an answer.
#[derive(Debug)]
struct Asked {
    question: u64,
    /// The number that the broadcaster has given it.
    number: u64,
    ends: Duration,
    message: Option<PrivateId>,
}

/// A question or an answer on its way.
#[derive(Debug)]
struct Letter {
    arrives: Duration,
    from: usize,
    to: usize,
    question: u64,
    bytes: Vec<u8>,
    /// The process for which a question is; none for an answer.
    nonce: Option<u64>,
}

impl Post {
    pub(super) fn new(nodes: usize, rng: Rng) -> Post {
        Post {
            boxes: (0..nodes).map(|_| PostBox::default()).collect(),
            flying: Vec::new(),
            last: HashMap::new(),
            questions: 0,
            now: Duration::ZERO,
            is_faulty: true,
            unanswered: HashSet::new(),
            sights: HashSet::new(),
            rng,
        }
    }

    /// A process of a node begins to take questions.
    pub(super) fn open(&mut self, node: usize, nonce: u64, inbox: &Arc<Inbox>) {
        let process = Some((nonce, Arc::clone(inbox)));
        self.boxes[node] = PostBox { process, ..PostBox::default() };
    }

    /// The process of a node is gone. Letters on their way to it are lost.
    pub(super) fn close(&mut self, node: usize) {
        self.boxes[node] = PostBox::default();
    }

    /// A node whose letters are held up to this time asks the process with a random number.
    pub(super) fn ask(
        &mut self,
        (node, out_cut): (usize, Duration),
        (nonce, number): (u64, u64),
        question: &NodeQuestion,
    ) {
        self.questions += 1;
        let message = match question {
            NodeQuestion::Message(message) => message.lines.first(),
            _ => None,
        };
        let message = message.and_then(|line| parse_private(&line.text.to_string()));
        let ends = self.now + ANSWER_TIME;
        self.boxes[node].asked.push(Asked { question: self.questions, number, ends, message });
        let process = |it: &PostBox| it.process.as_ref().is_some_and(|(it, _)| *it == nonce);
        if let Some(to) = self.boxes.iter().position(process) {
            let bytes = pack(question).expect("a question");
            let (arrives, question, nonce) = (Duration::ZERO, self.questions, Some(nonce));
            let letter = Letter { arrives, from: node, to, question, bytes, nonce };
            self.send(letter, out_cut);
        }
    }

    /// A node answers a question.
    pub(super) fn answer(
        &mut self,
        (node, out_cut): (usize, Duration),
        question: u64,
        answer: &NodeAnswer,
    ) {
        if let Some(to) = self.boxes[node].askers.remove(&question) {
            let bytes = pack_answer(answer).expect("an answer");
            let arrives = Duration::ZERO;
            let letter = Letter { arrives, from: node, to, question, bytes, nonce: None };
            self.send(letter, out_cut);
        }
    }

    /// The next letter for a node.
    pub(super) fn poll(&mut self, node: usize) -> Option<Carried> {
        self.boxes[node].arrived.pop_front()
    }

    /// Sends a letter. While the link is cut, the client of the engine may keep it.
    fn send(&mut self, mut letter: Letter, out_cut: Duration) {
        let is_lost = match out_cut > self.now {
            true => self.rng.bool(),
            false => self.is_faulty && self.rng.u8(0..20) == 0,
        };
        let is_late = self.is_faulty && self.rng.u8(0..20) == 0;
        let delay = Duration::from_millis(self.rng.u64(0..if is_late { 4_000 } else { 10 }));
        if is_lost {
            return;
        }
        let last = self.last.entry((letter.from, letter.to)).or_default();
        letter.arrives = (self.now.max(out_cut) + delay).max(*last);
        *last = letter.arrives;
        self.flying.push(letter);
    }

    /// The connections of all nodes end, and what is on its way is lost.
    pub(super) fn lose_all(&mut self) {
        self.flying.clear();
    }

    /// Ends all faults.
    pub(super) fn heal(&mut self) {
        self.is_faulty = false;
        self.flying.iter_mut().for_each(|letter| letter.arrives = letter.arrives.min(self.now));
        self.last.clear();
    }

    /// Delivers what has arrived, unless the link of its node is cut up to a later time.
    pub(super) fn pass(&mut self, now: Duration, in_cut: impl Fn(usize) -> Duration) {
        self.now = now;
        let mut arrived: Vec<_> =
            self.flying.extract_if(.., |letter| letter.arrives <= now).collect();
        arrived.sort_by_key(|letter| letter.arrives);
        for letter in arrived {
            if in_cut(letter.to) <= now {
                self.deliver(letter);
            }
        }
        for PostBox { process, arrived, asked, .. } in &mut self.boxes {
            for Asked { number, message, .. } in asked.extract_if(.., |asked| asked.ends <= now) {
                self.unanswered.extend(message);
                self.sights.insert(UNANSWERED);
                arrived.push_back(Carried::Answer(number, None));
                process.iter().for_each(|(_, inbox)| inbox.bell().ring());
            }
        }
    }

    fn deliver(&mut self, Letter { from, to, question, bytes, nonce, .. }: Letter) {
        let PostBox { process, arrived, asked, askers } = &mut self.boxes[to];
        let Some((own, inbox)) = process else {
            return;
        };
        if let Some(nonce) = nonce {
            if nonce != *own {
                return; // for a process that is gone
            }
            askers.insert(question, from);
            arrived.push_back(Carried::Question(question, unpack(&bytes).expect("a question")));
        } else {
            let is_it = |asked: &mut Asked| asked.question == question;
            let Some(asked) = asked.extract_if(.., is_it).next() else {
                return; // given up
            };
            let answer = unpack_answer(&bytes).expect("an answer");
            if asked.message.is_some() && answer == NodeAnswer::IsRead(true) {
                self.sights.insert(CARRIED);
            }
            arrived.push_back(Carried::Answer(asked.number, Some(answer)));
        }
        inbox.bell().ring();
    }

    /// The time when something arrives or ends next.
    pub(super) fn due(&self) -> Option<Duration> {
        let ends = self.boxes.iter().flat_map(|it| &it.asked).map(|asked| asked.ends);
        let arrive = self.flying.iter().map(|letter| letter.arrives);
        ends.chain(arrive).filter(|due| *due > self.now).min()
    }
}
