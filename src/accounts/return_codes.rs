//! Return codes: a person who has lost a connection returns to the same place with a code. Knows of
//! a connection only how far it has read.

use std::sync::Arc;
use std::time::Duration;

use parlor_core::ledger::CODE_LIFE;
use parlor_core::link::{Change, Client, CodeChange, Inbox};
use parlor_core::model::RoomId;
use tokio::time::sleep;

use super::code::Code;
use crate::clock;

/// How often the reading positions of people with a code are stored.
const READINGS_EVERY: Duration = Duration::from_secs(10);

/// The codes that people have requested.
pub(crate) struct ReturnCodes {
    /// The broadcaster, which knows the codes.
    pub(super) inbox: Arc<Inbox>,
}

/// The code of a connection.
pub(crate) struct HeldCode {
    pub(crate) code: Code,
    /// The room to which it leads; none if the person has no seat.
    pub(crate) room: Option<RoomId>,
}

impl ReturnCodes {
    /// Stores the last line that the connection with this code had read when it ended, unless the
    /// code has moved to another connection. From now on the code has an end.
    pub(crate) async fn end(&self, held: &HeldCode, client: &Client) {
        let seq = held.room.and_then(|room| client.read_to(room));
        let (code, whose) = (held.code.hashed(), client.id());
        let until = clock::wall_awake().after(CODE_LIFE);
        let end = Change::Code(CodeChange::End { code, whose, seq, until });
        self.inbox.connect().call(end).await; // if that cannot be stored, the log says so
    }

    /// Stores at intervals the last lines that the people with codes have read, so that they may
    /// return after a crash.
    pub(crate) async fn store_readings_at_intervals(&self) {
        loop {
            sleep(READINGS_EVERY).await;
            self.inbox.connect().start(Change::NoteReadings);
        }
    }
}
