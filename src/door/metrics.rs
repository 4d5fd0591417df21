//! The door of the operator's numbers: HTTP, and nobody joins here.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parlor_core::inbox::{self, Outcome};
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::timeout;

use super::House;
use crate::metrics::Now;

/// Whoever asks has this long to do so and to take the answer; scrapes come every few seconds.
const SCRAPE_TIME: Duration = Duration::from_secs(60);

/// What is said of the text that comes (OpenMetrics, section 3.1).
const KIND: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Answers whoever asks, until they have gone.
pub(super) async fn attend(house: &Arc<House>, stream: TcpStream) {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(house, &request).await)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SCRAPE_TIME)
        .serve_connection(TokioIo::new(stream), service);
    select! {
        served = timeout(10 * SCRAPE_TIME, serving) => {
            tracing::debug!(?served, "no further scrape");
        }
        () = house.closing.cancelled() => {}
    }
}

async fn answer(house: &House, request: &Request<Incoming>) -> Response<String> {
    let (status, words) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, shown(house).await),
        (&Method::GET, _) => (
            StatusCode::NOT_FOUND,
            "The numbers are at /metrics\n".to_owned(),
        ),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(words);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, KIND);
    response
}

async fn shown(house: &House) -> String {
    let mut link = house.inbox.connect();
    let census = match link.call(inbox::Request::Census).await {
        Outcome::Counted(census) => census,
        _ => Default::default(),
    };
    house.metrics.shown(&Now {
        census,
        written: house.writers.counted(),
        panics: house.panics.load(Ordering::Relaxed),
    })
}
