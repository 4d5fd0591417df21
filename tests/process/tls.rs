//! Doors with TLS: who comes there, which certificate is shown, and what others cannot do.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore};

use crate::admin::{done, order};
use crate::data::Data;
use crate::guest::{Guest, hear, talk};
use crate::server::{HERE, Server, parlor};
use crate::{DEADLINE, EndOnDrop, affordable, many_descriptors};

/// A pair of certificate and key, made by openssl, in files of a folder.
pub(crate) struct Pair {
    _place: TempDir,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    /// A certificate for localhost that no authority has signed. It can sign others.
    pub(crate) fn new() -> Pair {
        Pair::made("DNS:localhost,IP:127.0.0.1", &[])
    }

    /// A certificate for these names that another one has signed.
    pub(crate) fn signed_by(authority: &Pair, names: &str) -> Pair {
        let [cert, key] = [&authority.cert, &authority.key].map(|file| file.to_str().unwrap());
        let no_authority = ["-addext", "basicConstraints=critical,CA:FALSE"];
        Pair::made(names, &[&["-CA", cert, "-CAkey", key], &no_authority[..]].concat())
    }

    fn made(names: &str, more: &[&str]) -> Pair {
        let place = tempfile::tempdir().unwrap();
        let (cert, key) = (place.path().join("cert.pem"), place.path().join("key.pem"));
        let names = format!("subjectAltName={names}");
        let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let output = Command::new("openssl")
            .args(["req", "-x509", "-subj", "/CN=localhost", "-addext", &names])
            .args(kind)
            .args(more)
            .args([Path::new("-keyout"), &key, Path::new("-out"), &cert])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        Pair { _place: place, cert, key }
    }

    /// The options that show it.
    pub(crate) fn options(&self) -> [&str; 4] {
        ["--tls-cert", self.cert.to_str().unwrap(), "--tls-key", self.key.to_str().unwrap()]
    }

    /// Its fingerprint, as openssl shows it.
    pub(crate) fn fingerprint(&self) -> String {
        let output = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(&self.cert)
            .output()
            .unwrap();
        fingerprint_in(&output.stdout)
    }

    /// Takes the files of another pair.
    fn become_like(&self, other: &Pair) {
        fs::copy(&other.key, &self.key).unwrap();
        fs::copy(&other.cert, &self.cert).unwrap();
    }
}

/// The fingerprint in what openssl prints.
fn fingerprint_in(printed: &[u8]) -> String {
    let text = String::from_utf8_lossy(printed);
    let line = text.lines().find(|line| line.to_lowercase().contains("fingerprint="));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    line.split_once('=').unwrap().1.to_owned()
}

/// The fingerprint of the certificate that a door shows now.
pub(crate) fn shown_at(address: SocketAddr) -> String {
    let script = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    fingerprint_in(&output.stdout)
}

