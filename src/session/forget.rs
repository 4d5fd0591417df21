//! `/forget`: the owner of a name takes back what was said under it. Knows no wording, and no file.

use parlor_core::link::{Answer, Claim, Decoder, Outcome, Refusal, Request, Spec};
use tokio::io::AsyncRead;

use super::read::Reader;
use crate::journal::Owner;

impl<R: AsyncRead + Unpin, D: Decoder> Reader<'_, R, D> {
    /// Says what can be taken back, or takes it back: in what everybody reads first, and then in the file.
    pub(super) async fn forget(&mut self, all: bool, spec: &'static Spec) -> Answer {
        let outcome = self.try_to_forget(all, spec).await;
        outcome.unwrap_or_else(Answer::Refused)
    }

    async fn try_to_forget(&mut self, all: bool, spec: &'static Spec) -> Result<Answer, Refusal> {
        let (Some(registry), Some(forgetting)) = (&self.manners.registry, &self.manners.forgetting)
        else {
            return Err(Refusal::NeedsDisk(spec));
        };
        let Outcome::You(Claim {
            name,
            proof: Some(_),
        }) = self.link.call(Request::WhoAmI).await
        else {
            return Err(Refusal::NotOwner);
        };
        if !all {
            return Ok(Answer::CanTakeBack(name));
        }
        let now = self.manners.clock.now().wall;
        let since = registry.owned_since(name.clone(), now).await?;
        let since = since.ok_or(Refusal::NotOwner)?;
        let id = self.link.client().id();
        let lines = forgetting.forget(Owner { id, name, since }).await?;
        Ok(Answer::TakenBack(lines as u64))
    }
}
