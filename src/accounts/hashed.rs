//! The hash of a secret that must be recognised later and must not be readable in the file.

use std::net::IpAddr;

use blake2::{Blake2s256, Digest};
use parlor_core::model::{Name, network};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

/// A hash: of a code, a token, a person or the network of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hashed([u8; 32]);

impl Hashed {
    /// The hash of a text.
    pub(super) fn of(text: &str) -> Hashed {
        Hashed(Blake2s256::digest(text).into())
    }

    /// The hash of the network of an owner, together with the name.
    pub(super) fn of_owner_at(name: &Name, address: IpAddr) -> Hashed {
        let network = network(address.to_canonical());
        Hashed::of(&format!("{} {network}", name.keys()[0]))
    }

    /// The hash of a network that has a share of the storage. None for this machine: behind a web
    /// server on it, everybody has its address.
    pub(super) fn of_network(address: IpAddr) -> Option<Hashed> {
        let network = network(address.to_canonical());
        (!network.is_loopback()).then(|| Hashed::of(&network.to_string()))
    }
}

impl ToSql for Hashed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Hashed {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Hashed> {
        FromSql::column_result(value).map(Hashed)
    }
}