/// A program that speaks TLS, with its input and output. Dropping it ends it.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Program {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Program { child, input, output: BufReader::new(output) }
    }

    /// A person at a door with TLS, who has entered.
    pub(crate) fn enter(address: SocketAddr, name: &str) -> Program {
        let mut person = openssl(address, &[]);
        person.say(name);
        person.until(&format!("You are {name}"));
        person
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Reads up to a line that ends like this.
    pub(crate) fn until(&mut self, end: &str) {
        self.until_line(|line| line.ends_with(end));
    }

    /// Reads up to a line that begins like this.
    pub(crate) fn until_begun(&mut self, start: &str) {
        self.until_line(|line| line.starts_with(start));
    }

    fn until_line(&mut self, is_it: impl Fn(&str) -> bool) {
        let (mut line, mut read) = (String::new(), String::new());
        while !is_it(line.trim_end()) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the end came: {read}");
            read.push_str(&line);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn openssl(address: SocketAddr, more: &[&str]) -> Program {
    let address = address.to_string();
    Program::start("openssl", &[&["s_client", "-quiet", "-connect", &address], more].concat())
}

/// A server with doors for lines and pages over TLS, and one for lines without.
fn server(options: &[&str]) -> Server {
    let doors = ["--listen", "tls://127.0.0.1:0", "--listen", "https://127.0.0.1:0"];
    Server::run(parlor(), &[&HERE[..], &doors, &["--rate", "off"], options].concat())
}

#[test]
fn programs_of_others_join_over_tls() {
    let pair = Pair::new();
    let server = server(&pair.options());
    let tls = server.listening("tls");
    let port = tls.port().to_string();
    let mut alice = Guest::enter(server.address, "alice");
    let socat = format!("OPENSSL:{tls},cafile={},commonname=localhost", pair.cert.display());
    let ca = format!("--x509cafile={}", pair.cert.display());
    let verify = ["-tls1_2", "-verify_return_error", "-CAfile", pair.cert.to_str().unwrap()];
    let people = [
        ("openssl", openssl(tls, &["-tls1_3"])),
        ("openssl2", openssl(tls, &verify)),
        ("ncat", Program::start("ncat", &["--ssl", "127.0.0.1", &port])),
        ("socat", Program::start("socat", &["-", &socat])),
        (
            "gnutls",
            Program::start("gnutls-cli", &["--logfile=/dev/null", &ca, "-p", &port, "localhost"]),
        ),
    ];
    for (name, mut person) in people {
        person.say(name);
        person.until(&format!("You are {name}"));
        person.say("hello over TLS");
        alice.until(&format!("{name}: hello over TLS"));
        alice.say(&format!("hello {name}"));
        person.until(&format!("alice: hello {name}"));
        drop(person);
        alice.until(&format!("{name} has left"));
    }
    server.close(alice);
}

pub(crate) fn curl(arguments: &[&str], target: &str) -> Output {
    Command::new("curl")
        .args(["-sS", "--max-time", "60"])
        .args(arguments)
        .arg(target)
        .output()
        .unwrap()
}

#[test]
fn pages_and_rooms_come_over_https_and_a_request_in_clear_text_reads_where_to_go() {
    let pair = Pair::new();
    let server = server(&pair.options());
    let web = server.listening("https");
    let mut alice = Guest::enter(server.address, "alice");
    let ca = ["--cacert", pair.cert.to_str().unwrap()];
    let root = format!("https://localhost:{}", web.port());
    let said = curl(&[&ca[..], &["-d", "over https"]].concat(), &format!("{root}/lobby?name=ci"));
    assert!(said.status.success(), "{said:?}");
    hear(&mut alice, "over https");
    let read = curl(&ca, &format!("{root}/lobby?last=1"));
    assert!(String::from_utf8_lossy(&read.stdout).ends_with("ci: over https\n"), "{read:?}");
    let unknown = curl(&[], &format!("{root}/lobby?last=1"));
    assert!(!unknown.status.success(), "curl does not know this certificate");

    let clear = curl(&["-i"], &format!("http://localhost:{}/lobby?last=1", web.port()));
    let clear = String::from_utf8_lossy(&clear.stdout).into_owned();
    assert!(clear.starts_with("HTTP/1.1 400 "), "{clear}");
    let words = format!("This port speaks HTTPS: https://localhost:{}/\n", web.port());
    assert!(clear.ends_with(&words), "{clear}");
    // A page of this address without TLS is a page of another site.
    let foreign = format!("Origin: http://localhost:{}", web.port());
    let refused = curl(
        &[&ca[..], &["-w", "%{http_code}", "-H", &foreign]].concat(),
        &format!("{root}/lobby?last=1"),
    );
    assert!(String::from_utf8_lossy(&refused.stdout).ends_with("403"), "{refused:?}");
    server.close(alice);
}

#[test]
fn clients_without_tls_silent_and_dripping_ones_keep_nobody_out() {
    let server = server(&["--connections", "60"]);
    let tls = server.listening("tls");
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Program::enter(tls, "bob");
    let begun = Instant::now();
    let mut silent: Vec<_> = (0..20).map(|_| TcpStream::connect(tls).unwrap()).collect();
    let mut dripping: Vec<_> = (0..10).map(|_| TcpStream::connect(tls).unwrap()).collect();
    for stream in &mut dripping {
        stream.write_all(&[22, 3, 1]).unwrap(); // the beginning of a hello that never ends
    }
    let mut plain = TcpStream::connect(tls).unwrap();
    plain.write_all(b"hello, is anybody here?\n").unwrap();
    let mut alert = Vec::new();
    plain.set_read_timeout(Some(DEADLINE)).unwrap();
    plain.read_to_end(&mut alert).ok();
    assert_eq!(alert.first(), Some(&21), "an alert of TLS, and nothing else: {alert:?}");
    alice.say("talking");
    bob.until("alice: talking");
    let mut carol = Program::enter(tls, "carol");
    carol.say("me too");
    alice.until("carol: me too");
    for stream in silent.iter_mut().chain(&mut dripping) {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).ok(); // the end, or a reset
    }
    assert!(begun.elapsed() >= Duration::from_secs(9), "they had their ten seconds");
    drop((bob, carol));
    server.close(alice);
}

/// The first message of a client, made by another library than those of the programs.
fn client_hello() -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(settings), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

/// The memory that a handshake may take. Measured: 13 KiB.
const HANDSHAKE_BYTES_MAX: u64 = 40 << 10;

#[test]
fn thousands_of_handshakes_that_never_end_keep_nobody_from_talking() {
    let _turn = many_descriptors();
    let server = server(&[]);
    let tls = server.listening("tls");
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Program::enter(tls, "bob");
    let baseline = server.resident_bytes();
    let hello = client_hello();
    let storm: Vec<_> = (0..affordable(5_000)).map(|_| TcpStream::connect(tls).unwrap()).collect();
    // A third says nothing, and a third nothing after its hello.
    for mut client in storm.iter().step_by(3) {
        client.write_all(&hello).unwrap();
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in &hello {
                for mut client in storm.iter().skip(1).step_by(3) {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    client.write_all(&[*byte]).ok(); // it may be closed by now
                }
            }
        });
        let _end = EndOnDrop(&is_over);
        for round in 0..100 {
            alice.say(&format!("in the storm {round}?"));
            bob.until(&format!("alice: in the storm {round}?"));
            bob.say(&format!("in the storm {round}!"));
            hear(&mut alice, &format!("in the storm {round}!"));
        }
        let mut carol = Program::enter(tls, "carol");
        carol.say("me too");
        hear(&mut alice, "me too");
    });
    let growth = server.resident_bytes().saturating_sub(baseline);
    let most = HANDSHAKE_BYTES_MAX * storm.len() as u64;
    assert!(growth < most, "{growth} bytes more, and not {most}");
    drop((bob, storm));
    server.close(alice);
}

