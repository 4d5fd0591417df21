//! From a request for a socket to somebody who enters: the upgrade, the hello, the name.

use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor_core::link::{
    Answer, Change, Encoder, Entered, Link, Notice, Outcome, Refusal, Request, Seat,
};
use parlor_core::model::{Claim, Name, RoomName};
use parlor_wire::json::{EnterRequest, Hello, WebDecoder, WebEncoder, WebInput};
use sha1::{Digest, Sha1};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::select;

use super::Visit;
use super::router::{lists, sentence};
use crate::accounts::Returned;
use crate::clock::{sleep, timeout};
use crate::door::question::Answerer;
use crate::door::transport::Eager;
use crate::door::{QUESTION_TIME, WORD_TIME, say_at_once, say_last};
use crate::session::{Arrival, replay};

/// After so many refusals it is over.
const REFUSALS_MAX: usize = 5;

/// What is read at once of somebody who has not entered.
const READ_BYTES_MAX: usize = 4 * 1024;

/// What the server's key is made of, beside the client's (RFC 6455, section 1.3).
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The only version there is.
const VERSION_13: HeaderValue = HeaderValue::from_static("13");

/// What the server calls itself.
const SERVER: &str = concat!("parlor ", env!("CARGO_PKG_VERSION"));

/// Makes the connection a socket, where a request asks for that as it should (RFC 6455, section 4.2.1).
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
    if !upgrades || headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION_13) {
        let mut response = sentence(
            StatusCode::UPGRADE_REQUIRED,
            "This address speaks WebSocket version 13 only; docs/web-protocol.md describes it",
        );
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION_13);
        return response;
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next().and_then(server_key), keys.next()) else {
        return sentence(
            StatusCode::BAD_REQUEST,
            "Send Sec-WebSocket-Key once, as 16 bytes in base64",
        );
    };
    visit.becomes_socket.cancel();
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}

fn server_key(key: &HeaderValue) -> Option<HeaderValue> {
    let key = key.to_str().ok()?.trim();
    STANDARD.decode(key).ok().filter(|key| key.len() == 16)?;
    let digest = Sha1::digest(format!("{key}{KEY_SUFFIX}").as_bytes());
    HeaderValue::from_str(&STANDARD.encode(digest)).ok()
}

/// Who comes in by a socket.
pub(super) type WebArrival = Arrival<OwnedReadHalf, Eager, WebDecoder, WebEncoder>;

/// Somebody with a socket who has not entered yet.
pub(super) struct Newcomer {
    stream: TcpStream,
    decoder: WebDecoder,
    encoder: WebEncoder,
    link: Link,
    /// Read and not yet decoded.
    held: Vec<u8>,
    is_owner: bool,
    /// Who has come back, and with what.
    returned: Option<Returned>,
    /// Holds a place among those who have not entered.
    answerer: Answerer,
}

/// Why somebody does not enter: with these last bytes, if there is anybody to read them.
struct Gone(Option<Vec<u8>>);

impl Newcomer {
    pub(super) fn new(visit: &Visit, stream: TcpStream, held: Bytes) -> Newcomer {
        let house = &visit.house;
        Newcomer {
            stream,
            decoder: WebDecoder::default(),
            encoder: WebEncoder::new(visit.door.keeping(), visit.door.clock.clone()),
            link: house.writers.connect(&house.inbox, Some(visit.from)),
            held: held.into(),
            is_owner: false,
            returned: None,
            answerer: house.requests.answerer(),
        }
    }

    /// The handshake; none for whoever does not come through it.
    pub(super) async fn come_in(mut self, visit: &Visit) -> Option<WebArrival> {
        let entered = select! {
            biased;
            entered = self.answer_requests(visit) => entered,
            () = sleep(QUESTION_TIME) => Err(self.nameless()),
            () = visit.house.closing.cancelled() => {
                Err(self.farewell(&Answer::Notice(Notice::GoingDown)))
            }
        };
        match entered {
            Ok((seat, entered)) => Some(self.arrive(visit, seat, entered)),
            Err(Gone(words)) => {
                drop(self.link); // so that nobody arrives who is being turned out
                match self.answerer.is_pushed_out() {
                    true => say_at_once(&self.stream, &words?),
                    false => say_last(self.stream, &words?, &visit.house.leaving).await,
                }
                None
            }
        }
    }

    fn arrive(mut self, visit: &Visit, seat: Seat, entered: Box<Entered>) -> WebArrival {
        self.held.shrink_to_fit(); // an idle connection holds no buffer
        let (input, output) = self.stream.into_split();
        Arrival {
            input,
            output: Eager(output),
            decoder: self.decoder,
            encoder: self.encoder,
            link: self.link,
            seat,
            entered,
            is_owner: self.is_owner,
            place: self
                .returned
                .map(|returned| (returned.code, returned.standing)),
            peer: visit.peer,
            held: self.held,
        }
    }

    async fn answer_requests(&mut self, visit: &Visit) -> Result<(Seat, Box<Entered>), Gone> {
        let mut words = Vec::new();
        let hello = Hello {
            server: SERVER,
            log: &visit.door.settings.log,
            address: &visit.from.to_string(),
        };
        self.encoder.hello(hello, &mut words);
        for _ in 0..REFUSALS_MAX {
            self.say(&words).await?;
            words.clear();
            let (entrance, receipt) = self.hear_entrance().await?;
            self.answerer.has_answered();
            let entered = match entrance {
                Ok(entrance) => self.enter(visit, entrance).await,
                Err(refusal) => Err(refusal.into()),
            };
            match entered {
                Ok((seat, entered)) => {
                    self.decoder.answer_later(receipt);
                    return Ok((seat, entered));
                }
                Err(answer) => self.encoder.answer(&answer, &mut words),
            }
            words.extend(receipt.unwrap_or_default());
        }
        self.encoder.nameless(&mut words);
        Err(Gone(Some(words)))
    }

