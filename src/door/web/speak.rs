//! Speaking with one request, as scripts do. Nobody arrives by that.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor_core::link::{Answer, Change, Outcome, Refusal};
use parlor_core::model::{Bucket, Claim, Line, Name, Rate, RoomName, Spoken, network};
use parlor_wire::json::{LINES_MAX, spoken};
use parlor_wire::style::LINE_BYTES_MAX;
use serde::Deserialize;
use serde_json::json;

use super::Visit;
use super::router::{Room, TEXT, later, refuse, sentence};
use crate::clock::timeout;
use crate::door::accept::preferred;

/// For programs.
const JSON: &str = "application/json";

/// What is said has so many bytes at the most.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// And has come after this long.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How fast these many addresses have spoken is remembered; beyond them, of those that are quiet it is forgotten.
const PACES_MAX: usize = 10_000;

/// What may follow the question mark, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct As {
    name: Option<String>,
}

/// Says the body of a request in a room.
pub(super) async fn speak(
    Extension(visit): Extension<Visit>,
    Room(room): Room,
    name: Result<Query<As>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(Query(As { name })) = name else {
        return sentence(
            StatusCode::BAD_REQUEST,
            "Unknown query: write ?name=ci, with the name to speak under, and nothing else",
        );
    };
    let said = async {
        let claim = visit.claim(name, &headers).await?;
        let lines = read_lines(body, &visit).await?;
        let _busy = visit.turn.busy(); // all of it is here
        match visit.too_fast(lines.len()) {
            Some(refused) => Err(refused),
            None => visit.say(claim, room.clone(), lines).await,
        }
    };
    match said.await {
        Ok((first, last)) => receipt(&room, first, last, &headers),
        Err(refused) => refused,
    }
}

/// The numbers of what is kept now, a line each.
fn receipt(room: &RoomName, first: u64, last: u64, headers: &HeaderMap) -> Response {
    if preferred(headers, TEXT, &[JSON]) == JSON {
        let kind = HeaderValue::from_static("application/json");
        let numbers = json!({ "room": room.as_str(), "first": first, "last": last });
        return ([(header::CONTENT_TYPE, kind)], format!("{numbers}\n")).into_response();
    }
    let numbers: Vec<_> = (first..=last).map(|seq| seq.to_string()).collect();
    sentence(StatusCode::OK, &numbers.join("\n"))
}

/// The lines of a body, whatever kind of text it says it is.
async fn read_lines(body: Body, visit: &Visit) -> Result<Vec<Spoken>, Response> {
    let Ok(read) = timeout(BODY_TIME, to_bytes(body, BODY_BYTES_MAX)).await else {
        return Err(sentence(
            StatusCode::REQUEST_TIMEOUT,
            "The text did not arrive in time; send it again",
        ));
    };
    let Ok(bytes) = read else {
        visit.door.settings.metrics.met("line");
        return Err(sentence(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!(
                "Too much at once, nothing was sent: at most {BODY_BYTES_MAX} bytes, in {LINES_MAX} lines of {LINE_BYTES_MAX} bytes"
            ),
        ));
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines = spoken(&text).map_err(|refusal| visit.refuse(refusal))?;
    match lines.is_empty() {
        true => Err(sentence(
            StatusCode::BAD_REQUEST,
            "There is no text; send it as the body, as in curl -d 'hello'",
        )),
        false => Ok(lines),
    }
}

/// Who somebody says to be, and the proof of it, as `curl -u NAME:TOKEN` sends them (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(String, Line)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (name, shown) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    // What is not UTF-8 is wrong, and not nothing: else somebody would speak or read without a proof.
    let name = String::from_utf8_lossy(name).into_owned();
    Some((name, Line::sanitise(shown)))
}

impl Visit {
    /// The name under which somebody speaks, and whether it is proven.
    async fn claim(&self, named: Option<String>, headers: &HeaderMap) -> Result<Claim, Response> {
        let refused = |refusal: Refusal| self.refuse(refusal);
        let shown = credentials(headers);
        let typed = named.or_else(|| shown.as_ref().map(|(name, _)| name.clone()));
        let Some(typed) = typed else {
            return Err(sentence(
                StatusCode::BAD_REQUEST,
                "Give a name: ?name=ci, or -u NAME:TOKEN for a registered name",
            ));
        };
        let name = Name::parse(&typed).map_err(|error| refused(Refusal::from(error)))?;
        match shown {
            Some(shown) => self.prove(name, shown).await,
            None => Ok(name.into()),
        }
    }

    /// The name that somebody owns who reads, if they say so.
    pub(super) async fn owner(&self, headers: &HeaderMap) -> Result<Option<Claim>, Response> {
        let Some(shown) = credentials(headers) else {
            return Ok(None);
        };
        let name = Name::parse(&shown.0).map_err(|error| self.refuse(Refusal::from(error)))?;
        Ok(Some(self.prove(name, shown).await?))
    }

    /// Whether what is shown proves a name.
    async fn prove(&self, name: Name, shown: (String, Line)) -> Result<Claim, Response> {
        let refused = |refusal: Refusal| self.refuse(refusal);
        let (user, secret) = shown;
        let is_same = Name::parse(&user).is_ok_and(|user| user.is_same(&name));
        let Some(accounts) = self.door.settings.accounts.as_ref().filter(|_| is_same) else {
            return Err(refused(Refusal::WrongPassword(name)));
        };
        let (address, is_private) = (self.peer.address, self.peer.is_private);
        let proof = accounts.tokens.prove(&name, secret, address, is_private);
        let proof = Some(proof.await.map_err(refused)?);
        Ok(Claim { name, proof })
    }

