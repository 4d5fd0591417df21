//! HTTPS to an authority: one request a connection, with limits of time and size. Knows no message
//! of ACME but the directory.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

use crate::clock::timeout;
use crate::tls::authorities::{authorities, system_roots};
use crate::tls::settings::client_settings;

/// The limit of time for a request with its answer.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The largest answer: a long chain has 20 KiB.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The largest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

const OWN_NAME: HeaderValue =
    HeaderValue::from_static(concat!("parlor/", env!("CARGO_PKG_VERSION"), " instant-acme"));

/// The reason why there is no answer, for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error(
        "cannot read {0}, or it has no certificate in the form PEM; name the certificate of the authority with --acme-ca FILE"
    )]
    NoRoots(String),
    #[error(
        "this machine trusts no authority; install its package ca-certificates, or name the certificate of the authority with --acme-ca FILE"
    )]
    NoneTrusted,
    #[error("{0} is no address with https")]
    NotHttps(Uri),
    #[error("cannot connect to {0}: {1}")]
    NotReached(String, io::Error),
    #[error("the answer broke off: {0}")]
    BrokenOff(#[from] hyper::Error),
    #[error("the answer is larger than 256 KiB, or broke off")]
    TooLarge,
    #[error("no answer within 30 seconds")]
    TooLate,
    #[error("the directory makes no sense")]
    NoDirectory,
}

/// The way to an authority.
#[derive(Clone)]
pub(super) struct AuthorityClient {
    tls: TlsConnector,
}

/// The part of a directory that the library takes without a check.
#[derive(Deserialize)]
struct UncheckedDirectory {
    #[serde(rename = "newNonce")]
    new_nonce: Option<String>,
}

impl AuthorityClient {
    /// Trusts the certificates in a file, or those that this machine trusts.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn new(file: Option<&Path>) -> Result<AuthorityClient, NoAnswer> {
        let roots = match file {
            Some(path) => {
                roots_in(path).ok_or_else(|| NoAnswer::NoRoots(path.display().to_string()))?
            }
            None => system_roots(),
        };
        let verifier = authorities(roots).ok_or(NoAnswer::NoneTrusted)?;
        let settings = client_settings(verifier).map_err(|_| NoAnswer::NoneTrusted)?;
        Ok(AuthorityClient { tls: TlsConnector::from(settings) })
    }

    /// Reads a value that needs no signature.
    pub(super) async fn get(&self, address: &str) -> Result<Bytes, Error> {
        let request = Request::get(address).body(BodyWrapper::default())?;
        let mut answer = self.request(request).await?;
        answer.body.into_bytes().await.map_err(Error::Other)
    }
}

/// The certificates in a file. None if there are none, or one of them cannot be used.
fn roots_in(path: &Path) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(path).ok()? {
        roots.add(root.ok()?).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

impl HttpClient for AuthorityClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let tls = self.tls.clone();
        Box::pin(async move {
            let answer = timeout(REQUEST_TIME, exchange(&tls, request)).await;
            answer.unwrap_or(Err(NoAnswer::TooLate)).map_err(|error| Error::Other(error.into()))
        })
    }
}

/// Sends a request, and takes its answer.
async fn exchange(
    tls: &TlsConnector,
    mut request: Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, NoAnswer> {
    let address = request.uri().clone();
    let host = address.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let host = host.ok_or_else(|| NoAnswer::NotHttps(address.clone()))?;
    let stream = connect(tls, &address).await?;
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await?;
    let mut driving = JoinSet::new(); // it ends with this function
    driving.spawn(connection);
    let is_get = request.method() == Method::GET;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, OWN_NAME);
    *request.uri_mut() =
        address.path_and_query().map_or(Uri::default(), |path| path.clone().into());
    let (mut parts, body) = sender.send_request(request).await?.into_parts();
    // The library cannot add every time to now, and polls in its own rhythm without it.
    parts.headers.remove(RETRY_AFTER);
    let body = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await;
    let body = body.map_err(|_| NoAnswer::TooLarge)?;
    if is_get
        && let Ok(UncheckedDirectory { new_nonce: Some(address) }) = serde_json::from_slice(&body)
    {
        address.parse::<Uri>().map_err(|_| NoAnswer::NoDirectory)?; // the library would panic
    }
    Ok(BytesResponse { parts, body: Box::new(body) })
}

async fn connect(tls: &TlsConnector, address: &Uri) -> Result<TlsStream<TcpStream>, NoAnswer> {
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone());
    let (Some("https"), Ok(name)) = (address.scheme_str(), name) else {
        return Err(NoAnswer::NotHttps(address.clone()));
    };
    let reaching = async {
        let stream = TcpStream::connect((host.as_str(), address.port_u16().unwrap_or(443))).await?;
        tls.connect(name, stream).await
    };
    reaching.await.map_err(|error| NoAnswer::NotReached(host.clone(), error))
}
