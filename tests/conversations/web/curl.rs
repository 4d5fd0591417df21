//! Rooms over plain HTTP: following, reading and speaking, as curl does it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::support::{DEADLINE, TestServer, Visitor};

/// An answer that has ended.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// An answer that continues.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(address: SocketAddr, target: &str, headers: &str) -> Stream {
        let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
        let mut stream = Stream(BufReader::new(stream));
        assert_eq!(stream.raw_line(), "HTTP/1.1 200 OK");
        while !stream.raw_line().is_empty() {}
        stream
    }

    fn raw_line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line comes in time");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The next line that is neither the length nor the end of a chunk.
    fn line(&mut self) -> String {
        loop {
            let line = self.raw_line();
            let is_length = line.len() < 5 && line.chars().all(|c| c.is_ascii_hexdigit());
            if !is_length {
                return line;
            }
        }
    }

    #[track_caller]
    fn sees(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }
}

fn request(address: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
    .ok(); // the server does not read all of a body that is too large
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: if is_chunked { dechunked(body) } else { body.to_owned() },
    }
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.push_str(&rest[..length]);
        body = &rest[length + 2..];
        if length == 0 {
            break;
        }
    }
    whole
}

fn get(server: &TestServer, target: &str) -> Answer {
    request(server.addresses()[0], "GET", target, "", "")
}

fn post(server: &TestServer, target: &str, body: &str) -> Answer {
    request(server.addresses()[0], "POST", target, "", body)
}

#[test]
fn a_room_is_followed_in_the_form_that_netcat_shows() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("before");
    bob.sees("bob: before");
    let mut follower = Stream::open(server.addresses()[0], "/lobby", "");
    let mut with_some = Stream::open(server.addresses()[0], "/lobby?replay=5", "");
    assert!(with_some.line().ends_with("] bob: before"));
    bob.say("/who");
    bob.sees("-- 1 person is in lobby:");
    bob.sees("--   bob, active");
    bob.sees("--   and 2 listeners");
    let carol = server.guest_at(1).enter("carol");
    bob.sees("carol has arrived"); // the first arrival that bob sees
    bob.say("hello");
    bob.say("/me waves");
    for stream in [&mut follower, &mut with_some] {
        stream.sees("carol has arrived");
        stream.sees("bob: hello");
        stream.sees("* bob waves");
    }
    drop((follower, with_some, carol));
    bob.sees_all(["bob: hello", "* bob waves", "carol has left"]);
    loop {
        bob.say("/who");
        bob.sees("-- 1 person is in lobby:");
        bob.sees("--   bob, active");
        bob.say("x");
        if bob.line() == "bob: x" {
            break; // the client has closed
        }
        bob.sees("bob: x");
    }
}

#[test]
fn the_last_lines_are_read_in_three_forms_and_the_answer_ends() {
    let server = TestServer::web();
    for text in ["one", "two", "three"] {
        assert_eq!(post(&server, "/lobby?name=ci", text).status, 200);
    }
    let text = get(&server, "/lobby?last=2");
    let bare: Vec<_> = text.body.lines().map(|line| line.split_once("] ").unwrap().1).collect();
    assert_eq!(bare, ["ci: two", "ci: three"]);
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));

    let read = |kind: &str| {
        let accept = format!("Accept: {kind}\r\n");
        request(server.addresses()[0], "GET", "/lobby?last=2", &accept, "")
    };
    let lines = read("application/x-ndjson");
    let records: Vec<Value> =
        lines.body.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((&records[0]["seq"], &records[0]["text"]), (&2.into(), &"two".into()));
    assert_eq!(records[1]["kind"], "line");
    assert_eq!(records[1].as_object().unwrap().len(), 6);
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));

    let events = read("text/event-stream");
    let mut fields = events.body.lines();
    let id = fields.next().unwrap();
    assert!(id.starts_with("id: ") && id.ends_with(":2"), "{id}");
    assert!(fields.next().unwrap().starts_with("data: {"));
    assert_eq!(fields.next(), Some(""));
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    assert_eq!(get(&server, "/lobby?last=0").body, "");
}

