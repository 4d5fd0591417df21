//! The door for the operator's metrics, over HTTP. Knows no room.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use parlor_core::link::{Outcome, Query};

use super::admission::TurnedAway;
use super::http::{Exchange, Port, answer_requests, preferred, sentence, unavailable};
use super::opening::{DoorSetup, UrlOptions};
use super::reception::{OpenDoor, Peer, Reception, Serving, Transport};
use crate::config::InvalidValue;
use crate::telemetry::{Scrape, classic};

/// The limit of time for the head of a request; scrapes come every few seconds.
const SCRAPE_TIME: Duration = Duration::from_secs(60);

/// The format that Prometheus and its tools have always read, and the newer one, which Prometheus
/// requests by name.
const TEXT: &str = "text/plain;version=0.0.4";
const OPEN: &str = "application/openmetrics-text;version=1.0.0";

/// A listener for Prometheus.
struct MetricsDoor;

/// Opens the door for a listener.
pub(super) fn open(_: &UrlOptions, _: DoorSetup) -> Result<Arc<dyn OpenDoor>, InvalidValue> {
    Ok(Arc::new(MetricsDoor))
}

impl OpenDoor for MetricsDoor {
    fn serve(self: Arc<Self>, reception: Arc<Reception>, stream: Transport, _: Peer) -> Serving {
        Box::pin(async move {
            let port = Port {
                head_time: SCRAPE_TIME,
                purpose: &|| "This port has metrics for Prometheus: GET /metrics".to_owned(),
                closing: &reception.closing,
                leaving: &reception.leaving,
            };
            let exchange = Exchange::new(&reception.scrapes);
            let answer = async |request: Request<Incoming>| Ok(answer(&reception, &request).await);
            answer_requests(stream, &exchange, port, answer).await;
        })
    }

    fn words(&self, refused: TurnedAway) -> String {
        unavailable(refused)
    }
}

async fn answer(reception: &Reception, request: &Request<Incoming>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let words = "The metrics can only be read: GET /metrics";
        let can = [(header::ALLOW, "GET, HEAD")];
        return (can, sentence(StatusCode::METHOD_NOT_ALLOWED, words)).into_response();
    }
    if request.uri().path() != "/metrics" {
        let words = "There is nothing at this address; the metrics are at /metrics";
        return sentence(StatusCode::NOT_FOUND, words);
    }
    let open = shown(reception).await;
    let (kind, shown) = match preferred(request.headers(), TEXT, &[OPEN]) {
        OPEN => ("application/openmetrics-text; version=1.0.0; charset=utf-8", open),
        _ => ("text/plain; version=0.0.4; charset=utf-8", classic(&open)),
    };
    ([(header::CONTENT_TYPE, kind), (header::VARY, "accept")], shown).into_response()
}

async fn shown(reception: &Reception) -> String {
    let mut link = reception.inbox.connect();
    let census = match link.call(Query::Census).await {
        Outcome::Counted(census) => census,
        _ => Default::default(),
    };
    let nodes = match link.call(Query::Nodes).await {
        Outcome::Nodes { nodes, .. } => nodes,
        _ => Vec::new(),
    };
    reception.metrics.shown(&Scrape {
        census,
        nodes,
        written: reception.writers.counted(),
        panics: reception.panics.load(Ordering::Relaxed),
    })
}
