//! Questions from other nodes, and the answers to those of this node.

use super::carrier::{ARRIVING_MAX, Leaving, WhoAsked};
use super::state::Broadcaster;
use crate::link::{Answer, Carried, CarriedMessage, NodeAnswer, NodeQuestion, Outcome, Refusal};
use crate::model::Now;

impl Broadcaster {
    /// Takes questions and answers from other nodes.
    pub(super) fn take_carried(&mut self, now: Now) {
        while let Some(carried) = self.carrier.as_mut().and_then(|it| it.neighbours.poll()) {
            match carried {
                Carried::Answer(number, answer) => self.answered(number, answer),
                Carried::Question(number, question) => self.take_question(number, question, now),
            }
        }
        let position = self.position();
        while let Some((number, question)) = self.carrier.as_mut().and_then(|carrier| {
            carrier.arriving.pop_front_if(|(_, question)| question.after() <= position)
        }) {
            self.answer_node(number, question, now);
        }
    }

    /// Answers a question that needs no position at once. The others keep their order.
    fn take_question(&mut self, number: u64, question: NodeQuestion, now: Now) {
        let Some(carrier) = &mut self.carrier else {
            return;
        };
        if question.after() == 0 {
            self.answer_node(number, question, now);
        } else if carrier.arriving.len() < ARRIVING_MAX {
            carrier.arriving.push_back((number, question));
        }
    }

    fn answer_node(&mut self, number: u64, question: NodeQuestion, now: Now) {
        let answer = match question {
            NodeQuestion::Message(message) => NodeAnswer::IsRead(self.is_read(message, now)),
            NodeQuestion::Reading { person, room } => {
                NodeAnswer::ReadTo(self.read_to(person, &room))
            }
            NodeQuestion::Connections { people, .. } => {
                NodeAnswer::Connections(self.facts_of(&people, now))
            }
        };
        if let Some(carrier) = &mut self.carrier {
            carrier.neighbours.answer(number, answer);
        }
    }

    /// Delivers a message or an invitation. Returns whether anybody reads it.
    fn is_read(&mut self, message: CarriedMessage, now: Now) -> bool {
        let CarriedMessage { from, to, invitation, lines, is_for_programs, .. } = message;
        let read = match invitation {
            Some(room) => self.tell_of_invitation(from, &to, &room),
            None => self.deliver((from, &to), lines, is_for_programs, now).1,
        };
        read > 0
    }

    fn answered(&mut self, number: u64, answer: Option<NodeAnswer>) {
        let asked = self.carrier.as_mut().and_then(|carrier| carrier.asked.remove(&number));
        match (asked, answer) {
            (Some(WhoAsked::Message(leaving)), answer) => {
                self.message_answered(number, leaving, answer)
            }
            (Some(WhoAsked::Place { client, code, awake, of }), answer) => {
                let read_to = match answer {
                    Some(NodeAnswer::ReadTo(seq)) => seq,
                    _ => None,
                };
                let place = self.place_with((code, awake), &of, read_to);
                client.finish(place.map_or_else(Outcome::from, Outcome::Code));
            }
            (Some(WhoAsked::Visitors { client, page }), answer) => {
                let page = match answer {
                    Some(NodeAnswer::Connections(facts)) => page.with(facts),
                    _ => page.of_silent_node(),
                };
                client.finish(Outcome::Answer(Answer::Everybody(page)));
            }
            (None, _) => {} // answered before
        }
    }

    /// One of the nodes to which a message was sent has answered.
    fn message_answered(&mut self, number: u64, mut leaving: Leaving, answer: Option<NodeAnswer>) {
        leaving.waiting -= 1;
        leaving.is_read |= answer == Some(NodeAnswer::IsRead(true));
        leaving.is_unknown |= answer.is_none();
        if leaving.waiting > 0 {
            if let Some(carrier) = &mut self.carrier {
                carrier.asked.insert(number, WhoAsked::Message(leaving));
            }
            return;
        }
        let Leaving { client, to, answer, is_read, is_unknown, .. } = leaving;
        client.finish(match (is_read, is_unknown) {
            (true, _) => Outcome::Answer(answer),
            (false, true) => Refusal::NoAnswer(to).into(),
            (false, false) => Refusal::NotReading(to).into(),
        });
    }
}