#[test]
fn a_query_is_understood_or_refused() {
    let server = TestServer::web();
    assert_eq!(post(&server, "/lobby?name=ci", "one").status, 200);
    let unclear = "?last=50 to read the last lines, or ?replay=20";
    for (target, words) in [
        ("/lobby?last=5000", "At most 1000 lines"),
        ("/lobby?replay=1001", "At most 1000 lines"),
        ("/lobby?last=99999999999999999999", "1000 lines at most"),
        ("/lobby?lst=50", unclear),
        ("/lobby?last=50&lst=50", unclear),
        ("/lobby?last=50&last=50", unclear),
        ("/lobby?last=50&replay=20", unclear),
        ("/lobby?last=", unclear),
        ("/lobby?last=-1", unclear),
        ("/lobby?name=ci", unclear),
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 400, "{target}: {}", answer.body);
        assert!(answer.body.contains(words), "{target}: {}", answer.body);
        assert_eq!(answer.body.lines().count(), 1, "{}", answer.body);
    }
    assert!(get(&server, "/lobby?last=1000").body.ends_with("ci: one\n"));
    // A link with a longer query still shows the page.
    let page = "Accept: text/html\r\n";
    let page = request(server.addresses()[0], "GET", "/lobby?from=mail", page, "");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
}

#[test]
fn server_sent_events_continue_after_a_break() {
    let server = TestServer::web();
    let accept = "Accept: text/event-stream\r\n";
    let mut first = Stream::open(server.addresses()[0], "/lobby", accept);
    post(&server, "/lobby?name=ci", "one");
    let id = first.line();
    assert!(first.line().contains("\"one\""));
    drop(first);
    post(&server, "/lobby?name=ci", "two\nthree");
    let last = format!("{accept}Last-Event-ID: {}\r\n", id.strip_prefix("id: ").unwrap());
    let mut again = Stream::open(server.addresses()[0], "/lobby", &last);
    post(&server, "/lobby?name=ci", "four");
    for text in ["two", "three", "four"] {
        let mut line = again.line();
        while !line.starts_with("data: ") {
            line = again.line();
        }
        let event: Value = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event["text"], text);
    }
}

#[test]
fn a_client_that_names_its_last_line_continues_after_it_in_every_form() {
    let server = TestServer::web();
    let address = server.addresses()[0];
    assert_eq!(post(&server, "/lobby?name=ci", "one\ntwo\nthree").status, 200);
    let log = Visitor::connect(address).hello["log"].clone();
    let log = log.as_str().unwrap();
    let read = |accept: &str, id: &str| {
        let headers = format!("Accept: {accept}\r\nLast-Event-ID: {id}\r\n");
        request(address, "GET", "/lobby?last=1", &headers, "")
    };
    let forms = ["text/plain", "application/x-ndjson", "text/event-stream"];
    for accept in forms {
        // The header counts more than the query.
        let body = read(accept, &format!("{log}:1")).body;
        assert!(body.contains("two") && body.contains("three"), "{body}");
        assert!(!body.contains("one"), "{body}");
        assert_eq!(read(accept, &format!("{log}:3")).body, "", "{accept}");
    }
    let words = "Your last line is from another log, or newer than this one; the lines you missed cannot be counted";
    for id in ["0123456789abcdef:1", &format!("{log}:4")] {
        let text = read(forms[0], id).body;
        let (notice, lines) = text.split_once('\n').unwrap();
        assert_eq!(notice, format!("-- {words}"), "{id}");
        assert_eq!(lines.lines().count(), 3, "the usual replay: {lines}");
        let notice = format!(r#"{{"kind":"notice","about":"another-log","text":"{words}"}}"#);
        let lines = read(forms[1], id).body;
        assert!(lines.starts_with(&format!("{notice}\n")), "{lines}");
        let events = read(forms[2], id).body;
        let first = format!("data: {notice}\n\nid: {log}:1\n");
        assert!(events.starts_with(&first), "{events}");
    }
    for id in ["", "2", ":", ":1", "a b:1", "log:", "log:two", "log:-1", log] {
        let answer = read(forms[2], id);
        assert_eq!(answer.status, 400, "{id}: {}", answer.body);
        assert!(answer.body.contains("write LOG:NUMBER"), "{}", answer.body);
    }
}

#[test]
fn a_post_is_answered_with_its_numbers_and_nobody_arrives() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    assert_eq!(post(&server, "/lobby?name=ci", "build is green").body, "1\n");
    bob.sees("ci: build is green");
    assert_eq!(post(&server, "/lobby?name=ci", "\u{feff}a\nb\r\n\nc\n").body, "2\n3\n4\n");
    bob.sees_all(["ci: a", "ci: b", "ci: c"]);
    let with_blanks = "a\n \n\u{202e}\n\u{301}\n\u{feff}b";
    assert_eq!(post(&server, "/tea?name=ci", with_blanks).body, "1\n2\n");
    let odd = "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n";
    let answer = request(server.addresses()[0], "POST", "/lobby?name=ci", odd, "a=b&c=%20d+e");
    let numbers: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(numbers, json!({"room": "lobby", "first": 5, "last": 5}));
    bob.sees("ci: a=b&c=%20d+e");
    post(&server, "/lobby?name=ci", "/who is no command here");
    bob.sees("ci: /who is no command here");
    // The post has left the name free.
    let mut ci = server.guest_at(1).enter("ci");
    bob.sees("ci has arrived");
    ci.say("me too");
    bob.sees("ci: me too");
}

