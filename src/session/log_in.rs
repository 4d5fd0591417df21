//! Logging in and registering without a question, for doors that ask none.

use parlor_core::link::{Answer, Change, Command, Refusal, Spec};
use parlor_core::model::{Claim, Line, Name, ProvenAccount};

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
    let name = Name::parse_owned(typed.as_str())?;
    let Some(accounts) = settings.accounts.as_deref() else {
        return Err(Refusal::NoAccount(name)); // nobody owns a name here
    };
    if !peer.is_private {
        return Err(Refusal::PlainPassword);
    }
    accounts.passwords.log_in(&name, password, peer.ip()).await
}

/// Logs in to an account, that of the present name if none is given, which the person has from now on under any name.
pub(super) async fn log_in(
    person: &mut Participant<'_>,
    name: Option<Line>,
    password: Line,
) -> Result<Option<Answer>, Refusal> {
    let name = match name {
        Some(name) => name,
        None => Line::sanitise(person.claim().await?.name.as_str().as_bytes()),
    };
    let account = prove(person.settings, &person.peer, &name, password).await?;
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
///
/// # Errors
/// The person has an account, whose password this does not change; or there can be no other one.
pub(super) async fn register(
    person: &mut Participant<'_>,
    password: Line,
) -> Result<Answer, Refusal> {
    let Claim { name, account } = person.claim().await?;
    if let Some(account) = account {
        return Err(Refusal::HasAccount(account.name));
    }
    let passwords = &can_register(person, &name, register_command()?)?.passwords;
    let (since, by) = (person.named_at, person.link.client().id());
    passwords.register(name.clone(), password, since, person.peer.ip(), by).await?;
    store_place(person).await; // so that the owner returns as the owner
    Ok(Answer::Registered(name))
}

/// Gives the account to which the person is logged in, under any name, another password. Being logged
/// in is not enough: a client that somebody has left alone does not know the present password.
pub(super) async fn change_password(
    person: &mut Participant<'_>,
    present: Line,
    password: Line,
) -> Result<Answer, Refusal> {
    let (name, _) = person.account().await?;
    let passwords = &can_register(person, &name, register_command()?)?.passwords;
    let (address, by) = (person.peer.ip(), person.link.client().id());
    let proof = passwords.prove(&name, present, address).await?;
    passwords.change((name.clone(), proof), password, false, address, by).await?;
    Ok(Answer::PasswordChanged { name, keeps_token: false })
}

/// The command of the line dialect for both.
fn register_command() -> Result<&'static Spec, Refusal> {
    Command::named("/register").ok_or(Refusal::NoPassword)
}
