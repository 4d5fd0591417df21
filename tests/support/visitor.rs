//! A person with a WebSocket, by a library of other authors: asks, and hears the messages.

use std::net::{SocketAddr, TcpStream};

use serde_json::Value;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderName;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};

use super::DEADLINE;

/// One connection that has read the hello.
pub(crate) struct Visitor {
    pub(crate) socket: WebSocket<TcpStream>,
    /// The server's message about itself.
    pub(crate) hello: Value,
}

impl Visitor {
    /// Opens a WebSocket at a web door.
    #[track_caller]
    pub(crate) fn connect(server: SocketAddr) -> Visitor {
        let stream = TcpStream::connect_timeout(&server, DEADLINE).expect("the door is open");
        Visitor::over(stream, &format!("ws://{server}/-/socket"))
    }

    /// Opens a WebSocket over an existing connection, at any address.
    #[track_caller]
    pub(crate) fn over(stream: TcpStream, url: &str) -> Visitor {
        Visitor::over_with(stream, url, &[])
    }

    /// Opens a WebSocket with these fields in its request.
    #[track_caller]
    pub(crate) fn over_with(stream: TcpStream, url: &str, fields: &[(&str, &str)]) -> Visitor {
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket takes options");
        let mut request = url.into_client_request().expect("a URL is a request");
        for (name, value) in fields {
            let name: HeaderName = name.parse().expect("a field has a name");
            request.headers_mut().insert(name, value.parse().expect("a field has a value"));
        }
        let opened = tungstenite::client(request, stream);
        let (socket, _) = opened.expect("the server takes the socket");
        let mut visitor = Visitor { socket, hello: Value::Null };
        visitor.hello = visitor.hears("hello");
        visitor
    }

    /// Enters the lobby, and reads everything up to the end of the replayed lines.
    #[track_caller]
    pub(crate) fn enter(mut self, name: &str) -> Visitor {
        self.asks(r#"{"do":"enter","name":"NAME","id":"in"}"#.replace("NAME", name));
        let heard = self.until_done("in");
        assert_eq!(heard[0]["kind"], "entered", "{heard:?}");
        self
    }

    /// Sends a request, as JSON.
    #[track_caller]
    pub(crate) fn asks(&mut self, request: impl Into<String>) {
        let request: String = request.into();
        self.socket.send(Message::text(request)).expect("the socket takes a message");
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Value {
        loop {
            match self.socket.read().expect("a message comes in time") {
                Message::Text(text) => {
                    return serde_json::from_str(text.as_str()).expect("a message is JSON");
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("no text: {other:?}"),
            }
        }
    }

    /// Checks that the next message is of this kind.
    #[track_caller]
    pub(crate) fn hears(&mut self, kind: &str) -> Value {
        let message = self.next();
        assert_eq!(message["kind"], kind, "{message}");
        message
    }

    /// Checks that the next message is this line.
    #[track_caller]
    pub(crate) fn hears_line(&mut self, name: &str, text: &str) -> Value {
        let line = self.hears("line");
        assert_eq!((&line["name"], &line["text"]), (&name.into(), &text.into()), "{line}");
        line
    }

    /// Everything up to the end of the request with this id.
    #[track_caller]
    pub(crate) fn until_done(&mut self, id: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            let message = self.next();
            if message["kind"] == "done" && message["id"] == id {
                return heard;
            }
            heard.push(message);
        }
    }

    /// Waits until the server closes. Returns the messages before that, and the code.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> (Vec<Value>, u16) {
        let mut heard = Vec::new();
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    heard.push(serde_json::from_str(text.as_str()).expect("a message is JSON"));
                }
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(CloseCode::Status, |frame| frame.code);
                    return (heard, code.into());
                }
                Ok(_) => {}
                Err(error @ (Error::ConnectionClosed | Error::Io(_))) => {
                    panic!("closed without a word: {error}, after {heard:?}")
                }
                Err(error) => panic!("{error}, after {heard:?}"),
            }
        }
    }
}

/// The numbers of the lines among messages.
pub(crate) fn numbers(messages: &[Value]) -> Vec<u64> {
    let lines = messages
        .iter()
        .filter(|message| ["line", "action"].contains(&message["kind"].as_str().unwrap_or("")));
    lines.filter_map(|line| line["seq"].as_u64()).collect()
}
