//! The setups in docs/operating.md, as the programs themselves read them: each file is taken from the
//! page, with other ports and paths, and people come in through the whole.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::DEADLINE;
use crate::data::{Data, STORED};
use crate::guest::Guest;
use crate::server::{Server, parlor};
use crate::tls::{Pair, Program};
use crate::visitor::Visitor;

/// Where people come from: an address of this machine that no setup trusts.
const PERSON: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// The block of the page that begins with the name of this file, or one of its lines.
fn block(name: &str) -> String {
    let page = fs::read_to_string("docs/operating.md").unwrap();
    let mut blocks = page.split("```").skip(1).step_by(2);
    let block = blocks.find(|block| block.lines().any(|line| line.trim() == name));
    let block = block.unwrap_or_else(|| panic!("no block has the line {name}"));
    block.split_once('\n').unwrap().1.to_owned()
}

/// A block with other words in some places. All of them must be there.
fn with(mut block: String, changes: &[(&str, &str)]) -> String {
    for (before, after) in changes {
        assert!(block.contains(before), "{before} is not in {block}");
        block = block.replace(before, after);
    }
    block
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program of the page, in a folder with its file `conf`. Dropping it ends it.
struct Running {
    child: Child,
    place: TempDir,
}

impl Running {
    /// Starts it, and waits until it listens at this port.
    fn start(program: &str, arguments: &[&str], conf: &str, port: u16) -> Running {
        let place = tempfile::tempdir().unwrap();
        let here = place.path();
        fs::write(here.join("conf"), conf).unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(here)
            .env("HOME", here)
            .env("XDG_CONFIG_HOME", here)
            .env("XDG_DATA_HOME", here)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(here.join("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let until = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(here.join("log")).unwrap();
            let has_ended = child.try_wait().unwrap().is_some();
            assert!(!has_ended && Instant::now() < until, "{program} does not listen: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        Running { child, place }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The server of the page behind the programs in front, with a line in its lobby.
fn behind(data: &Data) -> Server {
    let toml = with(
        block("\"tcp://127.0.0.1:8000?proxy=127.0.0.1\","),
        &[(":8080", ":0"), (":8000", ":0")],
    );
    let path = data.directory().join("parlor.toml");
    fs::write(&path, toml).unwrap();
    let server = Server::run(data.parlor(), &["--config", path.to_str().unwrap()]);
    let mut alice = Guest::connect(server.address);
    alice.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 8000\r\nalice\r\n");
    alice.until(STORED);
    alice.say("anchor");
    alice.until("alice: anchor");
    drop(alice);
    server
}

/// Somebody with a browser comes in at this port, under the name of the page; and another person
/// forges an address.
fn enter_by_web(port: u16) {
    let door = SocketAddr::from(([127, 0, 0, 1], port));
    let url = format!("ws://chat.example.org:{port}/-/socket");
    let forged = [("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "192.0.2.66")];
    for (name, fields) in [("bob", &[][..]), ("mallory", &forged)] {
        let person = Guest::connect_from(PERSON, door);
        let stream = person.stream().try_clone().unwrap();
        let visitor = Visitor::over_with(stream, &url, fields);
        let address = visitor.hello["address"].as_str().unwrap().to_owned();
        assert!(address.starts_with(&format!("{PERSON}:")), "{address}");
        drop(visitor.enter(name));
    }
}

/// The lobby at this address, as curl reads it from a port of this machine.
fn last_line(url: &str, options: &[&str]) -> String {
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
    let here = format!("chat.example.org:{port}:127.0.0.1");
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "60", "-H", "Accept: text/plain", "--resolve", &here, url])
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn setup_alone_on_the_internet_lets_people_in_while_the_authority_is_away() {
    let data = Data::new();
    let pair = Pair::new();
    let toml = block("# /etc/parlor.toml, alone on the internet");
    let unit = block("# /etc/systemd/system/parlor.socket, alone on the internet");
    // Each socket has the port of a door.
    let ports: Vec<&str> = toml.split("//*:").skip(1).map(digits).collect();
    let sockets: Vec<&str> = unit.split("ListenStream=").skip(1).map(digits).collect();
    assert_eq!(ports, sockets);
    assert_eq!(ports.len(), 4);
    let authority = format!(
        "acme-directory = \"https://127.0.0.1:1/\"\nacme-ca = {:?}\nacme-challenge = \"tls\"\n\
         listen = [\"tcp://127.0.0.1:0\",",
        pair.cert
    );
    let toml = with(
        toml,
        &[
            ("listen = [", &authority),
            ("*:443", "127.0.0.1:0"),
            ("*:80?", "127.0.0.1:0?"),
            ("*:8043", "127.0.0.1:0"),
            ("*:6697", "127.0.0.1:0"),
        ],
    );
    let path = data.directory().join("parlor.toml");
    fs::write(&path, toml).unwrap();
    let server = Server::run(data.parlor(), &["--config", path.to_str().unwrap()]);
    server.logged("has given no certificate for chat.example.org");
    let [old, new] = ["http", "https"].map(|scheme| server.listening(scheme).port());
    let head = last_line(&format!("http://chat.example.org:{old}/lobby"), &["-i"]);
    assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
    assert!(head.contains(&format!("https://chat.example.org:{new}/lobby")), "{head}");
    let to = server.listening("tls").to_string();
    let mut bob = Program::start("openssl", &["s_client", "-quiet", "-connect", &to]);
    bob.say("bob");
    bob.until_begun(STORED);
    bob.say("hello");
    bob.until_begun("bob: hello");
    let page = format!("https://chat.example.org:{new}/lobby?last=1");
    let line = last_line(&page, &["--insecure"]);
    assert!(line.contains("bob: hello"), "{line}");
    drop(bob);
    server.close(());
}

/// The digits at the beginning.
fn digits(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_digit()).next().unwrap()
}

#[test]
fn setup_behind_caddy_lets_people_in() {
    let data = Data::new();
    let server = behind(&data);
    let port = free_port();
    let site = format!(
        "{{\n admin off\n auto_https off\n}}\nhttp://chat.example.org:{port} {{\n bind 127.0.0.1"
    );
    let web = server.web().to_string();
    let file = block("# /etc/caddy/Caddyfile");
    let conf = with(file.clone(), &[("chat.example.org {", &site), ("127.0.0.1:8080", &web)]);
    let caddy = ["run", "--adapter", "caddyfile", "--config", "conf"];
    let caddy = Running::start("caddy", &caddy, &conf, port);
    enter_by_web(port);
    let line = last_line(&format!("http://chat.example.org:{port}/lobby?last=1"), &[]);
    assert!(line.contains("alice: anchor"), "{line}");
    // Caddy also takes the file as it is, with the certificate that it gets itself.
    fs::write(caddy.place.path().join("whole"), file).unwrap();
    let output = Command::new("caddy")
        .args(["validate", "--adapter", "caddyfile", "--config", "whole"])
        .current_dir(caddy.place.path())
        .env("HOME", caddy.place.path())
        .env("XDG_CONFIG_HOME", caddy.place.path())
        .env("XDG_DATA_HOME", caddy.place.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    drop(caddy);
    server.close(());
}

#[test]
fn setup_behind_nginx_lets_people_in() {
    let data = Data::new();
    let server = behind(&data);
    let pair = Pair::new();
    let [plain, old, tls] = [(); 3].map(|()| free_port());
    let live = "/etc/letsencrypt/live/chat.example.org";
    let block = with(
        block("# /etc/nginx/conf.d/parlor.conf"),
        &[
            ("listen 80;", &format!("listen 127.0.0.1:{old};")),
            ("listen [::]:80;", ""),
            ("listen 443 ssl;", &format!("listen 127.0.0.1:{tls} ssl; listen 127.0.0.1:{plain};")),
            ("listen [::]:443 ssl;", ""),
            (&format!("{live}/fullchain.pem"), pair.cert.to_str().unwrap()),
            (&format!("{live}/privkey.pem"), pair.key.to_str().unwrap()),
            ("127.0.0.1:8080", &server.web().to_string()),
        ],
    );
    // Debian has the like around such a file, with other folders.
    let conf = format!(
        "daemon off; master_process off; pid pid; error_log log; worker_processes 1; events {{}}\n\
         http {{ access_log off; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c;\n\
         uwsgi_temp_path d; scgi_temp_path e;\n{block}}}\n"
    );
    let nginx = Running::start("nginx", &["-p", ".", "-c", "conf"], &conf, plain);
    enter_by_web(plain);
    let lobby = format!("https://chat.example.org:{tls}/lobby?last=1");
    let line = last_line(&lobby, &["--insecure"]);
    assert!(line.contains("alice: anchor"), "{line}");
    let head = last_line(&format!("http://chat.example.org:{old}/lobby"), &["-i"]);
    assert!(head.starts_with("HTTP/1.1 308 "), "{head}");
    assert!(head.contains("Location: https://chat.example.org/lobby"), "{head}");
    drop(nginx);
    server.close(());
}

#[test]
fn setup_behind_haproxy_lets_people_in() {
    let data = Data::new();
    let server = behind(&data);
    let pair = Pair::new();
    let whole = [&pair.cert, &pair.key].map(|path| fs::read(path).unwrap()).concat();
    fs::write(&pair.cert, whole).unwrap();
    let port = free_port();
    let conf = with(
        block("# /etc/haproxy/haproxy.cfg"),
        &[
            ("    user haproxy\n    group haproxy\n", ""), // a test may not change its user
            ("*:8043", &format!("127.0.0.1:{port}")),
            ("/etc/haproxy/chat.pem", pair.cert.to_str().unwrap()),
            ("127.0.0.1:8000", &server.address.to_string()),
        ],
    );
    let haproxy = Running::start("haproxy", &["-db", "-f", "conf"], &conf, port);
    let to = format!("127.0.0.1:{port}");
    let mut bob = Program::start(
        "openssl",
        &["s_client", "-quiet", "-connect", &to, "-bind", &format!("{PERSON}:0")],
    );
    bob.until_begun(&format!("You are {PERSON}:"));
    bob.say("bob");
    bob.until_begun(STORED);
    bob.say("/register");
    bob.until_begun("-- Type a password for bob"); // the way is private
    drop((bob, haproxy));
    server.close(());
}

#[test]
fn setup_on_a_local_network_lets_people_in_who_were_told_the_fingerprint() {
    let data = Data::new();
    let toml = with(
        block("# /etc/parlor.toml, for a local network"),
        &[
            ("[\"tls://*:8043", "[\"tcp://127.0.0.1:0\", \"tls://127.0.0.1:0"),
            ("*:8443", "127.0.0.1:0"),
            ("*:6697", "127.0.0.1:0"),
        ],
    );
    let path = data.directory().join("parlor.toml");
    fs::write(&path, toml).unwrap();
    let server = Server::run(data.parlor(), &["--config", path.to_str().unwrap()]);
    let commands = block("journalctl -u parlor | grep fingerprint");
    let directory = data.directory().to_str().unwrap();
    let command = with(commands, &[("sudo ", ""), ("/var/lib/parlor", directory)]);
    let output = Command::new("sh").args(["-c", command.lines().next().unwrap()]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let fingerprint = printed.trim().split_once('=').unwrap().1;
    // The other command would find it in the system's log.
    assert!(server.logged("SHA256 fingerprint").ends_with(fingerprint), "{printed}");

    let mut alice = Guest::connect(server.address);
    alice.say("alice");
    alice.until(STORED);
    let door = format!("tls://{}", server.listening("tls"));
    let mut ci = parlor()
        .args(["join", &door, "--pin", fingerprint, "--name", "ci"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(ci.stdin.take().unwrap(), "build is green").unwrap();
    alice.until("ci: build is green");
    assert!(ci.wait().unwrap().success());
    let page = format!("https://{}/lobby?last=1", server.listening("https"));
    assert!(last_line(&page, &["--insecure"]).contains("ci: build is green"));
    server.close(alice);
}