#[test]
fn clients_learn_to_come_back_with_tls_if_they_can_trust_the_certificate() {
    let pair = Pair::new();
    let doors = ["--listen", "ircs://127.0.0.1:0?server=irc.example"];
    let plain = ["--listen", "irc://127.0.0.1:0?server=irc.example"];
    let web = ["--listen", "https://127.0.0.1:0"];
    let doors = [&doors[..], &plain, &web].concat();
    let offered = |server: &Server| {
        let mut over_tls = openssl(server.listening("ircs"), &[]);
        over_tls.say("CAP LS 302");
        let mut with_tls = String::new();
        over_tls.output.read_line(&mut with_tls).unwrap();
        let mut guest = Guest::connect(server.listening("irc"));
        guest.say("CAP LS 302");
        (with_tls, guest.line())
    };
    let strict = |server: &Server| {
        let target = format!("https://{}/", server.listening("https"));
        let output = curl(&["-k", "-i"], &target);
        String::from_utf8_lossy(&output.stdout)
            .to_lowercase()
            .contains("strict-transport-security:")
    };
    let server = Server::open(&[&doors[..], &pair.options()].concat());
    let (with_tls, without) = offered(&server);
    assert!(with_tls.contains(" :sts=duration=2592000"), "{with_tls}");
    let port = format!(" :sts=port={}", server.listening("ircs").port());
    assert!(without.contains(&port), "{without}");
    assert!(strict(&server));
    let mut older = Guest::connect(server.listening("irc"));
    older.say("CAP LS");
    assert!(!older.line().contains("sts"));
    older.say("CAP REQ :sts");
    assert!(older.line().contains(" NAK "), "it is no capability to ask for");
    server.close(older);
    let server = Server::open(&doors); // with its own certificate
    let (with_tls, without) = offered(&server);
    assert!(!with_tls.contains("sts=") && !without.contains("sts="), "{with_tls}{without}");
    assert!(!strict(&server));
    server.close(());
}

