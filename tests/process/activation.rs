//! Sockets that a service manager holds, as systemd's socket units do: the server takes them over,
//! and they are there while no server runs.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{self, UnixListener};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::guest::{Guest, talk};
use crate::server::{Server, parlor, without_settings};
use crate::unix::at_path;
use crate::{DEADLINE, skip};

/// `parlor serve` with one or two sockets of this process, as a service manager passes them.
fn serve_at(sockets: &[&dyn AsFd], options: &[&str]) -> Command {
    let mut shell = without_settings(Command::new("sh"));
    let count = sockets.len();
    let moved = if count == 1 { "3<&0" } else { "3<&0 4<&1" };
    let script = format!(
        "exec {moved} </dev/null >/dev/null; LISTEN_PID=$$ LISTEN_FDS={count} exec \"$0\" serve \"$@\""
    );
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_parlor")]).args(options);
    let copy = |socket: &&dyn AsFd| Stdio::from(socket.as_fd().try_clone_to_owned().unwrap());
    let mut copies = sockets.iter().map(copy);
    shell.stdin(copies.next().unwrap()).stdout(copies.next().unwrap_or_else(Stdio::null));
    shell
}

/// A TCP socket of the manager on a free port, and the URL of a line door there.
fn held() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", socket.local_addr().unwrap());
    (socket, url)
}

#[test]
fn people_join_at_the_sockets_that_systemd_holds() {
    let place = tempfile::tempdir().unwrap();
    let (lines, web) = (place.path().join("lines"), place.path().join("web"));
    let mut systemd = without_settings(Command::new("systemd-socket-activate"));
    systemd.arg("-l").arg(&lines).arg("-l").arg(&web);
    systemd.arg(env!("CARGO_BIN_EXE_parlor")).args(["serve", "--memory"]);
    // The rights in a URL are for a socket that the server makes.
    systemd.args(["--listen", &format!("{}?mode=666", at_path(&lines))]);
    systemd.args(["--listen", &format!("http+{}", at_path(&web))]);
    systemd.args(["--listen", "tcp://127.0.0.1:0"]);
    let mut server = Server::spawn(systemd);
    for path in [&lines, &web] {
        server.logged(&format!("Listening on {}", path.display()));
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut alice = Guest::connect_unix(&lines); // before there is a server
    alice.answer("alice");
    server.address = server.listening("tcp");
    server.logged(&format!("listening unix {}", lines.display()));
    let mut bob = Guest::enter(server.address, "bob");
    alice.until("bob has arrived");
    talk(&mut alice, &mut bob, "over a socket of systemd", 20);
    let curl = Command::new("curl")
        .args(["-sS", "-d", "from a script", "--unix-socket"])
        .arg(&web)
        .arg("http://localhost/lobby?name=ci")
        .output()
        .unwrap();
    assert!(curl.status.success(), "{curl:?}");
    alice.lines_until("the script", |line| line.ends_with(": from a script"));
    server.close((alice, bob));
    for path in [&lines, &web] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the file is systemd's");
    }
}

#[test]
fn a_socket_for_all_addresses_of_both_kinds_is_a_listener_at_all_interfaces() {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    socket.set_only_v6(false).unwrap();
    if socket.bind(&"[::]:0".parse::<SocketAddr>().unwrap().into()).is_err() {
        return skip("a socket for IPv4 and IPv6, since this machine has no IPv6");
    }
    socket.listen(8).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let url = format!("tcp://*:{port}");
    let server = Server::start(serve_at(&[&socket], &["--listen", &url]));
    assert_eq!(server.address, SocketAddr::from(([0; 16], port)));
    let mut alice = Guest::connect(SocketAddr::from(([127, 0, 0, 1], port)));
    let greeting = alice.line();
    assert!(greeting.starts_with("You are 127.0.0.1:"), "{greeting}");
    alice.answer("alice");
    let mut bob = Guest::enter(format!("[::1]:{port}").parse().unwrap(), "bob");
    talk(&mut alice, &mut bob, "to and fro", 5);
    let log = server.close((alice, bob));
    let listening = log.iter().filter(|line| line.contains("listening tcp")).count();
    assert_eq!(listening, 1, "{log:#?}");
}

