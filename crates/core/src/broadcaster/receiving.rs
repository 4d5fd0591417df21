//! Private messages and invitations from other nodes, and the answers to those of this node.

use super::carrier::{ARRIVING_MAX, Leaving};
use super::state::Broadcaster;
use crate::link::{Carried, CarriedMessage, Outcome, Refusal};
use crate::model::Now;

impl Broadcaster {
    /// Takes messages and answers from other nodes.
    pub(super) fn take_carried(&mut self, now: Now) {
        while let Some(carried) = self.carrier.as_mut().and_then(|it| it.neighbours.poll()) {
            match carried {
                Carried::Answer(number, is_read) => self.answered(number, is_read),
                Carried::Message(number, message) => {
                    if let Some(carrier) = &mut self.carrier
                        && carrier.arriving.len() < ARRIVING_MAX
                    {
                        carrier.arriving.push_back((number, message));
                    }
                }
            }
        }
        let position = self.position();
        while let Some((number, message)) = self.carrier.as_mut().and_then(|carrier| {
            carrier.arriving.pop_front_if(|(_, message)| message.after <= position)
        }) {
            let CarriedMessage { from, to, invitation, lines, is_for_programs, .. } = message;
            let read = match invitation {
                Some(room) => self.tell_of_invitation(from, &to, &room),
                None => self.deliver((from, &to), lines, is_for_programs, now).1,
            };
            if let Some(carrier) = &mut self.carrier {
                carrier.neighbours.answer(number, read > 0);
            }
        }
    }

    fn answered(&mut self, number: u64, is_read: Option<bool>) {
        let Some(carrier) = &mut self.carrier else {
            return;
        };
        let Some(leaving) = carrier.sent.get_mut(&number) else {
            return;
        };
        leaving.waiting -= 1;
        leaving.is_read |= is_read == Some(true);
        leaving.is_unknown |= is_read.is_none();
        if leaving.waiting > 0 {
            return;
        }
        if let Some(Leaving { client, to, answer, is_read, is_unknown, .. }) =
            carrier.sent.remove(&number)
        {
            client.finish(match (is_read, is_unknown) {
                (true, _) => Outcome::Answer(answer),
                (false, true) => Refusal::NoAnswer(to).into(),
                (false, false) => Refusal::NotReading(to).into(),
            });
        }
    }
}
