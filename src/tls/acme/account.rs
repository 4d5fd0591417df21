//! The account of this server at an authority, and its file. Asks for no certificate.

use std::fs;
use std::io;

use instant_acme::{Account as AcmeAccount, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};

use super::client::AuthorityClient;
use super::failed::TryFailed;
use crate::tls::issued::IssuedPlace;
use crate::tls::pair;

const FILE: &str = "account.json";

/// The account as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredAccount {
    /// The directory of the authority that has it.
    directory: String,
    /// The mail address that the authority knows.
    contact: Option<String>,
    /// The key, and its name at the authority.
    account: AccountCredentials,
}

/// The account at the authority with this directory: the one that is stored, or a new one. The
/// authority knows the contact then.
pub(super) async fn open(
    place: &IssuedPlace,
    client: &AuthorityClient,
    directory: &str,
    contact: Option<&str>,
) -> Result<AcmeAccount, TryFailed> {
    let mail = contact.map(|mail| format!("mailto:{mail}"));
    let mail: Vec<&str> = mail.as_deref().into_iter().collect();
    let builder = AcmeAccount::builder_with_http(Box::new(client.clone()));
    match read(place)?.filter(|stored| stored.directory == directory) {
        Some(stored) if stored.contact.as_deref() == contact => {
            Ok(builder.from_credentials(stored.account).await?)
        }
        Some(stored) => {
            let account = builder.from_credentials(stored.account).await?;
            account.update_contacts(&mail).await?;
            if let Some(stored) = read(place)? {
                let contact = contact.map(str::to_owned);
                write(place, &StoredAccount { contact, ..stored }).await?;
            }
            Ok(account)
        }
        None => {
            let wanted = NewAccount {
                contact: &mail,
                terms_of_service_agreed: true,
                only_return_existing: false,
            };
            let directory = directory.to_owned();
            let (account, made) = builder.create(&wanted, directory.clone(), None).await?;
            let contact = contact.map(str::to_owned);
            write(place, &StoredAccount { directory, contact, account: made }).await?;
            Ok(account)
        }
    }
}

/// Whether the authority with this directory knows another contact.
pub(super) fn has_other_contact(
    place: &IssuedPlace,
    directory: &str,
    contact: Option<&str>,
) -> bool {
    let stored = read(place).ok().flatten().filter(|stored| stored.directory == directory);
    stored.is_some_and(|stored| stored.contact.as_deref() != contact)
}

/// Forgets an account that the authority does not know any more.
pub(super) fn forget(place: &IssuedPlace) {
    fs::remove_file(place.file(FILE)).ok(); // if it stays, the next try tells the same
}

fn read(place: &IssuedPlace) -> Result<Option<StoredAccount>, TryFailed> {
    let path = place.file(FILE);
    let text = match pair::read_file(&path) {
        Err(pair::NoCertificate::Unreadable { error, .. })
            if error.kind() == io::ErrorKind::NotFound =>
        {
            return Ok(None);
        }
        text => text?,
    };
    let stored = serde_json::from_slice(&text);
    stored.map(Some).map_err(|_| TryFailed::DamagedAccount(path))
}

async fn write(place: &IssuedPlace, account: &StoredAccount) -> Result<(), TryFailed> {
    let text = serde_json::to_string(account).unwrap_or_default();
    Ok(place.write_aside(FILE, text).await?)
}
