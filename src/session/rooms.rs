//! The rooms of a session: takes seats and gives them up.

use std::mem;

use parlor_core::link::{
    Answer, Change, Decoder, Entered, Mail, Notice, Outcome, Refusal, Seat, Start,
};
use parlor_core::model::RoomName;
use tokio::io::AsyncRead;

use super::ended::SessionEnd;
use super::read::Reader;
use super::replay;

/// The largest number of rooms of a person at once: more than anybody reads, and few enough to
/// search.
const SEATS_MAX: usize = 32;

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Moves to another room. It takes the new seat before it gives up the old one, so a refusal
    /// changes nothing.
    pub(super) async fn move_to(&mut self, room: RoomName) -> Option<Mail> {
        match self.take_seat(room, Start::Usual).await {
            Ok((seat, entered)) => {
                let departed = self.seat.mark_of_departure();
                self.tell_removed(&self.seat);
                self.link.reply(departed, Mail::Entered(entered));
                self.seat = seat; // the drop of the old seat leaves its room
                self.note_standing().await;
                None
            }
            Err(answer) => answer.map(Mail::Answer),
        }
    }

    /// Takes another seat.
    pub(super) async fn enter_too(&mut self, room: RoomName, start: Start) -> Option<Mail> {
        if self.others.len() + 1 >= SEATS_MAX {
            return Some(Mail::Answer(Refusal::TooManySeats(SEATS_MAX).into()));
        }
        match self.take_seat(room, start).await {
            Ok((seat, entered)) => {
                self.link.reply(seat.mark(), Mail::Entered(entered));
                self.others.push(mem::replace(&mut self.seat, seat));
                self.note_standing().await;
                None
            }
            Err(answer) => answer.map(Mail::Answer),
        }
    }

    /// Gives up a seat, if the person has another.
    pub(super) fn leave_one(&mut self, room: &RoomName) -> Result<(), Refusal> {
        if self.others.is_empty() && self.seat.room_name() == room {
            return Err(Refusal::LastSeat);
        }
        self.turn_to(room)?;
        self.get_up();
        Ok(())
    }

    /// Lets the person speak in this room from now on; the person has a seat there.
    pub(super) fn turn_to(&mut self, room: &RoomName) -> Result<(), Refusal> {
        if self.seat.room_name() == room {
            return Ok(());
        }
        let mut others = self.others.iter_mut();
        let seat = others.find(|seat| seat.room_name() == room);
        mem::swap(&mut self.seat, seat.ok_or(Refusal::NotThere)?);
        Ok(())
    }

    /// Leaves the rooms from which the person was removed, and goes to the lobby if no other room
    /// is left.
    pub(super) async fn move_out(&mut self) -> Result<(), SessionEnd> {
        let (removed, others) =
            mem::take(&mut self.others).into_iter().partition(|seat| seat.removed().is_some());
        self.others = others;
        let removed: Vec<Seat> = removed; // dropped seats leave their rooms
        removed.iter().for_each(|seat| self.tell_removed(seat));
        if self.seat.removed().is_none() {
            return Ok(());
        }
        if !self.others.is_empty() {
            self.tell_removed(&self.seat);
            self.get_up();
            return Ok(());
        }
        let refused = self.move_to(RoomName::lobby()).await;
        match self.seat.removed() {
            None if refused.is_none() => Ok(()),
            _ => Err(SessionEnd::Quit(None)), // it was the only room
        }
    }

    /// Gives up the seat where the person speaks. From now on the person speaks in the room entered
    /// last.
    fn get_up(&mut self) {
        if let Some(other) = self.others.pop() {
            self.seat = other;
        }
    }

    /// Tells the person the reason for a removal from a room.
    fn tell_removed(&self, seat: &Seat) {
        if let Some(act) = seat.removed().cloned() {
            let notice = Answer::Notice(Notice::Act(act));
            self.link.reply(seat.mark_of_departure(), Mail::Answer(notice));
        }
    }

    async fn take_seat(
        &mut self,
        room: RoomName,
        start: Start,
    ) -> Result<(Seat, Box<Entered>), Option<Answer>> {
        let replay = replay::lines_asked_for(&start, self.settings);
        match self.link.call(Change::Join { room, replay }).await {
            Outcome::Entered(seat, mut entered) => {
                replay::complete(&mut entered, &start, self.settings).await;
                Ok((seat, entered))
            }
            Outcome::Answer(answer) => Err(Some(answer)),
            _ => Err(None),
        }
    }
}
