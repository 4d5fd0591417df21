//! The clients that people already have: each gives a name, says hello and sees the echo.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use crate::guest::Guest;
use crate::server::Server;
use crate::skip;

/// A running client. Dropping it ends it by its process id.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn host_and_port(address: SocketAddr) -> Vec<String> {
    vec![address.ip().to_string(), address.port().to_string()]
}

/// Runs a client. Another person sees it arrive, say hello once, and leave. With `stays`, its input
/// stays open, because the end of the input would end the client before it shows the answer.
fn says_hello(
    program: &str,
    flags: &[&str],
    place: fn(SocketAddr) -> Vec<String>,
    typed: &str,
    stays: bool,
) {
    if !is_installed(program) {
        return skip(&format!("{program} is not installed"));
    }
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    let mut client = Client(
        Command::new(program)
            .args(flags)
            .args(place(server.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut output = client.0.stdout.take().unwrap();
    let reading = thread::spawn(move || {
        let mut shown = String::new();
        output.read_to_string(&mut shown).map(|_| shown)
    });
    let mut input = client.0.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    let input = stays.then_some(input);
    let seen = wendy.until("dora has left");
    assert_eq!(seen, ["dora has arrived", "dora: hello", "dora has left"]);
    let shown = reading.join().unwrap().expect("it shows text");
    drop(input);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines.contains(&"You are dora"), "{shown:?}");
    assert!(lines.contains(&"In lobby: wendy"), "{shown:?}");
    let echoes = lines.iter().filter(|line| **line == "dora: hello");
    assert_eq!(echoes.count(), 1, "{shown:?}");
    server.close(wendy);
}

const HELLO: &str = "dora\nhello\n";

#[test]
fn openbsd_netcat_says_hello() {
    says_hello("nc.openbsd", &["-N"], host_and_port, HELLO, false);
}

#[test]
fn traditional_netcat_says_hello() {
    says_hello("nc.traditional", &["-q", "1"], host_and_port, HELLO, false);
}

#[test]
fn ncat_says_hello() {
    says_hello("ncat", &[], host_and_port, HELLO, false);
}

#[test]
fn socat_says_hello() {
    let place = |address| vec!["-".to_owned(), format!("TCP:{address}")];
    says_hello("socat", &[], place, HELLO, false);
}

#[test]
fn telnet_says_hello() {
    let typed = "dora\nhello\n/quit\n";
    says_hello("telnet", &[], host_and_port, typed, true);
}

#[test]
fn bash_alone_says_hello() {
    let place = |address: SocketAddr| {
        let (ip, port) = (address.ip(), address.port());
        let line = format!("exec 3<>/dev/tcp/{ip}/{port} 4<&0; cat <&4 >&3 & exec cat <&3");
        vec!["-c".to_owned(), line]
    };
    says_hello("bash", &[], place, "dora\nhello\n/quit\n", true);
}

#[test]
fn lines_are_said_although_their_client_hangs_up_at_once() {
    let server = Server::open(&[]);
    let mut wendy = Guest::enter(server.address, "wendy");
    for round in 0..6 {
        let mut dora = Guest::connect(server.address);
        dora.send(format!("dora{round}\none\ntwo\n").as_bytes());
        drop(dora); // over unread input, so the kernel resets
        let seen = wendy.until(&format!("dora{round} has left"));
        let said = seen.iter().filter(|line| line.contains(": ")).count();
        assert_eq!(said, 2, "{seen:#?}");
    }
    server.close(wendy);
}
