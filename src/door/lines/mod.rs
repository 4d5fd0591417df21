//! The line door: what netcat and telnet open. The greeting, the name question, and then a session.

mod prompt;

use std::net::SocketAddr;
use std::sync::Arc;

use parlor_wire::lines::{LineDecoder, LineEncoder};
use parlor_wire::style::{LineMode, LocalClock};
use tokio::net::TcpStream;

use super::admission::TurnedAway;
use super::handshake::{Arriving, serve_session};
use super::reception::{OpenDoor, Reception, Serving, WayIn};
use super::transport::peer_at;
use crate::session::{Newcomer, SessionSettings};

/// A listener for lines.
pub(crate) struct LineDoor {
    /// How it speaks.
    pub(crate) mode: LineMode,
    /// Whether it asks for a name; else a client has its address for a name.
    pub(crate) asks: bool,
    /// What it wants of its sessions.
    pub(crate) settings: SessionSettings,
    /// Whether it asks for passwords on connections that others can read.
    pub(crate) allow_plain_passwords: bool,
    /// For the times of earlier lines.
    pub(crate) clock: LocalClock,
}

impl OpenDoor for LineDoor {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn way_in(&self) -> WayIn {
        match self.mode {
            LineMode::Classic => WayIn::Classic,
            LineMode::Named => WayIn::Netcat,
        }
    }

    fn serve(
        self: Arc<Self>,
        reception: Arc<Reception>,
        stream: TcpStream,
        from: SocketAddr,
    ) -> Serving {
        Box::pin(async move {
            let coming_in = async {
                let peer = peer_at(&stream, from, self.allow_plain_passwords);
                let link = reception.writers.connect(&reception.inbox, Some(from));
                let newcomer = Newcomer::new(&self.settings, link, peer, from);
                let keeping = self.settings.keeping();
                let dialect = (
                    LineDecoder::new(self.mode),
                    LineEncoder::new(self.mode, keeping, self.clock.clone()),
                );
                let waiter = reception.questions.waiter();
                let mut handshake = Arriving::new(stream, from, dialect, Vec::new(), waiter);
                if self.asks {
                    handshake.greet();
                }
                handshake.come_in(newcomer, self.asks, &reception).await
            };
            serve_session(coming_in, &self.settings, &reception).await;
        })
    }

    fn words(&self, refused: TurnedAway) -> String {
        format!("-- {refused}\n")
    }
}
