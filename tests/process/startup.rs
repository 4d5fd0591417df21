//! Starting the server: successes, failures, and the operator's log.

use std::fs::{self, Permissions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use crate::guest::Guest;
use crate::server::{HERE, Server, parlor, parlor_with_descriptors, without_settings};
use crate::skip;

/// Runs a server that cannot start. Returns its exit code and stderr.
pub(crate) fn fails(mut parlor: Command, options: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } =
        parlor.arg("serve").args(options).stdin(Stdio::null()).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn an_address_in_use_is_one_sentence_with_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let url = format!("tcp://{address}");
    let (code, words) = fails(parlor(), &["--listen", &url]);
    assert_eq!(code, Some(1));
    let (port, next) = (address.port(), address.port() + 1);
    let sentence = format!(
        "parlor: cannot listen at {url}: port {port} is in use, perhaps by another parlor; \
         stop that server, or choose another port: --listen 'tcp://127.0.0.1:{next}'\n"
    );
    assert_eq!(words, sentence);
}

#[test]
fn no_address_is_opened_unless_all_can_be() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", other.local_addr().unwrap());
    let (code, words) = fails(parlor(), &["--listen", "tcp://127.0.0.1:0", "--listen", &url]);
    assert_eq!(code, Some(1));
    assert!(!words.contains("listening"), "{words}");
}

