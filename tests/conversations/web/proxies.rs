//! What stands between programs and the web door: proxies and balancers, each in its way.

use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use crate::support::{DEADLINE, House, Visitor};

/// A web server that passes on what is below `/chat/`, as nginx does with `location /chat/`. It ends with the test.
fn proxy(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || pass_on(client.unwrap(), server));
        }
    });
    address
}

fn pass_on(mut client: TcpStream, server: SocketAddr) -> Option<()> {
    let mut from_client = BufReader::new(client.try_clone().ok()?);
    let mut request = String::new();
    from_client.read_line(&mut request).ok()?;
    let (method, path) = request.split_once(" /chat/")?; // what is elsewhere is not passed on
    let mut upstream = TcpStream::connect_timeout(&server, DEADLINE).ok()?;
    write!(upstream, "{method} /{path}").ok()?;
    let mut to_server = upstream.try_clone().ok()?;
    thread::spawn(move || copy(&mut from_client, &mut to_server));
    copy(&mut upstream, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}

/// An answer as it comes, up to the end.
fn ask(server: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect_timeout(&server, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(server: SocketAddr, path: &str, headers: &str) -> String {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n{headers}\r\n");
    ask(server, &request)
}

/// The addresses that a text has behind this mark, up to the quotation mark.
fn addresses<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(mark).skip(1);
    parts.filter_map(|part| part.split(['"', '\'']).next())
}

#[test]
fn the_page_works_below_a_path_of_a_web_server() {
    let house = House::web();
    let proxy = proxy(house.addresses()[0]);
    for room in ["/chat/", "/chat/tea"] {
        let page = get(proxy, room, "Accept: text/html\r\n");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        let loaded: Vec<_> = addresses(&page, "src=\"")
            .chain(addresses(&page, "href=\""))
            .collect();
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
fn a_slash_behind_a_room_leads_to_the_room_below_a_path_too() {
    let house = House::web();
    let proxy = proxy(house.addresses()[0]);
    let answer = get(proxy, "/chat/tea/?last=5", "");
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains("\nlocation: ../tea?last=5\r\n"), "{answer}");
}