#[test]
fn a_new_certificate_is_shown_at_once_and_nobody_loses_the_connection() {
    let (pair, next) = (Pair::new(), Pair::new());
    let data = Data::new();
    let doors = ["--listen", "tls://127.0.0.1:0"];
    let server = data.open(&[&doors[..], &pair.options()].concat());
    let tls = server.listening("tls");
    assert_eq!(shown_at(tls), pair.fingerprint());
    let mut alice = Program::enter(tls, "alice");
    let mut bob = Guest::connect(server.address);
    bob.say("bob");
    bob.until("You are bob");
    let old = pair.fingerprint();
    fs::copy(&next.cert, &pair.cert).unwrap(); // and the old key: broken
    let refused = order(&data, &["reload"]).unwrap_err();
    assert!(refused.contains("cannot be used with the key"), "{refused}");
    assert_eq!(shown_at(tls), old);
    pair.become_like(&next);
    let answer = done(&data, &["reload"]);
    let new = next.fingerprint();
    assert!(answer.iter().any(|line| line.contains(&new)), "{answer:?}");
    assert_eq!(shown_at(tls), new);
    let third = Pair::new();
    pair.become_like(&third);
    server.signal(Signal::HUP);
    server.logged(&third.fingerprint());
    assert_eq!(shown_at(tls), third.fingerprint());
    for round in 0..20 {
        alice.say(&format!("still here {round}"));
        hear(&mut bob, &format!("still here {round}"));
        bob.say(&format!("and here {round}"));
        alice.until(&format!("bob: and here {round}"));
    }
    drop(alice);
    server.end(); // its log has the error about the broken pair
}

#[test]
fn the_server_makes_its_own_certificate_and_keeps_it() {
    let data = Data::new();
    let doors = ["--listen", "tls://127.0.0.1:0", "--listen", "ircs://127.0.0.1:0"];
    let server = data.open(&doors);
    let own = shown_at(server.listening("tls"));
    server.logged(&format!("the certificate is our own: SHA256 fingerprint {own}"));
    assert_eq!(shown_at(server.listening("ircs")), own);
    server.close(());
    let server = data.open(&doors);
    assert_eq!(shown_at(server.listening("tls")), own);
    server.close(());
    let memory = Server::open(&["--listen", "tls://127.0.0.1:0"]);
    assert_ne!(shown_at(memory.listening("tls")), own);
    memory.close(());
}

#[test]
fn a_listener_shows_the_certificate_that_its_url_names() {
    let (usual, own) = (Pair::new(), Pair::new());
    let url = format!("tls://127.0.0.1:0?cert={}&key={}", own.cert.display(), own.key.display());
    let server = server(&[&usual.options()[..], &["--listen", &url]].concat());
    let second = server.logged_times("listening tls ", 2);
    let second = second.split("listening tls ").nth(1).unwrap().trim().parse().unwrap();
    assert_eq!(shown_at(server.listening("tls")), usual.fingerprint());
    assert_eq!(shown_at(second), own.fingerprint());
    server.close(());
}

