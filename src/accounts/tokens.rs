//! Tokens, with which scripts speak under a registered name. Knows no script.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_core::link::Refusal;
use parlor_core::model::{Line, Name, Proof};
use rusqlite::{Connection, params};

use super::code::Code;
use super::hashed::Hashed;
use super::passwords::Passwords;
use crate::journal::Sql;

/// The tokens of names.
pub(crate) struct Tokens {
    pub(super) passwords: Arc<Passwords>,
}

impl Tokens {
    /// Makes a new token for a name, which replaces the old one.
    ///
    /// # Errors
    /// The proof is older than the last change, or the file cannot be written.
    pub(crate) async fn make(&self, name: Name, proof: Proof) -> Result<Line, Refusal> {
        let token = Code::new()?;
        self.put(name, proof, Some(token.hashed())).await?;
        Ok(token.shown())
    }

    /// Ends the token for a name. Returns whether there was one.
    ///
    /// # Errors
    /// The proof is older than the last change, or the file cannot be written.
    pub(crate) async fn revoke(&self, name: Name, proof: Proof) -> Result<bool, Refusal> {
        self.put(name, proof, None).await
    }

    /// Stores a token. Returns whether there was one before.
    async fn put(&self, name: Name, proof: Proof, token: Option<Hashed>) -> Result<bool, Refusal> {
        let names = &self.passwords.names;
        let proofs = Arc::clone(&names.proofs);
        let put = move |connection: &mut Connection| {
            if proofs.of(&name) != proof {
                return Ok(None);
            }
            let key = name.keys()[0];
            let query = "SELECT token IS NOT NULL FROM accounts WHERE fold = ?1";
            let had_one = connection.one(query, [key], |row| row.get(0))?;
            let put = "UPDATE accounts SET token = ?2 WHERE fold = ?1";
            connection.run(put, params![key, token])?;
            Ok(Some(had_one.unwrap_or(false)))
        };
        names.database.write(put).await?.ok_or(Refusal::NotOwner)
    }

    /// The proof that a person at an address has the token for a name, or its password if the
    /// connection may carry passwords.
    ///
    /// # Errors
    ///
    /// It is neither, was tried too often, or cannot be checked now.
    pub(crate) async fn prove(
        &self,
        name: &Name,
        shown: Line,
        address: IpAddr,
        is_private: bool,
    ) -> Result<Proof, Refusal> {
        let names = &self.passwords.names;
        let (account, proof) = names.account(name, address).await?;
        // Nobody can guess a token. So tries are not counted, and wrong ones do not delay the right
        // one.
        if account.token == Some(Code::typed(shown.as_str()).hashed()) {
            names.note_seen(name, &account, address).await;
            return Ok(proof);
        }
        if !is_private {
            return Err(Refusal::WrongPassword(name.clone()));
        }
        let checked = self.passwords.check(account, name, shown, address);
        checked.await.map(|()| proof)
    }
}
