//! Authorities for certificates (ACME): pebble, which others wrote, and one that does not do its
//! part.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{DEADLINE, skip};

/// The certificate and the key of an authority, in files of a folder.
pub(crate) struct Identity {
    place: TempDir,
    pair: CertifiedKey<rcgen::KeyPair>,
}

impl Identity {
    pub(crate) fn new() -> Identity {
        let place = tempfile::tempdir().unwrap();
        let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(place.path().join("cert.pem"), pair.cert.pem()).unwrap();
        fs::write(place.path().join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
        Identity { place, pair }
    }

    /// The path of its certificate, for `--acme-ca`.
    pub(crate) fn cert(&self) -> PathBuf {
        self.place.path().join("cert.pem")
    }
}

/// The way to an authority that may start later: clients wait in the listener meanwhile.
pub(crate) struct Front {
    listener: Arc<TcpListener>,
    pub(crate) identity: Identity,
    /// How many connections have come.
    pub(crate) visits: Arc<AtomicUsize>,
    /// The authority to which they are passed on.
    behind: Arc<Behind>,
}

/// The address of the authority behind a front, while there is one.
#[derive(Default)]
struct Behind {
    address: Mutex<Option<SocketAddr>>,
    change: Condvar,
}

impl Behind {
    fn set(&self, address: Option<SocketAddr>) {
        *self.address.lock().unwrap() = address;
        self.change.notify_all();
    }

    fn wait(&self) -> SocketAddr {
        let mut address = self.address.lock().unwrap();
        loop {
            match *address {
                Some(address) => return address,
                None => address = self.change.wait(address).unwrap(),
            }
        }
    }
}

impl Front {
    pub(crate) fn new() -> Front {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let (visits, behind) = (Arc::default(), Arc::default());
        Front { listener, identity: Identity::new(), visits, behind }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.listener.local_addr().unwrap().port())
    }

    /// The options with which a server asks this authority for a certificate.
    pub(crate) fn options(&self, way: &str) -> Vec<String> {
        let ca = self.identity.cert().to_str().unwrap().to_owned();
        ["--acme", "chat.example.org", "--acme-directory", &self.directory(), "--acme-ca", &ca]
            .into_iter()
            .chain(["--acme-challenge", way])
            .map(str::to_owned)
            .collect()
    }

    /// A front that passes all connections on to the authority behind; they wait for it.
    pub(crate) fn to_pebble() -> Front {
        let front = Front::new();
        front.lead_behind();
        front
    }

    fn lead_behind(&self) {
        let (listener, visits) = (Arc::clone(&self.listener), Arc::clone(&self.visits));
        let behind = Arc::clone(&self.behind);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                visits.fetch_add(1, Ordering::Relaxed);
                let Ok(server) = TcpStream::connect(behind.wait()) else {
                    continue; // it has ended
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        io::copy(&mut from, &mut to).ok();
                        to.shutdown(Shutdown::Write).ok();
                    });
                }
            }
        });
    }

    /// Answers each request as `answer` says, from now on.
    pub(crate) fn answer(&self, answer: fn(&str, &mut dyn Write) -> io::Result<()>) {
        let (listener, visits) = (Arc::clone(&self.listener), Arc::clone(&self.visits));
        let pair = &self.identity.pair;
        let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
        let settings = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .unwrap();
        let settings = Arc::new(settings);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let settings = Arc::clone(&settings);
                visits.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || {
                    let connection = ServerConnection::new(settings).unwrap();
                    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head)? > 0 {}
                    answer(&head, stream.get_mut())?;
                    stream.get_mut().flush()?;
                    stream.read_to_end(&mut Vec::new()) // it closes when the client does
                });
            }
        });
    }

    /// Waits until this many connections have come.
    pub(crate) fn visited(&self, times: usize) {
        let until = Instant::now() + DEADLINE;
        while self.visits.load(Ordering::Relaxed) < times {
            assert!(Instant::now() < until, "nobody comes to the authority");
            thread::yield_now();
        }
    }
}

/// Writes an answer with this body.
pub(crate) fn write_answer(to: &mut dyn Write, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(to, "HTTP/1.1 {status}\r\nReplay-Nonce: abc\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// pebble with its server of names, for which all names are this machine. Dropping it ends both.
pub(crate) struct Pebble {
    children: Vec<Child>,
    behind: Arc<Behind>,
    _place: TempDir,
}

impl Pebble {
    /// Starts it behind a front: it checks names at these ports, and its certificates are valid for
    /// this many seconds. None if it is not installed.
    pub(crate) fn start(
        front: &Front,
        tls_port: u16,
        http_port: u16,
        seconds: u64,
    ) -> Option<Pebble> {
        if Command::new("pebble").arg("-h").output().is_err() {
            skip("no pebble: apt-get install pebble");
            return None;
        }
        loop {
            let [names, own, more, other] = free_ports();
            let place = tempfile::tempdir().unwrap();
            let configuration = format!(
                r#"{{"pebble": {{"listenAddress": "127.0.0.1:{own}", "managementListenAddress": "127.0.0.1:{more}",
                "certificate": {:?}, "privateKey": {:?}, "httpPort": {http_port}, "tlsPort": {tls_port},
                "certificateValidityPeriod": {seconds}}}}}"#,
                front.identity.cert(),
                front.identity.place.path().join("key.pem"),
            );
            let file = place.path().join("pebble.json");
            fs::write(&file, configuration).unwrap();
            let dns = format!("127.0.0.1:{names}");
            let mut resolving = Command::new("pebble-challtestsrv");
            resolving.args(["-dns01", &dns, "-http01", "", "-https01", "", "-tlsalpn01", ""]);
            resolving.args(["-management", &format!("127.0.0.1:{other}"), "-defaultIPv6", ""]);
            let mut issuing = Command::new("pebble");
            issuing
                .env("PEBBLE_VA_NOSLEEP", "1")
                .arg("-config")
                .arg(file)
                .args(["-dnsserver", &dns]);
            let children = [resolving, issuing].map(|mut command| {
                command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            });
            let mut pebble = Pebble {
                children: children.into(),
                behind: Arc::clone(&front.behind),
                _place: place,
            };
            let addresses = [names, own].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
            if addresses.iter().all(|address| pebble.listens(*address)) {
                front.behind.set(Some(addresses[1]));
                return Some(pebble);
            }
        }
    }

    /// Waits until it listens. False if a program has ended: others have taken a port meanwhile.
    fn listens(&mut self, address: SocketAddr) -> bool {
        let until = Instant::now() + DEADLINE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "pebble does not listen");
            if self.children.iter_mut().any(|child| child.try_wait().unwrap().is_some()) {
                return false;
            }
            thread::yield_now();
        }
        true
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.behind.set(None);
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Ports that nobody has now.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
