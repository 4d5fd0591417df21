//! The return code of a person, and the place that is stored with it.

use parlor_core::link::{Answer, Refusal, Spec};

use super::participant::Participant;
use crate::accounts::{Accounts, ReturnPlace};

/// Shows the return code, and makes it at the first request.
pub(super) async fn show_code(
    person: &mut Participant<'_>,
    spec: &'static Spec,
) -> Result<Answer, Refusal> {
    if let Some(code) = &person.code {
        return Ok(Answer::Code(code.0.shown()));
    }
    let accounts = person.accounts(spec)?;
    make_code(person, accounts).await
}

/// Makes a return code.
pub(super) async fn make_code(
    person: &mut Participant<'_>,
    accounts: &Accounts,
) -> Result<Answer, Refusal> {
    let place = place(person).await?;
    let code = accounts.codes.make(person.link.client(), person.seat.room(), &place).await?;
    let shown = code.shown();
    person.code = Some(Box::new((code, place)));
    Ok(Answer::Code(shown))
}

/// Stores the person's new room or new name, if there is a code.
pub(super) async fn store_place(person: &mut Participant<'_>) {
    if let Some(accounts) = person.settings.accounts.as_deref()
        && person.code.is_some()
        && let Ok(new_place) = place(person).await
        && let Some(code) = &mut person.code
    {
        let (code, place) = &mut **code;
        *place = new_place;
        let (client, room) = (person.link.client(), person.seat.room());
        // If storing fails, the operator's log says so.
        accounts.codes.store_place(code, client, room, place).await.ok();
    }
}

/// The person's place now: after the last written line if that is known, otherwise at the end.
async fn place(person: &mut Participant<'_>) -> Result<ReturnPlace, Refusal> {
    let claim = person.claim().await?;
    let read = person.link.client().read_to(person.seat.room());
    Ok(ReturnPlace {
        claim,
        room: person.seat.room_name().clone(),
        seq: read.unwrap_or(person.seat.log().end().seq),
    })
}