#[test]
fn a_refused_post_has_a_status_and_a_sentence() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    let long = "x".repeat(4_097);
    let many = "x\n".repeat(201);
    let vast = "x".repeat(70_000);
    for (target, body, status, words) in [
        ("/lobby?name=bob", "x", 409, "bob is taken"),
        ("/lobby?name=BOB", "x", 409, "is taken"),
        ("/lobby", "x", 400, "Give a name"),
        ("/lobby?name=", "x", 400, ""),
        ("/lobby?name=b%20b", "x", 400, ""),
        ("/lobby?name=server", "x", 400, ""),
        ("/lobby?nmae=ci", "x", 400, "write ?name=ci"),
        ("/lobby?name=ci&last=1", "x", 400, "write ?name=ci"),
        ("/lobby?name=ci&name=cd", "x", 400, "write ?name=ci"),
        ("/lobby?name=ci", "", 400, "There is no text"),
        ("/lobby?name=ci", "\n\n", 400, "There is no text"),
        ("/lobby?name=ci", " \t\n\r\n  ", 400, "There is no text"),
        ("/lobby?name=ci", "\u{3000}\n\u{a0}", 400, "There is no text"),
        ("/lobby?name=ci", "\u{202e}\n\u{200b}", 400, "There is no text"),
        ("/lobby?name=ci", "\u{feff}", 400, "There is no text"),
        ("/lobby?name=ci", &long, 413, "4096 bytes"),
        ("/lobby?name=ci", &many, 413, "200 lines"),
        ("/lobby?name=ci", &vast, 413, "65536 bytes"),
        ("/a%2Fb?name=ci", "x", 400, "cannot be a room's name"),
        ("/%FF?name=ci", "x", 400, ""),
    ] {
        let answer = post(&server, target, body);
        assert_eq!(answer.status, status, "{target}: {}", answer.body);
        assert!(answer.body.contains(words), "{target}: {}", answer.body);
        assert!(answer.body.ends_with('\n') && answer.body.lines().count() == 1, "{}", answer.body);
    }
    bob.say("nothing was said");
    bob.sees("bob: nothing was said");
}

