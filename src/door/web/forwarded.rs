//! The client of a request that a web server in front has forwarded. Knows no room.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use parlor_wire::forwarded::{Hop, client, forwarded, x_forwarded_for};

use super::respond::{bad_request, later};
use super::visit::Visit;
use crate::door::admission::RETRY_SECONDS;
use crate::door::trusted::TrustedSources;
use crate::session::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The answer to headers that a web server has passed on from the client.
const DISAGREE: &str = "Forwarded and X-Forwarded-For name different clients; the web server in front should set both or remove the other one";

/// The answer to a header that nobody can read.
const MALFORMED: &str = "The header Forwarded is malformed (RFC 7239)";

impl Visit {
    /// The visit of the client that sent a request, if a trusted web server has forwarded it.
    ///
    /// # Errors
    /// The answer, if the headers are malformed or contradict each other, or the client has too
    /// many connections.
    pub(super) fn forwarded(
        &self,
        headers: &HeaderMap,
        trusted: &TrustedSources,
    ) -> Result<Visit, Box<Response>> {
        let mut visit = self.clone();
        if !trusted.include(self.peer.address.map(|address| address.ip())) {
            return Ok(visit);
        }
        if let Some(hop) = hop(headers, trusted).map_err(|words| Box::new(bad_request(words)))? {
            visit.peer = self.peer.behind(&hop);
            visit.scheme = hop.scheme.or(visit.scheme);
        }
        let ip = visit.peer.address.map(|address| address.ip());
        let share = self.reception.admission.share(ip).map_err(|refused| {
            self.reception.metrics.met(refused.limit());
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Box::new(later(status, RETRY_SECONDS.into(), &refused.to_string()))
        })?;
        visit.share = Some(Arc::new(share));
        Ok(visit)
    }
}

impl Peer {
    /// The client of a web server that has these facts about it. The port is that of the web
    /// server, so that people without a name have different addresses.
    fn behind(&self, hop: &Hop) -> Peer {
        let port = self.address.map_or(0, |address| address.port());
        let address = hop.client.map(|ip| SocketAddr::new(ip, port)).or(self.address);
        let is_here = address.is_some_and(|address| address.ip().is_loopback());
        let is_https = hop.scheme.as_deref() == Some("https");
        Peer { address, is_private: is_https || self.is_private && is_here, ..*self }
    }
}

/// The facts about the client. None if no header names it.
fn hop(headers: &HeaderMap, trusted: &TrustedSources) -> Result<Option<Hop>, &'static str> {
    let is_trusted = |ip: IpAddr| trusted.include(Some(ip));
    let fields = |name| texts(headers, name);
    let hops = forwarded(fields(header::FORWARDED).iter().map(|field| &**field));
    let hops = hops.ok_or(MALFORMED)?;
    let older = x_forwarded_for(fields(X_FORWARDED_FOR).iter().map(|field| &**field));
    let [of_hops, of_older] = [&hops, &older].map(|hops| client(hops, is_trusted).cloned());
    let address = |hop: &Option<Hop>| hop.as_ref().and_then(|hop| hop.client);
    if !hops.is_empty() && !older.is_empty() && address(&of_hops) != address(&of_older) {
        return Err(DISAGREE);
    }
    let is_named = !hops.is_empty() || !older.is_empty();
    let mut hop = of_hops.or(of_older).unwrap_or_default();
    let scheme = match &fields(X_FORWARDED_PROTO)[..] {
        [scheme] => Some(scheme.trim().to_ascii_lowercase()),
        _ => None,
    };
    hop.scheme = hop.scheme.or(scheme);
    Ok((is_named || hop.scheme.is_some()).then_some(hop))
}

/// The values of a header. Bytes that are no text are marks in it: a client may have sent them, and
/// what the proxy has added stands behind them.
fn texts(headers: &HeaderMap, name: HeaderName) -> Vec<Cow<'_, str>> {
    let values = headers.get_all(name).iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;
    use crate::door::trusted::TrustedSource;
    use crate::session::Encryption;

    fn found(fields: &[(&'static str, &str)]) -> Result<Option<String>, &'static str> {
        let trusted = TrustedSources(vec![TrustedSource::read("10.0.0.0/8").unwrap()]);
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let own = "10.0.0.2:7".parse().unwrap();
        let encryption = Encryption::None;
        let peer = Peer { address: Some(own), is_private: false, encryption };
        let hop = hop(&headers, &trusted)?;
        Ok(hop.map(|hop| {
            let peer = peer.behind(&hop);
            format!("{peer} {} {}", hop.scheme.unwrap_or_default(), peer.is_private)
        }))
    }

    #[test]
    fn either_header_names_the_client_and_the_scheme() {
        let own = |words: &str| Ok(Some(words.to_owned()));
        for (fields, wanted) in [
            (&[][..], Ok(None)),
            (&[("forwarded", "for=192.0.2.7;proto=https")], own("192.0.2.7:7 https true")),
            (&[("x-forwarded-for", "6.6.6.6, 192.0.2.7")], own("192.0.2.7:7  false")),
            (&[("x-forwarded-for", "\u{e9}, 192.0.2.7")], own("192.0.2.7:7  false")),
            (&[("forwarded", "for=\"\u{e9}\", for=192.0.2.7")], own("192.0.2.7:7  false")),
            (
                &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "HTTPS")],
                own("192.0.2.7:7 https true"),
            ),
            (
                &[("forwarded", "for=192.0.2.7"), ("x-forwarded-for", "192.0.2.7, 10.0.0.3")],
                own("192.0.2.7:7  false"),
            ),
            (&[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "192.0.2.7")], Err(DISAGREE)),
            (&[("forwarded", "for=unknown"), ("x-forwarded-for", "192.0.2.7")], Err(DISAGREE)),
            (&[("forwarded", "for=\"")], Err(MALFORMED)),
            (&[("forwarded", "for=unknown")], own("10.0.0.2:7  false")),
            (
                &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https, http")],
                own("192.0.2.7:7 https, http false"),
            ),
        ] {
            assert_eq!(found(fields), wanted, "{fields:?}");
        }
    }
}
