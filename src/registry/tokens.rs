//! Tokens: what scripts speak with under an owned name. Knows no script.

use std::net::IpAddr;

use parlor_core::answer::Refusal;
use parlor_core::line::Line;
use parlor_core::name::Name;

use super::Registry;
use super::codes::Code;

impl Registry {
    /// A new token for a name, in place of the one before; to be asked by its owner.
    ///
    /// # Errors
    /// It cannot be kept.
    pub(crate) async fn make_token(&self, name: Name) -> Result<Line, Refusal> {
        let token = Code::new().map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            Refusal::NotWritten
        })?;
        let hash = token.hash();
        let put = move |store: &mut crate::journal::Store| store.put_token(&name, Some(hash));
        self.errands.run(put).await?;
        Ok(token.shown())
    }

    /// Ends the token for a name. Whether there was one.
    ///
    /// # Errors
    /// That cannot be kept.
    pub(crate) async fn revoke_token(&self, name: Name) -> Result<bool, Refusal> {
        let put = move |store: &mut crate::journal::Store| store.put_token(&name, None);
        Ok(self.errands.run(put).await?)
    }

    /// Whether what somebody at an address shows is the token for a name, or its password, where that may travel.
    ///
    /// # Errors
    /// It is neither, has been tried too often, or cannot be told now.
    pub(crate) async fn prove_by_token(
        &self,
        name: &Name,
        shown: Line,
        address: IpAddr,
        is_private: bool,
    ) -> Result<(), Refusal> {
        let account = self.account(name, address).await?;
        // Nobody guesses a token, so that needs no count, and no wrong one is in the way of the right one.
        if account.token == Some(Code::typed(shown.as_str()).hash()) {
            self.note_seen(name, &account, address).await;
            return Ok(());
        }
        match is_private {
            true => self.prove_to(account, name, shown, address).await,
            false => Err(Refusal::WrongPassword(name.clone())),
        }
    }
}
