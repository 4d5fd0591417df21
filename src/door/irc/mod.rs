//! The IRC door, for clients, bots and bouncers: registration, and then a session.

mod options;
mod registering;

pub(super) use options::OPTIONS;

use std::sync::Arc;
use std::time::Duration;

use parlor_core::ledger::BANS_MAX;
use parlor_wire::irc::{IrcDecoder, IrcEncoder, IrcServer};

use self::options::IrcOptions;
use super::admission::TurnedAway;
use super::handshake::{Arriving, serve_session};
use super::opening::{DoorSetup, UrlOptions, WayIn};
use super::reception::{OpenDoor, Peer, Reception, Serving, Transport};
use crate::clock;
use crate::config::InvalidValue;
use crate::session::{Encryption, Idle, Newcomer, SEATS_MAX, SessionSettings, profile_at};

/// The way in with a client of IRC.
pub(crate) const IRC: WayIn = WayIn("join with an IRC client: HOST PORT");

/// The way in with a client of IRC over TLS.
pub(crate) const IRC_TLS: WayIn = WayIn("join with an IRC client over TLS: HOST PORT");

/// How long a client that came over TLS comes back over TLS only, in seconds: a month, as the
/// specification of STS recommends.
const STS_SECONDS: u32 = 30 * 24 * 60 * 60;

/// A client that is silent for this long is asked whether it is there...
const PING_EVERY: Duration = Duration::from_secs(120);

/// ...and after this silence the connection ends.
const PING_TIME: Duration = Duration::from_secs(150);

/// The program, as IRC names it.
const VERSION: &str = concat!("parlor-", env!("CARGO_PKG_VERSION"));

/// A listener for IRC.
struct IrcDoor {
    server: Arc<IrcServer>,
    setup: DoorSetup,
}

/// Writes the options of a URL in one form.
pub(super) fn tidy(options: &UrlOptions) -> Result<Vec<String>, InvalidValue> {
    Ok(IrcOptions::read(options)?.tidy())
}

/// Opens the door for a listener.
pub(super) fn open(
    options: &UrlOptions,
    setup: DoorSetup,
) -> Result<Arc<dyn OpenDoor>, InvalidValue> {
    let options = IrcOptions::read(options)?;
    let settings = SessionSettings {
        idle: Idle::Everybody(PING_TIME),
        asks_passwords: false,
        answers_everywhere: true,
        ask_every: Some(PING_EVERY),
        profile: profile_at("irc"),
        ..setup.settings
    };
    settings.live.reserve(&options.server());
    let server = IrcServer {
        name: options.server(),
        network: options.network(),
        version: VERSION.to_owned(),
        started: clock::wall(),
        motd: options.motd()?,
        log: settings.epoch.to_string(),
        rooms_max: SEATS_MAX,
        bans_max: BANS_MAX,
        clock: setup.clock.clone(),
    };
    Ok(Arc::new(IrcDoor { server: server.into(), setup: DoorSetup { settings, ..setup } }))
}

/// The value of STS (IRCv3, "Strict Transport Security"): where a client without TLS should come with
/// it, and how long one with TLS should stay with it. None without a certificate that it can trust.
fn sts(peer: &Peer, trusted_port: Option<u16>) -> Option<String> {
    match (peer.encryption, trusted_port) {
        (Encryption::TrustedCertificate, _) => Some(format!("duration={STS_SECONDS}")),
        (Encryption::None, Some(port)) => Some(format!("port={port}")),
        _ => None,
    }
}

impl OpenDoor for IrcDoor {
    fn serve(self: Arc<Self>, reception: Arc<Reception>, stream: Transport, peer: Peer) -> Serving {
        Box::pin(async move {
            let DoorSetup { settings, .. } = &self.setup;
            let coming_in = Box::pin(async {
                let takes_passwords = peer.is_private && settings.accounts.is_some();
                let link = reception.writers.connect(&reception.inbox, peer.address);
                let newcomer = Newcomer::new(settings, link, peer);
                let line_port = reception.line_port.get().copied();
                let decoder = IrcDecoder::new(Arc::clone(&self.server), takes_passwords)
                    .with_lines_at(line_port)
                    .with_sts(sts(&peer, reception.trusted_irc_port()));
                let encoder = IrcEncoder::new(Arc::clone(&self.server), settings.storage());
                let waiter = reception.questions.waiter();
                let (address, dialect) = (newcomer.address_name(), (decoder, encoder));
                let arriving = Arriving::new(stream, address, dialect, Vec::new(), waiter);
                arriving.come_in(newcomer, true, &reception).await
            });
            serve_session(coming_in, &reception).await;
        })
    }

    fn words(&self, refused: TurnedAway) -> String {
        format!("ERROR :Closing Link: {refused}\r\n")
    }
}
