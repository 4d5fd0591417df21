//! The return code of a person.

use parlor_core::link::{Answer, Change, CodeChange, Refusal, Seat, Spec};
use parlor_core::model::RoomId;

use super::participant::Participant;
use crate::accounts::{Code, HeldCode};

/// Shows the return code, and makes it at the first request.
pub(super) async fn show_code(
    person: &mut Participant<'_>,
    spec: &'static Spec,
) -> Result<Answer, Refusal> {
    if let Some(held) = &person.code {
        return Ok(Answer::Code(held.code.shown()));
    }
    person.accounts(spec)?;
    make_code(person).await
}

/// Makes a return code.
pub(super) async fn make_code(person: &mut Participant<'_>) -> Result<Answer, Refusal> {
    let (code, room) = (Code::new()?, room_of(person));
    let make = Change::Code(CodeChange::Make { code: code.hashed(), room });
    if let Some(Answer::Refused(refusal)) = person.ask(make).await {
        return Err(refusal);
    }
    let shown = code.shown();
    person.code = Some(Box::new(HeldCode { code, room }));
    Ok(Answer::Code(shown))
}

/// The room to which a code leads now; none for a person without a seat.
fn room_of(person: &Participant<'_>) -> Option<RoomId> {
    person.here().map(Seat::room).ok()
}

/// Stores the person's new room or new name, if there is a code.
pub(super) async fn store_place(person: &mut Participant<'_>) {
    let room = room_of(person);
    let Some(held) = &mut person.code else {
        return;
    };
    held.room = room;
    let code = held.code.hashed();
    // If storing fails, the operator's log says so.
    person.ask(Change::Code(CodeChange::Move { code, room })).await;
}
