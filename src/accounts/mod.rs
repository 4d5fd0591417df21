//! Accounts: names that have an owner, and the data stored for the owners. Each part has its own
//! SQL. Knows no connection and no wording.

mod code;
mod counts;
mod hashed;
mod messages;
mod names;
mod password_tries;
mod password_turns;
mod passwords;
mod proofs;
mod return_codes;
mod tokens;
mod typed_password;

pub(crate) use code::Code;
pub(crate) use messages::KeptMessage;
pub(crate) use names::Registered;
pub(crate) use passwords::{good_password, is_same_password};
pub(crate) use return_codes::{ReturnPlace, Returned};

use std::sync::{Arc, Mutex};

use parlor_core::link::Inbox;
use parlor_core::model::{Name, WallTime};

use self::messages::KeptMessages;
use self::names::OwnedNames;
use self::password_turns::PasswordTurns;
use self::passwords::Passwords;
use self::proofs::Proofs;
use self::return_codes::ReturnCodes;
use self::tokens::Tokens;
use crate::clock;
use crate::journal::{Database, OpenError};

/// The accounts of a server.
pub(crate) struct Accounts {
    pub(crate) names: Arc<OwnedNames>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) tokens: Tokens,
    pub(crate) codes: ReturnCodes,
    pub(crate) messages: KeptMessages,
}

impl Accounts {
    /// The accounts in a file, for the broadcaster of this inbox, and the names that have an owner.
    /// `clock` is the time at which the previous server ended.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(crate) fn open(
        database: &Database,
        clock: Option<WallTime>,
        inbox: Arc<Inbox>,
    ) -> Result<(Accounts, Vec<Name>), OpenError> {
        let owned = database.at_start(move |connection| {
            return_codes::end_of_server(connection, clock)?;
            names::owned(connection)
        })?;
        let proofs = Arc::new(Proofs::default());
        let names =
            Arc::new(OwnedNames { database: database.clone(), inbox, proofs: Arc::clone(&proofs) });
        let passwords = Arc::new(Passwords {
            names: Arc::clone(&names),
            turns: PasswordTurns::new(),
            tries: Mutex::default(),
        });
        let accounts = Accounts {
            names,
            tokens: Tokens { passwords: Arc::clone(&passwords) },
            passwords,
            codes: ReturnCodes { database: database.clone(), proofs, holders: Mutex::default() },
            messages: KeptMessages { database: database.clone(), since: clock::wall() },
        };
        Ok((accounts, owned))
    }
}
