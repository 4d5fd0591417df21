//! The way from a request for a socket to a session: the upgrade, the hello, the requests to enter.

use axum::extract::Extension;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor_core::link::{Answer, Encoder, Notice};
use parlor_wire::web::{Hello, WebDecoder, WebEncoder, WebInput};
use sha1::{Digest, Sha1};

use super::respond::bad_request;
use super::visit::Visit;
use crate::door::handshake::{Arriving, LastWords};
use crate::door::http::sentence;
use crate::session::{Doorway, LinePace, NotEntered, Step, Tell};

/// The constant part of the server's key; the client sends the rest (RFC 6455, section 1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The only version of the protocol.
const VERSION_13: &str = "13";

/// The headers that change the protocol, or ask for that.
const UPGRADE: [(HeaderName, &str); 2] =
    [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket")];

/// The server's name and version.
const SERVER: &str = concat!("parlor ", env!("CARGO_PKG_VERSION"));

/// Opens a socket if the request asks for it correctly (RFC 6455, section 4.2.1).
pub(super) async fn open(
    Extension(visit): Extension<Visit>,
    method: Method,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let has = |name, wanted| lists(&headers, name, wanted);
    let upgrades = method == Method::GET
        && version == Version::HTTP_11
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket");
    if !upgrades
        || headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| *version != VERSION_13)
    {
        let words =
            "This address speaks WebSocket version 13 only; docs/web-protocol.md describes it";
        let version = [(header::SEC_WEBSOCKET_VERSION, VERSION_13)];
        return (UPGRADE, version, sentence(StatusCode::UPGRADE_REQUIRED, words)).into_response();
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next().and_then(server_key), keys.next()) else {
        return bad_request("Send Sec-WebSocket-Key once, as 16 bytes in base64");
    };
    visit.keep_open();
    let key = [(header::SEC_WEBSOCKET_ACCEPT, key)];
    (StatusCode::SWITCHING_PROTOCOLS, UPGRADE, key).into_response()
}

fn server_key(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.to_str().ok()?.trim();
    STANDARD.decode(key).ok().filter(|key| key.len() == 16)?;
    let digest = Sha1::digest(format!("{key}{KEY_SUFFIX}").as_bytes());
    HeaderValue::from_str(&STANDARD.encode(digest)).ok()
}

/// Whether a header lists this word.
fn lists(headers: &HeaderMap, header: HeaderName, word: &str) -> bool {
    let lists = headers.get_all(header).into_iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// A socket whose client has not entered.
pub(super) type WebPrompt = Arriving<WebDecoder, WebEncoder>;

impl WebPrompt {
    /// Begins with the facts that a client needs.
    pub(super) fn greet(&mut self, log: &str) {
        let hello = Hello { server: SERVER, log, address: self.address.as_str() };
        self.encoder.hello(hello, &mut self.words);
    }
}

impl Doorway for WebPrompt {
    const ASKS: bool = false;

    /// The next request to enter. Answers all other requests before it.
    async fn next_step(&mut self, pace: &mut LinePace<'_>) -> Result<Step, NotEntered> {
        self.flush().await?;
        let request = loop {
            self.wait_for_turn(pace).await?;
            match self.take(WebDecoder::hear) {
                Some(WebInput::Request(request)) => match request.pong() {
                    Some(pong) => {
                        pace.pay(1);
                        self.words.extend(pong);
                        self.words.extend(request.receipt().unwrap_or_default());
                        self.flush().await?;
                    }
                    None => break Ok(request),
                },
                Some(WebInput::Refused(refusal, receipt)) => break Err((refusal, receipt)),
                Some(WebInput::Reply(bytes)) => {
                    pace.pay(1);
                    self.words.extend(bytes);
                    self.flush().await?;
                }
                Some(WebInput::Nothing) => {}
                Some(WebInput::Farewell(bytes)) => return Err(NotEntered::Farewell(bytes)),
                None if self.read_more().await? == 0 => return Err(NotEntered::Lost),
                None => {}
            }
        };
        self.waiter.has_answered();
        let (attempt, receipt) = match request {
            Ok(request) => (request.to_attempt(), request.receipt()),
            Err((refusal, receipt)) => (Err(refusal), receipt),
        };
        self.receipt = receipt;
        Ok(attempt?.into())
    }

    fn refuse(&mut self, refusal: Answer) -> Result<(), NotEntered> {
        self.tell(&refusal);
        self.words.extend(self.receipt.take().unwrap_or_default());
        Ok(())
    }

    fn accept(&mut self) {
        self.decoder.answer_later(self.receipt.take());
    }

    async fn end_attempts(&mut self) -> Result<(), NotEntered> {
        Err(NotEntered::NoName)
    }
}

impl LastWords for WebPrompt {
    fn tell_why(&mut self, why: NotEntered) {
        match why {
            NotEntered::NoName | NotEntered::TooLate | NotEntered::PushedOut => {
                self.encoder.nameless(&mut self.words);
            }
            NotEntered::Refused(answer) => {
                self.tell(&answer);
                self.encoder.ended(&mut self.words);
            }
            NotEntered::GoingDown => {
                self.tell(&Answer::Notice(Notice::GoingDown));
                self.encoder.ended(&mut self.words);
            }
            NotEntered::Farewell(bytes) => self.words.extend(bytes),
            NotEntered::Lost => {}
        }
    }
}
