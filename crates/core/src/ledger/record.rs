//! The contents of a journal beside lines, as values. Knows no file.

use std::sync::Arc;

use super::accounts::Account;
use super::codes::ReturnCode;
use crate::model::{Act, Hashed, Name, WallTime};

/// A change of something that a journal stores beside lines. It is stored whole: a record does not
/// rest on an earlier one.
#[derive(Clone, Debug)]
pub enum Record {
    /// An act: the rule that holds from then on, and a row for the operator to read.
    Act(Arc<Act>),
    /// The account of a name, new or changed.
    Account(Arc<Account>),
    /// The account of a name whose password has changed: what depends on the old one ends.
    NewPassword(Arc<Account>),
    /// A name has no owner from now on; everything that belongs to the owner is deleted.
    Released(Name),
    /// A return code, new or changed.
    Code(Hashed, Arc<ReturnCode>),
    /// People with return codes have read up to these lines.
    Readings(Arc<[(Hashed, u64)]>),
    /// These return codes are deleted.
    CodesGone(Arc<[Hashed]>),
    /// Return codes that were valid until this time are deleted.
    CodesExpired(WallTime),
    /// The owner of a name has come from some network.
    OwnerVisit(OwnerVisit),
}

/// A visit of the owner of a name. Only the process of the connection knows of it.
#[derive(Clone, Debug)]
pub struct OwnerVisit {
    /// The name.
    pub owner: Name,
    /// The time.
    pub at: WallTime,
    /// The hash of the name with the network.
    pub network: Hashed,
    /// The hash of the network from which the name was registered, if this is the first visit and
    /// the network has a share.
    pub origin: Option<Hashed>,
}