#[test]
fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let server = TestServer::web();
    let (room, page) = ("GET to read a room, or POST", "can only be read");
    for (method, target, allowed, words) in [
        ("POST", "/", "GET,HEAD", "as in /lobby"),
        ("PUT", "/", "GET,HEAD", "as in /lobby"),
        ("POST", "/-/healthz", "GET,HEAD", page),
        ("DELETE", "/-/parlor.js", "GET,HEAD", page),
        ("PATCH", "/-/nothing", "GET,HEAD", page),
        ("PATCH", "/lobby", "GET,HEAD,POST", room),
        ("PUT", "/lobby?name=ci", "GET,HEAD,POST", room),
        ("DELETE", "/tea", "GET,HEAD,POST", room),
    ] {
        let answer = request(server.addresses()[0], method, target, "", "x");
        assert_eq!(answer.status, 405, "{method} {target}");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {target}");
        assert!(answer.body.contains(words), "{target}: {}", answer.body);
        assert_eq!(answer.body.lines().count(), 1, "{}", answer.body);
    }
}

#[test]
fn a_slash_after_a_room_leads_to_the_room() {
    let server = TestServer::web();
    for (method, target, headers, wanted) in [
        ("GET", "/tea/", "", "../tea"),
        ("GET", "/tea/", "Accept: text/html\r\n", "../tea"),
        ("HEAD", "/tea/?last=5", "", "../tea?last=5"),
        ("POST", "/Tea/?name=ci&x=%20y", "", "../Tea?name=ci&x=%20y"),
        ("GET", "/%E8%8C%B6/", "", "../%E8%8C%B6"),
    ] {
        let answer = request(server.addresses()[0], method, target, headers, "");
        assert_eq!(answer.status, 308, "{method} {target}: {}", answer.body);
        assert_eq!(answer.header("location"), Some(wanted), "{target}");
    }
    for (method, target, status) in [
        ("GET", "/a%2Fb/", 400),
        ("GET", "/%5Cevil.example/", 400),
        ("GET", "/\\evil.example/", 400),
        ("POST", "/%20/", 400),
        ("GET", "/tea//", 404),
        ("GET", "//evil.example/", 404),
        ("DELETE", "/tea/", 405),
    ] {
        let answer = request(server.addresses()[0], method, target, "", "");
        assert_eq!(answer.status, status, "{method} {target}: {}", answer.body);
        assert_eq!(answer.header("location"), None, "{target}");
    }
}

#[test]
fn a_missing_room_is_not_found_and_a_post_creates_it() {
    let server = TestServer::web();
    let answer = get(&server, "/tea?last=5");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body, "There is no room tea; the first line sent there creates it\n");
    assert_eq!(get(&server, "/tea?last=0").status, 404);
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/join \u{8336}");
    bob.sees_all(["In \u{8336}: nobody else", "-- You keep this room while you are here"]);
    let answer = post(&server, "/%E8%8C%B6?name=ci", "\u{4f60}\u{597d}");
    assert_eq!((answer.status, answer.body.as_str()), (200, "1\n"));
    bob.sees("ci: \u{4f60}\u{597d}");
    assert!(get(&server, "/%E8%8C%B6?last=1").body.ends_with("] ci: \u{4f60}\u{597d}\n"));
    assert_eq!(post(&server, "/new?name=ci", "x").status, 200);
}

#[test]
fn following_a_missing_room_waits_for_it() {
    let server = TestServer::web();
    let address = server.addresses()[0];
    let mut first = Stream::open(address, "/tea", "");
    let mut second = Stream::open(address, "/tea?replay=5", "Accept: application/x-ndjson\r\n");
    // The room still does not exist.
    let missing = get(&server, "/tea?last=5");
    assert_eq!(missing.status, 404);
    let mut bob = server.guest_at(1).enter("bob");
    bob.say("/who tea");
    let told = bob.line();
    assert!(told.contains("no room"), "{told}");
    assert_eq!(post(&server, "/tea?name=ci", "at last").body, "1\n");
    first.sees("ci: at last");
    assert!(second.line().contains("\"at last\""));
}

