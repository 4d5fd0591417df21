//! Servers of NATS that are a cluster: which of them to connect to, and whether one leads. Knows no
//! connection.

use std::future::{Ready, ready};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::stream::ClusterInfo;
use async_nats::{ReconnectToServer, Server, ServerInfo};

/// The pause between two tries to connect, after the first ones.
pub(super) const CONNECT_PAUSE: Duration = Duration::from_millis(250);

/// The servers of NATS choose another leader 4 s after they have heard the old one, at the earliest.
const LEASE: Duration = Duration::from_secs(3);

/// Chooses the servers in turn, each time another one than before. Left alone, the library prefers
/// servers that it could always reach: a server that is cut off with this node, for example, also when
/// the cut is over and that server does not work yet.
pub(super) fn in_turn() -> impl Fn(Vec<Server>, ServerInfo) -> Ready<Option<ReconnectToServer>> {
    let chosen = Mutex::new(None);
    move |servers: Vec<Server>, info: ServerInfo| {
        if info.server_id.is_empty() {
            return ready(None); // the first connection: all servers are tried
        }
        let mut chosen = chosen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *chosen;
        let first = || servers.iter().position(|server| server.did_connect);
        let next = before.or_else(first).map_or(0, |index| index + 1) % servers.len().max(1);
        *chosen = Some(next);
        ready(servers.get(next).map(|server| ReconnectToServer {
            addr: server.addr.clone(),
            delay: Some(CONNECT_PAUSE * u32::from(server.failed_attempts > 0)),
        }))
    }
}

/// Whether the server that answers leads the stream for sure: most servers, itself among them, have
/// just followed it. One that was cut off believes that it leads for a while, and lacks messages.
pub(super) fn leads(cluster: &ClusterInfo) -> bool {
    let others = cluster.replicas.iter();
    let following = others.filter(|server| !server.offline && server.active < LEASE).count();
    cluster.leader.is_some() && 2 * (following + 1) > cluster.replicas.len() + 1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::{ClusterInfo, PeerInfo};
    use async_nats::{Server, ServerInfo};

    use super::{in_turn, leads};

    fn cluster(leader: Option<&str>, silent: [u64; 2]) -> ClusterInfo {
        let replicas = silent.map(|silent| PeerInfo {
            name: format!("silent-{silent}"),
            current: true,
            active: Duration::from_secs(silent),
            offline: false,
            lag: None,
        });
        ClusterInfo {
            name: None,
            raft_group: None,
            leader: leader.map(str::to_owned),
            leader_since: None,
            replicas: replicas.into(),
        }
    }

    #[test]
    fn a_server_that_others_do_not_follow_may_lead_no_more() {
        assert!(leads(&cluster(Some("one"), [0, 0])));
        assert!(leads(&cluster(Some("one"), [60, 1])), "most servers follow it");
        assert!(
            !leads(&cluster(Some("one"), [60, 4])),
            "the others may have chosen another leader"
        );
        assert!(!leads(&cluster(None, [0, 0])));
        let mut offline = cluster(Some("one"), [60, 0]);
        offline.replicas.iter_mut().for_each(|server| server.offline = true);
        assert!(!leads(&offline));
    }

    #[test]
    fn servers_are_tried_in_turn_whether_or_not_they_could_be_reached() {
        let server = |number: usize| Server {
            addr: format!("nats://10.0.0.{number}:4222")
                .parse()
                .unwrap_or_else(|_| panic!("an address")),
            failed_attempts: if number == 1 { 0 } else { 9 },
            did_connect: number == 1,
            is_discovered: false,
            last_error: None,
        };
        let servers: Vec<_> = (0..3).map(server).collect();
        let choose = in_turn();
        let first = choose(servers.clone(), ServerInfo::default()).into_inner();
        assert!(first.is_none(), "all are tried for the first connection");
        let info = ServerInfo { server_id: "some".to_owned(), ..ServerInfo::default() };
        let next = || {
            let chosen = choose(servers.clone(), info.clone()).into_inner();
            chosen
                .map(|chosen| (chosen.addr.host().to_owned(), chosen.delay == Some(Duration::ZERO)))
        };
        let tried: Vec<_> = (0..4).map(|_| next()).collect();
        let there = |number: usize| Some((format!("10.0.0.{number}"), number == 1));
        assert_eq!(tried, [2, 0, 1, 2].map(there));
    }
}
