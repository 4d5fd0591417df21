//! Makes listening sockets from a URL, or says what to do if that is impossible. Knows no door.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, lookup_host};

use crate::config::{Host, ListenUrl};
use crate::door;

/// A listener cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {url}: {}", advice(.error, .url))]
pub struct BindError {
    url: ListenUrl,
    error: io::Error,
}

/// Binds the listeners of a URL.
///
/// # Errors
/// The listeners cannot be bound. The error names the URL, the reason, and what to do.
pub(crate) async fn bind_all(url: &ListenUrl) -> Result<Vec<TcpListener>, BindError> {
    try_bind_all(url).await.map_err(|error| BindError { url: url.clone(), error })
}

/// Binds all addresses of a URL: for a name or all interfaces, IPv4 and IPv6 at the same port; one
/// of the two is enough.
async fn try_bind_all(url: &ListenUrl) -> io::Result<Vec<TcpListener>> {
    let mut port = url.port.unwrap_or_default();
    let mut bound: Vec<TcpListener> = Vec::new();
    let mut failed = None;
    for mut address in resolve(&url.host).await? {
        address.set_port(port);
        match door::bind(address) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
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

/// The addresses of a host, without a port.
async fn resolve(host: &Host) -> io::Result<Vec<SocketAddr>> {
    let both = |ips: [IpAddr; 2]| ips.map(|ip| SocketAddr::new(ip, 0)).to_vec();
    Ok(match host {
        Host::All => both([Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]),
        Host::Ip(ip) => vec![SocketAddr::new(*ip, 0)],
        // This needs no resolver, which not every machine has.
        Host::Name(name) if name == "localhost" => {
            both([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Host::Name(_) | Host::Scoped(..) => lookup_host(host.to_lookup(0)).await?.collect(),
    })
}

/// The reason why binding failed, and what to do.
fn advice(error: &io::Error, url: &ListenUrl) -> String {
    let port = url.port.unwrap_or_default();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let mut other = url.clone();
            other.port = Some(port.checked_add(1).unwrap_or(8000));
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
            format!(
                "{} is not an address of this machine; write * for all of its addresses",
                url.host
            )
        }
        _ => error.to_string(),
    }
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
