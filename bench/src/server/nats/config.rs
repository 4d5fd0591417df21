//! The configuration of a server of NATS, alone or in a cluster. Knows no process.

use std::net::SocketAddr;
use std::path::Path;

/// When a server of NATS syncs its streams to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NatsSync {
    /// Before it acknowledges a message: what the operating guide recommends.
    Always,
    /// Every two minutes, as NATS does without an option.
    Later,
}

impl NatsSync {
    /// Its name in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            NatsSync::Always => "always",
            NatsSync::Later => "every 2 min",
        }
    }
}

/// The addresses of a server.
#[derive(Debug, Clone, Copy)]
pub(super) struct NatsAddresses {
    /// For nodes.
    pub(super) clients: SocketAddr,
    /// For the other servers.
    pub(super) routes: SocketAddr,
    /// For questions about it.
    pub(super) monitor: SocketAddr,
}

/// The name of a server.
pub(super) fn name(number: usize) -> String {
    format!("server-{number}")
}

/// The configuration of the server with this number, whose files are in a folder.
pub(super) fn write(
    number: usize,
    all: &[NatsAddresses],
    folder: &Path,
    sync: NatsSync,
) -> Option<String> {
    let NatsAddresses { clients, routes, monitor } = all.get(number)?;
    let path = |what: &str| folder.join(format!("{what}-{number}"));
    let sync = match sync {
        NatsSync::Always => ", sync_interval: always",
        NatsSync::Later => "",
    };
    let others: Vec<_> = all.iter().map(|one| format!("\"nats://{}\"", one.routes)).collect();
    let cluster = format!(
        "cluster {{ name: house, listen: \"{routes}\", routes: [{}] }}\n",
        others.join(", ")
    );
    Some(format!(
        "server_name: {}\nlisten: \"{clients}\"\nhttp: \"{monitor}\"\n\
         jetstream {{ store_dir: {:?}{sync} }}\nlog_file: {:?}\n{}",
        name(number),
        path("streams"),
        path("log"),
        // One server alone is no cluster.
        if all.len() > 1 { &cluster } else { "" },
    ))
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn server(port: u16) -> NatsAddresses {
        NatsAddresses {
            clients: address(port),
            routes: address(port + 1),
            monitor: address(port + 2),
        }
    }

    #[test]
    fn server_alone_has_no_cluster() {
        let written = write(0, &[server(10)], Path::new("/files"), NatsSync::Later);
        assert_eq!(
            written.expect("there is one"),
            "server_name: server-0\nlisten: \"127.0.0.1:10\"\nhttp: \"127.0.0.1:12\"\n\
             jetstream { store_dir: \"/files/streams-0\" }\nlog_file: \"/files/log-0\"\n"
        );
    }

    #[test]
    fn servers_of_a_cluster_know_each_other() {
        let all = [server(10), server(20)];
        let written = write(1, &all, Path::new("/files"), NatsSync::Always);
        let written = written.expect("there are two");
        assert!(written.contains("store_dir: \"/files/streams-1\", sync_interval: always }"));
        assert!(written.ends_with(
            "cluster { name: house, listen: \"127.0.0.1:21\", \
             routes: [\"nats://127.0.0.1:11\", \"nats://127.0.0.1:21\"] }\n"
        ));
        assert_eq!(write(2, &all, Path::new("/files"), NatsSync::Always), None);
    }
}
