//! The house: binds its doors, opens them together, and closes in peace.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use parlor_core::broadcaster::{Broadcaster, Limits};
use parlor_core::inbox::Inbox;
use parlor_core::journal::Journal;
use parlor_core::log::Capacity;
use parlor_core::rate;
use parlor_wire::lines;
use tokio::net::{TcpListener, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::broadcaster::{self, Closing};
use crate::clock::{self, Clock};
use crate::config::{self, Config, Host, ListenUrl, Mode, Names, Rate, Scheme};
use crate::door::{self, Admission, Door, House, LineDoor, Questions};
use crate::journal::Memory;
use crate::session::Manners;

/// Everybody has this long to take the last words when the server ends.
const DRAIN_TIME: Duration = Duration::from_secs(12);

/// The last batch has this long to be kept after that: 15 s in all, with a little to spare.
const LAST_COMMIT_TIME: Duration = Duration::from_secs(2);

/// These descriptors are not for connections: listeners, files, and one in reserve.
const DESCRIPTORS_KEPT: usize = 64;

/// What a line is read with: a share of what one connection may hold.
const READ_BYTES_NAMED: usize = 16 * 1024;

/// In classic mode a line may be longer than that.
const READ_BYTES_CLASSIC: usize = 64 * 1024;

/// A chat server.
pub struct Server {
    config: Config,
    journal: Box<dyn Journal>,
    house: Arc<House>,
    clock: Clock,
    doors: Vec<(TcpListener, Arc<Door>)>,
}

/// A door cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {url}: {}", advice(.error, .url))]
pub struct BindError {
    url: ListenUrl,
    error: io::Error,
}

impl Server {
    /// A server that keeps lines in memory.
    pub fn new(config: Config) -> Server {
        Server::with_journal(config, Box::new(Memory))
    }

    /// A server that keeps lines in this journal.
    pub fn with_journal(config: Config, journal: Box<dyn Journal>) -> Server {
        let descriptors = door::raise_limit();
        let connections = config
            .connections
            .unwrap_or(descriptors.saturating_sub(DESCRIPTORS_KEPT).max(1));
        let house = House {
            inbox: Arc::new(Inbox::default()),
            admission: Admission::new(
                connections,
                config.connections_per_address,
                config.limit_loopback,
            ),
            questions: Questions::new(connections),
            tasks: TaskTracker::new(),
            closing: tokio_util::sync::CancellationToken::new(),
            panics: AtomicU64::new(0),
        };
        Server {
            config,
            journal,
            house: Arc::new(house),
            clock: Clock::start(),
            doors: Vec::new(),
        }
    }

    /// Binds all listeners; none of them accepts yet. Returns their real addresses.
    ///
    /// # Errors
    /// One of them cannot be bound: which, why, and what to do.
    pub async fn bind(&mut self) -> Result<Vec<SocketAddr>, BindError> {
        let mut addresses = Vec::new();
        for url in self.config.listeners.clone() {
            let door = Arc::new(self.door(&url));
            let listeners = bind_all(&url)
                .await
                .map_err(|error| BindError { url, error })?;
            for listener in listeners {
                addresses.extend(listener.local_addr());
                self.doors.push((listener, Arc::clone(&door)));
            }
        }
        Ok(addresses)
    }

    /// Opens the doors, and serves until `shutdown`; then tells everybody and closes in peace.
    ///
    /// # Errors
    /// The broadcaster has ended: a bug.
    pub async fn listen(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Server {
            config,
            journal,
            house,
            clock,
            doors,
        } = self;
        let broadcaster = Broadcaster::new(Arc::clone(&house.inbox), limits(&config));
        let closing = Closing {
            soon: house.closing.clone(),
            ..Closing::default()
        };
        let mut broadcasting = tokio::spawn(broadcaster::run(
            broadcaster,
            journal,
            clock,
            closing.clone(),
        ));
        for (listener, door) in doors {
            house
                .tasks
                .spawn(door::serve(Arc::clone(&house), door, listener));
        }
        tokio::select! {
            () = shutdown => {}
            ended = &mut broadcasting => anyhow::bail!("the broadcaster has ended: {ended:?}"),
        }
        close(&house, &closing, broadcasting).await;
        match house.panics.load(Ordering::Relaxed) {
            0 => Ok(()),
            panics => anyhow::bail!("{panics} connections ended by a panic; each of them is a bug"),
        }
    }

    /// Logs the listeners, says how to join at each door, and warns of variables that were mistyped.
    pub fn announce(&self, addresses: &[SocketAddr]) {
        let variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        for sentence in config::strangers(variables) {
            tracing::warn!("{sentence}");
        }
        for address in addresses {
            tracing::info!("listening tcp {address}");
        }
        // One door may have several listeners, side by side.
        for listeners in self.doors.chunk_by(|(_, a), (_, b)| Arc::ptr_eq(a, b)) {
            let addresses: Vec<SocketAddr> = listeners
                .iter()
                .filter_map(|(listener, _)| listener.local_addr().ok())
                .collect();
            let classic = listeners.iter().any(|(_, door)| is_classic(door));
            for way in ways_to_join(&addresses, classic) {
                tracing::info!("{way}");
            }
        }
        if self.config.only_this_machine() {
            tracing::info!("only this machine can join; --lan lets others in");
        }
        tracing::info!(
            "lines are kept in memory only: when the server ends, what was said is gone"
        );
    }

    fn door(&self, url: &ListenUrl) -> Door {
        let Scheme::Tcp = url.scheme;
        let (mode, asks, replay, rate) = match url.mode {
            Mode::Classic => (lines::Mode::Classic, false, 0, Rate::Off),
            Mode::Named(names) => (
                lines::Mode::Named,
                names == Names::Ask,
                self.config.replay,
                self.config.rate,
            ),
        };
        let manners = Manners {
            idle: url.idle,
            rate: match rate {
                Rate::Off => None,
                Rate::PerSecond(lines) => Some(rate::Rate {
                    per_second: lines.get(),
                }),
            },
            read_bytes_max: match mode {
                lines::Mode::Classic => READ_BYTES_CLASSIC,
                lines::Mode::Named => READ_BYTES_NAMED,
            },
            replay: replay as u64,
            zone: TimeZone::system(),
            clock: self.clock,
        };
        let clock = lines::Clock {
            zone: manners.zone.clone(),
            now: clock::wall,
        };
        Door::Lines(LineDoor {
            mode,
            asks,
            manners,
            clock,
        })
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        rooms: config.rooms,
        log: Capacity {
            lines: config.log_lines,
            bytes: config.log_size.bytes(),
        },
        logs_bytes: config.log_total.bytes(),
        ..Limits::default()
    }
}

/// Everybody is told and leaves; then the last batch is kept.
async fn close(house: &House, closing: &Closing, broadcasting: JoinHandle<()>) {
    sd_notify::notify(&[sd_notify::NotifyState::Stopping]).ok();
    closing.soon.cancel();
    house.tasks.close();
    if timeout(DRAIN_TIME, house.tasks.wait()).await.is_err() {
        tracing::warn!("not everybody took the last words in time");
    }
    closing.now.cancel();
    match timeout(LAST_COMMIT_TIME, broadcasting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the broadcaster has failed"),
        Err(_) => tracing::error!("the journal did not finish in time"),
    }
}

/// Binds what a URL means: for a name or all interfaces, IPv4 and IPv6 at the same port, of which
/// one suffices.
async fn bind_all(url: &ListenUrl) -> io::Result<Vec<TcpListener>> {
    let mut port = url.address.port;
    let mut bound: Vec<TcpListener> = Vec::new();
    let mut failed = None;
    for ip in resolve(&url.address.host).await? {
        match door::bind(SocketAddr::new(ip, port)) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                bound.push(listener);
            }
            // Another program there would take connections that are meant for us.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

async fn resolve(host: &Host) -> io::Result<Vec<IpAddr>> {
    Ok(match host {
        Host::All => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        Host::Ip(ip) => vec![*ip],
        // Not asked of the resolver, which some machines have not set up.
        Host::Name(name) if name == "localhost" => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Host::Name(name) => lookup_host((name.as_str(), 0))
            .await?
            .map(|address| address.ip())
            .collect(),
    })
}

/// What is wrong with an address, and what to do.
fn advice(error: &io::Error, url: &ListenUrl) -> String {
    let port = url.address.port;
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let mut other = url.clone();
            other.address.port = port.checked_add(1).unwrap_or(8000);
            format!(
                "port {port} is in use, perhaps by another parlor; end that, or choose another port: --listen '{other}'"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "port {port} needs privileges that this process has not; choose one from 1024 on, as 8000"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "{} is no address of this machine; * stands for all of them",
                url.address.host
            )
        }
        _ => error.to_string(),
    }
}