#[test]
fn people_who_connect_while_no_server_runs_are_served_by_the_next_one() {
    let (socket, url) = held();
    let address = socket.local_addr().unwrap();
    let mut alice = Guest::connect(address);
    let server = Server::start(serve_at(&[&socket], &["--listen", &url]));
    alice.answer("alice");
    has_keepalive(alice.stream()); // it came before the socket had the server's options
    server.close(alice);
    let mut waiting: Vec<_> = (0..20).map(|_| Guest::connect(address)).collect();
    for (number, guest) in waiting.iter_mut().enumerate() {
        guest.say(&format!("guest{number}"));
    }
    let server = Server::start(serve_at(&[&socket], &["--listen", &url]));
    for (number, guest) in waiting.iter_mut().enumerate() {
        guest.lines_until("the greeting", |line| line == format!("You are guest{number}"));
    }
    waiting[0].until_people_here(20);
    server.close(waiting);
}

/// Waits until the system asks by itself whether the client at this end is there.
fn has_keepalive(client: &TcpStream) {
    let hex = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => {
            format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port())
        }
        SocketAddr::V6(_) => panic!("the tests are at 127.0.0.1"),
    };
    let ends =
        format!("{} {}", hex(client.peer_addr().unwrap()), hex(client.local_addr().unwrap()));
    let until = Instant::now() + DEADLINE;
    loop {
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
        let row = table.lines().find(|row| row.contains(&ends)).unwrap();
        // The kind of the timer that runs: 2 stands for keepalive (proc_net_tcp.txt).
        let timer = row.split_whitespace().nth(5).unwrap();
        if timer.starts_with("02:") {
            return;
        }
        assert!(Instant::now() < until, "no keepalive: {row}");
        thread::sleep(Duration::from_millis(20)); // other timers run before it
    }
}

#[test]
fn a_socket_that_no_listener_names_is_an_error() {
    let ((first, url), (second, _)) = (held(), held());
    let address = second.local_addr().unwrap();
    let everywhere = format!("tcp://*:{}", address.port());
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lines");
    let at_path = UnixListener::bind(&path).unwrap();
    let at_path: &dyn AsFd = &at_path;
    let cases: [(&[&dyn AsFd], &str, String); 5] = [
        (&[&second], &url, address.to_string()),
        (&[&second], "tcp://127.0.0.1:0", address.to_string()), // this asks for another port
        (&[&first, &second], &url, address.to_string()),
        (&[&second], &everywhere, address.to_string()), // its port is in use: by this socket
        (&[at_path], "unix:///run/else", path.display().to_string()),
    ];
    for (sockets, url, named) in cases {
        let refused = refusal(serve_at(sockets, &["--listen", url]));
        let words = format!("parlor: systemd passed {named}, which no --listen names; add it");
        assert!(refused.starts_with(&words), "{refused}");
    }
}

#[test]
fn a_socket_at_which_nobody_can_listen_is_an_error() {
    let (listener, url) = held();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let name = net::SocketAddr::from_abstract_name(format!("parlor-{}", std::process::id()));
    let nameless = UnixListener::bind_addr(&name.unwrap()).unwrap();
    let file = OwnedFd::from(fs::File::open("/dev/null").unwrap());
    let cases: [(&dyn AsFd, &str); 4] = [
        (&connected, "it is a connection; write Accept=no in the socket unit"),
        (&datagrams, "it is no stream of TCP or Unix; write ListenStream= in the socket unit"),
        (&nameless, "it is a Unix socket without a path; write ListenStream=/run/NAME"),
        (&file, "it is no stream of TCP or Unix"),
    ];
    for (socket, words) in cases {
        let refused = refusal(serve_at(&[&listener, socket], &["--listen", &url]));
        let start = "parlor: cannot use socket 2 of those from systemd: ";
        assert!(refused.starts_with(start) && refused.contains(words), "{refused}");
    }
}

/// The sentence of a server that does not start.
fn refusal(mut command: Command) -> String {
    let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let mut command = parlor();
    command.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    let server = Server::run(command, &["--listen", "tcp://127.0.0.1:0"]);
    let alice = Guest::enter(server.address, "alice");
    server.close(alice);
}
