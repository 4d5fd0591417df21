//! The operator's numbers: each counts real events, and none names a person.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::json;

use crate::support::{DEADLINE, Guest, TestServer, Visitor};

/// The present values, by name with labels. Checks the form of each line.
fn scrape(address: SocketAddr) -> BTreeMap<String, f64> {
    let accept = "Accept: application/openmetrics-text\r\n";
    let (head, body) = request_with(address, "GET", "/metrics", accept);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    let mut numbers = BTreeMap::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let word = comment.split(' ').next().unwrap();
            assert!(["HELP", "TYPE", "UNIT", "EOF"].contains(&word), "{line}");
            continue;
        }
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("parlor_"), "{line}");
        let labels = name.split_once('{').map_or("", |(_, labels)| labels);
        let is_known = |label: &str| {
            ["door=", "limit=", "le=", "version="].iter().any(|known| label.starts_with(known))
        };
        assert!(
            labels.is_empty() || labels.trim_end_matches('}').split(',').all(is_known),
            "{line}"
        );
        numbers.insert(name.to_owned(), number.parse().unwrap());
    }
    numbers
}

fn get(address: SocketAddr, path: &str) -> (String, String) {
    request(address, "GET", path)
}

fn request(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    request_with(address, method, path, "")
}

fn request_with(address: SocketAddr, method: &str, path: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn open(configure: impl FnOnce(&mut parlor::config::Config)) -> (TestServer, SocketAddr) {
    let doors = ["tcp://127.0.0.1:0", "http://127.0.0.1:0", "metrics://127.0.0.1:0"];
    let server = TestServer::open(&doors, configure);
    let numbers = server.addresses()[2];
    (server, numbers)
}

#[test]
fn the_older_text_has_the_same_numbers_in_the_form_that_prometheus_reads() {
    let (_server, numbers) = open(|_| {});
    let open = scrape(numbers);
    let accepts = [
        "",
        "Accept: */*\r\n",
        "Accept: text/plain;version=0.0.4\r\n",
        "Accept: application/openmetrics-text;q=0.5, text/plain\r\n",
        "Accept: application/openmetrics-text; q=0\r\n",
    ];
    for accept in accepts {
        let (head, body) = request_with(numbers, "GET", "/metrics", accept);
        assert!(
            head.contains("\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            "{accept}: {head}"
        );
        let mut samples = BTreeMap::new();
        let mut described: Option<(&str, &str)> = None;
        let mut seen = Vec::new();
        for line in body.lines() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["#", "HELP", name, _, ..] => {
                    assert!(!seen.contains(name), "{name} is described once");
                    seen.push(name);
                    described = None;
                }
                ["#", "TYPE", name, kind] => {
                    assert_eq!(seen.last(), Some(name));
                    assert!(["counter", "gauge", "histogram"].contains(kind), "{line}");
                    assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
                    described = Some((name, kind));
                }
                [sample, number] => {
                    let (name, kind) = described.expect("a sample is described");
                    let bare = sample.split('{').next().unwrap();
                    let suffix = bare.strip_prefix(name).expect(line);
                    let wanted: &[&str] = match kind {
                        "histogram" => &["_bucket", "_sum", "_count"],
                        _ => &[""],
                    };
                    assert!(wanted.contains(&suffix), "{line}");
                    samples.insert((*sample).to_owned(), number.parse::<f64>().unwrap());
                }
                _ => panic!("{line}"),
            }
        }
        assert_eq!(samples.keys().collect::<Vec<_>>(), open.keys().collect::<Vec<_>>());
        assert_eq!(samples["parlor_build_info{version=\"0.1.0\"}"], 1.0);
    }
}

#[test]
fn written_and_read_lines_are_counted() {
    let (server, numbers) = open(|_| {});
    let before = scrape(numbers);
    for name in [
        "parlor_lines_total",
        "parlor_deliveries_total",
        "parlor_people",
        "parlor_panics_total",
        "parlor_accept_errors_total{door=\"tcp\"}",
        "parlor_accept_errors_total{door=\"http\"}",
        "parlor_refusals_total{limit=\"connections\"}",
        "parlor_refusals_total{limit=\"tries\"}",
    ] {
        assert_eq!(before[name], 0.0, "{name}");
    }
    assert_eq!(before["parlor_rooms"], 1.0);
    let [mut alice, mut bob] = server.friends(["alice", "bob"]);
    let mut carol = Visitor::connect(server.addresses()[1]).enter("carol");
    for friend in [&mut alice, &mut bob] {
        friend.sees("carol has arrived");
    }
    alice.send("one\ntwo\n");
    for friend in [&mut alice, &mut bob] {
        friend.sees_all(["alice: one", "alice: two"]);
    }
    carol.hears_line("alice", "one");
    carol.hears_line("alice", "two");
    carol.asks(json!({"do": "join", "room": "tea", "id": "j"}).to_string());
    carol.until_done("j");
    let now = scrape(numbers);
    for (name, number) in [
        ("parlor_lines_total", 2.0),
        ("parlor_deliveries_total", 6.0),
        ("parlor_skipped_lines_total", 0.0),
        ("parlor_people", 3.0),
        ("parlor_rooms", 2.0),
        ("parlor_listeners", 0.0),
        ("parlor_connections{door=\"tcp\"}", 2.0),
        ("parlor_connections{door=\"http\"}", 1.0),
        ("parlor_accepted_total{door=\"tcp\"}", 2.0),
        ("parlor_batch_lines_sum", 2.0),
    ] {
        assert_eq!(now[name], number, "{name}");
    }
    assert_eq!(now["parlor_commit_seconds_count"], now["parlor_batch_lines_count"]);
}

