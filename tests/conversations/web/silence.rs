//! Connections that send no complete request: they get a share of all places, and the oldest of
//! them loses its place first.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::support::{DEADLINE, Guest, TestServer};

/// The limit of connections.
const CONNECTIONS: usize = 256;

/// The number of silent connections at most: a quarter of the places is kept free of them.
const SILENT: usize = CONNECTIONS / 4 * 3;

/// The number of clients of each kind: less than the limit, and more than may be silent.
const OF_EACH_KIND: usize = 240;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Connections that send only these bytes. The channel reports the bytes that each of them reads up
/// to its end.
fn silent(address: SocketAddr, count: usize, sent: &'static [u8]) -> Receiver<Vec<u8>> {
    let (ended, endings) = channel();
    for _ in 0..count {
        let mut stream = connect(address);
        stream.set_read_timeout(None).unwrap(); // the last connections end with the server
        stream.write_all(sent).unwrap();
        let ended = ended.clone();
        thread::spawn(move || {
            let mut read = Vec::new();
            stream.read_to_end(&mut read).unwrap();
            ended.send(read)
        });
    }
    endings
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn silent_clients_at_the_web_door_keep_nobody_out_at_any_door() {
    let doors = ["http://127.0.0.1:0", "tcp://127.0.0.1:0"];
    let server = TestServer::open(&doors, |config| config.connections = Some(CONNECTIONS));
    let [web, lines] = [server.addresses()[0], server.addresses()[1]];
    let port = lines.port().to_string();
    for (sent, told) in [
        ("", "HTTP/1.1 408 "),
        ("\r\n\r\n", "HTTP/1.1 408 "),
        ("GET /lobby?last=1 HT", "HTTP/1.1 408 "),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "HTTP/1.1 408 "),
        (
            "POST /lobby?name=ci HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
            "HTTP/1.1 408 ",
        ),
        (
            "POST /lobby?name=ci HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf",
            "HTTP/1.1 408 ",
        ),
        (
            "GET /-/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
            "HTTP/1.1 408 ",
        ),
        // These are silent after an answer: another answer would belong to no request.
        ("GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 "),
        // Sockets without a message.
        (
            "GET /-/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "HTTP/1.1 101 ",
        ),
    ] {
        let now = silent(web, OF_EACH_KIND, sent.as_bytes());
        for _ in SILENT..OF_EACH_KIND {
            let read = now.recv_timeout(DEADLINE).expect("a place is given up");
            let read = String::from_utf8_lossy(&read);
            assert!(read.starts_with(told), "{sent:?}: {read}");
            assert_eq!(read.matches("HTTP/1.1 ").count(), 1, "{sent:?}: {read}");
            if told.contains("408") {
                assert!(read.contains("No complete request arrived in time"), "{read}");
                assert!(read.ends_with(&format!("use port {port}\n")), "{read}");
            }
        }
        // Now as many are silent as may be.
        let answer =
            ask(web, "GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{sent:?}: {answer}");
        let mut guest = Guest::connect(lines).enter("newcomer");
        guest.say("/quit");
        guest.rest(); // perhaps with newcomers, who are told together
    }
}

#[test]
fn silent_clients_at_the_name_question_keep_nobody_out() {
    let doors = ["tcp://127.0.0.1:0"];
    let server = TestServer::open(&doors, |config| config.connections = Some(CONNECTIONS));
    let lines = server.addresses()[0];
    // A client that loses its place frees it at once.
    for _ in 0..4 {
        let endings = silent(lines, OF_EACH_KIND, b"");
        for _ in SILENT..OF_EACH_KIND {
            let read = endings.recv_timeout(DEADLINE).expect("a place is given up");
            let read = String::from_utf8(read).unwrap();
            assert!(read.starts_with("You are "), "{read}");
            assert!(!read.contains("full"), "{read}");
        }
        Guest::connect(lines).enter("newcomer");
    }
}

