//! A session's work for the owner of a name: passwords, tokens, deletion of lines.
//!
//! A question for a password is a value: the reading half asks it, and gives the next line back.

use parlor_core::link::{Answer, Change, Refusal, Spec};
use parlor_core::model::{Claim, Line, Name};

use super::participant::{Effect, NewPassword, Participant, PasswordQuestion};
use super::return_code::{make_code, store_place};
use crate::accounts::{Accounts, is_same_password};
use crate::journal::Owner;

/// `/register` asks twice.
const ANSWERS_TO_REGISTER: usize = 2;

/// Registers the person's name, or changes its password.
pub(super) async fn register(
    person: &mut Participant<'_>,
    keeps_token: bool,
    spec: &'static Spec,
) -> Result<Effect, Refusal> {
    if person.question.is_some() {
        return Err(Refusal::AnswerFirst);
    }
    if !person.settings.asks_passwords {
        return Err(Refusal::NoPassword);
    }
    let claim = person.claim().await?;
    let (proof, name) = (claim.proof(), claim.name);
    let chars_min = match can_register(person, &name, spec) {
        Ok(accounts) => accounts.passwords.chars_min,
        Err(refusal) => {
            let answers = ANSWERS_TO_REGISTER + usize::from(proof.is_some());
            return Ok(Effect::AskNothing(refusal, answers));
        }
    };
    let new = NewPassword { name, proof, keeps_token, chars_min };
    Ok(ask(match proof {
        None => PasswordQuestion::New(new),
        Some(_) => PasswordQuestion::Present(new),
    }))
}

/// The accounts, if this person can have a password for the present name.
pub(super) fn can_register<'a>(
    person: &Participant<'a>,
    name: &Name,
    spec: &'static Spec,
) -> Result<&'a Accounts, Refusal> {
    let accounts = person.accounts(spec)?;
    if !person.peer.is_private {
        return Err(Refusal::PlainPassword);
    }
    Name::parse_owned(name.as_str()).map_err(|_| Refusal::NoNameToOwn)?;
    Ok(accounts)
}

/// Takes another name, with its proof or password if it is registered.
pub(super) async fn rename(person: &mut Participant<'_>, typed: &Line) -> Result<Effect, Refusal> {
    if person.question.is_some() {
        return Err(Refusal::AnswerFirst);
    }
    let name = person.settings.name(typed.as_str()).await?;
    match take_name(person, name.clone().into()).await {
        Some(Answer::Refused(Refusal::NameOwned(owned))) => take_owned(person, owned, name),
        answer => Ok(answer.into()),
    }
}

/// Asks for the password of the registered name `owned`, before the person takes it as `name`.
fn take_owned(person: &Participant<'_>, owned: Name, name: Name) -> Result<Effect, Refusal> {
    if !person.settings.asks_passwords || person.settings.accounts.is_none() {
        return Err(Refusal::NameOwned(owned));
    }
    Ok(match person.peer.is_private {
        true => ask(PasswordQuestion::Of { owned, name }),
        false => Effect::AskNothing(Refusal::PlainPassword, 1),
    })
}

async fn take_name(person: &mut Participant<'_>, claim: Claim) -> Option<Answer> {
    let answer = person.ask(Change::Rename(claim)).await;
    if let Some(Answer::YouAre(_)) = answer {
        person.named_at = person.settings.clock.now().wall;
        person.is_named = true;
        person.may_have_messages = true;
        store_place(person).await;
    }
    answer
}

fn ask(question: PasswordQuestion) -> Effect {
    Effect::Ask(Box::new(question))
}

