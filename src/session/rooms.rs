//! The rooms of a session: takes seats and gives them up.

use std::mem;

use parlor_core::link::{
    Answer, Change, Mail, NewSeat, Notice, Outcome, Query, Refusal, Seat, Seats, Start,
};
use parlor_core::model::{Here, Line, RoomName};

use super::ended::SessionEnd;
use super::participant::{Participant, take_seat};
use super::replay;
use super::return_code::store_place;

/// The largest number of rooms of a person at once: more than anybody reads, and few enough to
/// search.
pub(crate) const SEATS_MAX: usize = 100;

/// A room, and its password as typed.
type WithPassword = (RoomName, Option<Line>);

/// Moves to another room. It takes the new seat before it gives up the old one, so a refusal
/// changes nothing.
pub(super) async fn move_to(
    person: &mut Participant<'_>,
    room: WithPassword,
) -> Result<(), Answer> {
    let (seat, entered) = take_seat_in(person, room, Start::Usual).await?;
    let left = person.seats.pop();
    left.iter().for_each(|seat| tell_removed(person, seat));
    let behind = left.iter().map(Seat::mark_of_departure).collect();
    person.link.reply(behind, Mail::Entered(entered));
    person.seats.push(seat);
    drop(left); // leaves its room
    store_place(person).await;
    Ok(())
}

/// Takes another seat.
pub(super) async fn enter_too(
    person: &mut Participant<'_>,
    room: WithPassword,
    start: Start,
) -> Result<(), Answer> {
    if person.seats.len() >= SEATS_MAX {
        return Err(Refusal::TooManySeats(SEATS_MAX).into());
    }
    let (seat, entered) = take_seat_in(person, room, start).await?;
    person.seats.push(seat);
    person.link.reply(person.mark(), Mail::Entered(entered));
    store_place(person).await;
    Ok(())
}

async fn take_seat_in(
    person: &mut Participant<'_>,
    (room, password): WithPassword,
    start: Start,
) -> Result<NewSeat, Answer> {
    let replay = replay::lines_asked_for(&start, person.settings);
    let (password, tried) = person.settings.room_tries.take(&room, password, person.peer.ip());
    let request = Change::Join { room, password, replay };
    let (seat, mut entered) = match take_seat(&mut person.link, request).await {
        Err(Answer::Refused(refusal)) => return Err(tried.refused(refusal).into()),
        taken => taken?,
    };
    drop(tried);
    replay::complete(&mut entered, &start, person.settings).await;
    Ok((seat, entered))
}

/// Gives up a seat, with these last words.
pub(super) async fn leave_one(
    person: &mut Participant<'_>,
    room: &RoomName,
    words: Option<Line>,
) -> Result<(), Refusal> {
    let index = index_of(person, room)?;
    let seat = person.seats.remove(index);
    person.note_left(&seat);
    seat.leave(words);
    store_place(person).await;
    Ok(())
}

/// Gives up all seats.
pub(super) async fn leave_all(person: &mut Participant<'_>) {
    for seat in mem::take(&mut person.seats) {
        person.note_left(&seat);
        seat.leave(None);
    }
    store_place(person).await;
}

/// The reason why a person who has no seat in a room can do nothing there: `refusal`, unless there
/// is no such room.
pub(super) async fn absent(
    person: &mut Participant<'_>,
    room: RoomName,
    refusal: Refusal,
) -> Refusal {
    match person.ask(Query::Topic(room)).await {
        Some(Answer::Refused(none @ Refusal::NoRoom(_))) => none,
        _ => refusal,
    }
}

/// Lets the person speak in this room from now on; the person has a seat there.
pub(super) fn turn_to(person: &mut Participant<'_>, room: &RoomName) -> Result<(), Refusal> {
    let index = index_of(person, room)?;
    person.seats[index..].rotate_left(1);
    Ok(())
}

fn index_of(person: &Participant<'_>, room: &RoomName) -> Result<usize, Refusal> {
    let mut seats = person.seats.iter();
    seats.rposition(|seat| seat.room_name() == room).ok_or(Refusal::NotThere)
}