#[test]
fn a_client_that_loses_its_place_frees_it() {
    let doors = ["http://127.0.0.1:0", "tcp://127.0.0.1:0", "tcp://127.0.0.1:0?classic"];
    let server = TestServer::open(&doors, |config| config.connections = Some(CONNECTIONS));
    let [web, lines, classic] = [0, 1, 2].map(|door| server.addresses()[door]);
    for (door, sent, told) in [
        (web, "\x16\x03\x01\x02\x00\x01\x00\x01", "HTTP/1.1 400 "),
        (
            web,
            "POST /lobby HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
            "HTTP/1.1 400 ",
        ),
        (
            web,
            "GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 ",
        ),
        // A socket, with an unmasked frame.
        (
            web,
            "GET /-/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{1}\0",
            "HTTP/1.1 101 ",
        ),
        (lines, "GET / HTTP/1.1\r\n\r\n", "You are "),
        (lines, "SSH-2.0-OpenSSH_9.6\r\n", "You are "),
        (lines, "guest\n/quit\n", "You are "),
        (classic, "GET / HTTP/1.1\r\n\r\n", "You are "),
    ] {
        // All connections stay open at this end.
        let ended = (0..2 * CONNECTIONS).map(|_| {
            let mut stream = connect(door);
            stream.write_all(sent.as_bytes()).unwrap();
            let mut read = Vec::new();
            stream.read_to_end(&mut read).unwrap();
            let read = String::from_utf8_lossy(&read);
            assert!(read.starts_with(told), "{sent:?}: {read}");
            stream
        });
        let ended: Vec<_> = ended.collect();
        let mut guest = Guest::connect(lines).enter("newcomer");
        guest.say("/quit");
        guest.rest(); // perhaps with newcomers, who are told together
        drop(ended);
    }
}

#[test]
fn a_client_that_follows_a_room_is_not_waited_for() {
    let doors = ["http://127.0.0.1:0", "tcp://127.0.0.1:0"];
    let server = TestServer::open(&doors, |config| config.connections = Some(CONNECTIONS));
    let web = server.addresses()[0];
    let mut follower = connect(web);
    follower.write_all(b"GET /lobby HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = [0; 12];
    follower.read_exact(&mut head).unwrap();
    let endings = silent(web, OF_EACH_KIND, b"GET /");
    for _ in SILENT..OF_EACH_KIND {
        endings.recv_timeout(DEADLINE).expect("a place is given up");
    }
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("still there?");
    let mut read = Vec::new();
    while !read.ends_with(b"bob: still there?\n") {
        let mut byte = [0];
        follower.read_exact(&mut byte).unwrap();
        read.extend(byte);
    }
}

#[test]
fn silent_clients_at_the_metrics_door_hide_the_metrics_from_nobody() {
    let doors = ["metrics://127.0.0.1:0"];
    let server = TestServer::open(&doors, |_| {});
    let numbers = server.addresses()[0];
    const PLACES: usize = 32;
    let endings = silent(numbers, 2 * PLACES, b"GET /metr");
    for _ in 0..PLACES {
        let read = endings.recv_timeout(DEADLINE).expect("a place is given up");
        let read = String::from_utf8(read).unwrap();
        assert!(read.starts_with("HTTP/1.1 408 "), "{read}");
        assert!(read.ends_with("GET /metrics\n"), "{read}");
    }
    let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(ask(numbers, scrape).starts_with("HTTP/1.1 200 "));
}

#[test]
fn bytes_that_are_not_a_request_get_the_purpose_of_the_port() {
    let server = TestServer::web();
    let (web, lines) = (server.addresses()[0], server.addresses()[1].port());
    for sent in [
        "alice\n",
        "hello there\r\n",
        "\u{feff}GET / HTTP/1.1\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01",
        "EHLO x\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\n no header\r\n\r\n",
        "no end",
        "GET /half HTTP/1.1\r\nHost: x",
    ] {
        let mut stream = connect(web);
        stream.write_all(sent.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{sent:?}: {answer:?}");
        let words = format!(
            "\r\n\r\nThis is not an HTTP request. This port is for browsers and curl; with netcat, telnet or parlor join, use port {lines}\n"
        );
        assert!(answer.ends_with(&words), "{sent:?}: {answer:?}");
    }
    let mut answer = String::new();
    for long in [
        format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(20_000)),
        format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000)),
        format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)),
    ] {
        let mut stream = connect(web);
        stream.write_all(long.as_bytes()).ok();
        answer.clear();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        let words = "\r\n\r\nThe head of this request is too large: it may have 16 KiB and 100 fields. This port is for browsers";
        assert!(answer.contains(words), "{answer}");
    }
    // A client that only checks whether the port is open reads nothing.
    let mut stream = connect(web);
    stream.shutdown(Shutdown::Write).unwrap();
    answer.clear();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
}
