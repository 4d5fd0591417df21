//! Speaking without a seat, as scripts do: nobody arrives, and the name is worn no longer than it takes.

use std::sync::Arc;

use super::Broadcaster;
use super::gather::Happening;
use crate::link::{Client, Outcome, Refusal};
use crate::model::{Claim, Now, RoomName, Spoken};

impl Broadcaster {
    /// Somebody says these lines in a room, and is gone.
    pub(super) fn speak(
        &mut self,
        client: &Arc<Client>,
        name: Claim,
        room: RoomName,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        self.people.enter(client, name)?;
        let spoken = self.speak_once(client, room, lines, now);
        self.people.leave(client.id);
        spoken
    }

    fn speak_once(
        &mut self,
        client: &Arc<Client>,
        room: RoomName,
        lines: Vec<Spoken>,
        now: Now,
    ) -> Result<(), Refusal> {
        let who = self.people.who(client.id).ok_or(Refusal::NotThere)?;
        self.may_speak_in(&who, &room, now)?;
        let room = self.room_to_join(client.id, room, now)?;
        let promise = self.gathering.next_promise();
        self.gathering.promise(client, Outcome::Done, true);
        let count = lines.len() as u64;
        for spoken in lines {
            let who = who.clone();
            self.happen(room, Happening::Said { who, spoken });
        }
        let lines = count;
        self.happen(room, Happening::Receipt { promise, lines });
        Ok(())
    }
}
