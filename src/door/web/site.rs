//! Refuses requests from other sites' pages. Knows no room.
//!
//! A browser sends requests for any page that it shows. `Origin` and `Sec-Fetch-Site` (Fetch
//! Metadata) reveal the page of another site; `Host` reveals a site whose name points to this
//! machine (DNS rebinding).

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Version, header};
use axum::response::Response;

use super::respond::bad_request;
use crate::door::http::sentence;

/// The address at which balancers ask whether the server runs.
pub(super) const HEALTH: &str = "/-/healthz";

/// The names of this machine, besides its addresses.
#[derive(Clone, Debug)]
pub(super) struct HostNames(std::sync::Arc<[String]>);

impl HostNames {
    /// The given names, and those of the machine.
    pub(super) fn new(mut given: Vec<String>) -> HostNames {
        let own = rustix::system::uname();
        let own = own.nodename().to_string_lossy().to_ascii_lowercase();
        given.extend(["localhost".to_owned(), format!("{own}.local"), own]);
        HostNames(given.into())
    }

    /// The refusal of a request that is not for this server, or comes from another site's page.
    /// `scheme` is that of the request, if it is known.
    pub(super) fn refuse(&self, request: &Request, scheme: Option<&str>) -> Option<Response> {
        let (method, headers) = (request.method(), request.headers());
        let named = match headers.get(header::HOST) {
            // Balancers send this; browsers do not.
            None if request.version() == Version::HTTP_10 => Some(None),
            _ => only(headers, header::HOST.as_str()).map(Some),
        };
        // An address in the first line counts instead of the header (RFC 9112, section 3.2.2).
        let address = request.uri().authority().map(Authority::as_str);
        let Some(host) = named.map(|host| address.or(host)) else {
            let words = "Send one Host field with the name of this server";
            return Some(bad_request(words));
        };
        let is_ours = host.is_none_or(|host| self.is_ours(host));
        // Balancers may ask under any name whether the server runs.
        if !is_ours && request.uri().path() != HEALTH {
            let (name, _) = split_port(host.unwrap_or_default());
            return Some(sentence(
                StatusCode::MISDIRECTED_REQUEST,
                &format!(
                    "This server is not called {name:?}; its operator can add that name: --listen 'http://*:8080?host={name}'"
                ),
            ));
        }
        let is_foreign = match only(headers, header::ORIGIN.as_str()) {
            Some(origin) => host.is_none_or(|host| !is_same(origin, host, scheme)),
            None => headers.contains_key(header::ORIGIN),
        };
        if is_foreign || (is_from_elsewhere(headers) && !is_link(method, headers)) {
            return Some(sentence(
                StatusCode::FORBIDDEN,
                "Pages of other sites cannot read or speak here; open this server's own page",
            ));
        }
        None
    }

    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = split_port(host);
        if !port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok()) {
            return false;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        // Rebinding needs a name; an address is safe.
        if bare.unwrap_or(name).parse::<std::net::IpAddr>().is_ok() {
            return true;
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.contains(&name)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The value of a header that occurs once. If it occurs twice, other programs may read the other
/// value.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// A host and its port.
pub(super) fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// Whether an origin is a page from this host: the same name, and the same port; and the same
/// scheme, if that of the request is known.
fn is_same(origin: &str, host: &str, own_scheme: Option<&str>) -> bool {
    let Some((scheme, place)) = origin.split_once("://") else {
        return false; // null: a page without a server
    };
    if own_scheme.is_some_and(|own| own != scheme) {
        return false;
    }
    let usual = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let (origin, host) = (split_port(place), split_port(host));
    let port = |(_, port): (_, Option<&str>)| port.unwrap_or(usual).to_owned();
    origin.0.eq_ignore_ascii_case(host.0) && port(origin) == port(host)
}

/// A page at another port or under another name of the same domain also belongs to another site.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    match only(headers, "sec-fetch-site") {
        Some(site) => matches!(site, "cross-site" | "same-site"),
        None => headers.contains_key("sec-fetch-site"),
    }
}