    /// What to answer to somebody who speaks too fast for these lines.
    fn too_fast(&self, lines: usize) -> Option<Response> {
        let settings = &self.door.settings;
        let rate = settings.live.rate()?;
        let now = settings.clock.monotonic();
        let taken = self.door.paces.take(self.peer.address, rate, now, lines);
        let wait = taken.err()?;
        settings.metrics.met("rate");
        let seconds = wait.as_secs() + 1;
        let words = format!(
            "Too fast, nothing was sent; try again in {seconds} s: the limit is {}/s, and ten times that at once after a pause",
            rate.per_second
        );
        Some(later(StatusCode::TOO_MANY_REQUESTS, seconds, &words))
    }

    /// Says lines. The numbers of the first and the last.
    async fn say(
        &self,
        name: Claim,
        room: RoomName,
        lines: Vec<Spoken>,
    ) -> Result<(u64, u64), Response> {
        let mut link = self
            .house
            .writers
            .connect(&self.house.inbox, Some(self.from));
        match link.call(Change::Speak { name, room, lines }).await {
            Outcome::Said { first, last } => Ok((first, last)),
            Outcome::Answer(Answer::Refused(refusal)) => Err(self.refuse(refusal)),
            _ => Err(sentence(StatusCode::SERVICE_UNAVAILABLE, "Try again later")),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.door.settings.metrics.refused(&refusal);
        let asks = matches!(refusal, Refusal::NameOwned(_) | Refusal::WrongPassword(_));
        let mut response = refuse(&refusal, &self.door.clock);
        if asks {
            let how = HeaderValue::from_static("Basic realm=\"Parlor\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}

/// How fast each address speaks; an address in IPv6 being a whole network.
#[derive(Default)]
pub(super) struct Paces(Mutex<HashMap<IpAddr, Bucket>>);

impl Paces {
    /// Takes lines from the bucket of an address, if all of them pass now: else it says how long it is until they do. More
    /// than ever pass at once are taken from a full bucket, and whoever comes next waits for them.
    fn take(&self, from: IpAddr, rate: Rate, now: Duration, lines: usize) -> Result<(), Duration> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Bucket::default().level(rate, now);
        if paces.len() >= PACES_MAX {
            paces.retain(|_, bucket| bucket.level(rate, now) < full);
        }
        let from = match paces.len() < PACES_MAX {
            true => network(from),
            false => Ipv6Addr::UNSPECIFIED.into(), // all who come new share one
        };
        let bucket = paces.entry(from).or_default();
        let mut before_the_last = *bucket;
        before_the_last.take(rate, now, lines.min(full).saturating_sub(1));
        match before_the_last.wait(rate, now) {
            Duration::ZERO => {
                bucket.take(rate, now, lines);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { per_second: 10 };

    #[test]
    fn each_address_has_a_pace_of_its_own() {
        let paces = Paces::default();
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Duration::from_secs(1_000);
        assert_eq!(paces.take(here, TEN, now, 100), Ok(()));
        assert_eq!(
            paces.take(here, TEN, now, 1),
            Err(Duration::from_millis(100))
        );
        assert_eq!(paces.take(there, TEN, now, 1), Ok(()));
        assert_eq!(
            paces.take(here, TEN, now + Duration::from_millis(100), 1),
            Ok(())
        );
    }

    #[test]
    fn lines_pass_together_or_not_at_all() {
        let paces = Paces::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        let mut now = Duration::from_secs(1_000);
        let mut take = |waited: u64, lines| {
            now += Duration::from_millis(waited);
            paces.take(here, TEN, now, lines)
        };
        let wait = |milliseconds| Err(Duration::from_millis(milliseconds));
        assert_eq!(take(0, 1), Ok(()));
        assert_eq!(take(0, 100), wait(100), "99 are left");
        assert_eq!(take(0, 99), Ok(()));
        assert_eq!(take(10, 100), wait(9_990));
        assert_eq!(take(9_980, 100), wait(10));
        assert_eq!(take(10, 100), Ok(()));
        // 200 are more than ever pass at once.
        assert_eq!(take(9_999, 200), wait(1));
        assert_eq!(take(1, 200), Ok(()));
        assert_eq!(take(10_000, 1), wait(100));
        assert_eq!(take(100, 1), Ok(()));
    }

    #[test]
    fn the_paces_of_the_quiet_are_forgotten_and_memory_is_bounded() {
        let paces = Paces::default();
        let of = |number: u32| IpAddr::from(number.to_be_bytes());
        let now = Duration::from_secs(1_000);
        for number in 0..2 * PACES_MAX as u32 {
            paces.take(of(number), TEN, now, 50).ok();
        }
        let len = || paces.0.lock().map_or(0, |paces| paces.len());
        assert!(len() <= PACES_MAX + 1, "{}", len());
        let later = now + Duration::from_secs(100);
        assert_eq!(paces.take(of(7), TEN, later, 1), Ok(()));
        assert_eq!(len(), 1);
    }
}