/// Leaves the rooms from which the person was removed. A person who does not choose rooms goes to
/// the lobby if no other room is left.
pub(super) async fn move_out(
    person: &mut Participant<'_>,
    chooses_rooms: bool,
) -> Result<(), SessionEnd> {
    let seats = mem::take(&mut person.seats).into_iter();
    let (removed, seats): (Seats, Seats) = seats.partition(|seat| seat.removed().is_some());
    person.seats = seats;
    removed.iter().for_each(|seat| tell_removed(person, seat));
    let behind = removed.iter().map(Seat::mark_of_departure).collect();
    drop(removed); // dropped seats leave their rooms
    if person.seats.is_empty() && !chooses_rooms {
        let lobby = take_seat_in(person, (RoomName::lobby(), None), Start::Usual).await;
        let (seat, entered) = lobby.map_err(|_| SessionEnd::Quit(None))?; // it was the only room
        person.link.reply(behind, Mail::Entered(entered));
        person.seats.push(seat);
    }
    store_place(person).await;
    Ok(())
}

/// Tells the person the reason for a removal from a room.
fn tell_removed(person: &Participant<'_>, seat: &Seat) {
    if let Some(act) = seat.removed().cloned() {
        let notice = Answer::Notice(Notice::Act(act));
        person.link.reply(seat.mark_of_departure(), Mail::Answer(notice));
    }
}

/// Lists everybody in a room, page by page, each as soon as the mailbox has space for it. Returns
/// the refusal, if there is one.
pub(super) async fn list_people(person: &mut Participant<'_>, room: RoomName) -> Option<Answer> {
    let mut from = 0;
    loop {
        person.link.wait_for_space().await;
        from = match person.link.call(Query::People { room: room.clone(), from }).await {
            Outcome::Page(next) => next?, // a person in the room has it already
            Outcome::Answer(Answer::People(page)) => {
                let next = page.next;
                person.answer(Answer::People(page)).await;
                next?
            }
            Outcome::Answer(answer) => return Some(answer),
            _ => return None,
        };
    }
}

/// Lists the bans of a room, like [`list_people`].
pub(super) async fn list_bans(person: &mut Participant<'_>, room: RoomName) -> Option<Answer> {
    let page = |skip| Query::Bans { here: Here::RoomOnly(room.clone()), skip };
    let mut shown = 0;
    let next = |answer: &Answer| match answer {
        Answer::Bans { bans, others: 1.. } => {
            shown += bans.len();
            Some(page(shown))
        }
        _ => None,
    };
    list_pages(person, page(0), next).await
}

/// Lists everybody on the server whom a mask may find, like [`list_people`].
pub(super) async fn find_people(person: &mut Participant<'_>) -> Option<Answer> {
    let next = |answer: &Answer| match answer {
        Answer::Findable(page) => page.next.map(|from| Query::Findable { from }),
        _ => None,
    };
    list_pages(person, Query::Findable { from: 0 }, next).await
}

/// Lists all rooms, like [`list_people`].
pub(super) async fn list_rooms(person: &mut Participant<'_>) -> Option<Answer> {
    let next = |answer: &Answer| match answer {
        Answer::AllRooms(page) => {
            page.next.clone().map(|room| Query::AllRooms { after: Some(room) })
        }
        _ => None,
    };
    list_pages(person, Query::AllRooms { after: None }, next).await
}

/// Asks for one page after the other, each as soon as the mailbox has space for it. `next` is the
/// question for the page behind an answer. Returns the last answer, which may be a refusal.
async fn list_pages(
    person: &mut Participant<'_>,
    mut query: Query,
    mut next: impl FnMut(&Answer) -> Option<Query>,
) -> Option<Answer> {
    loop {
        person.link.wait_for_space().await;
        let answer = person.ask(query).await?;
        query = match next(&answer) {
            Some(query) => query,
            None => return Some(answer),
        };
        person.answer(answer).await;
    }
}
