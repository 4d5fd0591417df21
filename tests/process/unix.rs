//! Doors at Unix sockets: who comes there, what programs on this machine do there, and the file.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::data::Data;
use crate::guest::{Guest, hear, talk, word_after};
use crate::server::{HERE, Server, parlor};
use crate::visitor::Visitor;

/// The URL of a line door at a path.
pub(crate) fn at_path(path: &Path) -> String {
    format!("unix://{}", path.display())
}

/// A folder with the paths of two sockets: for lines, and for the web.
fn paths() -> (TempDir, PathBuf, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let (lines, web) = (place.path().join("lines"), place.path().join("web"));
    (place, lines, web)
}

#[test]
fn people_at_unix_sockets_talk_with_those_at_ports() {
    let (_place, lines, web) = paths();
    let (at_lines, at_web) = (at_path(&lines), format!("http+{}", at_path(&web)));
    let server = Server::open(&["--listen", &at_lines, "--listen", &at_web]);
    server.logged(&format!("listening unix {}", lines.display()));
    server.logged(&format!("join with: nc -U {}", lines.display()));
    server.logged(&format!("curl -N --unix-socket {} http://localhost/lobby", web.display()));

    let mut alice = Guest::enter(server.address, "alice");
    let mut nameless = Guest::connect_unix(&lines);
    let greeting = nameless.line();
    let name = word_after(&greeting, "You are unix:").to_owned();
    nameless.say("");
    alice.until(&format!("unix:{name} has arrived"));
    alice.say(&format!("/msg unix:{name} psst"));
    nameless.until(&format!("[alice -> unix:{name}] psst"));
    let mut bob = Guest::connect_unix(&lines);
    bob.answer("bob");
    talk(&mut alice, &mut bob, "to and fro", 20);

    let socket = OwnedFd::from(UnixStream::connect(&web).unwrap());
    let mut carol =
        Visitor::over(TcpStream::from(socket), "ws://localhost/-/socket").enter("carol");
    carol.asks(r#"{"do":"say","room":"lobby","text":"from a page"}"#);
    hear(&mut bob, "from a page");
    server.close((alice, nameless, bob, carol));
}

#[test]
fn other_programs_join_and_speak_over_unix_sockets() {
    let (_place, lines, web) = paths();
    let (at_lines, at_web) = (at_path(&lines), format!("http+{}", at_path(&web)));
    let server = Server::open(&["--listen", &at_lines, "--listen", &at_web]);
    let mut alice = Guest::enter(server.address, "alice");
    let path = lines.to_str().unwrap();
    let socat = format!("UNIX-CONNECT:{path}");
    for (program, arguments) in
        [("nc.openbsd", ["-U", path]), ("ncat", ["-U", path]), ("socat", ["-", &socat])]
    {
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        write!(input, "visitor\nhello from {program}\n").unwrap();
        hear(&mut alice, &format!("hello from {program}"));
        drop(input);
        child.kill().ok(); // some stay after the end of their input
        child.wait().unwrap();
        alice.until("visitor has left");
    }
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-sS", "--unix-socket", web.to_str().unwrap()]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    curl(&["-d", "from a script", "http://localhost/lobby?name=ci"]);
    hear(&mut alice, "from a script");
    let read = curl(&["http://localhost/lobby?last=1"]);
    assert!(read.ends_with("ci: from a script\n"), "{read}");
    server.close(alice);
}

#[test]
fn a_unix_socket_has_its_rights_and_is_gone_at_the_end() {
    let (_place, lines, web) = paths();
    let at_web = format!("http+{}?mode=666", at_path(&web));
    let server = Server::open(&["--listen", &at_path(&lines), "--listen", &at_web]);
    for (path, mode) in [(&lines, 0o660), (&web, 0o666)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    server.close(());
    assert!(!lines.exists() && !web.exists());
}

#[test]
fn a_socket_that_a_killed_server_has_left_is_replaced() {
    let (_place, lines, _) = paths();
    let url = at_path(&lines);
    let mut killed = Server::open(&["--listen", &url]);
    killed.kill();
    assert!(lines.exists());
    let server = Server::open(&["--listen", &url]);
    let mut alice = Guest::connect_unix(&lines);
    alice.answer("alice");
    server.close(alice);
}

#[test]
fn a_path_at_which_a_server_cannot_listen_is_explained() {
    let (place, lines, _) = paths();
    let refused = |path: &Path| {
        let url = at_path(path);
        let output = parlor().arg("serve").args(HERE).args(["--listen", &url]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let other = UnixListener::bind(&lines).unwrap();
    let words = refused(&lines);
    assert!(words.contains("the socket is in use, perhaps by another parlor"), "{words}");
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_ok(), "it was only asked whether it answers");
    let letter = place.path().join("letter");
    fs::write(&letter, "dear").unwrap();
    assert!(refused(&letter).contains("there is a file that is not a socket"));
    assert_eq!(fs::read(&letter).unwrap(), b"dear");
    assert!(refused(&place.path().join("no/lines")).contains("its directory does not exist"));
    let long = place.path().join("x".repeat(120));
    assert!(refused(&long).contains("the path is too long for a socket"));
}

#[test]
fn connections_at_a_unix_socket_have_places_and_no_share_of_an_address() {
    let (_place, lines, _) = paths();
    let limits = ["--connections", "4", "--connections-per-address", "1", "--limit-loopback"];
    let url = at_path(&lines);
    let server = Server::open(&[&limits[..], &["--listen", &url]].concat());
    let mut inside = vec![Guest::enter(server.address, "alice")];
    for name in ["bob", "carol", "dave"] {
        let mut guest = Guest::connect_unix(&lines);
        guest.answer(name);
        inside.push(guest);
    }
    let full = Guest::connect_unix(&lines).rest_or_reset();
    assert!(full.contains("The server is full"), "{full}");
    server.close(inside);
}

#[test]
fn passwords_are_asked_for_at_a_unix_socket() {
    let data = Data::new();
    let (_place, lines, _) = paths();
    let server = data.open(&["--listen", &at_path(&lines)]);
    let mut alice = Guest::connect_unix(&lines);
    alice.say("alice\n/register\nopen sesame\nopen sesame");
    alice.lines_until("the name is registered", |line| line.contains("alice is registered"));
    drop(alice);
    let mut alice = Guest::connect_unix(&lines);
    alice.say("alice");
    alice.lines_until("the question", |line| line.contains("password"));
    alice.say("open sesame");
    alice.until("You are alice");
    server.close(alice);
}

#[test]
fn metrics_name_the_scheme_of_a_unix_socket() {
    let (_place, lines, _) = paths();
    let url = at_path(&lines);
    let server = Server::open(&["--listen", &url, "--listen", "metrics://127.0.0.1:0"]);
    let mut alice = Guest::connect_unix(&lines);
    alice.answer("alice");
    let target = format!("http://{}/metrics", server.listening("metrics"));
    let output = Command::new("curl").args(["-sS", &target]).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let counted = |line: &&str| line.contains("door=\"unix\"") && line.ends_with(" 1");
    assert!(shown.lines().any(|line| counted(&line)), "{shown}");
    server.close(alice);
}
