//! Messages for absent owners: they become intents. Knows how many came from a network, and not
//! which network it is.

use super::state::Broadcaster;
use super::tickets::Wanted;
use crate::intent::Intent;
use crate::link::{Client, MessageChange, Refusal};
use crate::model::Reach;

/// How many messages for one owner may come from one network, from all people there. Keepers of the
/// server are not counted.
const KEPT_FROM_NETWORK_MAX: usize = 40;

impl Broadcaster {
    /// The intent of a change of kept messages. The client learns the outcome when it is stored.
    pub(super) fn message_intent(
        &self,
        client: &Client,
        change: MessageChange,
    ) -> Result<(Intent, Wanted), Refusal> {
        Ok(match change {
            MessageChange::Keep { from, to, writer, spoken, network, from_there } => {
                let subject = self.subject(from).ok_or(Refusal::NotThere)?;
                let is_keeper = self.ledger.rules.keeps(&Reach::Server, subject);
                if from_there >= KEPT_FROM_NETWORK_MAX && !is_keeper {
                    return Err(Refusal::MessagesFull(to));
                }
                let spoken = spoken.into();
                (Intent::KeepMessage { from, to, writer, spoken }, Wanted::Message { network })
            }
            MessageChange::Delivered { last } => {
                let beside = Vec::new();
                (Intent::Delivered { person: client.id, last }, Wanted::Stored { beside })
            }
        })
    }
}
