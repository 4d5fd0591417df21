//! Proxies of other authors in front of the server: haproxy, nginx and Caddy name the clients, and
//! nobody else can.
//!
//! The proxies take a PROXY header themselves, so that a test can come from any address.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::DEADLINE;
use crate::admin::done;
use crate::data::{Data, STORED};
use crate::guest::Guest;
use crate::server::{Server, parlor};
use crate::visitor::Visitor;

/// A proxy, in a folder with its sockets. Dropping it ends it.
struct Front {
    child: Child,
    place: TempDir,
}

impl Front {
    /// Starts a program with this configuration, in which PLACE is the folder, and waits for its
    /// sockets.
    fn start(program: &str, arguments: &[&str], configuration: &str, sockets: &[&str]) -> Front {
        let place = tempfile::tempdir().unwrap();
        let inside = |text: &str| text.replace("PLACE", place.path().to_str().unwrap());
        fs::write(place.path().join("conf"), inside(configuration)).unwrap();
        let child = Command::new(program)
            .args(arguments.iter().map(|text| inside(text)))
            .env("HOME", place.path())
            .env("XDG_CONFIG_HOME", place.path())
            .env("XDG_DATA_HOME", place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(place.path().join("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut front = Front { child, place };
        let until = Instant::now() + DEADLINE;
        for socket in sockets {
            while UnixStream::connect(front.path(socket)).is_err() {
                let log = fs::read_to_string(front.path("log")).unwrap_or_default();
                let has_ended = front.child.try_wait().unwrap().is_some();
                assert!(!has_ended && Instant::now() < until, "{program} does not listen: {log}");
                thread::sleep(Duration::from_millis(20));
            }
        }
        front
    }

    fn path(&self, file: &str) -> PathBuf {
        self.place.path().join(file)
    }

    /// A guest who comes to the proxy from this address.
    fn guest(&self, socket: &str, from: &str) -> Guest {
        let mut guest = Guest::connect_unix(&self.path(socket));
        guest.send(header(from).as_bytes());
        guest
    }

    /// The answer to a request from this address: its head, and its body as far as it comes.
    fn get(&self, from: &str, target: &str, fields: &str) -> (String, String) {
        let mut stream = self.request(from, target, fields);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    fn request(&self, from: &str, target: &str, fields: &str) -> BufReader<UnixStream> {
        let mut stream = UnixStream::connect(self.path("web")).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!(
            "{}GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/plain\r\n{fields}\r\n",
            header(from)
        );
        stream.write_all(head.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    /// Follows the lobby from this address, and returns once the answer has begun.
    fn follow(&self, from: &str) -> BufReader<UnixStream> {
        let mut answer = self.request(from, "/lobby?replay=1", "");
        let mut line = String::new();
        while !line.contains("anchor") {
            line.clear();
            assert_ne!(answer.read_line(&mut line).unwrap(), 0, "the last line, not the end");
        }
        answer
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A PROXY header of a client at this address.
fn header(from: &str) -> String {
    let family = if from.contains(':') { "TCP6" } else { "TCP4" };
    let own = if from.contains(':') { "2001:db8::1" } else { "192.0.2.1" };
    format!("PROXY {family} {from} {own} 50000 8000\r\n")
}

/// A server with a line door and a web door that trust proxies here, at which nothing is private.
fn server(data: &Data, options: &[&str]) -> Server {
    let doors = ["--listen", "tcp://127.0.0.1:0?proxy=127.0.0.1"];
    let web = ["--listen", "http://127.0.0.1:0?forwarded=127.0.0.1"];
    Server::run(data.parlor(), &[&doors, &web, &["--rate", "off"][..], options].concat())
}

fn haproxy(to: SocketAddr) -> Front {
    let way = |name: &str, bind: &str, server: &str| {
        format!(
            "frontend {name}\n bind unix@PLACE/{name} accept-proxy {bind}\n default_backend to_{name}\n\
             backend to_{name}\n server s {server}\n"
        )
    };
    let configuration = [
        "defaults\n mode tcp\n timeout connect 1m\n timeout client 1h\n timeout server 1h\n"
            .to_owned(),
        way("v1", "", &format!("{to} send-proxy")),
        way("v2", "", &format!("{to} send-proxy-v2 check inter 50ms")),
        way("encrypting", "", "unix@PLACE/tls ssl verify none send-proxy-v2"),
        way("tls", "ssl crt PLACE/pair.pem", &format!("{to} send-proxy-v2-ssl")),
    ];
    let pair = tempfile::tempdir().unwrap();
    let pair = pair.path().join("pair.pem");
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=localhost", "-keyout", "-", "-out", pair.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let whole = [fs::read(&pair).unwrap(), output.stdout].concat();
    fs::write(&pair, whole).unwrap();
    let configuration = configuration.concat().replace("PLACE/pair.pem", pair.to_str().unwrap());
    Front::start(
        "haproxy",
        &["-db", "-f", "PLACE/conf"],
        &configuration,
        &["v1", "v2", "encrypting", "tls"],
    )
}

#[test]
fn people_behind_haproxy_have_their_own_addresses_and_one_of_them_can_be_banned() {
    let data = Data::new();
    let server = server(&data, &["--connections-per-address", "2", "--log", "debug"]);
    let front = haproxy(server.address);
    let mut guests = Vec::new();
    for (socket, from) in [
        ("v1", "192.0.2.7"),
        ("v2", "192.0.2.8"),
        ("encrypting", "192.0.2.9"),
        ("v1", "2001:db8::7"),
        ("v2", "2001:db8:1::8"),
    ] {
        let mut guest = front.guest(socket, from);
        let shown = if from.contains(':') { format!("[{from}]") } else { from.to_owned() };
        assert_eq!(guest.line(), format!("You are {shown}:50000"));
        guest.say(&format!("guest{}", guests.len()));
        guest.until(STORED);
        guests.push(guest);
    }
    // The share of an address is that of the client, and not that of the proxy.
    let mut second = front.guest("v2", "192.0.2.7");
    second.line();
    let third = front.guest("v2", "192.0.2.7").rest_or_reset();
    assert!(third.contains("Your address has 2 connections"), "{third}");
    drop(second);

    done(&data, &["ban", "192.0.2.7", "1h", "spam"]);
    let banned = guests.remove(0).rest();
    assert!(banned.last().unwrap().starts_with("-- You are banned until "), "{banned:?}");
    let mut again = front.guest("v2", "192.0.2.7");
    again.say("mallory");
    let refused = again.rest();
    assert!(refused.last().unwrap().starts_with("-- You are banned until "), "{refused:?}");
    for (number, guest) in (1..).zip(&mut guests) {
        guest.say("still here");
        guest.until(&format!("guest{number}: still here"));
    }
    // Its checks of health come and go, and nobody reads of them.
    server.logged_times("a proxy speaks for itself", 5);
    let log = server.close(guests);
    assert_eq!(log.iter().find(|line| line.contains("no PROXY header")), None);
}

#[test]
fn a_password_is_asked_for_behind_a_proxy_if_the_client_came_by_tls() {
    let data = Data::new();
    let server = server(&data, &[]);
    let front = haproxy(server.address);
    for (socket, answer) in [
        ("v1", "-- This connection is not encrypted"),
        ("v2", "-- This connection is not encrypted"),
        ("encrypting", "-- Type a password for encrypting"),
    ] {
        let mut alice = front.guest(socket, "192.0.2.7");
        alice.say(&format!("{socket}\n/register")); // each under its own name
        let lines = alice.lines_until("the answer", |line| line.contains("assword"));
        assert!(lines.last().unwrap().starts_with(answer), "{socket}: {lines:?}");
        drop(alice);
    }
    server.close(());
}

#[test]
fn connections_from_a_proxy_that_name_no_client_are_closed_with_one_warning() {
    let server = Server::run(parlor(), &["--listen", "tcp://127.0.0.1:0?proxy=127.0.0.1"]);
    for words in ["alice\r\nhello all\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 x 8000\r\n", ""] {
        let mut guest = Guest::connect(server.address);
        guest.send(words.as_bytes());
        assert_eq!(guest.rest_or_reset(), "", "{words:?}"); // the last one after some seconds
    }
    drop(Guest::connect(server.address)); // a check without a byte is no reason for a warning
    let mut alice = Guest::connect(server.address);
    alice.send(b"PROXY UNKNOWN\r\n");
    alice.answer("alice");
    let log = server.close(alice);
    let warnings = log.iter().filter(|line| line.contains("no PROXY header came first")).count();
    assert_eq!(warnings, 1, "{log:#?}");
}

#[test]
fn a_header_from_elsewhere_is_refused_as_no_line_of_text() {
    let server =
        Server::run(parlor(), &["--listen", "tcp://127.0.0.1:0?proxy=192.0.2.1&proxy=unix"]);
    let mut alice = Guest::enter(server.address, "alice");
    for bytes in [
        &b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000\r\nmallory\r\n"[..],
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\xc3\x50\x1f\x40mallory\r\n",
    ] {
        let mut guest = Guest::connect(server.address);
        guest.send(bytes);
        let words = guest.rest_or_reset();
        assert!(!words.contains("192.0.2.7"), "{words}");
        assert!(words.contains("This port"), "{words}");
    }
    alice.until_people_here(1);
    server.close(alice);
}

/// A server behind a web server, with one line in the lobby; and its port for lines.
fn with_anchor(data: &Data) -> (Server, Guest) {
    let server = server(data, &["--connections-per-address", "2"]);
    let mut alice = Guest::connect(server.address);
    alice.send(header("192.0.2.99").as_bytes());
    alice.say("alice");
    alice.until(STORED);
    alice.say("anchor");
    alice.until("alice: anchor");
    (server, alice)
}

/// One client behind a web server is banned, and the others read on. Forged headers change nothing.
fn clients_behind(front: &Front, data: &Data, alice: &mut Guest) {
    let followers = ["192.0.2.7", "192.0.2.7", "192.0.2.8", "2001:db8::7"];
    let mut followers: Vec<_> = followers.iter().map(|from| front.follow(from)).collect();
    let (head, body) = front.get("192.0.2.7", "/lobby?last=1", "");
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(body.contains("Your address has 2 connections"), "{body}");
    done(data, &["ban", "192.0.2.7", "1h", "spam"]);
    for follower in followers.drain(..2) {
        let last = follower.lines().map_while(Result::ok).filter(|line| line.contains("banned"));
        assert!(last.count() > 0, "it reads of its ban");
    }
    let forged = "X-Forwarded-For: 192.0.2.8\r\nX-Forwarded-Proto: https\r\n";
    for fields in ["", forged] {
        let (head, body) = front.get("192.0.2.7", "/lobby?last=1", fields);
        assert!(head.starts_with("HTTP/1.1 403 ") && body.contains("banned"), "{head}\n{body}");
    }
    let (head, body) = front.get("192.0.2.8", "/lobby?last=1", "X-Forwarded-For: 192.0.2.7\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("anchor"), "{head}\n{body}");
    let (head, body) = front.get("192.0.2.8", "/lobby?last=1", "Forwarded: for=192.0.2.66\r\n");
    assert!(
        head.starts_with("HTTP/1.1 400 ") && body.contains("different clients"),
        "{head}\n{body}"
    );
    alice.say("still here");
    for follower in &mut followers {
        let mut line = String::new();
        while !line.contains("alice: still here") {
            line.clear();
            assert_ne!(follower.read_line(&mut line).unwrap(), 0, "a line, not the end");
        }
    }
}

/// nginx with the lines that docs/operating.md shows, in front of this place.
fn nginx(to: &str) -> Front {
    let configuration = format!(
        "daemon off; master_process off; pid PLACE/pid; error_log PLACE/log; worker_processes 1;\n\
         events {{}}\n\
         http {{ access_log off;\n\
         client_body_temp_path PLACE/a; proxy_temp_path PLACE/b; fastcgi_temp_path PLACE/c;\n\
         uwsgi_temp_path PLACE/d; scgi_temp_path PLACE/e;\n\
         set_real_ip_from unix:; real_ip_header proxy_protocol;\n\
         server {{ listen unix:PLACE/web proxy_protocol; location / {{\n\
         proxy_pass {to}; proxy_http_version 1.1; proxy_buffering off;\n\
         proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n\
         }} }} }}\n"
    );
    Front::start("nginx", &["-p", "PLACE", "-c", "PLACE/conf"], &configuration, &["web"])
}

#[test]
fn clients_behind_nginx_are_those_that_it_names() {
    let data = Data::new();
    let (server, mut alice) = with_anchor(&data);
    let front = nginx(&format!("http://{}", server.web()));
    clients_behind(&front, &data, &mut alice);
    drop(front);
    server.close(alice);
}

#[test]
fn clients_behind_nginx_at_a_unix_socket_are_those_that_it_names() {
    let data = Data::new();
    let path = data.directory().join("web");
    let url = format!("http+unix://{}?forwarded=unix&mode=666", path.display());
    let server = Server::run(
        data.parlor(),
        &["--listen", "tcp://127.0.0.1:0", "--listen", &url, "--connections-per-address", "2"],
    );
    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.until(STORED);
    alice.say("anchor");
    alice.until("alice: anchor");
    let front = nginx(&format!("http://unix:{}:", path.display()));
    clients_behind(&front, &data, &mut alice);
    drop(front);
    server.close(alice);
}

#[test]
fn clients_behind_haproxy_and_caddy_are_those_that_the_first_one_names() {
    let data = Data::new();
    let (server, mut alice) = with_anchor(&data);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = format!(
        "{{\n admin off\n auto_https off\n}}\n\
         http://localhost:{port} {{\n bind 127.0.0.1\n reverse_proxy {} {{\n\
         trusted_proxies 127.0.0.1/32\n flush_interval -1\n}}\n}}\n",
        server.web()
    );
    let arguments = ["run", "--adapter", "caddyfile", "--config", "PLACE/conf"];
    let caddy = Front::start("caddy", &arguments, &configuration, &[]);
    let configuration = format!(
        "defaults\n mode http\n timeout connect 1m\n timeout client 1h\n timeout server 1h\n\
         option forwardfor\n\
         frontend web\n bind unix@PLACE/web accept-proxy\n default_backend caddy\n\
         backend caddy\n retries 100\n server s 127.0.0.1:{port}\n"
    );
    let front = Front::start("haproxy", &["-db", "-f", "PLACE/conf"], &configuration, &["web"]);
    clients_behind(&front, &data, &mut alice);
    drop((front, caddy));
    server.close(alice);
}

#[test]
fn a_socket_behind_a_web_server_is_that_of_its_client() {
    let data = Data::new();
    let server = server(&data, &[]);
    let socket = |fields: &[(&str, &str)]| {
        let stream = TcpStream::connect(server.web()).unwrap();
        let mut visitor = Visitor::over_with(stream, "ws://localhost/-/socket", fields);
        let address = visitor.hello["address"].as_str().unwrap().to_owned();
        visitor.asks(r#"{"do":"enter","name":"bob"}"#);
        (visitor, address)
    };
    let (bob, address) = socket(&[("x-forwarded-for", "192.0.2.7")]);
    assert!(address.starts_with("192.0.2.7:"), "{address}");
    done(&data, &["ban", "192.0.2.7"]);
    drop(bob);
    let page = [("x-forwarded-proto", "https"), ("origin", "https://localhost")];
    let (carol, address) = socket(&page);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    drop(carol);
    let (head, _) =
        raw(server.web(), "Forwarded: for=192.0.2.8;proto=https\r\nOrigin: http://localhost\r\n");
    assert!(head.starts_with("HTTP/1.1 403 "), "a page without TLS is another site: {head}");
    server.close(());
}

/// The answer to a request with these fields.
fn raw(web: SocketAddr, fields: &str) -> (String, String) {
    let mut stream = TcpStream::connect(web).unwrap();
    let head = format!(
        "GET /lobby?last=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}
