//! Private messages that are stored for an absent owner.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use parlor_core::link::{Change, Inbox, MessageChange, Refusal};
use parlor_core::model::{Claim, Hashed, Name, PersonId, Spoken, WallTime};
use rusqlite::{Connection, params};

use super::hashed::{hash_of, hash_of_network};
use crate::journal::{Database, DatabaseFailed, Sql, WaitingMessage, waiting};

/// Messages for absent owners.
pub(crate) struct KeptMessages {
    pub(super) database: Database,
    /// The broadcaster, which knows how many messages wait.
    pub(super) inbox: Arc<Inbox>,
    /// The start of the server: the numbers of connections begin there.
    pub(super) since: WallTime,
    /// The messages that are being stored: how many, for which name, and from which network.
    pub(super) under_way: Mutex<HashMap<NetworkShare, usize>>,
}

/// A network and the first key of a name, for whose owner people there write.
type NetworkShare = (Box<str>, Hashed);

impl KeptMessages {
    /// Stores a message for the owner of a name, unless too many wait from the same person, from the
    /// same network, or from all authors of the same standing.
    ///
    /// # Errors
    /// Too many wait already, or this cannot be stored.
    pub(crate) async fn keep(
        &self,
        to: Name,
        (author, from, address): (Claim, PersonId, IpAddr),
        spoken: Spoken,
    ) -> Result<(), Refusal> {
        let writer = hash_of(&match &author.account {
            Some(account) => format!("owner {}", account.name.keys()[0]),
            None => format!("{} {from:?}", self.since.0),
        });
        let network = hash_of_network(address);
        let share = network.map(|network| self.begin((to.keys()[0].into(), network)));
        let from_there = match &share {
            Some(share) => share.others + self.stored_from(&share.of).await?,
            None => 0,
        };
        let keep = MessageChange::Keep { from, to, writer, spoken, network, from_there };
        self.inbox.connect().call(Change::Message(Box::new(keep))).await.done()
    }

    /// The number of stored messages for the owner of a name from a network.
    async fn stored_from(&self, (key, network): &NetworkShare) -> Result<usize, DatabaseFailed> {
        let (key, network) = (key.clone(), network.0);
        let count = self.database.read(move |connection| {
            let count = "SELECT count(*) FROM letters WHERE origin = ?2
                         AND account = (SELECT id FROM accounts WHERE fold = ?1)";
            connection.one(count, params![key, network], |row| row.get::<_, i64>(0))
        });
        Ok(count.await?.unwrap_or(0) as usize)
    }

    /// Counts a message that is being stored, until it is dropped.
    fn begin(&self, of: NetworkShare) -> BeingKept<'_> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(of.clone()).or_default();
        let others = *count;
        *count += 1;
        BeingKept { messages: self, of, others }
    }

    /// The messages that wait for the owner of a name, oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn waiting(&self, to: &Name) -> Result<Vec<WaitingMessage>, DatabaseFailed> {
        let key = to.keys()[0].to_owned();
        let read = move |connection: &mut Connection| waiting(connection, &key);
        self.database.read(read).await
    }
}

/// A message that is being stored.
struct BeingKept<'a> {
    messages: &'a KeptMessages,
    of: NetworkShare,
    /// The number of others that were being stored when this one began.
    others: usize,
}

impl Drop for BeingKept<'_> {
    fn drop(&mut self) {
        let under_way = self.messages.under_way.lock();
        let mut under_way = under_way.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.of);
            }
        }
    }
}
