//! The door of the operator's numbers: HTTP, and nobody joins here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, VARY};
use hyper::{Method, Request, Response, StatusCode};
use parlor_core::link::{Outcome, Query};
use tokio::net::TcpStream;

use super::accept::preferred;
use super::requests::{Port, Turn};
use super::{House, requests};
use crate::telemetry::{Now, classic};

/// Whoever asks has this long to do so; scrapes come every few seconds.
const SCRAPE_TIME: Duration = Duration::from_secs(60);

/// What Prometheus and its tools have always read; and what it asks for by its name.
const TEXT: &str = "text/plain;version=0.0.4";
const OPEN: &str = "application/openmetrics-text;version=1.0.0";

/// Answers whoever asks, until they have gone.
pub(super) async fn attend(house: &Arc<House>, stream: TcpStream) {
    let port = Port {
        head_time: SCRAPE_TIME,
        purpose: &|| "This port has metrics for Prometheus: GET /metrics".to_owned(),
        closing: &house.closing,
        leaving: &house.leaving,
    };
    let turn = Turn::new(&house.scrapes);
    let answer = |request: Request<Incoming>| async move { Ok(answer(house, &request).await) };
    if let Some((stream, _)) = requests::answer_requests(stream, &turn, port, answer).await {
        requests::close(stream, &house.leaving).await;
    }
}

async fn answer(house: &House, request: &Request<Incoming>) -> Response<String> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD); // of HEAD, the head alone is sent
    if is_read && request.uri().path() == "/metrics" {
        let (shown, kind) = match preferred(request.headers(), TEXT, &[OPEN]) {
            OPEN => (
                shown(house).await,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            ),
            _ => (
                classic(&shown(house).await),
                "text/plain; version=0.0.4; charset=utf-8",
            ),
        };
        let mut response = Response::new(shown);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(VARY, HeaderValue::from_static("accept"));
        return response;
    }
    let (status, words) = match is_read {
        true => (
            StatusCode::NOT_FOUND,
            "There is nothing at this address; the metrics are at /metrics\n",
        ),
        false => (
            StatusCode::METHOD_NOT_ALLOWED,
            "The metrics can only be read: GET /metrics\n",
        ),
    };
    let mut response = Response::new(words.to_owned());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    if !is_read {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

async fn shown(house: &House) -> String {
    let mut link = house.inbox.connect();
    let census = match link.call(Query::Census).await {
        Outcome::Counted(census) => census,
        _ => Default::default(),
    };
    house.metrics.shown(&Now {
        census,
        written: house.writers.counted(),
        panics: house.panics.load(Ordering::Relaxed),
    })
}