#[test]
fn a_server_with_an_unusable_certificate_does_not_start() {
    let (pair, other) = (Pair::new(), Pair::new());
    let (cert, key) = (pair.cert.to_str().unwrap(), other.key.to_str().unwrap());
    for (options, words) in [
        (["--tls-cert", "/none.pem", "--tls-key", key], "cannot read /none.pem"),
        (["--tls-cert", cert, "--tls-key", key], "cannot be used with the key in"),
        (["--tls-cert", key, "--tls-key", key], "has no certificate in the form PEM"),
        (["--tls-cert", cert, "--tls-key", cert], "has no private key in the form PEM"),
    ] {
        let mut command = parlor();
        command.arg("serve").args(HERE).args(["--listen", "tls://127.0.0.1:0"]).args(options);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(printed.contains(words), "{printed}");
    }
}

#[test]
fn people_come_and_go_while_certificates_change() {
    let (pair, next) = (Pair::new(), Pair::new());
    let server = server(&pair.options());
    let tls = server.listening("tls");
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    thread::scope(|scope| {
        let coming = scope.spawn(|| {
            for number in 0..20 {
                drop(Program::enter(tls, &format!("visitor{number}")));
            }
        });
        for _ in 0..5 {
            pair.become_like(&next);
            server.signal(Signal::HUP);
            talk(&mut alice, &mut bob, "meanwhile", 4);
        }
        coming.join().unwrap();
    });
    server.end();
}

#[test]
fn a_proxy_header_is_believed_neither_before_tls_nor_inside_it() {
    let header = "PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000\r\n";
    let server = server(&[]);
    let tls = server.listening("tls");
    let mut before = TcpStream::connect(tls).unwrap();
    before.set_read_timeout(Some(DEADLINE)).unwrap();
    before.write_all(header.as_bytes()).unwrap();
    let mut alert = Vec::new();
    before.read_to_end(&mut alert).ok();
    assert_eq!(alert.first(), Some(&21), "an alert of TLS, and nothing else: {alert:?}");
    let mut inside = openssl(tls, &[]);
    inside.say(header);
    let mut words = String::new();
    inside.output.read_to_string(&mut words).unwrap();
    assert!(words.starts_with("You are 127.0.0.1:"), "{words}");
    assert!(words.contains("-- This port speaks lines of text"), "{words}");
    server.close(());
}

#[test]
fn a_line_whose_end_was_cut_off_is_not_said() {
    let server = server(&[]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Program::enter(server.listening("tls"), "bob");
    write!(bob.input, "a whole line\nsend the money to").unwrap();
    alice.until("bob: a whole line");
    drop(bob); // it is killed, as if somebody on the way had cut the connection
    let lines = alice.until("bob has left");
    assert_eq!(lines, ["bob has left"]);
    server.close(alice);
}

#[test]
fn passwords_are_asked_for_over_tls_behind_a_proxy_that_says_nothing_of_it() {
    let data = Data::new();
    let url = "tls://127.0.0.1:0?proxy=127.0.0.1";
    let server = data.open(&["--listen", url]);
    let tls = server.listening("tls");
    // openssl cannot send the header, so a small program in front does.
    let script = format!(
        "import socket,ssl,sys;s=socket.create_connection(('127.0.0.1',{}));s.sendall(b'PROXY TCP4 192.0.2.7 192.0.2.1 5 6\\r\\n');\
         c=ssl._create_unverified_context();t=c.wrap_socket(s);t.sendall(b'alice\\n/register\\n');f=t.makefile('r')\n\
         for line in f:\n print(line,end='',flush=True)\n if 'assword' in line: break",
        tls.port()
    );
    let output = Command::new("python3").args(["-c", &script]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        printed.contains("You are 192.0.2.7:5") && printed.contains("Type a password for alice"),
        "{output:?}"
    );
    server.close(());
}
