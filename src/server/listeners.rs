//! Makes listening sockets from a URL, or says what to do if that is impossible. Knows no door.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::lookup_host;

use crate::config::{Host, ListenPlace, ListenUrl};
use crate::door::{DoorListener, ListenerOptions, PassedSockets};

/// A listener cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {url}: {}", advice(.error, .url))]
pub struct BindError {
    url: ListenUrl,
    error: io::Error,
}

/// Takes the listeners of a URL that systemd has bound.
///
/// # Errors
/// They cannot be used. The error names the URL and the reason.
pub(crate) async fn take_passed(
    url: &ListenUrl,
    passed: &mut PassedSockets,
) -> Result<Vec<DoorListener>, BindError> {
    let taken = match &url.place {
        _ if passed.is_empty() => Ok(Vec::new()), // so nothing is resolved for it
        ListenPlace::Path(path) => passed.at_path(path),
        ListenPlace::Port { host, port } => resolve(host, port.unwrap_or_default())
            .await
            .and_then(|addresses| passed.at_addresses(&addresses)),
    };
    taken.map_err(|error| BindError { url: url.clone(), error })
}

/// Binds the listeners of a URL, except those that systemd has bound.
///
/// # Errors
/// The listeners cannot be bound. The error names the URL, the reason, and what to do.
pub(crate) async fn bind_all(
    url: &ListenUrl,
    options: &ListenerOptions,
    passed: Vec<DoorListener>,
) -> Result<Vec<DoorListener>, BindError> {
    let bound = match &url.place {
        ListenPlace::Port { host, port } => at_ports(host, port.unwrap_or_default(), passed).await,
        ListenPlace::Path(_) if !passed.is_empty() => Ok(passed),
        ListenPlace::Path(path) => {
            DoorListener::at_path(path, options.mode).map(|listener| vec![listener])
        }
    };
    bound.map_err(|error| BindError { url: url.clone(), error })
}

/// Binds all addresses of a host: for a name or all interfaces, IPv4 and IPv6 at the same port; one
/// of the two is enough.
async fn at_ports(
    host: &Host,
    mut port: u16,
    passed: Vec<DoorListener>,
) -> io::Result<Vec<DoorListener>> {
    let mut bound = passed;
    let mut failed = None;
    for mut address in resolve(host, port).await? {
        address.set_port(port);
        if bound.iter().any(|listener| listener.addresses().contains(&address)) {
            continue;
        }
        match DoorListener::at_port(address) {
            Ok(listener) => {
                port = listener.addresses().first().map_or(port, SocketAddr::port);
                bound.push(listener);
            }
            // Otherwise another program would get some of the connections.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}

/// The addresses of a host at a port.
async fn resolve(host: &Host, port: u16) -> io::Result<Vec<SocketAddr>> {
    let both = |ips: [IpAddr; 2]| ips.map(|ip| SocketAddr::new(ip, port)).to_vec();
    Ok(match host {
        Host::All => both([Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]),
        Host::Ip(ip) => vec![SocketAddr::new(*ip, port)],
        // This needs no resolver, which not every machine has.
        Host::Name(name) if name == "localhost" => {
            both([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Host::Name(_) | Host::Scoped(..) => lookup_host(host.to_lookup(port)).await?.collect(),
    })
}

/// The reason why binding failed, and what to do.
fn advice(error: &io::Error, url: &ListenUrl) -> String {
    match &url.place {
        ListenPlace::Port { host, port } => {
            advice_on_port(error, host, port.unwrap_or_default(), url)
        }
        ListenPlace::Path(_) => advice_on_path(error),
    }
}

fn advice_on_port(error: &io::Error, host: &Host, port: u16, url: &ListenUrl) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let mut other = url.clone();
            let next = Some(port.checked_add(1).unwrap_or(8000));
            other.place = ListenPlace::Port { host: host.clone(), port: next };
            format!(
                "port {port} is in use, perhaps by another parlor; stop that server, or choose another port: --listen '{other}'"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "port {port} needs privileges that this process lacks; choose a port from 1024 up, such as 8000"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("{host} is not an address of this machine; write * for all of its addresses")
        }
        _ => error.to_string(),
    }
}

fn advice_on_path(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the socket is in use, perhaps by another parlor; stop that server, or choose another path"
        }
        io::ErrorKind::AlreadyExists => {
            "there is a file that is not a socket; remove it, or choose another path"
        }
        io::ErrorKind::NotFound => "its directory does not exist; create it with mkdir",
        io::ErrorKind::PermissionDenied => {
            "this process may not create a file there; choose a directory that its user may write to"
        }
        io::ErrorKind::InvalidInput => "the path is too long for a socket; choose a shorter one",
        _ => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_privileged_port_is_explained_where_the_system_forbids_it() {
        let error = BindError {
            url: "tcp://localhost:80".parse().unwrap(),
            error: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(
            error.to_string(),
            "cannot listen at tcp://localhost:80: port 80 needs privileges that this process lacks; \
             choose a port from 1024 up, such as 8000"
        );
    }
}
