//! The doors of a server, from their listeners to their tasks.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::announce::announce;
use super::listeners::bind_all;
use crate::config::Config;
use crate::door::{
    self, CLASSIC, DoorInUse, DoorSetup, NETCAT, Reception, WayIn, accept_connections,
};

/// The doors, each with its bound listeners.
#[derive(Default)]
pub(super) struct Doors(Vec<(DoorInUse, Vec<TcpListener>)>);

impl Doors {
    /// Binds the listeners of all doors, which do not accept yet.
    ///
    /// # Errors
    /// One of them cannot be bound: which, why, and what to do.
    pub(super) async fn bind(config: &Config, setup: &DoorSetup) -> anyhow::Result<Doors> {
        let mut doors = Vec::new();
        for url in &config.listeners {
            let door = door::open(url, setup.clone())?;
            match bind_all(url).await {
                Err(error) if config.listens_as_usual && door.kind.may_be_missing => {
                    tracing::warn!("{error}; until then nobody can join with a browser");
                }
                listeners => doors.push((door, listeners?)),
            }
        }
        Ok(Doors(doors))
    }

    /// The real addresses of all listeners.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().flat_map(|(_, listeners)| addresses_of(listeners)).collect()
    }

    /// The port of the line door; that of a classic door only if there is no other.
    pub(super) fn line_port(&self) -> Option<u16> {
        self.port_of(NETCAT).or_else(|| self.port_of(CLASSIC))
    }

    fn port_of(&self, wanted: WayIn) -> Option<u16> {
        let (_, listeners) = self.0.iter().find(|(door, _)| door.way_in == wanted)?;
        addresses_of(listeners).first().map(SocketAddr::port)
    }

    /// Logs where the doors are, and how people join.
    pub(super) fn announce(&self) {
        for (door, listeners) in &self.0 {
            announce(door, &addresses_of(listeners));
        }
    }

    /// Accepts connections from now on, until the server shuts down.
    pub(super) fn accept(self, reception: &Arc<Reception>) {
        for (door, listeners) in self.0 {
            for listener in listeners {
                let accepting = accept_connections(Arc::clone(reception), door.clone(), listener);
                reception.tasks.spawn(accepting);
            }
        }
    }
}

fn addresses_of(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
}