/// Takes the answer to a question for a password. A wrong one is asked for again until an empty
/// line cancels, so the next guess is never posted in the room.
pub(super) async fn answer(
    person: &mut Participant<'_>,
    question: PasswordQuestion,
    typed: Line,
) -> Result<Effect, Refusal> {
    let Some(accounts) = person.settings.accounts.as_deref().filter(|_| !typed.as_str().is_empty())
    else {
        return Err(match question {
            PasswordQuestion::Of { owned, .. } => Refusal::NameOwned(owned),
            _ => Refusal::NoPassword,
        });
    };
    let (passwords, address) = (&accounts.passwords, person.peer.ip());
    match question {
        PasswordQuestion::Of { owned, name } => {
            match passwords.prove(&owned, typed, address).await {
                Ok(proof) => Ok(take_name(person, Claim::of_owner(name, proof)).await.into()),
                Err(refusal) => {
                    ask_again(person, refusal, PasswordQuestion::Of { owned, name }).await
                }
            }
        }
        PasswordQuestion::Present(new) => match passwords.prove(&new.name, typed, address).await {
            Ok(proof) => {
                let new = NewPassword { proof: Some(proof), ..new };
                Ok(ask(PasswordQuestion::New(new)))
            }
            Err(refusal) => ask_again(person, refusal, PasswordQuestion::Present(new)).await,
        },
        PasswordQuestion::New(new) => match passwords.can_be_set(&typed) {
            Ok(()) => Ok(ask(PasswordQuestion::Again(new, typed))),
            Err(refusal) => ask_again(person, refusal, PasswordQuestion::New(new)).await,
        },
        PasswordQuestion::Again(new, first) => {
            match is_same_password(typed.as_str(), first.as_str()) {
                true => set_password(person, accounts, new, first).await,
                false => {
                    let refusal = Refusal::PasswordsDiffer;
                    ask_again(person, refusal, PasswordQuestion::New(new)).await
                }
            }
        }
    }
}

/// Tells why an answer is refused, and asks again if another one may be right.
async fn ask_again(
    person: &Participant<'_>,
    refusal: Refusal,
    question: PasswordQuestion,
) -> Result<Effect, Refusal> {
    if let Refusal::NameReleased(_) = refusal {
        return Err(refusal); // no password is right
    }
    person.answer(refusal).await;
    Ok(ask(question))
}

/// Stores a password: the first one of a name, or, with a proof, a later one. Asks for another one
/// if that helps.
async fn set_password(
    person: &mut Participant<'_>,
    accounts: &Accounts,
    new: NewPassword,
    password: Line,
) -> Result<Effect, Refusal> {
    let (passwords, name) = (&accounts.passwords, new.name.clone());
    let (address, by) = (person.peer.ip(), person.link.client().id());
    let stored = match new.proof {
        None => passwords.register(name, password, person.named_at, address, by).await,
        Some(proof) => {
            passwords.change((name, proof), password, new.keeps_token, address, by).await
        }
    };
    match stored {
        Ok(()) => password_is_set(person, new).await,
        Err(
            refusal @ (Refusal::NameOwned(_)
            | Refusal::NotOwner
            | Refusal::TooManyNames
            | Refusal::TooManyNamesFromHere),
        ) => Err(refusal),
        Err(refusal) => ask_again(person, refusal, PasswordQuestion::New(new)).await,
    }
}

/// Tells that a password is set. A new code replaces the one that was shown under an earlier
/// password.
async fn password_is_set(
    person: &mut Participant<'_>,
    NewPassword { name, proof, keeps_token, .. }: NewPassword,
) -> Result<Effect, Refusal> {
    if proof.is_none() {
        store_place(person).await; // so that the owner returns as the owner
        return Ok(Answer::Registered(name).into());
    }
    let changed = Answer::PasswordChanged { name, keeps_token };
    if person.code.take().is_none() {
        return Ok(changed.into());
    }
    person.answer(changed).await;
    Ok(make_code(person).await?.into())
}

/// Makes or revokes the token for scripts under the name of the person's account.
pub(super) async fn token(
    person: &mut Participant<'_>,
    revoke: bool,
    spec: &'static Spec,
) -> Result<Answer, Refusal> {
    let tokens = &person.accounts(spec)?.tokens;
    let (name, proof) = person.account().await?;
    match revoke {
        true => tokens.revoke(name, proof).await.map(Answer::TokenRevoked),
        false => tokens.make(name, proof).await.map(Answer::Token),
    }
}

/// Tells which lines `/forget` would delete, or deletes them: first from the logs, which people
/// read, and then from the file.
pub(super) async fn delete_lines(
    person: &mut Participant<'_>,
    all: bool,
    spec: &'static Spec,
) -> Result<Answer, Refusal> {
    let accounts = person.accounts(spec)?;
    let forgetting = person.settings.forgetting.as_ref().ok_or(Refusal::NeedsDisk(spec))?;
    let (name, _) = person.account().await?;
    if !all {
        return Ok(Answer::CanDelete(name));
    }
    let now = person.settings.clock.now().wall;
    let since = accounts.names.owned_since(name.clone(), now).await.ok_or(Refusal::NotOwner)?;
    let id = person.link.client().id();
    let lines = forgetting.forget(Owner { id, name, since }).await?;
    Ok(Answer::Deleted(lines as u64))
}
