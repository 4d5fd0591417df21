//! A server on its own ports, which must also end cleanly.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use parlor::config::{Config, ListenUrl};
use parlor::journal::Memory;
use parlor::server::Server;
use parlor_core::journal::Journal;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Guest, Visitor};

/// A server promises to end within 15 seconds.
const END_TIME: Duration = Duration::from_secs(15);

/// A running server. Dropping it shuts it down; the test fails if it ends badly.
pub(crate) struct TestServer {
    /// The addresses of its doors, in the order of the request.
    addresses: Vec<SocketAddr>,
    /// Dropping it ends the server.
    running: Option<oneshot::Sender<()>>,
    listening: Option<JoinHandle<anyhow::Result<()>>>,
    runtime: Runtime,
}

impl TestServer {
    /// A server with one door in named mode.
    pub(crate) fn named() -> TestServer {
        TestServer::open(&["tcp://127.0.0.1:0"], |_| {})
    }

    /// A server with one door in classic mode.
    pub(crate) fn classic() -> TestServer {
        TestServer::open(&["tcp://127.0.0.1:0?classic"], |_| {})
    }

    /// A server with a web door and a line door.
    pub(crate) fn web() -> TestServer {
        TestServer::open(&["http://127.0.0.1:0", "tcp://127.0.0.1:0"], |_| {})
    }

    /// A visitor who has entered the lobby at the first door.
    #[track_caller]
    pub(crate) fn visitor(&self, name: &str) -> Visitor {
        Visitor::connect(self.addresses[0]).enter(name)
    }

    /// A server with these doors, and the changes that `configure` makes.
    pub(crate) fn open(doors: &[&str], configure: impl FnOnce(&mut Config)) -> TestServer {
        TestServer::with_journal(Box::new(Memory), doors, configure)
    }

    /// A server with this journal.
    pub(crate) fn with_journal(
        journal: Box<dyn Journal>,
        doors: &[&str],
        configure: impl FnOnce(&mut Config),
    ) -> TestServer {
        let urls = doors.iter().map(|door| door.parse::<ListenUrl>().expect(door));
        let mut config = Config::usual().expect("every default is right");
        config.listeners = urls.collect();
        configure(&mut config);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let (running, down) = oneshot::channel::<()>();
        let (addresses, listening) = runtime.block_on(async {
            let mut server = Server::with_journal(config, journal);
            let addresses = server.bind().await.expect("every door can be bound");
            let listening = server.listen(async {
                down.await.ok();
            });
            (addresses, tokio::spawn(listening))
        });
        TestServer { addresses, running: Some(running), listening: Some(listening), runtime }
    }

    /// The addresses of its doors.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A guest who has connected at the first door and said nothing.
    #[track_caller]
    pub(crate) fn guest(&self) -> Guest {
        self.guest_at(0)
    }

    /// A guest who has connected at that door and said nothing.
    #[track_caller]
    pub(crate) fn guest_at(&self, door: usize) -> Guest {
        Guest::connect(self.addresses[door])
    }

    /// A guest who has given a name and read everything up to the replayed lines.
    #[track_caller]
    pub(crate) fn enter(&self, name: &str) -> Guest {
        self.guest().enter(name)
    }

    /// Guests who entered in this order; each has read the arrivals of the later ones.
    #[track_caller]
    pub(crate) fn friends<const N: usize>(&self, names: [&str; N]) -> [Guest; N] {
        let mut friends: Vec<Guest> = Vec::new();
        for name in names {
            let guest = self.enter(name);
            for friend in &mut friends {
                friend.sees(&format!("{name} has arrived"));
            }
            friends.push(guest);
        }
        friends.try_into().ok().expect("as many as names")
    }

    /// Lets the server begin its shutdown, as on a signal.
    pub(crate) fn goes_down(&mut self) {
        self.running = None;
    }

    fn end(&mut self) {
        self.goes_down();
        let Some(listening) = self.listening.take() else {
            return;
        };
        let ended = self.runtime.block_on(async {
            timeout(END_TIME, listening).await.expect("the server ends in time")
        });
        let ended = ended.expect("the server does not panic");
        assert!(ended.is_ok(), "the server ended badly: {ended:?}");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end();
        }
    }
}
