//! Tokens: what scripts speak with under an owned name. Knows no script.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_core::link::Refusal;
use parlor_core::model::{Line, Name, Proof};

use super::Registry;
use super::code_table::CodeHash;
use super::codes::Code;

impl Registry {
    /// A new token for a name, in place of the one before; for whoever has shown that it is their own.
    ///
    /// # Errors
    /// It is theirs no longer, or the token cannot be kept.
    pub(crate) async fn make_token(&self, name: Name, proof: Proof) -> Result<Line, Refusal> {
        let token = Code::new().map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            Refusal::NotWritten
        })?;
        let hash = token.hash();
        self.put_token(name, proof, Some(hash)).await?;
        Ok(token.shown())
    }

    /// Ends the token for a name. Whether there was one.
    ///
    /// # Errors
    /// It is theirs no longer, or that cannot be kept.
    pub(crate) async fn revoke_token(&self, name: Name, proof: Proof) -> Result<bool, Refusal> {
        self.put_token(name, proof, None).await
    }

    async fn put_token(
        &self,
        name: Name,
        proof: Proof,
        token: Option<CodeHash>,
    ) -> Result<bool, Refusal> {
        let proofs = Arc::clone(&self.proofs);
        let put = move |store: &mut crate::journal::Store| match proofs.of(&name) == proof {
            true => store.put_token(&name, token).map(Some),
            false => Ok(None),
        };
        self.database.write(put).await?.ok_or(Refusal::NotOwner)
    }

    /// That what somebody at an address shows is the token for a name, or its password, where that may travel.
    ///
    /// # Errors
    /// It is neither, has been tried too often, or cannot be told now.
    pub(crate) async fn prove_by_token(
        &self,
        name: &Name,
        shown: Line,
        address: IpAddr,
        is_private: bool,
    ) -> Result<Proof, Refusal> {
        let (account, proof) = self.account(name, address).await?;
        // Nobody guesses a token, so that needs no count, and no wrong one is in the way of the right one.
        if account.token == Some(Code::typed(shown.as_str()).hash()) {
            self.note_seen(name, &account, address).await;
            return Ok(proof);
        }
        match is_private {
            true => {
                self.prove_to(account, name, shown, address).await?;
                Ok(proof)
            }
            false => Err(Refusal::WrongPassword(name.clone())),
        }
    }
}