#[test]
fn met_limits_are_counted_and_a_full_server_still_shows_its_metrics() {
    let (server, numbers) = open(|config| config.connections = Some(1));
    let mut alice = server.enter("alice");
    alice.say(&"x".repeat(5_000));
    alice.sees("-- Line too long (4096 bytes at most): not sent");
    let mut late = Guest::connect(server.addresses()[0]);
    late.sees("-- The server is full; try again in 30 s");
    let now = scrape(numbers);
    assert_eq!(now["parlor_refusals_total{limit=\"line\"}"], 1.0);
    assert_eq!(now["parlor_refusals_total{limit=\"connections\"}"], 1.0);
    let (head, body) = get(numbers, "/");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(body, "There is nothing at this address; the metrics are at /metrics\n");
}

#[test]
fn too_long_lines_are_counted_also_with_curl() {
    let (server, numbers) = open(|_| {});
    for body in ["x".repeat(4_097), "x\n".repeat(201), "x".repeat(70_000)] {
        let mut stream = TcpStream::connect_timeout(&server.addresses()[1], DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /lobby?name=ci HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok(); // the server does not read all of a body that is too large
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 413");
    }
    let now = scrape(numbers);
    assert_eq!(now["parlor_refusals_total{limit=\"line\"}"], 3.0);
    assert_eq!(now["parlor_lines_total"], 0.0);
}

#[test]
fn metrics_are_read_and_nothing_else() {
    let (_server, numbers) = open(|_| {});
    let (whole, body) = request(numbers, "GET", "/metrics");
    let (head, nothing) = request(numbers, "HEAD", "/metrics");
    let length = format!("content-length: {}", body.len());
    for head in [&whole, &head] {
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains(&length), "{head}");
    }
    assert_eq!(nothing, "");
    for (method, path) in [("POST", "/metrics"), ("DELETE", "/")] {
        let (head, body) = request(numbers, method, path);
        assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
        assert!(head.contains("allow: GET, HEAD"), "{head}");
        assert!(head.contains("content-type: text/plain"), "{head}");
        assert_eq!(body, "The metrics can only be read: GET /metrics\n");
    }
}

#[test]
fn a_line_with_an_id_counts_once_against_the_rate() {
    let (server, numbers) = open(|config| config.rate = "1/s".parse().unwrap()); // 10 lines at once
    let mut alice = Visitor::connect(server.addresses()[1]).enter("alice");
    for number in 0..10 {
        let id = number.to_string();
        alice.asks(json!({"do": "say", "text": "quick", "id": id}).to_string());
        alice.until_done(&id);
    }
    let now = scrape(numbers);
    assert_eq!(now["parlor_refusals_total{limit=\"rate\"}"], 0.0);
}

#[test]
fn skipped_lines_are_counted() {
    let (server, numbers) = open(|config| {
        config.log_lines = 100;
        config.rate = "off".parse().unwrap();
    });
    let mut slow = Guest::connect_narrow(server.addresses()[0]).enter("slow");
    let mut alice = Visitor::connect(server.addresses()[1]).enter("alice");
    let text = ["x".repeat(3_000).as_str(); 5].join("\n");
    for _ in 0..600 {
        alice.asks(json!({"do": "say", "text": text, "id": "s"}).to_string());
        alice.until_done("s");
    }
    let mut skipped = 0.0;
    while skipped == 0.0 {
        let line = slow.line();
        if let Some(told) =
            line.strip_prefix("-- ").and_then(|told| told.split_once(" lines skipped"))
        {
            skipped = told.0.parse().unwrap();
        }
    }
    assert!(scrape(numbers)["parlor_skipped_lines_total"] >= skipped);
}
