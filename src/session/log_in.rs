//! Logging in and registering without a question, for doors that ask none.

use parlor_core::link::{Answer, Command, Refusal};
use parlor_core::model::{Claim, Line, Name};

use super::account::can_register;
use super::participant::Participant;
use super::return_code::store_place;
use super::settings::{Peer, SessionSettings};

/// Proves with its password that somebody owns a name. The claim has the name as it was registered.
///
/// # Errors
/// The password is wrong, or cannot be checked here or now.
pub(super) async fn prove(
    settings: &SessionSettings,
    peer: &Peer,
    typed: &Line,
    password: Line,
) -> Result<Claim, Refusal> {
    let name = Name::parse(typed.as_str())?;
    let Some(accounts) = settings.accounts.as_deref() else {
        return Err(Refusal::WrongPassword(name)); // nobody owns a name here
    };
    if !peer.is_private {
        return Err(Refusal::PlainPassword);
    }
    accounts.passwords.log_in(&name, password, peer.address).await
}

/// Proves that the person owns a name, which they may have another time.
pub(super) async fn log_in(
    person: &mut Participant<'_>,
    name: &Line,
    password: Line,
) -> Result<Answer, Refusal> {
    let claim = prove(person.settings, &person.peer, name, password).await?;
    let name = claim.name.clone();
    person.proven = Some(Box::new(claim));
    Ok(Answer::LoggedIn(name))
}

/// Registers the person's name with this password.
pub(super) async fn register(
    person: &mut Participant<'_>,
    password: Line,
) -> Result<Answer, Refusal> {
    let Claim { name, proof } = person.claim().await?;
    if proof.is_some() {
        return Err(Refusal::NameOwned(name)); // by this person
    }
    let spec = Command::named("/register").ok_or(Refusal::NoPassword)?;
    let passwords = &can_register(person, &name, spec)?.passwords;
    let (since, by) = (person.named_at, person.link.client().id());
    passwords.register(name.clone(), password, since, person.peer.address, by).await?;
    store_place(person).await; // so that the owner returns as the owner
    Ok(Answer::Registered(name))
}
