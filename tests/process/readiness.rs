//! Notifications to a service manager, as in systemd's `sd_notify(3)`.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::DEADLINE;
use crate::guest::Guest;
use crate::server::{HERE, Server, parlor};

/// The service manager's end, and its folder.
pub(crate) fn manager() -> (TempDir, UnixDatagram) {
    let folder = TempDir::new().unwrap();
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    (folder, socket)
}

pub(crate) fn notification(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 1024];
    let size = socket.recv(&mut bytes).expect("a message in time");
    String::from_utf8(bytes[..size].to_vec()).unwrap()
}

#[test]
fn the_manager_is_notified_when_people_can_join_and_when_the_end_begins() {
    let (folder, socket) = manager();
    let mut parlor = parlor();
    parlor.env("NOTIFY_SOCKET", folder.path().join("notify"));
    let mut server = Server::run(parlor, &HERE);
    assert_eq!(notification(&socket).trim_end(), "READY=1");
    let listening = server.log().iter().any(|line| line.contains("listening tcp"));
    assert!(listening, "bound before");
    Guest::enter(server.address, "alice");
    server.signal(Signal::TERM);
    assert_eq!(notification(&socket).trim_end(), "STOPPING=1");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn the_manager_is_notified_when_a_reload_begins_and_when_it_is_over() {
    let (folder, socket) = manager();
    let mut parlor = parlor();
    parlor.env("NOTIFY_SOCKET", folder.path().join("notify"));
    let server = Server::run(parlor, &HERE);
    assert_eq!(notification(&socket).trim_end(), "READY=1");
    server.signal(Signal::HUP);
    let begins = notification(&socket);
    let mut begins = begins.lines();
    assert_eq!(begins.next(), Some("RELOADING=1"));
    let since = begins.next().and_then(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(since.is_some_and(|number| number.parse::<u64>().is_ok()));
    assert_eq!(notification(&socket).trim_end(), "READY=1");
}

#[test]
fn a_server_that_cannot_start_is_never_ready() {
    let (folder, socket) = manager();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", other.local_addr().unwrap());
    let status = parlor()
        .args(["serve", "--listen", &url])
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    socket.set_nonblocking(true).unwrap();
    let nothing = socket.recv(&mut [0; 64]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
}
