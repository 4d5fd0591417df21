//! Logging in and registering without a question, for doors that ask none.

use parlor_core::link::{Answer, Change, Command, Refusal};
use parlor_core::model::{Line, Name, ProvenAccount};

use super::account::can_register;
use super::participant::Participant;
use super::return_code::store_place;
use super::settings::{Peer, SessionSettings};

/// Proves with its password that somebody owns a name.
///
/// # Errors
/// The password is wrong, or cannot be checked here or now.
pub(super) async fn prove(
    settings: &SessionSettings,
    peer: &Peer,
    typed: &Line,
    password: Line,
) -> Result<ProvenAccount, Refusal> {
    let name = Name::parse(typed.as_str())?;
    let Some(accounts) = settings.accounts.as_deref() else {
        return Err(Refusal::WrongPassword(name)); // nobody owns a name here
    };
    if !peer.is_private {
        return Err(Refusal::PlainPassword);
    }
    accounts.passwords.log_in(&name, password, peer.address).await
}

/// Logs in to an account, which the person has from now on under any name.
pub(super) async fn log_in(
    person: &mut Participant<'_>,
    name: &Line,
    password: Line,
) -> Result<Option<Answer>, Refusal> {
    let account = prove(person.settings, &person.peer, name, password).await?;
    let answer = person.ask(Change::LogIn(account)).await;
    if let Some(Answer::LoggedIn(_)) = answer {
        store_place(person).await; // so that the person returns with the account
    }
    Ok(answer)
}

/// Takes the authority of a keeper of the server, whose password this is.
pub(super) async fn oper(
    person: &mut Participant<'_>,
    name: &Line,
    password: Line,
) -> Result<Option<Answer>, Refusal> {
    let account = prove(person.settings, &person.peer, name, password).await?;
    Ok(person.ask(Change::Oper(account)).await)
}

/// Registers the person's name with this password.
pub(super) async fn register(
    person: &mut Participant<'_>,
    password: Line,
) -> Result<Answer, Refusal> {
    let claim = person.claim().await?;
    let name = claim.name.clone();
    if let Some(account) = claim.account {
        return Err(Refusal::LoggedIn(account.name));
    }
    let spec = Command::named("/register").ok_or(Refusal::NoPassword)?;
    let passwords = &can_register(person, &name, spec)?.passwords;
    let (since, by) = (person.named_at, person.link.client().id());
    passwords.register(name.clone(), password, since, person.peer.address, by).await?;
    store_place(person).await; // so that the owner returns as the owner
    Ok(Answer::Registered(name))
}
