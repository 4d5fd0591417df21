//! Sends browsers from a door without TLS to the same address with it. Knows no room.

use axum::extract::{Extension, Request};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::respond::bad_request;
use super::site::{only, split_port};
use super::visit::Visit;
use crate::door::http::sentence;

/// The port of `https` in an address without a port, also if a proxy ends TLS there.
const HTTPS_PORT: u16 = 443;

/// Redirects a request, unless a proxy has received it with TLS. Method and body stay the same: the
/// client sends them again.
pub(super) async fn to_https(
    Extension(visit): Extension<Visit>,
    request: Request,
    next: Next,
) -> Response {
    if visit.scheme.as_deref() == Some("https") {
        return next.run(request).await;
    }
    let port = visit.reception.https_port.get().copied().unwrap_or(HTTPS_PORT);
    match target(&request, port) {
        Some(target) => {
            let words = format!("This server speaks HTTPS: {target}");
            let place = [(header::LOCATION, target)];
            (place, sentence(StatusCode::PERMANENT_REDIRECT, &words)).into_response()
        }
        None => bad_request("Send one Host field with the name of this server"),
    }
}

/// The same address with `https` at this port. None if the request names no host, or no possible
/// one.
fn target(request: &Request, port: u16) -> Option<String> {
    // An address in the first line counts instead of the header (RFC 9112, section 3.2.2).
    let address = request.uri().authority().map(Authority::as_str);
    let (host, _) = split_port(address.or(only(request.headers(), header::HOST.as_str()))?);
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_sign),
    };
    let path = request.uri().path_and_query().map(PathAndQuery::as_str);
    let path = path.filter(|path| path.starts_with('/')).unwrap_or("/");
    is_host.then(|| match port {
        HTTPS_PORT => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn sent_to(address: &str, hosts: &[&str], port: u16) -> Option<String> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = address.parse().ok()?;
        for host in hosts {
            request
                .headers_mut()
                .append(header::HOST, HeaderValue::from_bytes(host.as_bytes()).ok()?);
        }
        target(&request, port)
    }

    #[test]
    fn host_path_and_query_stay_and_the_port_is_that_of_the_other_door() {
        for (address, host, port, wanted) in [
            ("/", "chat.example.org", 443, "https://chat.example.org/"),
            (
                "/lobby?last=5&x=%0d%0aa",
                "chat.example.org:80",
                443,
                "https://chat.example.org/lobby?last=5&x=%0d%0aa",
            ),
            ("/lobby", "localhost:8080", 8443, "https://localhost:8443/lobby"),
            ("/tea", "[2001:db8::7]:80", 443, "https://[2001:db8::7]/tea"),
            ("/tea", "[::1]", 8443, "https://[::1]:8443/tea"),
            ("http://a.example/tea?x", "b.example", 443, "https://a.example/tea?x"),
            ("//evil.example/x", "a.example", 443, "https://a.example//evil.example/x"),
            ("*", "a.example", 443, "https://a.example/"),
        ] {
            assert_eq!(
                sent_to(address, &[host], port).as_deref(),
                Some(wanted),
                "{address} {host}"
            );
        }
    }

    #[test]
    fn a_request_without_a_possible_host_is_sent_nowhere() {
        for hosts in [
            &[][..],
            &[""],
            &["a", "a"],
            &["a@b"],
            &["a/b"],
            &["a b"],
            &["a\tb"],
            &["[::1"],
            &["[a]"],
            &["a?b:1"],
            &["ä"],
        ] {
            assert_eq!(sent_to("/lobby", hosts, 443), None, "{hosts:?}");
        }
        assert_eq!(sent_to("http://user@evil.example/", &["a.example"], 443), None);
    }

    proptest! {
        #[test]
        fn no_request_puts_anything_but_an_address_into_the_answer(
            address in "/[!-~]{0,20}|https?://[a-z@:.]{1,9}/[!-~]{0,9}|[ -~]{0,9}",
            host in "\\PC{0,12}|[a-z.:\\[\\]]{0,12}", port in any::<u16>(),
        ) {
            if let Some(target) = sent_to(&address, &[&host], port) {
                let place = HeaderValue::from_str(&target).unwrap();
                let place: axum::http::Uri = place.to_str().unwrap().parse().unwrap();
                prop_assert_eq!(place.scheme_str(), Some("https"));
                prop_assert!(place.host().is_some_and(|host| !host.contains('@')));
                prop_assert!(!target.contains(|c: char| c.is_ascii_control() || c == ' '));
            }
        }
    }
}
