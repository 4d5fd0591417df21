//! Owners: the names that have an owner, and the hashes that prove who the owner is. Knows nobody
//! on the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Claim, Erasable, Hashed, Name, OwnedName, Proof, ProvenAccount, WallTime};
use crate::refusal::Refusal;

/// The limit of registered names: each one is stored permanently, and takes memory.
const ACCOUNTS_MAX: usize = 100_000;

/// A name that has an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name, in the registered spelling.
    pub name: Name,
    /// Since when the owner has used it.
    pub since: WallTime,
    /// The hash of the password.
    pub password: Erasable<Arc<str>>,
    /// The hash of the token for scripts, if there is one.
    pub token: Option<Erasable<Hashed>>,
    /// The number of the password.
    pub proof: Proof,
}

/// The names that have an owner.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    /// By the first key of the name.
    pub(super) accounts: BTreeMap<Box<str>, Arc<Account>>,
    /// Every key that nobody else may have, and the name that has it.
    pub(super) keys: BTreeMap<Box<str>, Name>,
    /// The number of the latest password.
    pub(super) last_proof: Proof,
}

impl Owners {
    /// The accounts from a snapshot.
    pub(super) fn restore(
        accounts: Vec<Arc<Account>>,
        keys: BTreeMap<Box<str>, Name>,
        last_proof: Proof,
    ) -> Owners {
        let by_key = |account: Arc<Account>| (account.name.keys()[0].into(), account);
        Owners { accounts: accounts.into_iter().map(by_key).collect(), keys, last_proof }
    }

    /// The account of a name, in any spelling.
    pub(crate) fn of(&self, name: &Name) -> Option<&Arc<Account>> {
        self.accounts.get(name.keys()[0])
    }

    /// The account whose name has this first key.
    pub(crate) fn called(&self, key: &str) -> Option<&Arc<Account>> {
        self.accounts.get(key)
    }

    /// The name with an owner that nobody else may come close to with this key.
    pub(super) fn holder(&self, key: &str) -> Option<&Name> {
        self.keys.get(key)
    }

    /// Whether a name, or one that looks like it, has an owner.
    pub(crate) fn has(&self, name: &Name) -> bool {
        name.keys().iter().any(|key| self.keys.contains_key(*key))
    }

    /// Whether a claim has a valid proof of the name.
    pub(crate) fn proves(&self, claim: &Claim) -> bool {
        let own = claim.account.as_ref().filter(|account| account.name.is_same(&claim.name));
        own.is_some_and(|account| self.has_proof(account))
    }

    /// Whether the proof of an account is that of its present password.
    pub(crate) fn has_proof(&self, ProvenAccount { name, proof }: &ProvenAccount) -> bool {
        self.of(name).is_some_and(|account| account.proof == *proof)
    }

    /// The same account with the name as it was registered, if the proof is valid.
    pub(crate) fn registered(&self, proven: ProvenAccount) -> Option<ProvenAccount> {
        let account = self.of(&proven.name).filter(|account| account.proof == proven.proof)?;
        Some(ProvenAccount { name: account.name.clone(), ..proven })
    }

    /// Whether one more name may have an owner.
    pub(super) fn may_add(&self, name: &Name) -> Result<(), Refusal> {
        if self.of(name).is_some() {
            return Err(Refusal::NameOwned(name.clone()));
        }
        match self.accounts.len() < ACCOUNTS_MAX {
            true => Ok(()),
            false => Err(Refusal::TooManyNames),
        }
    }

    /// Gives a name an owner without a token. Returns the account.
    ///
    /// # Errors
    /// The name has an owner, or there are too many.
    pub(super) fn add(
        &mut self,
        owned: OwnedName,
        since: WallTime,
        password: Erasable<Arc<str>>,
    ) -> Result<Arc<Account>, Refusal> {
        let name = owned.name.clone();
        self.may_add(&name)?;
        self.protect(owned);
        let proof = self.next_proof();
        let account = Arc::new(Account { name, since, password, token: None, proof });
        self.put(Arc::clone(&account));
        Ok(account)
    }

    /// The number of the next password.
    pub(super) fn next_proof(&mut self) -> Proof {
        self.last_proof = Proof(self.last_proof.0.saturating_add(1));
        self.last_proof
    }

    /// Adds an account, or replaces the one of the same name. Returns the account before.
    pub(super) fn put(&mut self, account: Arc<Account>) -> Option<Arc<Account>> {
        self.accounts.insert(account.name.keys()[0].into(), account)
    }

    /// Keeps keys for a name. Keys of another owned name stay with that name.
    pub(super) fn protect(&mut self, OwnedName { name, keys }: OwnedName) {
        for key in keys {
            self.keys.entry(key).or_insert_with(|| name.clone());
        }
    }

    /// Removes an account, and frees its keys. Returns both.
    pub(super) fn remove(&mut self, name: &Name) -> Option<(Arc<Account>, Vec<Box<str>>)> {
        let account = self.accounts.remove(name.keys()[0])?;
        let keys = self.keys.extract_if(.., |_, holder| holder.is_same(&account.name));
        let keys = keys.map(|(key, _)| key).collect();
        Some((account, keys))
    }
}
