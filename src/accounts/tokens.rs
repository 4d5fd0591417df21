//! Tokens, with which scripts speak under a registered name. Knows no script.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_core::link::{AccountChange, Refusal};
use parlor_core::model::{Line, Name, Proof};

use super::code::Code;
use super::passwords::Passwords;

/// The tokens of names.
pub(crate) struct Tokens {
    pub(super) passwords: Arc<Passwords>,
}

impl Tokens {
    /// Makes a new token for a name, which replaces the old one.
    ///
    /// # Errors
    /// The proof is older than the last change, or this cannot be stored.
    pub(crate) async fn make(&self, name: Name, proof: Proof) -> Result<Line, Refusal> {
        let token = Code::new()?;
        let change = AccountChange::SetToken { name, proof, token: Some(token.hashed()) };
        self.passwords.names.change(change).await?;
        Ok(token.shown())
    }

    /// Ends the token for a name. Returns whether there was one.
    ///
    /// # Errors
    /// The proof is older than the last change, or this cannot be stored.
    pub(crate) async fn revoke(&self, name: Name, proof: Proof) -> Result<bool, Refusal> {
        let names = &self.passwords.names;
        let before = names.account(name.clone()).await;
        names.change(AccountChange::SetToken { name, proof, token: None }).await?;
        Ok(before.is_some_and(|account| account.token.is_some()))
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
        let wrong = || Refusal::WrongPassword(name.clone());
        let claimed = names.claimed(name, address).await?.ok_or_else(wrong)?;
        // Nobody can guess a token. So tries are not counted, and wrong ones do not delay the right
        // one.
        let token = claimed.account.token.as_ref().map(|token| token.value);
        if token == Some(Code::typed(shown.as_str()).hashed()) {
            names.note_seen(&claimed, address);
            return Ok(claimed.account.proof);
        }
        if !is_private {
            return Err(wrong());
        }
        self.passwords.check(claimed, name, shown, address).await
    }
}
