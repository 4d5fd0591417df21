//! The doors of a server, from their listeners to their tasks.

use std::iter::zip;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::announce::announce;
use super::certificates::Certificates;
use super::listeners::{bind_all, take_passed};
use crate::config::Config;
use crate::door::{
    self, AdminDoor, Approach, BoundDoor, CLASSIC, DoorInUse, DoorListener, DoorSetup, HTTPS, IRC,
    IRC_TLS, ListenerOptions, NETCAT, PassedSockets, Reception, TlsHandshake, WayIn,
    accept_connections,
};
use crate::operator::Operator;
use crate::tls::Certificate;

/// The doors, which do not accept yet.
#[derive(Default)]
pub(super) struct Doors {
    /// Those at URLs, each with its bound listeners.
    at_urls: Vec<(DoorInUse, Approach, Vec<DoorListener>)>,
    /// The operator's, if the server has a directory.
    admin: Option<AdminDoor>,
}

impl Doors {
    /// Binds the listeners of all URLs, except those that systemd has bound.
    ///
    /// # Errors
    /// One of them cannot be bound, or no URL names a socket of systemd: which, why, and what to do.
    pub(super) async fn bind(
        config: &Config,
        setup: &DoorSetup,
        certificates: &Certificates,
        mut passed: PassedSockets,
    ) -> anyhow::Result<Doors> {
        let mut taken = Vec::new();
        for url in &config.listeners {
            taken.push(take_passed(url, &mut passed).await?);
        }
        passed.check_taken()?; // a socket that no URL names may have the port of one
        let mut at_urls = Vec::new();
        for (url, passed) in zip(&config.listeners, taken) {
            let (door, options) = door::open(url, setup.clone())?;
            match (bind_all(url, &options, passed).await, door.kind.may_be_missing_for) {
                (Err(error), Some(who)) if config.listens_as_usual => {
                    tracing::warn!("{error}; until then nobody can join with {who}");
                }
                (listeners, _) => {
                    let tls = handshake(&door, &options, certificates)?;
                    let approach = Approach::new(options, tls, config.allow_plain_passwords);
                    at_urls.push((door, approach, listeners?));
                }
            }
        }
        Ok(Doors { at_urls, admin: None })
    }

    /// Opens the operator's door in the server's directory, or logs why it cannot.
    pub(super) fn open_admin(&mut self, directory: &Path, operator: Operator) {
        let opened = door::open_admin(directory, operator);
        self.admin = opened.inspect_err(|error| tracing::warn!("{error}")).ok();
    }

    /// The real addresses of all listeners at ports.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.at_urls.iter().flat_map(|(.., listeners)| addresses_of(listeners)).collect()
    }

    /// The port of the line door; that of a classic door only if there is no other.
    pub(super) fn line_port(&self) -> Option<u16> {
        self.port_of(NETCAT).or_else(|| self.port_of(CLASSIC))
    }

    /// The port of the IRC door.
    pub(super) fn irc_port(&self) -> Option<u16> {
        self.port_of(IRC)
    }

    /// The ports of the IRC doors with TLS, each with its certificate.
    pub(super) fn irc_tls_ports(&self) -> Vec<(u16, Arc<Certificate>)> {
        let doors = self.at_urls.iter().filter(|(door, ..)| door.way_in == IRC_TLS);
        let port = |(_, approach, listeners): &(DoorInUse, Approach, Vec<DoorListener>)| {
            Some((addresses_of(listeners).first()?.port(), approach.certificate()?))
        };
        doors.filter_map(port).collect()
    }

    /// The port of the web door with TLS, the usual one if it is among several.
    pub(super) fn https_port(&self) -> Option<u16> {
        let doors = self.at_urls.iter().filter(|(door, ..)| door.way_in == HTTPS);
        let ports = doors.flat_map(|(.., listeners)| addresses_of(listeners));
        ports.map(|address| address.port()).min_by_key(|port| *port != 443)
    }

    fn port_of(&self, wanted: WayIn) -> Option<u16> {
        let (.., listeners) = self.at_urls.iter().find(|(door, ..)| door.way_in == wanted)?;
        addresses_of(listeners).first().map(SocketAddr::port)
    }

    /// Takes the doors out that open before a node has contact with the others.
    pub(super) fn take_early(&mut self) -> Doors {
        let at_urls = self.at_urls.extract_if(.., |(door, ..)| door.kind.opens_early).collect();
        Doors { at_urls, admin: self.admin.take() }
    }

    /// Logs where the doors are, and how people join.
    pub(super) fn announce(&self) {
        for (door, _, listeners) in &self.at_urls {
            announce(door, listeners);
        }
    }

    /// Accepts connections from now on, until the server shuts down.
    pub(super) fn accept(self, reception: &Arc<Reception>) {
        for (door, approach, listeners) in self.at_urls {
            let approach = Arc::new(approach);
            for listener in listeners {
                let (door, approach) = (door.clone(), Arc::clone(&approach));
                let door = BoundDoor { door, approach, listener };
                reception.tasks.spawn(accept_connections(Arc::clone(reception), door));
            }
        }
        if let Some(admin) = self.admin {
            reception.tasks.spawn(accept_connections(Arc::clone(reception), admin));
        }
    }
}

/// The handshakes of a door, if it has TLS.
fn handshake(
    door: &DoorInUse,
    options: &ListenerOptions,
    certificates: &Certificates,
) -> anyhow::Result<Option<TlsHandshake>> {
    let Some(protocols) = door.kind.url.as_ref().and_then(|url| url.tls) else {
        return Ok(None);
    };
    let certificate = certificates.of_listener(options.certificate.as_ref())?;
    TlsHandshake::new(certificate, protocols, &certificates.challenges).map(Some)
}

fn addresses_of(listeners: &[DoorListener]) -> Vec<SocketAddr> {
    listeners.iter().flat_map(DoorListener::addresses).collect()
}