#[test]
fn a_privileged_port_is_one_sentence_with_what_to_do() {
    let first_free = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if first_free.is_ok_and(|port| port.trim().parse() == Ok(0)) {
        // Many containers have no privileged ports. A unit test checks the sentence.
        return;
    }
    // Root without this capability is refused like anybody else.
    let mut command = if rustix::process::geteuid().is_root() {
        if Command::new("setpriv").arg("--version").output().is_err() {
            return skip("setpriv is not installed, and this is root");
        }
        let mut command = Command::new("setpriv");
        let right = "-net_bind_service";
        command.args(["--bounding-set", right, "--inh-caps", right]);
        command.arg(env!("CARGO_BIN_EXE_parlor"));
        command
    } else {
        parlor()
    };
    command.env_remove("PARLOR_LISTEN").env("PARLOR_MEMORY", "true");
    let (code, words) = fails(command, &["--listen", "tcp://127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{words}");
    assert_eq!(
        words,
        "parlor: cannot listen at tcp://127.0.0.1:1: port 1 needs privileges that this process \
         lacks; choose a port from 1024 up, such as 8000\n"
    );
}

#[test]
fn a_foreign_address_is_one_sentence_with_what_to_do() {
    let (code, words) = fails(parlor(), &["--listen", "tcp://192.0.2.1:0"]);
    assert_eq!(code, Some(1));
    assert!(words.starts_with(
        "parlor: cannot listen at tcp://192.0.2.1:0: 192.0.2.1 is not an address of this machine"
    ));
    assert_eq!(words.lines().count(), 1);
}

#[test]
fn wrong_usage_ends_with_code_2_and_says_what_exists() {
    let (code, words) = fails(parlor(), &["--listen", "gopher://localhost:70"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("gopher") && words.contains("tcp"), "{words}");
    let (code, words) = fails(parlor(), &["--listen", "tcp://localhost:0?colour=red"]);
    assert_eq!(code, Some(2));
    for option in ["colour", "classic", "idle", "names"] {
        assert!(words.contains(option), "{words}");
    }
    let (code, _) = fails(parlor(), &["--loud"]);
    assert_eq!(code, Some(2));
}

#[test]
fn too_few_descriptors_are_one_sentence_with_what_to_do() {
    let (code, words) = fails(parlor_with_descriptors(64), &HERE);
    assert_eq!(code, Some(1));
    assert_eq!(
        words,
        "parlor: this process may open 64 files, and a server needs 80 or more; raise the limit: \
         ulimit -n 4096, or LimitNOFILE= in a unit file\n"
    );
    let server = Server::run(parlor_with_descriptors(100), &HERE);
    server.logged("only 36 connections fit, as this process may open 100 files");
    server.close(());
    let wanted = [&HERE[..], &["--connections", "5000"]].concat();
    let server = Server::run(parlor_with_descriptors(1000), &wanted);
    server.logged("5000 connections are allowed, but only 936 fit");
    server.close(());
}

#[test]
fn too_few_threads_are_one_sentence_with_what_to_do() {
    let mut command = Command::new("prlimit");
    command.arg("--nproc=2");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("parlor");
    if rustix::process::geteuid().is_root() {
        if Command::new("setpriv").arg("--version").output().is_err() {
            return skip("setpriv is not installed, and this is root");
        }
        // The limit counts the processes of a user, and does not bind root.
        fs::copy(env!("CARGO_BIN_EXE_parlor"), &program).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        command.args(["setpriv", "--reuid=65533", "--clear-groups"]);
        command.arg(&program);
    } else {
        command.arg(env!("CARGO_BIN_EXE_parlor"));
    }
    command.env("PARLOR_MEMORY", "true");
    let (code, words) = fails(command, &HERE);
    assert_eq!(code, Some(1), "{words}");
    let start = "parlor: the system does not allow this user ";
    assert!(words.starts_with(start) && words.lines().count() == 1, "{words}");
}

#[test]
fn an_unknown_time_zone_is_logged() {
    let mut command = parlor();
    command.env("TZ", "Europe/Berln");
    let server = Server::run(command, &HERE);
    server.logged("TZ=Europe/Berln: this machine knows no such time zone, so times are in UTC");
    server.close(());
}

/// The program on a network of its own, with a loopback interface that has one more address;
/// `None`, with a notice, where there can be none.
fn parlor_on_own_network() -> Option<Command> {
    // The system makes the route to the address a moment later.
    let script = "ip link set lo up && ip -6 address add fe80::7/64 dev lo nodad && \
                  until ip -6 route get fe80::7 oif lo >/dev/null 2>&1; do sleep 0.01; done; \
                  exec \"$0\" \"$@\"";
    let mut command = without_settings(Command::new("unshare"));
    command.args(["--map-root-user", "--net", "sh", "-c", script]);
    command.arg(env!("CARGO_BIN_EXE_parlor"));
    let is_possible = Command::new("unshare")
        .args(["--map-root-user", "--net", "ip", "link"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_possible {
        skip("a network namespace cannot be made here, or ip is not installed");
        return None;
    }
    Some(command)
}

/// The program on the network of a server.
fn parlor_on_network_of(server: &Server) -> Command {
    let process = server.process().as_raw_pid();
    let inside = |kind| format!("--{kind}=/proc/{process}/ns/{kind}");
    let mut command = without_settings(Command::new("nsenter"));
    command.args([inside("net"), inside("user")]).arg(env!("CARGO_BIN_EXE_parlor"));
    command
}

#[test]
fn a_link_local_address_works_with_its_interface() {
    let Some(command) = parlor_on_own_network() else { return };
    let server = Server::run(command, &["--listen", "tcp://[fe80::7%lo]:0"]);
    let mut joined = parlor_on_network_of(&server)
        .args(["join", "fe80::7%lo", &server.address.port().to_string()])
        .args(["--name", "alice"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    joined.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let output = joined.wait_with_output().unwrap();
    let read = String::from_utf8(output.stdout).unwrap();
    assert!(read.contains("alice: hello"), "{read}");
    server.close(());
}

#[test]
fn a_server_without_options_opens_its_usual_doors_and_goes_on_without_one_whose_port_is_taken() {
    let Some(command) = parlor_on_own_network() else { return };
    let first = Server::run(command, &[]);
    for way in [
        "join with: nc localhost 8000",
        "open in a browser: http://localhost:8080/lobby",
        "join with an IRC client: localhost 6667",
    ] {
        first.logged(way);
    }
    first.logged("only this machine can join");
    // Another network, on which two of the ports are taken.
    let Some(command) = parlor_on_own_network() else { return };
    let listen = ["--listen", "irc://localhost", "--listen", "http://localhost"];
    let other = Server::run(command, &[&HERE[..], &listen].concat());
    other.logged("join with an IRC client: localhost 6667");
    let second = Server::run(parlor_on_network_of(&other), &[]);
    second.logged("join with: nc localhost 8000");
    for (url, who) in
        [("http://localhost:8080", "a browser"), ("irc://localhost:6667", "an IRC client")]
    {
        let warned = second.logged(&format!("cannot listen at {url}: "));
        let end = format!("; until then nobody can join with {who}");
        assert!(warned.ends_with(&end), "{warned}");
    }
    // The one for netcat is needed.
    let (code, words) = fails(parlor_on_network_of(&second), &[]);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("cannot listen at tcp://localhost:8000: port 8000 is in use"),
        "{words}"
    );
    for server in [second, other, first] {
        server.close(());
    }
}

#[test]
fn a_server_on_localhost_logs_that_and_how_to_join() {
    let server = Server::run(parlor(), &["--listen", "tcp://localhost:0"]);
    let port = server.address.port();
    assert!(server.address.ip().is_loopback());
    server.logged(&format!("join with: nc localhost {port}"));
    server.logged(
        "only this machine can join; --lan, or * in place of localhost in --listen, lets others in",
    );
    server.logged("lines are stored in memory only");
    server.close(());
}

#[test]
fn a_server_on_all_interfaces_logs_the_addresses_that_others_can_reach() {
    let server = Server::run(parlor(), &["--listen", "tcp://*:0"]);
    let port = server.address.port();
    server.logged(&format!("listening tcp 0.0.0.0:{port}"));
    server.logged("lines are stored in memory only");
    let others = if_addrs::get_if_addrs().unwrap();
    for interface in others.iter().filter(|other| !other.is_loopback() && other.ip().is_ipv4()) {
        server.logged(&format!("others join with: nc {} {port}", interface.ip()));
    }
    let log = server.close(());
    let alone = log.iter().find(|line| line.contains("only this machine"));
    assert_eq!(alone, None);
}

/// Bytes that strangers send to spoil a log.
const HOSTILE: [&[u8]; 8] = [
    b"eve\r2026-11-20T12:00:00Z ERROR forged\n",
    b"\x1b[2J\x1b]0;owned\x07\n",
    b"{\"level\":\"ERROR\"}\n",
    b"\"}\\\n",
    b"\xff\xfb\x01\xc3\x28\n",
    b"\xe2\x80\xae\xe2\x80\xa8\xc2\x9b31m\n",
    b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
];

/// The log of a server with these options after hostile visits.
fn log_after_hostile_visits(options: &[&str]) -> Vec<String> {
    let server = Server::open(options);
    for words in HOSTILE {
        let mut at_the_question = Guest::connect(server.address);
        at_the_question.send(words);
        at_the_question.end_input();
        at_the_question.rest_or_reset();
        let mut inside = Guest::enter(server.address, "eve");
        for command in [&b""[..], b"/me ", b"/name ", b"/topic ", b"/msg eve ", b"/quit "] {
            inside.try_send(command);
            inside.try_send(words);
        }
        inside.end_input();
        inside.rest_or_reset();
        let broken = Guest::connect(server.address);
        broken.reset();
    }
    server.close(())
}

#[test]
fn every_line_of_the_json_log_parses_whatever_strangers_send() {
    let log = log_after_hostile_visits(&["--log-format", "json", "--log", "trace"]);
    assert!(log.iter().any(|line| line.contains("session ended")));
    for line in log {
        let event: serde_json::Value = serde_json::from_str(&line).expect(&line);
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn every_event_of_the_text_log_is_one_line() {
    let log = log_after_hostile_visits(&["--log", "trace"]);
    assert!(log.iter().any(|line| line.contains("session ended")));
    for line in log {
        let mut words = line.split_whitespace();
        let time = words.next().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        let level = words.next().unwrap();
        assert!(["TRACE", "DEBUG", "INFO", "WARN"].contains(&level), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}

#[test]
fn the_log_contains_nothing_that_people_say() {
    let server =
        Server::run(parlor(), &[&HERE[..], &["--listen", "tcp://127.0.0.1:0?classic"]].concat());
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    for line in [
        "swordfish",
        "/me swordfish",
        "/msg bob swordfish",
        "/topic swordfish",
        "/swordfish",
        "//swordfish",
    ] {
        alice.say(line);
    }
    alice.say(&"swordfish ".repeat(1_000));
    bob.lines_until("the topic", |line| line.ends_with("the topic to: swordfish"));
    alice.say("/quit swordfish");
    bob.until("alice has left (swordfish)");
    let log = server.close((alice, bob));
    let told = log.iter().find(|line| line.contains("swordfish"));
    assert_eq!(told, None);
}
