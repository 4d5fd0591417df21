//! The web door: a page, a socket, and rooms to read and to speak in with curl. It speaks HTTP/1.1
//! until a socket is opened.

mod credentials;
mod follow;
mod following;
mod forwarded;
mod paces;
mod pages;
mod redirect;
mod respond;
mod router;
mod site;
mod socket;
mod speak;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use hyper::body::Incoming;
use parlor_wire::web::{WebDecoder, WebEncoder};
use tower::ServiceExt;

use self::paces::Paces;
use self::site::HostNames;
use self::socket::WebPrompt;
use self::visit::{Opener, Visit, WebShared};
use super::admission::TurnedAway;
use super::handshake::serve_session;
use super::http::{Exchange, Port, answer_requests, unavailable};
use super::listener_options::ListenerOptions;
use super::opening::{DoorOption, DoorSetup, UrlOptions, WayIn};
use super::reception::{OpenDoor, Peer, Reception, Serving, Transport};
use super::trusted::TrustedSources;
use crate::config::{InvalidValue, host, yes_or_no};
use crate::session::{Encryption, Idle, Newcomer, SessionSettings, profile_at};

/// The limit of time for the head of each request.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How often the server pings a silent client: balancers close connections that are silent for 20 s
/// or more.
const PING_EVERY: Duration = Duration::from_secs(15);

/// The time in which a client must answer a ping.
const PING_TIME: Duration = Duration::from_secs(120);

/// The way in with a browser, over TLS.
pub(crate) const HTTPS: WayIn = WayIn("open in a browser: https://HOST:PORT/lobby");

/// A listener for HTTP.
struct WebDoor {
    shared: Arc<WebShared>,
    router: Router,
    /// The web servers in front.
    forwarders: TrustedSources,
}

/// The options, in the order of help.
pub(super) const OPTIONS: &[DoorOption] = &[HOST];

const HOST: DoorOption = DoorOption {
    form: "host=NAME",
    about: "a host name that browsers use for it, besides addresses, localhost and this machine's name; may be repeated",
};

/// The options of a listener without TLS, in the order of help.
pub(super) const REDIRECT_OPTIONS: &[DoorOption] = &[REDIRECT];

const REDIRECT: DoorOption = DoorOption {
    form: "redirect",
    about: "answer every request with the same address at https://",
};

/// Writes the options of a URL in one form.
pub(super) fn tidy(options: &UrlOptions) -> Result<Vec<String>, InvalidValue> {
    let mut tidy = options.all(&HOST, |text| Ok(format!("host={}", host(text)?)))?;
    tidy.extend(redirects(options)?.then(|| "redirect".to_owned()));
    Ok(tidy)
}

fn redirects(options: &UrlOptions) -> Result<bool, InvalidValue> {
    let chosen = options.one(&REDIRECT, |text| Ok(text.is_empty() || yes_or_no(text)?))?;
    Ok(chosen.unwrap_or(false))
}

/// Opens the door for a listener.
pub(super) fn open(
    options: &UrlOptions,
    setup: DoorSetup,
) -> Result<Arc<dyn OpenDoor>, InvalidValue> {
    let mut hosts = options.all(&HOST, host)?;
    hosts.extend(setup.host_names);
    Ok(Arc::new(WebDoor {
        shared: Arc::new(WebShared {
            settings: SessionSettings {
                idle: Idle::Everybody(PING_TIME),
                ask_every: Some(PING_EVERY),
                profile: profile_at("web"),
                ..setup.settings
            },
            script: profile_at("curl"),
            clock: setup.clock,
            paces: Paces::default(),
        }),
        router: router::router(HostNames::new(hosts), setup.challenges, redirects(options)?),
        forwarders: ListenerOptions::read(options)?.forwarders,
    }))
}

impl WebDoor {
    /// Answers one request after the other. Returns the connection, with the input that is already
    /// here, if one of them opens a socket.
    async fn answer(&self, visit: &Visit, stream: Transport) -> Option<(Transport, Bytes)> {
        let answer = async |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            match visit.forwarded(request.headers(), &self.forwarders) {
                Ok(visit) => request.extensions_mut().insert(visit),
                Err(refused) => return Ok(*refused),
            };
            self.router.clone().oneshot(request).await
        };
        let port = Port {
            head_time: HEAD_TIME,
            purpose: &|| visit.purpose(),
            closing: &visit.reception.closing,
            leaving: &visit.reception.leaving,
        };
        answer_requests(stream, &visit.exchange, port, answer).await
    }
}

impl OpenDoor for WebDoor {
    fn serve(self: Arc<Self>, reception: Arc<Reception>, stream: Transport, peer: Peer) -> Serving {
        Box::pin(async move {
            let settings = &self.shared.settings;
            let opener = Arc::default(); // to the end of the session
            let coming_in = Box::pin(async {
                let visit = Visit {
                    reception: Arc::clone(&reception),
                    shared: Arc::clone(&self.shared),
                    peer,
                    scheme: (peer.encryption != Encryption::None).then(|| "https".to_owned()),
                    share: None,
                    opener: Arc::clone(&opener),
                    exchange: Exchange::new(&reception.requests),
                };
                let (stream, held) = self.answer(&visit, stream).await?;
                let peer = opener.get().map_or(peer, |opener: &Opener| opener.peer);
                let link = reception.writers.connect(&reception.inbox, peer.address);
                let newcomer = Newcomer::new(settings, link, peer);
                let encoder = WebEncoder::new(settings.storage(), self.shared.clock.clone());
                let dialect = (WebDecoder::default(), encoder);
                let waiter = reception.requests.waiter();
                let address = newcomer.address_name();
                let mut socket = WebPrompt::new(stream, address, dialect, held.into(), waiter);
                socket.greet(&settings.epoch);
                socket.come_in(newcomer, true, &reception).await
            });
            serve_session(coming_in, &reception).await;
        })
    }

    fn words(&self, refused: TurnedAway) -> String {
        unavailable(refused)
    }
}