/// Whether the request follows a link to a page: the other site cannot read the answer.
fn is_link(method: &Method, headers: &HeaderMap) -> bool {
    let is_page =
        text(headers, header::ACCEPT.as_str()).is_some_and(|kind| kind.contains("text/html"));
    method == Method::GET
        && is_page
        && text(headers, "sec-fetch-mode") == Some("navigate")
        && text(headers, "sec-fetch-dest") == Some("document")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn status(method: Method, headers: &[(&'static str, &str)]) -> u16 {
        status_of(method, "/lobby", Version::HTTP_11, headers)
    }

    fn status_of(
        method: Method,
        target: &str,
        version: Version,
        headers: &[(&'static str, &str)],
    ) -> u16 {
        let names = HostNames::new(vec!["chat.example.org".to_owned()]);
        let mut request = Request::new(axum::body::Body::empty());
        *request.method_mut() = method;
        *request.version_mut() = version;
        *request.uri_mut() = target.parse().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let refused = names.refuse(&request, None);
        refused.map_or(200, |response| response.status().as_u16())
    }

    #[test]
    fn balancers_may_ask_without_a_name_or_with_any_name() {
        fn old(target: &str, headers: &[(&'static str, &str)]) -> u16 {
            status_of(Method::GET, target, Version::HTTP_10, headers)
        }
        fn new(target: &str, headers: &[(&'static str, &str)]) -> u16 {
            status_of(Method::GET, target, Version::HTTP_11, headers)
        }
        assert_eq!(old("/-/healthz", &[]), 200);
        assert_eq!(old("/lobby", &[]), 200);
        assert_eq!(new("/-/healthz", &[]), 400);
        assert_eq!(old("/lobby", &[("origin", "http://localhost")]), 403);
        assert_eq!(old("/lobby", &[("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(old("/lobby", &[("host", "backend")]), 421);
        let backend = ("host", "backend:8080");
        assert_eq!(new("/-/healthz", &[backend]), 200);
        assert_eq!(new("/-/healthz", &[backend, backend]), 400);
        assert_eq!(new("/-/healthz", &[backend, ("origin", "null")]), 403);
        assert_eq!(new("/-/socket", &[backend]), 421);
    }

    #[test]
    fn an_address_in_the_first_line_is_the_host() {
        fn get(target: &str, host: &str) -> u16 {
            status_of(Method::GET, target, Version::HTTP_11, &[("host", host)])
        }
        assert_eq!(get("http://localhost:8080/lobby", "localhost:8080"), 200);
        assert_eq!(get("http://chat.example.org/lobby", "proxy.example"), 200);
        assert_eq!(get("http://evil.example/lobby", "localhost"), 421);
        assert_eq!(get("http://localhost@evil.example/lobby", "localhost"), 421);
        assert_eq!(get("http://user@localhost/lobby", "localhost"), 421);
        let origin = [("host", "localhost"), ("origin", "http://localhost")];
        let target = "http://chat.example.org/lobby";
        assert_eq!(status_of(Method::GET, target, Version::HTTP_11, &origin), 403);
    }

    #[test]
    fn requests_for_this_server_are_accepted() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "127.0.0.1:8080",
            "192.0.2.7",
            "[::1]:8080",
            "[2001:db8::1]",
            "chat.example.org",
            "Chat.Example.Org:443",
        ] {
            assert_eq!(status(Method::GET, &[("host", host)]), 200, "{host}");
        }
    }

    #[test]
    fn another_name_is_misdirected() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "example.org",
            "",
            "localhost:8080@evil.example",
            "127.0.0.1:8080/",
            "127.0.0.1:99999",
        ] {
            assert_eq!(status(Method::GET, &[("host", host)]), 421, "{host}");
        }
        assert_eq!(status(Method::GET, &[]), 400);
    }

    #[test]
    fn a_header_that_occurs_twice_is_refused() {
        let (host, ours) = (("host", "localhost"), ("origin", "http://localhost"));
        assert_eq!(status(Method::GET, &[host, host]), 400);
        assert_eq!(status(Method::GET, &[host, ours]), 200);
        let evil = ("origin", "http://evil.example");
        assert_eq!(status(Method::GET, &[host, ours, evil]), 403);
    }

    #[test]
    fn only_the_same_origin_is_accepted() {
        for (origin, host, wanted) in [
            ("http://localhost:8080", "localhost:8080", 200),
            ("http://localhost", "localhost", 200),
            ("https://chat.example.org", "chat.example.org", 200),
            ("https://chat.example.org", "chat.example.org:443", 200),
            ("http://[::1]:8080", "[::1]:8080", 200),
            ("http://localhost:3000", "localhost:8080", 403),
            ("http://127.0.0.1:8080", "localhost:8080", 403),
            ("https://evil.example", "localhost:8080", 403),
            ("null", "localhost:8080", 403),
            ("", "localhost:8080", 403),
            ("file://", "localhost:8080", 403),
            ("http://localhost:8080.evil.example", "localhost:8080", 403),
        ] {
            let headers = [("host", host), ("origin", origin)];
            assert_eq!(status(Method::POST, &headers), wanted, "{origin}");
        }
    }

    #[test]
    fn another_site_may_only_link_to_the_page() {
        let host = ("host", "localhost");
        let cross = ("sec-fetch-site", "cross-site");
        let link = [
            host,
            cross,
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("accept", "text/html,*/*"),
        ];
        assert_eq!(status(Method::GET, &link), 200);
        assert_eq!(status(Method::POST, &link), 403);
        assert_eq!(status(Method::GET, &link[..4]), 403, "not as a page");
        let frame = [link[0], link[1], link[2], ("sec-fetch-dest", "iframe"), link[4]];
        assert_eq!(status(Method::GET, &frame), 403);
        assert_eq!(status(Method::GET, &[host, cross]), 403);
        let neighbour = [host, ("sec-fetch-site", "same-site")];
        assert_eq!(status(Method::GET, &neighbour), 403);
        let two = [host, ("sec-fetch-site", "same-origin"), cross];
        assert_eq!(status(Method::GET, &two), 403);
        assert_eq!(status(Method::GET, &[host, ("sec-fetch-site", "same-origin")]), 200);
    }
}