fn is_classic(door: &Door) -> bool {
    let Door::Lines(door) = door;
    door.mode == lines::Mode::Classic
}

/// How people join at a door with these addresses: those on this machine in one way, others at each address they
/// can reach.
fn ways_to_join(addresses: &[SocketAddr], classic: bool) -> Vec<String> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let port = first.port();
    let mark = if classic { " (classic)" } else { "" };
    let is_localhost =
        |ip: IpAddr| ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    let own = match first.ip() {
        ip if is_localhost(ip) => "localhost".to_owned(),
        ip => ip.to_string(),
    };
    let mut ways = vec![format!("join with: nc {own} {port}{mark}")];
    let others = reachable(addresses).into_iter();
    ways.extend(others.map(|ip| format!("others join with: nc {ip} {port}{mark}")));
    ways
}

/// The addresses of this machine at which others can reach it.
fn reachable(addresses: &[SocketAddr]) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = Vec::new();
    for ip in addresses.iter().map(SocketAddr::ip) {
        if ip.is_unspecified() {
            let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
            let found = interfaces
                .iter()
                .map(if_addrs::Interface::ip)
                .filter(|found| found.is_ipv4() == ip.is_ipv4());
            ips.extend(found.filter(|ip| !ip.is_loopback() && !is_link_local(ip)));
        } else if !ip.is_loopback() {
            ips.push(ip);
        }
    }
    ips
}

/// Such an address is of no use without the name of an interface.
fn is_link_local(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn each_door_is_joined_in_its_own_way() {
        let ways = |addresses: &[&str], classic| {
            let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            ways_to_join(&addresses, classic)
        };
        assert_eq!(
            ways(&["127.0.0.1:8001", "[::1]:8001"], true),
            ["join with: nc localhost 8001 (classic)"]
        );
        assert_eq!(
            ways(&["127.3.2.1:8000"], false),
            ["join with: nc 127.3.2.1 8000"]
        );
        assert_eq!(
            ways(&["192.0.2.7:8000"], false),
            [
                "join with: nc 192.0.2.7 8000",
                "others join with: nc 192.0.2.7 8000"
            ]
        );
        assert_eq!(
            ways(&["0.0.0.0:80"], false)[0],
            "join with: nc localhost 80"
        );
        assert_eq!(ways(&[], false).len(), 0);
    }

    #[test]
    fn a_privileged_port_is_explained_where_the_system_forbids_it() {
        let error = BindError {
            url: "tcp://localhost:80".parse().unwrap(),
            error: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(
            error.to_string(),
            "cannot listen at tcp://localhost:80: port 80 needs privileges that this process has not; \
             choose one from 1024 on, as 8000"
        );
    }
}
