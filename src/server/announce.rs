//! What people type to join: a way for each door and for each address at which it can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::door::WayIn;

/// How people join at a door with these addresses: those on this machine in one way, others at each address they
/// can reach.
pub(crate) fn ways_to_join(addresses: &[SocketAddr], way_in: WayIn) -> Vec<String> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let port = first.port();
    let is_localhost =
        |ip: IpAddr| ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    let own = match first.ip() {
        ip if is_localhost(ip) => "localhost".to_owned(),
        ip => way_in.host(ip),
    };
    let mut ways = vec![way_in.at(&own, port)];
    if way_in == WayIn::Nobody {
        return ways;
    }
    let others = reachable(addresses).into_iter();
    ways.extend(others.map(|ip| format!("others {}", way_in.at(&way_in.host(ip), port))));
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
        let ways = |addresses: &[&str], way_in| {
            let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            ways_to_join(&addresses, way_in)
        };
        assert_eq!(
            ways(&["127.0.0.1:8001", "[::1]:8001"], WayIn::Classic),
            ["join with: nc localhost 8001 (classic)"]
        );
        assert_eq!(
            ways(&["127.3.2.1:8000"], WayIn::Netcat),
            ["join with: nc 127.3.2.1 8000"]
        );
        assert_eq!(
            ways(&["192.0.2.7:8000"], WayIn::Netcat),
            [
                "join with: nc 192.0.2.7 8000",
                "others join with: nc 192.0.2.7 8000"
            ]
        );
        assert_eq!(
            ways(&["0.0.0.0:80"], WayIn::Netcat)[0],
            "join with: nc localhost 80"
        );
        assert_eq!(
            ways(&["[2001:db8::7]:8080"], WayIn::Browser),
            [
                "open in a browser: http://[2001:db8::7]:8080/lobby",
                "others open in a browser: http://[2001:db8::7]:8080/lobby"
            ]
        );
        assert_eq!(ways(&[], WayIn::Netcat).len(), 0);
    }
}
