//! The server's messages at its start: its addresses, and the ways to join. Binds nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::ListenUrl;
use crate::door::{DoorInUse, DoorListener, WayIn, find};

/// Logs the addresses of a door, and the ways to join there.
pub(super) fn announce(door: &DoorInUse, listeners: &[DoorListener]) {
    for listener in listeners {
        tracing::info!("listening {} {listener}", door.kind.scheme);
        if let DoorListener::Unix(..) = listener {
            tracing::info!("{}", door.way_in.at_path(&listener.to_string()));
        }
    }
    let addresses: Vec<_> = listeners.iter().flat_map(DoorListener::addresses).collect();
    for way in ways_to_join(door.way_in, door.kind.is_for_people, &addresses) {
        tracing::info!("{way}");
    }
}

/// Whether only this machine can join.
pub(super) fn is_for_this_machine(urls: &[ListenUrl]) -> bool {
    let is_for_people =
        |url: &&ListenUrl| find(&url.scheme).is_ok_and(|(kind, _)| kind.is_for_people);
    let mut urls = urls.iter().filter(is_for_people);
    urls.all(|url| url.place.is_this_machine())
}

/// The ways to join at a door with these addresses: one for this machine and, if there are
/// `others`, one for each address that they can reach.
fn ways_to_join(way_in: WayIn, others: bool, addresses: &[SocketAddr]) -> Vec<String> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let port = first.port();
    let is_localhost =
        |ip: IpAddr| ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST;
    let mut ways = vec![match first.ip() {
        ip if is_localhost(ip) => way_in.at_host("localhost", port),
        ip => way_in.at(ip, port),
    }];
    if others {
        let others = reachable(addresses).into_iter();
        ways.extend(others.map(|ip| format!("others {}", way_in.at(ip, port))));
    }
    ways
}

/// The addresses at which other machines can reach this one.
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

/// Whether an address is useless without the name of an interface.
fn is_link_local(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::door::{CLASSIC, NETCAT, read_urls};

    const BROWSER: WayIn = WayIn("open in a browser: http://HOST:PORT/lobby");

    #[test]
    fn each_kind_of_door_has_its_own_sentence() {
        let ways = |addresses: &[&str], way_in| {
            let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            ways_to_join(way_in, true, &addresses)
        };
        assert_eq!(
            ways(&["127.0.0.1:8001", "[::1]:8001"], CLASSIC),
            ["join with: nc localhost 8001 (classic)"]
        );
        assert_eq!(ways(&["127.3.2.1:8000"], NETCAT), ["join with: nc 127.3.2.1 8000"]);
        assert_eq!(
            ways(&["192.0.2.7:8000"], NETCAT),
            ["join with: nc 192.0.2.7 8000", "others join with: nc 192.0.2.7 8000"]
        );
        assert_eq!(ways(&["0.0.0.0:80"], NETCAT)[0], "join with: nc localhost 80");
        assert_eq!(
            ways(&["[2001:db8::7]:8080"], BROWSER),
            [
                "open in a browser: http://[2001:db8::7]:8080/lobby",
                "others open in a browser: http://[2001:db8::7]:8080/lobby"
            ]
        );
        assert_eq!(ways(&[], NETCAT).len(), 0);
    }

    #[test]
    fn the_start_message_can_say_who_can_join() {
        let only = |urls| is_for_this_machine(&read_urls(urls).unwrap());
        assert!(only("tcp://localhost,http://localhost"));
        assert!(only("tcp://[::1],tcp://127.0.0.1"));
        assert!(only("tcp://localhost,metrics://*,unix:///run/tea"));
        assert!(!only("tcp://*,http://*") && !only("tcp://localhost,tcp://0.0.0.0:1"));
    }
}
