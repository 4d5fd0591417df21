//! Logging in and registering without a question, for doors that ask none.

use parlor_core::link::{Answer, Change, Command, Refusal, Spec};
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

/// Registers the person's name with this password. If the name is the person's own already, it gets
/// this password instead of its old one, if `or_changes` says so.
pub(super) async fn register(
    person: &mut Participant<'_>,
    password: Line,
    or_changes: bool,
) -> Result<Answer, Refusal> {
    let claim = person.claim().await?;
    match (claim.proof(), &claim.account) {
        (None, None) => {}
        (Some(_), _) if or_changes => return change_password(person, password).await,
        (_, account) => {
            let name = account.as_ref().map_or(&claim.name, |account| &account.name);
            return Err(Refusal::HasAccount(name.clone()));
        }
    }
    let name = claim.name;
    let passwords = &can_register(person, &name, register_command()?)?.passwords;
    let (since, by) = (person.named_at, person.link.client().id());
    passwords.register(name.clone(), password, since, person.peer.ip(), by).await?;
    store_place(person).await; // so that the owner returns as the owner
    Ok(Answer::Registered(name))
}

/// Gives the account to which the person is logged in, under any name, another password.
pub(super) async fn change_password(
    person: &mut Participant<'_>,
    password: Line,
) -> Result<Answer, Refusal> {
    let account = person.claim().await?.account.ok_or(Refusal::NotOwner)?;
    let ProvenAccount { name, proof } = account;
    let passwords = &can_register(person, &name, register_command()?)?.passwords;
    let by = person.link.client().id();
    passwords.change((name.clone(), proof), password, false, person.peer.ip(), by).await?;
    Ok(Answer::PasswordChanged { name, keeps_token: false })
}

/// The command of the line dialect for both.
fn register_command() -> Result<&'static Spec, Refusal> {
    Command::named("/register").ok_or(Refusal::NoPassword)
}
