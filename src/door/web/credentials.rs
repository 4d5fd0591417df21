//! The name of a request and its proof, and the password of a room. Knows no line.

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parlor_core::link::Refusal;
use parlor_core::model::{Claim, Line, Name, RoomName};

use super::respond::{bad_request, refuse};
use super::visit::Visit;
use crate::session::{self, RoomTry};

/// The header with the password of a room: addresses stand in the logs of proxies.
const ROOM_PASSWORD: HeaderName = HeaderName::from_static("room-password");

/// The name and the token from `curl -u NAME:TOKEN` (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(String, Line)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (name, shown) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    // Bytes that are not UTF-8 make a wrong name. If they made a missing one, the request would
    // pass without a proof.
    let name = String::from_utf8_lossy(name).into_owned();
    Some((name, Line::sanitise(shown)))
}

impl Visit {
    /// Whether the request gives the password of a room.
    pub(super) fn has_room_password(headers: &HeaderMap) -> bool {
        headers.contains_key(ROOM_PASSWORD)
    }

    /// The password of the room, if the request gives one that may be tried, and its try.
    pub(super) fn room_password(
        &self,
        room: &RoomName,
        headers: &HeaderMap,
    ) -> (Option<Line>, RoomTry) {
        let typed = headers.get(ROOM_PASSWORD).map(|value| Line::sanitise(value.as_bytes()));
        self.shared.settings.room_tries.take(room, typed, self.peer.ip())
    }

    /// The name for the lines, with its proof if there is one.
    pub(super) async fn claim(
        &self,
        named: Option<String>,
        headers: &HeaderMap,
    ) -> Result<Claim, Response> {
        let refused = |refusal: Refusal| self.refuse(refusal);
        let shown = credentials(headers);
        let typed = named.or_else(|| shown.as_ref().map(|(name, _)| name.clone()));
        let Some(typed) = typed else {
            let words = "Give a name: ?name=ci, or -u NAME:TOKEN for a registered name";
            return Err(bad_request(words));
        };
        let name = self.shared.settings.name(&typed).await;
        let name = name.map_err(|error| refused(Refusal::from(error)))?;
        match shown {
            Some(shown) => self.prove(name, shown).await,
            None => Ok(name.into()),
        }
    }

    /// The registered name of a reader that gives one.
    pub(super) async fn owner(&self, headers: &HeaderMap) -> Result<Option<Claim>, Response> {
        let Some(shown) = credentials(headers) else {
            return Ok(None);
        };
        let name =
            Name::parse_owned(&shown.0).map_err(|error| self.refuse(Refusal::from(error)))?;
        Ok(Some(self.prove(name, shown).await?))
    }

    /// Proves a name with the token that came with it.
    async fn prove(&self, name: Name, shown: (String, Line)) -> Result<Claim, Response> {
        let claim = session::prove_by_token(&self.shared.settings, &self.peer, name, shown);
        claim.await.map_err(|refusal| self.refuse(refusal))
    }

    /// Tells why a request is refused, and counts that.
    pub(super) fn refuse(&self, refusal: Refusal) -> Response {
        self.shared.settings.metrics.refused(&refusal);
        let asks = matches!(refusal, Refusal::NameOwned(_) | Refusal::WrongPassword(_));
        let how = [(header::WWW_AUTHENTICATE, "Basic realm=\"Parlor\", charset=\"UTF-8\"")];
        (asks.then_some(how), refuse(&refusal, &self.shared.clock)).into_response()
    }
}
