//! The addresses, and the headers of every answer. Knows no room's lines.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use parlor_core::link::{Outcome, Query};

use super::pages::{File, PAGE};
use super::respond::{HTML, RoomInPath};
use super::site::{HEALTH, HostNames};
use super::visit::Visit;
use super::{follow, redirect, socket, speak};
use crate::door::http::{GOING_DOWN, TEXT, preferred, sentence};
use crate::session::Encryption;
use crate::tls::Challenges;

/// The headers of every answer for browsers: run and load only files of this server, show the page
/// in no frame, do not tell other sites where people come from, and trust the named type.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The address at which an authority checks a name (RFC 8555, section 8.3).
const CHALLENGE: &str = "/.well-known/acme-challenge/{token}";

/// Browsers come back to this name with TLS only, for a year. They ignore it for addresses.
const ALWAYS_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The answer to clients that are not browsers and request only `/`.
const GREETING: &str = "This is Parlor, a chat server. In a browser, open this address. With curl:\n\
    \x20 curl -N HOST/lobby                            follows the room\n\
    \x20 curl 'HOST/lobby?last=50'                     shows the last lines\n\
    \x20 curl -d 'hello' 'HOST/lobby?name=YOUR-NAME'   speaks\n";

/// The answer to balancers while this node is out of touch with the others.
const OUT_OF_TOUCH: &str = "This node has no contact with the other nodes; use another one";

/// The answer of a node that has stopped, because its ledger differs from those of others.
const ASTRAY: &str = "This node has come to another state than the others; use another one";

/// After this time without contact, nobody can enter here.
const OUT_OF_TOUCH_AFTER: Duration = Duration::from_secs(10);

/// The addresses. Everything except rooms is under `/-/`.
///
/// An authority that checks a name of this server gets its answer in `challenges`, under any name;
/// everybody else without TLS is sent to `https` if the door redirects.
pub(super) fn router(names: HostNames, challenges: Arc<Challenges>, redirects: bool) -> Router {
    let router = Router::new()
        .route("/", get(greet))
        .route("/{room}", get(follow::read).post(speak::speak))
        .route("/{room}/", get(without_slash).post(without_slash))
        .route(HEALTH, get(health))
        .route("/-/socket", any(socket::open))
        .route("/-/{file}", get(file))
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(names, guard));
    let router = if redirects { router.layer(from_fn(redirect::to_https)) } else { router };
    let prove = async move |Path(token): Path<String>| match challenges.answer_to(&token) {
        Some(answer) => {
            ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response()
        }
        None => sentence(StatusCode::NOT_FOUND, "No authority has asked for this"),
    };
    router.route(CHALLENGE, get(prove)).layer(map_response(with_headers))
}

async fn guard(
    State(names): State<HostNames>,
    Extension(visit): Extension<Visit>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match names.refuse(&request, visit.scheme.as_deref()) {
        None => next.run(request).await,
        Some(refused) => refused,
    };
    if visit.peer.encryption == Encryption::TrustedCertificate {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, ALWAYS_TLS);
    }
    response
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS.iter().chain(&[("cache-control", "no-store")]) {
        headers.entry(*name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A room's address with a slash at its end, as scripts and people write it. The redirect is
/// relative, because a web server in front may serve this one below a path.
async fn without_slash(_: RoomInPath, address: Uri) -> Response {
    let room = address.path().trim_matches('/');
    let target = match address.query() {
        Some(query) => format!("../{room}?{query}"),
        None => format!("../{room}"),
    };
    let words = format!(
        "A room's address has no slash at its end: write {room} instead of {room}/, or use curl -L"
    );
    ([(header::LOCATION, target)], sentence(StatusCode::PERMANENT_REDIRECT, &words)).into_response()
}

async fn nothing_there(method: Method, address: Uri) -> Response {
    if method == Method::OPTIONS && address.path() == "*" {
        let can = [(header::ALLOW, "GET,HEAD,POST,OPTIONS")];
        return (StatusCode::NO_CONTENT, can).into_response();
    }
    sentence(
        StatusCode::NOT_FOUND,
        "There is nothing at this address; rooms are at /ROOM, as in /lobby",
    )
}

/// The router adds `Allow`, the whole answer to a client that asks for it.
async fn not_allowed(method: Method, address: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let words = match address.path() {
        "/" => "This address can only be read; send lines to a room's address, as in /lobby",
        path if path.starts_with("/-/") => "Addresses under /-/ can only be read, with GET",
        _ => "Use GET to read a room, or POST to speak in it",
    };
    sentence(StatusCode::METHOD_NOT_ALLOWED, words)
}

async fn greet(headers: HeaderMap) -> Response {
    match preferred(&headers, TEXT, &[HTML]) {
        HTML => PAGE.answer(&headers),
        _ => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            sentence(StatusCode::OK, &GREETING.replace("HOST", host.unwrap_or("HOST")))
        }
    }
}

async fn health(Extension(visit): Extension<Visit>) -> Response {
    if visit.reception.closing.is_cancelled() {
        return sentence(StatusCode::SERVICE_UNAVAILABLE, GOING_DOWN);
    }
    if visit.reception.metrics.node.is_astray() {
        return sentence(StatusCode::SERVICE_UNAVAILABLE, ASTRAY);
    }
    match visit.reception.metrics.is_node && !is_in_touch(&visit).await {
        false => sentence(StatusCode::OK, "ok"),
        true => sentence(StatusCode::SERVICE_UNAVAILABLE, OUT_OF_TOUCH),
    }
}

/// Whether this node has contact with the others.
async fn is_in_touch(visit: &Visit) -> bool {
    match visit.connect().call(Query::Nodes).await {
        Outcome::Nodes { nodes, .. } => {
            nodes.iter().any(|node| node.is_own && node.silent < OUT_OF_TOUCH_AFTER)
        }
        _ => false,
    }
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match File::find(&name) {
        Some(file) => file.answer(&headers),
        None => sentence(StatusCode::NOT_FOUND, "There is no such file here"),
    }
}