    /// The next request to come in, and what to say when it is done; others are answered.
    async fn hear_entrance(
        &mut self,
    ) -> Result<(Result<EnterRequest, Refusal>, Option<Vec<u8>>), Gone> {
        loop {
            let mut rest = self.held.as_slice();
            let heard = self.decoder.hear(&mut rest);
            let used = self.held.len() - rest.len();
            self.held.drain(..used);
            match heard {
                Some(WebInput::Request(request)) => match request.pong() {
                    Some(mut pong) => {
                        pong.extend(request.receipt().unwrap_or_default());
                        self.say(&pong).await?;
                    }
                    None => return Ok((request.entrance(), request.receipt())),
                },
                Some(WebInput::Refused(refusal, receipt)) => return Ok((Err(refusal), receipt)),
                Some(WebInput::Reply(bytes)) => self.say(&bytes).await?,
                Some(WebInput::Nothing) => {}
                Some(WebInput::Over(bytes)) => return Err(Gone(Some(bytes))),
                None => self.read_more().await?,
            }
        }
    }

    /// Whoever has to be waited for has a place among those who are, as at the name question.
    async fn read_more(&mut self) -> Result<(), Gone> {
        let read = self
            .answerer
            .read(&mut self.stream, &mut self.held, READ_BYTES_MAX);
        match read.await {
            Some(Ok(1..)) => Ok(()),
            Some(Ok(0) | Err(_)) => Err(Gone(None)),
            None => Err(self.nameless()),
        }
    }

    async fn enter(
        &mut self,
        visit: &Visit,
        entrance: EnterRequest,
    ) -> Result<(Seat, Box<Entered>), Answer> {
        let start = entrance.start.clone();
        let (seat, mut entered) = match &entrance.code {
            Some(code) => {
                self.come_back(visit, code.as_str(), entrance.room.clone())
                    .await?
            }
            None => self.enter_anew(visit, entrance).await?,
        };
        replay::complete(&mut entered, &start, &visit.door.settings).await;
        Ok((seat, entered))
    }

    async fn enter_anew(
        &mut self,
        visit: &Visit,
        entrance: EnterRequest,
    ) -> Result<(Seat, Box<Entered>), Answer> {
        let EnterRequest {
            name,
            password,
            room,
            start,
            ..
        } = entrance;
        let room = room.unwrap_or_else(RoomName::lobby);
        let name = match name {
            Some(typed) => Name::parse(typed.as_str()).map_err(Refusal::from)?,
            None => Name::of_address(&visit.from.to_string()),
        };
        let replay = replay::lines_asked_for(&start, &visit.door.settings);
        let mut ask = async |name: Claim, room: RoomName| {
            seat(&mut self.link, Change::Enter { name, room, replay }).await
        };
        let owned = match ask(name.clone().into(), room.clone()).await {
            Err(Answer::Refused(Refusal::NameOwned(owned))) => owned,
            other => return other,
        };
        let (Some(password), Some(accounts)) = (password, &visit.door.settings.accounts) else {
            return Err(Refusal::NameOwned(owned).into());
        };
        if !visit.peer.is_private {
            return Err(Refusal::PlainPassword.into());
        }
        let proof = accounts
            .passwords
            .prove(&owned, password, visit.peer.address)
            .await?;
        let proof = Some(proof);
        let entered = ask(Claim { name, proof }, room).await?;
        self.is_owner = true;
        Ok(entered)
    }

    /// Takes the place again that somebody had on another connection.
    async fn come_back(
        &mut self,
        visit: &Visit,
        code: &str,
        room: Option<RoomName>,
    ) -> Result<(Seat, Box<Entered>), Answer> {
        let accounts = visit.door.settings.accounts.as_ref();
        let accounts = accounts.ok_or(Refusal::NoSuchCode)?;
        let returned = accounts.codes.redeem(code).await?;
        let entered = seat(&mut self.link, returned.request(room)).await?;
        accounts
            .codes
            .take_over(&returned.code, self.link.client(), entered.0.room());
        self.is_owner = returned.standing.proof.is_some();
        self.returned = Some(returned);
        Ok(entered)
    }

    async fn say(&mut self, words: &[u8]) -> Result<(), Gone> {
        match timeout(WORD_TIME, self.stream.write_all(words)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone(None)),
        }
    }

    fn nameless(&self) -> Gone {
        let mut words = Vec::new();
        self.encoder.nameless(&mut words);
        Gone(Some(words))
    }

    /// A last word, and the end.
    fn farewell(&mut self, answer: &Answer) -> Gone {
        let mut words = Vec::new();
        self.encoder.answer(answer, &mut words);
        self.encoder.ended(&mut words);
        Gone(Some(words))
    }
}

async fn seat(
    link: &mut Link,
    request: impl Into<Request>,
) -> Result<(Seat, Box<Entered>), Answer> {
    match link.call(request).await {
        Outcome::Entered(seat, entered) => Ok((seat, entered)),
        Outcome::Answer(answer) => Err(answer),
        _ => Err(Refusal::NotThere.into()),
    }
}
