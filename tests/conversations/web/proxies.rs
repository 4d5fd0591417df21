//! Proxies and balancers between programs and the web door.

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use crate::support::{DEADLINE, TestServer, Visitor};

/// A web server that passes on requests below `/chat/`, as nginx does with `location /chat/`. It
/// ends with the test.
fn proxy(address: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || pass_on(client.unwrap(), address));
        }
    });
    proxy
}

fn pass_on(mut client: TcpStream, address: SocketAddr) -> Option<()> {
    let mut from_client = BufReader::new(client.try_clone().ok()?);
    let mut request = String::new();
    from_client.read_line(&mut request).ok()?;
    let (method, path) = request.split_once(" /chat/")?; // other paths are not passed on
    let mut upstream = TcpStream::connect_timeout(&address, DEADLINE).ok()?;
    write!(upstream, "{method} /{path}").ok()?;
    let mut to_server = upstream.try_clone().ok()?;
    thread::spawn(move || copy(&mut from_client, &mut to_server));
    copy(&mut upstream, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}

/// An answer as it comes, up to the end.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    ask(address, &request)
}

/// The addresses in a text, from this mark to the quotation mark.
fn addresses<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(mark).skip(1);
    parts.filter_map(|part| part.split(['"', '\'']).next())
}

#[test]
fn the_page_works_below_a_path_of_a_web_server() {
    let server = TestServer::web();
    let proxy = proxy(server.addresses()[0]);
    for room in ["/chat/", "/chat/tea"] {
        let page = get(proxy, room, "Accept: text/html\r\n");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        let loaded: Vec<_> =
            addresses(&page, "src=\"").chain(addresses(&page, "href=\"")).collect();
        assert!(loaded.len() >= 3, "{loaded:?}");
        for address in loaded {
            // Relative to the folder of both pages.
            let file = get(proxy, &format!("/chat/{address}"), "");
            assert!(file.starts_with("HTTP/1.1 200 "), "{address}: {file}");
            for module in addresses(&file, "from './") {
                let module = get(proxy, &format!("/chat/-/{module}"), "");
                assert!(module.starts_with("HTTP/1.1 200 "), "{module}");
            }
        }
    }
    let script = get(proxy, "/chat/-/connection.js", "");
    assert!(script.contains("new URL('-/socket', location.href"));
    let stream = TcpStream::connect_timeout(&proxy, DEADLINE).unwrap();
    let mut alice = Visitor::over(stream, &format!("ws://{proxy}/chat/-/socket")).enter("alice");
    alice.asks(json!({"do": "say", "text": "through the proxy"}).to_string());
    alice.hears_line("alice", "through the proxy");
}

#[test]
fn a_slash_after_a_room_leads_to_the_room_below_a_path_too() {
    let server = TestServer::web();
    let proxy = proxy(server.addresses()[0]);
    let answer = get(proxy, "/chat/tea/?last=5", "");
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains("\nlocation: ../tea?last=5\r\n"), "{answer}");
}

