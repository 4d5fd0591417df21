//! The questions that a server of NATS answers at its port for monitoring, over HTTP. Knows no
//! process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

/// How long a server may take to answer; one that hangs does not answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The part of the names of streams that stand beside that of the order.
const BESIDE: [&str; 2] = ["-SNAPSHOTS", "-KEYS"];

/// The counts of one server, or the sum of several.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct NatsCounts {
    /// Bytes that came from nodes and from other servers.
    pub(crate) received: f64,
    /// Bytes that went to nodes and to other servers.
    pub(crate) sent: f64,
    /// Messages in the streams of the orders, and their bytes as they are stored. In a sum these are
    /// those of one server, as all of them have the same streams.
    pub(crate) messages: f64,
    pub(crate) bytes: f64,
}

impl NatsCounts {
    /// Asks the server that answers here.
    pub(super) fn of(monitor: SocketAddr) -> anyhow::Result<NatsCounts> {
        let traffic = ask(monitor, "/varz")?;
        let traffic = |name: &str| traffic[name].as_f64().context("no traffic in the answer");
        let streams = ask(monitor, "/jsz?streams=true")?;
        let (messages, bytes) = orders(&streams);
        Ok(NatsCounts {
            received: traffic("in_bytes")?,
            sent: traffic("out_bytes")?,
            messages,
            bytes,
        })
    }

    /// Adds the traffic of another server of the same cluster.
    pub(super) fn and(self, other: NatsCounts) -> NatsCounts {
        NatsCounts {
            received: self.received + other.received,
            sent: self.sent + other.sent,
            messages: self.messages.max(other.messages),
            bytes: self.bytes.max(other.bytes),
        }
    }

    /// The difference since then.
    pub(crate) fn since(self, before: NatsCounts) -> NatsCounts {
        NatsCounts {
            received: self.received - before.received,
            sent: self.sent - before.sent,
            messages: self.messages - before.messages,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// Whether a server says that it has everything that its cluster has.
pub(super) fn is_well(monitor: SocketAddr) -> bool {
    get(monitor, "/healthz").is_ok_and(|(head, _)| head.starts_with("HTTP/1.0 200"))
}

/// The name of the server that leads the streams of orders, as this server sees it.
pub(super) fn leader(monitor: SocketAddr) -> Option<String> {
    let answer = ask(monitor, "/jsz?streams=true").ok()?;
    let mut leaders = streams(&answer).filter_map(|stream| stream["cluster"]["leader"].as_str());
    leaders.next().map(str::to_owned)
}

/// Messages and bytes in the streams of all orders.
fn orders(answer: &Value) -> (f64, f64) {
    let sum = |name: &str| {
        let counts = streams(answer).filter_map(|stream| stream["state"][name].as_f64());
        counts.sum()
    };
    (sum("messages"), sum("bytes"))
}

/// The streams of orders in an answer.
fn streams(answer: &Value) -> impl Iterator<Item = &Value> {
    let accounts = answer["account_details"].as_array().into_iter().flatten();
    let streams = accounts.filter_map(|account| account["stream_detail"].as_array()).flatten();
    streams.filter(|stream| {
        let name = stream["name"].as_str().unwrap_or_default();
        name.starts_with("PARLOR-") && !BESIDE.iter().any(|end| name.ends_with(end))
    })
}

fn ask(monitor: SocketAddr, question: &str) -> anyhow::Result<Value> {
    let (_, body) = get(monitor, question)?;
    serde_json::from_str(&body).with_context(|| format!("no JSON from {monitor}{question}"))
}

/// Head and body of an answer. The request is that of HTTP 1.0, so the answer ends with the
/// connection.
fn get(monitor: SocketAddr, question: &str) -> anyhow::Result<(String, String)> {
    let mut socket = TcpStream::connect_timeout(&monitor, ANSWER_TIME)?;
    socket.set_read_timeout(Some(ANSWER_TIME))?;
    socket.write_all(format!("GET {question} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end")?;
    Ok((head.to_owned(), body.to_owned()))
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use serde_json::json;

    use super::*;

    fn stream(name: &str, messages: u64, leader: &str) -> Value {
        json!({
            "name": name,
            "cluster": {"leader": leader},
            "state": {"messages": messages, "bytes": messages * 100},
        })
    }

    #[test]
    fn streams_of_orders_are_counted_without_those_beside_them() {
        let of_house =
            ["PARLOR-main", "PARLOR-main-KEYS", "PARLOR-main-SNAPSHOTS", "PARLOR-b", "ORDERS"];
        let streams = of_house.map(|name| stream(name, 3, "one"));
        let answer = json!({"account_details": [{"stream_detail": streams}]});
        assert_eq!(orders(&answer), (6.0, 600.0));
        assert_eq!(orders(&json!({"account_details": [{"name": "empty"}]})), (0.0, 0.0));
        assert_eq!(orders(&json!({})), (0.0, 0.0));
    }

    #[test]
    fn traffic_is_added_and_streams_are_not() {
        let counts =
            |sent: f64| NatsCounts { received: 1.0, sent, messages: 5.0, bytes: sent * 2.0 };
        let sum = counts(10.0).and(counts(20.0));
        let wanted = NatsCounts { received: 2.0, sent: 30.0, messages: 5.0, bytes: 40.0 };
        assert_eq!(sum, wanted);
        let more = NatsCounts { sent: 37.0, ..sum };
        assert_eq!(more.since(sum), NatsCounts { sent: 7.0, ..NatsCounts::default() });
    }

    #[test]
    fn server_is_asked_over_http() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let answers = [
                ("200 OK", r#"{"in_bytes": 7, "out_bytes": 8}"#),
                ("200 OK", "{}"),
                ("503 Service Unavailable", "{}"),
            ];
            answers.map(|(status, body)| {
                let (mut client, _) = listener.accept().expect("it is asked");
                let mut question = [0; 256];
                let read = client.read(&mut question).expect("it is asked");
                let answer = format!("HTTP/1.0 {status}\r\nA: b\r\n\r\n{body}");
                client.write_all(answer.as_bytes()).expect("somebody waits");
                String::from_utf8_lossy(&question[..read]).into_owned()
            })
        });
        let counts = NatsCounts::of(address).expect("it answers");
        assert_eq!((counts.received, counts.sent), (7.0, 8.0));
        assert!(!is_well(address));
        let asked = server.join().expect("it has answered");
        assert!(asked[0].starts_with("GET /varz HTTP/1.0\r\n"));
        assert!(asked[2].starts_with("GET /healthz HTTP/1.0\r\n"));
    }
}
