//! Accounts: names that have an owner, and the data stored for the owners. The broadcaster changes
//! them; code here only reads the file. Knows no connection and no wording.

mod code;
mod counts;
mod hashed;
mod messages;
mod names;
mod password_tries;
mod password_turns;
mod passwords;
mod return_codes;
mod room_tries;
mod tokens;
mod typed_password;

pub(crate) use code::Code;
pub(crate) use names::Registered;
pub(crate) use passwords::is_same_password;
pub(crate) use return_codes::HeldCode;
pub(crate) use room_tries::{RoomTries, RoomTry};

use std::sync::{Arc, Mutex};

use parlor_core::ledger::{CODE_LIFE, Past};
use parlor_core::link::Inbox;
use parlor_core::model::WallTime;

use self::messages::KeptMessages;
use self::names::OwnedNames;
use self::password_turns::PasswordTurns;
use self::passwords::Passwords;
use self::return_codes::ReturnCodes;
use self::tokens::Tokens;
use crate::journal::{Database, OpenError};
use crate::{clock, journal};

/// The accounts of a server.
pub(crate) struct Accounts {
    pub(crate) names: Arc<OwnedNames>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) tokens: Tokens,
    pub(crate) codes: ReturnCodes,
    pub(crate) messages: KeptMessages,
}

impl Accounts {
    /// The accounts of the broadcaster that has this inbox. A password has at least this many
    /// characters.
    pub(crate) fn new(database: &Database, inbox: &Arc<Inbox>, password_chars: usize) -> Accounts {
        let names = Arc::new(OwnedNames { database: database.clone(), inbox: Arc::clone(inbox) });
        let passwords = Arc::new(Passwords {
            chars_min: password_chars,
            names: Arc::clone(&names),
            turns: PasswordTurns::new(),
            tries: Mutex::default(),
        });
        Accounts {
            names,
            tokens: Tokens { passwords: Arc::clone(&passwords) },
            passwords,
            codes: ReturnCodes { inbox: Arc::clone(inbox) },
            messages: KeptMessages {
                database: database.clone(),
                inbox: Arc::clone(inbox),
                since: clock::wall(),
                under_way: Mutex::default(),
            },
        }
    }
}

/// The contents of a file beside lines, with which a server starts. `last_run` is the time at which
/// the previous one ended.
///
/// # Errors
/// The file cannot be used.
pub(crate) fn past(database: &Database, last_run: Option<WallTime>) -> Result<Past, OpenError> {
    // A clock that is ahead must not end acts that were in force when the last run ended; a clock
    // that is behind must not end codes early.
    let now = clock::wall();
    let (earlier, later) = last_run.map_or((now, now), |at| (at.min(now), at.max(now)));
    database.at_start(move |connection| {
        journal::end_codes(connection, later.after(CODE_LIFE))?;
        journal::past(connection, earlier)
    })
}