#[test]
fn health_checks_of_several_balancers_are_answered() {
    let server = TestServer::web();
    let address = server.addresses()[0];
    for request in [
        "GET /-/healthz HTTP/1.0\r\n\r\n",
        "HEAD /-/healthz HTTP/1.0\r\n\r\n",
        "OPTIONS /-/healthz HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\n\r\n",
        "GET /-/healthz HTTP/1.0\r\nHost: backend\r\n\r\n",
        "GET /-/healthz HTTP/1.1\r\nHost: parlor:80\r\nConnection: close\r\n\r\n",
        "GET /-/healthz HTTP/1.1\r\nHost: localhost.:65535\r\nConnection: close\r\n\r\n",
        "GET /-/healthz HTTP/1.1\r\nHost: localhost:\r\nConnection: close\r\n\r\n",
        "GET http://localhost:8080/-/healthz HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n",
        "HEAD /lobby?last=1 HTTP/1.0\r\n\r\n",
        "GET /l%6Fbby?last=1 HTTP/1.0\r\n\r\n",
        "GET http://127.0.0.1/lobby?last=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let answer = ask(address, request);
        let status: u16 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        assert!([200, 204].contains(&status), "{request}: {answer}");
        let is_bare = !request.starts_with("GET") || request.contains("last=");
        assert_eq!(answer.ends_with("\r\n\r\n"), is_bare, "{request}: {answer}");
    }
    for (request, status) in [
        ("GET /-/healthz HTTP/1.1\r\nConnection: close\r\n\r\n", "400"),
        ("GET /lobby?last=1 HTTP/1.0\r\nHost: evil.example\r\n\r\n", "421"),
        ("GET http://evil.example/lobby HTTP/1.0\r\nHost: localhost\r\n\r\n", "421"),
        ("GET /lobby?last=1 HTTP/1.0\r\nOrigin: http://localhost\r\n\r\n", "403"),
        ("OPTIONS /lobby HTTP/1.0\r\nOrigin: http://evil.example\r\n\r\n", "403"),
        ("CONNECT localhost:80 HTTP/1.0\r\nHost: localhost\r\n\r\n", "40"),
    ] {
        let answer = ask(address, request);
        assert!(
            answer.starts_with(&format!("HTTP/1.0 {status}"))
                || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {answer}"
        );
    }
    let options = ask(address, "OPTIONS /lobby HTTP/1.0\r\n\r\n");
    assert!(options.contains("\nallow: GET,HEAD,POST\r\n"), "{options}");
}

#[test]
fn forwarded_headers_are_not_trusted() {
    let server = TestServer::web();
    let address = server.addresses()[0];
    let forwarded = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
        X-Real-IP: 192.0.2.1\r\nForwarded: for=192.0.2.1;host=evil.example\r\nX-Original-URL: /tea\r\n\
        X-HTTP-Method-Override: DELETE\r\n";
    let answer = get(address, "/-/healthz", forwarded);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask(
        address,
        "GET /lobby?last=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nX-Forwarded-Host: localhost\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}

#[test]
fn bodies_may_come_in_pieces_and_after_a_continue() {
    let server = TestServer::web();
    let address = server.addresses()[0];
    let mut bob = server.guest_at(1).enter("bob");
    let chunked = "POST /lobby?name=ci HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
    let answer = ask(address, chunked);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    bob.sees("ci: hello world");

    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = "POST /lobby?name=ci HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\
        Connection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let wanted = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut go_on = vec![0; wanted.len()];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on, wanted);
    stream.write_all(b"late").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    bob.sees("ci: late");
    // The server does not ask for the body of a refused request.
    let refused = ask(address, &head.replace("?name=ci", "?name=bob&x=1"));
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}

#[test]
fn the_head_of_a_room_that_is_followed_ends_at_once() {
    let server = TestServer::web();
    let mut bob = server.guest_at(1).enter("bob");
    for accept in ["text/plain", "application/x-ndjson", "text/event-stream"] {
        let request = format!(
            "HEAD /lobby HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n\
            GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(server.addresses()[0], &request);
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains(&format!("content-type: {accept}")), "{head}");
        assert!(!head.contains("content-length"), "of a stream nobody knows it: {head}");
        assert!(rest.starts_with("HTTP/1.1 200 ") && rest.ends_with("ok\n"), "{rest}");
    }
    loop {
        bob.say("/who");
        let told = [bob.line(), bob.line()];
        bob.say("x");
        if bob.line() == "bob: x" {
            break; // the client has closed
        }
        bob.sees("bob: x");
        assert_eq!(told.len(), 2);
    }
}

#[test]
fn the_preferred_form_is_shown() {
    let server = TestServer::web();
    for (accept, kind) in [
        ("*/*", "text/plain"),
        ("text/*", "text/plain"),
        ("application/json", "text/plain"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/html;q=0.1, application/x-ndjson", "application/x-ndjson"),
        ("application/x-ndjson;q=0", "text/plain"),
        ("application/x-ndjson;q=0.1, text/plain", "text/plain"),
        ("text/event-stream;q=0.9, application/x-ndjson;q=0.8", "text/event-stream"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html;q=0, */*", "text/plain"),
    ] {
        let answer = get(server.addresses()[0], "/lobby?last=1", &format!("Accept: {accept}\r\n"));
        assert!(answer.contains(&format!("\ncontent-type: {kind}")), "{accept}: {answer}");
    }
}
