//! Private messages of a session: it sends them, keeps those for an owner who is away, and shows the
//! owner those that were kept.

use parlor_core::link::{Answer, Change, MessageChange, PrivateMessage, Query, Refusal};
use parlor_core::model::{Line, Name, PersonId, Spoken, Who};

use super::participant::{Participant, are_notices};
use crate::journal::WaitingMessage;

/// A private message that is sent.
pub(super) struct Letter {
    /// The name of the other person, as typed.
    pub(super) to: Line,
    pub(super) lines: Vec<Spoken>,
    pub(super) is_for_programs: bool,
    /// Whether the person may write to themselves.
    pub(super) may_be_own: bool,
}

/// Writes to one person. A message to an owner who is away is kept, if people read it. A notice is
/// not answered, unless it was sent.
pub(super) async fn write_to(person: &mut Participant<'_>, letter: Letter) -> Option<Answer> {
    let Letter { to, lines, is_for_programs, may_be_own } = letter;
    let are_notices = are_notices(&lines);
    let query = Query::Private { to, lines: lines.clone(), is_for_programs, may_be_own };
    let answer = match person.ask(query).await? {
        Answer::Refused(Refusal::Away(owner)) if !is_for_programs => {
            keep(person, owner, lines).await
        }
        answer => answer,
    };
    if let Answer::Private(message) = &answer
        && let Some(text) = message.away.clone().filter(|_| !are_notices && !is_for_programs)
    {
        let name = message.to.clone();
        person.answer(answer).await;
        return Some(Answer::IsAway { name, text });
    }
    let is_sent = matches!(answer, Answer::Private(_));
    (is_sent || !are_notices).then_some(answer)
}

/// Keeps the lines of a message for an owner who is away.
async fn keep(person: &mut Participant<'_>, owner: Name, lines: Vec<Spoken>) -> Answer {
    let (Some(accounts), Ok(author)) = (person.settings.accounts.as_deref(), person.claim().await)
    else {
        return Refusal::Away(owner).into();
    };
    let (id, address) = (person.link.client().id(), person.peer.ip());
    for line in lines.into_iter().filter(|line| !line.text.is_blank()) {
        let spoken = Spoken::new(line.manner, line.text);
        let from = (author.clone(), id, address);
        if let Err(refusal) = accounts.messages.keep(owner.clone(), from, spoken).await {
            return refusal.into();
        }
    }
    Answer::KeptFor(owner)
}

/// Shows the messages that were kept while the owner was away.
pub(super) async fn deliver_messages(person: &mut Participant<'_>) {
    let Some(accounts) = person.settings.accounts.as_deref() else {
        return;
    };
    let Ok((name, _)) = person.own_name().await else {
        return;
    };
    // If reading fails, the operator's log says so, and the messages wait for the next time.
    let messages = accounts.messages.waiting(&name).await.unwrap_or_default();
    let Some(last) = messages.last().map(|message| message.number) else {
        return;
    };
    person.answer(Answer::WhileAway(messages.len())).await;
    for WaitingMessage { number, at, from, spoken } in messages {
        let (from, to, lines) = (Who::new(PersonId::BYGONE, from), name.clone(), vec![spoken]);
        let (is_for_programs, away, is_last) = (false, None, number == last);
        let message = PrivateMessage { number, at, from, to, lines, is_for_programs, away }.into();
        person.answer(Answer::KeptMessage { message, is_last }).await;
    }
    if !person.link.drained().await {
        return; // the unread messages wait for the next time
    }
    // If this fails, they are shown once more.
    person.ask(Change::Message(Box::new(MessageChange::Delivered { last }))).await;
}
