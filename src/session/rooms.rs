//! The rooms of a session: takes seats and gives them up.

use std::mem;

use parlor_core::link::{Answer, Change, Mail, NewSeat, Notice, Refusal, Seat, Start};
use parlor_core::model::RoomName;

use super::ended::SessionEnd;
use super::participant::{Participant, take_seat};
use super::replay;
use super::return_code::store_place;

/// The largest number of rooms of a person at once: more than anybody reads, and few enough to
/// search.
const SEATS_MAX: usize = 100;

/// Moves to another room. It takes the new seat before it gives up the old one, so a refusal
/// changes nothing.
pub(super) async fn move_to(person: &mut Participant<'_>, room: RoomName) -> Result<(), Answer> {
    let (seat, entered) = take_seat_in(person, room, Start::Usual).await?;
    tell_removed(person, &person.seat);
    person.link.reply(person.seat.mark_of_departure(), Mail::Entered(entered));
    person.seat = seat; // the drop of the old seat leaves its room
    store_place(person).await;
    Ok(())
}

/// Takes another seat.
pub(super) async fn enter_too(
    person: &mut Participant<'_>,
    room: RoomName,
    start: Start,
) -> Result<(), Answer> {
    if person.others.len() + 1 >= SEATS_MAX {
        return Err(Refusal::TooManySeats(SEATS_MAX).into());
    }
    let (seat, entered) = take_seat_in(person, room, start).await?;
    person.link.reply(seat.mark(), Mail::Entered(entered));
    person.others.push(mem::replace(&mut person.seat, seat));
    store_place(person).await;
    Ok(())
}

async fn take_seat_in(
    person: &mut Participant<'_>,
    room: RoomName,
    start: Start,
) -> Result<NewSeat, Answer> {
    let replay = replay::lines_asked_for(&start, person.settings);
    let (seat, mut entered) = take_seat(&mut person.link, Change::Join { room, replay }).await?;
    replay::complete(&mut entered, &start, person.settings).await;
    Ok((seat, entered))
}

/// Gives up a seat, if the person has another.
pub(super) fn leave_one(person: &mut Participant<'_>, room: &RoomName) -> Result<(), Refusal> {
    if person.others.is_empty() && person.seat.room_name() == room {
        return Err(Refusal::LastSeat);
    }
    turn_to(person, room)?;
    get_up(person);
    Ok(())
}

/// Lets the person speak in this room from now on; the person has a seat there.
pub(super) fn turn_to(person: &mut Participant<'_>, room: &RoomName) -> Result<(), Refusal> {
    if person.seat.room_name() == room {
        return Ok(());
    }
    let mut others = person.others.iter_mut();
    let seat = others.find(|seat| seat.room_name() == room);
    mem::swap(&mut person.seat, seat.ok_or(Refusal::NotThere)?);
    Ok(())
}

/// Leaves the rooms from which the person was removed, and goes to the lobby if no other room is
/// left.
pub(super) async fn move_out(person: &mut Participant<'_>) -> Result<(), SessionEnd> {
    let others = mem::take(&mut person.others).into_iter();
    let (removed, others): (Vec<Seat>, _) = others.partition(|seat| seat.removed().is_some());
    person.others = others;
    removed.iter().for_each(|seat| tell_removed(person, seat));
    drop(removed); // dropped seats leave their rooms
    if person.seat.removed().is_none() {
        return Ok(());
    }
    if !person.others.is_empty() {
        tell_removed(person, &person.seat);
        get_up(person);
        return Ok(());
    }
    let moved = move_to(person, RoomName::lobby()).await;
    match person.seat.removed() {
        None if moved.is_ok() => Ok(()),
        _ => Err(SessionEnd::Quit(None)), // it was the only room
    }
}

/// Gives up the seat where the person speaks. From now on the person speaks in the room entered
/// last.
fn get_up(person: &mut Participant<'_>) {
    if let Some(other) = person.others.pop() {
        person.seat = other;
    }
}

/// Tells the person the reason for a removal from a room.
fn tell_removed(person: &Participant<'_>, seat: &Seat) {
    if let Some(act) = seat.removed().cloned() {
        let notice = Answer::Notice(Notice::Act(act));
        person.link.reply(seat.mark_of_departure(), Mail::Answer(notice));
    }
}