#[test]
fn a_post_that_is_too_fast_is_told_when_to_try_again() {
    let server = TestServer::open(&["http://127.0.0.1:0"], |config| {
        config.rate = "1/s".parse().unwrap();
    });
    let answers: Vec<_> = (0..20).map(|_| post(&server, "/lobby?name=ci", "x")).collect();
    let said = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((10..20).contains(&said), "{said}");
    let late = answers.iter().find(|answer| answer.status == 429).unwrap();
    let seconds: u64 = late.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    let words = format!("Too fast, nothing was done; try again in {seconds} s: ");
    assert!(late.body.starts_with(&words), "{}", late.body);
}

#[test]
fn lines_posted_together_are_all_accepted_or_all_refused() {
    let server = TestServer::open(&["http://127.0.0.1:0"], |config| {
        config.rate = "1/s".parse().unwrap(); // 10 at once
    });
    let nine = post(&server, "/lobby?name=ci", "a\nb\nc\nd\ne\nf\ng\nh\ni");
    assert_eq!(nine.status, 200);
    let many = "x\n".repeat(200); // the limit of lines in one post: they need a full bucket
    let late = post(&server, "/lobby?name=ci", &many);
    assert_eq!(late.status, 429, "{}", late.body);
    assert_eq!(post(&server, "/lobby?name=ci", "j").body, "10\n");

    let fresh = TestServer::open(&["http://127.0.0.1:0"], |config| {
        config.rate = "1/s".parse().unwrap();
    });
    assert_eq!(post(&fresh, "/lobby?name=ci", &many).status, 200);
    let late = post(&fresh, "/lobby?name=ci", "x");
    let seconds: u64 = late.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 180, "the 190 that were too many: {seconds}");
}

#[test]
fn every_answer_restricts_browsers() {
    let server = TestServer::web();
    for (method, target, headers, status) in [
        ("GET", "/", "", 200),
        ("GET", "/", "Accept: text/html\r\n", 200),
        ("GET", "/tea", "Accept: text/html,application/xhtml+xml\r\n", 200),
        ("GET", "/-/parlor.js", "", 200),
        ("GET", "/-/parlor.css", "", 200),
        ("GET", "/-/healthz", "", 200),
        ("HEAD", "/lobby?last=1", "", 200),
        ("GET", "/-/nothing", "", 404),
        ("GET", "/a/b/c", "", 404),
        ("DELETE", "/lobby", "", 405),
        ("GET", "/lobby?last=many", "", 400),
        ("GET", "/lobby?last=1001", "", 400),
        ("GET", "/-/socket", "", 426),
        ("GET", "/lobby?last=1", "Origin: http://evil.example\r\n", 403),
        ("POST", "/lobby?name=evil", "Origin: null\r\n", 403),
        ("GET", "/lobby?last=1", "Sec-Fetch-Site: cross-site\r\n", 403),
        (
            "POST",
            "/lobby?name=me",
            "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n",
            400,
        ),
    ] {
        let answer = request(server.addresses()[0], method, target, headers, "");
        assert_eq!(answer.status, status, "{method} {target} {headers}: {}", answer.body);
        let policy = answer.header("content-security-policy").unwrap();
        for rule in
            ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
        {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(answer.header("cache-control").is_some());
    }
    let elsewhere = "GET /lobby?last=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream.write_all(elsewhere.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}

#[test]
fn followers_read_of_a_shutdown_and_their_answer_ends_well() {
    let mut server = TestServer::web();
    let mut follower = Stream::open(server.addresses()[0], "/lobby", "");
    server.goes_down();
    follower.sees("-- The server is going down");
    let mut rest = String::new();
    follower.0.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "the last chunk: {rest:?}");
}

#[test]
fn a_full_server_says_so_in_http() {
    let server = TestServer::open(&["http://127.0.0.1:0"], |config| config.connections = Some(1));
    let _follower = Stream::open(server.addresses()[0], "/lobby", "");
    let answer = get(&server, "/lobby?last=1");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("30"));
    assert!(answer.body.starts_with("The server is full"));
}

#[test]
fn thousands_of_requests_on_one_connection_are_answered_in_turn() {
    const REQUESTS: usize = 2_000;
    let server = TestServer::web();
    let mut stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..REQUESTS {
        stream.write_all(b"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut line = String::new();
        while line != "ok\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
        }
    }
}
