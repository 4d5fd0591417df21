//! Return codes: the broadcaster knows from its connections how far their people have read.

use std::sync::Arc;

use super::carrier::WhoAsked;
use super::state::Broadcaster;
use super::tickets::Wanted;
use crate::intent::Intent;
use crate::ledger::{ReturnCode, Validity};
use crate::link::{Client, CodeChange, NodeQuestion, Refusal};
use crate::model::{Hashed, Now, PersonId, RoomId, RoomName, WallTime};

/// The number of readings in one intent, which stays small enough for a proposal.
const READINGS_MAX: usize = 4_096;

impl Broadcaster {
    /// The intent of a change of return codes. The client learns the outcome when it is stored.
    pub(super) fn code_intent(
        &self,
        client: &Client,
        change: CodeChange,
    ) -> Result<(Intent, Wanted), Refusal> {
        let person = client.id;
        let intent = match change {
            CodeChange::Make { code, room } => {
                let (room, seq) = self.place_in(client, room)?;
                Intent::MakeCode { person, code, room, seq }
            }
            CodeChange::Move { code, room } => {
                let (room, seq) = self.place_in(client, room)?;
                Intent::MoveCode { person, code, room, seq }
            }
            CodeChange::End { code, whose, seq, until } => {
                Intent::EndCode { person: whose, code, seq, until }
            }
            CodeChange::Expire(time) => Intent::ExpireCodes(time),
        };
        Ok((intent, Wanted::Stored { beside: Vec::new() }))
    }

    /// The room in which a person sits, and the last line that was written to the connection; if
    /// that is not known yet, the last line. From now on it is recorded. For a person without a seat
    /// this is the lobby.
    fn place_in(&self, client: &Client, room: Option<RoomId>) -> Result<(RoomName, u64), Refusal> {
        client.track_reading();
        let Some(room) = room else {
            let lobby = RoomName::lobby();
            let end = self.ledger.rooms.end(&lobby).seq;
            return Ok((lobby, end));
        };
        let name = self.seat_of(client.id, room)?;
        let end = || self.rooms.get(&room).map_or(0, |room| room.log.end().seq);
        Ok((name, client.read_to(room).unwrap_or_else(end)))
    }

    /// The place of a valid code. If its connection is still here, the place is after the last line
    /// that was written to it.
    pub(super) fn place_of_code(
        &self,
        code: Hashed,
        now: WallTime,
    ) -> Result<Arc<ReturnCode>, Refusal> {
        let mut place = self.ledger.valid_code(code, now).ok_or(Refusal::NoSuchCode)?;
        if let Validity::Held(id) = place.validity
            && let Some(seq) = self.read_to(id, &place.room)
            && seq != place.seq
        {
            Arc::make_mut(&mut place).seq = seq;
        }
        Ok(place)
    }

    /// The place of a valid code, for a client. If its connection is on another node, that one is
    /// asked how far it has read, and the client learns the place later: none.
    pub(super) fn ask_for_place(
        &mut self,
        client: &Arc<Client>,
        code: Hashed,
        awake: WallTime,
    ) -> Result<Option<Arc<ReturnCode>>, Refusal> {
        let place = self.place_of_code(code, awake)?;
        let Validity::Held(person) = place.validity else {
            return Ok(Some(place)); // the connection has ended, and its last line is known
        };
        let (Some(nonce), Some(carrier)) = (self.other_node_of(person), &mut self.carrier) else {
            return Ok(Some(place));
        };
        let of = (person, place.room.clone());
        let question = NodeQuestion::Reading { person, room: place.room.clone() };
        let client = Arc::clone(client);
        carrier.ask([nonce], &question, WhoAsked::Place { client, code, awake, of });
        Ok(None)
    }

    /// The place of a code, of whose person the other node has told how far the connection has read;
    /// none if it did not.
    pub(super) fn place_with(
        &self,
        (code, awake): (Hashed, WallTime),
        of: &(PersonId, RoomName),
        read_to: Option<u64>,
    ) -> Result<Arc<ReturnCode>, Refusal> {
        let mut place = self.place_of_code(code, awake)?;
        // Otherwise the code has moved meanwhile, and its new place is as exact.
        let is_it = place.validity == Validity::Held(of.0) && place.room == of.1;
        if let Some(seq) = read_to.filter(|_| is_it) {
            Arc::make_mut(&mut place).seq = seq;
        }
        Ok(place)
    }

    /// Proposes how far the people with codes have read, so that they may return after a crash.
    pub(super) fn note_readings(&mut self, now: Now) {
        let further = self.ledger.codes.held().filter_map(|(hash, code, id)| {
            let seq = self.read_to(id, &code.room).filter(|seq| *seq > code.seq)?;
            Some((hash, seq))
        });
        let readings: Vec<_> = further.collect();
        for some in readings.chunks(READINGS_MAX) {
            self.put_in_order(Intent::Readings(some.to_vec()), None, now);
        }
    }

    /// The last line of a room that was written to the connection of a person.
    pub(super) fn read_to(&self, id: PersonId, room: &RoomName) -> Option<u64> {
        let connection = self.connections.get(&id)?;
        connection.client.read_to(*self.rooms_by_name.get(room)?)
    }
}
