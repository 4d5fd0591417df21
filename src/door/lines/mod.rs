//! The line door, for netcat and telnet: the greeting, the name question, and then a session.

mod options;
mod prompt;

pub(super) use options::OPTIONS;

use std::sync::Arc;

use parlor_wire::lines::{LineDecoder, LineEncoder};
use parlor_wire::style::LineMode;

use self::options::LineOptions;
use super::admission::TurnedAway;
use super::handshake::{Arriving, serve_session};
use super::opening::{DoorSetup, UrlOptions, WayIn};
use super::reception::{OpenDoor, Peer, Reception, Serving, Transport};
use crate::config::InvalidValue;
use crate::session::{Live, Newcomer, profile_at};

/// The way in with netcat, under a name.
pub(crate) const NETCAT: WayIn = WayIn("join with: nc HOST PORT");

/// The way in with netcat, as in the book.
pub(crate) const CLASSIC: WayIn = WayIn("join with: nc HOST PORT (classic)");

/// The longest line in classic mode fits; it may be longer than at other doors.
const READ_BYTES_CLASSIC: usize = 64 * 1024;

/// A listener for lines.
struct LineDoor {
    /// The mode of its lines.
    mode: LineMode,
    /// Whether it asks for a name. Otherwise the address is the name.
    asks: bool,
    setup: DoorSetup,
}

/// Writes the options of a URL in one form.
pub(super) fn tidy(options: &UrlOptions) -> Result<Vec<String>, InvalidValue> {
    Ok(LineOptions::read(options)?.tidy())
}

/// The sentence that tells people how to join.
pub(super) fn way_in(options: &UrlOptions) -> WayIn {
    match LineOptions::read(options).is_ok_and(|options| options.is_classic) {
        true => CLASSIC,
        false => NETCAT,
    }
}

/// Opens the door for a listener.
pub(super) fn open(
    options: &UrlOptions,
    mut setup: DoorSetup,
) -> Result<Arc<dyn OpenDoor>, InvalidValue> {
    let options = LineOptions::read(options)?;
    setup.settings.idle = options.idle(setup.nameless_idle);
    setup.settings.profile = profile_at("nc");
    let mode = match options.is_classic {
        true => LineMode::Classic,
        false => LineMode::Named,
    };
    if options.is_classic {
        setup.settings.live = Arc::new(Live::new(None, 0, None));
        setup.settings.read_bytes_max = READ_BYTES_CLASSIC;
    }
    Ok(Arc::new(LineDoor { mode, asks: options.asks, setup }))
}

impl OpenDoor for LineDoor {
    fn serve(self: Arc<Self>, reception: Arc<Reception>, stream: Transport, peer: Peer) -> Serving {
        Box::pin(async move {
            let DoorSetup { settings, clock, .. } = &self.setup;
            let coming_in = Box::pin(async {
                let link = reception.writers.connect(&reception.inbox, peer.address);
                let newcomer = Newcomer::new(settings, link, peer);
                let encoder = LineEncoder::new(self.mode, settings.storage(), clock.clone());
                let irc_port = reception.irc_port.get().copied();
                let decoder = LineDecoder::new(self.mode).with_irc_at(irc_port);
                let dialect = (decoder, encoder);
                let waiter = reception.questions.waiter();
                let address = newcomer.address_name();
                let mut handshake = Arriving::new(stream, address, dialect, Vec::new(), waiter);
                if self.asks {
                    handshake.greet();
                }
                handshake.come_in(newcomer, self.asks, &reception).await
            });
            serve_session(coming_in, &reception).await;
        })
    }

    fn words(&self, refused: TurnedAway) -> String {
        format!("-- {refused}\n")
    }
}
