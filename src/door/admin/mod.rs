//! The operator's socket: a door for lines in the server's own directory. Its commands have
//! authority over the whole server, and no seat.
//!
//! A program that may open the socket may do anything: only the server's own user has the rights to
//! open the file. Each line is a command as at every door for lines. A line of an answer begins
//! with `-- `, a refusal with `!`; a line with a dot follows the last answer.

mod conversation;
mod socket;

pub(crate) use socket::{LOOK_EVERY, NoSocket};

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::conversation::converse;
use self::socket::OperatorSocket;
use super::accept::{ListeningDoor, contain};
use super::opening::DoorKind;
use super::reception::Reception;
use crate::operator::Operator;

/// The number of connections that are served at once; others wait in the system's queue.
const SERVED_MAX: usize = 4;

/// The open door.
pub(crate) struct AdminDoor {
    kind: &'static DoorKind,
    operator: Arc<Operator>,
    socket: OperatorSocket,
    places: Arc<Semaphore>,
}

impl AdminDoor {
    /// Opens the door in a directory that belongs to this server alone.
    pub(super) fn open(
        kind: &'static DoorKind,
        directory: &Path,
        operator: Operator,
    ) -> Result<AdminDoor, NoSocket> {
        Ok(AdminDoor {
            kind,
            operator: Arc::new(operator),
            socket: OperatorSocket::open(directory)?,
            places: Arc::new(Semaphore::new(SERVED_MAX)),
        })
    }
}

impl ListeningDoor for AdminDoor {
    type Connection = (UnixStream, OwnedSemaphorePermit);

    fn kind(&self) -> &'static DoorKind {
        self.kind
    }

    async fn accept(&mut self) -> io::Result<Self::Connection> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(io::Error::other)?; // the places are never closed
        Ok((self.socket.accept().await?, place))
    }

    fn begin(&self, reception: &Arc<Reception>, (stream, place): Self::Connection) {
        let (closing, operator) = (reception.closing.clone(), Arc::clone(&self.operator));
        let conversation = Box::pin(async move {
            select! {
                biased;
                () = closing.cancelled() => {}
                () = converse(stream, &operator) => {}
            }
            drop(place);
        });
        let (reception, tasks) = (Arc::clone(reception), reception.tasks.clone());
        tasks.spawn(async move {
            contain(&reception.panics, "parlor admin", conversation).await;
        });
    }
}
